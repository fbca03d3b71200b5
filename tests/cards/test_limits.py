from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import dingtalk
from cards.filters import clip, utf8_bytes
from cards.layout import Button, Card, Check
from cards.limits import DINGTALK, DINGTALK_FORM, DINGTALK_VALUE, WECOM, CannotDraw, Limit, Limits, fit, shrink
from tests.cards.legal import TEMPLATE

SUBMIT = Button("提交", "give")


def boxes(count: int) -> Card:
    return Card("卡", "卡", checks=tuple(Check(f"c{n}", "做到了") for n in range(count)), submit=SUBMIT)


def buttons(count: int) -> Card:
    return Card("卡", "卡", buttons=tuple(Button("好", f"a{n}") for n in range(count)))


@pytest.mark.parametrize("limits", [WECOM, DINGTALK])
def test_twenty_boxes_and_six_buttons_fit_and_one_more_does_not(limits: Limits) -> None:
    assert fit(boxes(20), limits) == boxes(20)
    assert fit(buttons(6), limits) == buttons(6)

    with pytest.raises(CannotDraw, match="21 boxes"):
        fit(boxes(21), limits)
    with pytest.raises(CannotDraw, match="7 buttons"):
        fit(buttons(7), limits)


def test_a_long_title_box_and_button_are_cut() -> None:
    card = fit(Card("题" * 99, "卡", checks=(Check("a", "框" * 99),), submit=Button("交" * 99, "give")), WECOM)

    assert card.title == "题" * 35 + "…"
    assert card.checks[0].text == "框" * 16 + "…"
    assert card.submit is not None
    assert card.submit.text == "交" * 9 + "…"


@pytest.mark.parametrize(
    "card",
    [
        Card(" ", "卡"),
        Card("卡", "卡", checks=(Check("a", ""),), submit=SUBMIT),
        Card("卡", "卡", buttons=(Button("", "a"),)),
        Card("卡", "卡", checks=(Check("a", "甲"), Check("a", "乙")), submit=SUBMIT),
        Card("卡", "卡", checks=(Check("", "甲"),), submit=SUBMIT),
        Card("卡", "卡", checks=(Check("标" * 43, "甲"),), submit=SUBMIT),
        Card("卡", "卡", buttons=(Button("甲", "a"), Button("乙", "a"))),
        Card("卡", "卡", buttons=(Button("甲", "a" * 1025),)),
    ],
)
def test_what_the_platform_would_refuse_is_not_drawn(card: Card) -> None:
    with pytest.raises(CannotDraw):
        fit(card, WECOM)


@given(st.lists(st.text('促单"\\🙂a', min_size=1), min_size=1, max_size=6), st.integers(min_value=60, max_value=400))
def test_json_is_shrunk_to_the_longest_texts_that_fit(texts: list[str], most: int) -> None:
    def draw(longest: int) -> str:
        return json.dumps([clip(text, longest) for text in texts], ensure_ascii=False)

    shrunk = shrink(draw, Limit(most, utf8_bytes), 120)

    kept = json.loads(shrunk)
    assert utf8_bytes(shrunk) <= most
    assert kept == [clip(text, 120) for text in texts] or utf8_bytes(draw(max(map(len, kept)) + 1)) > most


def test_what_cannot_be_shrunk_is_not_drawn() -> None:
    with pytest.raises(CannotDraw, match="however short"):
        shrink(lambda longest: "x" * 500, Limit(100), 20)


def test_our_dingtalk_limits_are_those_of_the_template() -> None:
    most = {variable["name"]: variable["max_bytes"] for variable in TEMPLATE["variables"]}

    assert most["form"] == DINGTALK_FORM.at_most
    assert {most[name] for name in ("title", "body", "buttons", "status", "form_btn_text", "submit_action")} == {DINGTALK_VALUE.at_most}


def test_a_form_with_twenty_long_boxes_is_still_whole() -> None:
    card = Card("卡", "卡", checks=tuple(Check(f"c{n}", f"{n}" + "很长的行为" * 30) for n in range(20)), submit=SUBMIT)

    form = dingtalk.params(card)["form"]

    assert len(json.loads(form)["fields"][0]["options"]) == 20
    assert utf8_bytes(form) <= 3072
