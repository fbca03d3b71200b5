"""The clocks of open records. A due time is a column, found by an index; a worker takes one row at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, func, select, update

from rules.loops import Counted, Loop, LoopState, Plan, Stage, StepKind
from rules.worktime import Counting
from storage.columns import among
from storage.conflict import Conflict
from storage.tables import in_state, loops
from storage.upsert import new_row
from storage.work import Prepared, Work

_GET = Prepared(select(loops).where(loops.c.feedback == bindparam("feedback")))
_SOME = Prepared(select(loops).where(among(loops.c.feedback, "ids")))
_APPLY = Prepared(
    update(loops).where(loops.c.feedback == bindparam("this"), loops.c.version == bindparam("read")),
    [column.key for column in loops.c if column.key != "feedback"],
)
# Built once: each tick of each process asks these.
_RUNNING = in_state(loops, LoopState.WAITING)
DUE = Prepared(
    select(loops)
    .where(_RUNNING, loops.c.due_at <= bindparam("now"))
    .order_by(loops.c.due_at)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
# Two stretches of the index instead of "another mark", for which it would be read from end to end.
_BY_MARK = (loops.c.counted_by, loops.c.feedback)
COUNTED_OTHERWISE = [
    Prepared(select(loops).where(otherwise).order_by(*_BY_MARK).limit(bindparam("at_most")).with_for_update(skip_locked=True))
    for otherwise in (loops.c.counted_by < bindparam("mark"), loops.c.counted_by > bindparam("mark"))
]
_NEXT_DUE_AT = select(func.min(loops.c.due_at)).where(_RUNNING)


class LoopsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def open(self, loop: Loop) -> None:
        """Start the clock of a record. A record has one loop for ever: Conflict is raised by the commit at the latest when it has."""
        row = {"feedback": loop.feedback, "version": 0, **_columns(loop)}
        self._work.later(new_row(loops, tuple(row)), row, untouched=Conflict(f"loop {loop.feedback}"))

    def get(self, feedback: int) -> Loop | None:
        """The loop of a record; None while it is a draft."""
        row = self._work.row(_GET, feedback=feedback)
        return loop_of(row) if row else None

    def some(self, feedback: Iterable[int]) -> Mapping[int, Loop]:
        """The loops of these records, by record; drafts are left out."""
        return {row.feedback: loop_of(row) for row in self._work.rows(_SOME, ids=list(feedback))}

    def apply(self, loop: Loop) -> None:
        """Store what a rule decided. Conflict is raised by the commit at the latest when the loop was changed since it was read."""
        row = {"this": loop.feedback, "read": loop.version, "version": loop.version + 1, **_columns(loop)}
        self._work.later(_APPLY, row, untouched=Conflict(f"loop {loop.feedback}"))

    def next_due(self, now: datetime) -> Loop | None:
        """The loop that has been due for longest, locked against other workers; None when nothing is due."""
        return next(iter(self.due(now, 1)), None)

    def due(self, now: datetime, at_most: int) -> tuple[Loop, ...]:
        """The loops that have been due for longest, the first first, locked against other workers."""
        return tuple(loop_of(row) for row in self._work.rows(DUE, now=now, at_most=at_most))

    def put_aside(self, now: datetime, until: datetime) -> None:
        """Let the loop that has been due for longest, which could not be advanced, wait, so that the others go on. It is not read:
        that may be what fails. If another worker is trying it, this waits for what comes of that."""
        first = select(loops.c.feedback).where(_RUNNING, loops.c.due_at <= now).order_by(loops.c.due_at).limit(1).with_for_update()
        this = loops.c.feedback == first.scalar_subquery()
        self._work.execute(update(loops).where(this).values(due_at=until, failed_at=now))

    def counted_otherwise(self, mark: str, at_most: int) -> tuple[Loop, ...]:
        """Loops whose due time was counted by another calendar, locked against other workers."""
        found = (row for query in COUNTED_OTHERWISE for row in self._work.rows(query, mark=mark, at_most=at_most))
        return tuple(loop_of(row) for row in islice(found, at_most))

    def leave_counted(self, mark: str, now: datetime) -> None:
        """Let the first of those, which could not be counted anew, be as it is."""
        first = select(loops.c.feedback).where(loops.c.counted_by != mark).order_by(*_BY_MARK).limit(1).with_for_update()
        this = loops.c.feedback == first.scalar_subquery()
        self._work.execute(update(loops).where(this).values(counted_by=None, failed_at=now))

    def next_due_at(self) -> datetime | None:
        """When the next step of any loop falls due; None when no clock runs."""
        due: datetime | None = self._work.execute(_NEXT_DUE_AT).scalar_one()
        return due

    def overdue(self, before: datetime) -> int:
        """How many loops should have been advanced before `before` and were not, those put aside since that failed included."""
        late = _RUNNING & (loops.c.due_at < before) & loops.c.failed_at.is_(None)
        failed = _RUNNING & loops.c.failed_at.is_not(None)
        return sum(int(self._work.execute(select(func.count()).where(these)).scalar_one()) for these in (late, failed))


def _columns(loop: Loop) -> Mapping[str, Any]:
    counted = loop.counted
    return {
        "state": loop.state.value,
        "opened_at": loop.opened_at,
        "plan": [_stage_columns(stage) for stage in loop.plan],
        "steps_taken": loop.steps_taken,
        "due_at": loop.due_at,
        "chain": list(loop.chain),
        "round": loop.round,
        "escalated_at": loop.escalated_at,
        "nudged_at": loop.nudged_at,
        "taken_at": loop.taken_at,
        "taken_by": loop.taken_by,
        "counted_from": counted.since if counted else None,
        "counted_s": counted.amount.total_seconds() if counted else None,
        "counted_by": counted.mark if counted else None,
        "failed_at": None,
    }


def _stage_columns(stage: Stage) -> Mapping[str, Any]:
    return {"after_s": stage.after.total_seconds(), "kind": stage.kind.value, "hours": stage.counting.value}


def _stage_of(kept: Mapping[str, Any]) -> Stage:
    """Plans from before there was a choice have no `hours`: they count all of them."""
    return Stage(timedelta(seconds=kept["after_s"]), StepKind(kept["kind"]), Counting(kept.get("hours", Counting.CALENDAR)))


def loop_of(row: Any) -> Loop:
    """A row of the table as the loop it stands for."""
    plan: Plan = tuple(_stage_of(stage) for stage in row.plan)
    return Loop(
        feedback=row.feedback,
        version=row.version,
        state=LoopState(row.state),
        opened_at=row.opened_at,
        plan=plan,
        steps_taken=row.steps_taken,
        due_at=row.due_at,
        chain=tuple(row.chain),
        round=row.round,
        escalated_at=row.escalated_at,
        nudged_at=row.nudged_at,
        taken_at=row.taken_at,
        taken_by=row.taken_by,
        counted=Counted(row.counted_from, timedelta(seconds=row.counted_s), row.counted_by) if row.counted_by else None,
    )
