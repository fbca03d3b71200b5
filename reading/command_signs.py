"""Signs that a text shows: which kinds of words it holds, in which order, and how much of it is foreign.

Words are looked up in data/command_words.txt; a stretch that is in no class is foreign talk. What the signs speak for is
learned (`bench/train_commands.py`), so nothing here knows an intent.
"""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from reading.command_words import SYMBOLS, Marked
from reading.word_lists import word_lists

FOREIGN = "foreign"
GRAMMAR = "grammar"
_STOPS = frozenset(",.?!:")
_REACH = 8  # words; two words further apart say nothing together
_AMOUNTS = (1, 2, 3, 6, 10)


@dataclass(frozen=True)
class Unit:
    """A word of the text and the classes it belongs to; tokens `start` to `end` of the marked text."""

    word: str
    kinds: tuple[str, ...]
    start: int
    end: int


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, tuple[str, ...]]:
    """Word → its classes, in the order of data/command_words.txt."""
    classes: dict[str, list[str]] = {}
    for heading, words in word_lists("command_words.txt").items():
        for word in words:
            classes.setdefault(word, []).append(heading)
    return {word: tuple(kinds) for word, kinds in classes.items()}


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(map(len, vocabulary()))


def units(marked: Marked) -> list[Unit]:
    """The words of `marked`, longest first from the left; a run of foreign characters is one unit.

    A single known character between foreign ones is part of a foreign word (配 in 幻灯片配色).
    """
    result: list[Unit] = []
    for unit in _looked_up(marked.symbols):
        result.append(unit)
        if len(result) > 2 and _one_character(result[-2]) and _foreign(result[-1]) and _foreign(result[-3]):
            result[-3:] = [_joined(result[-3:])]
        elif len(result) > 1 and _foreign(result[-1]) and _foreign(result[-2]):
            result[-2:] = [_joined(result[-2:])]
    return result


def _looked_up(symbols: str) -> Iterator[Unit]:
    known = vocabulary()
    position = 0
    while position < len(symbols):
        word = _word_at(symbols, position, known)
        kinds = (word,) if word in SYMBOLS else known.get(word, (FOREIGN,))
        yield Unit(word, kinds, position, position + len(word))
        position += len(word)


def _foreign(unit: Unit) -> bool:
    return unit.kinds == (FOREIGN,)


def _one_character(unit: Unit) -> bool:
    return len(unit.word) == 1 and unit.word not in SYMBOLS and unit.word.isalpha()


def _joined(parts: list[Unit]) -> Unit:
    return Unit("".join(part.word for part in parts), (FOREIGN,), parts[0].start, parts[-1].end)


def _word_at(symbols: str, position: int, known: dict[str, tuple[str, ...]]) -> str:
    for length in range(min(_longest(), len(symbols) - position), 1, -1):
        if (word := symbols[position : position + length]) in known:
            return word
    return symbols[position]


def signs(marked: Marked, role: str) -> dict[str, tuple[int, int]]:
    """Every sign of the text → the tokens (start, end) it was first seen at."""
    found: dict[str, tuple[int, int]] = {}
    for name, start, end in _seen(units(marked), role):
        found.setdefault(name, (start, end))
    return found


def _seen(words: list[Unit], role: str) -> Iterator[tuple[str, int, int]]:
    telling = [unit for unit in words if unit.kinds != (GRAMMAR,)]
    yield f"role {role}", 0, 0
    clauses = list(_clauses(words))
    yield f"foreign characters {_amount(words)}", 0, 0
    yield f"foreign at the beginning {_amount(clauses[0])}", 0, 0
    yield f"foreign at the end {_amount(clauses[-1])}", 0, 0
    yield f"foreign in the plainest clause {min(map(_amount, clauses))}", 0, 0
    yield f"words {min(len(telling), 8)}", 0, 0
    for index, unit in enumerate(telling):
        if unit.kinds != (FOREIGN,):
            yield f"“{unit.word}”", unit.start, unit.end
        for kind in unit.kinds:
            yield kind, unit.start, unit.end
            if index == 0:
                yield f"begins {kind}", unit.start, unit.end
            if index == len(telling) - 1:
                yield f"ends {kind}", unit.start, unit.end
        for later in telling[index + 1 : index + _REACH]:
            for kind in unit.kinds:
                for other in later.kinds:
                    yield f"{kind} … {other}", unit.start, later.end


def _clauses(words: list[Unit]) -> Iterator[list[Unit]]:
    """The words between punctuation marks; at least one clause, which may be empty."""
    clause: list[Unit] = []
    for unit in words:
        if unit.word in _STOPS and clause:
            yield clause
            clause = []
        elif unit.word not in _STOPS:
            clause.append(unit)
    yield clause


def _amount(words: list[Unit]) -> str:
    """How many characters are foreign; a thing of another world (X) counts as two."""
    count = sum(2 if unit.word == "X" else len(unit.word) for unit in words if unit.kinds in {(FOREIGN,), ("X",)})
    return ("0", "1", "2", "3-5", "6-9", "many")[bisect(_AMOUNTS, count)]
