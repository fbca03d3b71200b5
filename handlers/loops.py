"""The 72-hour loop: answers stop it, time advances it, the HRBP acts on it (A6, A7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cards.catalog import (
    AnswerNoted,
    DisputeCard,
    EscalationCard,
    EscalationReasons,
    EscalationSettled,
    ReminderCard,
    SorryText,
)
from handlers import escalations
from handlers.context import Context, Press, Reply, Talk
from handlers.feedback import acting_for, chain_for
from handlers.views import about, attached_to, linked, refresh, refresh_bundles, show_when, view
from rules import away, feedback, loops
from rules.feedback import Answer, Record, Refusal, Refused
from rules.loops import Allowed, CloseReason, Loop, NotAllowed, Step, StepKind
from rules.messages import PersonId, Urgency
from rules.people import Person
from storage.outbox import Message, State
from storage.prompts import Prompt

_ASK_AGAIN_AFTER = timedelta(hours=1)


def answer(press: Press, ctx: Context) -> Reply:
    """收到 / 已改进 / 有异议 on the feedback card or a reminder."""
    record = ctx.tx.feedback.get(press.feedback)
    loop = ctx.tx.loops.get(record.id)
    decision = feedback.answer(record, Answer(press.event.action), press.by.id, ctx.now)
    if isinstance(decision, Refused):
        # The same press again (a second delivery, a double tap) is shown what the first was, not a complaint.
        notice = None if record.state == press.event.action else decision.reason
        return Reply(shows=view(ctx, press.card, record, loop, notice))
    ended = _answered(ctx, decision.record, press.by, press.card)
    return Reply(shows=view(ctx, press.card, decision.record, ended))


def answer_in_words(talk: Talk, ctx: Context, what: Answer, words: str | None) -> Reply:
    """ "收到" typed instead of tapped: it answers the newest feedback that waits (A6: any answer stops the clock)."""
    waiting = ctx.tx.feedback.open_about(talk.by.id)
    return answer_record(ctx, talk.by, waiting[0], what, words) if waiting else Reply(says=SorryText(Refusal.NOTHING_OPEN))


def answer_record(ctx: Context, by: Person, record: Record, what: Answer, words: str | None) -> Reply:
    """The subject answers this record in words; those that are more than the bare answer stand in the history."""
    decision = feedback.answer(record, what, by.id, ctx.now)
    if isinstance(decision, Refused):
        return Reply(says=SorryText(decision.reason))
    _answered(ctx, decision.record, by, None)
    explained = explain(ctx, by, words) if words and what is not Answer.ACKNOWLEDGED else None
    if words and what is Answer.ACKNOWLEDGED:
        ctx.tx.history.note(about(record.id), "explained", ctx.now, by=by.id, reason=what, words=words)
    return explained or Reply(says=AnswerNoted(what))


def explain(ctx: Context, by: Person, words: str) -> Reply | None:
    """The sentence after 已改进 or 有异议. None when nobody asked for one."""
    prompt = ctx.tx.prompts.take(by.id, ctx.now)
    if prompt is None:
        return None
    ctx.tx.history.note(about(prompt.feedback), "explained", ctx.now, by=by.id, reason=prompt.answer, words=words)
    record = ctx.tx.feedback.get(prompt.feedback)
    if prompt.answer is Answer.DISPUTED:
        _tell_of_dispute(ctx, record, by, words)
    refresh(ctx, record, ctx.tx.loops.get(record.id))
    return Reply(says=AnswerNoted(prompt.answer))


def advance_one(ctx: Context) -> bool:
    """Take the next due loop one step further. False when none is due."""
    return advance_some(ctx, 1) == 1


def advance_some(ctx: Context, at_most: int) -> int:
    """Take the next due loops one step further each, at most so many; how many it were."""
    due = ctx.tx.loops.due(ctx.now, at_most)
    _take(ctx, [_due_step(ctx, loop) for loop in due])
    return len(due)


def _due_step(ctx: Context, loop: Loop) -> Step:
    step = loops.next_step(loop, ctx.now, ctx.calendar)
    assert isinstance(step, Step), "the index found it due"
    return step


def postpone_one(ctx: Context, by: timedelta) -> None:
    """Put the next due loop aside."""
    ctx.tx.loops.put_aside(ctx.now, ctx.now + by)


def recount_one(ctx: Context) -> bool:
    """After a change of the calendar, count a due time anew. False when all rest on the calendar as it is."""
    return recount_some(ctx, 1) == 1


def recount_some(ctx: Context, at_most: int) -> int:
    """The same for several; how many it were. What was sent stays sent; what falls due in the past by this is late like anything."""
    before = ctx.tx.loops.counted_otherwise(ctx.calendar.mark, at_most)
    records = ctx.tx.feedback.some(loop.feedback for loop in before)
    for loop in before:
        again = loops.recount(loop, ctx.calendar)
        ctx.tx.loops.apply(again)
        if again.due_at != loop.due_at:
            ctx.tx.history.note(about(loop.feedback), "recounted", ctx.now)
        show_when(ctx, records[loop.feedback], again, moved=again.due_at != loop.due_at)
    return len(before)


def leave_one_counted(ctx: Context, by: timedelta) -> None:
    """Counting it anew failed: it keeps the time it has."""
    ctx.tx.loops.leave_counted(ctx.calendar.mark, ctx.now)


def hand_over_for(ctx: Context, leaver: PersonId) -> None:
    """Somebody left: nothing more is sent to him, and the HRBP hears of what he can no longer answer (A9)."""
    ctx.tx.outbox.cancel_for(leaver)
    clocks = ctx.tx.loops.some(record.id for record in ctx.tx.feedback.open_about(leaver))
    steps = [loops.hand_to_hrbp(loop, ctx.now, ctx.calendar) for _, loop in sorted(clocks.items())]
    _take(ctx, [step for step in steps if isinstance(step, Step)])


def nudge(press: Press, ctx: Context) -> Reply:
    """催办: the subject is reminded in the HRBP's name."""
    record, loop = _case(press, ctx)
    decision = loops.nudge(loop, _in_whose_name(ctx, press, loop), ctx.now)
    if isinstance(decision, NotAllowed):
        return Reply(shows=view(ctx, press.card, record, loop, decision.reason))
    if not ctx.tx.people.get(record.subject).active:
        return Reply(shows=view(ctx, press.card, record, loop, Refusal.SUBJECT_LEFT))
    remind_now(ctx, record, decision.loop, press.by)
    refresh_others(ctx, record, decision.loop, press.card)
    return Reply(shows=view(ctx, press.card, record, decision.loop))


