"""A card as plain text: for chats that cannot show it, and for cards that need nothing pressed."""

from __future__ import annotations

from cards.filters import clip
from cards.layout import Card, Check, Line
from cards.words import phrase


def text(card: Card, longest: int) -> str:
    """Title, lines, boxes and status, one below the other, each cut to `longest` characters. Of the buttons only those that open a
    page, and the card's own page: nobody could press the others."""
    parts = [card.title, *map(line, card.lines), *map(_box, card.checks), card.status]
    links = [f"{button.text}：{button.url}" for button in card.buttons if button.url]
    links += [f"{phrase('page')}：{card.page}"] * bool(card.page)
    return "\n".join([clip(part, longest) for part in parts if part] + links)


def line(part: Line) -> str:
    """The label and what it names on one line; a line without label as it is."""
    return f"{part.label}：{part.text}" if part.label else part.text


def _box(check: Check) -> str:
    return f"{'☑' if check.ticked else '☐'} {check.text}"
