"""What a press is going to ask for, in one read: its card, whose account it is, the record, and whether pictures are about.

Each by itself is a read of its own table, which remains the place for it; one read instead of four makes a tap cheaper
(docs/performance.md).
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Table, and_, bindparam, case, cast, exists, func, literal_column, or_, select

from rules.events import Account
from rules.people import account_of
from storage.tables import accounts, evidence, feedback, outbox, people
from storage.work import Prepared, Work

_PARTS: tuple[Table, ...] = (outbox, people, feedback)
_ROWS: dict[str, Any] = {table.name: namedtuple("Row", [column.key for column in table.c]) for table in _PARTS}

_RECORD = case((outbox.c.about.like("feedback:%"), cast(func.substr(outbox.c.about, len("feedback:") + 1), Integer)))
_ITS_PICTURE = evidence.c.feedback == feedback.c.id
_LOOSE_PICTURE = and_(evidence.c.feedback.is_(None), evidence.c.by == feedback.c.author)
_change = outbox.alias("change")
_READ = Prepared(
    select(
        *(column.label(f"{table.name}_{column.key}") for table in _PARTS for column in table.c),
        accounts.c.used_at,
        or_(exists().where(_ITS_PICTURE), exists().where(_LOOSE_PICTURE)).label("pictures"),
        exists().where(_change.c.changes == outbox.c.id).label("changed"),
    ).select_from(
        select(literal_column("1").label("one"))
        .subquery("press")
        .outerjoin(outbox, outbox.c.card_id == bindparam("card_id"))
        .outerjoin(feedback, feedback.c.id == _RECORD)
        .outerjoin(accounts, and_(accounts.c.platform == bindparam("platform"), accounts.c.user_id == bindparam("user_id")))
        .outerjoin(people, people.c.id == accounts.c.person)
    )
)


@dataclass(frozen=True)
class Foreseen:
    """Rows of the tables, None where there is none. `used_at` is the presser's account's; `pictures`: whether the record has any, or
    its author sent some that belong to no record yet; `changed`: whether the card ever changed or is about to."""

    card: Any
    person: Any
    used_at: Any
    record: Any
    pictures: bool
    changed: bool


def foresee(work: Work, card_id: str, account: Account) -> Foreseen:
    """Read what a press of that card by that account is about."""
    known = account_of(account.platform, account.user_id)
    row = work.one(_READ, card_id=card_id, platform=known.platform.value, user_id=known.user_id)
    parts, start = [], 0
    for table in _PARTS:
        make = _ROWS[table.name]
        part = make._make(row[start : start + len(make._fields)])
        parts.append(part if part.id is not None else None)
        start += len(make._fields)
    return Foreseen(parts[0], parts[1], row.used_at, parts[2], bool(row.pictures), bool(row.changed))
