"""Working time (A6): which days people work in China, from when until when, and what instant lies so many working hours ahead.

Weekends and public holidays are off, and some weekend days are worked to make up for long holidays (调休). The State Council publishes
each year's arrangement in the November before. Until then only the holidays themselves are known, which are law; which days around them
are moved is not, so every answer about such a year is provisional (“暂按周末规则”) and must be shown as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha256

from rules.weeks import SHANGHAI, Week

_SATURDAY = 6
_DECEMBER = 12
_A_DAY = timedelta(days=1)


class Counting(StrEnum):
    """What hours count."""

    CALENDAR = "calendar"  # every hour
    WORKING = "working"  # hours in which people work


@dataclass(frozen=True)
class Calendar:
    """The days of Asia/Shanghai. `holidays` and `makeup` are local dates; a make-up day is worked, whatever else it is. `years` are
    those whose arrangement is published. Work lasts from `from_time` until `to_time` of the same day, local, the latter later."""

    holidays: frozenset[date] = frozenset()
    makeup: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    from_time: time = time(9)
    to_time: time = time(18)

    @cached_property
    def mark(self) -> str:
        """16 hexadecimal digits that change with whatever this calendar knows."""
        known = (sorted(self.holidays), sorted(self.makeup), sorted(self.years), self.from_time, self.to_time)
        return sha256(repr(known).encode()).hexdigest()[:16]

    def is_workday(self, day: date) -> bool:
        """Whether people work on this local date; in a year that is not published, as far as one can know."""
        if day in self.makeup:
            return True
        return day.isoweekday() < _SATURDAY and day not in self.holidays

    def published(self, year: int) -> bool:
        """Whether holidays and make-up days of the year are known; if not, “暂按周末规则” must be said."""
        return year in self.years

    def workdays(self, week: Week) -> tuple[date, ...]:
        """The days of an ISO week that are worked, in order: a make-up Sunday counts, a holiday does not. May be empty."""
        return _workdays(self, week)

    def next_workday(self, day: date) -> date:
        """`day` itself when it is worked, else the first one after it that is."""
        while not self.is_workday(day):
            day += _A_DAY
        return day

    def begins(self, day: date) -> datetime:
        """When work begins on a local date, aware UTC; asked of a day off, when it would."""
        return datetime.combine(day, self.from_time, SHANGHAI).astimezone(UTC)

    def ends(self, day: date) -> datetime:
        """When work ends on a local date, aware UTC."""
        return datetime.combine(day, self.to_time, SHANGHAI).astimezone(UTC)

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        """The first instant at which `amount` of working time has passed since `start`, both aware UTC.

        An amount that is used up exactly at the end of a day ends there and not on the next morning; nothing at all ends at `start`.
        """
        left, day = amount, start.astimezone(SHANGHAI).date()
        if left <= timedelta(0):
            return start
        while True:
            day = self.next_workday(day)
            since = max(start, self.begins(day))
            today = self.ends(day) - since
            if left <= today:
                return since + left
            left -= max(today, timedelta(0))
            day += _A_DAY

    def after(self, start: datetime, amount: timedelta, counting: Counting) -> datetime:
        """The instant at which `amount` has passed since `start`, by the hours that count."""
        return start + amount if counting is Counting.CALENDAR else self.add_working(start, amount)

    def provisional(self, start: datetime, end: datetime) -> bool:
        """Whether the span from `start` to `end` (aware UTC, both included) touches a year that is not published."""
        first, last = start.astimezone(SHANGHAI).year, end.astimezone(SHANGHAI).year
        return not all(self.published(year) for year in range(first, last + 1))


@lru_cache(maxsize=256)  # every look for what is due asks for the same few weeks
def _workdays(calendar: Calendar, week: Week) -> tuple[date, ...]:
    days = (week.monday + n * _A_DAY for n in range(7))
    return tuple(day for day in days if calendar.is_workday(day))


def unknown_year(calendar: Calendar, now: datetime) -> int | None:
    """The year whose arrangement is missed by now: this one, or in December, when it should long be out, the next. None when all is
    known."""
    today = now.astimezone(SHANGHAI)
    years = (today.year, today.year + 1) if today.month == _DECEMBER else (today.year,)
    return next((year for year in years if not calendar.published(year)), None)


WEEKENDS_ONLY = Calendar()
