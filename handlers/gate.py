"""The gate for the three elements when they are given apart: the fields of a page, or new words for one of them (A4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cards.filters import local_time
from reading import sentence, times
from reading.times import Grain
from rules.feedback import Record
from rules.sentences import Element


def understood(texts: Mapping[Element, str], when: datetime | None) -> frozenset[Element]:
    """The elements that the gate finds, each in its own text: read with all the others, or with the scene alone, because a stronger
    sign elsewhere hides a good one. What it finds in another text does not make up for this one. `when` it was counts for the scene,
    which need not name a day then."""
    scene = texts[Element.SCENE]
    names_a_day = any(mention.grain is Grain.DAY for mention in times.find(scene))
    fields = {element: texts[element] for element in Element}
    fields[Element.SCENE] = f"{local_time(when)} {scene}" if when and not names_a_day else scene
    alone = {element: {Element.SCENE: fields[Element.SCENE], element: fields[element]} for element in Element}
    return frozenset(element for element in Element if any(_found(read, element) for read in (fields, alone[element])))


def emptied(before: Record, changed: Record) -> tuple[Element, ...]:
    """The elements that have new words in which the gate does not find them."""
    texts = {element: getattr(changed, element.value) for element in Element}
    new = [element for element in Element if texts[element] != getattr(before, element.value)]
    found = understood(texts, before.occurred_at) if new else frozenset()
    return tuple(element for element in new if element not in found)


def _found(texts: Mapping[Element, str], element: Element) -> bool:
    begins = sum(len(texts[before]) + 1 for before in list(texts)[: list(texts).index(element)])
    span = getattr(sentence.read("，".join(texts.values())), element.value).span
    return span is not None and span.start < begins + len(texts[element]) and span.end > begins
