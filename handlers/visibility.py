"""Who may see a record, by what is stored: fetches what `rules.visibility` asks for."""

from __future__ import annotations

from rules import visibility
from rules.feedback import Record
from rules.people import Person
from storage.unit import Tx


def may_see(tx: Tx, person: Person, record: Record) -> bool:
    """Whether `person` may see `record` now, by today's directory."""
    people = {**tx.people.upwards_from(record.author), **tx.people.some({record.subject})}
    return visibility.may_see(person, record, people, tx.loops.get(record.id))
