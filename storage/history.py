"""What happened to each record, append-only: who, when, what, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select

from rules.messages import PersonId
from storage.tables import history
from storage.work import Prepared, Work


@dataclass(frozen=True)
class Entry:
    """One line of a record's history. `person` is None for what a rule did. `reason` is a code; `words` are a person's own."""

    at: datetime
    person: PersonId | None
    what: str
    reason: str | None
    words: str | None


_COLUMNS = (history.c.at, history.c.person, history.c.what, history.c.reason, history.c.words)
_OF = Prepared(select(*_COLUMNS).where(history.c.about == bindparam("about")).order_by(history.c.id))
_NOTE = Prepared(insert(history), ("about", "at", "person", "what", "reason", "words"))


class HistoryTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def note(
        self, about: str, what: str, now: datetime, by: PersonId | None = None, reason: str | None = None, words: str | None = None
    ) -> None:
        """Append one line."""
        row = {"about": about, "at": now, "person": by, "what": what, "reason": reason, "words": words}
        self._work.later(_NOTE, row)

    def of(self, about: str) -> tuple[Entry, ...]:
        """A record's history, oldest first."""
        return tuple(Entry(*row) for row in self._work.rows(_OF, about=about))
