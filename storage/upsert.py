"""INSERT … ON CONFLICT DO NOTHING, which both databases know and SQLAlchemy spells per dialect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from storage.work import Prepared, Work


def insert_new(work: Work, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert the row unless one of its unique keys stands there already. True when it was inserted."""
    return work.run(new_row(table, tuple(values)), values) == 1


@cache
def new_row(table: Table, columns: tuple[str, ...]) -> Prepared:
    """The statement that does so."""
    spelt = {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing(),
    }
    return Prepared(spelt.__getitem__, columns)
