"""Why a message was held, went along with another or was not sent: every ruling of `rules.manners` but "send it", in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from rules.manners import Why
from storage.tables import in_state, outbox, rulings
from storage.work import Work


@dataclass(frozen=True)
class Ruling:
    """`what` is hold, merge or drop. `until` is when a held message is looked at again, `other` the message that it went along with."""

    message: int
    at: datetime
    what: str
    why: Why
    until: datetime | None = None
    other: int | None = None


class RulingsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def note(self, ruling: Ruling) -> None:
        """Remember it."""
        row: Mapping[str, Any] = {
            "message": ruling.message,
            "at": ruling.at,
            "what": ruling.what,
            "why": ruling.why.value,
            "until": ruling.until,
            "other": ruling.other,
        }
        self._work.execute(insert(rulings), row)

    def of(self, message: int) -> tuple[Ruling, ...]:
        """What was ruled about a message, oldest first."""
        rows = self._work.execute(select(rulings).where(rulings.c.message == message).order_by(rulings.c.id))
        return tuple(Ruling(row.message, row.at, row.what, Why(row.why), row.until, row.other) for row in rows)

    def latest(self, messages: list[int]) -> Mapping[int, Ruling]:
        """The last ruling about each of these messages; those without any are left out."""
        newest = select(func.max(rulings.c.id)).where(rulings.c.message.in_(messages)).group_by(rulings.c.message)
        rows = self._work.execute(select(rulings).where(rulings.c.id.in_(newest)))
        return {row.message: Ruling(row.message, row.at, row.what, Why(row.why), row.until, row.other) for row in rows}

    def held(self, now: datetime) -> Mapping[Why, int]:
        """How many messages are held at `now`, by the reason of the ruling that holds them."""
        holds = (rulings.c.what == "hold") & (rulings.c.until == outbox.c.not_before)
        query = (
            select(rulings.c.why, func.count(rulings.c.message.distinct()))
            .join(outbox, outbox.c.id == rulings.c.message)
            .where(in_state(outbox, "due", "sending"), outbox.c.not_before > now, holds)
            .group_by(rulings.c.why)
        )
        return {Why(why): count for why, count in self._work.execute(query)}
