"""What is due is dealt with several at a time, and one that cannot be dealt with holds up nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from bot.jobs import JOBS, Jobs
from handlers import loops
from rules.loops import Counted
from storage.unit import Store
from tests.builders import NOON, a_company, a_policy, an_open_record

ADVANCE = next(job for job in JOBS if job.work is loops.advance_one)
RECOUNT = next(job for job in JOBS if job.work is loops.recount_one)
DAY = timedelta(hours=24)


def open_records(store: Store, count: int) -> list[int]:
    """So many records about 24 hours old, each a second older than the next."""
    with store.begin() as tx:
        people = a_company(tx)
        ids = [an_open_record(tx, people["E010"].id, people["E011"].id, NOON - DAY + timedelta(seconds=n)) for n in range(count)]
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE feedback SET state = 'open', kind = 'praise'"))
    return ids


def jobs(store: Store) -> Jobs:
    return Jobs(store, a_policy(), lambda: NOON + timedelta(minutes=1), lambda: None)


def reminded(store: Store) -> set[str | None]:
    with store.read() as tx:
        return {message.about for message in tx.outbox.recent(None, 200) if message.card == "reminder_card"}


def test_what_is_due_together_is_one_transaction(store: Store) -> None:
    ids, commits = open_records(store, 10), list[None]()
    event.listen(store.engine, "commit", lambda connection: commits.append(None))

    assert jobs(store).run(ADVANCE) == 10

    assert reminded(store) == {f"feedback:{id}" for id in ids}
    assert len(commits) == 1


def test_more_than_fits_into_one_transaction_is_all_done(store: Store) -> None:
    open_records(store, 45)

    assert jobs(store).run(ADVANCE) == 45
    assert jobs(store).run(ADVANCE) == 0


@pytest.mark.parametrize("bad", [0, 3, 24])
def test_one_that_cannot_be_advanced_holds_up_nobody(store: Store, bad: int) -> None:
    ids = open_records(store, 25)
    with store.engine.begin() as connection:  # nothing can be said about a record of no kind
        connection.execute(text("UPDATE feedback SET kind = NULL WHERE id = :id"), {"id": ids[bad]})

    jobs(store).run(ADVANCE)

    assert reminded(store) == {f"feedback:{id}" for id in ids} - {f"feedback:{ids[bad]}"}
    with store.read() as tx:
        loop = tx.loops.get(ids[bad])
    assert loop is not None
    assert (loop.steps_taken, loop.due_at) == (0, NOON + timedelta(minutes=61)), "put aside for an hour"


@pytest.mark.parametrize("bad", ["UPDATE feedback SET kind = NULL", "UPDATE loops SET plan = '[{}]'"])
def test_one_that_fails_is_an_overdue_one_until_it_goes_well(store: Store, bad: str) -> None:
    ids = open_records(store, 2)
    with store.engine.begin() as connection:
        connection.execute(text(f"{bad} WHERE {'id' if 'kind' in bad else 'feedback'} = :id"), {"id": ids[0]})

    jobs(store).run(ADVANCE)

    assert reminded(store) == {f"feedback:{ids[1]}"}
    with store.begin() as tx:
        assert tx.loops.overdue(NOON - DAY) == 1
        loop = tx.loops.get(ids[1])
        assert loop is not None
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE feedback SET kind = 'praise'"))
        connection.execute(text("UPDATE loops SET plan = (SELECT plan FROM loops WHERE feedback = :good)"), {"good": ids[1]})
    Jobs(store, a_policy(), lambda: NOON + timedelta(minutes=61), lambda: None).run(ADVANCE)
    with store.read() as tx:
        assert tx.loops.overdue(NOON - DAY) == 0


@pytest.mark.parametrize("bad", [0, 3])
def test_one_that_cannot_be_counted_anew_keeps_its_time_and_holds_up_nobody(store: Store, bad: int) -> None:
    ids = open_records(store, 4)
    with store.begin() as tx:
        for loop in tx.loops.some(ids).values():
            tx.loops.apply(replace(loop, counted=Counted(NOON, timedelta(hours=9), "another")))
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE loops SET plan = '[{}]' WHERE feedback = :id"), {"id": ids[bad]})

    assert jobs(store).run(RECOUNT) == 4
    assert jobs(store).run(RECOUNT) == 0

    with store.read() as tx:
        assert tx.loops.counted_otherwise(a_policy().calendar().mark, 10) == ()
        assert tx.loops.overdue(NOON - DAY) == 1
