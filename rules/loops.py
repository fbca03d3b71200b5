"""The 72-hour loop (A6): what an unanswered feedback needs next, and what the HRBP may do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.feedback import Refusal
from rules.messages import PersonId


class StepKind(StrEnum):
    REMIND = "remind"  # the subject is reminded
    ESCALATE = "escalate"  # the HRBP hears of it; a later escalate step goes to the next in the chain


class Cause(StrEnum):
    """Why the HRBP sees a loop."""

    NO_ANSWER = "no_answer"
    HRBP_SILENT = "hrbp_silent"
    SUBJECT_LEFT = "subject_left"


class CloseReason(StrEnum):
    """The reasons offered with 关闭; their words stand in the template."""

    TALKED = "talked"
    MOVED = "moved"
    MISTAKEN = "mistaken"
    OTHER = "other"


class LoopState(StrEnum):
    WAITING = "waiting"  # the clock runs
    TAKEN = "taken"  # the HRBP follows up in person; no more steps
    ENDED = "ended"  # answered, closed or withdrawn


@dataclass(frozen=True)
class Stage:
    """A step of the plan: `after` counts calendar hours from the moment the loop opened."""

    after: timedelta
    kind: StepKind


Plan = tuple[Stage, ...]


@dataclass(frozen=True)
class Loop:
    """The clock of one open record.

    `plan` was copied from the policy when the loop opened (earliest stage first), so that a changed policy does not move a running
    loop. `steps_taken` stages are behind us; `due_at` is when the next one falls due, None when none is left or the clock stands.
    `chain` is who hears of it, in order: the subject's HRBP, then upwards. `round` grows with every extension. `settled_by` is the
    person who took it over.
    """

    feedback: int
    version: int
    state: LoopState
    opened_at: datetime
    plan: Plan
    steps_taken: int
    due_at: datetime | None
    chain: tuple[PersonId, ...]
    round: int = 0
    escalated_at: datetime | None = None
    nudged_at: datetime | None = None
    taken_at: datetime | None = None
    taken_by: PersonId | None = None


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until` (None: never again by itself)."""

    until: datetime | None


@dataclass(frozen=True)
class Step:
    """The stage that is due, who it goes to (None: the subject), and the loop after it."""

    kind: StepKind
    to: PersonId | None
    cause: Cause
    loop: Loop


@dataclass(frozen=True)
class Allowed:
    """The HRBP's action is right: the loop after it."""

    loop: Loop


@dataclass(frozen=True)
class NotAllowed:
    """A correct no; nothing changes."""

    reason: Refusal


NUDGE_PAUSE = timedelta(minutes=30)


def open_loop(feedback: int, opened_at: datetime, plan: Plan, chain: tuple[PersonId, ...]) -> Loop:
    """Start the clock on submission. `plan` is in order of `after`."""
    due = opened_at + plan[0].after if plan else None
    return Loop(feedback, 0, LoopState.WAITING, opened_at, plan, 0, due, chain)


def next_step(loop: Loop, now: datetime) -> Step | Wait:
    """Decide what the loop needs at `now`: at the exact due time it is due, never before.

    After an outage several stages may be behind: only the last of them is taken (its reminder would say it all), the others
    are counted as taken. An escalation is never swallowed by a reminder, because it stands later in the plan.
    Source: product A6.
    """
    if loop.state is not LoopState.WAITING or loop.due_at is None:
        return Wait(None)
    if now < loop.due_at:
        return Wait(loop.due_at)
    index = _last_due(loop, now)
    return _step(loop, index, now)


def hand_to_hrbp(loop: Loop, now: datetime) -> Step | Wait:
    """The subject has left: the HRBP hears of it now instead of at the next stage (A9)."""
    first = next((i for i, stage in enumerate(loop.plan) if stage.kind is StepKind.ESCALATE), None)
    if loop.state is not LoopState.WAITING or first is None or loop.escalated_at is not None:
        return Wait(loop.due_at)
    step = _step(loop, first, now)
    return replace(step, cause=Cause.SUBJECT_LEFT)


