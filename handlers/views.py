"""What a record's cards show now: one function for every card about a record, whoever holds it and whatever happened to it.

A press is answered with the view of its card; everybody else's cards follow by `refresh`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from cards.catalog import (
    CATALOG,
    Attached,
    CardData,
    CheckinCard,
    CheckinClosed,
    CheckinDone,
    EscalationBundle,
    EscalationCard,
    EscalationLine,
    EscalationSettled,
    FeedbackAnswered,
    FeedbackCard,
    FeedbackClosed,
    Option,
    Piece,
    Recipient,
    RecordCard,
    ReminderCard,
    SentenceCard,
    SentenceClosed,
    SentenceDone,
    SeveralDone,
)
from handlers.context import Context
from rules import away, escalations, evidence, loops, sentences
from rules.evidence import MediaKind, Progress
from rules.feedback import Answer, Record, Refusal, State
from rules.loops import Cause, CloseReason, Loop, LoopState, is_provisional
from rules.messages import PersonId
from rules.people import Person
from rules.sentences import Element, Ended
from storage.companions import Companion
from storage.outbox import Message
from storage.outbox import State as Sent

C = TypeVar("C", bound=CardData)

_ANSWERED = (State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED)


def about(feedback: int) -> str:
    """The name under which a record's history and messages are kept."""
    return f"feedback:{feedback}"


def refresh(ctx: Context, record: Record, loop: Loop | None, *, but: Message | None = None) -> None:
    """Bring every card of the record up to date: what waits and is moot is cancelled, what was sent is changed.

    `but` is the card whose press is being answered: it changes by the answer.
    """
    messages = ctx.tx.outbox.about(about(record.id))
    for message in messages:
        if message.card not in _VIEWS or message.forgotten or (but and message.id == but.id) or _moved(message, messages):
            continue
        if message.state is Sent.DUE and message.payload is None:
            ctx.tx.outbox.cancel(message, ctx.now)
            continue
        _change(ctx, message, view(ctx, message, record, loop))
    refresh_bundles(ctx, record, but=but)
    _refresh_shared(ctx, record)


def _change(ctx: Context, message: Message, shown: CardData) -> None:
    if not isinstance(shown, SeveralDone) or sentences.worth_a_change(message.to, waiting=shown.waiting):
        ctx.tx.outbox.change(message, shown.template(), shown.data(), ctx.now)


def _refresh_shared(ctx: Context, record: Record) -> None:
    """Bring the author's card up to date that tells of this record and of others from the same sentence."""
    draft = None if record.offered else ctx.tx.companions.draft_of(record.id)
    if draft is None:
        return
    first, messages = ctx.tx.feedback.get(draft), ctx.tx.outbox.about(about(draft))
    for message in messages:
        if message.card == SentenceCard.template() and not message.forgotten and not _moved(message, messages):
            _change(ctx, message, view(ctx, message, first, None))


def refresh_bundles(ctx: Context, record: Record, *, but: Message | None = None) -> None:
    """Bring the lists up to date that have a line about the record. A list that waits and has nothing left to do is not sent."""
    for id in ctx.tx.escalations.messages_about(record.id):
        message = ctx.tx.outbox.get(id)
        if message is None or message.card != EscalationBundle.template() or (but and id == but.id):
            continue
        shown = bundle(ctx, message)
        waits = message.state is Sent.DUE and message.payload is None
        if waits and shown.left:
            ctx.tx.outbox.replace(message.key, shown.data(), message.not_before)
        elif waits:
            ctx.tx.outbox.cancel(message, ctx.now)
        elif escalations.worth_a_change(message.to, left=shown.left):
            ctx.tx.outbox.change(message, shown.template(), shown.data(), ctx.now)


def redraw(ctx: Context, record: Record, loop: Loop | None, *, sender: PersonId | None = None) -> None:
    """Show what was added to a record on all its cards; those not left yet leave with it. `sender` has just sent a picture."""
    messages = ctx.tx.outbox.about(about(record.id))
    for message in messages:
        if message.card not in _VIEWS or message.forgotten or _moved(message, messages):
            continue
        if sender is not None and not evidence.worth_a_change(message.to, own=message.person == sender):
            continue
        shown = view(ctx, message, record, loop)
        if message.state is not Sent.DUE or message.payload is not None:
            ctx.tx.outbox.change(message, shown.template(), shown.data(), ctx.now)
        elif shown.template() == message.card:
            ctx.tx.outbox.replace(message.key, shown.data(), message.not_before)


