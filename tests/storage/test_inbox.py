"""An event is acted on once, however often and however concurrently it is delivered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from storage.unit import Store
from tests.builders import NOON, a_company, a_message


def test_a_delivery_in_eight_threads_at_once_has_one_effect_and_one_answer(store: Store) -> None:
    with store.begin() as tx:
        subject = a_company(tx)["E011"].id
    together = Barrier(8)

    def deliver(thread: int) -> object:
        together.wait()
        with store.begin() as tx:
            if not tx.inbox.first_time("wecom", "press-1", "press:give", NOON):
                return tx.inbox.answer("wecom", "press-1")
            tx.outbox.add(a_message(subject, f"effect:{thread}"), NOON)
            answer = {"card": "checkin_done", "data": {"by": thread}}
            tx.inbox.keep_answer("wecom", "press-1", answer)
            return answer

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(deliver, range(8)))

    assert answers == [answers[0]] * 8
    with store.read() as tx:
        assert sum(tx.outbox.counts().values()) == 1


def test_a_delivery_whose_transaction_failed_is_new_again(store: Store) -> None:
    try:
        with store.begin() as tx:
            tx.inbox.first_time("wecom", "press-1", "press:give", NOON)
            raise RuntimeError("the process had a bad moment")
    except RuntimeError:
        pass

    with store.begin() as tx:
        assert tx.inbox.first_time("wecom", "press-1", "press:give", NOON)


def test_the_same_id_on_the_other_platform_is_another_event(store: Store) -> None:
    with store.begin() as tx:
        assert tx.inbox.first_time("wecom", "1", "message", NOON)
        assert tx.inbox.first_time("dingtalk", "1", "message", NOON)
        assert not tx.inbox.first_time("dingtalk", "1", "message", NOON)


def test_an_event_that_needed_no_answer_has_none(store: Store) -> None:
    with store.begin() as tx:
        tx.inbox.first_time("wecom", "1", "message", NOON)
        tx.inbox.keep_answer("wecom", "1", None)

    with store.read() as tx:
        assert tx.inbox.answer("wecom", "1") is None
        assert tx.inbox.answer("wecom", "never came") is None


def test_events_are_counted_by_kind(store: Store) -> None:
    with store.begin() as tx:
        tx.inbox.first_time("wecom", "old", "message", NOON - timedelta(days=30))
        tx.inbox.first_time("wecom", "new", "unknown:location", NOON, raw="<xml/>")

    with store.begin() as tx:
        assert tx.inbox.counts() == {"message": 1, "unknown:location": 1}
        assert tx.inbox.last_received() == NOON
