"""Keeping up with who is who (A9): people.csv by hand, the platforms' directories every night and on demand."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_UNIQUE = {"key": "key", "dingtalk": "dingtalk account", "wecom": "wecom account"}
_TOO_MANY = "(too many)"

Row = Mapping[str, str]


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
        entries = read_csv(path)
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


def read_csv(path: Path) -> tuple[Entry, ...]:
    """The people of a CSV file in UTF-8 (Excel's byte order mark is fine). Raises BadList with every problem found."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey=_TOO_MANY, restval="")
        try:
            rows = [(reader.line_num, row) for row in reader]
        except UnicodeDecodeError:
            raise BadList(f"{path}: not UTF-8; in Excel save as “CSV UTF-8”") from None
    if not rows:
        raise BadList(f"{path}: no people in it; the first line names the columns {', '.join(_COLUMNS)}")
    problems = [f"{path}:{line}: {problem}" for line, problem in _problems(rows)]
    if problems:
        raise BadList("\n".join(problems))
    return tuple(_entry(row) for _, row in rows)


def _problems(rows: Sequence[tuple[int, Row]]) -> Iterator[tuple[int, str]]:
    """Line number and what is wrong there, in order of the lines."""
    times = {column: Counter(_cell(row, column) for _, row in rows) for column in _UNIQUE}
    for line, row in rows:
        for problem in _problems_of(row, times):
            yield line, problem


def _problems_of(row: Row, times: Mapping[str, Counter[str]]) -> Iterator[str]:
    if _TOO_MANY in row:
        yield "more cells than the first line has columns"
    unknown = [column for column in row if column not in (*_COLUMNS, _TOO_MANY)]
    if unknown:
        yield f"unknown column {unknown[0]!r}; known are {', '.join(_COLUMNS)}"
    missing = [column for column in _NEEDED if not _cell(row, column)]
    if missing:
        yield f"{missing[0]} is empty"
    for column, what in _UNIQUE.items():
        if _cell(row, column) and times[column][_cell(row, column)] > 1:
            yield f"this {what} stands in several lines"
    for column in ("supervisor", "hrbp"):
        if _cell(row, column) and _cell(row, column) not in times["key"]:
            yield f"{column} is a key that no line has"
    if _cell(row, "left").lower() not in ("", "0", "1", "yes", "no", "true", "false"):
        yield "left is yes, no or empty"


def _cell(row: Row, column: str) -> str:
    return (row.get(column) or "").strip()


def _entry(row: Row) -> Entry:
    cell = {column: _cell(row, column) for column in _COLUMNS}
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
