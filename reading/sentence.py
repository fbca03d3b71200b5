"""The three elements of a feedback as understood from a sentence: scene, action, impact, each with its words.

The gate of product row A4: a feedback is complete when it names one occasion, something a recording would
show this person doing or leaving undone, and a concrete consequence. Pure, offline and deterministic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reading import model, signs, times, vague
from reading.model import Weights
from reading.statements import Statement, statements
from reading.text import normalise
from reading.times import Grain, TimeMention

_SURE = 0.5
_UNDECIDED = 0.15  # this near to even odds the kind is left open


class Kind(StrEnum):
    """What the author wants: the same again, or a change."""

    PRAISE = "praise"
    IMPROVE = "improve"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Span:
    """Where words stand in the author's text: offsets, end exclusive, never empty."""

    start: int
    end: int


@dataclass(frozen=True)
class Element:
    """One of the three: whether it is there, the words it rests on, and the sign that decided (see data/gate_weights.json)."""

    present: bool
    span: Span | None
    why: str


@dataclass(frozen=True)
class Sentence:
    """A feedback as understood. `generic` is true when it tells neither of an action nor of an impact."""

    text: str
    scene: Element
    action: Element
    impact: Element
    generic: bool
    kind: Kind
    when: TimeMention | None

    @property
    def complete(self) -> bool:
        """Whether all three elements are there: the gate's verdict."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the elements that are not there, in the order scene, action, impact."""
        return tuple(name for name in ("scene", "action", "impact") if not getattr(self, name).present)


@dataclass(frozen=True)
class Reading:
    """What was observed in a text before anything is judged: statements and their signs."""

    text: str
    statements: Sequence[Statement]
    action_bags: Sequence[frozenset[str]]
    impact_bags: Sequence[frozenset[str]]
    praise_bag: frozenset[str]

    def scene_bag(self, told: str) -> frozenset[str]:
        """The signs for a scene, once it is known what the text tells of ("act", "consequence" or "")."""
        return frozenset(signs.scene_signs(self.text, self.statements, told))


@dataclass(frozen=True)
class Judgement:
    """Likelihoods (0..1) of each statement telling of an action or an impact, and what follows from them."""

    action: Sequence[float]
    impact: Sequence[float]
    action_at: int | None
    impact_at: int | None
    cut: int | None  # where action ends and impact begins, if both stand in one statement

    @property
    def told(self) -> str:
        """What happened according to the text: "act", else "consequence", else ""."""
        return "act" if self.action_at is not None else "consequence" if self.impact_at is not None else ""


def read(text: str, table: Mapping[str, Weights] | None = None) -> Sentence:
    """Understand `text`; never raises, whatever the text. `table` replaces the stored weights (for training)."""
    table = table or model.table()
    reading = observe(text)
    judgement = judge(reading, table)
    scene_bag = reading.scene_bag(judgement.told)
    scene_present = bool(reading.statements) and model.likelihood(scene_bag, table["scene"]) >= _SURE
    when = _finest(times.find(reading.text))
    scene_span = _scene_span(reading, when) if scene_present else None
    action_span, impact_span = _spans(reading, judgement, scene_span)
    scene = Element(scene_span is not None, scene_span, model.strongest(scene_bag, table["scene"]))
    action = _element(action_span, reading.action_bags, judgement.action, table["action"])
    impact = _element(impact_span, reading.impact_bags, judgement.impact, table["impact"])
    generic = not action.present and not impact.present
    return Sentence(text, scene, action, impact, generic, _kind(reading, table), when)


def observe(text: str) -> Reading:
    """Collect the signs of every statement in `text`."""
    even = normalise(text)
    row = [statement for statement in statements(even) if not vague.is_about_the_rule(statement.text)]
    return Reading(
        even,
        row,
        [frozenset(signs.action_signs(row, i)) for i in range(len(row))],
        [frozenset(signs.impact_signs(row, i)) for i in range(len(row))],
        frozenset(signs.praise_signs(row)),
    )


