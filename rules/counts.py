"""What systems count (B1 “counted data”): one row is one event, as a file or a request brings it, read into a value or told what is
wrong.

| field   | what                                                                                                              |
|---------|-------------------------------------------------------------------------------------------------------------------|
| key     | the event's own name in its system, 160 characters at most; the same key again is the same event                   |
| person  | whose doing it was: the employee number                                                                           |
| rate    | what was achieved: an id of `digests.rates`                                                                       |
| at      | when it happened, ISO 8601; without an offset Shanghai time; not in the future                                    |
| count   | how many, above 0 and up to 1,000,000, three decimals at most; 1 when left out                                    |
| record  | the number of the feedback that it belongs to; none when left out                                                 |
| overlap | events with the same are the same achievement, and the first one counts; the key when left out                    |
| system  | what counted it, as people read it; 32 characters at most                                                      |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from rules.weeks import SHANGHAI

FIELDS = ("key", "person", "rate", "at", "count", "record", "overlap", "system")
REQUIRED = ("key", "person", "rate", "at")
_LONGEST = {"key": 160, "person": 128, "rate": 64, "overlap": 160, "system": 32}
_MOST = Decimal(1_000_000)
_FINEST = -3  # decimals
_EARLIEST = datetime(2000, 1, 1, tzinfo=SHANGHAI)
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class CountedEvent:
    """Something a system counted. `person` is a key, `at` aware, `record` None for an event of its own."""

    key: str
    person: str
    rate: str
    at: datetime
    count: Decimal
    record: int | None
    overlap: str
    system: str


@dataclass(frozen=True)
class Problem:
    """Why a row is not taken in: its place in the list, from 0, the field, and what was expected there."""

    row: int
    field: str
    expected: str


class _Wrong(Exception):
    """A field that cannot be read; the text says what was expected."""


def read_events(rows: Sequence[Mapping[str, object]], now: datetime) -> tuple[tuple[CountedEvent, ...], tuple[Problem, ...]]:
    """The events of the rows that can be read, in order, and what is wrong with the others. Values are texts, or what JSON has for
    them; an empty text is a field left out."""
    events: list[CountedEvent] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows):
        given = {name: value for name, value in row.items() if value not in ("", None)}
        wrong = [Problem(number, field, expected) for field, expected in _wrong(given, now)]
        problems += wrong
        if not wrong:
            events.append(_event(given))
    return tuple(events), tuple(problems)


def _wrong(row: Mapping[str, object], now: datetime) -> Iterator[tuple[str, str]]:
    yield from ((name, f"no such field; there are {', '.join(FIELDS)}") for name in row if name not in FIELDS)
    yield from ((name, "is missing") for name in REQUIRED if name not in row)
    for name, most in _LONGEST.items():
        if name in row and not _is_text(row[name], most):
            yield name, f"a printable text of {most} characters at most"
    for name, read in (("at", lambda value: _past(value, now)), ("count", _count), ("record", _record)):
        try:
            if name in row:
                read(row[name])
        except _Wrong as wrong:
            yield name, str(wrong)


def _event(row: Mapping[str, object]) -> CountedEvent:
    return CountedEvent(
        key=str(row["key"]),
        person=str(row["person"]),
        rate=str(row["rate"]),
        at=_instant(row["at"]),
        count=_count(row.get("count", 1)),
        record=_record(row["record"]) if "record" in row else None,
        overlap=str(row.get("overlap", row["key"])),
        system=str(row.get("system", "")),
    )


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) <= most


def _past(value: object, now: datetime) -> None:
    if not _EARLIEST <= _instant(value) <= now + _CLOCKS_DIFFER:
        raise _Wrong("an instant since 2000, not in the future")


def _instant(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None:
        raise _Wrong("an instant like 2026-09-14T10:30:00+08:00, or 2026-09-14 10:30 in Shanghai")
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _count(value: object) -> Decimal:
    expected = "a number above 0 and up to 1,000,000, with three decimals at most"
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise _Wrong(expected)
    try:
        count = Decimal(value)
    except InvalidOperation:
        raise _Wrong(expected) from None
    exponent = count.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _FINEST or not 0 < count <= _MOST:
        raise _Wrong(expected)
    return count


def _record(value: object) -> int:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[0-9]{1,10}", text) or not 0 < int(text) < 2**31:
        raise _Wrong("the number of a feedback")
    return int(text)
