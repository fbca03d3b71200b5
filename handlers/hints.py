"""Another reader's help with a draft (A4): which draft it is asked about, and what becomes of its answer.

The asking itself is not done here: it takes time, and no transaction waits for it (`bot/hints.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers import sentences
from handlers.context import Context
from handlers.views import about
from reading import hints, sentence
from rules.feedback import State


@dataclass(frozen=True)
class Question:
    """What is open in a draft: the author's text, and the elements that our rules find nothing about (of scene, action, impact)."""

    feedback: int
    text: str
    open: tuple[str, ...]


def take_next(ctx: Context) -> Question | None:
    """The next draft to ask about, which is asked about by nobody else then; None when there is none."""
    while (feedback := ctx.tx.hints.take_next()) is not None:
        question = _question(ctx, feedback)
        if question is not None:
            return question
    return None


def heard(ctx: Context, question: Question, proposed: Mapping[str, str]) -> bool:
    """Put what may be used of the answer (element → words) into the draft and on its card. False, and nothing changes, when none of it
    may be, or when the author has sent, dropped or reworded the draft meanwhile."""
    if _question(ctx, question.feedback) != question:
        return False
    found = hints.usable(sentence.read(question.text), proposed)
    if not found:
        return False
    record = ctx.tx.feedback.get(question.feedback)
    for name, span in found.items():
        words = question.text[span.start : span.end]
        ctx.tx.history.note(about(record.id), "hinted", ctx.now, reason=name, words=words)
    sentences.reread(ctx, record, question.text)
    return True


def _question(ctx: Context, feedback: int) -> Question | None:
    """What there is to ask about this draft now; None when nothing is open, or it is no draft any more."""
    record, written = ctx.tx.feedback.get(feedback), ctx.tx.sentences.of(feedback)
    if record.state is not State.DRAFT or ctx.now >= record.expires_at or written is None:
        return None
    still = tuple(name for name in hints.open_elements(sentence.read(written.text)) if not getattr(record, name))
    return Question(feedback, written.text, still) if still else None
