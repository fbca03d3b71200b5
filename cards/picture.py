"""A week as a picture for a phone (B1, B3): 750 px wide, drawn from the same card data as the text, so that the numbers are the same.

The font comes with the package `noto-cjk-sans-otc`: what a machine happens to have installed makes no difference. Its own paper and
margin make it readable in light and dark chats. Takes some tens of milliseconds: never in a transaction.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from cards.catalog import Deed, EmployeeDigest, MondayBrief
from cards.filters import clip, local_day, tidy, yuan
from cards.words import phrase, word

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Pillow and the font are imported where they are used: a process that draws nothing does not pay for them.
WIDTH = 750
MOST_BYTES = 200_000
_SIMPLIFIED = 2  # the collection's face for mainland China
_MARGIN, _PAD = 24, 40
_GROUND, _PAPER, _INK, _QUIET, _LINE, _ACCENT = "#e8edf5", "#ffffff", "#1f2329", "#5b6270", "#dde1e8", "#1556d6"
_COLOURS = 32  # text on paper needs no more, and phones load it sooner


@dataclass(frozen=True)
class _Row:
    """One line of text; `gap` is the space above it."""

    text: str
    size: int
    colour: str
    gap: int
    rule: bool = False


def draw(told: EmployeeDigest | MondayBrief) -> bytes:
    """The picture as PNG, `MOST_BYTES` at most."""
    from PIL import Image, ImageDraw

    rows = list(_rows(told))
    height = 2 * (_MARGIN + _PAD) + sum(row.gap + round(row.size * 1.4) for row in rows)
    image = Image.new("RGB", (WIDTH, height), _GROUND)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((_MARGIN, _MARGIN, WIDTH - _MARGIN, height - _MARGIN), radius=28, fill=_PAPER)
    y = _MARGIN + _PAD
    for row in rows:
        y += row.gap
        if row.rule:
            above = y - row.gap // 2
            pen.line((_MARGIN + _PAD, above, WIDTH - _MARGIN - _PAD, above), fill=_LINE, width=2)
        pen.text((_MARGIN + _PAD, y), row.text, font=_font(row.size), fill=row.colour)
        y += round(row.size * 1.4)
    out = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def texts(told: EmployeeDigest | MondayBrief) -> tuple[str, ...]:
    """Every text that stands on the picture, top to bottom."""
    return tuple(row.text for row in _rows(told))


def _rows(told: EmployeeDigest | MondayBrief) -> Iterator[_Row]:
    did = len(told.deeds) + told.more
    yield _Row(f"{local_day(told.monday)}–{local_day(told.sunday)}", 28, _QUIET, 0)
    yield _Row(phrase("picture_did").format(n=did), 46, _INK, 10)
    if told.total:
        yield _Row(yuan(told.total), 84, _ACCENT, 16)
        yield _Row(phrase("picture_total"), 26, _QUIET, 0)
    for deed in told.deeds:
        yield from _deed(deed)
    if told.more:
        yield _Row(phrase("picture_more").format(n=told.more), 28, _QUIET, 36, rule=True)


def _deed(deed: Deed) -> Iterator[_Row]:
    label = phrase("picture_counted" if deed.record is None else "picture_improved" if deed.improved else "picture_praised")
    what = deed.what or phrase("picture_about").format(about=deed.about)
    yield _Row(_fitting(f"{label}：{what}", 32), 32, _INK, 44, rule=True)
    if deed.figure:
        f = deed.figure
        count, amount = tidy(f"{f.name} {f.count} {f.unit} × {yuan(f.each)}"), f"= {yuan(f.amount)}（{word(f.grade)}）"
        whole = f"{count} {amount}"
        # A number is never cut: the formula takes a second line instead.
        for line in (whole,) if _fitting(whole, 28) == whole else (count, amount):
            yield _Row(line, 28, _ACCENT, 8)
    elif deed.by and not deed.improved:
        yield _Row(_fitting(phrase("picture_by").format(name=deed.by), 28), 28, _QUIET, 8)


def _fitting(text: str, size: int) -> str:
    """As much of a text as stands on one line."""
    return clip(tidy(text), WIDTH - 2 * (_MARGIN + _PAD), lambda part: round(_font(size).getlength(part)))


@cache
def _font(size: int) -> FreeTypeFont:
    from noto_cjk_sans_otc import FONT_PATH
    from PIL import ImageFont

    return ImageFont.truetype(str(FONT_PATH), size, index=_SIMPLIFIED, layout_engine=ImageFont.Layout.BASIC)
