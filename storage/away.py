"""Whose reminders are held, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from rules.away import Away
from rules.messages import PersonId
from storage.columns import among
from storage.tables import away
from storage.work import Prepared, Work

_OF = Prepared(select(away).where(away.c.person == bindparam("person")))
_OF_ALL = Prepared(select(away).where(among(away.c.person, "ids")))


class AwayTable:
    """`of` remembers what it or `of_all` found for as long as the transaction lasts."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._met: dict[PersonId, Away] = {}

    def of(self, person: PersonId) -> Away:
        """What this person asked for; nothing when he never did."""
        if person not in self._met:
            row = self._work.row(_OF, person=person)
            self._met[person] = _away(row) if row else Away(person)
        return self._met[person]

    def of_all(self, persons: Iterable[PersonId]) -> Mapping[PersonId, Away]:
        """What these people asked for; those who never did are left out."""
        wanted = list(persons)
        asked = {row.person: _away(row) for row in self._work.rows(_OF_ALL, ids=wanted)}
        self._met.update({person: asked.get(person, Away(person)) for person in wanted})
        return asked

    def absent(self, now: datetime) -> Mapping[PersonId, Away]:
        """Everybody for whom somebody stands in at `now`, by person."""
        query = select(away).where(away.c.stand_in.is_not(None), away.c.stand_in_from <= now, away.c.stand_in_until > now)
        return {row.person: _away(row) for row in self._work.execute(query)}

    def put(self, asked: Away) -> None:
        """Remember what he asked for, instead of what he asked before."""
        self._met.pop(asked.person, None)
        row = {
            "held_until": asked.held_until,
            "stand_in": asked.stand_in,
            "stand_in_from": asked.stand_in_from,
            "stand_in_until": asked.stand_in_until,
        }
        if self._work.execute(update(away).where(away.c.person == asked.person).values(**row)).rowcount == 0:
            self._work.execute(insert(away).values(person=asked.person, **row))


def _away(row: Any) -> Away:
    return Away(row.person, row.held_until, row.stand_in, row.stand_in_from, row.stand_in_until)
