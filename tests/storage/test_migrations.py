"""A database of any version comes to the tables of this one, with its records."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from storage.migrations import _config, head, is_current, upgrade
from storage.tables import metadata
from storage.unit import Store
from tests.builders import NOON, a_company, a_message


def test_migrating_an_empty_database_makes_the_tables_of_the_code(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_the_partial_indexes_are_there_with_their_conditions(store: Store) -> None:
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'"
        if store.is_sqlite
        else "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%WHERE%'"
    )

    with store.engine.connect() as connection:
        partial = {row[0] for row in connection.execute(text(query))}

    assert partial == {
        "ix_contests_due",
        "ix_digests_to_draw",
        "ix_evidence_loose",
        "ix_evidence_waiting",
        "ix_feedback_draft_expires",
        "ix_feedback_never_given",
        "ix_loops_counted_by",
        "ix_loops_due",
        "ix_loops_failed_at",
        "ix_outbox_class",
        "ix_outbox_due",
        "ix_outbox_recipient",
        "ix_outbox_sent",
    }


def test_an_empty_database_is_not_current_and_a_migrated_one_is(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'new.sqlite3'}")

    before = is_current(store.engine)
    upgrade(store.engine)
    after = is_current(store.engine)
    store.close()

    assert (before, after) == (False, True)


def test_migrating_twice_keeps_what_is_there(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        tx.outbox.add(a_message(people["E010"].id, "kept"), NOON)

    upgrade(store.engine)

    assert is_current(store.engine)
    with store.read() as tx:
        assert len(tx.people.all()) == len(people)
        assert tx.outbox.by_key("kept") is not None


def test_a_database_of_a_later_version_is_not_current(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))

    assert not is_current(store.engine)


def test_the_newest_revision_is_the_one_alembic_would_upgrade_to() -> None:
    assert head() == ScriptDirectory.from_config(_config()).get_current_head()
