"""What a fuzz run does to input that was valid: it is bent a little, in ways that parsers, databases and renderers dislike."""

from __future__ import annotations

import copy
import random
from typing import Any

_ODD_TEXTS = (
    "",
    " ",
    "\u0000",
    "\ud800",
    "\ufeff\u202e反\u200d",
    "👩‍👩‍👧‍👦" * 40,
    "很" * 5000,
    "{{ 7*7 }}{% x %}",
    "</xml>]]><!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
    "'; DROP TABLE feedback; --",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%s%n%00",
    "-1",
    "9" * 40,
    "1e999",
    "null",
    "9999年99月99日99:99",
    "零零零零年二月三十日",
    "\n\r\t\x0b\x85\u2028",
)
_ODD_VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 2**63, 2**200, 1e308, [], {}, [[]], [None], {"": None}, [{"a": [1]}] * 50)


def text(rng: random.Random, original: str) -> str:
    """The text with a few characters lost, doubled, or replaced by odd ones; sometimes something else altogether."""
    if rng.random() < 0.2:
        return rng.choice(_ODD_TEXTS)
    characters = list(original)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(characters))
        match rng.randrange(4):
            case 0:
                del characters[at : at + rng.randint(1, 5)]
            case 1:
                characters[at:at] = characters[: rng.randint(0, 8)]
            case 2:
                characters.insert(at, chr(rng.choice((rng.randrange(32, 127), rng.randrange(0x4E00, 0x9FA5), rng.randrange(0xD7FF)))))
            case _:
                characters[at:at] = rng.choice(_ODD_TEXTS)[:200]
    return "".join(characters)


def value(rng: random.Random, original: Any) -> Any:
    """The JSON value with one place in it changed, dropped, or of another kind."""
    bent = copy.deepcopy(original)
    here: Any = None
    key: Any = None
    node = bent
    while isinstance(node, dict | list) and node and (here is None or rng.random() < 0.8):
        here, key = node, rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        node = node[key]
    if here is None:
        return rng.choice(_ODD_VALUES)
    if rng.random() < 0.2:
        del here[key]
    elif isinstance(node, str) and rng.random() < 0.6:
        here[key] = text(rng, node)
    else:
        here[key] = rng.choice((*_ODD_VALUES, *_ODD_TEXTS))
    return bent


def raw(rng: random.Random, original: bytes) -> bytes:
    """The bytes with some flipped, cut off, doubled or put in from nowhere."""
    content = bytearray(original)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(content))
        match rng.randrange(4):
            case 0 if content:
                content[at % len(content)] = rng.randrange(256)
            case 1:
                del content[at : at + rng.randint(1, max(1, len(content) // 3))]
            case 2:
                content[at:at] = content[: rng.randint(0, 64)]
            case _:
                content[at:at] = rng.randbytes(rng.randint(1, 16))
    return bytes(content)
