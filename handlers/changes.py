"""An author takes back or rewords what he gave (A1): at first the record itself, later only by adding to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from cards.catalog import EmptiedText, FeedbackCard, NoteText, SorryText
from handlers import gate
from handlers.context import Context, Reply
from handlers.views import about, redraw, refresh
from reading import sentence
from rules import feedback, loops
from rules.commands import Note
from rules.feedback import Record, Refusal, State
from rules.people import Person
from rules.sentences import Element
from storage.sentences import Started

_NAMED = {Element.SCENE: "场景|时间|日期", Element.ACTION: "动作|做法", Element.IMPACT: "影响|结果|后果"}
_NEW_WORDS = re.compile(
    r"(?:改成|改为|换成|更正为|应该是|应为|写成|补充(?:一句|两句|一点|一下|说明|说)?|补一句|补上|加上|加一?句)\s*[:：,，]?\s*(?P<words>.+)$|[:：]\s*(?P<told>.+)$",
    re.DOTALL,
)
_INSISTS = re.compile(r"^(?:好的?[,，]?)?(?:就这样|就这么|还是这么|就按这个)[写改加]?[了吧的。.!！~]*$")
_LATE = (Refusal.TOO_LATE, Refusal.ALREADY_ANSWERED)
_SHORTEST = 4  # characters that can say something
_QUOTES = " “”\"'「」『』。"


def withdraw(ctx: Context, by: Person, *records: Record) -> Reply:
    """The records, given in one sentence when they are several, are taken back as far as that is possible: their clocks stop, their
    subjects' cards say so."""
    refusals = {record: refusal_to_change(ctx, by, record) for record in records}
    people = ctx.tx.people.some({record.subject for record in records})
    refused = [SorryText(refusal, people[record.subject].name) for record, refusal in refusals.items() if refusal]
    if len(refused) == len(records):
        return Reply(says=refused[0])
    taken = [record for record, refusal in refusals.items() if refusal is None]
    for record in taken:
        take_back(ctx, by, record)
    return Reply(says=NoteText(Note.WITHDRAWN, "、".join(people[record.subject].name for record in taken)))


def take_back(ctx: Context, by: Person, record: Record) -> None:
    """Withdraw a record that `by` may withdraw."""
    withdrawn = replace(record, state=State.WITHDRAWN, closed_at=ctx.now)
    loop = ctx.tx.loops.get(record.id)
    assert loop is not None, "a given record has a loop"
    ended = loops.end(loop)
    ctx.tx.feedback.apply(withdrawn)
    ctx.tx.loops.apply(ended)
    ctx.tx.history.note(about(record.id), "withdrawn", ctx.now, by=by.id)
    refresh(ctx, withdrawn, ended)


def edit(ctx: Context, by: Person, record: Record, words: str) -> Reply:
    """What the author asks to be changed: done at once when his words say it, else asked for."""
    found = _NEW_WORDS.search(words)
    if found:
        return reword(ctx, by, record, words)
    return _ask(ctx, by, record)


def reword(ctx: Context, by: Person, record: Record, words: str) -> Reply:
    """Put new words into the record: each element that they tell of is replaced, and what stood there stays in the history. When it is
    too late for that they are added. Words that say nothing are turned back like the first ones (A4)."""
    name = ctx.tx.people.get(record.subject).name
    refusal = refusal_to_change(ctx, by, record)
    if refusal in _LATE:
        add(ctx, by, record, _content(words))
        ctx.tx.sentences.end(by.id, ctx.now)
        return Reply(says=NoteText(Note.ADDED, name))
    if refusal:
        return Reply(says=SorryText(refusal, name))
    changed = _reworded(record, words)
    if changed == record and len(_content(words)) < _SHORTEST:
        return _ask(ctx, by, record)
    emptied = gate.emptied(record, changed)
    if emptied or changed == record:
        return _turn_back(ctx, by, record, _content(words), emptied)
    replace_words(ctx, by, record, changed)
    ctx.tx.sentences.end(by.id, ctx.now)
    return Reply(says=NoteText(Note.EDITED, name))


