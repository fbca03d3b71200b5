"""Scheduled work that is done once per slot, however many processes tick."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from storage.tables import runs
from storage.upsert import insert_new
from storage.work import Work


class RunsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def first(self, name: str, slot: str, now: datetime) -> bool:
        """Claim a slot ("2026-09-14") of a named job. False when somebody has it."""
        return insert_new(self._work, runs, {"name": name, "slot": slot, "at": now})

    def taken(self, name: str, slots: Sequence[str]) -> frozenset[str]:
        """Which of these slots somebody has."""
        query = select(runs.c.slot).where(runs.c.name == name, runs.c.slot.in_(slots))
        return frozenset(self._work.execute(query).scalars())
