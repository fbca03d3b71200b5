"""The 72-hour loop against literal times, and against an oracle that knows nothing of how the rule is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import loops
from rules.feedback import Refusal
from rules.loops import Allowed, Cause, Loop, LoopState, NotAllowed, Stage, Step, StepKind, Wait
from rules.weeks import SHANGHAI
from rules.worktime import WEEKENDS_ONLY, Calendar, Counting

OPENED = datetime(2026, 9, 12, 6, 23, tzinfo=UTC)  # 14:23 in Shanghai
SECOND = timedelta(seconds=1)
HRBP, HEAD, STRANGER = 7, 8, 9


def hours(count: float) -> datetime:
    return OPENED + timedelta(hours=count)


PLAN = (
    Stage(timedelta(hours=24), StepKind.REMIND),
    Stage(timedelta(hours=48), StepKind.REMIND),
    Stage(timedelta(hours=72), StepKind.ESCALATE),
    Stage(timedelta(hours=96), StepKind.ESCALATE),
)


def a_loop(steps_taken: int = 0) -> Loop:
    loop = loops.open_loop(118, OPENED, PLAN, (HRBP, HEAD), WEEKENDS_ONLY)
    return replace(loop, steps_taken=steps_taken, due_at=OPENED + PLAN[steps_taken].after)


def test_nothing_happens_a_second_before_a_step_is_due() -> None:
    assert loops.next_step(a_loop(), hours(24) - SECOND, WEEKENDS_ONLY) == Wait(hours(24))
    assert loops.next_step(a_loop(2), hours(72) - SECOND, WEEKENDS_ONLY) == Wait(hours(72))


def test_at_the_exact_due_time_the_subject_is_reminded() -> None:
    step = loops.next_step(a_loop(), hours(24), WEEKENDS_ONLY)

    assert isinstance(step, Step)
    assert (step.kind, step.to) == (StepKind.REMIND, None)
    assert step.loop.due_at == hours(48)


def test_at_72_hours_the_hrbp_hears_of_it_and_24_hours_later_the_next_in_the_chain() -> None:
    first = loops.next_step(a_loop(2), hours(72), WEEKENDS_ONLY)
    assert isinstance(first, Step)
    second = loops.next_step(first.loop, hours(96), WEEKENDS_ONLY)
    assert isinstance(second, Step)

    assert (first.kind, first.to, first.cause) == (StepKind.ESCALATE, HRBP, Cause.NO_ANSWER)
    assert (second.kind, second.to, second.cause) == (StepKind.ESCALATE, HEAD, Cause.HRBP_SILENT)
    assert second.loop.due_at is None


def test_after_an_outage_of_two_days_one_reminder_is_sent_instead_of_two() -> None:
    step = loops.next_step(a_loop(), hours(60), WEEKENDS_ONLY)

    assert isinstance(step, Step)
    assert step.kind is StepKind.REMIND
    assert (step.loop.steps_taken, step.loop.due_at) == (2, hours(72))


def test_after_an_outage_past_72_hours_the_hrbp_hears_of_it_and_no_reminder_is_sent() -> None:
    step = loops.next_step(a_loop(), hours(80), WEEKENDS_ONLY)

    assert isinstance(step, Step)
    assert (step.kind, step.to) == (StepKind.ESCALATE, HRBP)


def test_an_hrbp_who_heard_of_it_late_has_a_whole_day_before_the_next_one_does() -> None:
    step = loops.next_step(a_loop(), hours(120), WEEKENDS_ONLY)

    assert isinstance(step, Step)
    assert step.to == HRBP
    assert step.loop.due_at == hours(144)


def test_an_ended_or_taken_loop_needs_nothing_ever_again() -> None:
    taken = loops.take_over(a_loop(3), HRBP, hours(73))
    assert isinstance(taken, Allowed)

    assert loops.next_step(loops.end(a_loop()), hours(1000), WEEKENDS_ONLY) == Wait(None)
    assert loops.next_step(taken.loop, hours(1000), WEEKENDS_ONLY) == Wait(None)


def test_an_extension_gives_the_subject_more_time_and_then_the_first_hrbp_hears_of_it_again() -> None:
    escalated = loops.next_step(a_loop(2), hours(72), WEEKENDS_ONLY)
    assert isinstance(escalated, Step)
    extended = loops.extend(escalated.loop, HRBP, hours(75), timedelta(hours=24), WEEKENDS_ONLY)
    assert isinstance(extended, Allowed)

    assert loops.next_step(extended.loop, hours(99) - SECOND, WEEKENDS_ONLY) == Wait(hours(99))
    again = loops.next_step(extended.loop, hours(99), WEEKENDS_ONLY)
    assert isinstance(again, Step)
    assert (again.to, again.cause, again.loop.round) == (HRBP, Cause.NO_ANSWER, 1)


def test_only_the_chain_may_act_on_a_loop() -> None:
    for act in (
        loops.nudge(a_loop(3), STRANGER, hours(73)),
        loops.take_over(a_loop(3), STRANGER, hours(73)),
        loops.extend(a_loop(3), STRANGER, hours(73), timedelta(hours=24), WEEKENDS_ONLY),
    ):
        assert act == NotAllowed(Refusal.NOT_YOURS)
    assert loops.may_close(a_loop(3), STRANGER) is Refusal.NOT_YOURS
    assert loops.may_close(a_loop(3), HEAD) is None


def test_a_second_nudge_within_half_an_hour_is_refused() -> None:
    nudged = loops.nudge(a_loop(3), HRBP, hours(73))
    assert isinstance(nudged, Allowed)

    assert loops.nudge(nudged.loop, HEAD, hours(73.4)) == NotAllowed(Refusal.NUDGED_JUST_NOW)
    assert isinstance(loops.nudge(nudged.loop, HEAD, hours(73.5)), Allowed)


def test_when_the_subject_leaves_the_hrbp_hears_of_it_at_once_and_only_once() -> None:
    step = loops.hand_to_hrbp(a_loop(1), hours(30), WEEKENDS_ONLY)
    assert isinstance(step, Step)

    assert (step.to, step.cause) == (HRBP, Cause.SUBJECT_LEFT)
    assert isinstance(loops.hand_to_hrbp(step.loop, hours(31), WEEKENDS_ONLY), Wait)


@pytest.mark.parametrize("act", [loops.nudge, loops.take_over])
def test_nothing_can_be_done_about_an_ended_loop(act) -> None:  # type: ignore[no-untyped-def]
    assert act(loops.end(a_loop(3)), HRBP, hours(80)) == NotAllowed(Refusal.ALREADY_SETTLED)


# -- by working hours --------------------------------------------------------------------------------------------------------------

NATIONAL_DAY = Calendar(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 8)), makeup=frozenset({date(2026, 10, 10)}), years=frozenset({2026})
)
WORKING = tuple(replace(stage, after=stage.after * 9 / 24, counting=Counting.WORKING) for stage in PLAN)  # 1, 2, 3 and 4 days of work


def at(text: str) -> datetime:
    """A local time of Shanghai as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def test_by_working_hours_the_stages_wait_for_the_holiday_to_end_and_count_the_make_up_saturday() -> None:
    loop, due = loops.open_loop(1, at("2026-09-30 15:00"), WORKING, (HRBP, HEAD), NATIONAL_DAY), []
    while loop.due_at is not None:
        due.append(loop.due_at)
        step = loops.next_step(loop, loop.due_at, NATIONAL_DAY)
        assert isinstance(step, Step)
        loop = step.loop

    assert due == [at("2026-10-08 15:00"), at("2026-10-09 15:00"), at("2026-10-10 15:00"), at("2026-10-12 15:00")]


