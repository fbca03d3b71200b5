"""Praise or improvement: whether the author wants the same again or a change. A guess that the card shows for correction."""

import re
from collections.abc import Iterator, Sequence

from reading.impacts import consequence_signs
from reading.signs import HAN, ORDERING, Wording, acts_told, worded
from reading.statements import Statement, Subject

_TAGS = ("good", "bad", "fault", "emotion", "empty_impact", "hypo", "habit", "maybe")
_TELLING = frozenset(
    [
        "loss",
        "loss_averted",
        "gain",
        "gain_averted",
        "none_at_all",
        "spared",
        "in_time",
        "suffered",
        "broke",
        "redo",
        "cannot",
        "given_back",
    ]
)
_SLIP = re.compile(f"[漏错误忘少]|{HAN}(?:错|反|串|漏|丢|坏)")
_SLIPPED = re.compile("成了|错了|反了|串了|漏了")
_WORDING: Wording = {
    "careful": re.compile(
        "先.{1,14}再|逐|挨个|一个个|主动|提前|当场|马上|立刻|顺手|亲自|连夜|单独|专门|发现.{2,}|都会|会先|会把|总会|全部|每.{1,6}都"
    ),
    "careless": re.compile(f"就(?!好|行|能|会|全|都|没)|一直|还在|只{HAN}|也不|都不|看都|头都|直接|随手|随便"),
    "order_given": ORDERING,
}


def praise_signs(row: Sequence[Statement]) -> frozenset[str]:
    """What speaks for praise and against it, over all statements; consequences at the end have names of their own."""
    found: set[str] = set()
    for statement in row:
        told = {sign for sign in consequence_signs(statement) if sign in _TELLING}
        found |= told
        if statement is row[-1]:
            found |= {"ends_with_" + sign for sign in told}
        found |= {tag for tag in _TAGS if statement.has(tag)}
        found |= {*worded(_WORDING, statement.text), *_manner_signs(statement)}
    return frozenset(found)


def _manner_signs(statement: Statement) -> Iterator[str]:
    acts = acts_told(statement)
    own = statement.subject is Subject.EMPLOYEE
    if any(_SLIP.search(statement.words[i].text) for i in acts) or _SLIPPED.search(statement.text):
        yield "slip"
    if own and statement.has("neg"):
        yield "own_act_undone"
    elif own and acts:
        yield "own_act"
    if own and acts and statement.inherited:
        yield "own_act_continued"
