"""What people ask for in their own words: one function per intent of `reading/commands.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from cards.catalog import Choice, ChoiceCard, GuideText, NoteText, SorryText
from handlers import away, changes, logins, loops, reports, sentences
from handlers.asked import Asked, everybody, his_to_watch, narrowed, sorry
from handlers.choices import decided
from handlers.circle import Names
from handlers.context import Context, Press, Reply
from reading import answers, sentence
from reading.commands import Intent
from rules import commands
from rules.commands import MOST_CHOICES, Note, Purpose, Speaker
from rules.feedback import Answer, Record, Refusal, State
from rules.loops import NotAllowed, nudge
from rules.people import Person
from rules.sentences import Whom

_REMEMBERED = timedelta(days=30)  # how far back a command finds a record
_OWN_ANSWER = re.compile("回复|回应|答复|回执|回的")
_MYSELF = re.compile("(?:提醒|叫|通知|喊)(?:一下)?我")


def give_feedback(asked: Asked, ctx: Context) -> Reply:
    """A sentence about somebody, or only his name: then the check-in card."""
    text = asked.text if _says_something(asked) else ""
    named = _subjects(asked)
    if not named:
        people = sentences.neglected(ctx, asked.circle)
        return sentences.ask_whom(ctx, asked.by, Whom.NOBODY, "", people, text) if people else sorry(Refusal.NOT_A_SUPERVISOR)
    if text:
        return sentences.begin(ctx, asked.by, named, text, asked.talk.event.by.platform)
    if len(named) > 1:
        people = tuple({person.id: person for _, fits in named for person in fits}.values())
        return sentences.ask_whom(ctx, asked.by, Whom.SEVERAL, "", people, "")
    return sentences.check_in(ctx, asked.talk, *named[0])


def reply_feedback(asked: Asked, ctx: Context) -> Reply:
    """收到, 已改进, 有异议 or one's own words: they answer the feedback they are about."""
    what, words = answers.meant(asked.text), answers.own_words(asked.text)
    about_me = ctx.tx.reports.about(asked.by.id, ctx.now - _REMEMBERED)
    fitting = narrowed(commands.answerable(about_me, what), asked, ctx, lambda record: record.author)
    if not fitting:
        return sorry(Refusal.NOTHING_OPEN)
    if len(fitting) == 1:
        return loops.answer_record(ctx, asked.by, fitting[0], what, words)
    return _choose(ctx, Purpose(what.value), fitting, words or "", lambda record: record.author)


def remind(asked: Asked, ctx: Context) -> Reply:
    """催: the subject hears of an open record now, with the limits of 催办."""
    if asked.command.time or asked.command.duration or _MYSELF.search(asked.text):
        return sorry(Refusal.ONLY_REMINDS_NOW)
    if asked.circle.speaker is Speaker.EMPLOYEE:
        return sorry(Refusal.NOT_IN_CHARGE)
    people = everybody(asked, asked.command.targets)
    if isinstance(people, SorryText):
        return Reply(says=people)
    fitting = narrowed(his_to_watch(asked, ctx), asked, ctx, lambda record: record.subject)
    if not fitting:
        return sorry(Refusal.NOTHING_WAITS, people[0].name if people else None)
    if len(fitting) == 1:
        return _remind_of(ctx, asked.by, fitting[0])
    return _choose(ctx, Purpose.REMIND, fitting, "", lambda record: record.subject)


def withdraw(asked: Asked, ctx: Context) -> Reply:
    """撤回: the record that is meant is taken back, while that is possible (A1)."""
    fitting = _given_by(asked, ctx)
    if isinstance(fitting, SorryText):
        return Reply(says=fitting)
    possible = [record for record in fitting if changes.refusal_to_change(ctx, asked.by, record) is None]
    if not possible:
        return changes.withdraw(ctx, asked.by, fitting[0])
    together = _together(asked, ctx, possible[0])
    if {record.id for record in possible} <= {record.id for record in together}:
        return changes.withdraw(ctx, asked.by, *together)
    return _choose(ctx, Purpose.WITHDRAW, possible, "", lambda record: record.subject)


def edit(asked: Asked, ctx: Context) -> Reply:
    """改: the record that is meant gets new words, or an addition when it is too late for that (A1)."""
    fitting = _given_by(asked, ctx)
    if isinstance(fitting, SorryText):
        return Reply(says=fitting)
    if len(fitting) == 1:
        fitting = _together(asked, ctx, fitting[0])
    if len(fitting) == 1:
        return changes.edit(ctx, asked.by, fitting[0], asked.text)
    return _choose(ctx, Purpose.EDIT, fitting, asked.text, lambda record: record.subject)


def attach_evidence(asked: Asked, ctx: Context) -> Reply:
    """How a picture comes to a record."""
    return Reply(says=NoteText(Note.SEND_PICTURE))


def help_(asked: Asked, ctx: Context) -> Reply:
    """What one can say, for who asks."""
    team = asked.circle.team
    example = team[0].name if team else None
    return Reply(says=GuideText(asked.circle.speaker, example, logins.START if ctx.policy.pages_url else None))


def exempt_status(asked: Asked, ctx: Context) -> Reply:
    """Exemptions (C2) are not in use yet."""
    return sorry(Refusal.NO_EXEMPTIONS_YET)


def metric_query(asked: Asked, ctx: Context) -> Reply:
    """No metrics (D1) are connected yet."""
    return sorry(Refusal.NO_METRICS_YET)


def unknown(asked: Asked, ctx: Context) -> Reply | None:
    """Nothing was asked. It may be a feedback all the same."""
    return sentences.unasked(asked.talk, ctx, asked.circle)


