"""What people ask for in their own words: one function per intent of `reading/commands.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from cards.catalog import (
    Choice,
    ChoiceCard,
    EscalationList,
    GuideText,
    Heard,
    MyWeek,
    NoteText,
    PendingText,
    SorryText,
    StandInText,
    TeamWeek,
    Waiting,
)
from handlers import changes, loops, sentences
from handlers.choices import decided
from handlers.circle import Circle, Names
from handlers.context import Context, Press, Reply, Talk
from reading import answers, moments, sentence, times
from reading.commands import Command, Intent
from rules import away, commands
from rules.commands import MOST_CHOICES, Note, Purpose, Speaker
from rules.feedback import Answer, Record, Refusal, State
from rules.loops import NotAllowed, nudge
from rules.people import Person
from rules.sentences import Whom
from rules.weeks import SHANGHAI, Week, week_of

_LISTED = 6  # lines of one list
_LATEST = 5
_NAMES = 8
_REMEMBERED = timedelta(days=30)  # how far back a command finds a record
_MORNING = time(9, 30)
_THE_LAST = re.compile("上一条|上条|最后一?条|最近一?条|最新一?条|刚才|刚刚|刚发|刚写|刚给")
_OWN_ANSWER = re.compile("回复|回应|答复|回执|回的")
_MYSELF = re.compile("(?:提醒|叫|通知|喊)(?:一下)?我")
_FROM_THEN = re.compile("起|开始|从")
_WHOLE_WEEK = re.compile("(?:下下|下|这|本)个?(?:周|星期|礼拜)(?![一二三四五六日天末])")
_BACK = re.compile("^我?(?:已经)?(?:回来了|休假回来了|销假了?|到岗了)|(?:结束|取消|不用|撤销)(?:代理|代班|代办|代我)|我自己来")


@dataclass(frozen=True)
class Asked:
    """A command as understood, who said it and whom he may mean."""

    talk: Talk
    command: Command
    circle: Circle

    @property
    def by(self) -> Person:
        """Who asks."""
        return self.talk.by

    @property
    def text(self) -> str:
        """His words."""
        return self.talk.event.text


def give_feedback(asked: Asked, ctx: Context) -> Reply:
    """A sentence about somebody, or only his name: then the check-in card."""
    text = asked.text if _says_something(asked) else ""
    named = _subjects(asked)
    if not named:
        people = sentences.neglected(ctx, asked.circle)
        return sentences.ask_whom(ctx, asked.by, Whom.NOBODY, "", people, text) if people else _sorry(Refusal.NOT_A_SUPERVISOR)
    if len(named) > 1:
        people = tuple({person.id: person for _, fits in named for person in fits}.values())
        mention = "、".join(mention for mention, _ in named)
        return sentences.ask_whom(ctx, asked.by, Whom.SEVERAL, mention, people, text)
    mention, fits = named[0]
    if not text or not fits:
        return sentences.check_in(ctx, asked.talk, mention, fits)
    if len(fits) > 1:
        return sentences.ask_whom(ctx, asked.by, Whom.NAMESAKES, mention, fits, text)
    return sentences.begin(ctx, asked.by, fits[0], text, asked.talk.event.by.platform)


def reply_feedback(asked: Asked, ctx: Context) -> Reply:
    """收到, 已改进, 有异议 or one's own words: they answer the feedback they are about."""
    what, words = answers.meant(asked.text), answers.own_words(asked.text)
    about_me = ctx.tx.reports.about(asked.by.id, ctx.now - _REMEMBERED)
    fitting = _narrowed(commands.answerable(about_me, what), asked, ctx, lambda record: record.author)
    if not fitting:
        return _sorry(Refusal.NOTHING_OPEN)
    if len(fitting) == 1:
        return loops.answer_record(ctx, asked.by, fitting[0], what, words)
    return _choose(ctx, Purpose(what.value), fitting, words or "", lambda record: record.author)


def my_week(asked: Asked, ctx: Context) -> Reply:
    """What somebody got in a week, and what he gave."""
    week = _week(asked, ctx)
    received = ctx.tx.reports.given_to([asked.by.id], week)
    given = commands.figures(ctx.tx.reports.given_by(asked.by.id, week)) if asked.circle.reports else None
    authors = ctx.tx.people.some(record.author for record in received)
    latest = tuple(Heard(authors[r.author].name, r.kind, r.action, _answer(r)) for r in received[:_LATEST] if r.kind)
    return Reply(says=MyWeek(week.monday, week.sunday, commands.figures(received), given, latest))


