"""Scheduled work that is done once per slot, however many processes tick."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from storage.tables import runs
from storage.upsert import insert_new


class RunsTable:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def first(self, name: str, slot: str, now: datetime) -> bool:
        """Claim a slot ("2026-09-14") of a named job. False when somebody has it."""
        return insert_new(self._connection, runs, {"name": name, "slot": slot, "at": now})

    def taken(self, name: str, slots: Sequence[str]) -> frozenset[str]:
        """Which of these slots somebody has."""
        query = select(runs.c.slot).where(runs.c.name == name, runs.c.slot.in_(slots))
        return frozenset(self._connection.execute(query).scalars())
