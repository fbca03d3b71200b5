"""The real clock, and the one that a demo can move."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import MovableClock, clock_for, utc_now
from tests.builders import NOON

A_MINUTE = timedelta(minutes=1)


def test_the_real_clock_is_aware_utc() -> None:
    assert utc_now().tzinfo is UTC
    assert clock_for(None) is utc_now


def test_without_a_file_a_movable_clock_shows_real_time(tmp_path: Path) -> None:
    clock = clock_for(tmp_path / "clock.json")

    assert abs(clock() - utc_now()) < A_MINUTE


def test_the_clock_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    clock = MovableClock(path)

    _set(path, offset=timedelta(hours=72))
    assert abs(clock() - utc_now() - timedelta(hours=72)) < A_MINUTE

    _set(path, frozen=NOON)
    assert clock() == NOON

    _set(path, offset=timedelta(0))
    assert abs(clock() - utc_now()) < A_MINUTE


def test_a_frozen_instant_in_local_time_is_read_as_the_same_instant(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_text('{"offset_seconds": 0, "frozen_at": "2026-09-14T12:00:00+08:00"}', "utf-8")

    told = MovableClock(path)()

    assert told == NOON
    assert told.tzinfo is UTC


def _set(path: Path, offset: timedelta = timedelta(0), frozen: datetime | None = None) -> None:
    """Replace the file as its writer does: whole, under another inode."""
    new = path.with_suffix(".new")
    told = {"offset_seconds": offset.total_seconds(), "frozen_at": frozen.isoformat() if frozen else None}
    new.write_text(json.dumps(told), "utf-8")
    new.replace(path)
