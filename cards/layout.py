"""The platform-neutral card: what a template yields and what every renderer draws.

A card is tickable (`checks` and `submit`), pressable (`buttons`), or plain (neither: it then travels as a text message).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict


class Part:
    """What a template fills in. A key that the part does not know is an error, so that a misspelt one cannot hide."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


class Style(StrEnum):
    PRIMARY = "primary"
    PLAIN = "plain"
    DANGER = "danger"


@dataclass(frozen=True)
class Line(Part):
    """A line of the body: `label` may be empty (a sentence of its own)."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Check(Part):
    """A box. `id` comes back in `CardAction.ticks`."""

    id: str
    text: str
    ticked: bool = False


@dataclass(frozen=True)
class Button(Part):
    """`action` comes back in `CardAction.action`; with `url` the button opens a page instead and calls nobody."""

    text: str
    action: str = ""
    style: Style = Style.PLAIN
    url: str = ""


@dataclass(frozen=True)
class Picture(Part):
    """A picture that a platform keeps: `media` is "<platform>:<its handle>", so that the other one leaves it out."""

    media: str
    alt: str

    def on(self, platform: str) -> str | None:
        """The platform's handle; None on another platform."""
        where, _, handle = self.media.partition(":")
        return handle if where == platform and handle else None


@dataclass(frozen=True)
class Card(Part):
    """A message as a person sees it, top to bottom.

    `summary` is one line for chat lists and notifications. `status` is the closing line ("已提交 10:32", or why a press was refused).
    `closed` draws checks and buttons disabled: the card can be read but no longer pressed. `picture` stands above the lines where the
    platform can show one in a card; a card with nothing else to press or read is the picture itself. `page` is the address of a page
    that tells the whole of it; empty: there is none.
    """

    title: str
    summary: str
    lines: tuple[Line, ...] = ()
    checks: tuple[Check, ...] = ()
    submit: Button | None = None
    buttons: tuple[Button, ...] = ()
    status: str = ""
    closed: bool = False
    picture: Picture | None = None
    page: str = ""

    def __post_init__(self) -> None:
        if bool(self.checks) != (self.submit is not None):
            raise ValueError("a card has boxes and a submit button, or neither")
        if self.checks and self.buttons:
            raise ValueError("a card has boxes or buttons, not both: WeCom can show only one of them")

    @property
    def interactive(self) -> bool:
        """Whether there is anything to press, open or closed."""
        return bool(self.checks or self.buttons)
