"""Mentions of past time: found where they stand, and resolved looking back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading.text import normalise
from reading.times import Grain, TimeMention, find, number, resolve

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 16, 6, 30, tzinfo=UTC)  # a Wednesday, 14:30 in Shanghai


def only(text: str) -> TimeMention:
    (mention,) = find(normalise(text))
    return mention


def local(text: str) -> str | None:
    moment = resolve(only(text), NOW, SHANGHAI)
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if moment else None


@pytest.mark.parametrize(
    ("text", "words", "grain"),
    [
        ("9月12日14:23直播漏了促单", "9月12日14:23", Grain.DAY),
        ("上周三夜里三号炉失灵", "上周三夜里", Grain.DAY),
        ("上个月16号退保集中", "上个月16号", Grain.DAY),
        ("上午盘点", "上午", Grain.DAY),
        ("你盘点都在上午", "上午", Grain.PART),
        ("这个月返修率涨了", "这个月", Grain.PERIOD),
        ("第三季度表现突出", "第三季度", Grain.PERIOD),
    ],
)
def test_a_mention_is_found_with_its_grain(text: str, words: str, grain: Grain) -> None:
    mention = only(text)

    assert (mention.words, mention.grain) == (words, grain)


@pytest.mark.parametrize("text", ["每周五开会", "发布推迟到今天下午", "2号梯困人", "我有三点建议", "型号X-2000", "刚好够用"])
def test_what_is_no_past_time_is_left_alone(text: str) -> None:
    assert find(normalise(text)) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("昨天下午三点半发货", "2026-09-15 15:30"),
        ("9月12日14:23直播", "2026-09-12 14:23"),
        ("九月十二号上午盘点", "2026-09-12 10:00"),
        ("12月3日的会", "2025-12-03 12:00"),
        ("2025年1月5日白天", "2025-01-05 12:00"),
        ("周三早上", "2026-09-16 08:00"),
        ("周四中午", "2026-09-10 12:00"),
        ("上周五", "2026-09-11 12:00"),
        ("上个月31号", "2026-08-31 12:00"),
        ("昨晚十一点收市", "2026-09-15 23:00"),
        ("刚才试吃活动", "2026-09-16 14:30"),
        ("今晚的值班", "2026-09-16 14:30"),
        ("国庆那三天", None),
        ("2月30日", None),
        ("上周报关", None),
    ],
)
def test_a_mention_is_resolved_looking_back(text: str, moment: str | None) -> None:
    assert local(text) == moment


@given(st.text(alphabet="上这本个周星期礼拜一二三四五六日天末月年号点半刻早晚上午下昨今前大0123456789:-/.两十 ", max_size=20))
def test_any_mention_resolves_to_no_later_than_now_or_to_nothing(text: str) -> None:
    for mention in find(text):
        assert text[mention.start : mention.end] == mention.words
        moment = resolve(mention, NOW, SHANGHAI)
        assert moment is None or moment <= NOW


def test_numbers_are_read_in_both_scripts() -> None:
    assert [number(digits) for digits in ("7", "12", "七", "十", "十二", "二十", "三十一", "两")] == [7, 12, 7, 10, 12, 20, 31, 2]