def team_week(asked: Asked, ctx: Context) -> Reply:
    """What a supervisor gave his people in a week, or what those an HRBP is in charge of got; who waits, who was not mentioned."""
    team = asked.circle.team
    if not team:
        return _sorry(Refusal.NOT_A_SUPERVISOR)
    week = _week(asked, ctx)
    ids = [person.id for person in team]
    given = ctx.tx.reports.given_by(asked.by.id, week) if asked.circle.reports else ctx.tx.reports.given_to(ids, week)
    waiting = _waiting(ctx, sorted((r for r in given if r.state is State.OPEN), key=lambda r: r.id))
    names = {person.id: person.name for person in team}
    silent = [names[person] for person in commands.unmentioned(ids, given)]
    return Reply(
        says=TeamWeek(
            week.monday,
            week.sunday,
            len(team),
            commands.figures(given),
            waiting[:_LISTED],
            len(waiting[_LISTED:]),
            tuple(silent[:_NAMES]),
            len(silent[_NAMES:]),
        )
    )


def pending(asked: Asked, ctx: Context) -> Reply:
    """What waits for the writer's answer, and what he waits for; or only what one person owes."""
    theirs = _his_to_watch(asked, ctx)
    if not asked.command.targets:
        mine = _waiting(ctx, sorted(ctx.tx.feedback.open_about(asked.by.id), key=lambda r: r.id), of_author=True)
        others = _waiting(ctx, theirs)
        return Reply(says=PendingText(mine[:_LISTED], len(mine[_LISTED:]), others[:_LISTED], len(others[_LISTED:])))
    person = _one(asked, asked.command.targets[0])
    if isinstance(person, Refusal):
        return _sorry(person, asked.command.targets[0])
    his = [record for record in theirs if record.subject == person.id]
    if not his and not asked.circle.leads(person) and person not in asked.circle.in_charge:
        return _sorry(Refusal.NOT_IN_CHARGE)
    waiting = _waiting(ctx, his)
    return Reply(says=PendingText((), 0, waiting[:_LISTED], len(waiting[_LISTED:]), person.name))


def remind(asked: Asked, ctx: Context) -> Reply:
    """催: the subject hears of an open record now, with the limits of 催办."""
    if asked.command.time or asked.command.duration or _MYSELF.search(asked.text):
        return _sorry(Refusal.ONLY_REMINDS_NOW)
    if asked.circle.speaker is Speaker.EMPLOYEE:
        return _sorry(Refusal.NOT_IN_CHARGE)
    people = _all(asked, asked.command.targets)
    if isinstance(people, SorryText):
        return Reply(says=people)
    fitting = _narrowed(_his_to_watch(asked, ctx), asked, ctx, lambda record: record.subject)
    if not fitting:
        return _sorry(Refusal.NOTHING_WAITS, people[0].name if people else None)
    if len(fitting) == 1:
        return _remind_of(ctx, asked.by, fitting[0])
    return _choose(ctx, Purpose.REMIND, fitting, "", lambda record: record.subject)


def snooze(asked: Asked, ctx: Context) -> Reply:
    """稍后提醒: what waits for the writer's answer comes again then; the 72 hours run on."""
    until = _until(asked, ctx)
    if until is None:
        return _sorry(Refusal.WHEN_UNCLEAR)
    waiting = ctx.tx.feedback.open_about(asked.by.id)
    if not waiting and not asked.circle.reports:
        return _sorry(Refusal.NOTHING_TO_HOLD)
    held = away.hold(ctx.tx.away.of(asked.by.id), until, ctx.now)
    assert held.held_until is not None
    ctx.tx.away.put(held)
    for record in waiting:
        loops.remind_later(ctx, record, held.held_until)
    return Reply(says=NoteText(Note.HELD, until=held.held_until))


