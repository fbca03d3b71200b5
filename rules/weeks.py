"""Weeks as the company counts them: ISO weeks, Monday to Sunday, in Asia/Shanghai."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, order=True)
class Week:
    """An ISO week: 2026-12-31 lies in week 53 of 2026, 2027-01-01 too."""

    year: int
    number: int

    @property
    def monday(self) -> date:
        """Its first day."""
        return date.fromisocalendar(self.year, self.number, 1)

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def begins(self) -> datetime:
        """Monday 00:00 in Shanghai, as aware UTC."""
        return midnight(self.monday)

    @property
    def ends(self) -> datetime:
        """The Monday after, 00:00 in Shanghai, as aware UTC: no longer part of it."""
        return midnight(self.monday + timedelta(weeks=1))

    def back(self, weeks: int) -> Week:
        """The week so many weeks earlier."""
        return _week_of(self.monday - timedelta(weeks=weeks))

    @classmethod
    def read(cls, text: str) -> Week:
        """The inverse of `str`. Raises ValueError for anything but "2026-W38", and for a week that the year does not have."""
        year, mark, number = text.partition("-W")
        if not mark:
            raise ValueError(f"{text!r} is no week like 2026-W38")
        week = cls(int(year), int(number))
        date.fromisocalendar(week.year, week.number, 1)
        return week

    def __str__(self) -> str:
        """ "2026-W38": a key for what happens once a week."""
        return f"{self.year}-W{self.number:02}"


def week_of(now: datetime) -> Week:
    """The week that an instant lies in, by Shanghai's calendar."""
    return _week_of(now.astimezone(SHANGHAI).date())


def _week_of(day: date) -> Week:
    year, number, _ = day.isocalendar()
    return Week(year, number)


def midnight(day: date) -> datetime:
    """When a local day begins in Shanghai, as aware UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
