"""One sentence about several people: whom a draft is about besides its subject, and the record each of them got when it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from rules.messages import PersonId
from storage.tables import companions
from storage.work import Prepared, Work


@dataclass(frozen=True)
class Companion:
    """`person` gets the words of a draft, too; `record` is his own record, None before the draft was sent."""

    person: PersonId
    record: int | None


_OF = Prepared(select(companions).where(companions.c.draft == bindparam("draft")).order_by(companions.c.place))
_DRAFT_OF = Prepared(select(companions.c.draft).where(companions.c.record == bindparam("record")))


class CompanionsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def put(self, draft: int, people: Sequence[PersonId]) -> None:
        """The draft is about these people, too."""
        if people:
            rows = [{"draft": draft, "place": place, "person": person} for place, person in enumerate(people, 1)]
            self._work.execute(insert(companions), rows)

    def of(self, draft: int) -> tuple[Companion, ...]:
        """Who else a draft is about, in the order in which they were named; () when it is about its subject alone."""
        return tuple(map(_companion, self._work.rows(_OF, draft=draft)))

    def got(self, draft: int, person: PersonId, record: int) -> None:
        """The draft was sent, and this is what the person got."""
        this = (companions.c.draft == draft) & (companions.c.person == person)
        self._work.execute(update(companions).where(this).values(record=record))

    def together(self, record: int) -> tuple[int, ...]:
        """The records that were given in the same sentence as this one, itself included; the draft's own is the first."""
        draft = self.draft_of(record) or record
        return (draft, *(companion.record for companion in self.of(draft) if companion.record is not None))

    def draft_of(self, record: int) -> int | None:
        """The draft that a companion's record comes from; None for any other record."""
        row = self._work.row(_DRAFT_OF, record=record)
        return int(row.draft) if row else None


def _companion(row: Any) -> Companion:
    return Companion(row.person, row.record)
