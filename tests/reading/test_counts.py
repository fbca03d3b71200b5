"""How many: plain figures are counts, rough ones and ordinals are none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading.counts import counted

RETURNS = ("退货", "寄回")


@pytest.mark.parametrize(
    ("text", "unit", "count"),
    [
        ("优化退货话术，少寄回 23 次", "次", "23"),
        ("少寄回23次，又省了3小时", "次", "23"),
        ("少寄回２３次", "次", "23"),
        ("退货少了十二次", "次", "12"),
        ("两次退货都挽回了", "次", "2"),
        ("退货 120次", "次", "120"),
        ("2026年退货3次", "次", "3"),
        ("省了退货登记2.5个小时", "小时", "2.5"),
        ("寄回少了5次，一共少寄回5次", "次", "5"),
    ],
)
def test_a_plain_figure_is_a_count(text: str, unit: str, count: str) -> None:
    found = counted(text, unit, RETURNS)

    assert found is not None
    assert found.count == Decimal(count)


@pytest.mark.parametrize(
    "text",
    [
        "约20次退货",
        "退货 20 多次",
        "退货20次左右",
        "好几次退货",
        "第3次退货",
        "退货3-5次",
        "1,234次退货",
        "退货从5次降到3次",
        "退货少了3次，后来又少寄回5次",
        "一百二十次退货",
        "退货一次都没有",
        "少了3次投诉",
        "退货少了",
        "退货0次",
        "",
    ],
)
def test_what_is_rough_ambiguous_or_about_something_else_is_none(text: str) -> None:
    assert counted(text, "次", RETURNS) is None


@given(st.text(max_size=60), st.sampled_from(["次", "单", "小时"]))
def test_no_text_raises_and_the_words_stand_in_it(text: str, unit: str) -> None:
    found = counted(text + "，退货3" + unit, unit, RETURNS)

    if found is not None:
        assert found.count > 0
        assert unit in found.words
