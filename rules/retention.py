"""What is kept for working and not for the record, and for how long (F6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Passing(StrEnum):
    """What is forgotten when it has had its time. Records that were given, notes, their histories, digests and the value ledger are
    none of it."""

    INBOX = "inbox"  # events that came in
    OUTBOX = "outbox"  # the words of messages that have left or never will
    RULINGS = "rulings"  # why messages were held, merged or dropped
    USAGE = "usage"  # what was spent of the platforms' budgets
    LOGINS = "logins"  # login links that were used or ran out
    DRAFTS = "drafts"  # what was begun and never given, and sentences as they were typed


Retention = Mapping[Passing, timedelta]  # how long each is kept; what is left out is kept for ever