def delegate(asked: Asked, ctx: Context) -> Reply:
    """请假代理: for a time, escalations and check-ins of the writer go to somebody else."""
    if asked.command.targets or asked.command.feedback_id:
        return _sorry(Refusal.NOT_ONE_ALONE)
    if asked.circle.speaker is Speaker.EMPLOYEE:
        return _sorry(Refusal.NOTHING_TO_DELEGATE)
    if asked.command.to is None:
        return _sorry(Refusal.WHO_STANDS_IN)
    taker = _one(asked, asked.command.to)
    if isinstance(taker, Refusal):
        return _sorry(taker, asked.command.to)
    if taker.id == asked.by.id:
        return _come_back(ctx, asked.by)
    if not _may_stand_in(ctx, asked, taker):
        return _sorry(Refusal.CANNOT_STAND_IN, taker.name)
    begins, ends = _absence(asked, ctx)
    ctx.tx.away.put(away.appoint(ctx.tx.away.of(asked.by.id), taker.id, begins, ends))
    last_minute = ends - timedelta(minutes=1)  # midnight reads as the day after
    told = StandInText(asked.by.name, begins, last_minute)
    ctx.tx.outbox.add(told.to(taker.id, key=f"stand-in:{asked.by.id}:{taker.id}:{ctx.now.isoformat()}"), ctx.now)
    return Reply(says=NoteText(Note.STOOD_IN, taker.name, last_minute))


def came_back(talk: Talk, ctx: Context) -> Reply | None:
    """ "我回来了" of somebody who has a stand-in ends that; None for anything else."""
    if not _BACK.search(talk.event.text) or away.stand_in(ctx.tx.away.of(talk.by.id), ctx.now) is None:
        return None
    return _come_back(ctx, talk.by)


def withdraw(asked: Asked, ctx: Context) -> Reply:
    """撤回: the record that is meant is taken back, while that is possible (A1)."""
    fitting = _given_by(asked, ctx)
    if isinstance(fitting, SorryText):
        return Reply(says=fitting)
    possible = [record for record in fitting if changes.refusal_to_change(ctx, asked.by, record) is None]
    if len(possible) == 1 or len(fitting) == 1:
        return changes.withdraw(ctx, asked.by, (possible or fitting)[0])
    if not possible:
        return changes.withdraw(ctx, asked.by, fitting[0])
    return _choose(ctx, Purpose.WITHDRAW, possible, "", lambda record: record.subject)


def edit(asked: Asked, ctx: Context) -> Reply:
    """改: the record that is meant gets new words, or an addition when it is too late for that (A1)."""
    fitting = _given_by(asked, ctx)
    if isinstance(fitting, SorryText):
        return Reply(says=fitting)
    if len(fitting) == 1:
        return changes.edit(ctx, asked.by, fitting[0], asked.text)
    return _choose(ctx, Purpose.EDIT, fitting, asked.text, lambda record: record.subject)


def attach_evidence(asked: Asked, ctx: Context) -> Reply:
    """How a picture comes to a record."""
    return Reply(says=NoteText(Note.SEND_PICTURE))


def help_(asked: Asked, ctx: Context) -> Reply:
    """What one can say, for who asks."""
    team = asked.circle.team
    return Reply(says=GuideText(asked.circle.speaker, team[0].name if team else None))


def exempt_status(asked: Asked, ctx: Context) -> Reply:
    """Exemptions (C2) are not in use yet."""
    return _sorry(Refusal.NO_EXEMPTIONS_YET)


def metric_query(asked: Asked, ctx: Context) -> Reply:
    """No metrics (D1) are connected yet."""
    return _sorry(Refusal.NO_METRICS_YET)


def escalation_list(asked: Asked, ctx: Context) -> Reply:
    """What was escalated and is not settled: to the HRBP in charge, and to whoever gave it or leads who did."""
    if asked.circle.speaker is Speaker.EMPLOYEE:
        return _sorry(Refusal.NOT_IN_CHARGE)
    acting = away.acting_for(asked.by.id, ctx.tx.away.absent(ctx.now), ctx.now)
    mine = [record for record, loop in ctx.tx.reports.escalated() if commands.in_charge_of(loop, acting) or _below(asked, record)]
    if not mine:
        return _sorry(Refusal.NOTHING_ESCALATED)
    waiting = _waiting(ctx, mine)
    return Reply(says=EscalationList(waiting[:_LISTED], len(waiting[_LISTED:])))


def unknown(asked: Asked, ctx: Context) -> Reply | None:
    """Nothing was asked. It may be a feedback all the same."""
    return sentences.unasked(asked.talk, ctx, asked.circle)


