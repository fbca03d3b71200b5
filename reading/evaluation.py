"""How much of a text is judging instead of telling: 态度认真, 表现不错, 有点马虎."""

from reading.statements import statements
from reading.text import normalise

_JUDGING = ("eval", "mind", "vague")


def share(text: str) -> float:
    """The share (0..1) of characters that stand in words of judgement; punctuation does not count, names neither."""
    words = [word for statement in statements(normalise(text)) for word in statement.words]
    told = [word for word in words if word.text.strip("、 ,.") and not word.has("name")]
    judged = sum(len(word.text) for word in told if word.has(*_JUDGING))
    return judged / total if (total := sum(len(word.text) for word in told)) else 0.0
