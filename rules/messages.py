"""What leaves: one `Outgoing` is one message to one recipient, written in the transaction that causes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from rules.events import Account

PersonId = int


class Urgency(IntEnum):
    """What goes first when not everything can: the answer to a press before an escalation before a digest. NORMAL is what somebody
    wrote to somebody; from REMINDER on it is the bot alone that speaks, and manners apply in full (`rules.manners`)."""

    ANSWER = 0
    ESCALATION = 10
    NORMAL = 20
    REMINDER = 30
    DIGEST = 40
    NUDGE = 50


@dataclass(frozen=True)
class GroupChat:
    """A group conversation: the platform's value as in `rules.events.Platform`, and the platform's id for the chat."""

    platform: str
    chat_id: str


@dataclass(frozen=True)
class Outgoing:
    """A new message to a person (on the platform they use), to a group, or to an account that is nobody we know.

    `card` names a dataclass of `cards/catalog.py`, `data` its fields as JSON. `key` is the idempotency key: adding a second
    message with the same key changes nothing. `about` ties the message to its cause ("feedback:118"), so that what has become moot
    can be cancelled and what was sent can be updated. All instants are aware UTC on the business clock; None means now / never.
    """

    to: PersonId | GroupChat | Account
    card: str
    data: Mapping[str, Any]
    key: str
    about: str | None = None
    urgency: Urgency = Urgency.NORMAL
    not_before: datetime | None = None
    expires: datetime | None = None