def remind_now(ctx: Context, record: Record, nudged: Loop, by: Person) -> None:
    """The subject is reminded in the name of `by`; `nudged` is the loop after `rules.loops.nudge` allowed it."""
    ctx.tx.loops.apply(nudged)
    ctx.tx.history.note(about(record.id), "nudged", ctx.now, by=by.id)
    card = _reminder(ctx, record, nudged, nudged_by=by.name)
    key = f"nudge:{record.id}:{ctx.now.isoformat()}"
    ctx.tx.outbox.add(card.to(record.subject, key=key, about=about(record.id)), ctx.now)


def remind_later(ctx: Context, record: Record, until: datetime) -> None:
    """稍后提醒: the subject asked to hear of this record at `until`, instead of any reminder that waits to leave. The clock runs on."""
    loop = ctx.tx.loops.get(record.id)
    assert loop is not None, "an open record has a loop"
    for message in ctx.tx.outbox.about(about(record.id)):
        if message.card == ReminderCard.template() and message.person == record.subject:
            ctx.tx.outbox.cancel(message, ctx.now)
    key = f"snooze:{record.id}:{until.isoformat()}:{loop.version}:{ctx.now.isoformat()}"
    card = _reminder(ctx, record, loop, read_at=until)
    # He named the hour himself: nothing holds it then.
    ctx.tx.outbox.add(card.to(record.subject, key=key, about=about(record.id), urgency=Urgency.ANSWER, not_before=until), ctx.now)


def take(press: Press, ctx: Context) -> Reply:
    """我来跟进: the clock stands, the HRBP has it."""
    record, loop = _case(press, ctx)
    decision = loops.take_over(loop, _in_whose_name(ctx, press, loop), ctx.now)
    if isinstance(decision, Allowed):
        decision = Allowed(replace(decision.loop, taken_by=press.by.id))
    return _settle(press, ctx, record, loop, decision, "taken_over")


def extend(press: Press, ctx: Context) -> Reply:
    """延期: the subject gets more time."""
    record, loop = _case(press, ctx)
    decision = loops.extend(loop, _in_whose_name(ctx, press, loop), ctx.now, ctx.policy.extension, ctx.calendar)
    return _settle(press, ctx, record, loop, decision, "extended")


