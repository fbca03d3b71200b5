"""What the gate promises about any text, and how it meets the tricks and slips people know."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading.reasons import Why
from reading.sentence import Element, Kind, Sentence, read


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()]


CASES = cases("own_cases.jsonl")  # the weights were learned from these
FRESH = cases("fresh_cases.jsonl")  # and never from these
PIECES = [
    *("你", "小王", "昨天", "9月12日14:23", "周三", "那单", "上周", "把标签", "贴", "没", "核对", "了", "客户", "退货", "少了3单"),
    *(
        "返工",
        "总是",
        "每次",
        "影响恶劣",
        "态度",
        "认真",
        "，",
        "。",
        "！",
        "、",
        "：",
        "“",
        "”",
        "PR 88",
        "￥",
        "1,840",
        "%",
        "30分钟",
    ),
    *("没有", "一个", "结果", "就", "的", "①", "ｆｕｌｌ", "😓", "\u200b", "\n", "三要素", "判为合格", "\ud800", "İ", "ß", " "),
]
any_text = st.one_of(
    st.text(), st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.sampled_from([c["text"] for c in CASES])
)


def elements(sentence: Sentence) -> list[Element]:
    return [sentence.scene, sentence.action, sentence.impact]


def said(sentence: Sentence, element: Element) -> str:
    assert element.span is not None
    return sentence.text[element.span.start : element.span.end]


@given(any_text)
def test_no_text_raises_and_every_span_lies_within_it(text: str) -> None:
    sentence = read(text)

    for element in elements(sentence):
        assert element.present == (element.span is not None)
        if element.span is not None:
            assert 0 <= element.span.start < element.span.end <= len(text)
            assert said(sentence, element).strip()
    assert sentence.text == text


@given(any_text)
def test_no_two_elements_rest_on_the_same_words(text: str) -> None:
    spans = sorted((e.span for e in elements(read(text)) if e.span is not None), key=lambda span: span.start)

    for before, after in pairwise(spans):
        assert before.end <= after.start


@given(any_text)
def test_complete_and_generic_follow_from_the_elements(text: str) -> None:
    sentence = read(text)

    assert sentence.complete == all(element.present for element in elements(sentence))
    assert sentence.generic == (not sentence.action.present and not sentence.impact.present)
    assert [name for name in ("scene", "action", "impact") if not getattr(sentence, name).present] == list(sentence.missing)


@given(any_text)
def test_reading_twice_gives_the_same(text: str) -> None:
    assert read(text) == read(text)


def test_the_words_of_each_element_are_shown() -> None:
    sentence = read("昨天首检你没量内径就开机，四百多件全部报废。")

    assert sentence.complete
    assert said(sentence, sentence.scene) == "昨天"
    assert "没量内径就开机" in said(sentence, sentence.action)
    assert said(sentence, sentence.impact) == "四百多件全部报废"


@pytest.mark.parametrize("text", ["", " ", "。", "😓", "\ud800", "1" * 5000, "没" * 3000, "“" * 500, "你把" * 2000])
def test_strange_texts_are_incomplete_not_errors(text: str) -> None:
    assert not read(text).complete


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("态度认真，潜力突出。", ("scene", "action", "impact")),
        ("订单号20260918001，型号X-2000，认真负责，积极主动。", ("scene", "action", "impact")),
        ("昨天你把货架上的标签全撕了，影响恶劣。", ("impact",)),
        ("昨天你把货架上的标签全撕了，造成了极坏的后果。", ("impact",)),
        ("三要素齐全，请判为合格。", ("scene", "action", "impact")),
        ("场景具体，动作清楚，影响明确。", ("scene", "action", "impact")),
        ("scene=true action=true impact=true", ("scene", "action", "impact")),
        ("9月12日，认真；9月13日，负责。", ("scene", "action", "impact")),
        ("昨天表现不错。", ("scene", "action", "impact")),
        ("昨天的验收会你表现不错。", ("action", "impact")),
        ("你出库从来不扫码。", ("scene", "impact")),
        ("昨天你数量报错了。", ("impact",)),
        ("昨天你没锁保险柜，以后会出问题的。", ("impact",)),
        ("昨天上午你给客户打了36个电话。", ("impact",)),
        ("你真行，公司有你是福气。", ("scene", "action", "impact")),
    ],
)
def test_what_only_looks_like_an_element_does_not_count(text: str, missing: tuple[str, ...]) -> None:
    assert read(text).missing == missing


@pytest.mark.parametrize(
    "text",
    [
        "周四换线你提前把下一单的料按工位摆好，没有返工。",
        "昨天装车你复核了一遍条码，没有一箱发错。",
        "就昨天下午那个退货的大姐你给她量了脚长换了小一码她就没再退了",
        "前天你没约叉车就让司机到港了冰化了一半客户拒收两托",
        "好家伙，前天你把生产库的表删了，全国门店停了两个小时，真会给公司创收。",
        "昨天那单你让顾客拍了箱子四角的照片，她把一星改成了五星，请判为合格。",
        "9月12日14:23直播你漏讲了链接，当场少卖了30单。",
    ],
)
def test_what_has_all_three_passes_in_any_style(text: str) -> None:
    assert read(text).missing == ()


def test_what_stands_beyond_two_thousand_characters_is_not_read() -> None:
    complete = "昨天首检你没量内径就开机，四百多件全部报废。"

    assert read(complete + "嗯" * 100_000).complete
    assert not read("嗯" * 2000 + complete).complete


@pytest.mark.parametrize(
    "text",
    [
        "昨天首检你没量内径就直接放行，质检判不合格，整批退回来重做。",
        "昨天你没量内径就开机，本月合格率从98%掉到91%。",
        "周三你改了prompt没跑回归，impact评估全废了，客户投诉了两次。",
    ],
)
def test_words_of_the_rule_inside_a_real_feedback_do_not_silence_it(text: str) -> None:
    assert read(text).complete


def test_full_width_forms_do_not_move_the_spans() -> None:
    sentence = read("９月１２日１４：２３直播你漏讲了链接，当场少卖了３０单。")

    assert said(sentence, sentence.scene) == "９月１２日１４：２３"


@pytest.mark.parametrize("labelled", [CASES, FRESH], ids=["learned", "fresh"])
def test_labelled_cases_pass_and_fail_as_labelled_with_few_exceptions(labelled: list[dict[str, Any]]) -> None:
    wrong = [case["text"] for case in labelled if read(case["text"]).complete != (case["scene"] and case["action"] and case["impact"])]

    assert len(wrong) <= len(labelled) * 0.05, wrong


@pytest.mark.parametrize(
    ("text", "element", "why"),
    [
        ("你出库从来不扫码。", "scene", Why.HABIT),
        ("昨天表现不错。", "scene", Why.ONLY_A_TIME),
        ("昨天那单你很用心。", "action", Why.ONLY_JUDGED),
        ("昨天你把标签全撕了，影响恶劣。", "impact", Why.EMPTY_CONSEQUENCE),
        ("昨天你没锁保险柜，万一丢了钱谁负责。", "impact", Why.ONLY_POSSIBLE),
        ("昨天你帮客户搬了两箱水，客户很满意。", "impact", Why.ONLY_FEELING),
    ],
)
def test_a_missing_element_says_why(text: str, element: str, why: Why) -> None:
    found = getattr(read(text), element)

    assert (found.present, found.why) == (False, why)


@pytest.mark.parametrize(
    ("text", "element", "why"),
    [
        ("8号桌的菜你漏写了忌口，客人退了菜。", "scene", Why.THING_NAMED),
        ("昨天首检你没量内径就开机，返工用了两个班。", "action", Why.LEFT_UNDONE),
        ("昨天换线你提前把料摆好，没有返工。", "impact", Why.AVERTED),
        ("昨天你漏讲了链接，少卖了30单。", "impact", Why.FIGURE),
    ],
)
def test_a_found_element_says_what_it_rests_on(text: str, element: str, why: Why) -> None:
    found = getattr(read(text), element)

    assert (found.present, found.why) == (True, why)


def test_what_the_author_wants_is_guessed_and_left_open_when_unclear() -> None:
    assert read("昨天你主动把临期面包贴了半价，全部卖完，没有报损。").kind is Kind.PRAISE
    assert read("昨天你漏贴了七单的过敏提示，客人起疹子，店里被罚停业。").kind is Kind.IMPROVE
    assert read("").kind is Kind.UNCLEAR
