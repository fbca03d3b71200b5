"""Which check-in card to offer, to whom and when (A2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rules.feedback import Behaviour, Refusal
from rules.messages import PersonId
from rules.people import Person
from rules.policy import Checkins, Library

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOST_BOXES = 6


@dataclass(frozen=True)
class Choice:
    """What stands on the card: one occasion, two to six boxes."""

    occasion: str
    behaviours: tuple[Behaviour, ...]


def choose(libraries: Mapping[str, Library], role: str, used: int) -> Choice | None:
    """The card about somebody of this role. Occasions take turns: `used` is how many cards this author has had about this person.
    None when the role has no library."""
    library = libraries.get(role)
    if library is None:
        return None
    return Choice(library.occasions[used % len(library.occasions)], library.behaviours[:MOST_BOXES])


def may_ask(author: Person, subject: Person, people: Mapping[PersonId, Person]) -> Refusal | None:
    """None when `author` may give feedback to `subject`: whoever stands above him in his line (A1)."""
    if not subject.active:
        return Refusal.SUBJECT_LEFT
    if subject.id == author.id:
        return Refusal.YOURSELF
    seen: set[PersonId] = set()
    above = subject.supervisor
    while above is not None and above not in seen and above in people:
        if above == author.id:
            return None
        seen.add(above)
        above = people[above].supervisor
    return Refusal.NOT_YOUR_REPORT


def day_open(schedule: Checkins, now: datetime) -> date | None:
    """The local day whose check-in cards may go out at `now`, None outside its hours."""
    local = now.astimezone(SHANGHAI)
    if schedule.at is None or local.isoweekday() not in schedule.weekdays:
        return None
    return local.date() if schedule.at <= local.time() < schedule.until else None
