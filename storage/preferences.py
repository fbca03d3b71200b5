"""What people asked for about being disturbed (偏好)."""

from __future__ import annotations

from datetime import time
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from rules.manners import Preferences, Quiet
from rules.messages import PersonId, Urgency
from storage.tables import preferences
from storage.work import Prepared, Work

_OF = Prepared(select(preferences).where(preferences.c.person == bindparam("person")))


class PreferencesTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def of(self, person: PersonId) -> Preferences:
        """What this person asked for; the defaults when he never did."""
        row = self._work.row(_OF, person=person)
        return _preferences(row) if row else Preferences()

    def put(self, person: PersonId, wishes: Preferences) -> None:
        """Remember what he asks for, instead of what he asked before."""
        quiet = wishes.quiet
        row = {
            "own_quiet": wishes.own_quiet,
            "quiet_from": quiet.begins.isoformat("minutes") if quiet else None,
            "quiet_until": quiet.ends.isoformat("minutes") if quiet else None,
            "rests": wishes.rests,
            "muted": sorted(wishes.muted),
        }
        if self._work.execute(update(preferences).where(preferences.c.person == person).values(**row)).rowcount == 0:
            self._work.execute(insert(preferences).values(person=person, **row))


def _preferences(row: Any) -> Preferences:
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None:
        quiet = Quiet(time.fromisoformat(row.quiet_from), time.fromisoformat(row.quiet_until))
    return Preferences(row.own_quiet, quiet, row.rests, frozenset(Urgency(value) for value in row.muted))
