"""Holds and stand-ins begin and end to the second, by themselves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from rules import away
from rules.away import LONGEST_HOLD, Away
from rules.weeks import SHANGHAI

NOON = datetime(2026, 9, 14, 3, 0, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)


def test_reminders_are_held_until_and_not_at_the_moment_asked_for() -> None:
    held = away.hold(Away(1), NOON + timedelta(hours=2), NOON)

    assert away.held(held, NOON + timedelta(hours=2) - A_SECOND) is not None
    assert away.held(held, NOON + timedelta(hours=2)) is None


def test_nobody_holds_his_reminders_for_longer_than_a_week() -> None:
    assert away.hold(Away(1), NOON + timedelta(days=300), NOON).held_until == NOON + LONGEST_HOLD


def test_a_stand_in_stands_in_from_the_first_moment_to_before_the_last() -> None:
    asked = away.appoint(Away(1), 2, NOON, NOON + timedelta(days=3))

    assert away.stand_in(asked, NOON - A_SECOND) is None
    assert away.stand_in(asked, NOON) == 2
    assert away.stand_in(asked, NOON + timedelta(days=3)) is None
    assert away.stand_in(away.back(asked), NOON) is None
    assert away.stand_in(None, NOON) is None


def test_a_stand_in_acts_for_himself_and_for_those_who_are_away() -> None:
    absent = {1: away.appoint(Away(1), 2, NOON, NOON + timedelta(days=3))}

    assert away.acting_for(2, absent, NOON) == {1, 2}
    assert away.acting_for(1, absent, NOON) == {1}
    assert away.acting_for(2, absent, NOON + timedelta(days=3)) == {2}


@pytest.mark.parametrize(
    ("day", "length", "begins_then", "begins", "ends"),
    [
        (None, None, False, "2026-09-14 11:00", "2026-09-21 00:00"),  # nobody says: a week
        (None, timedelta(days=3), True, "2026-09-14 11:00", "2026-09-17 00:00"),  # 请假三天: today counts
        (None, timedelta(hours=4), True, "2026-09-14 11:00", "2026-09-15 00:00"),  # at least the day
        (date(2026, 9, 18), None, False, "2026-09-14 11:00", "2026-09-19 00:00"),  # 到周五: Friday included
        (date(2026, 9, 21), timedelta(weeks=1), True, "2026-09-21 00:00", "2026-09-28 00:00"),  # 下周
        (date(2026, 9, 14), timedelta(days=1), True, "2026-09-14 11:00", "2026-09-15 00:00"),  # 今天: not before now
        (None, timedelta(days=900), True, "2026-09-14 11:00", "2026-11-13 00:00"),
    ],
)
def test_an_absence_ends_with_a_local_day(
    day: date | None, length: timedelta | None, begins_then: bool, begins: str, ends: str
) -> None:
    found = away.absence(NOON, day, length, begins_then=begins_then)

    assert [f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" for moment in found] == [begins, ends]
