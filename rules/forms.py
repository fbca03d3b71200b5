"""The long form of a feedback, and what may be added to one on its page (F3): what is missing, who may."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.evidence import EvidencePolicy, Wanted
from rules.feedback import ENDED, Kind, Record, Refusal, State
from rules.messages import PersonId
from rules.sentences import Element

LONGEST = 600  # characters of one field
_CLOSED = (State.DRAFT, State.NOTE, State.EXPIRED, State.WITHDRAWN, State.CLOSED)


class Lack(StrEnum):
    """Why a field is not good yet; each has its sentence in `web/templates/_words.html`."""

    WHO = "who"
    KIND = "kind"
    SCENE = "scene"
    ACTION = "action"
    IMPACT = "impact"
    WHEN = "when"
    TOO_LONG = "too_long"
    ADDITION = "addition"
    VAGUE_SCENE = "vague_scene"
    VAGUE_ACTION = "vague_action"
    VAGUE_IMPACT = "vague_impact"


VAGUE: Mapping[Element, Lack] = {  # new words in which the gate does not find what they are to say
    Element.SCENE: Lack.VAGUE_SCENE,
    Element.ACTION: Lack.VAGUE_ACTION,
    Element.IMPACT: Lack.VAGUE_IMPACT,
}


@dataclass(frozen=True)
class Written:
    """What stands in the form. None is what was left open; `when` is aware UTC."""

    subject: PersonId | None
    kind: Kind | None
    scene: str
    action: str
    impact: str
    when: datetime | None


def lacking(written: Written, understood: Collection[Element], now: datetime) -> tuple[Lack, ...]:
    """What is missing, in the order of the fields; empty when the feedback can be given. `understood` are the elements that the gate
    found in the three texts together (A4): the same gate as for a sentence in the chat."""
    found = [] if written.subject is not None else [Lack.WHO]
    found += [] if written.kind else [Lack.KIND]
    found += [] if written.when is not None and written.when <= now else [Lack.WHEN]
    texts = {element: getattr(written, element.value) for element in Element}
    found += [Lack(element.value) for element, text in texts.items() if not text or element not in understood]
    return (*found, *[Lack.TOO_LONG for text in texts.values() if len(text) > LONGEST][:1])


def may_keep(written: Written, lacks: Collection[Lack]) -> bool:
    """Whether the author may insist (仍要记下) on what is turned back for `lacks`: he wrote something, and nothing is missing but what
    the gate asks for (A4)."""
    return any((written.scene, written.action, written.impact)) and {Lack(element.value) for element in Element}.issuperset(lacks)


def lacks_words(before: Mapping[Element, str], after: Mapping[Element, str]) -> Lack | None:
    """Why a given record cannot be put into these words: a field is empty, or a changed one too long."""
    empty = next((Lack(element.value) for element in Element if not after[element]), None)
    too_long = any(len(after[element]) > LONGEST for element in Element if after[element] != before[element])
    return empty or (Lack.TOO_LONG if too_long else None)


def may_add_words(record: Record, by: PersonId) -> Refusal | None:
    """None when `by` may put a sentence behind the record on its page: its author, answered or not, until it has ended (A1)."""
    if by != record.author:
        return Refusal.NOT_YOURS
    if record.state is State.DRAFT:
        return Refusal.INCOMPLETE
    return ENDED.get(record.state)


def may_add_picture(record: Record, person: PersonId, policy: EvidencePolicy) -> bool:
    """Whether this person may put a picture to the record on its page (A5): its author, where the kind takes pictures, and its
    subject, while it is neither ended nor still being written."""
    if record.state in _CLOSED or record.kind is None:
        return False
    return person == record.subject or (person == record.author and policy.wanted[record.kind] is not Wanted.NONE)
