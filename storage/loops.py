"""The clocks of open records. A due time is a column, found by an index; a worker takes one row at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, update

from rules.loops import Loop, LoopState, Plan, Stage, StepKind
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

    def postpone(self, loop: Loop, until: datetime) -> None:
        """Put a loop that could not be advanced aside, so that the others go on."""
        self._work.execute(update(loops).where(loops.c.feedback == loop.feedback).values(due_at=until))

    def next_due_at(self) -> datetime | None:
        """When the next step of any loop falls due; None when no clock runs."""
        due: datetime | None = self._work.execute(_NEXT_DUE_AT).scalar_one()
        return due

    def overdue(self, before: datetime) -> int:
        """How many loops should have been advanced before `before` and were not."""
        query = select(func.count()).where(in_state(loops, LoopState.WAITING), loops.c.due_at < before)
        return int(self._work.execute(query).scalar_one())


def _columns(loop: Loop) -> Mapping[str, Any]:
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
    )
