"""Sentences that are being written (A3): what was typed so far, and until when the next sentence still belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from rules.messages import PersonId
from storage.tables import sentences
from storage.work import Work


@dataclass(frozen=True)
class Started:
    """`author` wrote `text`. `feedback` is the record it is about: a draft to be completed, or one that was given and is to be
    reworded; None while it is not known who is meant. What he types before `until` (aware UTC) belongs to it."""

    author: PersonId
    feedback: int | None
    text: str
    until: datetime


class SentencesTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def put(self, started: Started, now: datetime) -> None:
        """Remember it as what its author is writing now; nothing older of his waits any more."""
        self.end(started.author, now)
        row = {"author": started.author, "feedback": started.feedback, "text": started.text, "until": started.until}
        self._work.execute(insert(sentences).values(**row))

    def waiting(self, author: PersonId, now: datetime) -> Started | None:
        """What this author is writing at `now`."""
        mine = (sentences.c.author == author) & (sentences.c.until > now)
        row = self._work.execute(select(sentences).where(mine).order_by(sentences.c.id.desc()).limit(1)).one_or_none()
        return Started(row.author, row.feedback, row.text, row.until) if row else None

    def of(self, feedback: int) -> Started | None:
        """The words a record was last read from; None for a record that came from a card."""
        this = select(sentences).where(sentences.c.feedback == feedback).order_by(sentences.c.id.desc()).limit(1)
        row = self._work.execute(this).one_or_none()
        return Started(row.author, row.feedback, row.text, row.until) if row else None

    def end(self, author: PersonId, now: datetime) -> None:
        """What this author types next is something new."""
        waiting = (sentences.c.author == author) & (sentences.c.until > now)
        self._work.execute(update(sentences).where(waiting).values(until=now))
