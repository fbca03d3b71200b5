"""When escalations go together, how a long list is cut, and which holidays are announced."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import escalations
from rules.escalations import LINES, Holiday
from rules.worktime import Calendar
from tests.builders import at

HALF_AN_HOUR = timedelta(minutes=30)
NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
AUTUMN = Calendar(
    holidays=frozenset({date(2026, 9, 25)} | {date(2026, 10, day) for day in range(1, 8)}),
    makeup=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    years=frozenset({2026}),
)


def test_the_first_escalation_leaves_at_once_and_the_next_when_the_window_is_over() -> None:
    assert escalations.leaves_at(None, NOW, HALF_AN_HOUR) == NOW
    assert escalations.leaves_at(NOW - timedelta(minutes=10), NOW, HALF_AN_HOUR) == NOW + timedelta(minutes=20)
    assert escalations.leaves_at(NOW - HALF_AN_HOUR, NOW, HALF_AN_HOUR) == NOW


def test_a_clock_that_was_turned_back_holds_nothing() -> None:
    assert escalations.leaves_at(NOW + timedelta(days=3), NOW, HALF_AN_HOUR) == NOW


@given(st.lists(st.booleans(), max_size=60))
def test_turning_pages_shows_every_line_once_with_room_for_its_buttons(settled: list[bool]) -> None:
    shown: list[int] = []
    number: int | None = 0
    for _ in range(len(settled) + 1):
        page = escalations.page(settled, number)
        shown += range(page.begins, page.ends)
        assert page.ends - page.begins + (page.next is not None) <= LINES
        number = page.next
        if not number:
            break

    assert shown == list(range(len(settled)))


@given(st.lists(st.booleans(), min_size=1, max_size=60).filter(lambda settled: not all(settled)))
def test_a_list_opens_where_something_is_left_to_do(settled: list[bool]) -> None:
    page = escalations.page(settled, None)

    assert not all(settled[page.begins : page.ends])
    assert all(settled[: page.begins])


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        ("2026-09-30 14:59", None),
        ("2026-09-30 15:00", Holiday(date(2026, 10, 1), date(2026, 10, 8))),
        ("2026-09-30 17:59", Holiday(date(2026, 10, 1), date(2026, 10, 8))),
        ("2026-09-30 18:00", None),
        ("2026-09-29 16:00", None),  # a workday lies between
        ("2026-09-18 16:00", None),  # one day off: the Sunday is made up
        ("2026-09-11 16:00", None),  # an ordinary weekend
        ("2026-09-24 16:00", Holiday(date(2026, 9, 25), date(2026, 9, 28))),  # 中秋 and the weekend
        ("2026-10-03 16:00", None),  # in the middle of it
    ],
)
def test_a_long_holiday_is_announced_in_the_last_hours_of_work_before_it(moment: str, found: Holiday | None) -> None:
    assert escalations.holiday_ahead(AUTUMN, at(moment)) == found
