"""What the edge says to a caller it does not serve. Neither error leaves a trace in the database."""

from __future__ import annotations


class BadRequest(Exception):
    """The body cannot be read: not decryptable, not the promised format, too large. Becomes HTTP 400."""


class Unauthorised(Exception):
    """Not from the platform, or not for us: wrong signature, wrong receiver, stale timestamp. Becomes HTTP 401."""
