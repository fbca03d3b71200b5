"""What became of a delivery to the bot, in the words of the control API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """`status` is the HTTP status or the ACK code of the last try, None when no answer came; `ms` is real time."""

    delivered: bool
    tries: int = 0
    status: int | None = None
    ms: float = 0.0
    late: bool = False
    changed: bool = False
    deferred: bool = False
    reason: str | None = None
    reply: dict[str, Any] | None = None


def not_sent(reason: str) -> Outcome:
    """Nothing went out, and why."""
    return Outcome(delivered=False, reason=reason)
