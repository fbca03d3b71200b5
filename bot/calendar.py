"""Which days China works: what the package `holidays` knows, corrected by a file of the company's own that may change while we run.

The package computes the statutory days of any year, which are law, and has the State Council's arrangement (days moved, make-up days)
for the years that are published. A year without make-up days in it is not published: then only its statutory days and weekends count,
and `Calendar.published` says no.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from holidays import country_holidays

from bot.yaml_file import ConfigError, YamlFile, located, read
from rules.worktime import Calendar

log = logging.getLogger("sanmiao.calendar")

_YEARS = range(2015, 2051)
_LONGEST_SPAN = timedelta(days=31)


@dataclass(frozen=True)
class OwnDays:
    """What the company's file says: days off, days worked after all, and years that it describes completely."""

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    published: frozenset[int] = frozenset()


def public_calendar(from_time: time, to_time: time, own: OwnDays | None = None) -> Calendar:
    """China's calendar with the company's own days laid over it."""
    own = own or OwnDays()
    arranged = country_holidays("CN", years=_YEARS)
    made_up = {day for day in arranged.weekend_workdays if day.year in _YEARS}
    published = {day.year for day in made_up}
    statutory = country_holidays("CN", years=[year for year in _YEARS if year not in published], observed=False)
    off = {day for day in arranged if day.year in published} | set(statutory)
    return Calendar(
        holidays=frozenset(off - own.workdays | own.holidays),
        makeup=frozenset(made_up - own.holidays | own.workdays),
        years=frozenset(published | own.published),
        from_time=from_time,
        to_time=to_time,
    )


class FollowedCalendar:
    """The calendar as it is known now. The company's file is read again when it changes; while it is wrong, what was known before
    stays in force and `problem` says why."""

    def __init__(self, path: Path | None, from_time: time, to_time: time) -> None:
        """Raises ConfigError when the file is wrong at the start."""
        self._path, self._hours = path, (from_time, to_time)
        self._stamp = _stamp(path)
        self._calendar = public_calendar(*self._hours, own_days(path) if path else None)
        self.problem: str | None = None

    def __call__(self) -> Calendar:
        """Workdays, holidays and hours of work, as of now."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read_again()
        return self._calendar

    def _read_again(self) -> None:
        assert self._path is not None
        try:
            self._calendar = public_calendar(*self._hours, own_days(self._path))
        except ConfigError as error:
            self.problem = str(error)
            log.error("the calendar stays as it was; what is wrong: %s", error)
        else:
            self.problem = None
            log.info("calendar read again from %s", self._path)


def own_days(path: Path) -> OwnDays:
    """Read the company's file. Raises ConfigError with file, line and key for everything that is wrong in it."""
    source = read(path, yaml.BaseLoader)
    problems: list[str] = []
    days = {key: frozenset(_days(source, key, problems)) for key in ("holidays", "workdays")}
    years = frozenset(_years(source, problems))
    problems += [
        located(source, (key,), "unknown key; there are holidays, workdays and published")
        for key in source.values
        if key not in ("holidays", "workdays", "published")
    ]
    both = days["holidays"] & days["workdays"]
    if both:
        problems.append(located(source, ("workdays",), f"{min(both)} is among the holidays, too"))
    if problems:
        raise ConfigError("\n".join(problems))
    return OwnDays(days["holidays"], days["workdays"], years)


def _days(source: YamlFile, key: str, problems: list[str]) -> Iterator[date]:
    for index, written in _written(source, key, problems):
        first, _, last = written.partition("..")
        try:
            begins, ends = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
        except ValueError:
            problems.append(
                located(source, (key, index), f"`{written}`: a date like 2027-02-05, or a span like 2027-02-05..2027-02-11")
            )
            continue
        if not timedelta(0) <= ends - begins <= _LONGEST_SPAN:
            problems.append(
                located(source, (key, index), f"`{written}`: a span goes forward, and over {_LONGEST_SPAN.days} days at most")
            )
            continue
        yield from (begins + timedelta(days=n) for n in range((ends - begins).days + 1))


def _years(source: YamlFile, problems: list[str]) -> Iterator[int]:
    for index, written in _written(source, "published", problems):
        if written.isdecimal() and int(written) in _YEARS:
            yield int(written)
        else:
            problems.append(located(source, ("published", index), f"`{written}`: a year from {_YEARS[0]} to {_YEARS[-1]}"))


def _written(source: YamlFile, key: str, problems: list[str]) -> Iterator[tuple[str, str]]:
    """The texts of a list with their index; nothing at all is an empty list."""
    entries: Any = source.values.get(key) or []
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        problems.append(located(source, (key,), "a list, one `- ` line each"))
        return
    yield from ((str(index), entry) for index, entry in enumerate(entries))


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """What changes with the file; None when there is none."""
    try:
        state = path.stat() if path else None
    except OSError:
        return None
    return (state.st_mtime_ns, state.st_ino, state.st_size) if state else None
