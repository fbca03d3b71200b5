"""The simulation of `bench/clock.py`, small: on both databases, and with a bot that is wrong on purpose, so that it is known to see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench import clock, clock_oracle
from bench.clock import CALENDAR, run_company
from rules import loops
from rules.loops import Loop, Step, Wait
from rules.worktime import Calendar, Counting
from tests.builders import at


def test_two_years_of_a_company_are_as_the_oracle_has_them(database_url: str) -> None:
    kind = "sqlite" if database_url.startswith("sqlite") else database_url

    verdict = run_company(seed=11, count=40, url=kind)

    assert (verdict.lost, verdict.early, verdict.duplicates, verdict.oracle_mismatches) == (0, 0, 0, 0)
    assert verdict.steps > 20, "something was to be sent"
    assert verdict.crashes > 0, "something went wrong on the way"
    assert max(verdict.late) <= clock.TICK + 1


def test_a_bot_that_is_a_minute_early_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = loops.open_loop

    def hasty(*arguments: object) -> Loop:
        loop = opened(*arguments)  # type: ignore[arg-type]  # passed on
        assert loop.due_at is not None
        return Loop(**{**vars(loop), "due_at": loop.due_at - timedelta(minutes=1)})

    monkeypatch.setattr(loops, "open_loop", hasty)

    assert run_company(seed=11, count=30).early > 0


def test_a_bot_that_forgets_a_stage_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    decided = loops.next_step

    def forgetful(loop: Loop, *rest: object) -> Step | Wait:
        step = decided(loop, *rest)  # type: ignore[arg-type]  # passed on
        skips = isinstance(step, Step) and step.loop.steps_taken == len(loop.plan) - 1
        return Step(step.kind, step.to, step.cause, loops.end(step.loop)) if skips and isinstance(step, Step) else step

    monkeypatch.setattr(loops, "next_step", forgetful)

    assert run_company(seed=11, count=30).lost > 0


def test_a_bot_that_does_not_know_the_holidays_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "BY_WORK", 1.0)
    monkeypatch.setattr(clock, "CALENDAR", Calendar())

    assert run_company(seed=12, count=60).oracle_mismatches > 0


def test_a_bot_that_does_not_hear_of_a_changed_calendar_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "BY_WORK", 1.0)
    monkeypatch.setattr("handlers.loops.recount_some", lambda ctx, at_most: 0)

    assert run_company(seed=6, count=60).oracle_mismatches > 0


@pytest.mark.parametrize(
    "start", ["2026-02-13 17:59", "2026-02-14 18:00", "2026-09-30 09:00", "2026-10-03 12:00", "2026-10-10 08:59", "2027-10-01 10:00"]
)
@pytest.mark.parametrize("hours", [1, 9, 10, 27, 72, 100])
def test_oracle_and_bot_count_working_hours_alike(start: str, hours: int) -> None:
    begun = at(start)

    counted = CALENDAR.after(begun, timedelta(hours=hours), Counting.WORKING)

    assert clock_oracle.after(int(begun.timestamp()), hours, working=True) == int(counted.timestamp())
