"""How many, as somebody said it: “少寄回 23 次”. Only a plain figure is a count; “约 20 次”, “好几单”, “第 3 次” are none (B1: never an
invented figure)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from reading.text import clauses, normalise

_ROUGHLY = "约|大概|大约|差不多|将近|近|至少|最多|不到|超过|上|几|数|多|第|每|平均"
_ROUGH_AFTER = "多|左右|上下|以上|以下|来|余|都没|也没"
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_NUMBER = r"(?P<digits>\d{1,7}(?:\.\d{1,3})?)|(?P<han>[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
_COMPARED = re.compile("从|由|[降减升涨增]到|[降减升涨增]至|变成|比")  # two figures, or none that was achieved


@dataclass(frozen=True)
class Counted:
    """A count and the clause it was read from."""

    count: Decimal
    words: str


def counted(text: str, unit: str, words: Collection[str] = ()) -> Counted | None:
    """How many `unit` a text states. With `words`, only a clause that has one of them counts. None when it states none, only roughly,
    or two different ones: then nobody can say which is meant."""
    if unit not in text and unit not in normalise(text):
        return None
    plain = normalise(text)
    found: dict[Decimal, str] = {}
    for start, end in clauses(plain):
        clause = plain[start:end].strip()
        if _COMPARED.search(clause) or (words and not any(word in clause for word in words)):
            continue
        for match in _pattern(unit).finditer(clause):
            found.setdefault(_value(match), clause)
    if len(found) != 1:
        return None
    ((count, clause),) = found.items()
    return Counted(count, clause) if count > 0 else None


@cache
def _pattern(unit: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\d.,~\-至到/一二两三四五六七八九十百千万])(?<!{')(?<!'.join(_ROUGHLY.split('|'))})(?:{_NUMBER})"
        rf"\s?个?\s?{re.escape(unit)}(?!{_ROUGH_AFTER})"
    )


def _value(match: re.Match[str]) -> Decimal:
    if match["digits"]:
        return Decimal(match["digits"])
    tens, ten, ones = match["han"].rpartition("十")
    if not ten:
        return Decimal(_DIGITS[ones])
    return Decimal((_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0))
