"""How it looks: data in, platform JSON or text out. No database, no network."""