def back(press: Press, ctx: Context) -> Reply:
    """Not closed after all."""
    record, loop = _case(press, ctx)
    return Reply(shows=view(ctx, press.card, record, loop))


def close(press: Press, ctx: Context) -> Reply:
    """关闭: first the reasons, one button each; with a reason the record ends unanswered."""
    record, loop = _case(press, ctx)
    refusal = loops.may_close(loop, _in_whose_name(ctx, press, loop))
    if refusal is None and press.argument not in set(CloseReason):
        return Reply(shows=_reasons(ctx, press, record))
    decision = Refused(refusal) if refusal else feedback.close(record, ctx.now)
    if isinstance(decision, Refused):
        return Reply(shows=view(ctx, press.card, record, loop, decision.reason))
    ended = loops.end(loop)
    ctx.tx.feedback.apply(decision.record)
    ctx.tx.loops.apply(ended)
    ctx.tx.history.note(about(record.id), "closed", ctx.now, by=press.by.id, reason=CloseReason(press.argument))
    refresh(ctx, decision.record, ended, but=press.card)
    return Reply(shows=view(ctx, press.card, decision.record, ended))


def refresh_others(ctx: Context, record: Record, loop: Loop, but: Message) -> None:
    """The other HRBPs in the chain see what one of them did; the subject's and author's cards stay as they are. What had not left and
    is moot now does not leave."""
    for message in ctx.tx.outbox.about(about(record.id)):
        if message.card == EscalationCard.template() and message.id != but.id and not message.forgotten:
            shown = view(ctx, message, record, loop)
            moot = isinstance(shown, EscalationSettled) and message.state is State.DUE and message.payload is None
            if not moot or not ctx.tx.outbox.cancel(message, ctx.now):
                ctx.tx.outbox.change(message, shown.template(), shown.data(), ctx.now)
    refresh_bundles(ctx, record, but=but)


def _reasons(ctx: Context, press: Press, record: Record) -> EscalationReasons:
    names = ctx.tx.people.some({record.subject, record.author})
    return EscalationReasons(names[record.subject].name, names[record.author].name, record.scene, tuple(CloseReason), of=press.of)


def _answered(ctx: Context, record: Record, by: Person, but: Message | None) -> Loop:
    """Store the answer, stop the clock, tell who must know; the loop as it is now. `but` is the card that was pressed."""
    loop = ctx.tx.loops.get(record.id)
    assert loop is not None, "a given record has a loop"
    ended = loops.end(loop)
    ctx.tx.feedback.apply(record)
    if loop.state is not loops.LoopState.ENDED:
        ctx.tx.loops.apply(ended)
    what = Answer(record.state.value)
    ctx.tx.history.note(about(record.id), "answered", ctx.now, by=by.id, reason=what)
    if what is not Answer.ACKNOWLEDGED:
        ctx.tx.prompts.ask(Prompt(by.id, record.id, what, ctx.now + _ASK_AGAIN_AFTER))
    if what is Answer.DISPUTED:
        _tell_of_dispute(ctx, record, by, None)
    refresh(ctx, record, ended, but=but)
    return ended


def _tell_of_dispute(ctx: Context, record: Record, subject: Person, reason: str | None) -> None:
    """To the author and the HRBP, once: at once with the reason, or after a while without it."""
    author = ctx.tx.people.get(record.author)
    told = DisputeCard(subject.name, author.name, record.scene, record.action, reason, record.answered_at or ctx.now)
    card = linked(ctx, record.id, told)
    loop = ctx.tx.loops.get(record.id)
    hrbp = loop.chain[:1] if loop else ()
    when = ctx.now if reason else ctx.now + ctx.policy.words_within
    for person in dict.fromkeys((author.id, *hrbp)):
        key = f"dispute:{record.id}:{person}"
        if not ctx.tx.outbox.replace(key, card.data(), when):
            ctx.tx.outbox.add(card.to(person, key=key, about=about(record.id), not_before=when), ctx.now)


