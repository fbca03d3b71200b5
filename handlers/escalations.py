"""Escalations reach an HRBP (A6): alone, or several on one card on which each can be acted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cards.catalog import EscalationBundle, EscalationCard, Expected, ForecastText
from handlers import views
from handlers.context import Context, Press, Reply
from handlers.feedback import acting_for
from handlers.views import about
from rules import escalations, loops
from rules.escalations import Holiday
from rules.feedback import Record
from rules.loops import Step
from rules.messages import Outgoing, PersonId, Urgency
from rules.people import Person
from storage.escalations import Told
from storage.outbox import Message

# A card that waited out the night was due long before it left.
_LOOKED_BACK = timedelta(days=4)


Case = tuple[Record, Step]  # a loop that reached this step


def tell(ctx: Context, cases: Mapping[PersonId, Sequence[Case]]) -> None:
    """Queue what each reader is told: with what waits for him already, else in a message of its own, which is a list if it is about
    several."""
    waiting = ctx.tx.escalations.waiting_for(cases)
    for reader, his in cases.items():
        message = _list_of(ctx, waiting[reader]) if reader in waiting else None
        if message is None and len(his) == 1:
            _alone(ctx, reader, his[0])
        else:
            _on_list(ctx, message or _new_list(ctx, reader, f"bundle:{_key(his[0])}", _leaves(ctx, reader)), his)


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


def _alone(ctx: Context, reader: PersonId, case: Case) -> None:
    record, step = case
    card = views.escalation(ctx, record, step.loop, step.cause)
    leaves = _leaves(ctx, reader)
    message = _queue(ctx, card.to(reader, key=_key(case), about=about(record.id), urgency=Urgency.ESCALATION, not_before=leaves))
    ctx.tx.escalations.note(Told(message.id, record.id, reader, step.cause), ctx.now)


def _on_list(ctx: Context, message: Message, cases: Sequence[Case]) -> None:
    assert message.person is not None, "lists go to people"
    for record, step in cases:
        ctx.tx.escalations.note(Told(message.id, record.id, message.person, step.cause), ctx.now)
    ctx.tx.outbox.replace(message.key, views.bundle(ctx, message).data(), message.not_before)


def _list_of(ctx: Context, waiting: int) -> Message | None:
    """The list that waits to leave; a single card that waits becomes one. None when it has left meanwhile."""
    message = ctx.tx.outbox.get(waiting)
    if message is None or message.card == EscalationBundle.template():
        return message
    assert message.person is not None, "escalations go to people"
    if not ctx.tx.outbox.cancel(message, ctx.now):
        return None
    bundle = _new_list(ctx, message.person, f"bundle:{message.key}", message.not_before)
    ctx.tx.escalations.move(message.id, bundle.id)
    return bundle


def _new_list(ctx: Context, reader: PersonId, key: str, leaves: datetime) -> Message:
    return _queue(ctx, EscalationBundle(()).to(reader, key=key, urgency=Urgency.ESCALATION, not_before=leaves))


def _queue(ctx: Context, outgoing: Outgoing) -> Message:
    """Add it. What falls due in the same tick, or piled up while we were down, is dealt with in the next transactions: wait for it."""
    ctx.tx.outbox.add(outgoing, ctx.now)
    message = ctx.tx.outbox.by_key(outgoing.key)
    assert message is not None, "it was just added"
    if ctx.policy.gather > timedelta(0):
        ctx.tx.outbox.hold(message, ctx.policy.gather.total_seconds())
    return message


def _key(case: Case) -> str:
    record, step = case
    return f"loop:{record.id}:{step.loop.round}:{step.loop.steps_taken}"


def _leaves(ctx: Context, reader: PersonId) -> datetime:
    last = ctx.tx.escalations.last_sent(reader, ctx.now - _LOOKED_BACK)
    return escalations.leaves_at(last, ctx.now, ctx.policy.merge_within)