def show_when(ctx: Context, record: Record, loop: Loop, *, moved: bool) -> None:
    """The calendar has changed: where a card says when the HRBP hears of it, let it be true; `moved`: that is another time now."""
    for message in ctx.tx.outbox.about(about(record.id)):
        extended = message.card == EscalationCard.template() and loop.escalated_at is None and moved
        if message.card not in (FeedbackCard.template(), ReminderCard.template()) and not extended:
            continue
        shown = view(ctx, message, record, loop)
        if not moved and shown.data() == message.data:
            continue
        if message.state is Sent.DUE and message.payload is None:
            ctx.tx.outbox.reword(message, shown.template(), shown.data())
        elif loops.worth_a_change(message.to):
            ctx.tx.outbox.change(message, shown.template(), shown.data(), ctx.now)


def view(ctx: Context, message: Message, record: Record, loop: Loop | None, notice: Refusal | None = None) -> CardData:
    """What the card of `message` shows now. `notice` says why a press was refused."""
    wanted = {record.author, record.subject} | ({loop.taken_by} if loop and loop.taken_by else set())
    people = ctx.tx.people.some(wanted)
    return linked(ctx, record.id, _VIEWS[message.card](ctx, message, record, loop, people, notice))


def linked(ctx: Context, feedback: int, card: C) -> C:
    """The card with the way to the record's page, if it is of a kind that has one."""
    if not isinstance(card, RecordCard) or not ctx.policy.pages_url:
        return card
    return replace(card, page=f"{ctx.policy.pages_url}/records/{feedback}")


def now_shown(ctx: Context, message: Message) -> CardData:
    """What the card of any message shows now, also of one that is about no record."""
    if message.card == EscalationBundle.template():
        return bundle(ctx, message)
    if message.card not in _VIEWS or message.about is None:
        return CATALOG[message.card].from_data(message.data)
    id = int(message.about.removeprefix("feedback:"))
    return view(ctx, message, ctx.tx.feedback.get(id), ctx.tx.loops.get(id))


def _checkin(
    ctx: Context, message: Message, record: Record, loop: Loop | None, people: Mapping[PersonId, Person], notice: Refusal | None
) -> CardData:
    name, options = people[record.subject].name, options_of(record)
    if record.state is State.DRAFT:
        if notice in (Refusal.EXPIRED, Refusal.SUBJECT_LEFT):
            return CheckinClosed(name, record.occasion, options, notice)
        return CheckinCard(name, record.occasion, options, notice)
    if record.state in (State.EXPIRED, State.WITHDRAWN) or record.given_at is None:
        return CheckinClosed(name, record.occasion, options, Refusal(record.state.value))
    answer = Answer(record.state.value) if record.state in _ANSWERED else None
    attached = attached_to(ctx, record, for_author=True)
    return CheckinDone(name, record.occasion, options, record.ticks, record.given_at, answer, record.answered_at, notice, attached)


def _subject(
    ctx: Context, message: Message, record: Record, loop: Loop | None, people: Mapping[PersonId, Person], notice: Refusal | None
) -> CardData:
    author = people[record.author].name
    assert record.kind is not None, "only a given record has a subject's card"
    attached = attached_to(ctx, record)
    if record.state in (State.CLOSED, State.WITHDRAWN):
        withdrawn, at = record.state is State.WITHDRAWN, record.closed_at or ctx.now
        return FeedbackClosed(author, record.kind, record.scene, record.action, withdrawn, at, notice)
    if record.state in _ANSWERED:
        answer, at = Answer(record.state.value), record.answered_at or ctx.now
        return FeedbackAnswered(
            author,
            record.kind,
            record.scene,
            record.action,
            record.impact,
            answer,
            at,
            asks_words=ctx.tx.prompts.waits(record.subject, record.id, ctx.now),
            notice=notice,
            attached=attached,
            added=added_to(ctx, record),
        )
    seen = FeedbackCard.from_data(message.data) if message.card == FeedbackCard.template() else None
    if seen:
        due_at, provisional = _heard_at(ctx, loop, seen)
        return FeedbackCard(
            author,
            record.kind,
            record.scene,
            record.action,
            record.impact,
            seen.occurred_at,
            due_at,
            notice,
            attached,
            added_to(ctx, record),
            provisional,
        )
    again = ReminderCard.from_data(message.data)
    due_at, provisional = _heard_at(ctx, loop, again)
    return ReminderCard(
        author,
        record.kind,
        record.scene,
        record.action,
        record.impact,
        again.opened_at,
        due_at,
        again.nudged_by,
        notice,
        attached,
        provisional,
    )


def _heard_at(ctx: Context, loop: Loop | None, seen: FeedbackCard | ReminderCard) -> tuple[datetime | None, bool]:
    """When the HRBP hears of it by today's calendar, and whether that is provisional; once he has heard, as the card said."""
    if loop is None or loop.due_at is None or loop.escalated_at is not None or seen.due_at is None:
        return seen.due_at, seen.provisional
    due_at = loops.escalates_at(loop, ctx.calendar)
    return due_at, due_at is not None and is_provisional(loop, due_at, ctx.calendar)


