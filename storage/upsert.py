"""INSERT … ON CONFLICT DO NOTHING, which both databases know and SQLAlchemy spells per dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert the row unless one of its unique keys stands there already. True when it was inserted."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**values).on_conflict_do_nothing()
    # Without the option the count of an INSERT is asked of a cursor that psycopg has closed by then, and is always -1.
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1
