"""Weeks begin on Monday at midnight in Shanghai, whatever UTC says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.weeks import Week, week_of

SUNDAY_NIGHT = datetime(2026, 9, 13, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai


def test_the_week_changes_at_midnight_in_shanghai() -> None:
    assert week_of(SUNDAY_NIGHT) == Week(2026, 37)
    assert week_of(SUNDAY_NIGHT + timedelta(seconds=1)) == Week(2026, 38)


def test_new_years_days_belong_to_the_week_they_lie_in() -> None:
    assert str(week_of(datetime(2027, 1, 1, tzinfo=UTC))) == "2026-W53"
    assert Week(2026, 53).monday == date(2026, 12, 28)
    assert Week(2027, 1).back(1) == Week(2026, 53)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_every_instant_lies_in_its_week_and_in_no_other(now: datetime) -> None:
    week = week_of(now)

    assert week.begins <= now < week.ends
    assert week.begins == week.back(1).ends
    assert week.sunday - week.monday == timedelta(days=6)
