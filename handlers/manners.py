"""The last word before the network (A10): asks `rules.manners` about a message that is due, stores and applies what it decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from handlers.context import Context
from handlers.reports import all_waiting_for
from rules import manners
from rules.manners import Degree, Drop, Hold, Merge, Ping, Reader, Why
from rules.messages import Urgency
from rules.weeks import SHANGHAI, midnight
from storage.outbox import Message, State
from storage.rulings import Ruling


def leaves(ctx: Context, message: Message, degree: Degree) -> Message | None:
    """What leaves now in the place of a due message: it, or what it says together with others; None when it waits or is not sent.

    `degree` is how hard its platform's budget makes us save. Called in the transaction that claims the message.
    """
    if message.changes is not None or message.urgency is Urgency.ANSWER or message.state is not State.DUE:
        return message
    decision = manners.decide(_ping(message), _reader(ctx, message), ctx.policy.manners, ctx.calendar, degree, ctx.now)
    match decision:
        case Hold(until, why):
            ctx.tx.outbox.defer(message, until)
            ctx.tx.rulings.note(Ruling(message.id, ctx.now, "hold", why, until))
            return None
        case Drop(why):
            ctx.tx.outbox.end(message, State.DROPPED, why)
            ctx.tx.rulings.note(Ruling(message.id, ctx.now, "drop", why))
            return None
        case Merge(others, why):
            return _together(ctx, message, others, why)
    return message


def _together(ctx: Context, message: Message, others: tuple[int, ...], why: Why) -> Message:
    """Several reminders become the list of everything that waits for the reader."""
    assert message.person is not None, "only people are reminded"
    card = all_waiting_for(ctx, message.person)
    ctx.tx.outbox.reword(message, card.template(), card.data())
    ctx.tx.outbox.merge(others)
    for other in others:
        ctx.tx.rulings.note(Ruling(other, ctx.now, "merge", why, other=message.id))
    return replace(message, card=card.template(), data=card.data())


def _ping(message: Message) -> Ping:
    return Ping(message.id, message.urgency, message.about, drawn=message.payload is not None)


def _reader(ctx: Context, message: Message) -> Reader:
    """What the rule wants to know of whoever gets it; only what it asks of this class."""
    house, urgency = ctx.policy.manners, message.urgency
    told = _told(ctx, message) if manners.asks_when_told(urgency, house) else ()
    if message.person is None:
        return Reader(told=told)
    reminders = ctx.tx.outbox.waiting_for(message.person, urgency, ctx.now) if urgency is Urgency.REMINDER else ()
    counted = manners.is_capped(urgency, house)
    return Reader(
        preferences=ctx.tx.preferences.of(message.person),
        away=ctx.tx.away.of(message.person) if manners.is_nag(urgency) else None,
        waiting=tuple(_ping(other) for other in reminders if other.id != message.id),
        told=told,
        today=ctx.tx.outbox.sent_since(message.person, urgency, _midnight(ctx.now)) if counted else 0,
    )


def _told(ctx: Context, message: Message) -> tuple[datetime, ...]:
    """When the same thing was told before. A list of escalations waits for none of them."""
    if message.urgency is Urgency.ESCALATION:
        records = {told.feedback for told in ctx.tx.escalations.of(message.id)}
        return ctx.tx.escalations.when_told(records.pop(), message.id) if len(records) == 1 else ()
    return ctx.tx.outbox.told(message) if message.about else ()


def _midnight(now: datetime) -> datetime:
    return midnight(now.astimezone(SHANGHAI).date())
