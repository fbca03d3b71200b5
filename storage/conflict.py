"""Somebody was faster."""


class Conflict(Exception):
    """The row changed since it was read. The transaction is to be run again from its beginning."""