def end(loop: Loop) -> Loop:
    """Stop the clock for good: the record was answered, closed or withdrawn."""
    return replace(loop, state=LoopState.ENDED, due_at=None)


def nudge(loop: Loop, by: PersonId, now: datetime) -> Allowed | NotAllowed:
    """催办: remind the subject again, at most once in half an hour."""
    refusal = _may_act(loop, by)
    if refusal:
        return NotAllowed(refusal)
    if loop.nudged_at is not None and now < loop.nudged_at + NUDGE_PAUSE:
        return NotAllowed(Refusal.NUDGED_JUST_NOW)
    return Allowed(replace(loop, nudged_at=now))


def take_over(loop: Loop, by: PersonId, now: datetime) -> Allowed | NotAllowed:
    """我来跟进: the clock stands, the subject may still answer, the HRBP closes it when done."""
    refusal = _may_act(loop, by)
    if refusal:
        return NotAllowed(refusal)
    if loop.state is LoopState.TAKEN:
        return NotAllowed(Refusal.ALREADY_SETTLED)
    return Allowed(replace(loop, state=LoopState.TAKEN, due_at=None, taken_at=now, taken_by=by))


def extend(loop: Loop, by: PersonId, now: datetime, more: timedelta) -> Allowed | NotAllowed:
    """延期: the subject has `more` time from now; then the first escalation comes again."""
    refusal = _may_act(loop, by)
    if refusal:
        return NotAllowed(refusal)
    first = next(i for i, stage in enumerate(loop.plan) if stage.kind is StepKind.ESCALATE)
    again = replace(
        loop,
        state=LoopState.WAITING,
        steps_taken=first,
        due_at=now + more,
        round=loop.round + 1,
        escalated_at=None,
        taken_at=None,
        taken_by=None,
    )
    return Allowed(again)


def may_close(loop: Loop, by: PersonId) -> Refusal | None:
    """None when `by` may close this loop's record."""
    return _may_act(loop, by)


def _may_act(loop: Loop, by: PersonId) -> Refusal | None:
    if by not in loop.chain:
        return Refusal.NOT_YOURS
    return Refusal.ALREADY_SETTLED if loop.state is LoopState.ENDED else None


def _last_due(loop: Loop, now: datetime) -> int:
    """Index of the latest stage that is due at `now`; `due_at` of the next stage is law, later ones count from it."""
    index = loop.steps_taken
    due = loop.due_at
    while due is not None and index + 1 < len(loop.plan):
        due = _due_of(loop, index + 1, due, index)
        if now < due or loop.plan[index].kind is StepKind.ESCALATE:
            break
        index += 1
    return index


def _due_of(loop: Loop, index: int, previous_due: datetime, previous: int) -> datetime:
    """A stage is as far from the stage before it as the plan says, so that an extension moves all that follows."""
    return previous_due + (loop.plan[index].after - loop.plan[previous].after)


def _step(loop: Loop, index: int, now: datetime) -> Step:
    stage = loop.plan[index]
    base = loop.due_at if index == loop.steps_taken and loop.due_at else now
    behind = index - loop.steps_taken
    if behind > 0 and loop.due_at is not None:
        base = loop.due_at + (stage.after - loop.plan[loop.steps_taken].after)
    next_due = _due_of(loop, index + 1, base, index) if index + 1 < len(loop.plan) else None
    after = replace(loop, steps_taken=index + 1, due_at=next_due)
    if stage.kind is StepKind.REMIND:
        return Step(StepKind.REMIND, None, Cause.NO_ANSWER, after)
    level = sum(1 for earlier in loop.plan[:index] if earlier.kind is StepKind.ESCALATE)
    cause = Cause.NO_ANSWER if level == 0 else Cause.HRBP_SILENT
    to = loop.chain[min(level, len(loop.chain) - 1)] if loop.chain else None
    return Step(StepKind.ESCALATE, to, cause, replace(after, escalated_at=loop.escalated_at or now))
