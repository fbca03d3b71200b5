"""Escalations reach an HRBP (A6): alone, or several on one card on which each can be acted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from cards.catalog import EscalationBundle, EscalationCard, Expected, ForecastText
from handlers import views
from handlers.context import Context, Press, Reply
from handlers.feedback import acting_for
from handlers.views import about
from rules import escalations, loops
from rules.escalations import Holiday
from rules.feedback import Record
from rules.loops import Step
from rules.messages import PersonId, Urgency
from rules.people import Person
from storage.escalations import Told
from storage.outbox import Message

# A card that waited out the night was due long before it left.
_LOOKED_BACK = timedelta(days=4)


def tell(ctx: Context, record: Record, step: Step, reader: PersonId) -> None:
    """Queue what `reader` is told of a loop that reached this step: with what waits for him already, else in a message of its own."""
    told = Told(0, record.id, reader, step.cause)
    waiting = _waiting(ctx, reader)
    if waiting is None:
        _alone(ctx, record, step, told)
    else:
        ctx.tx.escalations.note(replace(told, message=waiting.id), ctx.now)
        ctx.tx.outbox.replace(waiting.key, views.bundle(ctx, waiting).data(), waiting.not_before)


def on_bundle(act: Callable[[Press, Context], Reply]) -> Callable[[Press, Context], Reply]:
    """Do `act` with the one record that the press names: the action is `nudge:118`, `close:118:talked`."""

    def acted(press: Press, ctx: Context) -> Reply:
        id, _, rest = press.argument.partition(":")
        if id not in {str(told.feedback) for told in ctx.tx.escalations.of(press.card.id)}:
            return Reply(shows=views.bundle(ctx, press.card))
        verb = press.event.action.partition(":")[0]
        return act(replace(press, event=replace(press.event, action=f"{verb}:{rest}"), of=int(id)), ctx)

    return acted


def open_one(press: Press, ctx: Context) -> Reply:
    """One line of the list with all that can be done about it; the list again when nothing is left to do."""
    record, loop = ctx.tx.feedback.get(press.feedback), ctx.tx.loops.get(press.feedback)
    cause = next(told.cause for told in reversed(ctx.tx.escalations.of(press.card.id)) if told.feedback == record.id)
    shown = views.escalation(ctx, record, loop, cause)
    if isinstance(shown, EscalationCard):
        return Reply(shows=replace(shown, of=record.id))
    return Reply(shows=views.bundle(ctx, press.card))


def turn_page(press: Press, ctx: Context) -> Reply:
    """The next lines of a long list."""
    return Reply(shows=views.bundle(ctx, press.card, page=int(press.argument) if press.argument.isdecimal() else 0))


def forecast_one(ctx: Context) -> bool:
    """Before a long holiday, tell one HRBP what will reach him in it. False when everybody was told, or no such holiday is ahead."""
    holiday = escalations.holiday_ahead(ctx.calendar, ctx.now)
    if holiday is None:
        return False
    hrbps = ctx.tx.people.hrbps()
    served = ctx.tx.runs.taken("forecast", [f"{holiday.first}:{id}" for id in hrbps])
    for id in hrbps:
        slot = f"{holiday.first}:{id}"
        if slot not in served and ctx.tx.runs.first("forecast", slot, ctx.now):
            _forecast(ctx, ctx.tx.people.get(id), holiday)
            return True
    return False


def _forecast(ctx: Context, hrbp: Person, holiday: Holiday) -> None:
    until, expected, provisional = ctx.calendar.ends(holiday.back), list[Expected](), False
    for record, loop in ctx.tx.reports.running(hrbp.id, until):
        due = loops.escalates_at(loop, ctx.calendar)
        if due is not None and due < until:
            expected.append(Expected(ctx.tx.people.get(record.subject).name, record.action, due))
            provisional = provisional or loops.is_provisional(loop, due, ctx.calendar)
    if not expected:
        return
    expected.sort(key=lambda one: one.due_at)
    shown = tuple(expected[: escalations.LINES])
    card = ForecastText(holiday.days, holiday.back, shown, len(expected[escalations.LINES :]), provisional)
    reader = acting_for(ctx, hrbp)
    ctx.tx.outbox.add(card.to(reader.id, key=f"forecast:{holiday.first}:{hrbp.id}", expires=ctx.calendar.begins(holiday.back)), ctx.now)


def _alone(ctx: Context, record: Record, step: Step, told: Told) -> None:
    key = f"loop:{record.id}:{step.loop.round}:{step.loop.steps_taken}"
    last = ctx.tx.escalations.last_sent(told.reader, ctx.now - _LOOKED_BACK)
    leaves = escalations.leaves_at(last, ctx.now, ctx.policy.merge_within)
    card = views.escalation(ctx, record, step.loop, told.cause)
    ctx.tx.outbox.add(card.to(told.reader, key=key, about=about(record.id), urgency=Urgency.ESCALATION, not_before=leaves), ctx.now)
    message = ctx.tx.outbox.by_key(key)
    assert message is not None, "it was just added"
    _gather(ctx, message)
    ctx.tx.escalations.note(replace(told, message=message.id), ctx.now)


def _waiting(ctx: Context, reader: PersonId) -> Message | None:
    """The list that waits to leave for `reader`; a single card that waits becomes one. None when nothing waits."""
    id = ctx.tx.escalations.waiting_for(reader)
    message = ctx.tx.outbox.get(id) if id is not None else None
    if message is None or message.card == EscalationBundle.template():
        return message
    if not ctx.tx.outbox.cancel(message, ctx.now):
        return None  # it has left meanwhile
    key = f"bundle:{message.key}"
    empty = EscalationBundle(())
    ctx.tx.outbox.add(empty.to(reader, key=key, urgency=Urgency.ESCALATION, not_before=message.not_before), ctx.now)
    bundle = ctx.tx.outbox.by_key(key)
    assert bundle is not None, "it was just added"
    ctx.tx.escalations.move(message.id, bundle.id)
    _gather(ctx, bundle)
    return bundle


def _gather(ctx: Context, message: Message) -> None:
    """What falls due in the same tick, or piled up while we were down, is dealt with in the next transactions: wait for it."""
    if ctx.policy.gather > timedelta(0):
        ctx.tx.outbox.hold(message, ctx.policy.gather.total_seconds())
