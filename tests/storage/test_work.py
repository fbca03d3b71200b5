"""Prepared statements and put-off writes behave like any others: in order, in the transaction, with SQLAlchemy's errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from storage.conflict import Conflict
from storage.tables import history
from storage.unit import Store
from storage.work import Prepared, Work
from tests.builders import NOON

NOTE = Prepared(insert(history), ("about", "at", "person", "what"))
RENAME = Prepared(update(history).where(history.c.what == bindparam("old")), ("what",))
OF = Prepared(select(history).where(history.c.about == bindparam("about")).order_by(history.c.id))


def a_note(what: str, about: str = "feedback:1") -> dict[str, object]:
    return {"about": about, "at": NOON, "person": None, "what": what}


@pytest.fixture
def work(store: Store) -> Iterator[Work]:
    with store.engine.connect() as connection:
        transaction = connection.begin()
        yield Work(connection)
        transaction.rollback()


def test_what_was_put_off_is_seen_by_whatever_comes_next(work: Work) -> None:
    work.later(NOTE, a_note("one"))
    assert [row.what for row in work.rows(OF, about="feedback:1")] == ["one"]

    work.later(NOTE, a_note("two"))
    assert work.execute(select(func.count()).select_from(history)).scalar_one() == 2

    work.later(NOTE, a_note("three"))
    assert work.run(RENAME, {"old": "three", "what": "drei"}) == 1


def test_writes_that_were_put_off_keep_their_order(work: Work) -> None:
    for number in range(5):
        work.later(NOTE, a_note(f"{number}"))
    work.later(RENAME, {"old": "0", "what": "first"})

    assert [row.what for row in work.rows(OF, about="feedback:1")] == ["first", "1", "2", "3", "4"]
    assert work.rows(OF, about="feedback:1")[0].at == NOON


def test_a_write_that_should_have_touched_a_row_and_did_not_is_told(work: Work) -> None:
    work.later(NOTE, a_note("one"))
    work.later(RENAME, {"old": "nobody", "what": "x"}, untouched=Conflict("history"))

    with pytest.raises(Conflict, match="history"):
        work.flush()


def test_a_row_that_must_be_there_and_is_not_is_told(work: Work) -> None:
    assert work.row(OF, about="feedback:9") is None
    with pytest.raises(NoResultFound):
        work.one(OF, about="feedback:9")


@pytest.mark.parametrize("put_off", [1, 3])
def test_errors_are_sqlalchemys_and_quote_no_values(work: Work, put_off: int) -> None:
    for _ in range(put_off):
        work.later(NOTE, a_note("secret") | {"at": None})

    with pytest.raises(IntegrityError) as told:
        work.flush()
    assert "secret" not in str(told.value)


def test_errors_of_sqlalchemy_quote_no_values_either(work: Work) -> None:
    with pytest.raises(IntegrityError) as told:
        work.execute(insert(history).values(**a_note("secret") | {"at": None}))
    assert "secret" not in str(told.value)


def test_what_was_put_off_is_gone_with_its_transaction(store: Store) -> None:
    def fails() -> None:
        with store.begin() as tx:
            tx.history.note("feedback:1", "given", NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with store.read() as tx:
        assert tx.history.of("feedback:1") == ()


def test_after_a_lost_connection_the_next_transaction_has_another(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    with store.engine.connect() as connection, store.engine.connect() as other:
        transaction, work = connection.begin(), Work(connection)
        mine = work.execute(select(func.pg_backend_pid())).scalar_one()
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        with pytest.raises(OperationalError):
            work.rows(OF, about="feedback:1")
        transaction.rollback()

    with store.begin() as tx:
        tx.history.note("feedback:1", "given", NOON)
    with store.read() as tx:
        assert [entry.what for entry in tx.history.of("feedback:1")] == ["given"]
    store.close()
