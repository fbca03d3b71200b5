"""Drafts that an endpoint may be asked about. A row is a question not asked yet; whoever takes it asks once, whatever comes of it:
a hint that never comes is missed by nobody."""

from __future__ import annotations

from sqlalchemy import delete, select

from storage.tables import hints
from storage.upsert import insert_new
from storage.work import Work


class HintsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def want(self, feedback: int) -> None:
        """Somebody may look at this draft. Wanting it twice is wanting it once."""
        insert_new(self._work, hints, {"feedback": feedback})

    def take_next(self) -> int | None:
        """The draft that waits longest, taken from the queue; None when none waits."""
        oldest = select(hints.c.feedback).order_by(hints.c.feedback).limit(1).with_for_update(skip_locked=True)
        feedback = self._work.execute(oldest).scalar_one_or_none()
        if feedback is not None:
            self._work.execute(delete(hints).where(hints.c.feedback == feedback))
        return feedback