def insist(ctx: Context, by: Person, record: Record, turned_back: str, words: str) -> Reply | None:
    """就这样, or the same words once more, after new words were turned back: what was given passed the gate and counts, so it stays,
    and they are put behind it (A4, by policy). None when `words` are something else."""
    if not ctx.policy.insist or not (_INSISTS.match(words) or _content(words) == turned_back):
        return None
    name = ctx.tx.people.get(record.subject).name
    refusal = refusal_to_change(ctx, by, record)
    if refusal and refusal not in _LATE:
        return Reply(says=SorryText(refusal, name))
    add(ctx, by, record, turned_back)
    ctx.tx.sentences.end(by.id, ctx.now)
    return Reply(says=NoteText(Note.ADDED, name))


def _turn_back(ctx: Context, by: Person, record: Record, words: str, emptied: tuple[Element, ...]) -> Reply:
    """New words that say nothing: the question that makes them concrete."""
    subject = ctx.tx.people.get(record.subject)
    library = ctx.policy.libraries.get(subject.role)
    ctx.tx.sentences.put(Started(by.id, record.id, words, ctx.now + ctx.policy.words_within), ctx.now)
    industry = library.industry if library else ""
    return Reply(says=EmptiedText(subject.name, emptied or tuple(Element), industry, may_insist=ctx.policy.insist))


def replace_words(ctx: Context, by: Person, record: Record, changed: Record) -> None:
    """Let `changed`, the same record in other words, take the place of one that `by` may reword; the history keeps what stood there."""
    for element in Element:
        before = getattr(record, element.value)
        if before != getattr(changed, element.value):
            ctx.tx.history.note(about(record.id), "edited", ctx.now, by=by.id, reason=element, words=before)
    ctx.tx.feedback.apply(changed)
    redraw(ctx, changed, ctx.tx.loops.get(record.id))


def add(ctx: Context, by: Person, record: Record, words: str) -> None:
    """Put a sentence behind a record; what was given stays as it is."""
    ctx.tx.history.note(about(record.id), "added", ctx.now, by=by.id, words=words)
    redraw(ctx, record, ctx.tx.loops.get(record.id))


def refusal_to_change(ctx: Context, by: Person, record: Record) -> Refusal | None:
    """Why `by` may no longer take back or reword the record; None when he may."""
    return feedback.may_change(record, by.id, seen_at(ctx, record), ctx.now, ctx.policy.change_window)


def seen_at(ctx: Context, record: Record) -> datetime | None:
    """When the feedback reached its subject's chat: no platform tells that it was read. None while it is on its way."""
    sent = [m.sent_at for m in ctx.tx.outbox.about(about(record.id)) if m.card == FeedbackCard.template() and m.sent_at]
    return min(sent, default=None)


def _ask(ctx: Context, by: Person, record: Record) -> Reply:
    """The next sentence says what changes."""
    name = ctx.tx.people.get(record.subject).name
    refusal = refusal_to_change(ctx, by, record)
    late = refusal in _LATE
    if refusal and not late:
        return Reply(says=SorryText(refusal, name))
    ctx.tx.sentences.put(Started(by.id, record.id, "", ctx.now + ctx.policy.words_within), ctx.now)
    return Reply(says=NoteText(Note.ASK_ADDITION if late else Note.ASK_EDIT, name))


def _reworded(record: Record, words: str) -> Record:
    content = _content(words)
    named = [element for element, names in _NAMED.items() if re.search(rf"(?:{names})", words[: words.find(content)] or "")]
    if len(named) == 1:
        return with_words(record, {named[0]: content})
    read = sentence.read(content)
    told = {}
    for element in Element:
        span = getattr(read, element.value).span
        if span is not None:
            told[element] = content[span.start : span.end].strip(_QUOTES + "，,；;")
    return with_words(record, told)


def with_words(record: Record, told: Mapping[Element, str]) -> Record:
    """The record with these elements said anew; what `told` leaves out, or empty, stays."""
    return replace(
        record,
        scene=told.get(Element.SCENE) or record.scene,
        action=told.get(Element.ACTION) or record.action,
        impact=told.get(Element.IMPACT) or record.impact,
    )


def _content(words: str) -> str:
    """The new words themselves, without the instruction before them."""
    found = _NEW_WORDS.search(words)
    content = (found["words"] or found["told"]) if found else words
    return content.strip(_QUOTES) or words
