"""What templates may do with a value: show an instant, a duration, a clipped text, and hand any of it to the card."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from rules.value import Money

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991, so no zone table is needed
WEEKDAYS = "一二三四五六日"

# Invisible, or able to turn the text around them (RIGHT-TO-LEFT OVERRIDE and its kin): a name must not re-order the line it stands in.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
# What belongs to the character before it: joiners, variation selectors, skin tones, combining marks.
_CLINGS = re.compile("[\u0300-\u036f\u200d\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


@dataclass(frozen=True, slots=True)
class Value:
    """A value for the card: the only thing a template may put out."""

    value: str | bool | int | None


def to_json(value: object) -> Value:
    """`value` as a card takes it; text is tidied. Raises TypeError for what needs another filter first."""
    if isinstance(value, str):
        return Value(tidy(value))
    if value is None or isinstance(value, bool | int):
        return Value(value)
    str(value)  # an undefined name raises here, and says which
    raise TypeError(f"{type(value).__name__} needs a filter before | tojson")


def tidy(text: str) -> str:
    """One line: runs of white space become one space; control characters, lone surrogates and bidirectional overrides go."""
    return " ".join(_INVISIBLE.sub("", text).split())


def fill(text: str, **names: object) -> str:
    """Put values into the holes of a sentence: `"给{name}的反馈" | fill(name=subject_name)`. Raises KeyError for an unnamed hole."""
    return text.format(**names)


def local_time(at: datetime, *, weekday: bool = False) -> str:
    """An aware instant as people in Asia/Shanghai say it: “9月12日 14:23”, with `weekday` “9月12日 周六 14:23”. No year, no “今天”:
    the same bytes must come out whenever a message is drawn again."""
    local = at.astimezone(SHANGHAI)
    day = f"{local.month}月{local.day}日"
    return f"{day} 周{WEEKDAYS[local.weekday()]} {local:%H:%M}" if weekday else f"{day} {local:%H:%M}"


def local_day(day: date) -> str:
    """A local day: “9月12日”. An aware instant is the day it lies on in Asia/Shanghai."""
    local = day.astimezone(SHANGHAI) if isinstance(day, datetime) else day
    return f"{local.month}月{local.day}日"


def yuan(money: Money) -> str:
    """An amount in fen as people read it: “¥1,840”, “¥1,840.50”, an estimate as “¥1,380–2,070”, what was taken back as “−¥80”."""
    low, high = sorted((money.low_fen, money.high_fen), key=abs)
    sign = "−" if low < 0 or high < 0 else ""
    return f"{sign}¥{_hundredths(low)}" + (f"–{_hundredths(high)}" if high != low else "")


def _hundredths(fen: int) -> str:
    whole, rest = divmod(abs(fen), 100)
    return f"{whole:,}.{rest:02}" if rest else f"{whole:,}"


def share(part: int, whole: int) -> str:
    """A part in per cent, rounded down, so that 100 % means all: “85%”; of nothing “—”."""
    return f"{part * 100 // whole}%" if whole else "—"


def duration(span: timedelta) -> str:
    """The largest whole unit, rounded down: “3 天”, “5 小时”, “17 分钟”; below a minute “1 分钟”. Days only from 48 hours on."""
    minutes = max(1, int(span.total_seconds()) // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    hours = minutes // 60
    return f"{hours} 小时" if hours < 48 else f"{hours // 24} 天"


def clip(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """`text` if its `size` is at most `limit`, else the longest beginning that fits together with “…”.

    Never cuts inside an emoji sequence or before a combining mark. `size` (`len`, `utf8_bytes`, `json_bytes`) must not
    shrink when a character is added.
    """
    if size(text) <= limit:
        return text
    keep, beyond = 0, len(text)
    while beyond - keep > 1:
        middle = (keep + beyond) // 2
        keep, beyond = (middle, beyond) if size(text[:middle] + "…") <= limit else (keep, middle)
    while keep and (_CLINGS.match(text[keep]) or text[keep - 1] == "\u200d"):
        keep -= 1
    return text[:keep].rstrip() + "…"


def utf8_bytes(text: str) -> int:
    return len(text.encode())


def json_bytes(text: str) -> int:
    """Bytes of `text` inside JSON quotes, written as UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2
