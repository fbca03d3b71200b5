"""Who does not want to be disturbed for a while (稍后提醒), and who stands in for whom (请假代理), as a person asks in chat (A10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from rules.messages import PersonId
from rules.weeks import SHANGHAI, midnight

LONGEST_HOLD = timedelta(days=7)
USUAL_STAND_IN = timedelta(days=7)  # when nobody says until when
LONGEST_STAND_IN = timedelta(days=60)


@dataclass(frozen=True)
class Away:
    """What a person asked for. Instants are aware UTC; what is over is as if it had never been."""

    person: PersonId
    held_until: datetime | None = None
    stand_in: PersonId | None = None
    stand_in_from: datetime | None = None
    stand_in_until: datetime | None = None


def hold(away: Away, until: datetime, now: datetime) -> Away:
    """稍后提醒: no reminders before `until`, for a week at most."""
    return replace(away, held_until=min(until, now + LONGEST_HOLD))


def held(away: Away, now: datetime) -> datetime | None:
    """Until when reminders are held at `now`; None when they are not."""
    return away.held_until if away.held_until is not None and now < away.held_until else None


def appoint(away: Away, stand_in: PersonId, begins: datetime, ends: datetime) -> Away:
    """请假代理: `stand_in` gets from `begins` until `ends` what falls to this person."""
    return replace(away, stand_in=stand_in, stand_in_from=begins, stand_in_until=ends)


def back(away: Away) -> Away:
    """The person is there again."""
    return replace(away, stand_in=None, stand_in_from=None, stand_in_until=None)


def stand_in(away: Away | None, now: datetime) -> PersonId | None:
    """Who stands in at `now`. Asked at each step anew, so that a stand-in ends by itself."""
    if away is None or away.stand_in_from is None or away.stand_in_until is None:
        return None
    return away.stand_in if away.stand_in_from <= now < away.stand_in_until else None


def acting_for(person: PersonId, absent: Mapping[PersonId, Away], now: datetime) -> frozenset[PersonId]:
    """Everybody in whose name `person` may act at `now`: himself and those he stands in for."""
    return frozenset({person, *(id for id, away in absent.items() if stand_in(away, now) == person)})


def absence(now: datetime, day: date | None, length: timedelta | None, *, begins_then: bool) -> tuple[datetime, datetime]:
    """From when until when somebody stands in: until the end of a local day. `day` is a day that was named: the first one when
    `begins_then`, else the last. `length` is how long; a week when nobody says."""
    days = timedelta(days=max(1, min((length or USUAL_STAND_IN).days, LONGEST_STAND_IN.days)))
    if day is not None and not begins_then:
        return now, midnight(day) + timedelta(days=1)
    first = midnight(day or now.astimezone(SHANGHAI).date())
    return max(now, first), first + days
