"""What a platform can draw: how long a text may be, how many boxes and buttons fit. Texts are cut with “…”, counts are an error.

Where a platform only advises a length (WeCom's template cards: "longer is cut in display"), we keep to it: our “…” is at least honest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cards.filters import clip, json_bytes, utf8_bytes
from cards.layout import Button, Card, Check


class CannotDraw(ValueError):
    """The card has more parts than the platform can show, or a part that it would refuse. Quotes no text of the card."""


@dataclass(frozen=True)
class Limit:
    """A text may have at most this much: characters, or whatever `size` counts."""

    at_most: int
    size: Callable[[str], int] = len

    def cut(self, text: str) -> str:
        return clip(text, self.at_most, self.size)

    def holds(self, text: str) -> bool:
        return self.size(text) <= self.at_most


@dataclass(frozen=True)
class Limits:
    """What `fit` enforces on the parts that every renderer takes over one by one."""

    title: Limit
    check: Limit
    button: Limit
    checks: int
    buttons: int
    id: Limit
    action: Limit


# WeCom: platforms/wecom.md §6.0, §6.3, §6.5 (pages 90236, 94888); texts §5.2, §9.
WECOM = Limits(
    title=Limit(36),
    check=Limit(17),
    button=Limit(10),
    checks=20,
    buttons=6,
    id=Limit(128, utf8_bytes),
    action=Limit(1024, utf8_bytes),
)
WECOM_DESC = Limit(44)
WECOM_SUB_TITLE = Limit(160)
WECOM_FACTS = 6  # horizontal_content_list
WECOM_FACT_LABEL = Limit(5)
WECOM_FACT = Limit(30)
WECOM_QUOTE = Limit(400)  # ours: the page gives none for quote_text
WECOM_TEXT = Limit(2048, utf8_bytes)

# DingTalk: platforms/dingtalk.md §2 (a value of cardParamMap has at most 1 KB; the official form example sends 3.2 KB), §7.2, §8.6.
# No count of boxes or buttons is documented: WeCom's, so that a card that can be drawn on one platform can be drawn on the other.
DINGTALK_VALUE = Limit(1024, utf8_bytes)
DINGTALK_FORM = Limit(3072, utf8_bytes)
DINGTALK = Limits(
    title=DINGTALK_VALUE,
    check=Limit(120),
    button=Limit(20),
    checks=20,
    buttons=6,
    id=Limit(128, utf8_bytes),
    action=DINGTALK_VALUE,
)
DINGTALK_SUMMARY = Limit(100)  # ours: the page gives none for lastMessageI18n and alertContent
DINGTALK_TEXT = Limit(14_000, json_bytes)  # msgParam, a JSON string around it, has at most 15,000 bytes
DINGTALK_ACTION_TITLE = Limit(20)  # ours


def fit(card: Card, limits: Limits) -> Card:
    """`card` with its title, boxes and buttons cut to what the platform shows.

    Raises CannotDraw for what cannot be cut: too many boxes or buttons, an id or action that is too long or stands there twice, a
    blank title, box or button. Lines, summary and status are cut by the renderer, which joins them first.
    """
    _count("boxes", len(card.checks), limits.checks)
    _count("buttons", len(card.buttons), limits.buttons)
    _ids("box id", (check.id for check in card.checks), limits.id)
    _ids("action", (button.action for button in card.buttons if button.action), limits.action)
    return replace(
        card,
        title=_shown("title", card.title, limits.title),
        checks=tuple(_check(check, limits) for check in card.checks),
        submit=card.submit and _button(card.submit, limits),
        buttons=tuple(_button(button, limits) for button in card.buttons),
    )


def shrink(draw: Callable[[int], str], limit: Limit, longest: int) -> str:
    """`draw(n)` with the largest n up to `longest` whose result is within `limit`.

    `draw` cuts each of its texts to n characters: a long text gives way before a short one, and JSON stays whole. Raises
    CannotDraw if one character each is still too much.
    """
    whole = draw(longest)
    if limit.holds(whole):
        return whole
    fitting = bisect_right(range(1, longest), limit.at_most, key=lambda each: limit.size(draw(each)))
    if fitting == 0:
        raise CannotDraw(f"more than {limit.at_most} bytes, however short the texts")
    return draw(fitting)


def _check(check: Check, limits: Limits) -> Check:
    return replace(check, text=_shown("box", check.text, limits.check))


def _button(button: Button, limits: Limits) -> Button:
    return replace(button, text=_shown("button", button.text, limits.button))


def _shown(what: str, text: str, limit: Limit) -> str:
    if not text.strip():
        raise CannotDraw(f"a blank {what}")
    return limit.cut(text)


def _count(what: str, count: int, at_most: int) -> None:
    if count > at_most:
        raise CannotDraw(f"{count} {what}, the platform shows {at_most}")


def _ids(what: str, ids: Iterable[str], limit: Limit) -> None:
    seen: set[str] = set()
    for value in ids:
        if not value or not limit.holds(value):
            raise CannotDraw(f"a {what} must have 1 to {limit.at_most} bytes")
        if value in seen:
            raise CannotDraw(f"two parts with the same {what}")
        seen.add(value)
