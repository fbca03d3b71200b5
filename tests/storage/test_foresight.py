"""What is read at once for a press is what the tables say one by one, and is never older than what the same transaction wrote."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from rules.events import Account, Platform
from rules.evidence import Evidence
from storage.evidence import Sent
from storage.outbox import State
from storage.unit import Store, Tx
from tests.builders import NOON, a_company, a_draft, a_message

WANG = Account(Platform.DINGTALK, "wang_fang")
ACCOUNTS = (WANG, Account(Platform.WECOM, "liu.yang"), Account(Platform.WECOM, "nobody"))


@dataclass
class Scene:
    """A supervisor's card about a record of his."""

    author: int
    record: int
    card: str


@pytest.fixture
def scene(store: Store) -> Scene:
    with store.begin() as tx:
        people = a_company(tx)
        author = people["E010"].id
        record = tx.feedback.open_draft(a_draft(author, people["E011"].id))
        tx.outbox.add(a_message(author, "checkin:1", about=f"feedback:{record}"), NOON)
        card = tx.outbox.by_key("checkin:1")
    assert card is not None
    return Scene(author, record, card.card_id)


def answers(tx: Tx, scene: Scene, card_id: str, account: Account) -> tuple[Any, ...]:
    """What a handler would ask for."""
    person, card = tx.people.find(account, NOON), tx.outbox.by_card(card_id)
    return person, card, tx.feedback.get(scene.record), pictures(tx, scene), tx.evidence.of(scene.record)


def pictures(tx: Tx, scene: Scene) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    return tx.evidence.of_or_loose(scene.record, scene.author, NOON - timedelta(hours=1))


@pytest.mark.parametrize("sent", ["nothing", "for the record", "for no record", "for another's"])
def test_what_was_foreseen_is_what_the_tables_say(store: Store, scene: Scene, sent: str) -> None:
    with store.begin() as tx:
        by = scene.author if sent != "for another's" else scene.author + 1
        if sent != "nothing":
            tx.evidence.add(Sent(scene.record if sent == "for the record" else None, by, Platform.WECOM, "M", NOON, NOON))
    for card_id, account in itertools.product((scene.card, "no such card"), ACCOUNTS):
        with store.begin() as tx:
            plain = answers(tx, scene, card_id, account)

        with store.begin() as tx:
            tx.foresee(card_id, account)
            assert answers(tx, scene, card_id, account) == plain


def test_a_card_about_no_record_is_foreseen_too(store: Store, scene: Scene) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(scene.author, "week", about="contest:7"), NOON)
        card = tx.outbox.by_key("week")
    assert card is not None

    with store.begin() as tx:
        tx.foresee(card.card_id, WANG)
        assert tx.outbox.by_card(card.card_id) == card
        assert tx.feedback.get(scene.record).id == scene.record


def test_what_the_transaction_wrote_since_is_seen(store: Store, scene: Scene) -> None:
    with store.begin() as tx:
        tx.foresee(scene.card, WANG)
        tx.evidence.add(Sent(scene.record, scene.author, Platform.WECOM, "M", NOON, NOON))
        record = tx.feedback.get(scene.record)
        tx.feedback.apply(record)

        assert len(pictures(tx, scene)[0]) == 1
        assert tx.feedback.get(scene.record).version == record.version + 1


def test_a_later_change_of_a_card_replaces_the_one_that_has_not_left(store: Store, scene: Scene) -> None:
    for words in ("first", "second", "third"):
        with store.begin() as tx:
            tx.foresee(scene.card, WANG)
            card = tx.outbox.by_card(scene.card)
            assert card is not None
            sent = replace(card, state=State.SENT, to=WANG)
            tx.outbox.change(sent, "sorry_text", {"said": words}, NOON)
            if words == "second":
                tx.outbox.change(sent, "sorry_text", {"said": "second, put better"}, NOON)

    with store.read() as tx:
        waiting = [message for message in tx.outbox.recent(State.DUE, 10) if message.changes]
    assert [message.data["said"] for message in waiting] == ["third"]
