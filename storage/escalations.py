"""Who was told of which unanswered record, in which message: one message may tell of several."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update

from rules.loops import Cause
from rules.messages import PersonId
from storage.columns import UtcDateTime, among
from storage.outbox import State
from storage.tables import escalations, in_state, outbox
from storage.work import Prepared, Work


@dataclass(frozen=True)
class Told:
    """`reader` is told in `message` (a row of the outbox) of the record `feedback`, because of `cause`."""

    message: int
    feedback: int
    reader: PersonId
    cause: Cause


_NOTE = Prepared(insert(escalations), ("message", "feedback", "reader", "cause", "at"))
_OF = Prepared(select(escalations).where(escalations.c.message == bindparam("message")).order_by(escalations.c.id))
WAITS = Prepared(
    select(outbox.c.id, outbox.c.person)
    .where(
        among(outbox.c.person, "readers"),
        in_state(outbox, State.DUE, State.SENDING),  # the condition of the index
        in_state(outbox, State.DUE),
        outbox.c.payload.is_(None),
        select(escalations.c.message).where(escalations.c.message == outbox.c.id).exists(),
    )
    .order_by(outbox.c.id)
    .with_for_update()
)


class EscalationsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def note(self, told: Told, now: datetime) -> None:
        """Remember it."""
        row = {"message": told.message, "feedback": told.feedback, "reader": told.reader, "cause": told.cause.value, "at": now}
        self._work.later(_NOTE, row)

    def of(self, message: int) -> tuple[Told, ...]:
        """What a message tells of, in the order in which it came up; a record twice if it came up twice."""
        return tuple(Told(row.message, row.feedback, row.reader, Cause(row.cause)) for row in self._work.rows(_OF, message=message))

    def messages_about(self, feedback: int) -> Sequence[int]:
        """The messages that tell of a record, oldest first."""
        query = select(escalations.c.message).distinct().where(escalations.c.feedback == feedback).order_by(escalations.c.message)
        return self._work.execute(query).scalars().all()

    def waiting_for(self, readers: Collection[PersonId]) -> Mapping[PersonId, int]:
        """Reader → the newest message with escalations to him that has not left and was never tried. They are locked, as whoever adds
        to one must see what others added before, and in order of their ids, as everybody locks messages: nobody waits in a circle."""
        return {row.person: row.id for row in self._work.rows(WAITS, readers=list(readers))}

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