def judge(reading: Reading, table: Mapping[str, Weights]) -> Judgement:
    """Weigh the signs; no statement serves as action and impact at once unless it can be cut in two."""
    action = [model.likelihood(bag, table["action"]) for bag in reading.action_bags]
    impact = [model.likelihood(bag, table["impact"]) for bag in reading.impact_bags]
    action_at = _best(action)
    impact_at = _best(impact)
    cut = None
    if action_at is not None and action_at == impact_at:
        cut = signs.consequence_begins(reading.statements[action_at])
        if cut is None:
            action_at, impact_at = _separate(action, impact, action_at)
    return Judgement(action, impact, action_at, impact_at, cut)


def _best(likelihoods: Sequence[float]) -> int | None:
    """The likeliest statement, or None when even all together are not likely enough."""
    if model.any_of(likelihoods) < _SURE:
        return None
    return max(range(len(likelihoods)), key=lambda i: likelihoods[i])


def _separate(action: Sequence[float], impact: Sequence[float], shared: int) -> tuple[int | None, int | None]:
    """One statement was best for both: the element that it fits less has to live on the others."""
    others_action = [0.0 if i == shared else p for i, p in enumerate(action)]
    others_impact = [0.0 if i == shared else p for i, p in enumerate(impact)]
    keep_action = (shared, _best(others_impact))
    keep_impact = (_best(others_action), shared)
    if keep_action[1] is not None and keep_impact[0] is not None:
        return keep_action if others_impact[keep_action[1]] >= others_action[keep_impact[0]] else keep_impact
    if keep_action[1] is not None:
        return keep_action
    if keep_impact[0] is not None:
        return keep_impact
    return keep_action if action[shared] >= impact[shared] else keep_impact


def _spans(reading: Reading, judgement: Judgement, scene: Span | None) -> tuple[Span | None, Span | None]:
    action = impact = None
    if judgement.action_at is not None:
        statement = reading.statements[judgement.action_at]
        end = judgement.cut if judgement.cut is not None else statement.end
        action = _without(scene, statement.start, end)
    if judgement.impact_at is not None:
        statement = reading.statements[judgement.impact_at]
        start = judgement.cut if judgement.cut is not None else statement.start
        impact = _without(scene, start, statement.end)
    return action, impact


def _without(taken: Span | None, start: int, end: int) -> Span | None:
    """The longer part of start..end that `taken` leaves; None when it leaves nothing."""
    if taken is None or taken.end <= start or end <= taken.start:
        return Span(start, end)
    parts = [(start, min(end, taken.start)), (max(start, taken.end), end)]
    first, last = max(parts, key=lambda part: part[1] - part[0])
    return Span(first, last) if first < last else None


def _element(span: Span | None, bags: Sequence[frozenset[str]], likelihoods: Sequence[float], weights: Weights) -> Element:
    best = max(range(len(bags)), key=lambda i: likelihoods[i], default=None)
    why = model.strongest(bags[best], weights) if best is not None else "nothing_said"
    return Element(span is not None, span, why)


def _kind(reading: Reading, table: Mapping[str, Weights]) -> Kind:
    praise = model.likelihood(reading.praise_bag, table["praise"])
    if not reading.praise_bag or abs(praise - 0.5) < _UNDECIDED:
        return Kind.UNCLEAR
    return Kind.PRAISE if praise > 0.5 else Kind.IMPROVE


def _finest(mentions: Sequence[TimeMention]) -> TimeMention | None:
    order = (Grain.DAY, Grain.PART, Grain.PERIOD)
    return min(mentions, key=lambda mention: order.index(mention.grain), default=None)


def _scene_span(reading: Reading, when: TimeMention | None) -> Span | None:
    """The words that name the occasion: a thing pointed at, else the time, else an event, else the opening."""
    thing = signs.thing_named(reading.text)
    if thing is not None and (when is None or when.grain is not Grain.DAY):
        return Span(*thing)
    if when is not None:
        return Span(when.start, when.end)
    for statement in reading.statements:
        for word in statement.words:
            if word.has("occasion"):
                return Span(word.start, word.end)
    opening = reading.statements[0].words[0]
    return Span(opening.start, opening.end)
