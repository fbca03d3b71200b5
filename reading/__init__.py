"""What was meant: text in, meaning out. Pure computing over word lists; no network, no clock."""
