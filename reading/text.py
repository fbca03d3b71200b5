"""Text as people type it, made even without moving a character, and cut into clauses.

Everything above works on the even text and reports offsets; because no character moves, those are
offsets into what the author wrote.
"""

import unicodedata
from functools import lru_cache

_SPLIT = frozenset("，,。！!？?；;…\n\r\t—~～|")
_OPENING = {"“": "”", "「": "」", "『": "』", "《": "》", "【": "】", "‘": "’", "(": ")"}
_LONGEST_QUOTE = 40
_BETWEEN_DIGITS = frozenset(".:,-/")


@lru_cache(maxsize=8192)
def _even(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char)
    if len(folded) != 1:
        return char
    lower = folded.lower()
    return lower if len(lower) == 1 else folded


def normalise(text: str) -> str:
    """Full-width forms become half-width and capitals small; the length never changes."""
    return "".join(map(_even, text))


def is_han(char: str) -> bool:
    """Whether `char` is a Chinese character (basic block and extension A)."""
    return "\u3400" <= char <= "\u9fff"


def han_count(text: str) -> int:
    """How many Chinese characters `text` has."""
    return sum(map(is_han, text))


def clauses(text: str) -> list[tuple[int, int]]:
    """Cut normalised text at punctuation, line ends, emoji and blanks between Chinese characters.

    Returns (start, end) pairs in order, without the marks and without empty ones. What stands in quotation
    marks or brackets is kept together (up to 40 characters): people quote what was written on a button.
    """
    found: list[tuple[int, int]] = []
    start = 0
    position = 0
    while position < len(text):
        closing = _OPENING.get(text[position])
        if closing is not None:
            end = text.find(closing, position + 1, position + _LONGEST_QUOTE)
            if end != -1:
                position = end + 1
                continue
        if _is_boundary(text, position):
            _keep(text, start, position, found)
            start = position + 1
        position += 1
    _keep(text, start, len(text), found)
    return found


def _is_boundary(text: str, position: int) -> bool:
    char = text[position]
    before = text[position - 1] if position else " "
    after = text[position + 1] if position + 1 < len(text) else " "
    if char in _BETWEEN_DIGITS and before.isdigit() and after.isdigit():
        return False
    if char in _SPLIT or (char == ":" and not after.isdigit()) or (char == "." and not after.isalnum()):
        return True
    if char == " ":
        return is_han(before) and is_han(after)
    return unicodedata.category(char) in ("So", "Cs", "Co", "Cn")


def _keep(text: str, start: int, end: int, found: list[tuple[int, int]]) -> None:
    while start < end and (text[start].isspace() or text[start] in ".、:"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in ".、:"):
        end -= 1
    if start < end:
        found.append((start, end))
