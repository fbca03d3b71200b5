"""Times ahead and weeks back, as commands name them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading import moments
from reading.moments import Ahead

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_11 = datetime(2026, 9, 14, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "day", "clock"),
    [
        ("明天", (9, 15), None),
        ("明天上午", (9, 15), time(10)),
        ("后天下午三点", (9, 16), time(15)),
        ("大后天", (9, 17), None),
        ("今晚八点半", (9, 14), time(20, 30)),
        ("下班前", (9, 14), time(18)),
        ("周五", (9, 18), None),
        ("周一", (9, 14), None),
        ("下周一", (9, 21), None),
        ("下周", (9, 21), None),
        ("周日晚上", (9, 20), time(20)),
        ("9月20日", (9, 20), None),
        ("20号", (9, 20), None),
        ("3号", (10, 3), None),
        ("3点", (9, 14), time(15)),
        ("11:30", (9, 14), time(11, 30)),
        ("10:30", (9, 14), time(22, 30)),
        ("早上9点", (9, 15), time(9)),
    ],
)
def test_a_time_ahead_is_the_next_one_that_fits(words: str, day: tuple[int, int], clock: time | None) -> None:
    assert moments.ahead(words, MONDAY_11, SHANGHAI) == Ahead(date(2026, *day), clock)


@pytest.mark.parametrize("words", ["", "有空", "13月40日", "25点70分", "这周一个", "昨天"])
def test_what_names_no_time_ahead_is_none(words: str) -> None:
    found = moments.ahead(words, MONDAY_11, SHANGHAI)

    assert found is None or found.day >= date(2026, 9, 14)


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("半小时", timedelta(minutes=30)),
        ("一小时", timedelta(hours=1)),
        ("一个半小时", timedelta(minutes=90)),
        ("两个小时后", timedelta(hours=2)),
        ("20分钟", timedelta(minutes=20)),
        ("三天", timedelta(days=3)),
        ("一周", timedelta(weeks=1)),
        ("十二小时", timedelta(hours=12)),
    ],
)
def test_a_length_is_read_in_figures_and_characters(words: str, span: timedelta) -> None:
    assert moments.length(words) == span


@pytest.mark.parametrize("words", ["", "一会儿", "0小时"])
def test_what_is_no_length_is_none(words: str) -> None:
    assert moments.length(words) is None


@pytest.mark.parametrize(
    ("words", "back"), [("本周", 0), ("这个星期", 0), ("上周", 1), ("上个礼拜", 1), ("上上周", 2), ("上个月", None)]
)
def test_weeks_back(words: str, back: int | None) -> None:
    assert moments.weeks_back(words) == back


@given(st.text(alphabet="0123456789零一二两三十半个:点分号日月/-周星期天明后大下这本上午晚早班前小时钟内", max_size=12))
def test_no_words_raise_and_no_day_is_over(words: str) -> None:
    found = moments.ahead(words, MONDAY_11, SHANGHAI)

    assert found is None or found.day >= date(2026, 9, 14)
    moments.length(words)
    moments.weeks_back(words)