def test_by_working_hours_an_extension_does_not_end_on_a_holiday() -> None:
    loop = loops.open_loop(1, at("2026-09-25 15:00"), WORKING, (HRBP,), NATIONAL_DAY)

    extended = loops.extend(loop, HRBP, at("2026-09-30 16:00"), timedelta(hours=24), NATIONAL_DAY)

    assert isinstance(extended, Allowed)
    assert extended.loop.due_at == at("2026-10-10 13:00")  # 2 + 9 + 9 + 4 hours


LONGER = replace(NATIONAL_DAY, holidays=NATIONAL_DAY.holidays | {date(2026, 9, 28), date(2026, 10, 8)})


def test_a_changed_calendar_moves_the_stage_ahead_and_by_it_those_that_follow() -> None:
    opened = loops.open_loop(1, at("2026-09-25 15:00"), WORKING, (HRBP, HEAD), NATIONAL_DAY)
    reminded = loops.next_step(opened, at("2026-09-28 15:00"), NATIONAL_DAY)
    assert isinstance(reminded, Step)

    again = loops.recount(reminded.loop, LONGER)

    assert (opened.due_at, reminded.loop.due_at) == (at("2026-09-28 15:00"), at("2026-09-29 15:00"))
    assert again.due_at == at("2026-09-29 18:00"), "what was taken on the 28th stays taken; nine hours from there, which nobody worked"
    assert (again.steps_taken, again.plan) == (1, WORKING)
    assert loops.recount(again, NATIONAL_DAY) == reminded.loop, "and back again"


