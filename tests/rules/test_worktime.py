from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.weeks import SHANGHAI, Week
from rules.worktime import Calendar, Counting, unknown_year

# 国庆 2026 as published: 1 to 7 October off, Sunday 20 September and Saturday 10 October worked.
AUTUMN_2026 = Calendar(
    holidays=frozenset({date(2026, 9, 25)} | {date(2026, 10, day) for day in range(1, 8)}),
    makeup=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    years=frozenset({2026}),
)


def at(text: str) -> datetime:
    """A local time of Shanghai as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def test_weekends_and_holidays_are_off_and_make_up_days_are_worked() -> None:
    worked = [day for day in range(1, 13) if AUTUMN_2026.is_workday(date(2026, 10, day))]

    assert worked == [8, 9, 10, 12]


def test_a_make_up_day_wins_over_a_holiday_of_the_same_date() -> None:
    both = Calendar(holidays=frozenset({date(2026, 10, 10)}), makeup=frozenset({date(2026, 10, 10)}))

    assert both.is_workday(date(2026, 10, 10))


def test_a_week_has_its_make_up_saturday_and_not_its_holidays() -> None:
    assert AUTUMN_2026.workdays(Week(2026, 38))[-1] == date(2026, 9, 20)
    assert AUTUMN_2026.workdays(Week(2026, 40)) == (date(2026, 9, 28), date(2026, 9, 29), date(2026, 9, 30))
    assert AUTUMN_2026.workdays(Week(2026, 41)) == (date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 10))


def test_a_week_that_is_off_altogether_has_no_workdays() -> None:
    off = Calendar(holidays=frozenset(date(2026, 2, day) for day in range(16, 23)))

    assert off.workdays(Week(2026, 8)) == ()


def test_work_begins_and_ends_in_shanghai() -> None:
    day = date(2026, 9, 14)

    assert AUTUMN_2026.begins(day) == datetime(2026, 9, 14, 1, 0, tzinfo=UTC)
    assert AUTUMN_2026.ends(day) == datetime(2026, 9, 14, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-09-14 10:00", 2, "2026-09-14 12:00"),
        ("2026-09-14 10:00", 8, "2026-09-14 18:00"),  # used up at the very end of the day: not the next morning
        ("2026-09-14 10:00", 9, "2026-09-15 10:00"),
        ("2026-09-14 20:00", 1, "2026-09-15 10:00"),  # an evening counts from the morning
        ("2026-09-14 06:00", 1, "2026-09-14 10:00"),
        ("2026-09-18 17:00", 2, "2026-09-20 10:00"),  # Friday evening; Saturday off, Sunday made up
        ("2026-09-30 17:00", 2, "2026-10-08 10:00"),  # over the whole of 国庆
        ("2026-10-09 17:00", 2, "2026-10-10 10:00"),  # into the make-up Saturday
        ("2026-10-03 12:00", 0, "2026-10-03 12:00"),
    ],
)
def test_working_hours_pass_only_while_people_work(start: str, hours: int, end: str) -> None:
    assert AUTUMN_2026.add_working(at(start), timedelta(hours=hours)) == at(end)


def test_calendar_hours_pass_always() -> None:
    start = at("2026-09-30 17:00")

    assert AUTUMN_2026.after(start, timedelta(hours=72), Counting.CALENDAR) == at("2026-10-03 17:00")
    assert AUTUMN_2026.after(start, timedelta(hours=2), Counting.WORKING) == at("2026-10-08 10:00")


def test_a_span_is_provisional_when_any_of_it_lies_in_a_year_that_is_not_published() -> None:
    eve, year_end = at("2026-12-30 10:00"), at("2026-12-31 23:59")

    assert not AUTUMN_2026.provisional(eve, year_end)
    assert AUTUMN_2026.provisional(eve, year_end + timedelta(minutes=1))
    assert AUTUMN_2026.provisional(at("2027-01-01 00:00"), at("2027-01-01 00:00"))


@pytest.mark.parametrize(
    ("moment", "year"), [("2026-11-30 23:59", None), ("2026-12-01 00:00", 2027), ("2027-01-01 00:00", 2027), ("2026-01-01 00:00", None)]
)
def test_a_year_is_missed_when_it_has_come_or_its_arrangement_should_be_out(moment: str, year: int | None) -> None:
    assert unknown_year(AUTUMN_2026, at(moment)) == year


days = st.dates(date(2026, 9, 1), date(2026, 11, 30))
calendars = st.builds(
    Calendar,
    holidays=st.frozensets(days, max_size=20),
    makeup=st.frozensets(days, max_size=8),
    from_time=st.builds(time, st.integers(0, 11), st.sampled_from((0, 30))),
    to_time=st.builds(time, st.integers(12, 23), st.sampled_from((0, 15, 59))),
)
minutes = st.integers(0, 60 * 24 * 30).map(lambda count: at("2026-09-01 00:00") + timedelta(minutes=count))


def minute_by_minute(calendar: Calendar, start: datetime, amount: int) -> datetime:
    """The oracle: walk on a minute at a time and count those in which people work."""
    now = start
    while amount:
        local = now.astimezone(SHANGHAI)
        day_off = local.date() in calendar.holidays or local.weekday() >= 5
        worked = local.date() in calendar.makeup or not day_off
        amount -= worked and calendar.from_time <= local.time() < calendar.to_time
        now += timedelta(minutes=1)
    return now


@given(calendars, minutes, st.integers(0, 60 * 20))
def test_adding_working_time_is_counting_minutes(calendar: Calendar, start: datetime, amount: int) -> None:
    assert calendar.add_working(start, timedelta(minutes=amount)) == minute_by_minute(calendar, start, amount)


@given(calendars, minutes, st.integers(0, 3000), st.integers(0, 3000))
def test_later_is_never_due_earlier_and_two_spans_add_up(calendar: Calendar, start: datetime, first: int, second: int) -> None:
    one, both = timedelta(minutes=first), timedelta(minutes=first + second)

    assert calendar.add_working(start, one) <= calendar.add_working(start, both)
    assert calendar.add_working(calendar.add_working(start, one), timedelta(minutes=second)) == calendar.add_working(start, both)
