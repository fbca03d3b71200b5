"""What we remember. SQLAlchemy Core; hands out frozen records and takes them back; SQLite and PostgreSQL, same code."""
