"""What the sender asks of a platform: draw a letter once, deliver it as often as it takes.

`render` is pure and happens once; its result is kept in the outbox row, so that a retry sends the same bytes and the platform can
recognise it. `deliver` touches the network and holds no transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from cards.layout import Card
from rules.events import Account, Platform
from rules.messages import GroupChat


@dataclass(frozen=True)
class Letter:
    """One outgoing message, addressed.

    `card_id` is ours: 32 hex digits, unique for ever, the platforms' idempotency key. For a change of a card already sent, `changes` is
    True and `handle` is what that platform wants to see for it (`Receipt.handle` or `CardAction.handle`). `page_url` opens
    the same card as a page, for platforms or set-ups that cannot draw it.
    """

    card_id: str
    to: Account | GroupChat
    changes: bool = False
    handle: str | None = None
    page_url: str | None = None


@dataclass(frozen=True)
class Receipt:
    """The platform took it. `message_id` is the platform's id; `handle` serves to change the card once more (None: cannot)."""

    message_id: str
    handle: str | None = None


class Failure(StrEnum):
    REFUSED = "refused"  # will never work: unknown user, no permission, bad request
    TEMPORARY = "temporary"  # surely not done; try again
    SPENT = "spent"  # the handle was used before: by our own earlier try, if there was one
    UNKNOWN = "unknown"  # perhaps done (time-out, 504): only what has an idempotency key may be repeated


class SendFailed(Exception):
    """The platform said no. `code` is the platform's own; `text` is free of secrets and of personal text; `retry_after` in seconds."""

    def __init__(self, kind: Failure, code: str, text: str, retry_after: float | None = None) -> None:
        super().__init__(f"{kind}: {code} {text}")
        self.kind, self.code, self.text, self.retry_after = kind, code, text, retry_after


class Changes(StrEnum):
    """How a card that was sent can be changed."""

    BY_CARD = "by_card"  # any number of times, by its card id
    BY_HANDLE = "by_handle"  # once per handle (`Receipt.handle`, `CardAction.handle`)
    NEVER = "never"


class Channel(Protocol):
    """A platform's way out. `changes` says what this platform, as configured, can do to a card that was sent."""

    platform: Platform
    changes: Changes

    def render(self, letter: Letter, card: Card) -> Mapping[str, Any]:
        """Draw `card` as the request to be made: JSON, at least {"repeatable": bool} — whether the platform recognises a repeat."""

    def deliver(self, payload: Mapping[str, Any]) -> Receipt:
        """Make the request. Raises SendFailed."""
