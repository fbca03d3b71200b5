"""The 72-hour loop (A6): what an unanswered feedback needs next, and what the HRBP may do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.events import Account, Platform
from rules.feedback import Refusal
from rules.messages import GroupChat, PersonId
from rules.worktime import Calendar, Counting


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
    """A step of the plan: due `after` so many hours, of those that count, since the loop opened."""

    after: timedelta
    kind: StepKind
    counting: Counting = Counting.CALENDAR


Plan = tuple[Stage, ...]


@dataclass(frozen=True)
class Counted:
    """Where a due time in working hours comes from: so much work after `since`, by the calendar with this mark."""

    since: datetime
    amount: timedelta
    mark: str


@dataclass(frozen=True)
class Loop:
    """The clock of one open record.

    `plan` was copied from the policy when the loop opened (earliest stage first), so that a changed policy does not move a running
    loop. `steps_taken` stages are behind us; `due_at` is when the next one falls due, None when none is left or the clock stands.
    `chain` is who hears of it, in order: the subject's HRBP, then upwards. `round` grows with every extension. `taken_by` is the
    HRBP who follows up in person. `counted` says how `due_at` came about where it depends on the calendar; None where every hour
    counts.
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
    counted: Counted | None = None


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
_LATE = timedelta(minutes=10)


def open_loop(feedback: int, opened_at: datetime, plan: Plan, chain: tuple[PersonId, ...], calendar: Calendar) -> Loop:
    """Start the clock on submission. `plan` is in order of `after`."""
    loop = Loop(feedback, 0, LoopState.WAITING, opened_at, plan, 0, None, chain)
    return _wait(loop, opened_at, plan[0].after, calendar) if plan else loop


def next_step(loop: Loop, now: datetime, calendar: Calendar) -> Step | Wait:
    """Decide what the loop needs at `now`: at the exact due time it is due, never before.

    After an outage several stages may be behind: of reminders only the last is sent, since it says it all, and none when the
    escalation is due as well. Source: product A6.
    """
    if loop.state is not LoopState.WAITING or loop.due_at is None:
        return Wait(None)
    if now < loop.due_at:
        return Wait(loop.due_at)
    index, due = _latest_due(loop, loop.due_at, now, calendar)
    return _step(loop, index, due, now, calendar)


def hand_to_hrbp(loop: Loop, now: datetime, calendar: Calendar) -> Step | Wait:
    """The subject has left: the HRBP hears of it now instead of at the next stage (A9)."""
    first = next((i for i, stage in enumerate(loop.plan) if stage.kind is StepKind.ESCALATE), None)
    if loop.state is not LoopState.WAITING or first is None or loop.escalated_at is not None:
        return Wait(loop.due_at)
    return replace(_step(loop, first, now, now, calendar), cause=Cause.SUBJECT_LEFT)


def escalates_at(loop: Loop, calendar: Calendar) -> datetime | None:
    """When the next escalation falls due if nobody answers, as far as is known now; None when none is ahead."""
    index, due = loop.steps_taken, loop.due_at
    while due is not None and loop.plan[index].kind is StepKind.REMIND and index + 1 < len(loop.plan):
        index, due = index + 1, _following(loop.plan, index, due, calendar)
    return due if due is not None and loop.plan[index].kind is StepKind.ESCALATE else None


def is_provisional(loop: Loop, until: datetime, calendar: Calendar) -> bool:
    """Whether what was said to fall due at `until` rests on a year whose holidays nobody knows yet (“暂按周末规则”)."""
    counts_work = any(stage.counting is Counting.WORKING for stage in loop.plan)
    return counts_work and calendar.provisional(loop.opened_at, until)


def recount(loop: Loop, calendar: Calendar) -> Loop:
    """The same wait by the calendar as it is known now: a year was published, or the company changed its days. What was sent stays
    sent; what falls due in the past by this is late like anything else."""
    assert loop.counted is not None, "every hour counts"
    return _wait(loop, loop.counted.since, loop.counted.amount, calendar)


