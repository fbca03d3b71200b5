from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

from rules.events import Platform
from rules.evidence import Evidence, MediaKind, Problem, Progress
from rules.feedback import State
from storage.evidence import Kept, Sent
from storage.unit import Store, Tx
from tests.builders import NOON, a_company, a_draft

KEPT = Kept(MediaKind.IMAGE, "image/png", "b" * 64, "c" * 64, 1234, 800, 600)


def sent(tx: Tx, by: int, feedback: int | None = None, media: str = "MEDIA1") -> int:
    return tx.evidence.add(Sent(feedback, by, Platform.WECOM, media, NOON, NOON + timedelta(days=3)))


def claimed(store: Store, owner: str = "w1", lease: float = 60) -> Evidence | None:
    with store.begin() as tx:
        return tx.evidence.claim_next(owner, lease)


def test_what_was_sent_is_claimed_once_and_ends_stored(store: Store) -> None:
    with store.begin() as tx:
        id = sent(tx, a_company(tx)["E010"].id)

    item = claimed(store)

    assert item is not None
    assert (item.id, item.media, item.attempts, item.state) == (id, "MEDIA1", 1, Progress.WAITING)
    assert claimed(store, "w2") is None, "the first has it"
    with store.begin() as tx:
        assert tx.evidence.stored(id, "w1", KEPT)
        now = tx.evidence.get(id)
    assert now is not None
    assert (now.state, now.blob, now.thumbnail, now.size_bytes, now.width, now.height) == (
        Progress.STORED,
        KEPT.blob,
        KEPT.thumbnail,
        1234,
        800,
        600,
    )
    assert claimed(store) is None


def test_a_lease_that_ran_out_is_taken_over_and_its_old_owner_changes_nothing(store: Store) -> None:
    with store.begin() as tx:
        id = sent(tx, a_company(tx)["E010"].id)

    claimed(store, "died", lease=0)
    time.sleep(0.01)
    again = claimed(store, "heir")

    assert again is not None
    assert again.attempts == 2
    with store.begin() as tx:
        assert not tx.evidence.failed(id, "died", Problem.BROKEN)
        assert tx.evidence.stored(id, "heir", KEPT)
        assert not tx.evidence.stored(id, "heir", KEPT), "it has ended"


def test_a_retry_waits_by_the_databases_clock_and_does_not_hold_up_the_others(store: Store) -> None:
    with store.begin() as tx:
        by = a_company(tx)["E010"].id
        first, second = sent(tx, by), sent(tx, by)

    claimed(store)
    with store.begin() as tx:
        tx.evidence.retry_in(first, "w1", 3600)
    item = claimed(store)

    assert item is not None
    assert item.id == second
    assert claimed(store) is None


def test_a_record_has_what_was_sent_for_it_in_order(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        record = tx.feedback.open_draft(a_draft(people["E010"].id, people["E011"].id))
        first, loose = sent(tx, people["E010"].id, record), sent(tx, people["E010"].id)

        tx.evidence.attach(loose, record)
        through_page = tx.evidence.add_kept(record, people["E010"].id, KEPT, NOON)

        assert [item.id for item in tx.evidence.of(record)] == [first, loose, through_page]
        assert tx.evidence.of(record)[2].platform is None
        assert tx.evidence.of_or_loose(0, people["E010"].id, NOON) == ((), ())


def test_only_a_picture_by_the_author_that_did_not_fail_illustrates_a_record(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        author, subject = people["E010"].id, people["E011"].id
        by_subject, failed, good = (tx.feedback.open_draft(a_draft(author, subject)) for _ in range(3))
        sent(tx, subject, by_subject)
        sent(tx, author, failed)
        broken = tx.evidence.claim_next("w", 60)
        while broken is not None and broken.feedback != failed:
            broken = tx.evidence.claim_next("w", 60)
        assert broken is not None
        tx.evidence.failed(broken.id, "w", Problem.BROKEN)
        sent(tx, author, good)

        assert tx.evidence.illustrated([by_subject, failed, good]) == {good}


def test_what_belongs_to_no_record_or_to_one_never_given_is_forgotten_in_time(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        author = people["E010"].id
        never, kept = (tx.feedback.open_draft(a_draft(author, people["E011"].id)) for _ in range(2))
        tx.feedback.apply(replace(tx.feedback.get(never), state=State.EXPIRED))
        ids = [sent(tx, author), sent(tx, author, never), sent(tx, author, kept)]

        assert tx.evidence.forget_moot(NOON) == 0, "it came just now"
        assert tx.evidence.forget_moot(NOON + timedelta(seconds=1)) == 2
        assert [tx.evidence.get(id) is None for id in ids] == [True, True, False]


def test_blobs_are_referred_to_by_picture_and_by_thumbnail(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        record = tx.feedback.open_draft(a_draft(people["E010"].id, people["E011"].id))
        tx.evidence.add_kept(record, people["E010"].id, KEPT, NOON)

        assert tx.evidence.referenced(["b" * 64, "c" * 64, "d" * 64]) == {"b" * 64, "c" * 64}
        assert tx.evidence.referenced([]) == frozenset()


def test_the_records_that_concern_somebody_are_his_own_lately_and_all_that_wait_for_him(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        boss, li, sun = (people[key].id for key in ("E010", "E011", "E012"))
        old, new = tx.feedback.open_draft(a_draft(boss, li, NOON - timedelta(days=9))), tx.feedback.open_draft(a_draft(boss, li))
        tx.feedback.apply(replace(tx.feedback.get(old), state=State.OPEN, given_at=NOON - timedelta(days=9)))

        since = NOON - timedelta(days=7)

        assert [record.id for record in tx.feedback.concerning(boss, since)] == [new]
        assert [record.id for record in tx.feedback.concerning(li, since)] == [old]
        assert tx.feedback.concerning(sun, since) == ()
