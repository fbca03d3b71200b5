"""Every card of the catalog on every platform: as the goldens show it, legal, and legal again with whatever people type."""

from __future__ import annotations

import pytest

from cards import dingtalk, wecom
from cards.catalog import CATALOG
from cards.compose import actions, compose
from cards.layout import Card
from cards.limits import WECOM, fit
from tests.cards import goldens
from tests.cards.examples import EXAMPLES, HOSTILE, hostile
from tests.cards.legal import (
    check_dingtalk_message,
    check_dingtalk_params,
    check_wecom_message,
    check_wecom_replacement,
)

CARD_ID = "0123456789abcdef0123456789abcdef"
every_example = pytest.mark.parametrize("name", EXAMPLES)


def card_of(name: str) -> Card:
    return compose(EXAMPLES[name].template(), EXAMPLES[name].data())


@every_example
def test_a_card_looks_as_its_goldens_show_it(name: str) -> None:
    for platform, body in goldens.drawn(EXAMPLES[name]).items():
        golden = goldens.file_of(platform, name).read_text("utf-8")
        assert goldens.as_file(body) == golden, "python -m tests.cards.goldens --write, and read the difference"


def test_no_golden_is_left_over() -> None:
    names = {file.stem for file in goldens.FOLDER.glob("*/*.json") if file.parent.name in ("wecom", "dingtalk", "text")}

    assert names == set(EXAMPLES)


def test_every_card_of_the_catalog_has_an_example() -> None:
    assert {example.template() for example in EXAMPLES.values()} == set(CATALOG)


@every_example
def test_a_card_survives_the_outbox(name: str) -> None:
    example = EXAMPLES[name]

    assert type(example).from_data(example.data()) == example


@every_example
def test_a_card_is_legal_everywhere(name: str) -> None:
    assert_legal_everywhere(card_of(name))


@every_example
def test_no_text_breaks_a_card(name: str) -> None:
    for text in HOSTILE.values():  # in one test: a thousand of a millisecond each cost CI a minute
        card = hostile(EXAMPLES[name], text)

        drawn = compose(card.template(), card.data())

        assert_legal_everywhere(drawn)
        assert_same_shape(drawn, card_of(name))


def assert_legal_everywhere(card: Card) -> None:
    check_wecom_message(wecom.message(card, user_id="wang", agent_id=1, card_id=CARD_ID))
    check_wecom_replacement(wecom.replacement(card, user_id="wang", agent_id=1, response_code="RC"))
    check_dingtalk_params(dingtalk.params(card))
    check_dingtalk_message(dingtalk.text(card, user_id="emp007", robot_code="ding"))
    check_dingtalk_message(dingtalk.group_text(card, chat_id="cid", robot_code="ding"))
    check_dingtalk_message(dingtalk.action_card(card, "https://x.example/c/1", user_id="emp007", robot_code="ding"))


def assert_same_shape(card: Card, other: Card) -> None:
    """Text may say anything; it adds no line, box, button or action and closes nothing."""

    def shape(drawn: Card) -> tuple[object, ...]:
        labels = [line.label for line in drawn.lines]
        return labels, [check.id for check in drawn.checks], [button.action for button in drawn.buttons], drawn.submit, drawn.closed

    assert shape(card) == shape(other)


def test_the_exported_actions_are_those_that_the_cards_send() -> None:
    sent = set()
    for name in EXAMPLES:
        card = card_of(name)
        sent |= {button.action.partition(":")[0] for button in (*card.buttons, *filter(None, [card.submit])) if button.action}

    assert actions() == sent


@every_example
def test_texts_of_ours_are_short_enough_not_to_be_cut(name: str) -> None:
    card = card_of(name)

    if card.interactive and not name.startswith("who_card"):
        assert fit(card, WECOM) == card
        assert "…" not in str(goldens.drawn(EXAMPLES[name])["wecom"]).replace("关闭…", "")