def _take(ctx: Context, steps: Sequence[Step]) -> None:
    """Store what was decided and queue what is said."""
    if not steps:
        return
    cases = [(record, step) for record, step in zip(_records(ctx, steps), steps, strict=True)]
    for record, step in cases:
        ctx.tx.loops.apply(step.loop)
        ctx.tx.history.note(about(record.id), step.kind.value, ctx.now, reason=step.cause)
    _escalate(ctx, [(record, step) for record, step in cases if step.kind is StepKind.ESCALATE])
    for record, step in cases:
        if step.kind is StepKind.REMIND:
            _remind(ctx, record, step.loop)


def _records(ctx: Context, steps: Iterable[Step]) -> list[Record]:
    """The records of these steps, in their order; all that is asked about them below is met here at once."""
    found = ctx.tx.feedback.some(step.loop.feedback for step in steps)
    ctx.tx.evidence.meet(found)
    told = {step.to for step in steps if step.to is not None}
    subjects = {record.subject for record in found.values()}
    ctx.tx.people.some(told | subjects | {record.author for record in found.values()})
    ctx.tx.away.of_all(told | subjects)
    return [found[step.loop.feedback] for step in steps]


def _remind(ctx: Context, record: Record, loop: Loop) -> None:
    if away.held(ctx.tx.away.of(record.subject), ctx.now):
        return  # he asked to be reminded later, and that reminder waits already; the escalation comes in its time
    key = f"loop:{record.id}:{loop.round}:{loop.steps_taken}"
    card = _reminder(ctx, record, loop)
    ctx.tx.outbox.add(card.to(record.subject, key=key, about=about(record.id), urgency=Urgency.REMINDER), ctx.now)


def _escalate(ctx: Context, cases: Sequence[escalations.Case]) -> None:
    by_reader: dict[PersonId, list[escalations.Case]] = {}
    for record, step in cases:
        reader = _who_hears(ctx, record, step)
        if reader is None:
            ctx.tx.history.note(about(record.id), "nobody_to_tell", ctx.now)
        else:
            by_reader.setdefault(reader, []).append((record, step))
    if by_reader:
        escalations.tell(ctx, by_reader)


def _who_hears(ctx: Context, record: Record, step: Step) -> PersonId | None:
    """The planned person, or whoever the directory names today when he has left; or who stands in for him."""
    planned = ctx.tx.people.get(step.to) if step.to is not None else None
    if planned is None or not planned.active:
        today = chain_for(ctx, ctx.tx.people.get(record.subject))
        planned = ctx.tx.people.get(today[0]) if today else None
    return acting_for(ctx, planned, record.subject).id if planned else None


def _reminder(ctx: Context, record: Record, loop: Loop, nudged_by: str | None = None, read_at: datetime | None = None) -> ReminderCard:
    """The reminder as it is true when it is read, which is now unless `read_at` says later."""
    assert record.kind is not None
    author = ctx.tx.people.get(record.author).name
    due = loops.escalates_at(loop, ctx.calendar)
    if due is not None and due <= (read_at or ctx.now):
        due = None  # by then the HRBP has heard of it
    provisional = due is not None and loops.is_provisional(loop, due, ctx.calendar)
    said = (record.kind, record.scene, record.action, record.impact)
    card = ReminderCard(author, *said, loop.opened_at, due, nudged_by, attached=attached_to(ctx, record), provisional=provisional)
    return linked(ctx, record.id, card)


def _case(press: Press, ctx: Context) -> tuple[Record, Loop]:
    record = ctx.tx.feedback.get(press.feedback)
    loop = ctx.tx.loops.get(record.id)
    assert loop is not None, "an escalation card is about a loop"
    return record, loop


def _in_whose_name(ctx: Context, press: Press, loop: Loop) -> PersonId:
    """The one of the chain for whom the presser acts: himself, or somebody he stands in for."""
    if press.by.id in loop.chain:
        return press.by.id
    acting = away.acting_for(press.by.id, ctx.tx.away.absent(ctx.now), ctx.now)
    return next((person for person in loop.chain if person in acting), press.by.id)


def _settle(press: Press, ctx: Context, record: Record, loop: Loop, decision: Allowed | NotAllowed, what: str) -> Reply:
    if isinstance(decision, NotAllowed):
        return Reply(shows=view(ctx, press.card, record, loop, decision.reason))
    ctx.tx.loops.apply(decision.loop)
    ctx.tx.history.note(about(record.id), what, ctx.now, by=press.by.id)
    refresh_others(ctx, record, decision.loop, press.card)
    return Reply(shows=view(ctx, press.card, record, decision.loop))
