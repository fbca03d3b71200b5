"""What is queued with its cause, changed before it left, claimed, retried and ended."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from rules.events import Account, Platform
from rules.messages import GroupChat, Urgency
from storage.outbox import Message, State
from storage.unit import Store, Tx
from tests.builders import NOON, a_company, a_message

LONG, OVER = 60.0, -1.0  # seconds of lease: still running, run out already
TO = Account(Platform.WECOM, "sun.yue")
a_second = timedelta(seconds=1)


@pytest.fixture
def people(store: Store) -> dict[str, int]:
    with store.begin() as tx:
        return {key: person.id for key, person in a_company(tx).items()}


def test_a_message_with_the_same_key_is_queued_once(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(people["E011"], "feedback:1"), NOON)
        tx.outbox.add(a_message(people["E012"], "feedback:1"), NOON)

    assert _due(store) == "feedback:1"
    assert _message(store, "feedback:1").person == people["E011"]


def test_a_message_is_due_at_its_time_and_not_a_second_before(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(people["E011"], "later", not_before=NOON + timedelta(hours=1)), NOON)

    assert _due(store, NOON + timedelta(hours=1) - a_second) is None
    assert _due(store, NOON + timedelta(hours=1)) == "later"


def test_the_urgent_go_first_but_each_person_reads_in_order(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(people["E011"], "reminder", urgency=Urgency.REMINDER), NOON)
        tx.outbox.add(a_message(people["E011"], "answer after it", urgency=Urgency.ANSWER), NOON)
        tx.outbox.add(a_message(people["E012"], "escalation", urgency=Urgency.ESCALATION), NOON)

    assert _take_all(store) == ["escalation", "reminder", "answer after it"]


def test_a_message_for_later_does_not_hold_up_the_same_persons_next_one(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(people["E011"], "tomorrow", not_before=NOON + timedelta(days=1)), NOON)
        tx.outbox.add(a_message(people["E011"], "now"), NOON)

    assert _due(store) == "now"


def test_groups_and_strangers_do_not_wait_for_each_other(store: Store) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(GroupChat("wecom", "team"), "group"), NOON)
        tx.outbox.add(a_message(Account(Platform.DINGTALK, "nobody"), "stranger"), NOON)
        first = tx.outbox.next_due(NOON)
        assert first is not None
        tx.outbox.claim(first, "a", LONG)

    assert first.to == GroupChat("wecom", "team")
    assert _due(store) == "stranger"


def test_what_is_being_sent_is_nobody_elses_until_its_lease_has_run_out(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "one")

    _claim(store, "a", LONG)
    assert _due(store) is None

    with store.begin() as tx:
        tx.outbox.claim(_get(tx, "one"), "a", OVER)
    taken = _claim(store, "b", LONG)
    assert (taken.key, taken.state, taken.attempts) == ("one", State.SENDING, 3)
    assert _due(store) is None


def test_two_senders_at_once_never_take_the_same_message(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        for number in range(20):
            tx.outbox.add(a_message(GroupChat("wecom", f"group {number}"), f"{number}"), NOON)
    taken: list[str] = []

    def take() -> None:
        while True:
            with store.begin() as tx:
                message = tx.outbox.next_due(NOON)
                if message is None:
                    return
                tx.outbox.claim(message, threading.current_thread().name, LONG)
            taken.append(message.key)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken, key=int) == [f"{number}" for number in range(20)]


def test_a_sender_that_lost_its_lease_does_not_overwrite_what_its_successor_noted(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "one")
    slow = _claim(store, "slow", OVER)
    fast = _claim(store, "fast", LONG)

    with store.begin() as tx:
        tx.outbox.mark_sent(fast, "fast", "m-1", None, NOON)
        tx.outbox.retry_in(slow, "slow", 1.0, "45009", "too fast")
        tx.outbox.end(slow, State.FAILED, "40003", "invalid user", owner="slow")

    assert _message(store, "one").state is State.SENT
    assert _message(store, "one").error_code is None


def test_a_retry_waits_its_time_and_keeps_the_reason(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "one")
    claimed = _claim(store, "a", LONG)

    with store.begin() as tx:
        tx.outbox.retry_in(claimed, "a", 3600.0, "-1", "system busy")
    assert _due(store) is None
    assert (_message(store, "one").state, _message(store, "one").error_code) == (State.DUE, "-1")

    with store.begin() as tx:
        tx.outbox.hold(_get(tx, "one"), -1.0)
    assert _due(store) == "one"


def test_a_message_on_hold_was_not_tried(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "one")

    with store.begin() as tx:
        tx.outbox.hold(_get(tx, "one"), 3600.0)

    assert _due(store) is None
    assert _message(store, "one").attempts == 0


def test_what_has_become_moot_is_cancelled_while_it_waits_but_not_once_it_leaves(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "waits")
    _queue(store, people["E012"], "leaves")

    with store.begin() as tx:
        leaving = _get(tx, "leaves")
        tx.outbox.claim(leaving, "a", LONG)
        assert tx.outbox.cancel(_get(tx, "waits"), NOON)
        assert not tx.outbox.cancel(leaving, NOON)

    assert _due(store) is None
    assert _message(store, "waits").state is State.CANCELLED
    assert _message(store, "leaves").state is State.SENDING


def test_nothing_more_goes_to_a_leaver(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "his first")
    _queue(store, people["E011"], "his second")
    _queue(store, people["E012"], "hers")

    with store.begin() as tx:
        assert tx.outbox.cancel_for(people["E011"]) == 2

    assert _take_all(store) == ["hers"]


def test_a_message_can_be_reworded_until_it_was_drawn(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "merged")

    with store.begin() as tx:
        assert tx.outbox.replace("merged", {"count": 2}, NOON + timedelta(minutes=1))
    assert _message(store, "merged").data == {"count": 2}
    assert _due(store) is None

    with store.begin() as tx:
        tx.outbox.draw(_get(tx, "merged"), TO, {"repeatable": True})
        assert not tx.outbox.replace("merged", {"count": 3}, NOON)
        assert not tx.outbox.replace("no such key", {}, NOON)
    assert _message(store, "merged").data == {"count": 2}


def test_of_several_changes_to_a_card_the_last_wins_and_a_handle_is_kept(store: Store, people: dict[str, int]) -> None:
    card = _sent(store, people["E012"], "card")

    with store.begin() as tx:
        tx.outbox.change(card, "checkin_done", {"n": 1}, NOON, handle="fresh")
        tx.outbox.change(card, "checkin_done", {"n": 2}, NOON)
        change = tx.outbox.next_due(NOON)

    assert change is not None
    assert (change.changes, change.data, change.handle, change.to) == (card.id, {"n": 2}, "fresh", TO)
    with store.read() as tx:
        assert tx.outbox.counts() == {"sent": 1, "cancelled": 1, "due": 1}


def test_a_change_that_was_drawn_already_is_sent_before_the_next_one(store: Store, people: dict[str, int]) -> None:
    card = _sent(store, people["E012"], "card")

    with store.begin() as tx:
        tx.outbox.change(card, "checkin_done", {"n": 1}, NOON)
        first = tx.outbox.next_due(NOON)
        assert first is not None
        tx.outbox.draw(first, TO, {"repeatable": True})
        tx.outbox.change(card, "checkin_done", {"n": 2}, NOON)
        again = tx.outbox.next_due(NOON)
        assert again is not None
        tx.outbox.end(again, State.SENT, "")
        second = tx.outbox.next_due(NOON)

    assert again.id == first.id
    assert second is not None
    assert second.data == {"n": 2}


def test_a_handle_is_spent_by_taking_it(store: Store, people: dict[str, int]) -> None:
    card = _sent(store, people["E012"], "card", handle="once")

    with store.begin() as tx:
        assert tx.outbox.take_handle(card.id) == "once"
        assert tx.outbox.take_handle(card.id) is None


def test_about_lists_what_is_live_and_leaves_out_changes(store: Store, people: dict[str, int]) -> None:
    card = _sent(store, people["E012"], "card", about="feedback:1")
    with store.begin() as tx:
        tx.outbox.change(card, "checkin_done", {}, NOON)
        tx.outbox.add(a_message(people["E011"], "waits", about="feedback:1"), NOON)
        tx.outbox.add(a_message(people["E011"], "moot", about="feedback:1"), NOON)
        tx.outbox.add(a_message(people["E011"], "of another", about="feedback:2"), NOON)
        tx.outbox.cancel(_get(tx, "moot"), NOON)

    with store.read() as tx:
        assert [message.key for message in tx.outbox.about("feedback:1")] == ["card", "waits"]


def test_a_message_is_found_by_its_card_and_its_key(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "one")

    with store.read() as tx:
        message = _get(tx, "one")
        assert tx.outbox.by_card(message.card_id) == message
        assert tx.outbox.get(message.id) == message
        assert tx.outbox.by_card("0" * 32) is None
        assert tx.outbox.by_key("two") is None


@pytest.mark.parametrize("state", [State.FAILED, State.UNSURE])
def test_an_administrator_can_have_a_failed_message_tried_once_more(store: Store, people: dict[str, int], state: State) -> None:
    _queue(store, people["E011"], "one")
    claimed = _claim(store, "a", LONG)

    with store.begin() as tx:
        assert not tx.outbox.requeue(claimed.id), "it is being sent"
        tx.outbox.end(claimed, state, "40003", "invalid user", owner="a")
        assert tx.outbox.requeue(claimed.id)

    again = _message(store, "one")
    assert (again.state, again.attempts, again.error_code) == (State.DUE, 0, None)
    assert _due(store) == "one"


def test_a_message_whose_sender_died_long_ago_counts_as_stuck(store: Store, people: dict[str, int]) -> None:
    _queue(store, people["E011"], "one")

    _claim(store, "a", -90.0)

    with store.read() as tx:
        assert tx.outbox.stuck(60.0) == 1
        assert tx.outbox.stuck(120.0) == 0


def test_the_newest_messages_can_be_listed_by_state(store: Store, people: dict[str, int]) -> None:
    for key in ("a", "b", "c"):
        _queue(store, people["E011"], key)
    with store.begin() as tx:
        tx.outbox.end(_get(tx, "b"), State.FAILED, "x")

    with store.read() as tx:
        assert [message.key for message in tx.outbox.recent(None, 2)] == ["c", "b"]
        assert [message.key for message in tx.outbox.recent(State.DUE, 5)] == ["c", "a"]


def _queue(store: Store, person: int, key: str) -> None:
    with store.begin() as tx:
        tx.outbox.add(a_message(person, key), NOON)


def _claim(store: Store, owner: str, lease_seconds: float) -> Message:
    """Take the next message as the sender does; as it is after the claim."""
    with store.begin() as tx:
        message = tx.outbox.next_due(NOON)
        assert message is not None
        tx.outbox.claim(message, owner, lease_seconds)
        claimed = tx.outbox.get(message.id)
        assert claimed is not None
        return claimed


def _take_all(store: Store) -> list[str]:
    """Send everything that is due; the keys in the order of leaving."""
    keys: list[str] = []
    while (key := _due(store)) is not None:
        keys.append(key)
        claimed = _claim(store, "a", LONG)
        with store.begin() as tx:
            tx.outbox.mark_sent(claimed, "a", "m", None, NOON)
    return keys


def _sent(store: Store, person: int, key: str, *, handle: str | None = None, about: str | None = None) -> Message:
    with store.begin() as tx:
        tx.outbox.add(a_message(person, key, about=about), NOON)
        tx.outbox.draw(_get(tx, key), TO, {"repeatable": True})
    claimed = _claim(store, "a", LONG)
    with store.begin() as tx:
        tx.outbox.mark_sent(claimed, "a", "m-1", handle, NOON)
        return _get(tx, key)


def _due(store: Store, now: datetime = NOON) -> str | None:
    """The key of the message that would be taken next."""
    with store.begin() as tx:
        message = tx.outbox.next_due(now)
        return message.key if message else None


def _message(store: Store, key: str) -> Message:
    with store.read() as tx:
        return _get(tx, key)


def _get(tx: Tx, key: str) -> Message:
    message = tx.outbox.by_key(key)
    assert message is not None
    return message
