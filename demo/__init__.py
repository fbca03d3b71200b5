"""A company that does not exist, to try the bot with: its people, its behaviour library and a fortnight of its history."""