COMMANDS: Mapping[Intent, Callable[[Asked, Context], Reply | None]] = {
    Intent.give_feedback: give_feedback,
    Intent.reply_feedback: reply_feedback,
    Intent.my_week: reports.my_week,
    Intent.team_week: reports.team_week,
    Intent.pending: reports.pending,
    Intent.remind: remind,
    Intent.snooze: away.snooze,
    Intent.delegate: away.delegate,
    Intent.withdraw: withdraw,
    Intent.edit: edit,
    Intent.attach_evidence: attach_evidence,
    Intent.help: help_,
    Intent.exempt_status: exempt_status,
    Intent.metric_query: metric_query,
    Intent.escalation_list: reports.escalation_list,
    Intent.unknown: unknown,
}


def chosen(press: Press, ctx: Context) -> Reply:
    """One of several records was chosen: what was asked for is done with it."""
    card = ChoiceCard.from_data(press.card.data)
    place = next((n for n, choice in enumerate(card.choices, 1) if str(choice.feedback) == press.argument), None)
    if place is None:
        return Reply(shows=replace(card, notice=Refusal.NO_SUCH_RECORD))
    first = decided(ctx, press, place)
    if first is not None:
        return Reply(shows=replace(card, chosen=first, notice=Refusal.ALREADY_CHOSEN))
    record = ctx.tx.feedback.get(card.choices[place - 1].feedback)
    done = _PURPOSES[card.purpose](ctx, press.by, record, card.words)
    return Reply(shows=replace(card, chosen=place), says=done.says)


def _answered_with(what: Answer) -> Callable[[Context, Person, Record, str], Reply]:
    return lambda ctx, by, record, words: loops.answer_record(ctx, by, record, what, words or None)


def _remind_of(ctx: Context, by: Person, record: Record) -> Reply:
    loop, subject = ctx.tx.loops.get(record.id), ctx.tx.people.get(record.subject)
    assert loop is not None, "an open record has a loop"
    if not subject.active:
        return sorry(Refusal.SUBJECT_LEFT, subject.name)
    decision = nudge(loop, by.id, ctx.now, record.author)
    if isinstance(decision, NotAllowed):
        return sorry(decision.reason, subject.name)
    loops.remind_now(ctx, record, decision.loop, by)
    return Reply(says=NoteText(Note.REMINDED, subject.name))


_PURPOSES: Mapping[Purpose, Callable[[Context, Person, Record, str], Reply]] = {
    Purpose.WITHDRAW: lambda ctx, by, record, words: changes.withdraw(ctx, by, record),
    Purpose.EDIT: changes.edit,
    Purpose.REMIND: lambda ctx, by, record, words: _remind_of(ctx, by, record),
    **{Purpose(answer.value): _answered_with(answer) for answer in Answer},
}


def _subjects(asked: Asked) -> Names:
    """Whom a feedback is about: mentioned with @, named in the command, or the first of the writer's people named at all, with who is
    named in one breath with them."""
    targets = tuple((target, asked.circle.called(target)) for target in asked.command.targets)
    return asked.circle.with_mentioned(targets) or asked.circle.own_row(asked.text)


_LEAST_CONTENT = 6  # characters beside the name that make more of it than 给小王写条反馈
_CONTENT = re.compile(r"[:：](?P<told>.{4,})|[,，。\s](?P<more>.+)", re.DOTALL)


def _says_something(asked: Asked) -> bool:
    """Whether the command carries a sentence, however empty, besides asking for one to be written."""
    if not sentence.read(asked.text).generic:
        return True
    text = asked.text
    for target in asked.command.targets:
        text = text.replace(f"@{target}", "").replace(target, "")
    found = _CONTENT.search(text.strip(" ,，:：。"))
    return bool(found and (found["told"] or len(found["more"].strip()) >= _LEAST_CONTENT))


def _given_by(asked: Asked, ctx: Context) -> tuple[Record, ...] | SorryText:
    """The records of the writer's own that a command means, newest first; why not, when there are none."""
    given = ctx.tx.reports.by_author(asked.by.id, ctx.now - _REMEMBERED)
    if not given:
        answered = any(record.state.value in set(Answer) for record in ctx.tx.reports.about(asked.by.id, ctx.now - _REMEMBERED))
        return SorryText(Refusal.ANSWER_STAYS if answered or _OWN_ANSWER.search(asked.text) else Refusal.NOTHING_GIVEN)
    people = everybody(asked, asked.command.targets)
    if isinstance(people, SorryText):
        return people
    fitting = narrowed(given, asked, ctx, lambda record: record.subject)
    lasting = tuple(record for record in fitting if record.state is not State.WITHDRAWN) or fitting[:1]
    return lasting or SorryText(Refusal.NO_SUCH_RECORD)


def _together(asked: Asked, ctx: Context, record: Record) -> tuple[Record, ...]:
    """A record of the writer's, with those he gave in the same sentence when his command singles nobody out."""
    if asked.command.targets or asked.command.feedback_id:
        return (record,)
    given = (ctx.tx.feedback.get(id) for id in ctx.tx.companions.together(record.id))
    return tuple(one for one in given if one.state is not State.WITHDRAWN) or (record,)


def _choose(ctx: Context, purpose: Purpose, records: Sequence[Record], words: str, whose: Callable[[Record], int]) -> Reply:
    people = ctx.tx.people.some(whose(record) for record in records)
    choices = tuple(
        Choice(record.id, people[whose(record)].name, record.action, record.given_at or record.created_at)
        for record in records[:MOST_CHOICES]
    )
    return Reply(says=ChoiceCard(purpose, choices, words))
