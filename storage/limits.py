"""Rate limits shared by all processes: one row per limited thing, advanced by the generic cell rate algorithm (GCRA).

Times are the database's clock, so that two nodes agree. Taken in the transaction that claims a message: what is rolled back spends
nothing. Source: engine.md, sections 3 (4) and 5 (d).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from storage.columns import db_now
from storage.tables import limits
from storage.upsert import insert_new
from storage.work import Work

_PRECISION_SECONDS = 1e-6  # of a float that holds seconds since 1970


@dataclass(frozen=True)
class Rate:
    """`count` per `seconds`, never more than that in any window of that length: `burst` of them may go at once, the rest is paced."""

    count: int
    seconds: float
    burst: int

    @property
    def interval(self) -> float:
        """Seconds between two when paced, such that a full burst just before still keeps the limit."""
        return self.seconds / (self.count - self.burst)


class LimitsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def take(self, key: str, rate: Rate) -> float:
        """Take one now and answer 0, or take none and answer the seconds to wait."""
        insert_new(self._work, limits, {"key": key, "free_at": 0.0})
        free_at, now = self._work.execute(select(limits.c.free_at, db_now()).where(limits.c.key == key).with_for_update()).one()
        wait = free_at - (rate.burst - 1) * rate.interval - now
        if wait > _PRECISION_SECONDS:
            return float(wait)
        self._work.execute(update(limits).where(limits.c.key == key).values(free_at=max(free_at, now) + rate.interval))
        return 0.0

    def pause(self, key: str, rate: Rate, seconds: float) -> None:
        """The platform said "too fast": nobody takes from `key` for `seconds`."""
        insert_new(self._work, limits, {"key": key, "free_at": 0.0})
        until = db_now() + seconds + (rate.burst - 1) * rate.interval
        self._work.execute(update(limits).where(limits.c.key == key).values(free_at=until))