def _escalation(
    ctx: Context, message: Message, record: Record, loop: Loop | None, people: Mapping[PersonId, Person], notice: Refusal | None
) -> CardData:
    return escalation(ctx, record, loop, Cause(message.data["cause"]), notice)


def _bundle(
    ctx: Context, message: Message, record: Record, loop: Loop | None, people: Mapping[PersonId, Person], notice: Refusal | None
) -> CardData:
    return bundle(ctx, message, notice=notice, name=people[record.subject].name)


def bundle(
    ctx: Context, message: Message, *, page: int | None = None, notice: Refusal | None = None, name: str | None = None
) -> EscalationBundle:
    """A list of escalations as it stands now, on the page asked for. `name` is who the notice is about. What was said instead of a
    change (`handlers/instead.py`) stays what it said."""
    told = list(dict.fromkeys(told.feedback for told in ctx.tx.escalations.of(message.id)))
    if not told:
        return EscalationBundle.from_data(message.data)
    lines = _lines(ctx, told)
    shown = escalations.page([line.settled for line in lines], page)
    left = sum(not line.settled for line in lines)
    return EscalationBundle(lines[shown.begins : shown.ends], left, shown.begins + 1, shown.next, notice, name)


def _lines(ctx: Context, feedback: Sequence[int]) -> tuple[EscalationLine, ...]:
    records, clocks = ctx.tx.feedback.some(feedback), ctx.tx.loops.some(feedback)
    people = ctx.tx.people.some(record.subject for record in records.values())
    return tuple(_line(records[id], clocks[id], people[records[id].subject]) for id in feedback)


def _line(record: Record, loop: Loop, subject: Person) -> EscalationLine:
    outcome = escalations.outcome(record, loop)
    return EscalationLine(record.id, subject.name, record.action, loop.opened_at, outcome, outcome in escalations.SETTLED)


def escalation(ctx: Context, record: Record, loop: Loop | None, cause: Cause, notice: Refusal | None = None) -> CardData:
    """What an HRBP sees of one record: what he can do, or what came of it."""
    return linked(ctx, record.id, _to_act_on(ctx, record, loop, cause, notice))


def _to_act_on(ctx: Context, record: Record, loop: Loop | None, cause: Cause, notice: Refusal | None) -> CardData:
    people = ctx.tx.people.some({record.author, record.subject} | ({loop.taken_by} if loop and loop.taken_by else set()))
    assert loop is not None, "only an open loop is escalated"
    assert record.kind is not None
    subject, author = people[record.subject], people[record.author]
    if record.state in _ANSWERED:
        answer, at = Answer(record.state.value), record.answered_at or ctx.now
        return EscalationSettled(subject.name, author.name, record.scene, at, answer=answer, notice=notice)
    if record.state is State.WITHDRAWN:
        return EscalationSettled(subject.name, author.name, record.scene, record.closed_at or ctx.now, withdrawn=True, notice=notice)
    if record.state is State.CLOSED:
        closed_by, reason = _closing(ctx, record)
        at = record.closed_at or ctx.now
        return EscalationSettled(subject.name, author.name, record.scene, at, close_reason=reason, closed_by=closed_by, notice=notice)
    if loop.state is LoopState.WAITING and loop.escalated_at is None:
        until, provisional = loop.due_at, loop.due_at is not None and is_provisional(loop, loop.due_at, ctx.calendar)
        settled = EscalationSettled(subject.name, author.name, record.scene, ctx.now, extended_until=until, notice=notice)
        return replace(settled, provisional=provisional)
    return EscalationCard(
        subject_name=subject.name,
        author_name=author.name,
        department=subject.department,
        kind=record.kind,
        scene=record.scene,
        action=record.action,
        opened_at=loop.opened_at,
        cause=cause,
        nudged_at=loop.nudged_at,
        taken_at=loop.taken_at,
        taken_by=people[loop.taken_by].name if loop.taken_by else None,
        notice=notice,
        attached=attached_to(ctx, record),
        away_until=_away_until(ctx, record.subject),
    )


def _away_until(ctx: Context, person: PersonId) -> datetime | None:
    """Until when somebody stands in for him; None when he is there."""
    his = ctx.tx.away.of(person)
    return his.stand_in_until if away.stand_in(his, ctx.now) is not None else None


