"""Who was told of which unanswered record, in which message: one message may tell of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from rules.loops import Cause
from rules.messages import PersonId
from storage.columns import UtcDateTime
from storage.outbox import State
from storage.tables import escalations, in_state, outbox
from storage.work import Work


@dataclass(frozen=True)
class Told:
    """`reader` is told in `message` (a row of the outbox) of the record `feedback`, because of `cause`."""

    message: int
    feedback: int
    reader: PersonId
    cause: Cause


class EscalationsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def note(self, told: Told, now: datetime) -> None:
        """Remember it."""
        row = {"message": told.message, "feedback": told.feedback, "reader": told.reader, "cause": told.cause.value, "at": now}
        self._work.execute(insert(escalations), row)

    def of(self, message: int) -> tuple[Told, ...]:
        """What a message tells of, in the order in which it came up; a record twice if it came up twice."""
        query = select(escalations).where(escalations.c.message == message).order_by(escalations.c.id)
        return tuple(Told(row.message, row.feedback, row.reader, Cause(row.cause)) for row in self._work.execute(query))

    def messages_about(self, feedback: int) -> Sequence[int]:
        """The messages that tell of a record, oldest first."""
        query = select(escalations.c.message).distinct().where(escalations.c.feedback == feedback).order_by(escalations.c.message)
        return self._work.execute(query).scalars().all()

    def waiting_for(self, reader: PersonId) -> int | None:
        """The message with escalations to `reader` that has not left and was never tried, locked: whoever adds to it must see what
        others added before. None when there is none."""
        ours = select(escalations.c.message).where(escalations.c.message == outbox.c.id)
        # Twice the state: the first is the condition of the index.
        due = in_state(outbox, State.DUE, State.SENDING) & in_state(outbox, State.DUE)
        waits = (outbox.c.person == reader) & due & outbox.c.payload.is_(None) & ours.exists()
        query = select(outbox.c.id).where(waits).order_by(outbox.c.id.desc()).limit(1).with_for_update()
        found: int | None = self._work.execute(query).scalar_one_or_none()
        return found

    def last_sent(self, reader: PersonId, since: datetime) -> datetime | None:
        """When the newest of those messages reached `reader`, looking no further back than `since`."""
        query = (
            select(func.max(outbox.c.sent_at))
            .join(escalations, escalations.c.message == outbox.c.id)
            .where(escalations.c.reader == reader, escalations.c.at >= since)
        )
        found: datetime | None = self._work.execute(query).scalar_one()
        return found

    def when_told(self, feedback: int, before: int) -> tuple[datetime, ...]:
        """When anybody was told of this record by messages before that one, oldest first; by what still waits, when it is to leave."""
        at = func.coalesce(outbox.c.sent_at, outbox.c.not_before, type_=UtcDateTime)
        live = outbox.c.state.in_([State.DUE.value, State.SENDING.value, State.SENT.value])
        query = (
            select(at)
            .join(escalations, escalations.c.message == outbox.c.id)
            .where(escalations.c.feedback == feedback, outbox.c.id < before, live)
        )
        return tuple(sorted(self._work.execute(query).scalars()))

    def move(self, message: int, into: int) -> None:
        """What `message` was to tell is told by another instead."""
        self._work.execute(update(escalations).where(escalations.c.message == message).values(message=into))
