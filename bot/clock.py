"""The only place that asks for the time.

Business rules run on this clock, which a demo can move: with an offset file it is the real time plus the file's offset, or the
frozen instant the file names. Leases and rate limits run on the database's real clock instead (`storage.columns.db_now`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

UtcNow = Callable[[], datetime]


def utc_now() -> datetime:
    """The real time, aware UTC."""
    return datetime.now(UTC)


class MovableClock:
    """Follows a file `{"offset_seconds": float, "frozen_at": iso8601 | null}` that is replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._offset, self._frozen = timedelta(0), None  # type: timedelta, datetime | None

    def __call__(self) -> datetime:
        """Business time, aware UTC. A missing file means real time."""
        self._follow()
        return self._frozen or utc_now() + self._offset

    def _follow(self) -> None:
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return
        stamp = (state.st_mtime_ns, state.st_ino)
        if stamp == self._stamp:
            return
        told = json.loads(self._path.read_text("utf-8"))
        self._offset = timedelta(seconds=told["offset_seconds"])
        self._frozen = datetime.fromisoformat(told["frozen_at"]).astimezone(UTC) if told.get("frozen_at") else None
        self._stamp = stamp


def clock_for(offset_file: Path | None) -> UtcNow:
    """The real clock, or the movable one of a demo."""
    return MovableClock(offset_file) if offset_file else utc_now
