"""How many feedbacks a supervisor owes in a week (A8): fewer where holidays or an absence shorten it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from rules.away import Away
from rules.messages import PersonId
from rules.weeks import Week
from rules.worktime import Calendar

_FULL_WEEK = 5
_MOST_OFFERED = 3


@dataclass(frozen=True)
class Standing:
    """What a supervisor owes in a week and has given of it."""

    owed: int
    given: int

    @property
    def missing(self) -> int:
        """How many are missing; never negative."""
        return max(0, self.owed - self.given)


def owed(full: int, week: Week, calendar: Calendar, away: Away | None = None) -> int:
    """What is owed in a week: `full` for five workdays, in proportion for fewer, half a feedback rounded up, never more than `full`.

    A workday on which somebody stands in for him (from its beginning to its end) is none of his.
    """
    days = sum(not _absent(away, calendar.begins(day), calendar.ends(day)) for day in calendar.workdays(week))
    share = (Decimal(full * days) / _FULL_WEEK).quantize(Decimal(1), ROUND_HALF_UP)
    return min(full, int(share))


def whom_to_offer(reports: Sequence[PersonId], last_mentioned: Mapping[PersonId, datetime]) -> tuple[PersonId, ...]:
    """The reports not mentioned for longest, those never mentioned first, in the order of `reports` among equals; three at most."""
    never = sorted((person for person in reports if person not in last_mentioned), key=reports.index)
    rest = sorted((person for person in reports if person in last_mentioned), key=lambda person: last_mentioned[person])
    return tuple([*never, *rest][:_MOST_OFFERED])


def _absent(away: Away | None, begins: datetime, ends: datetime) -> bool:
    if away is None or away.stand_in is None or away.stand_in_from is None or away.stand_in_until is None:
        return False
    return away.stand_in_from <= begins and ends <= away.stand_in_until
