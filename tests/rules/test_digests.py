"""When the week's messages fall due: ordinary weeks, 国庆 with its make-up days, New Year, and what a digest covers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.digests import DigestPolicy, Kind, due_at, next_due_at, open_now, reported_by, too_late_at, window
from rules.weeks import Week, week_of
from rules.worktime import Calendar
from tests.builders import at

# As the State Council published it for 2026: 国庆 from 1 to 7 October, worked on 20 September (Sunday) and 10 October (Saturday).
CALENDAR = Calendar(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 8)) | {date(2027, 1, 1)},
    makeup=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    years=frozenset({2026}),
)
POLICY = DigestPolicy()
ORDINARY, BEFORE, GOLDEN, AFTER = Week(2026, 38), Week(2026, 40), Week(2026, 40), Week(2026, 41)


def due(kind: Kind, week: Week) -> datetime | None:
    return due_at(kind, week, CALENDAR)


def test_in_an_ordinary_week_digests_come_on_friday_at_five_and_the_brief_on_monday_at_nine() -> None:
    week = Week(2026, 37)

    assert due(Kind.EMPLOYEE, week) == at("2026-09-11 17:00")
    assert due(Kind.QUOTA, week) == at("2026-09-10 15:00")
    assert due(Kind.MONDAY, week) == at("2026-09-07 09:00")


def test_a_make_up_sunday_is_the_last_working_day() -> None:
    assert due(Kind.EMPLOYEE, ORDINARY) == at("2026-09-20 17:00")
    assert due(Kind.QUOTA, ORDINARY) == at("2026-09-18 15:00")


def test_a_holiday_moves_the_digest_to_the_last_day_before_it() -> None:
    assert due(Kind.EMPLOYEE, GOLDEN) == at("2026-09-30 17:00")
    assert due(Kind.QUOTA, GOLDEN) == at("2026-09-29 15:00")


def test_after_the_holiday_the_brief_comes_on_the_first_working_day() -> None:
    assert due(Kind.MONDAY, AFTER) == at("2026-10-08 09:00")
    assert due(Kind.EMPLOYEE, AFTER) == at("2026-10-10 17:00")


def test_a_week_without_workdays_has_nothing_and_the_next_covers_it() -> None:
    empty = Calendar(holidays=frozenset(date(2027, 2, 8) + timedelta(days=n) for n in range(7)))
    week, following = Week(2027, 6), Week(2027, 7)

    assert all(due_at(kind, week, empty) is None for kind in Kind)
    assert window(following, empty).since == due_at(Kind.EMPLOYEE, Week(2027, 5), empty)
    assert reported_by(following, empty) == Week(2027, 5)


def test_new_years_friday_is_off_and_belongs_to_week_53() -> None:
    assert due(Kind.EMPLOYEE, Week(2026, 53)) == at("2026-12-31 17:00")
    assert due(Kind.MONDAY, Week(2027, 1)) == at("2027-01-04 09:00")


def test_never_early_and_not_after_the_next_brief() -> None:
    friday, second = at("2026-09-11 17:00"), timedelta(seconds=1)
    digest = (Week(2026, 37), Kind.EMPLOYEE)

    assert digest not in open_now(friday - second, CALENDAR, POLICY)
    assert digest in open_now(friday, CALENDAR, POLICY)
    assert digest in open_now(at("2026-09-13 23:00"), CALENDAR, POLICY)
    assert digest not in open_now(at("2026-09-14 09:00"), CALENDAR, POLICY)


def test_after_a_long_holiday_the_digest_from_before_it_is_over() -> None:
    assert (GOLDEN, Kind.SUPERVISOR) in open_now(at("2026-10-07 12:00"), CALENDAR, POLICY)
    assert (GOLDEN, Kind.SUPERVISOR) not in open_now(at("2026-10-08 09:00"), CALENDAR, POLICY)
    assert (AFTER, Kind.MONDAY) in open_now(at("2026-10-08 09:00"), CALENDAR, POLICY)


def test_a_nudge_is_for_its_day_only() -> None:
    assert (Week(2026, 37), Kind.QUOTA) in open_now(at("2026-09-10 17:59"), CALENDAR, POLICY)
    assert (Week(2026, 37), Kind.QUOTA) not in open_now(at("2026-09-10 18:00"), CALENDAR, POLICY)


def test_a_brief_is_for_the_first_day_only() -> None:
    assert (AFTER, Kind.MONDAY) in open_now(at("2026-10-08 17:59"), CALENDAR, POLICY)
    assert (AFTER, Kind.MONDAY) not in open_now(at("2026-10-08 18:00"), CALENDAR, POLICY)


def test_what_is_switched_off_is_never_due() -> None:
    quiet = DigestPolicy(off=frozenset(Kind))

    assert open_now(at("2026-09-11 17:30"), CALENDAR, quiet) == ()
    assert next_due_at(at("2026-09-11 17:30"), CALENDAR, quiet) is None


def test_the_next_due_time_is_told() -> None:
    assert next_due_at(at("2026-09-11 16:00"), CALENDAR, POLICY) == at("2026-09-11 17:00")
    assert next_due_at(at("2026-09-11 17:00"), CALENDAR, POLICY) == at("2026-09-14 09:00")
    assert next_due_at(at("2026-09-30 17:00"), CALENDAR, POLICY, (Kind.EMPLOYEE,)) == at("2026-10-10 17:00")


days = st.dates(date(2026, 1, 1), date(2028, 12, 31))


@given(st.frozensets(days, max_size=40), st.frozensets(days, max_size=20), days, st.sampled_from(list(Kind)))
def test_whatever_the_holidays_a_kind_is_due_inside_its_week_and_before_it_is_too_late(
    holidays: frozenset[date], makeup: frozenset[date], day: date, kind: Kind
) -> None:
    calendar, week = Calendar(holidays, makeup), week_of(at(f"{day} 12:00"))

    due = due_at(kind, week, calendar)

    if due is None:
        assert len(calendar.workdays(week)) < 2
    else:
        assert week.begins <= due < week.ends
        assert due < too_late_at(kind, week, calendar)


@given(st.frozensets(days, max_size=60), days)
def test_windows_follow_each_other_without_a_gap(holidays: frozenset[date], day: date) -> None:
    calendar, week = Calendar(holidays), week_of(at(f"{day} 12:00"))
    later = next((week.back(-n) for n in range(1, 4) if calendar.workdays(week.back(-n))), None)

    if calendar.workdays(week) and later is not None:
        assert window(later, calendar).since == window(week, calendar).until


@pytest.mark.parametrize("hour", [9, 15])
def test_the_hour_of_the_nudge_is_configured(hour: int) -> None:
    assert due_at(Kind.QUOTA, Week(2026, 37), CALENDAR, time(hour)) == at(f"2026-09-10 {hour:02}:00")
