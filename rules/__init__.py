"""What is right: values in, decisions out. No clock, no database, no network, no log."""
