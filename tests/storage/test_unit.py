"""A transaction commits whole or not at all, in one place of the code."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from storage.unit import Store
from tests.builders import NOON, a_company, a_draft, a_message

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bot", "cards", "demo", "handlers", "reading", "rules", "storage", "web")


def test_what_is_rolled_back_leaves_neither_record_nor_message(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
    author, subject = people["E010"].id, people["E011"].id

    with suppress(RuntimeError), store.begin() as tx:
        id = tx.feedback.open_draft(a_draft(author, subject))
        tx.outbox.add(a_message(author, f"checkin:{id}"), NOON)
        tx.history.note(f"feedback:{id}", "offered", NOON)
        raise RuntimeError("after the last write, before the commit")

    with store.read() as tx:
        assert tx.feedback.counts() == {}
        assert tx.outbox.counts() == {}
        assert tx.history.of(f"feedback:{id}") == ()


def test_a_reading_transaction_changes_nothing(store: Store) -> None:
    with store.read() as tx:
        a_company(tx)

    with store.read() as tx:
        assert tx.people.all() == {}


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    with store.begin() as writing:
        a_company(writing)
        with store.read() as reading:
            assert reading.people.all() == {}


def test_writers_that_read_first_do_not_fail_each_other(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E010"].id

    def add(worker: int) -> None:
        for number in range(5):
            with store.begin() as tx:
                assert tx.outbox.by_key(f"{worker}:{number}") is None
                tx.outbox.add(a_message(person, f"{worker}:{number}"), NOON)

    threads = [threading.Thread(target=add, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.read() as tx:
        assert tx.outbox.counts() == {"due": 30}


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="naive"), store.begin() as tx:
        tx.inbox.first_time("wecom", "1", "message", datetime(2026, 9, 14, 12, 0))


def test_times_come_back_as_aware_utc(store: Store) -> None:
    with store.begin() as tx:
        tx.inbox.first_time("wecom", "1", "message", NOON.astimezone())

    with store.read() as tx:
        assert tx.inbox.last_received() == NOON
        assert str(tx.inbox.last_received()) == "2026-09-14 04:00:00+00:00"


def test_an_error_of_the_database_does_not_repeat_what_people_wrote(store: Store) -> None:
    words = "他当场就把客户说服了"

    with pytest.raises(IntegrityError) as error, store.begin() as tx:
        tx.history.note("feedback:1", "given", NOON, by=999, words=words)

    assert words not in str(error.value)


def test_a_sqlite_file_survives_a_power_cut(sqlite_url: str) -> None:
    store = Store(sqlite_url)

    with store.engine.connect() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")}
    store.close()

    assert pragmas == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL


def test_only_the_unit_of_work_and_the_migrations_begin_and_end_transactions() -> None:
    ends = re.compile(r"\.commit\(|\.begin_nested\(|connection\.begin\(|engine\.begin\(|sqlalchemy\.orm")
    found = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "versions" not in path.parts and ends.search(path.read_text("utf-8"))
    }

    assert found == {"storage/unit.py", "storage/migrations/__init__.py"}
