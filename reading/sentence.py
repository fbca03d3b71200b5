"""The three elements of a feedback as understood from a sentence: scene, action, impact, each with its words.

The gate of product row A4: a feedback is complete when it names one occasion, something a recording would
show this person doing or leaving undone, and a concrete consequence. Pure, offline and deterministic.

Five steps, one module each: `text` makes the text even and cuts it into clauses, `spans` types its words,
`statements` finds who each stretch speaks of, `actions`, `impacts` and `scenes` collect signs, and `model` weighs
them. Here they are put together; no words serve two elements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reading import model, times, vague
from reading.actions import action_signs
from reading.impacts import consequence_begins, impact_signs
from reading.model import Weights
from reading.praise import praise_signs
from reading.reasons import Why, why_action, why_impact, why_scene
from reading.scenes import scene_signs, thing_named
from reading.statements import Statement, statements
from reading.text import normalise
from reading.times import Grain, TimeMention

_LONGEST = 2000  # characters read; a longer text is a document, and its time would grow with the square
_SURE = 0.45  # by cross-validation: a good text asked for once more costs an answer, an empty one let through costs trust
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
    """One of the three: whether it is there, the words it rests on (exactly when it is there), and why or why not."""

    present: bool
    span: Span | None
    why: Why


@dataclass(frozen=True)
class Sentence:
    """A feedback as understood. `generic`: it tells neither of an action nor of an impact. `when`: the finest time it names. `doing` is
    how likely its likeliest statement tells of an action, 0..1."""

    text: str
    scene: Element
    action: Element
    impact: Element
    generic: bool
    kind: Kind
    when: TimeMention | None
    doing: float

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
    """What was observed in a text before anything is judged: its statements and their signs, one bag for each."""

    text: str
    statements: Sequence[Statement]
    action_bags: Sequence[frozenset[str]]
    impact_bags: Sequence[frozenset[str]]
    praise_bag: frozenset[str]

    def scene_bag(self, told: str) -> frozenset[str]:
        """The signs for a scene, once it is known what the text tells of ("act", "consequence" or "")."""
        return scene_signs(self.text, self.statements, told)


@dataclass(frozen=True)
class Judgement:
    """Which statement tells of the action and which of the impact; both may be one, cut in two at the offset `cut`."""

    action_at: int | None
    impact_at: int | None
    cut: int | None = None

    @property
    def told(self) -> str:
        """What happened according to the text: "act", else "consequence", else ""."""
        return "act" if self.action_at is not None else "consequence" if self.impact_at is not None else ""


def read(text: str, table: Mapping[str, Weights] | None = None) -> Sentence:
    """Understand `text` by its first 2,000 characters; never raises, whatever the text.

    `table` replaces the stored weights (for training).
    """
    table = table or model.table()
    reading = observe(text)
    judgement = judge(reading, table)
    scene_bag = reading.scene_bag(judgement.told)
    when = _finest(times.find(reading.text))
    named = bool(reading.statements) and model.likelihood(scene_bag, table["scene"]) >= _SURE
    scene = _scene_span(reading, when) if named else None
    action, impact = _spans(reading, judgement, scene)
    return Sentence(
        text,
        Element(scene is not None, scene, why_scene(scene_bag, scene is not None)),
        Element(action is not None, action, why_action(reading.action_bags, judgement.action_at)),
        Element(impact is not None, impact, why_impact(reading.impact_bags, judgement.impact_at)),
        generic=action is None and impact is None,
        kind=_kind(reading, table),
        when=when,
        doing=max((model.likelihood(bag, table["action"]) for bag in reading.action_bags), default=0.0),
    )


def observe(text: str) -> Reading:
    """Collect the signs of every statement in `text`, except where it only talks about the rule or lists keywords."""
    even = normalise(text[:_LONGEST])
    row = [statement for statement in statements(even) if not vague.is_about_the_rule(statement.text)]
    if vague.is_only_keywords([len(statement.words) for statement in row]):
        row = []
    return Reading(
        even,
        row,
        [action_signs(row, i) for i in range(len(row))],
        [impact_signs(row, i) for i in range(len(row))],
        praise_signs(row),
    )


def judge(reading: Reading, table: Mapping[str, Weights]) -> Judgement:
    """Weigh the signs; no statement serves as action and impact at once unless it can be cut in two."""
    action = [model.likelihood(bag, table["action"]) for bag in reading.action_bags]
    impact = [model.likelihood(bag, table["impact"]) for bag in reading.impact_bags]
    action_at, impact_at = _best(action), _best(impact)
    if action_at is None or action_at != impact_at:
        return Judgement(action_at, impact_at)
    cut = consequence_begins(reading.statements[action_at])
    return _separate(action, impact, action_at) if cut is None else Judgement(action_at, impact_at, cut)


def _best(likelihoods: Sequence[float]) -> int | None:
    """The likeliest statement, or None when even all together are not likely enough."""
    if model.any_of(likelihoods) < _SURE:
        return None
    return max(range(len(likelihoods)), key=lambda i: likelihoods[i])


def _separate(action: Sequence[float], impact: Sequence[float], shared: int) -> Judgement:
    """One statement was best for both: it serves the one, and the other has to live on the remaining statements."""
    other_action = _best([0.0 if i == shared else p for i, p in enumerate(action)])
    other_impact = _best([0.0 if i == shared else p for i, p in enumerate(impact)])
    if other_action is None and other_impact is None:
        is_action = action[shared] >= impact[shared]
    elif other_action is None or other_impact is None:
        is_action = other_impact is not None
    else:
        is_action = impact[other_impact] >= action[other_action]
    return Judgement(shared, other_impact) if is_action else Judgement(other_action, shared)


def _spans(reading: Reading, judgement: Judgement, scene: Span | None) -> tuple[Span | None, Span | None]:
    action = impact = None
    if judgement.action_at is not None:
        statement = reading.statements[judgement.action_at]
        action = _without(scene, statement.start, judgement.cut or statement.end)
    if judgement.impact_at is not None:
        statement = reading.statements[judgement.impact_at]
        impact = _without(scene, judgement.cut or statement.start, statement.end)
    return action, impact


def _without(taken: Span | None, start: int, end: int) -> Span | None:
    """The longer part of start..end that `taken` leaves; None when it leaves nothing."""
    if taken is None or taken.end <= start or end <= taken.start:
        return Span(start, end)
    parts = [(start, min(end, taken.start)), (max(start, taken.end), end)]
    first, last = max(parts, key=lambda part: part[1] - part[0])
    return Span(first, last) if first < last else None


def _scene_span(reading: Reading, when: TimeMention | None) -> Span:
    """The words that name the occasion: a thing pointed at, else the time, else an event, else the opening word."""
    thing = thing_named(reading.text)
    if thing is not None and (when is None or when.grain is not Grain.DAY):
        return Span(*thing)
    if when is not None:
        return Span(when.start, when.end)
    words = [word for statement in reading.statements for word in statement.words]
    named = next((word for word in words if word.has("occasion")), words[0])
    return Span(named.start, named.end)


def _finest(mentions: Sequence[TimeMention]) -> TimeMention | None:
    order = (Grain.DAY, Grain.PART, Grain.PERIOD)
    return min(mentions, key=lambda mention: order.index(mention.grain), default=None)


def _kind(reading: Reading, table: Mapping[str, Weights]) -> Kind:
    praise = model.likelihood(reading.praise_bag, table["praise"])
    if not reading.praise_bag or abs(praise - 0.5) < _UNDECIDED:
        return Kind.UNCLEAR
    return Kind.PRAISE if praise > 0.5 else Kind.IMPROVE
