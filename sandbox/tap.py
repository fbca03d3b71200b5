"""A press on a card, as a phone sends it; the same for both platforms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class UnknownCard(Exception):
    """Nobody was sent such a card on that platform."""


class NotOnTheCard(Exception):
    """The phone does not show what should be tapped."""


@dataclass(frozen=True)
class Tap:
    """One press. Exactly one of `button`, `submit`, `menu`; None for `ticked` means what the card shows checked."""

    button: str | None = None
    submit: bool = False
    menu: str | None = None
    ticked: list[str] | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    selects: dict[str, str] = field(default_factory=dict)
    force: bool = False
