"""Who may see a record, by what is stored: fetches what `rules.visibility` asks for."""

from __future__ import annotations

from datetime import datetime

from rules import away, visibility
from rules.feedback import Record
from rules.messages import PersonId
from rules.people import Person
from storage.unit import Tx


def may_see(tx: Tx, person: Person, record: Record, now: datetime) -> bool:
    """Whether `person` may see `record` at `now`, by today's directory and by who stands in for whom."""
    people = {**tx.people.upwards_from(record.author), **tx.people.some({record.subject})}
    return visibility.may_see(person, record, people, tx.loops.get(record.id), stands_in_for(tx, person, now))


def stands_in_for(tx: Tx, person: Person, now: datetime) -> frozenset[PersonId]:
    """For whom this person stands in at `now`; nobody stands in for one who left."""
    others = away.acting_for(person.id, tx.away.absent(now), now) - {person.id}
    return frozenset(id for id, other in tx.people.some(others).items() if other.active) if others else others
