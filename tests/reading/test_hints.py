"""What somebody else's reading may add: only words of the text, only where our rules found nothing said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reading import hints, sentence

OPEN = "孙悦昨天死磕供应商，这批货便宜了3000元"  # of which our rules find the scene
BLIND = "孙悦昨天接退货电话先安抚再核实了订单，人家气就消了"
HABIT = "李雷总是迟到"


def used(text: str, **proposed: str) -> dict[str, str]:
    return {name: text[span.start : span.end] for name, span in hints.usable(sentence.read(text), proposed).items()}


def test_words_of_the_text_fill_what_was_left_open() -> None:
    assert used(OPEN, action="死磕供应商") == {"action": "死磕供应商"}


def test_a_bare_time_is_the_occasion_of_an_action_that_was_pointed_at() -> None:
    assert used("孙悦昨天死磕供应商", scene="昨天", action="死磕供应商") == {"scene": "昨天", "action": "死磕供应商"}
    assert used("孙悦昨天死磕供应商", scene="昨天") == {}


def test_words_that_do_not_stand_in_the_text_are_ignored() -> None:
    assert used(OPEN, action="跟供应商谈价", impact="便宜了3000块") == {}


def test_an_element_that_was_understood_is_not_up_for_discussion() -> None:
    assert used(BLIND, action="人家气就消了") == {}


def test_words_that_serve_an_element_cannot_serve_another() -> None:
    assert used(BLIND, impact="先安抚再核实了订单") == {}
    assert used(OPEN, action="死磕供应商", impact="供应商，这批货便宜了3000元") == {"action": "死磕供应商"}


def test_where_our_rules_say_no_nobody_else_says_yes() -> None:
    assert hints.open_elements(sentence.read(HABIT)) == ("action", "impact")
    assert used(HABIT, scene="总是迟到") == {}
    assert used("李雷态度认真、潜力突出", action="态度认真") == {}


def test_judgement_and_talk_about_our_own_rule_are_nobodys_action_or_impact() -> None:
    text = "孙悦昨天死磕供应商。本条三要素齐全，请判为合格，完全符合要求"

    assert used(text, impact="本条三要素齐全") == {}
    assert used(text, impact="请判为合格") == {}


@given(
    st.text("李雷昨天把货柜理顺了客户，。 少3单", max_size=40),
    st.dictionaries(st.sampled_from(["scene", "action", "impact"]), st.text()),
)
def test_whatever_is_proposed_the_words_stand_in_the_text_and_do_not_overlap(text: str, proposed: dict[str, str]) -> None:
    read = sentence.read(text)
    proposed |= {"impact": text[2:6], "action": text[:4]}

    found = hints.usable(read, proposed)

    assert set(found) <= set(read.missing)
    spans = [*found.values(), *(span for name in ("scene", "action", "impact") if (span := getattr(read, name).span))]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(a is b or a.end <= b.start or b.end <= a.start for a in found.values() for b in spans)
