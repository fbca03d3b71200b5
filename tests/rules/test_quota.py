"""What a supervisor owes: holidays and absences shorten it; whom a nudge offers."""

from __future__ import annotations

from datetime import date

import pytest

from rules.away import Away
from rules.quota import Standing, owed, whom_to_offer
from rules.weeks import Week
from rules.worktime import Calendar
from tests.builders import at

WEEK = Week(2026, 38)  # from Monday, 14 September


def with_workdays(count: int) -> Calendar:
    return Calendar(holidays=frozenset(date(2026, 9, 14 + n) for n in range(count, 5)))


@pytest.mark.parametrize(("days", "two", "three"), [(5, 2, 3), (4, 2, 2), (3, 1, 2), (2, 1, 1), (1, 0, 1), (0, 0, 0)])
def test_holidays_shorten_what_is_owed(days: int, two: int, three: int) -> None:
    assert owed(2, WEEK, with_workdays(days)) == two
    assert owed(3, WEEK, with_workdays(days)) == three


def test_a_make_up_day_adds_nothing() -> None:
    assert owed(2, WEEK, Calendar(makeup=frozenset({date(2026, 9, 19), date(2026, 9, 20)}))) == 2


def test_days_on_which_somebody_stands_in_are_not_owed() -> None:
    three_days = Away(1, None, 2, at("2026-09-14 00:00"), at("2026-09-17 00:00"))
    all_week = Away(1, None, 2, at("2026-09-11 00:00"), at("2026-09-21 00:00"))
    from_noon = Away(1, None, 2, at("2026-09-18 12:00"), at("2026-09-19 00:00"))

    assert owed(2, WEEK, Calendar(), three_days) == 1
    assert owed(2, WEEK, Calendar(), all_week) == 0
    assert owed(2, WEEK, Calendar(), from_noon) == 2
    assert owed(2, WEEK, Calendar(), Away(1)) == 2


def test_too_many_are_not_a_debt_of_the_other_side() -> None:
    assert Standing(2, 5).missing == 0
    assert Standing(2, 1).missing == 1


def test_those_never_mentioned_come_first_then_the_longest_ago() -> None:
    last = {11: at("2026-09-01 10:00"), 12: at("2026-08-01 10:00")}

    assert whom_to_offer([11, 12, 13, 14], last) == (13, 14, 12)
    assert whom_to_offer([11, 12], last) == (12, 11)
    assert whom_to_offer([], {}) == ()