def worth_a_change(to: Account | GroupChat | None) -> bool:
    """Whether a card that was sent is changed because the time on it is another now. WeCom changes a card once per code (wecom.md §7),
    which is kept for the answer; the next reminder tells."""
    return to is None or to.platform != Platform.WECOM


def end(loop: Loop) -> Loop:
    """Stop the clock for good: the record was answered, closed or withdrawn."""
    return replace(loop, state=LoopState.ENDED, due_at=None, counted=None)


def nudge(loop: Loop, by: PersonId, now: datetime, author: PersonId | None = None) -> Allowed | NotAllowed:
    """催办: remind the subject again, at most once in half an hour. The feedback's `author` may do so too."""
    refusal = _may_act(loop, by, author)
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
    return Allowed(replace(loop, state=LoopState.TAKEN, due_at=None, counted=None, taken_at=now, taken_by=by))


def extend(loop: Loop, by: PersonId, now: datetime, more: timedelta, calendar: Calendar) -> Allowed | NotAllowed:
    """延期: the subject has `more` time from now, in hours that count; then the first escalation comes again."""
    refusal = _may_act(loop, by)
    if refusal:
        return NotAllowed(refusal)
    first = next(i for i, stage in enumerate(loop.plan) if stage.kind is StepKind.ESCALATE)
    again = replace(
        loop,
        state=LoopState.WAITING,
        steps_taken=first,
        round=loop.round + 1,
        escalated_at=None,
        taken_at=None,
        taken_by=None,
    )
    return Allowed(_wait(again, now, more, calendar))


def may_close(loop: Loop, by: PersonId) -> Refusal | None:
    """None when `by` may close this loop's record."""
    return _may_act(loop, by)


def _may_act(loop: Loop, by: PersonId, author: PersonId | None = None) -> Refusal | None:
    if by not in (*loop.chain, loop.taken_by, author):
        return Refusal.NOT_YOURS
    return Refusal.ALREADY_SETTLED if loop.state is LoopState.ENDED else None


def _latest_due(loop: Loop, due: datetime, now: datetime, calendar: Calendar) -> tuple[int, datetime]:
    """The stage to take at `now`, and when it fell due; `due` is when the next one did."""
    index = loop.steps_taken
    while loop.plan[index].kind is StepKind.REMIND and index + 1 < len(loop.plan):
        later = _following(loop.plan, index, due, calendar)
        if now < later:
            break
        index, due = index + 1, later
    return index, due


def _step(loop: Loop, index: int, due: datetime, now: datetime, calendar: Calendar) -> Step:
    stage = loop.plan[index]
    escalates = stage.kind is StepKind.ESCALATE
    # Whoever heard of it late still has the whole time before the next in the chain does.
    heard = now if escalates and now - due > _LATE else due
    after = replace(loop, steps_taken=index + 1, due_at=None, counted=None)
    if index + 1 < len(loop.plan):
        after = _wait(after, heard, _between(loop.plan, index), calendar)
    if not escalates:
        return Step(StepKind.REMIND, None, Cause.NO_ANSWER, after)
    level = sum(1 for earlier in loop.plan[:index] if earlier.kind is StepKind.ESCALATE)
    cause = Cause.NO_ANSWER if level == 0 else Cause.HRBP_SILENT
    to = loop.chain[min(level, len(loop.chain) - 1)] if loop.chain else None
    return Step(StepKind.ESCALATE, to, cause, replace(after, escalated_at=loop.escalated_at or now))


def _following(plan: Plan, index: int, due: datetime, calendar: Calendar) -> datetime:
    """When the stage after `index`, which fell due at `due`, does: stages count from each other, so that an extension moves all that
    follow."""
    return calendar.after(due, _between(plan, index), plan[index + 1].counting)


def _between(plan: Plan, index: int) -> timedelta:
    return plan[index + 1].after - plan[index].after


def _wait(loop: Loop, since: datetime, amount: timedelta, calendar: Calendar) -> Loop:
    """The loop with its next stage due so much later than `since`, in the hours that count for it."""
    counting = loop.plan[loop.steps_taken].counting
    counted = Counted(since, amount, calendar.mark) if counting is Counting.WORKING else None
    return replace(loop, due_at=calendar.after(since, amount, counting), counted=counted)
