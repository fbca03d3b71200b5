"""What somebody else's reading of a sentence may add to ours (A4): words of the author's own, for what we found nothing said about.

An endpoint that reads for us may be wrong, or be talked into anything by the text that it reads. So it may only point at words that
stand in the text; they must not serve another element already, must not be judgement or talk about our own rule, and where our rules
say no (a habit is no occasion, 态度认真 is no action) they are not asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reading import evaluation, vague
from reading.reasons import Why
from reading.sentence import Sentence, Span
from reading.text import normalise

_SHORTEST, _LONGEST = 2, 120  # characters of the words for one element
_JUDGES = 0.5
_EDGES = " ，,。.；;：:、\n"
_ELEMENTS = ("scene", "action", "impact")


def open_elements(read: Sentence) -> tuple[str, ...]:
    """The elements that our rules leave open: nothing was said about them as far as they can tell. A bare time becomes an occasion when
    an action is found, so a scene is open together with the action."""
    unsaid = [name for name in read.missing if getattr(read, name).why is Why.NOT_SAID]
    if read.scene.why is Why.ONLY_A_TIME and "action" in unsaid:
        return ("scene", *unsaid)
    return tuple(unsaid)


def usable(read: Sentence, proposed: Mapping[str, str]) -> dict[str, Span]:
    """Where the proposed words (element → words) stand in the text, for those that may be used; the first comer takes the words."""
    taken = [element.span for name in _ELEMENTS if (element := getattr(read, name)).span is not None]
    found: dict[str, Span] = {}
    for name in open_elements(read):
        words = proposed.get(name, "").strip(_EDGES)
        if not _SHORTEST <= len(words) <= _LONGEST or _says_nothing(words):
            continue
        span = next((span for span in _places(words, read.text) if not any(_overlap(span, other) for other in taken)), None)
        if span is not None:
            found[name] = span
            taken.append(span)
    if "scene" in found and read.scene.why is Why.ONLY_A_TIME and "action" not in found:
        del found["scene"]
    return found


def _says_nothing(words: str) -> bool:
    return vague.is_about_the_rule(normalise(words)) or evaluation.share(words) >= _JUDGES


def _places(words: str, text: str) -> Iterator[Span]:
    start = text.find(words)
    while start >= 0:
        yield Span(start, start + len(words))
        start = text.find(words, start + 1)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
