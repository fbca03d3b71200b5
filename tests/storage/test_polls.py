"""Asking "what is due?" costs the same with a hundred thousand rows that are not: the due time is an index condition."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event

from storage.escalations import WAITS
from storage.loops import DUE
from storage.unit import Store, Tx
from tests.builders import NOON, a_company

MANY = 100_000


def test_the_outbox_poll_finds_its_row_by_an_index_on_the_due_time(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id
    columns = "key, card_id, person, grouped, card, data, urgency, state, created_at, not_before, attempts"
    _fill(
        store,
        f"INSERT INTO outbox ({columns}) SELECT 'key:' || n, 'card:' || n, {person}, false, 'sorry_text', '{{}}', 20, 'due',"
        " '2026-09-14 04:00:00', '2026-09-17 04:00:00', 0",
    )

    of_each_class, of_all = _plans_of(store, lambda tx: tx.outbox.next_due(NOON))

    assert "ix_outbox_class" in of_each_class
    assert "ix_outbox_due" in of_all
    for plan in (of_each_class, of_all):
        assert _bounded(store, plan, "not_before"), plan
        assert not _scans_all(store, plan), plan


def test_the_loop_poll_finds_its_row_by_the_index_on_the_due_time(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id
    columns = "id, version, source, state, author, subject, occasion, scene, action, impact, offered, ticks, occurred_at, created_at"
    _fill(
        store,
        f"INSERT INTO feedback ({columns}, expires_at) SELECT n, 0, 'card', 'open', {person}, {person}, '', '', '', '', '[]', '[]',"
        " '2026-09-14 04:00:00', '2026-09-14 04:00:00', '2026-09-16 04:00:00'",
        "INSERT INTO loops (feedback, version, state, opened_at, plan, steps_taken, due_at, chain, round)"
        " SELECT n, 0, 'waiting', '2026-09-14 04:00:00', '[]', 0, '2026-09-17 04:00:00', '[]', 0",
    )

    form = DUE.form(store.engine.dialect)
    plan = _explained(store, form.sql, form.bind({"now": NOON, "at_most": 20}))

    assert "ix_loops_due" in plan
    assert _bounded(store, plan, "due_at"), plan
    assert not _scans_all(store, plan), plan


def test_whether_an_escalation_waits_is_found_by_an_index(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id
    columns = "key, card_id, person, grouped, card, data, urgency, state, created_at, not_before, attempts"
    _fill(
        store,
        f"INSERT INTO outbox ({columns}) SELECT 'key:' || n, 'card:' || n, {person}, false, 'sorry_text', '{{}}', 10, 'sent',"
        " '2026-09-14 04:00:00', '2026-09-17 04:00:00', 0",
    )
    form = WAITS.form(store.engine.dialect)

    plan = _explained(store, form.sql, form.bind({"readers": [person]}))

    assert "ix_outbox_" in plan, plan
    assert not re.search("SCAN outbox|Seq Scan on outbox", plan), plan


def test_the_poll_for_expired_check_ins_uses_its_index(store: Store) -> None:
    with store.begin() as tx:
        person = a_company(tx)["E011"].id
    columns = "version, source, state, author, subject, occasion, scene, action, impact, offered, ticks, occurred_at, created_at"
    _fill(
        store,
        f"INSERT INTO feedback ({columns}, expires_at) SELECT 0, 'card', 'draft', {person}, {person}, '', '', '', '', '[]', '[]',"
        " '2026-09-14 04:00:00', '2026-09-14 04:00:00', '2026-09-16 04:00:00'",
    )

    plan = _plan_of(store, lambda tx: tx.feedback.next_expired_draft(NOON))

    assert "ix_feedback_draft_expires" in plan
    assert _bounded(store, plan, "expires_at"), plan


def _fill(store: Store, *statements: str) -> None:
    """Run each statement for n = 1 … MANY and let the database look at what it has."""
    numbers = (
        f" FROM (WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < {MANY}) SELECT n FROM count)"
        if store.is_sqlite
        else f" FROM generate_series(1, {MANY}) AS n"
    )
    with store.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement + numbers)
        connection.exec_driver_sql("ANALYZE")


def _plan_of(store: Store, ask: Callable[[Tx], Any]) -> str:
    """How the database would run the one query that `ask` makes."""
    (plan,) = _plans_of(store, ask)
    return plan


def _plans_of(store: Store, ask: Callable[[Tx], Any]) -> list[str]:
    """How the database would run each query that `ask` makes."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    with store.begin() as tx:
        assert ask(tx) is None
    event.remove(store.engine, "before_cursor_execute", note)
    return [_explained(store, statement, parameters) for statement, parameters in seen if statement.startswith("SELECT")]


def _explained(store: Store, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "
    with store.engine.connect() as connection:
        bound = tuple(parameters) if store.is_sqlite else parameters
        return "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, bound))


def _bounded(store: Store, plan: str, column: str) -> bool:
    """Whether the column limits what is read from the index, not only what is kept of it."""
    return (
        f"{column}<?)" in plan or f"({column}=?)" in plan
        if store.is_sqlite
        else any("Index Cond" in line and column in line for line in plan.splitlines())
    )


def _scans_all(store: Store, plan: str) -> bool:
    # What SQLite calls anon_1 are the few rows that a limited subquery brought.
    return bool(re.search("SCAN (?!anon_)", plan)) if store.is_sqlite else "Seq Scan on" in plan
