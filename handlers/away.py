"""稍后提醒 and 请假代理, as people ask for them in chat (A10)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta

from cards.catalog import NoteText, StandInText
from handlers import loops
from handlers.asked import Asked, one, sorry
from handlers.circle import Circle
from handlers.context import Context, Reply, Talk
from reading import moments
from rules import away
from rules.commands import Note, Speaker
from rules.feedback import Refusal
from rules.people import Person
from rules.weeks import SHANGHAI

_MORNING = time(9, 30)
_FROM_THEN = re.compile("起|开始|从")
_WHOLE_WEEK = re.compile("(?:下下|下|这|本)个?(?:周|星期|礼拜)(?![一二三四五六日天末])")
_BACK = re.compile("^我?(?:已经)?(?:回来了|休假回来了|销假了?|到岗了)|(?:结束|取消|不用|撤销)(?:代理|代班|代办|代我)|我自己来")


def snooze(asked: Asked, ctx: Context) -> Reply:
    """稍后提醒: what waits for the writer's answer comes again then; the 72 hours run on."""
    until = _until(asked, ctx)
    if until is None:
        return sorry(Refusal.WHEN_UNCLEAR)
    waiting = ctx.tx.feedback.open_about(asked.by.id)
    if not waiting and not asked.circle.reports:
        return sorry(Refusal.NOTHING_TO_HOLD)
    held = away.hold(ctx.tx.away.of(asked.by.id), until, ctx.now)
    assert held.held_until is not None
    ctx.tx.away.put(held)
    for record in waiting:
        loops.remind_later(ctx, record, held.held_until)
    return Reply(says=NoteText(Note.HELD, until=held.held_until))


def delegate(asked: Asked, ctx: Context) -> Reply:
    """请假代理: for a time, escalations and check-ins of the writer go to somebody else."""
    if asked.command.targets or asked.command.feedback_id:
        return sorry(Refusal.NOT_ONE_ALONE)
    if asked.circle.speaker is Speaker.EMPLOYEE:
        return sorry(Refusal.NOTHING_TO_DELEGATE)
    if asked.command.to is None:
        return sorry(Refusal.WHO_STANDS_IN)
    taker = one(asked, asked.command.to)
    if isinstance(taker, Refusal):
        return sorry(taker, asked.command.to)
    if taker.id == asked.by.id:
        return _come_back(ctx, asked.by)
    if not _may_stand_in(ctx, taker, asked.circle):
        return sorry(Refusal.CANNOT_STAND_IN, taker.name)
    last_minute = appoint(ctx, asked.by, taker, *_absence(asked, ctx))
    return Reply(says=NoteText(Note.STOOD_IN, taker.name, last_minute))


def appoint(ctx: Context, person: Person, taker: Person, begins: datetime, ends: datetime) -> datetime:
    """`taker` stands in for `person` and is told so. The last minute of it: midnight would read as the day after."""
    ctx.tx.away.put(away.appoint(ctx.tx.away.of(person.id), taker.id, begins, ends))
    last_minute = ends - timedelta(minutes=1)
    told = StandInText(person.name, begins, last_minute)
    ctx.tx.outbox.add(told.to(taker.id, key=f"stand-in:{person.id}:{taker.id}:{ctx.now.isoformat()}"), ctx.now)
    return last_minute


def came_back(talk: Talk, ctx: Context) -> Reply | None:
    """ "我回来了" of somebody who has a stand-in ends that; None for anything else."""
    if not _BACK.search(talk.event.text) or away.stand_in(ctx.tx.away.of(talk.by.id), ctx.now) is None:
        return None
    return _come_back(ctx, talk.by)


def _until(asked: Asked, ctx: Context) -> datetime | None:
    """Until when reminders are held: a length, a time ahead, or the usual one (等我开完会); None for a time that is over. The reply
    tells it, so that a wrong guess can be put right."""
    command = asked.command
    if command.duration:
        length = moments.length(command.duration)
        return ctx.now + min(length, away.LONGEST_HOLD) if length else None
    ahead = moments.ahead(command.time, ctx.now, SHANGHAI) if command.time else None
    if ahead is None:
        return ctx.now + ctx.policy.snooze
    only_today = ahead.clock is None and ahead.day == ctx.now.astimezone(SHANGHAI).date()  # 今天别再弹了
    day = ahead.day + timedelta(days=1) if only_today else ahead.day
    until = datetime.combine(day, ahead.clock or _MORNING, SHANGHAI).astimezone(ctx.now.tzinfo)
    return until if until > ctx.now else None


def _absence(asked: Asked, ctx: Context) -> tuple[datetime, datetime]:
    """From when until when somebody stands in, as far as it was said."""
    command = asked.command
    length = moments.length(command.duration) if command.duration else None
    ahead = moments.ahead(command.time, ctx.now, SHANGHAI) if command.time else None
    if command.time and _WHOLE_WEEK.search(command.time):
        length = length or timedelta(weeks=1)
    begins_then = length is not None or bool(_FROM_THEN.search(asked.text))
    return away.absence(ctx.now, ahead.day if ahead else None, length, begins_then=begins_then)


def _come_back(ctx: Context, by: Person) -> Reply:
    ctx.tx.away.put(away.back(ctx.tx.away.of(by.id)))
    return Reply(says=NoteText(Note.BACK))


def _may_stand_in(ctx: Context, taker: Person, circle: Circle) -> bool:
    """Who stands in sees what is not about his own people, so he must be somebody who leads people or is an HRBP, and be there."""
    circle = replace(circle, by=taker)
    return circle.speaker is not Speaker.EMPLOYEE and away.stand_in(ctx.tx.away.of(taker.id), ctx.now) is None
