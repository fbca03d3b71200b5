"""Statements: stretches of a sentence that say one thing about one subject.

A clause between two commas is a statement; dictated text has no commas, so a long clause is cut where
a new subject or a result begins. Each statement knows who it speaks of.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from reading.spans import Word, words
from reading.text import clauses, han_count


class Subject(StrEnum):
    """Of whom or what a statement speaks."""

    EMPLOYEE = "employee"  # you, or somebody by name
    OTHERS = "others"  # customers, colleagues, authorities
    THING = "thing"  # an order, a figure, a machine, or nothing recognisable
    SAME = "same"  # left out, and so taken over from the statement before


@dataclass(frozen=True)
class Statement:
    """A stretch of the text (offsets, end exclusive), its words in order (never empty) and its subject."""

    start: int
    end: int
    words: tuple[Word, ...]
    subject: Subject
    inherited: bool
    text: str

    def has(self, *tags: str) -> bool:
        """Whether any word may stand for one of `tags`."""
        return any(word.has(*tags) for word in self.words)


_LONG_CLAUSE = 13  # Chinese characters; people who type commas rarely write longer clauses
_SHORTEST_PIECE = 4


def statements(text: str) -> list[Statement]:
    """The statements of normalised text, in order; empty when there is no word in it."""
    row = words(text)
    found: list[Statement] = []
    speaker = Subject.EMPLOYEE
    for start, end in clauses(text):
        inside = [word for word in row if word.start >= start and word.end <= end]
        for piece in _pieces(inside):
            subject = _subject(piece)
            inherited = subject is Subject.SAME
            if inherited:
                subject = speaker
            elif subject is not Subject.THING:
                speaker = subject
            first, last = piece[0].start, piece[-1].end
            found.append(Statement(first, last, tuple(piece), subject, inherited, text[first:last]))
    return found


def _pieces(row: list[Word]) -> list[list[Word]]:
    if not row:
        return []
    cuts = [0]
    long = sum(han_count(word.text) for word in row) >= _LONG_CLAUSE
    for index in range(1, len(row)):
        if (_employee_takes_over(row, index) or (long and _begins_statement(row, index))) and row[index].start - row[
            cuts[-1]
        ].start >= _SHORTEST_PIECE:
            cuts.append(index)
    return [row[a:b] for a, b in zip(cuts, [*cuts[1:], len(row)], strict=True)]


_RESULT = re.compile(
    "^(?:结果|导致|致使|使得|害得|搞得|弄得|造成|引起|后来|最后|于是|所以|因此|第二天|次日|没想到|这下|好在|幸好|不料)"
)
_COUNTED_LOSS = ("没有人", "没人", "没有一个", "没有一", "没一个", "一个都没", "一次都没", "零")
_ACTS = ("act", "act1")


def _begins_statement(row: list[Word], index: int) -> bool:
    """Whether a new subject, a result or a consequence begins at `index` of a long clause."""
    word, before, rest = row[index], row[index - 1], row[index + 1 :]
    if word.has("link") and _RESULT.match(word.text):
        return not rest or (rest[0].text != "的" and not rest[0].has("quantity"))
    if word.text in _COUNTED_LOSS and rest and not before.has("employee", "cust"):
        return True
    if before.has("prep", "quote") or before.text in ("和", "的", "那", "这", "各", "每", "、") or sum(len(w.text) for w in rest) < 3:
        return False
    if word.has("cust"):
        return _others_take_over(row, index)
    if word.has("loss") and not word.has("act", "occasion") and len(word.text) >= 2 and word.text[0] != "重":
        joined = before.has("employee", "cust", "neg", *_ACTS, "quantity", "one", "adv", "change", "noact")
        return _acted(row[:index]) and not joined and before.text not in ("被", "全", "都", "就")
    if word.has("neg") and rest[0].has("one", "loss"):
        return not before.has("employee", "cust")
    if word.has("change") and len(word.text) >= 2 and rest and rest[0].has("quantity"):
        return bool(before.tags) and not before.has("metric", "cust", "change", "neg", "adv", "time", *_ACTS, "noact", "link")
    return False


_TAKING_OVER = ("就", "才", "却", "又", "还", "没", "没有", "不", "把", "先", "直接", "马上")


def _employee_takes_over(row: list[Word], index: int) -> bool:
    word, before, after = row[index], row[index - 1], row[index + 1 : index + 2]
    goes_on = after and (after[0].text in _TAKING_OVER or (word.has("you") and after[0].has("adv", "time", "duration")))
    if word.has("employee") and before.has(*_ACTS) and goes_on:
        return True
    if not word.has("employee") or before.has("prep", "quote", *_ACTS, "vague", "cust") or sum(len(w.text) for w in row[index:]) < 4:
        return False
    return before.text not in ("和", "的", "那", "这", "、", "说", "夸", "骂", "选", "怪", "赖", "靠")


def _others_take_over(row: list[Word], index: int) -> bool:
    word, before, rest = row[index], row[index - 1], row[index + 1 :]
    if before.has(*_ACTS):
        return rest[0].has("neg", "loss", "gain", "emotion")
    if before.has("one", "adv") or any(w.has("prep") for w in row[max(0, index - 2) : index]):
        return False
    if word.has("act", "gain", "noact") or rest[0].text in ("的", "那", "这") or "每" in row[index - 2].text:
        return False
    return _acted(row[:index]) and any(w.has(*_ACTS, "loss", "gain", "change", "emotion", "neg") for w in rest)


def _acted(row: list[Word]) -> bool:
    return any(word.has(*_ACTS) for word in row)


_SKIPPED_BEFORE_SUBJECT = ("time", "adv", "link", "habit", "plain", "occasion", "neg", "prep", "hypo", "maybe")
_PERCEIVED = ("看到", "看见", "看了", "看过", "听到", "听了", "听说", "发现", "觉得")
_CHARGE = ("的", "这", "那", "那边", "这边", "负责", "名下", "手下", "手上", "手里")


def _subject(piece: list[Word]) -> Subject:
    for index, word in enumerate(piece):
        before = piece[index - 1] if index else None
        after = piece[index + 1] if index + 1 < len(piece) else None
        object_of = before is not None and before.has("prep") and before.text != "的"
        if word.has("employee") and not object_of:
            return Subject.THING if after is not None and after.text in _CHARGE else Subject.EMPLOYEE
        if word.has("cust") and not object_of and not word.has("act"):
            if after is not None and (after.text == "的" or after.has("employee")):
                continue
            return Subject.OTHERS
        if word.has("metric") and not object_of:
            return _of_thing(piece, index)
        if word.has(*_ACTS) and "的人" in "".join(w.text for w in piece[index + 1 : index + 5]):
            return Subject.OTHERS
        if word.text in _PERCEIVED and after is not None and after.has("employee"):
            return Subject.OTHERS
        if word.has(*_ACTS, "vague") or word.text in ("把", "将", "给", "让") or (word.has("neg") and index == 0):
            return Subject.SAME if _nothing_named(piece[:index]) else _of_thing(piece, index)
    return Subject.THING


def _of_thing(piece: list[Word], index: int) -> Subject:
    """A topic stood before the verb; when somebody is named after it, he is the subject all the same."""
    for before, word in pairwise(piece[index:]):
        if word.has("employee") and not before.has("prep", *_ACTS):
            return Subject.EMPLOYEE
    return Subject.THING


def _nothing_named(before: list[Word]) -> bool:
    return all(word.has(*_SKIPPED_BEFORE_SUBJECT) or word.text in "就也都还才，、 " for word in before)
