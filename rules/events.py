"""What happened, in words that no platform owns.

`bot/<platform>/decode.py` makes these from callbacks, `handlers/dispatch.py` routes them. Each carries `id`, the idempotency key
under which the platform may deliver it again: two events of one platform with the same id are one event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Platform(StrEnum):
    """Where a person chats. The values stand in the database and in `people.csv`."""

    DINGTALK = "dingtalk"
    WECOM = "wecom"


@dataclass(frozen=True)
class Account:
    """A person as one platform knows them. `user_id` is the platform's id for an employee, compared ignoring case on WeCom."""

    platform: Platform
    user_id: str


@dataclass(frozen=True)
class CardAction:
    """Somebody pressed a button or submitted the boxes of a card that we sent.

    `card_id` is ours (`Letter.card_id`). `action` is the button's action from the card template. `ticks` are option ids in
    card order, `fields` other inputs by name. `handle` is what the platform wants to see when this very card is changed for
    the one who pressed (None where the answer to the press carries the change). Nothing here is trusted for authorisation.
    """

    id: str
    by: Account
    card_id: str
    action: str
    ticks: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    handle: str | None = None


@dataclass(frozen=True)
class ChatMessage:
    """Somebody wrote to the bot: in the private chat, or in a group with an @-mention of the bot (`group` is then its id).

    `text` is stripped and free of the bot's own @-mention; empty for a picture, video or file. `media` is the platform's handle for
    what was sent, also beside a text. `mentions` are the people @-mentioned beside the bot, in order, where the platform tells who
    they are.
    """

    id: str
    by: Account
    text: str
    group: str | None = None
    media: str | None = None
    mentions: tuple[Account, ...] = ()


@dataclass(frozen=True)
class MemberChange:
    """The directory says that these people joined, changed or left. A hint only: the directory is read again."""

    id: str
    platform: Platform
    user_ids: tuple[str, ...]
    left: bool


@dataclass(frozen=True)
class UnknownEvent:
    """Authentic, but not something we act on: acknowledged, kept raw and counted by `kind`."""

    id: str
    platform: Platform
    kind: str


Event = CardAction | ChatMessage | MemberChange | UnknownEvent


def platform_of(event: Event) -> Platform:
    """The platform an event came from."""
    return event.by.platform if isinstance(event, CardAction | ChatMessage) else event.platform
