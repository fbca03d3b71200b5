"""What was spent of the platforms' budgets, by local day. Processes have rows of their own (`shard`): nobody waits for anybody to
count."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import func, select, update

from storage.tables import usage
from storage.upsert import insert_new
from storage.work import Work


class UsageTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def add(self, platform: str, what: str, day: date, shard: str, count: int) -> None:
        """So many more were spent on that day."""
        key = {"platform": platform, "what": what, "day": day.isoformat(), "shard": shard}
        insert_new(self._work, usage, key | {"count": 0})
        this = [usage.c[column] == value for column, value in key.items()]
        self._work.execute(update(usage).where(*this).values(count=usage.c.count + count))

    def spent(self, first: date, last: date) -> Mapping[tuple[str, str], int]:
        """What was spent from the first to the last day, both included, by platform and kind."""
        query = (
            select(usage.c.platform, usage.c.what, func.sum(usage.c.count))
            .where(usage.c.day >= first.isoformat(), usage.c.day <= last.isoformat())
            .group_by(usage.c.platform, usage.c.what)
        )
        return {(platform, what): int(count) for platform, what, count in self._work.execute(query)}
