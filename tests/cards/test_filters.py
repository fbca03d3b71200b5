from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.filters import clip, duration, json_bytes, local_time, tidy, utf8_bytes

texts = st.text(alphabet=st.characters(codec=None), max_size=60)


def test_an_instant_is_shown_in_shanghai_time() -> None:
    assert local_time(datetime(2026, 9, 12, 6, 23, tzinfo=UTC)) == "9月12日 14:23"
    assert local_time(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), weekday=True) == "1月1日 周五 00:00"


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=3), "1 分钟"),
        (timedelta(minutes=59, seconds=59), "59 分钟"),
        (timedelta(hours=1), "1 小时"),
        (timedelta(hours=47, minutes=59), "47 小时"),
        (timedelta(hours=48), "2 天"),
        (timedelta(days=3, hours=5), "3 天"),
    ],
)
def test_a_duration_is_said_in_its_largest_whole_unit(span: timedelta, said: str) -> None:
    assert duration(span) == said


def test_a_short_text_is_not_clipped_and_a_long_one_ends_with_an_ellipsis() -> None:
    assert clip("促单", 2) == "促单"
    assert clip("促单话术", 3) == "促单…"
    assert clip("促单话术", 9, utf8_bytes) == "促单…"


@pytest.mark.parametrize("emoji", ["👩🏽‍💻", "👍🏻", "é", "❤️"])
def test_a_clip_never_cuts_an_emoji_or_an_accent_in_two(emoji: str) -> None:
    text = f"好{emoji}好好好好"

    for limit in range(2, len(text)):
        assert clip(text, limit) in {f"好{'' if n == 0 else emoji}{'好' * (n - 1)}…" for n in range(5)}


@given(texts, st.integers(min_value=3, max_value=50))
def test_a_clipped_text_always_fits(text: str, limit: int) -> None:
    text = tidy(text)

    assert len(clip(text, limit)) <= limit
    assert utf8_bytes(clip(text, limit, utf8_bytes)) <= limit
    assert json_bytes(clip(text, limit, json_bytes)) <= limit


@given(texts)
def test_a_tidied_text_can_be_sent_and_is_tidy(text: str) -> None:
    tidied = tidy(text)

    tidied.encode()
    assert tidy(tidied) == tidied


def test_a_text_cannot_turn_its_line_around() -> None:
    assert tidy("甲\u202e乙\u2066丙\u2069") == "甲乙丙"
