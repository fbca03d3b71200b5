"""偏好: how somebody wants to be disturbed, and who stands in for him, as he sets it on the page (A10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from handlers.away import appoint
from handlers.context import Context
from rules import away
from rules.away import Away
from rules.feedback import Refusal
from rules.manners import Preferences
from rules.messages import PersonId
from rules.people import Person
from rules.weeks import SHANGHAI, midnight

_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Set:
    """What stands on the page. `takers` are those who may stand in, in order of their names; none where there is nothing to stand in
    for."""

    wishes: Preferences
    named: bool
    away: Away
    stand_in: Person | None
    takers: tuple[Person, ...]

    @property
    def until(self) -> datetime | None:
        """The last minute of the stand-in: midnight would read as the day after."""
        ends = self.away.stand_in_until
        return ends - timedelta(minutes=1) if ends else None


def of(ctx: Context, person: Person) -> Set:
    """How it is set now."""
    told = ctx.tx.away.of(person.id)
    # One that begins later is shown too: who set it wants to see it.
    planned = told.stand_in if told.stand_in_until is not None and ctx.now < told.stand_in_until else None
    named = person.id not in ctx.tx.digests.unnamed([person.id])
    stand_in = ctx.tx.people.get(planned) if planned is not None else None
    return Set(ctx.tx.preferences.of(person.id), named, told, stand_in, _takers(ctx, person))


def change(ctx: Context, person: Person, wishes: Preferences, *, named: bool) -> None:
    """From now on he is disturbed as he wishes; what was held for him is judged anew."""
    ctx.tx.preferences.put(person.id, wishes)
    ctx.tx.digests.name_in_groups(person.id, wanted=named)
    ctx.tx.outbox.release(person.id, ctx.now)


def stand_in(ctx: Context, person: Person, taker: PersonId | None, first: date | None, last: date | None) -> Refusal | None:
    """Somebody stands in from the first until the end of the last local day; why not, when he cannot."""
    chosen = next((other for other in _takers(ctx, person) if other.id == taker), None)
    if chosen is None:
        return Refusal.WHO_STANDS_IN
    if last is None or last < ctx.now.astimezone(SHANGHAI).date() or (first is not None and last < first):
        return Refusal.WHEN_UNCLEAR
    begins = max(ctx.now, midnight(first)) if first is not None else ctx.now
    appoint(ctx, person, chosen, begins, min(midnight(last) + _A_DAY, begins + away.LONGEST_STAND_IN))
    return None


def come_back(ctx: Context, person: Person) -> None:
    """He is there again."""
    ctx.tx.away.put(away.back(ctx.tx.away.of(person.id)))
    ctx.tx.outbox.release(person.id, ctx.now)


def _takers(ctx: Context, person: Person) -> tuple[Person, ...]:
    """Whoever leads people or is an HRBP may stand in for somebody who does or is, unless he is away himself."""
    if not ctx.tx.people.reports_of(person.id) and not ctx.tx.people.in_charge_of(person.id):
        return ()
    people = {other.id: other for other in ctx.tx.people.all().values() if other.active}
    charged = {id for other in people.values() for id in (other.supervisor, other.hrbp) if id in people}
    able = charged - {person.id} - ctx.tx.away.absent(ctx.now).keys()
    return tuple(sorted((people[id] for id in able if id is not None), key=lambda other: (other.name, other.key)))
