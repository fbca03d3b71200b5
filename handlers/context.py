"""What a handler is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cards.catalog import CardData
from rules.events import CardAction, ChatMessage
from rules.people import Person
from rules.policy import Policy
from rules.worktime import Calendar
from storage.outbox import Message
from storage.unit import Tx


@dataclass(frozen=True)
class Context:
    """One run of a handler. `now` is business time, aware UTC."""

    tx: Tx
    now: datetime
    policy: Policy

    @cached_property
    def calendar(self) -> Calendar:
        """Workdays and holidays, the same throughout one run."""
        return self.policy.calendar()


@dataclass(frozen=True)
class Press:
    """A card action whose card and presser are known, and it was the presser's card. `of` is the record that is meant where the card
    is about several."""

    event: CardAction
    by: Person
    card: Message
    of: int | None = None

    @property
    def argument(self) -> str:
        """What follows the colon in the action: "pick:17" is "17"."""
        return self.event.action.partition(":")[2]

    @property
    def feedback(self) -> int:
        """The record that the press is about."""
        return self.of if self.of is not None else int((self.card.about or "").removeprefix("feedback:"))


@dataclass(frozen=True)
class Talk:
    """A chat message whose writer is known."""

    event: ChatMessage
    by: Person


@dataclass(frozen=True)
class Reply:
    """What the one who acted sees. `shows`: what the pressed card becomes. `says`: a message to him of its own."""

    shows: CardData | None = None
    says: CardData | None = None