def test_a_changed_calendar_moves_an_extension() -> None:
    loop = loops.open_loop(1, at("2026-09-25 15:00"), WORKING, (HRBP,), NATIONAL_DAY)
    extended = loops.extend(loop, HRBP, at("2026-09-30 16:00"), timedelta(hours=24), NATIONAL_DAY)
    assert isinstance(extended, Allowed)

    assert loops.recount(extended.loop, LONGER).due_at == at("2026-10-12 13:00")  # 2 + 9 + 9 + 4 hours


def test_where_every_hour_counts_and_where_nothing_is_due_no_calendar_matters() -> None:
    working = loops.open_loop(1, at("2026-09-25 15:00"), WORKING, (HRBP,), NATIONAL_DAY)

    assert a_loop().counted is None
    assert working.counted is not None
    assert loops.end(working).counted is None


def test_the_card_says_when_the_hrbp_will_hear_of_it_at_every_stage() -> None:
    loop = a_loop()
    reminded = loops.next_step(loop, hours(24), WEEKENDS_ONLY)
    assert isinstance(reminded, Step)

    assert loops.escalates_at(loop, WEEKENDS_ONLY) == loops.escalates_at(reminded.loop, WEEKENDS_ONLY) == hours(72)
    assert loops.escalates_at(a_loop(3), WEEKENDS_ONLY) == hours(96)
    assert loops.escalates_at(loops.end(loop), WEEKENDS_ONLY) is None


def test_what_falls_due_in_a_year_that_is_not_published_is_provisional_by_working_hours_only() -> None:
    working = loops.open_loop(1, at("2026-12-31 15:00"), WORKING, (HRBP,), NATIONAL_DAY)
    calendar = loops.open_loop(1, at("2026-12-31 15:00"), PLAN, (HRBP,), NATIONAL_DAY)
    new_year = at("2027-01-05 15:00")

    assert loops.is_provisional(working, new_year, NATIONAL_DAY)
    assert not loops.is_provisional(working, at("2026-12-31 17:00"), NATIONAL_DAY)
    assert not loops.is_provisional(calendar, new_year, NATIONAL_DAY)


# -- the oracle: what must have been sent when, recomputed from the plan's words -----------------------------------------------------

PLANS = st.tuples(st.integers(0, 3), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(st.integers(1, 200), min_size=sum(shape), max_size=sum(shape), unique=True).map(
        lambda marks: tuple(
            Stage(timedelta(hours=h), StepKind.REMIND if n < shape[0] else StepKind.ESCALATE) for n, h in enumerate(sorted(marks))
        )
    )
)


@dataclass
class Oracle:
    """Keeps the due times of the stages still ahead, as minutes, and crosses them off."""

    plan: tuple[Stage, ...]
    ahead: list[tuple[int, StepKind]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ahead = [(int(stage.after.total_seconds() // 60), stage.kind) for stage in self.plan]

    def tick(self, minute: int) -> StepKind | None:
        due = [stage for stage in self.ahead if stage[0] <= minute]
        if not due:
            return None
        escalations = [stage for stage in due if stage[1] is StepKind.ESCALATE]
        taken = escalations[0] if escalations else due[-1]
        rest = self.ahead[self.ahead.index(taken) + 1 :]
        late = minute - taken[0] if taken[1] is StepKind.ESCALATE and minute - taken[0] > 10 else 0
        self.ahead = [(at + late, kind) for at, kind in rest]
        return taken[1]


@given(plan=PLANS, pauses=st.lists(st.integers(0, 6000), max_size=40))
def test_whatever_the_plan_and_however_the_clock_jumps_the_steps_are_those_of_the_oracle(
    plan: tuple[Stage, ...], pauses: list[int]
) -> None:
    loop, oracle, minute = loops.open_loop(1, OPENED, plan, (HRBP,), WEEKENDS_ONLY), Oracle(plan), 0
    for pause in pauses:
        minute += pause
        step = loops.next_step(loop, OPENED + timedelta(minutes=minute), WEEKENDS_ONLY)
        expected = oracle.tick(minute)

        assert (step.kind if isinstance(step, Step) else None) == expected
        if isinstance(step, Step):
            assert loop.due_at is not None
            assert loop.due_at <= OPENED + timedelta(minutes=minute), "never early"
            loop = step.loop
    assert loop.state is LoopState.WAITING
