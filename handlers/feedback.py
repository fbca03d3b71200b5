"""Giving feedback: a check-in card is offered, ticked and submitted (A2), expires or is taken back."""

from __future__ import annotations

from datetime import timedelta

from cards.catalog import CheckinCard, FeedbackCard, SorryText
from handlers import evidence
from handlers.context import Context, Press, Reply
from handlers.views import about, attached_to, linked, options_of, refresh, view
from rules import away, checkins, feedback, loops
from rules.events import Platform
from rules.feedback import Accepted, Record, Refusal, Refused
from rules.loops import Loop
from rules.messages import Outgoing, PersonId, Urgency
from rules.people import Person, chain_of
from storage.feedback import Draft


def give(press: Press, ctx: Context) -> Reply:
    """Submit of a check-in card: the record opens, its clock starts, the subject is told."""
    record = ctx.tx.feedback.get(press.feedback)
    subject = ctx.tx.people.circle(record.subject)
    decision = feedback.give(record, press.event.ticks, press.by.id, ctx.now, subject_left=not subject.active)
    if isinstance(decision, Refused):
        # The same press again (a second delivery, a double tap) is shown what the first was, not a complaint.
        again = decision.reason is Refusal.ALREADY_GIVEN and set(press.event.ticks) == set(record.ticks)
        return Reply(shows=view(ctx, press.card, record, None, None if again else decision.reason))
    loop = open_record(ctx, decision.record, press.by)
    return Reply(shows=view(ctx, press.card, decision.record, loop))


def open_record(ctx: Context, given: Record, author: Person) -> Loop:
    """A feedback was given, by card or in words: the record opens, its clock starts, its subject is told."""
    loop = loops.open_loop(given.id, ctx.now, ctx.policy.plan, chain_for(ctx, ctx.tx.people.get(given.subject)), ctx.calendar)
    ctx.tx.feedback.apply(given)
    ctx.tx.loops.open(loop)
    ctx.tx.history.note(about(given.id), "given", ctx.now, by=author.id)
    evidence.on_given(ctx, given)
    ctx.tx.outbox.add(_to_subject(ctx, given, loop, author), ctx.now)
    return loop


def offer(ctx: Context, author: Person, subject: Person, platform: Platform) -> Reply:
    """Open a check-in about `subject` because `author` asked for it, and send him the card."""
    refusal = checkins.may_ask(author, subject, ctx.tx.people.upwards_from(subject.supervisor))
    if refusal is None and open_checkin(ctx, author, subject, platform=platform) is None:
        refusal = Refusal.NO_BEHAVIOURS
    return Reply(says=SorryText(refusal, subject.name)) if refusal else Reply()


def open_checkin(ctx: Context, author: Person, subject: Person, *, platform: Platform | None = None) -> int | None:
    """Store the draft and queue its card; `platform` is where the author asked for it, None when a rule opens it.
    The record's id, or None when the subject's role has no behaviour library."""
    chosen = checkins.choose(ctx.policy.libraries, subject.role, ctx.tx.feedback.occasions_used(author.id, subject.id))
    if chosen is None:
        return None
    draft = Draft(
        author=author.id,
        subject=subject.id,
        occasion=chosen.occasion,
        offered=chosen.behaviours,
        created_at=ctx.now,
        expires_at=ctx.now + ctx.policy.checkin_expires,
        source="card",
        platform=platform,
    )
    id = ctx.tx.feedback.open_draft(draft)
    ctx.tx.history.note(about(id), "offered", ctx.now, by=author.id if platform else None)
    card = CheckinCard(subject.name, draft.occasion, options_of(ctx.tx.feedback.get(id)))
    urgency = Urgency.ANSWER if platform else Urgency.NUDGE
    ctx.tx.outbox.add(card.to(author.id, key=f"checkin:{id}", about=about(id), urgency=urgency, expires=draft.expires_at), ctx.now)
    return id


def expire_one(ctx: Context) -> bool:
    """End the next check-in that nobody submitted in time. False when there is none."""
    record = ctx.tx.feedback.next_expired_draft(ctx.now)
    if record is None:
        return False
    decision = feedback.expire(record, ctx.now)
    assert isinstance(decision, Accepted)
    ctx.tx.feedback.apply(decision.record)
    ctx.tx.history.note(about(record.id), "expired", ctx.now)
    refresh(ctx, decision.record, None)
    return True


def postpone_expiry(ctx: Context, by: timedelta) -> None:
    """Put the next expired check-in aside."""
    record = ctx.tx.feedback.next_expired_draft(ctx.now)
    if record is not None:
        ctx.tx.feedback.postpone(record, ctx.now + by)


def offer_daily_one(ctx: Context) -> bool:
    """Send one supervisor the day's check-in card. False when everybody has his, or it is not the time."""
    day = checkins.day_open(ctx.policy.checkins, ctx.now)
    if day is None:
        return False
    supervisors = ctx.tx.people.supervisors()
    served = ctx.tx.runs.taken("checkin", [f"{day}:{id}" for id in supervisors])
    for id in supervisors:
        slot = f"{day}:{id}"
        if slot in served or away.held(ctx.tx.away.of(id), ctx.now) or not ctx.tx.runs.first("checkin", slot, ctx.now):
            continue
        _offer_daily(ctx, ctx.tx.people.get(id))
        return True
    return False


def _offer_daily(ctx: Context, author: Person) -> None:
    reports = {p.id: p for p in ctx.tx.people.reports_of(author.id) if p.role in ctx.policy.libraries}
    subject = feedback.least_mentioned(tuple(reports), ctx.tx.feedback.last_mentioned(author.id))
    if subject is not None:
        open_checkin(ctx, acting_for(ctx, author, subject), reports[subject])


def acting_for(ctx: Context, person: Person, about: PersonId | None = None) -> Person:
    """Who gets what falls to `person` now: he himself, or who stands in for him. Nobody stands in where he is the one it is about."""
    id = away.stand_in(ctx.tx.away.of(person.id), ctx.now)
    if id is None or id == about:
        return person
    taker = ctx.tx.people.get(id)
    return taker if taker.active else person


def chain_for(ctx: Context, subject: Person) -> tuple[int, ...]:
    """Who hears of this subject's unanswered feedback, by today's directory."""
    chain = chain_of(subject, ctx.tx.people.upwards_from(subject.hrbp))
    if chain or not ctx.policy.fallback_hrbp:
        return chain
    fallback = ctx.tx.people.by_key(ctx.policy.fallback_hrbp)
    return (fallback.id,) if fallback and fallback.active and fallback.id != subject.id else ()


def _to_subject(ctx: Context, record: Record, loop: Loop, author: Person) -> Outgoing:
    assert record.kind is not None
    # What was said in words has its time in the scene, as exact as its author was.
    when = record.occurred_at if record.offered else None
    said = (record.kind, record.scene, record.action, record.impact, when)
    due = loops.escalates_at(loop, ctx.calendar)
    provisional = due is not None and loops.is_provisional(loop, due, ctx.calendar)
    card = FeedbackCard(author.name, *said, due, attached=attached_to(ctx, record), provisional=provisional)
    return linked(ctx, record.id, card).to(record.subject, key=f"feedback:{record.id}", about=about(record.id))


def hint(person: Person) -> str:
    """What tells a person from a namesake."""
    return " ".join(part for part in (person.department, person.position) if part)
