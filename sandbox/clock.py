"""The business clock, which can be moved and stopped, and the real one.

Business time decides lifetimes of tokens, codes and media and the 24 h and 72 h windows. Stream tickets, answer
deadlines and rate windows run on real time: a moved clock must not make a slow bot look fast.
Other processes read the business clock from `clock.json`: {"offset_seconds": float, "frozen_at": iso | null}.
"""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


def real_now() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never jump; for deadlines and durations."""
    return time.monotonic()


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z, as everything in the control API."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(moment: datetime) -> str:
    """ISO 8601 in UTC to the microsecond, for times that lifetimes are measured from."""
    return moment.astimezone(UTC).isoformat()


def parse_iso(text: str) -> datetime:
    """An aware UTC time; raises ValueError for anything without a time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


class Clock:
    """Business time = real time + offset, or a frozen moment. Every change is in the file before it is used."""

    def __init__(self, path: Path) -> None:
        """Continue with what `path` says; a missing file means real time."""
        self._path = path
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._frozen_at: datetime | None = None
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self._offset = timedelta(seconds=kept["offset_seconds"])
            self._frozen_at = parse_iso(kept["frozen_at"]) if kept["frozen_at"] else None
        else:
            self._keep()

    def now(self) -> datetime:
        """Business time, aware UTC."""
        with self._lock:
            return self._frozen_at or real_now() + self._offset

    def epoch_ms(self) -> int:
        """Business time in milliseconds since 1970, as DingTalk writes times."""
        return round(self.now().timestamp() * 1000)

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen_at is not None

    @property
    def offset_seconds(self) -> float:
        """How far business time is ahead of real time."""
        return (self.now() - real_now()).total_seconds() if self.frozen else self._offset.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Move by that much (back when negative)."""
        self.set(self.now() + by)

    def set(self, moment: datetime) -> None:
        """Be at `moment`; a frozen clock stays frozen there."""
        with self._lock:
            if self._frozen_at is not None:
                self._frozen_at = moment
            self._offset = moment - real_now()
            self._keep()

    def freeze(self, frozen: bool) -> None:
        """Stop, or go on from where it stopped."""
        now = self.now()
        with self._lock:
            self._frozen_at = now if frozen else None
            self._offset = now - real_now()
            self._keep()

    def reset(self) -> None:
        """Run at real time again."""
        with self._lock:
            self._frozen_at, self._offset = None, timedelta()
            self._keep()

    def _keep(self) -> None:
        frozen_at = self._frozen_at.isoformat() if self._frozen_at else None
        text = json.dumps({"offset_seconds": self._offset.total_seconds(), "frozen_at": frozen_at})
        beside = self._path.with_suffix(".tmp")
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, self._path)
