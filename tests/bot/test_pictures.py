"""The Monday brief's picture: uploaded outside any transaction; its message goes with it, and without it when it cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.channel import Failure, SendFailed
from bot.pictures import Pictures
from cards.catalog import MondayBrief
from rules.digests import Kind
from rules.events import Platform
from rules.weeks import Week
from storage.digests import Digest, whom
from storage.outbox import Message
from storage.tables import digests
from storage.unit import Store
from tests.builders import a_company, a_policy, at
from tests.cards.digests import BRIEFS

W39, MONDAY = Week(2026, 39), at("2026-09-21 09:00")


def waiting(store: Store, key: str) -> None:
    """A brief of this person waits for its picture."""
    brief = replace(BRIEFS[0], picture="")
    with store.begin() as tx:
        person = a_company(tx)[key].id
        tx.digests.add([Digest(whom(person), person, W39, Kind.MONDAY, MONDAY, brief.template(), brief.data(), "waiting")])


def drawing(store: Store, upload: Callable[[bytes], str]) -> Pictures:
    return Pictures(store, a_policy(), lambda: MONDAY, dict.fromkeys(Platform, upload), lambda: None)


def queued(store: Store) -> list[Message]:
    with store.read() as tx:
        return list(reversed(tx.outbox.recent(None, 10)))


def refuse(png: bytes) -> str:
    raise SendFailed(Failure.TEMPORARY, "busy", "later")


@pytest.mark.parametrize(("key", "platform", "cards"), [("E010", "dingtalk", 1), ("E012", "wecom", 2)])
def test_the_brief_leaves_with_its_picture(store: Store, key: str, platform: str, cards: int) -> None:
    waiting(store, key)
    pictures = drawing(store, lambda png: f"id-{png[1:4].decode()}")

    done = [pictures.draw_next(), pictures.draw_next()]

    messages = queued(store)
    assert done == [True, False]
    assert [message.card for message in messages] == ["monday_brief", "picture_message"][:cards]
    assert MondayBrief.from_data(messages[0].data).picture == f"{platform}:id-PNG"


def test_what_cannot_be_uploaded_is_tried_again_and_then_goes_without(store: Store) -> None:
    waiting(store, "E010")
    pictures = drawing(store, refuse)

    for tries in (1, 2, 3):
        assert pictures.draw_next()
        assert len(queued(store)) == (1 if tries == 3 else 0)
        with store.engine.begin() as connection:  # its lease runs out
            connection.execute(update(digests).values(lease_until=0.0))

    assert not pictures.draw_next()
    assert MondayBrief.from_data(queued(store)[0].data).picture == ""


def test_a_holder_that_was_overtaken_sends_nothing(store: Store) -> None:
    waiting(store, "E010")

    def slow(png: bytes) -> str:
        with store.engine.begin() as connection:
            connection.execute(update(digests).values(lease_until=0.0))
        assert drawing(store, lambda png: "second").draw_next()
        return "first"

    drawing(store, slow).draw_next()

    assert [MondayBrief.from_data(message.data).picture for message in queued(store)] == ["dingtalk:second"]
