"""Counted events from a CSV file (B1): `run.py counts import`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from bot.app import App
from handlers import counts
from handlers.context import Context
from handlers.counts import Taken
from rules.counts import FIELDS, REQUIRED, Problem

_AT_ONCE = 500  # a transaction of a few hundredths of a second
_TOO_MANY = "(too many)"
_MOST_TOLD = 20

Row = Mapping[str, object]
Line = tuple[int, Row]


class BadFile(Exception):
    """A file that cannot be taken in. The text is for the administrator: one problem a line, each with its line number; no values."""


def take_csv(app: App, path: Path) -> Taken:
    """Take in a file; how many of its events were new. Raises BadFile and changes nothing then. What an interrupted run has taken in is
    known to the next."""
    batches = list(_batches(read_csv(path)))
    problems = [problem for batch in batches for problem in _check(app, path, batch)]
    _demand_none(problems)
    taken = Taken(0, 0)
    for batch in batches:
        done = app.dispatcher.run(partial(counts.take_in, rows=[row for _, row in batch]))
        if not isinstance(done, Taken):
            raise BadFile("\n".join(_told(path, batch, done)))
        taken = Taken(taken.new + done.new, taken.known + done.known)
    return taken


def read_csv(path: Path) -> list[Line]:
    """The rows of a CSV file in UTF-8 (Excel's byte order mark is fine), each with its line number. Raises BadFile."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey=_TOO_MANY, restval="")
        try:
            columns = reader.fieldnames or ()
            rows: list[Line] = [(reader.line_num, {name: _cell(cell) for name, cell in row.items()}) for row in reader]
        except UnicodeDecodeError:
            raise BadFile(f"{path}: not UTF-8; in Excel save as “CSV UTF-8”") from None
        except csv.Error as error:
            raise BadFile(f"{path}:{reader.line_num}: {error}") from None
    wrong = [f"no column {name}" for name in REQUIRED if name not in columns]
    wrong += [f"an unknown column; known are {', '.join(FIELDS)}" for name in columns if name not in FIELDS]
    _demand_none([f"{path}:1: {what}" for what in wrong])
    _demand_none([f"{path}:{line}: more cells than the first line has columns" for line, row in rows if _TOO_MANY in row])
    return rows


def _cell(cell: object) -> object:
    return cell.strip() if isinstance(cell, str) else cell


def _batches(lines: Sequence[Line]) -> list[Sequence[Line]]:
    return [lines[start : start + _AT_ONCE] for start in range(0, len(lines), _AT_ONCE)]


def _check(app: App, path: Path, batch: Sequence[Line]) -> list[str]:
    with app.store.read() as tx:
        return _told(path, batch, counts.check(Context(tx, app.now(), app.policy), [row for _, row in batch]))


def _told(path: Path, batch: Sequence[Line], problems: Sequence[Problem]) -> list[str]:
    return [f"{path}:{batch[problem.row][0]}: {problem.field}: {problem.expected}" for problem in problems]


def _demand_none(problems: Sequence[str]) -> None:
    if problems:
        more = [f"… and {len(problems) - _MOST_TOLD} more"] if len(problems) > _MOST_TOLD else []
        raise BadFile("\n".join([*problems[:_MOST_TOLD], *more, "nothing was taken in"]))
