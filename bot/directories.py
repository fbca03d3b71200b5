"""Keeping up with who is who (A9): people.csv by hand, the platforms' directories every night and on demand."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import time
from pathlib import Path

from bot.channel import SendFailed
from bot.clock import UtcNow
from handlers import people
from handlers.context import Context
from rules.checkins import SHANGHAI
from rules.directory import Directory
from rules.events import Account, Platform
from rules.people import Entry
from rules.policy import Policy
from storage.unit import Store

log = logging.getLogger("sanmiao.people")

_COLUMNS = ("key", "name", "department", "position", "role", "supervisor", "hrbp", "mobile", "dingtalk", "wecom", "left")
_NEEDED = ("key", "name", "department")


class BadList(Exception):
    """people.csv cannot be used. The text is for the administrator: one problem a line, each with its line number; no names."""


class Directories:
    """Reads lists and directories and hands them to the handlers, each in one transaction."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        utc_now: UtcNow,
        fetchers: Mapping[Platform, Callable[[], Directory]],
        sync_at: time | None,
        committed: Callable[[], None],
    ) -> None:
        self._store, self._policy, self._now = store, policy, utc_now
        self._fetchers, self._sync_at, self._committed = fetchers, sync_at, committed

    def take_csv(self, path: Path) -> int:
        """Take in people.csv; how many people it names. Raises BadList and changes nothing then."""
        entries = tuple(read_csv(path))
        with self._store.begin() as tx:
            people.take_list(Context(tx, self._now(), self._policy), entries)
        self._committed()
        return len(entries)

    def read(self, platform: Platform) -> Directory:
        """What a platform's directory says now. Raises SendFailed."""
        return self._fetchers[platform]()

    def sync(self, platform: Platform) -> tuple[int, int]:
        """Read one platform's directory and take it in: (members, names that fit several people). Raises SendFailed."""
        directory = self.read(platform)
        with self._store.begin() as tx:
            unsure = people.take_directory(Context(tx, self._now(), self._policy), platform, directory)
        self._committed()
        log.info("directory platform=%s members=%d unsure=%d", platform, len(directory.members), len(unsure))
        return len(directory.members), len(unsure)

    def nightly(self) -> None:
        """At the configured local time, once a day for all processes: sync every platform. A platform that fails waits a day."""
        local = self._now().astimezone(SHANGHAI)
        if self._sync_at is None or local.time() < self._sync_at:
            return
        for platform in self._fetchers:
            with self._store.begin() as tx:
                mine = tx.runs.first(f"sync:{platform}", local.date().isoformat(), self._now())
            if mine:
                self._try(platform)

    def _try(self, platform: Platform) -> None:
        try:
            self.sync(platform)
        except SendFailed as failure:
            log.warning("directory not read platform=%s code=%s", platform, failure.code)


def read_csv(path: Path) -> Iterator[Entry]:
    """The people of a CSV file in UTF-8 (Excel's byte order mark is fine). Raises BadList with every problem found."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            rows = list(csv.DictReader(file))
        except UnicodeDecodeError:
            raise BadList(f"{path}: not UTF-8; in Excel save as “CSV UTF-8”") from None
    problems = [f"{path}:{line}: {problem}" for line, row in enumerate(rows, 2) for problem in _problems(row, rows)]
    if not rows:
        problems = [f"{path}: no people in it; the first line names the columns {', '.join(_COLUMNS)}"]
    if problems:
        raise BadList("\n".join(dict.fromkeys(problems)))
    return (_entry(row) for row in rows)


def _problems(row: Mapping[str, str | None], rows: list[dict[str, str]]) -> Iterator[str]:
    unknown = [column for column in row if column not in _COLUMNS]
    if unknown:
        yield f"unknown column {unknown[0]!r}; known are {', '.join(_COLUMNS)}"
    missing = [column for column in _NEEDED if not (row.get(column) or "").strip()]
    if missing:
        yield f"{missing[0]} is empty"
    keys = [other.get("key") for other in rows]
    if keys.count(row.get("key")) > 1:
        yield "this key stands in several lines"
    for column in ("supervisor", "hrbp"):
        if (row.get(column) or "") not in ("", *keys):
            yield f"{column} is a key that no line has"
    if (row.get("left") or "").strip().lower() not in ("", "0", "1", "yes", "no", "true", "false"):
        yield "left is yes, no or empty"


def _entry(row: Mapping[str, str | None]) -> Entry:
    cell = {column: (row.get(column) or "").strip() for column in _COLUMNS}
    accounts = tuple(Account(platform, cell[platform.value]) for platform in Platform if cell[platform.value])
    return Entry(
        key=cell["key"],
        name=cell["name"],
        department=cell["department"],
        accounts=accounts,
        position=cell["position"],
        role=cell["role"] or None,
        supervisor=cell["supervisor"] or None,
        hrbp=cell["hrbp"] or None,
        mobile=cell["mobile"],
        left=cell["left"].lower() in ("1", "yes", "true"),
    )
