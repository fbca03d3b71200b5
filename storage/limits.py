"""Rate limits shared by all processes: one row per limited thing.

Requests to a platform's API are paced (`pace`, the generic cell rate algorithm): what the platform sees comes evenly, so that a network
that delays one request and not the next makes no crowd. What one person or group gets is counted in a sliding window (`wait`, `take`):
some at once are welcome, too many in a minute are not. Times are the database's clock, so that two nodes agree. Taken in the
transaction that claims a message: what is rolled back spends nothing. Source: engine.md, sections 3 (4) and 5 (d).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from storage.columns import db_now
from storage.tables import limits
from storage.upsert import insert_new
from storage.work import Prepared, Work

_PRECISION_SECONDS = 1e-6  # of a float that holds seconds since 1970
_BEHIND = 0.5  # of an interval, by which one that comes late lets the next come early: sleeping threads are never punctual

_ROW = Prepared(
    select(limits.c.free_at, limits.c.taken, db_now().label("now")).where(limits.c.key == bindparam("name")).with_for_update()
)
_PACED = Prepared(update(limits).where(limits.c.key == bindparam("name")), ["free_at"])
_TAKEN = Prepared(update(limits).where(limits.c.key == bindparam("name")), ["taken"])


@dataclass(frozen=True)
class Rate:
    """`count` per `seconds`, and never more than that in any window of that length (the end of a window not included)."""

    count: int
    seconds: float

    @property
    def interval(self) -> float:
        """Seconds between two when paced, such that one that comes early still keeps the limit."""
        return self.seconds / (self.count - _BEHIND)

    def following(self, free_at: float, now: float) -> float:
        """When the next is free if one that was free at `free_at` is taken `now`, which is not before."""
        return max(free_at, now - _BEHIND * self.interval) + self.interval


class LimitsTable:
    """A row that was read is locked, and remembered for as long as the transaction lasts."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._rows: dict[str, Any] = {}

    def pace(self, key: str, rate: Rate) -> float:
        """Take one now and answer 0, or take none and answer the seconds to wait: evenly, one per interval."""
        row = self._row(key)
        if row.free_at - row.now > _PRECISION_SECONDS:
            return float(row.free_at - row.now)
        self._paced(key, rate.following(row.free_at, row.now))
        return 0.0

    def pause(self, key: str, seconds: float) -> None:
        """The platform said "too fast": nobody is paced through `key` for `seconds`."""
        self._paced(key, self._row(key).now + seconds)

    def wait(self, key: str, rate: Rate) -> float:
        """Seconds until one may be taken from the window; 0 when it may now."""
        row, taken = self._row(key), self._within(key, rate)
        return float(taken[-rate.count] + rate.seconds - row.now) if len(taken) >= rate.count else 0.0

    def take(self, key: str, rate: Rate) -> None:
        """Take one from the window now, whether it may be or not."""
        taken = [*self._within(key, rate), self._row(key).now]
        self._work.run(_TAKEN, {"name": key, "taken": taken})
        self._rows[key] = self._rows[key]._replace(taken=taken)

    def _within(self, key: str, rate: Rate) -> list[float]:
        row = self._row(key)
        return [at for at in row.taken or () if at > row.now - rate.seconds + _PRECISION_SECONDS]

    def _paced(self, key: str, free_at: float) -> None:
        self._work.run(_PACED, {"name": key, "free_at": free_at})
        self._rows[key] = self._rows[key]._replace(free_at=free_at)

    def _row(self, key: str) -> Any:
        if key not in self._rows:
            row = self._work.row(_ROW, name=key)
            if row is None:
                insert_new(self._work, limits, {"key": key, "free_at": 0.0})
                row = self._work.one(_ROW, name=key)
            self._rows[key] = row
        return self._rows[key]
