"""What has had its time is forgotten, and what is a record stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from cards.catalog import CATALOG, WhoCard
from handlers import feedback, retention
from handlers.context import Context
from handlers.dispatch import ROUTES, Dispatcher
from rules.events import Account, CardAction, Platform
from rules.evidence import MediaKind
from rules.feedback import Kind, Record, State
from rules.manners import Why
from rules.messages import Urgency
from rules.people import Person
from rules.policy import Policy
from rules.retention import Passing
from storage.evidence import Kept
from storage.outbox import Message
from storage.outbox import State as Sent
from storage.rulings import Ruling
from storage.sentences import Started
from storage.unit import Store, Tx
from tests.builders import NOON, a_company, a_draft, a_message, a_policy

KEPT = timedelta(days=30)
LONG_AGO, LATELY = NOON - timedelta(days=31), NOON - timedelta(days=29)
PICTURE = Kept(MediaKind.IMAGE, "image/png", "a" * 64, "b" * 64, 5, 4, 3)


@pytest.fixture
def people(store: Store) -> Mapping[str, Person]:
    with store.begin() as tx:
        return a_company(tx, LONG_AGO)


def policy(*what: Passing) -> Policy:
    return replace(a_policy(), retention=dict.fromkeys(what, KEPT))


def forget(store: Store, *what: Passing, now: datetime = NOON) -> int:
    """Until nothing is left; how many transactions had something to forget."""
    steps = 0
    while True:
        with store.begin() as tx:
            if not retention.forget_some(Context(tx, now, policy(*what))):
                return steps
        steps += 1


def a_record(tx: Tx, people: Mapping[str, Person], state: State, at: datetime) -> int:
    """A draft that ended like this then."""
    author, subject = people["E010"], people["E011"]
    id = tx.feedback.open_draft(a_draft(author.id, subject.id, at))
    told = replace(tx.feedback.get(id), kind=Kind.IMPROVE, scene="周一早班", action="没有告知到账时间", impact="客户又来电")
    if state is State.OPEN:
        feedback.open_record(Context(tx, at, a_policy()), replace(told, state=state, given_at=at), author)
    else:
        tx.history.note(f"feedback:{id}", "written", at, by=author.id, words="原话")
        tx.feedback.apply(replace(told, state=state, closed_at=None if state is State.DRAFT else at))
    return id


def by_key(tx: Tx, key: str) -> Message:
    message = tx.outbox.by_key(key)
    assert message is not None
    return message


def send(tx: Tx, key: str) -> Message:
    """A platform took it long ago."""
    message = by_key(tx, key)
    tx.outbox.claim(message, "me", 30)
    tx.outbox.draw(message, Account(Platform.WECOM, "liu.yang"), {"said": "words"})
    tx.outbox.mark_sent(message, "me", "m-1", "code-1", LONG_AGO)
    return message


def message_of(store: Store, key: str) -> Message:
    with store.read() as tx:
        return by_key(tx, key)


def states(store: Store) -> Mapping[str, int]:
    with store.read() as tx:
        return tx.feedback.counts()


def record(store: Store, id: int) -> Record | None:
    with store.read() as tx:
        return tx.feedback.find(id)


def test_events_that_no_platform_repeats_any_more_are_forgotten(store: Store) -> None:
    with store.begin() as tx:
        for n in range(450):
            tx.inbox.first_time("wecom", f"old{n}", "unknown:location", LONG_AGO, raw="<xml/>")
        tx.inbox.first_time("wecom", "new", "message", LATELY)

    assert forget(store, Passing.INBOX) == 3, "in small steps"

    with store.read() as tx:
        assert tx.inbox.counts() == {"message": 1}
        assert tx.retention.oldest(Passing.INBOX) == LATELY


def test_what_was_spent_long_ago_and_links_that_ran_out_are_forgotten(store: Store, people: Mapping[str, Person]) -> None:
    with store.begin() as tx:
        tx.usage.add("wecom", "sends", LONG_AGO.date(), "1", 5)
        tx.usage.add("wecom", "sends", LATELY.date(), "1", 7)
        tx.logins.issue(people["E011"].id, "/me", LONG_AGO)
        token = tx.logins.issue(people["E011"].id, "/me", NOON)

    forget(store, Passing.USAGE, Passing.LOGINS)

    with store.read() as tx:
        assert tx.usage.spent(date(2026, 1, 1), NOON.date()) == {("wecom", "sends"): 7}
        assert tx.logins.find(token, NOON) is not None
        assert tx.retention.oldest(Passing.LOGINS) == NOON + timedelta(minutes=15)


def test_rulings_go_from_the_front_and_the_newer_ones_stay(store: Store, people: Mapping[str, Person]) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(people["E011"].id, "hello"), LONG_AGO)
        message = by_key(tx, "hello")
        for at in (LONG_AGO, LONG_AGO, LATELY):
            tx.rulings.note(Ruling(message.id, at, "hold", Why.QUIET, NOON))

    forget(store, Passing.RULINGS)

    with store.read() as tx:
        assert [ruling.at for ruling in tx.rulings.of(message.id)] == [LATELY]


def test_the_words_of_old_messages_go_and_that_they_were_sent_stays(store: Store, people: Mapping[str, Person]) -> None:
    with store.begin() as tx:
        for key, at in (("sent", LONG_AGO), ("failed", LONG_AGO), ("waits", LONG_AGO), ("behind", LONG_AGO), ("new", LATELY)):
            tx.outbox.add(a_message(people["E011"].id, key), at)
        send(tx, "sent")
        send(tx, "behind")
        tx.outbox.claim(by_key(tx, "failed"), "me", 30)
        tx.outbox.end(by_key(tx, "failed"), Sent.FAILED, "40003", "words", owner="me", keep_payload=True)

    forget(store, Passing.OUTBOX)

    sent, failed, waits, behind = (message_of(store, key) for key in ("sent", "failed", "waits", "behind"))
    assert (sent.state, sent.sent_at, sent.to, sent.forgotten) == (Sent.SENT, LONG_AGO, Account(Platform.WECOM, "liu.yang"), True)
    assert (sent.payload, sent.handle) == (None, None)
    assert (failed.state, failed.payload, failed.error_code, failed.error_text) == (Sent.EXPIRED, None, "40003", None)
    assert not waits.forgotten
    assert not behind.forgotten, "what waits holds it up"

    with store.begin() as tx:
        assert not tx.outbox.requeue(failed.id), "there is nothing left that could be sent"
        assert tx.outbox.cancel(waits, NOON)
    forget(store, Passing.OUTBOX)

    assert [message_of(store, key).forgotten for key in ("waits", "behind", "new")] == [True, True, False]
    with store.read() as tx:
        assert tx.retention.oldest(Passing.OUTBOX) == LATELY


def test_a_card_whose_words_are_gone_says_so_when_it_is_pressed_and_stays_as_it_is(store: Store, people: Mapping[str, Person]) -> None:
    with store.begin() as tx:
        card = WhoCard("小王", (), sentence="原话").to(people["E010"].id, key="who", urgency=Urgency.ANSWER)
        tx.outbox.add(card, LONG_AGO)
        message = send(tx, "who")
    forget(store, Passing.OUTBOX)
    dispatcher = Dispatcher(store, a_policy(), lambda: NOON, frozenset(Platform), lambda: None)

    shown = dispatcher.handle(CardAction("e-1", Account(Platform.DINGTALK, "wang_fang"), message.card_id, "pick:3", ()))

    assert shown is None
    with store.read() as tx:
        newest = tx.outbox.recent(None, 1)[0]
        assert (newest.card, newest.data["reason"]) == ("sorry_text", "expired")
        assert tx.feedback.counts() == {}


def test_no_card_that_can_be_pressed_looks_forgotten_without_being_it() -> None:
    assert [card for card in ROUTES if not CATALOG[card].__dataclass_fields__] == []


@pytest.mark.parametrize("state", [State.EXPIRED, State.WITHDRAWN])
def test_a_draft_that_was_never_given_goes_with_all_that_hangs_on_it(store: Store, people: Mapping[str, Person], state: State) -> None:
    with store.begin() as tx:
        old, lately = (a_record(tx, people, state, at) for at in (LONG_AGO, LATELY))
        for id in (old, lately):
            tx.sentences.put(Started(people["E010"].id, id, "原话", LONG_AGO + timedelta(minutes=10)), LONG_AGO)
            tx.evidence.add_kept(id, people["E010"].id, PICTURE, LONG_AGO)
            tx.hints.want(id)
            tx.outbox.add(a_message(people["E010"].id, f"card{id}", about=f"feedback:{id}"), LONG_AGO)
            send(tx, f"card{id}")

    forget(store, Passing.DRAFTS)

    assert record(store, old) is None
    assert record(store, lately) is not None
    with store.read() as tx:
        assert tx.history.of(f"feedback:{old}") == ()
        assert [entry.what for entry in tx.history.of(f"feedback:{lately}")] == ["written"]
        assert [by_key(tx, f"card{id}").forgotten for id in (old, lately)] == [True, False]
        assert (tx.evidence.of(old), len(tx.evidence.of(lately))) == ((), 1)
        assert tx.sentences.of(lately) is None, "as typed long ago"


def test_records_notes_and_running_drafts_stay_with_their_histories(store: Store, people: Mapping[str, Person]) -> None:
    with store.begin() as tx:
        ids = [a_record(tx, people, state, LONG_AGO) for state in (State.OPEN, State.NOTE, State.DRAFT, State.OPEN)]
        given = tx.feedback.get(ids[0])
        tx.feedback.apply(replace(given, state=State.WITHDRAWN, closed_at=LONG_AGO))
        before = [tx.history.of(f"feedback:{id}") for id in ids]

    forget(store, *Passing, now=NOON + timedelta(days=1000))

    assert states(store) == {"withdrawn": 1, "note": 1, "draft": 1, "open": 1}
    with store.read() as tx:
        assert [tx.history.of(f"feedback:{id}") for id in ids] == before


def test_the_number_of_a_forgotten_draft_is_never_given_to_another(store: Store, people: Mapping[str, Person]) -> None:
    with store.begin() as tx:
        old = [a_record(tx, people, State.EXPIRED, LONG_AGO) for _ in range(3)]

    forget(store, Passing.DRAFTS)

    with store.begin() as tx:
        assert a_record(tx, people, State.OPEN, NOON) not in old


def test_what_should_have_been_forgotten_long_ago_is_told_with_its_age(store: Store) -> None:
    with store.begin() as tx:
        tx.inbox.first_time("wecom", "old", "message", NOON - timedelta(days=40))
        tx.usage.add("wecom", "sends", LONG_AGO.date(), "1", 5)
        ctx = Context(tx, NOON, policy(Passing.INBOX, Passing.USAGE, Passing.DRAFTS))

        assert retention.overdue(ctx, timedelta(days=2)) == {Passing.INBOX: timedelta(days=40)}
        assert retention.overdue(Context(tx, NOON, a_policy()), timedelta(0)) == {}, "kept for ever"
