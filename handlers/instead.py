"""What is said in a message of its own because a card can no longer be changed.

WeCom changes a card once per code, and a code lives 72 hours (wecom.md §7): a send brings one, each press another. Presses are answered
with their own code and reminders are messages of their own, so the send's code is there for what happens later; when it is used up or
too old, whoever would be misled by the card as it stands is written to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cards.catalog import CheckinDone, EscalationBundle, EscalationSettled, FeedbackCard, FeedbackClosed, SentenceDone, SeveralDone
from handlers.context import Context
from rules.messages import Outgoing, Urgency
from storage.outbox import Message


def instead(ctx: Context, change: Message) -> None:
    """Say what `change` would have shown, if its reader must not miss it. Twice is once."""
    matters = _MATTERS.get(change.card)
    if change.person is not None and matters is not None and matters(change.data):
        about = change.about if change.card in _LIVE else None
        message = Outgoing(change.person, change.card, change.data, key=f"instead:{change.id}", about=about, urgency=Urgency.NORMAL)
        ctx.tx.outbox.add(message, ctx.now)


# An author waits for the answer; a subject would answer other words than the record has; the others would answer or follow up what
# needs it no longer.
_MATTERS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    CheckinDone.template(): lambda data: data["answer"] is not None,
    SentenceDone.template(): lambda data: data["answer"] is not None,
    SeveralDone.template(): lambda data: data["waiting"] == 0,
    FeedbackCard.template(): lambda data: True,
    FeedbackClosed.template(): lambda data: True,
    EscalationSettled.template(): lambda data: True,
    EscalationBundle.template(): lambda data: data["left"] == 0,
}

_LIVE = (FeedbackCard.template(),)  # is answered like the card it stands for, and follows what happens to the record