def attached_to(ctx: Context, record: Record, *, for_author: bool = False) -> Attached:
    """What the record's cards say about its pictures; that one is missing is said to its author only."""
    sent = ctx.tx.evidence.of(record.id)
    kept = [item.kind for item in sent if item.state is Progress.STORED]
    missing = for_author and evidence.missing(record, sent, ctx.policy.evidence)
    return Attached(kept.count(MediaKind.IMAGE), kept.count(MediaKind.VIDEO), missing)


def _sentence(
    ctx: Context, message: Message, record: Record, loop: Loop | None, people: Mapping[PersonId, Person], notice: Refusal | None
) -> CardData:
    companions, ended = ctx.tx.companions.of(record.id), sentences.ended(record)
    if companions and record.given_at is not None:
        return _several(ctx, record, companions, notice)
    others = ctx.tx.people.some({companion.person for companion in companions}) if companions else {}
    name = "、".join([people[record.subject].name, *(others[companion.person].name for companion in companions)])
    if _moved(message, ctx.tx.outbox.about(about(record.id))):
        return SentenceClosed(name, Ended.MOVED)
    if record.state is State.DRAFT and notice in (Refusal.EXPIRED, Refusal.SUBJECT_LEFT):
        return SentenceClosed(name, Ended(notice.value))
    if record.state is State.DRAFT:
        return replace(_with_hints(ctx, SentenceCard.from_data(message.data), record), kind=record.kind, notice=notice)
    if ended is not None or record.kind is None or record.given_at is None:
        return SentenceClosed(name, ended or Ended.EXPIRED, notice)
    answer = Answer(record.state.value) if record.state in _ANSWERED else None
    return SentenceDone(
        name,
        record.kind,
        record.scene,
        record.action,
        record.impact,
        record.given_at,
        answer,
        record.answered_at,
        notice,
        attached_to(ctx, record, for_author=True),
    )


def _several(ctx: Context, record: Record, companions: Sequence[Companion], notice: Refusal | None) -> CardData:
    """The author's card of a sentence about several people, once it was sent; `record` is the first one's."""
    others = (ctx.tx.feedback.get(companion.record) for companion in companions if companion.record is not None)
    records = (record, *others)
    people = ctx.tx.people.some({one.subject for one in records})
    assert record.kind is not None
    assert record.given_at is not None
    return SeveralDone(
        tuple(Recipient(people[one.subject].name, one.state) for one in records),
        record.kind,
        record.scene,
        record.action,
        record.impact,
        record.given_at,
        waiting=sum(one.state is State.OPEN for one in records),
        notice=notice,
        attached=attached_to(ctx, record, for_author=True),
    )


def hinted(ctx: Context, record: Record) -> dict[str, str]:
    """Element → the words of the author's that somebody else's reading pointed at (`handlers/hints.py`)."""
    return {entry.reason or "": entry.words or "" for entry in ctx.tx.history.of(about(record.id)) if entry.what == "hinted"}


def _with_hints(ctx: Context, card: SentenceCard, record: Record) -> SentenceCard:
    """The card of a draft with what was found in the text after it left."""
    late = any(getattr(record, element) and getattr(card, element) is None for element in Element)
    words = hinted(ctx, record) if late else {}

    def piece(name: str, before: Piece | None) -> Piece | None:
        return before or (Piece(getattr(record, name), words[name]) if name in words else None)

    return replace(card, scene=piece("scene", card.scene), action=piece("action", card.action), impact=piece("impact", card.impact))


def _moved(message: Message, messages: Sequence[Message]) -> bool:
    """Whether a sentence's card has given way to a newer one among `messages`, which are about the same record, oldest first."""
    newest = next((m.id for m in reversed(messages) if m.card == SentenceCard.template()), message.id)
    return message.card == SentenceCard.template() and message.id < newest


def added_to(ctx: Context, record: Record) -> tuple[str, ...]:
    """What the author added after the record could not be reworded any more, oldest first."""
    return tuple(entry.words for entry in ctx.tx.history.of(about(record.id)) if entry.what == "added" and entry.words)


def options_of(record: Record) -> tuple[Option, ...]:
    """The boxes as they stand on the record's check-in card."""
    return tuple(Option(behaviour.id, behaviour.text, behaviour.kind) for behaviour in record.offered)


def _closing(ctx: Context, record: Record) -> tuple[str, CloseReason]:
    entry = next(e for e in reversed(ctx.tx.history.of(about(record.id))) if e.what == "closed")
    assert entry.person is not None
    return ctx.tx.people.get(entry.person).name, CloseReason(entry.reason or CloseReason.OTHER)


_VIEWS = {
    CheckinCard.template(): _checkin,
    SentenceCard.template(): _sentence,
    FeedbackCard.template(): _subject,
    ReminderCard.template(): _subject,
    EscalationCard.template(): _escalation,
    EscalationBundle.template(): _bundle,
}
