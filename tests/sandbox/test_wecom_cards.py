"""The rules of template cards, one by one, and that no card whatever breaks the checker."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.wecom.cards import check_card, show_card
from tests.sandbox.conftest import Json, Room, WecomBot, buttons, vote

LINK = {"type": 1, "url": "http://x/"}


def notice(**changes: object) -> Json:
    return {"card_type": "text_notice", "main_title": {"title": "t"}, "card_action": LINK, **changes}


def news(**changes: object) -> Json:
    return {
        "card_type": "news_notice",
        "main_title": {"title": "t"},
        "card_action": LINK,
        "card_image": {"url": "http://x/p.png"},
        **changes,
    }


def multiple(**changes: object) -> Json:
    select = {"question_key": "q", "title": "选", "option_list": [{"id": "1", "text": "一"}]}
    card = {"card_type": "multiple_interaction", "task_id": "m", "main_title": {"title": "t"}, "select_list": [select]}
    return {**card, "submit_button": {"text": "提交", "key": "k"}, **changes}


def options(count: int) -> list[Json]:
    return [{"id": f"o{n}", "text": f"第{n}项"} for n in range(count)]


def box(**changes: object) -> Json:
    return {"question_key": "q", "mode": 1, "option_list": options(2), **changes}


@pytest.mark.parametrize("card", [vote(), buttons(), notice(), news(), multiple(), vote(checkbox=box(option_list=options(20)))])
def test_a_card_by_the_book_has_nothing_wrong_with_it(card: Json) -> None:
    found = check_card(card)

    assert (found.errors, found.surplus, found.too_long) == ([], [], [])


@pytest.mark.parametrize(
    ("card", "complaint"),
    [
        (vote(checkbox=box(option_list=options(21))), "checkbox.option_list has 1 to 20 entries"),
        (vote(checkbox=box(option_list=[None])), "all of them objects"),
        (vote(checkbox=box(option_list=[])), "checkbox.option_list has 1 to 20 entries"),
        (vote(checkbox=box(option_list=[{"id": "a", "text": "1"}, {"id": "a", "text": "2"}])), "checkbox.option_list.id is used twice"),
        (vote(checkbox=box(option_list=[{"id": "a" * 129, "text": "1"}])), "checkbox.option_list.id is longer than 128 bytes"),
        (vote(checkbox=box(option_list=[{"id": 1, "text": "1"}])), "checkbox.option_list.id is a string"),
        (vote(checkbox=box(mode=2)), "checkbox.mode is one of (0, 1)"),
        (vote(checkbox=box(question_key="键" * 342)), "checkbox.question_key is longer than 1024 bytes"),
        (vote(checkbox=box(mode=0, option_list=[o | {"is_checked": True} for o in options(2)])), "at most one option checked"),
        (vote(checkbox=box(option_list=[{"id": "a", "text": "1", "is_checked": "true"}])), "is_checked is true or false"),
        (vote(task_id="li.si-1"), "task_id is 1 to 128 bytes of letters"),
        (vote(task_id="x" * 129), "task_id is 1 to 128 bytes"),
        (vote(task_id=None), "vote_interaction needs task_id"),
        (vote(submit_button=None), "vote_interaction needs submit_button"),
        (vote(main_title={"desc": "d"}), "vote_interaction needs main_title.title"),
        (vote(main_title="t"), "main_title is an object"),
        (buttons(button_list=[{"text": str(n), "key": str(n)} for n in range(7)]), "button_list has 7 entries, 1 to 6 are allowed"),
        (buttons(button_list=[{"text": "a", "key": "k"}, {"text": "b", "key": "k"}]), "button_list.key is used twice"),
        (buttons(button_list=[{"text": "a"}]), "button_list.key is a string that is not empty"),
        (buttons(button_list=[{"text": "a", "type": 1, "url": "x"}]), "button_list.url is a URL with its scheme"),
        (buttons(button_list=[{"text": "a", "key": "k", "style": 5}]), "button_list.style is one of"),
        (buttons(button_list={"text": "a"}), "button_list is a list"),
        (buttons(horizontal_content_list=[{"keyname": "k"}] * 7), "horizontal_content_list has 7 entries"),
        (buttons(horizontal_content_list=[{"value": "v"}]), "horizontal_content_list.keyname is missing"),
        (buttons(horizontal_content_list=[{"keyname": "k", "type": 3}]), "horizontal_content_list.userid is missing"),
        (notice(card_action=None), "text_notice needs card_action"),
        (notice(card_action={"type": 0}), "card_action.type is 1 or 2 on a notice card"),
        (notice(main_title={}), "needs main_title.title or sub_title_text"),
        (notice(jump_list=[{"title": "t"}] * 4), "jump_list has 4 entries, 0 to 3 are allowed"),
        (notice(action_menu={"action_list": [{"text": "a", "key": "a"}]}), "text_notice needs task_id"),
        (notice(action_menu={"action_list": []}, task_id="t"), "action_menu.action_list has 1 to 3 entries"),
        (notice(source={"desc": "s", "desc_color": 4}), "source.desc_color is one of"),
        (notice(card_action={"type": 1, "url": "http://x/" + "a" * 1024}), "card_action.url is longer than 1024 bytes"),
        (news(card_image=None), "news_notice needs card_image or image_text_area"),
        (news(card_image={"url": "http://x/", "aspect_ratio": 2.25}), "card_image.aspect_ratio is between 1.3 and 2.25"),
        (news(vertical_content_list=[{"title": "t"}] * 5), "vertical_content_list has 5 entries"),
        (multiple(select_list=[]), "multiple_interaction needs select_list"),
        ({"card_type": "vote"}, "card_type 'vote' is unknown"),
        ({}, "template_card is missing"),
    ],
)
def test_what_the_page_forbids_is_found(card: Json, complaint: str) -> None:
    card = {name: value for name, value in card.items() if value is not None}

    assert any(complaint in text for _, text in check_card(card).errors), check_card(card).errors


def test_the_checkbox_card_has_no_quote_no_list_and_no_menu() -> None:
    card = vote(quote_area={"type": 0}, horizontal_content_list=[], sub_title_text="x", card_action={"type": 0})

    assert check_card(card).surplus == ["quote_area", "horizontal_content_list", "sub_title_text", "card_action"]


def test_a_surplus_field_is_refused_or_warned_of_as_the_switch_says(room: Room, wecom_bot: WecomBot) -> None:
    assert room.send(vote("s-1", sub_title_text="x"))["errcode"] == 40058

    room.switch("wecom.surplus_card_fields", "warn")

    assert room.send(vote("s-1", sub_title_text="x"))["errcode"] == 0
    assert room.get("/requests")["requests"][-1]["warnings"] == ["sub_title_text is no field of this card type"]


def test_a_long_title_is_shown_in_full_with_a_warning_or_refused(room: Room, wecom_bot: WecomBot) -> None:
    long = {"main_title": {"title": "字" * 37}}
    assert room.send(vote("l-1", **long))["errcode"] == 0
    assert "37 characters, 36 are shown" in room.get("/warnings")["warnings"][-1]["text"]

    room.switch("wecom.advised_lengths", "refuse")

    assert room.send(vote("l-2", **long))["errcode"] == 40058


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CARDS = [vote(), buttons(), notice(), news(), multiple()]


@given(st.sampled_from(CARDS), st.data())
def test_no_value_in_any_place_breaks_the_checker_and_what_passes_can_be_shown(card: Json, data: st.DataObject) -> None:
    card = copy.deepcopy(card)
    place = data.draw(st.sampled_from(sorted(card)))
    if isinstance(card[place], dict) and data.draw(st.booleans()):
        card[place][data.draw(st.sampled_from(sorted(card[place])))] = data.draw(JSON)
    else:
        card[place] = data.draw(JSON)

    found = check_card(card)

    if not found.errors:
        show_card(card, "t", {})
