"""What people type: a name asks for a check-in card, 收到 answers, everything else gets a short help."""

from __future__ import annotations

import re

from cards.catalog import GroupHint, HelpText, SorryText
from handlers import evidence, feedback, loops
from handlers.context import Context, Reply, Talk
from reading import names
from rules.events import Platform
from rules.evidence import Part
from rules.feedback import Answer, Refusal
from rules.messages import GroupChat
from rules.people import Person

_GIVE = re.compile(r"^(?:反馈|打卡|记录|记一下|评价|点评)\s*[:：,，]?\s*@?(?P<name>\S{1,20})$")
_ANSWERS = (
    (re.compile(r"^(?:收到|知道了|明白了?|好的,?收到)[。.!！~]*$"), Answer.ACKNOWLEDGED),
    (re.compile(r"^已改进(?P<words>.*)$", re.DOTALL), Answer.IMPROVED),
    (re.compile(r"^(?:我?有异议|不同意|不认可)(?P<words>.*)$", re.DOTALL), Answer.DISPUTED),
)


def said(talk: Talk, ctx: Context) -> Reply:
    """Answer a chat message. In a group the bot says one line and goes on in private (A3)."""
    if talk.event.group is not None:
        _hint_in_group(talk, ctx, talk.event.group)
    understood = _in_words(talk, ctx) if talk.event.text else None
    if talk.event.media is not None:
        pictured = _picture(talk, ctx, talk.event.media)
        return understood or pictured
    return understood or _help(talk, ctx)


def _in_words(talk: Talk, ctx: Context) -> Reply | None:
    return loops.explain(ctx, talk.by, talk.event.text) or _answer(talk, ctx) or _give(talk, ctx)


def _picture(talk: Talk, ctx: Context, media: str) -> Reply:
    """A screenshot (A5). Sent while a feedback waits for the writer, it is his answer (A6)."""
    if talk.event.group is not None:
        return Reply(says=SorryText(Refusal.PICTURE_IN_GROUP))
    place = evidence.place_of(talk, ctx)
    if place is not None and place.part is Part.ANSWERS:
        loops.answer_in_words(talk, ctx, Answer.IMPROVED, None)  # the newest that waits, which is the one found
    return evidence.note(talk, ctx, media, place)


def _answer(talk: Talk, ctx: Context) -> Reply | None:
    for pattern, what in _ANSWERS:
        found = pattern.match(talk.event.text)
        if found:
            words = (found.groupdict().get("words") or "").strip(" ,，:：。")
            return loops.answer_in_words(talk, ctx, what, words or None)
    return None


def _give(talk: Talk, ctx: Context) -> Reply | None:
    asked = _GIVE.match(talk.event.text)
    mention = asked["name"] if asked else talk.event.text.removeprefix("@").strip()
    people = {person.key: person for person in ctx.tx.people.all().values() if person.active}
    fits = _people_called(mention, tuple(people.values()), talk.by)
    return feedback.ask_for(talk, ctx, mention, fits) if asked or fits else None


def _people_called(mention: str, people: tuple[Person, ...], by: Person) -> tuple[Person, ...]:
    """Who is meant. Among several who fit equally well, one's own people come before strangers."""
    if not 1 < len(mention) <= 20:
        return ()
    by_key = {person.key: person for person in people}
    matches = names.resolve(mention, [names.Known(person.key, person.name) for person in people])
    best = [by_key[match.person.key] for match in matches if match.score == matches[0].score]
    own = [person for person in best if person.supervisor == by.id]
    return tuple(own or best)


def _help(talk: Talk, ctx: Context) -> Reply:
    reports = ctx.tx.people.reports_of(talk.by.id)
    return Reply(says=HelpText(bool(reports), reports[0].name if reports else None))


def _hint_in_group(talk: Talk, ctx: Context, chat_id: str) -> None:
    to = GroupChat(Platform(talk.event.by.platform), chat_id)
    key = f"group:{talk.event.by.platform}:{talk.event.id}"
    ctx.tx.outbox.add(GroupHint(talk.by.name).to(to, key=key), ctx.now)
