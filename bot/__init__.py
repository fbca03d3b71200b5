"""The edge: the only room that knows the platforms, the clock and the process."""