COMMANDS: Mapping[Intent, Callable[[Asked, Context], Reply | None]] = {
    Intent.give_feedback: give_feedback,
    Intent.reply_feedback: reply_feedback,
    Intent.my_week: my_week,
    Intent.team_week: team_week,
    Intent.pending: pending,
    Intent.remind: remind,
    Intent.snooze: snooze,
    Intent.delegate: delegate,
    Intent.withdraw: withdraw,
    Intent.edit: edit,
    Intent.attach_evidence: attach_evidence,
    Intent.help: help_,
    Intent.exempt_status: exempt_status,
    Intent.metric_query: metric_query,
    Intent.escalation_list: escalation_list,
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
        return _sorry(Refusal.SUBJECT_LEFT, subject.name)
    decision = nudge(loop, by.id, ctx.now, record.author)
    if isinstance(decision, NotAllowed):
        return _sorry(decision.reason, subject.name)
    loops.remind_now(ctx, record, decision.loop, by)
    return Reply(says=NoteText(Note.REMINDED, subject.name))


_PURPOSES: Mapping[Purpose, Callable[[Context, Person, Record, str], Reply]] = {
    Purpose.WITHDRAW: lambda ctx, by, record, words: changes.withdraw(ctx, by, record),
    Purpose.EDIT: changes.edit,
    Purpose.REMIND: lambda ctx, by, record, words: _remind_of(ctx, by, record),
    **{Purpose(answer.value): _answered_with(answer) for answer in Answer},
}


def _sorry(reason: Refusal, name: str | None = None) -> Reply:
    return Reply(says=SorryText(reason, name))


# ── who and which ─────────────────────────────────────────────────────────────────────────────────────────


def _subjects(asked: Asked) -> Names:
    """Whom a feedback is about: mentioned with @, named in the command, or the first of the writer's people named at all."""
    if asked.circle.mentioned:
        return tuple((person.name, (person,)) for person in asked.circle.mentioned)
    if asked.command.targets:
        return tuple((target, asked.circle.called(target)) for target in asked.command.targets)
    own = [(mention, fits) for mention, fits in asked.circle.named_in(asked.text) if any(map(asked.circle.leads, fits))]
    return tuple(own[:1])


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


def _one(asked: Asked, name: str) -> Person | Refusal:
    fits = asked.circle.called(name)
    if len(fits) == 1:
        return fits[0]
    return Refusal.SEVERAL_OF_THAT_NAME if fits else Refusal.NO_SUCH_NAME


def _all(asked: Asked, names: Sequence[str]) -> tuple[Person, ...] | SorryText:
    """Everybody these names may mean; why not, when one of them means nobody."""
    people: list[Person] = []
    for name in names:
        fits = asked.circle.called(name)
        if not fits:
            return SorryText(Refusal.NO_SUCH_NAME, name)
        people += fits
    return tuple(people)


def _narrowed(records: Sequence[Record], asked: Asked, ctx: Context, whose: Callable[[Record], int]) -> tuple[Record, ...]:
    """Those of `records` that the command's number, names, day and “上一条” leave."""
    command = asked.command
    if command.feedback_id is not None:
        return tuple(record for record in records if str(record.id) == command.feedback_id)
    left = list(records)
    if command.targets:
        meant = {person.id for target in command.targets for person in asked.circle.called(target)}
        left = [record for record in left if whose(record) in meant]
    day = _day(command.time, ctx.now) if command.time else None
    if day is not None:
        left = [r for r in left if (r.given_at or r.created_at).astimezone(SHANGHAI).date() == day.astimezone(SHANGHAI).date()]
    if _THE_LAST.search(asked.text) and left:
        left = [max(left, key=lambda record: (record.given_at or record.created_at, record.id))]
    return tuple(left)


def _day(words: str, now: datetime) -> datetime | None:
    return next((at for mention in times.find(words) if (at := times.resolve(mention, now, SHANGHAI))), None)


def _given_by(asked: Asked, ctx: Context) -> tuple[Record, ...] | SorryText:
    """The records of the writer's own that a command means, newest first; why not, when there are none."""
    given = ctx.tx.reports.by_author(asked.by.id, ctx.now - _REMEMBERED)
    if not given:
        answered = any(_answer(record) for record in ctx.tx.reports.about(asked.by.id, ctx.now - _REMEMBERED))
        return SorryText(Refusal.ANSWER_STAYS if answered or _OWN_ANSWER.search(asked.text) else Refusal.NOTHING_GIVEN)
    people = _all(asked, asked.command.targets)
    if isinstance(people, SorryText):
        return people
    fitting = _narrowed(given, asked, ctx, lambda record: record.subject)
    lasting = tuple(record for record in fitting if record.state is not State.WITHDRAWN) or fitting[:1]
    return lasting or SorryText(Refusal.NO_SUCH_RECORD)


def _his_to_watch(asked: Asked, ctx: Context) -> tuple[Record, ...]:
    """Open records that the writer gave, and those about people he is the HRBP of; the longest-waiting first."""
    given = ctx.tx.reports.waiting_from(asked.by.id)
    charged = ctx.tx.reports.waiting_about([person.id for person in asked.circle.in_charge])
    both = {record.id: record for record in (*given, *charged)}
    return tuple(sorted(both.values(), key=lambda record: (record.given_at or record.created_at, record.id)))


def _below(asked: Asked, record: Record) -> bool:
    author = asked.circle.people.get(record.author)
    return record.author == asked.by.id or (author is not None and asked.circle.leads(author))


def _choose(ctx: Context, purpose: Purpose, records: Sequence[Record], words: str, whose: Callable[[Record], int]) -> Reply:
    people = ctx.tx.people.some(whose(record) for record in records)
    choices = tuple(
        Choice(record.id, people[whose(record)].name, record.action, record.given_at or record.created_at)
        for record in records[:MOST_CHOICES]
    )
    return Reply(says=ChoiceCard(purpose, choices, words))


def _waiting(ctx: Context, records: Sequence[Record], *, of_author: bool = False) -> tuple[Waiting, ...]:
    """Lines of a list, in the order given; with the author's name for who has to answer, else with the subject's."""
    people = ctx.tx.people.some(person for record in records for person in (record.author, record.subject))
    waited = commands.waited(records, ctx.now)
    return tuple(
        Waiting(people[record.author if of_author else record.subject].name, record.action, waited[record.id]) for record in records
    )


def _answer(record: Record) -> Answer | None:
    return Answer(record.state.value) if record.state.value in set(Answer) else None


# ── when ──────────────────────────────────────────────────────────────────────────────────────────────────


def _week(asked: Asked, ctx: Context) -> Week:
    back = moments.weeks_back(asked.command.time or "")
    return week_of(ctx.now).back(back or 0)


def _until(asked: Asked, ctx: Context) -> datetime | None:
    """Until when reminders are held: a length, a time ahead, or the usual one; None for a time that is over or cannot be read."""
    command = asked.command
    if command.duration:
        length = moments.length(command.duration)
        return ctx.now + min(length, away.LONGEST_HOLD) if length else None
    if not command.time:
        return ctx.now + ctx.policy.snooze
    ahead = moments.ahead(command.time, ctx.now, SHANGHAI)
    if ahead is None:
        return None
    until = datetime.combine(ahead.day, ahead.clock or _MORNING, SHANGHAI).astimezone(ctx.now.tzinfo)
    return until if until > ctx.now else None


def _absence(asked: Asked, ctx: Context) -> tuple[datetime, datetime]:
    """From when until when somebody stands in: whole local days, as they are said."""
    command = asked.command
    length = moments.length(command.duration) if command.duration else None
    ahead = moments.ahead(command.time, ctx.now, SHANGHAI) if command.time else None
    today = ctx.now.astimezone(SHANGHAI).date()
    if command.time and _WHOLE_WEEK.search(command.time) and length is None:
        length = timedelta(weeks=1)
    if ahead is not None and (length is not None or _FROM_THEN.search(asked.text)):
        begins = max(ctx.now, _midnight(ahead.day, ctx.now))
        return begins, _midnight(ahead.day, ctx.now) + _days(length or away.USUAL_STAND_IN)
    if ahead is not None:
        return ctx.now, _midnight(ahead.day, ctx.now) + timedelta(days=1)
    return ctx.now, _midnight(today, ctx.now) + _days(length or away.USUAL_STAND_IN)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(), SHANGHAI).astimezone(now.tzinfo)


def _days(length: timedelta) -> timedelta:
    """Whole days, at least one."""
    return timedelta(days=max(1, min(length.days, 60)))


def _come_back(ctx: Context, by: Person) -> Reply:
    ctx.tx.away.put(away.back(ctx.tx.away.of(by.id)))
    return Reply(says=NoteText(Note.BACK))


def _may_stand_in(ctx: Context, asked: Asked, taker: Person) -> bool:
    """Who stands in sees what is not about his own people, so he must be somebody who leads people or is an HRBP, and be there."""
    circle = replace(asked.circle, by=taker)
    return circle.speaker is not Speaker.EMPLOYEE and away.stand_in(ctx.tx.away.of(taker.id), ctx.now) is None
