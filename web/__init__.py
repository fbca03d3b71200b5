"""Pages. Reading goes through read-only transactions; whatever changes something goes through the dispatcher as an event."""
