"""What people type: an explanation that was asked for, the next words of a sentence, a name, a command; else a short help."""

from __future__ import annotations

import re
from dataclasses import replace

from cards.catalog import GroupHint, HelpText, SorryText
from handlers import away, evidence, loops, sentences
from handlers.asked import Asked
from handlers.circle import Circle
from handlers.commands import COMMANDS
from handlers.context import Context, Reply, Talk
from reading import answers, commands, sentence
from reading.commands import Command, Intent
from rules.evidence import Part
from rules.feedback import Answer, Refusal
from rules.messages import GroupChat, Urgency
from rules.weeks import SHANGHAI

_GIVE = re.compile(r"^(?:反馈|打卡|记录|记一下|评价|点评)(?P<clear>[\s:：,，@]*)(?P<name>[^\s,，。:：]{1,20})$")
_POINTS_AT_A_RECORD = re.compile(r"[那这上]一?条|反馈|[#＃]\s*\d|编号|刚发|刚写|改成|改为")
# Who is asked for an explanation may ask something himself first; everything else he types is the explanation.
_QUESTIONS = (
    Intent.help,
    Intent.my_week,
    Intent.team_week,
    Intent.pending,
    Intent.escalation_list,
    Intent.exempt_status,
    Intent.metric_query,
)


def said(talk: Talk, ctx: Context) -> Reply:
    """Answer a chat message. In a group the bot says one neutral line, if any, and goes on in private (A3)."""
    talk = replace(talk, event=replace(talk.event, text=_storable(talk.event.text)))
    understood = _in_words(talk, ctx) if talk.event.text or talk.event.mentions else None
    if talk.event.media is not None:
        pictured = _picture(talk, ctx, talk.event.media)
        understood = understood or pictured
    if understood is None:
        return _help_once(talk, ctx)
    if talk.event.group is not None:
        _hint_in_group(talk, ctx, talk.event.group)
    return understood


def _in_words(talk: Talk, ctx: Context) -> Reply | None:
    circle = Circle.around(ctx, talk)
    command = commands.read(talk.event.text, circle.speaker, circle.full_names)
    bare = answers.bare(talk.event.text)
    if bare is not None or (answers.received(talk.event.text) and ctx.tx.feedback.open_about(talk.by.id)):
        command = Command(Intent.reply_feedback)
    elif _tells_all(talk, ctx, circle, command):
        command = Command(Intent.unknown)
    return (
        (loops.explain(ctx, talk.by, talk.event.text) if bare or _may_explain(command, circle) else None)
        or away.came_back(talk, ctx)
        or sentences.go_on(talk, ctx, circle, command)
        or _name_alone(talk, ctx, circle)
        or COMMANDS[command.intent](Asked(talk, command, circle), ctx)
    )


def _may_explain(command: Command, circle: Circle) -> bool:
    """Whether a text may be the explanation of an answer: not a question, and not what its writer says of others."""
    if command.intent in _QUESTIONS:
        return False
    return command.intent in (Intent.unknown, Intent.reply_feedback) or not (circle.team and command.targets)


def _tells_all(talk: Talk, ctx: Context, circle: Circle, command: Command) -> bool:
    """Whether a text that holds words of a command is a whole feedback all the same: 昨天李雷把表删了，门店停了两小时 puts nothing off.

    What passes the gate is not turned back (A4). What points at a record is a command, and so is an answer to what waits for one.
    """
    if not circle.reports or command.intent in (Intent.unknown, Intent.give_feedback):
        return False
    if _POINTS_AT_A_RECORD.search(talk.event.text) or not sentence.read(talk.event.text).complete:
        return False
    return command.intent is not Intent.reply_feedback or not ctx.tx.feedback.open_about(talk.by.id)


def _name_alone(talk: Talk, ctx: Context, circle: Circle) -> Reply | None:
    """Only a name, or 反馈 and a name: the check-in card."""
    asked = _GIVE.match(talk.event.text)
    mention = asked["name"] if asked else talk.event.text.removeprefix("@").strip()
    if not mention and len(circle.mentioned) == 1:
        return sentences.check_in(ctx, talk, circle.mentioned[0].name, circle.mentioned)
    fits = circle.called(mention)
    # 反馈 张三 must be a name, 反馈表在前台领 need not be.
    return sentences.check_in(ctx, talk, mention, fits) if fits or (asked and asked["clear"]) else None


def _picture(talk: Talk, ctx: Context, media: str) -> Reply:
    """A screenshot (A5). Sent while a feedback waits for the writer, it is his answer (A6)."""
    if talk.event.group is not None:
        return Reply(says=SorryText(Refusal.PICTURE_IN_GROUP))
    place = evidence.place_of(talk, ctx)
    if place is not None and place.part is Part.ANSWERS:
        loops.answer_in_words(talk, ctx, Answer.IMPROVED, None)  # the newest that waits, which is the one found
    return evidence.note(talk, ctx, media, place)


def _help_once(talk: Talk, ctx: Context) -> Reply:
    """Talk that is none of the bot's business: a short help, in private, once a day."""
    today = ctx.now.astimezone(SHANGHAI).date()
    if not ctx.tx.runs.first("help", f"{today}:{talk.by.id}", ctx.now):
        return Reply()
    reports = ctx.tx.people.reports_of(talk.by.id)
    return Reply(says=HelpText(bool(reports), reports[0].name if reports else None))


def _hint_in_group(talk: Talk, ctx: Context, chat_id: str) -> None:
    to = GroupChat(talk.event.by.platform, chat_id)
    key = f"group:{talk.event.by.platform}:{talk.event.id}"
    ctx.tx.outbox.add(GroupHint(talk.by.name).to(to, key=key, urgency=Urgency.ANSWER), ctx.now)


def _storable(text: str) -> str:
    """Without what no database stores as text: NUL and half a surrogate pair."""
    return text.replace("\x00", "").encode(errors="ignore").decode().strip()
