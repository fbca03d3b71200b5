"""What people submit on the pages: a feedback, an answer, a picture. The same gate, the same records, the same messages as in chat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from cards.filters import local_day, local_time, tidy
from handlers import changes, evidence, feedback, gate, loops
from handlers.context import Context
from handlers.sentences import NAMES_A_DATE
from handlers.views import about
from handlers.visibility import may_see
from reading import times
from reading.times import Grain
from rules import checkins, forms, sentences
from rules import feedback as rules
from rules.evidence import Wanted, wanted
from rules.feedback import Accepted, Answer, Record, Refusal, Refused, State
from rules.forms import Lack, Written
from rules.people import Person
from rules.sentences import Element, Understood
from rules.weeks import SHANGHAI
from storage.evidence import Kept
from storage.feedback import Draft

_FORMS = "page"  # the name under which the inbox remembers them


@dataclass(frozen=True)
class Given:
    """The feedback was given: its record."""

    feedback: int


@dataclass(frozen=True)
class Lacking:
    """Not yet: what is missing, in the order of the fields."""

    lacks: tuple[Lack, ...]


def give(ctx: Context, author: Person, written: Written, key: str, picture: Kept | None) -> Given | Lacking | Refused:
    """A feedback written on the page. `key` is the form's own: submitted twice, it is one record."""
    lacks = lacking(written, ctx.now)
    return Lacking(lacks) if lacks else _once(ctx, author, written, key, lambda draft: _send(ctx, author, draft, picture))


def keep(ctx: Context, author: Person, written: Written, key: str, picture: Kept | None) -> Given | Lacking | Refused:
    """仍要记下: what the gate turns back becomes a note of the author's own, as in the chat: sent to nobody, counted nowhere. A form is
    one record, whichever of its buttons is pressed how often."""
    lacks = lacking(written, ctx.now)
    if not may_keep(ctx, written, lacks):
        return Lacking(lacks) if lacks else Refused(Refusal.INCOMPLETE)
    return _once(ctx, author, written, key, lambda draft: _note(ctx, author, draft, picture))


def may_keep(ctx: Context, written: Written, lacks: Collection[Lack]) -> bool:
    """Whether this may be kept as a note, by the company's policy and by what it lacks."""
    return ctx.policy.insist and forms.may_keep(written, lacks)


def lacking(written: Written, now: datetime) -> tuple[Lack, ...]:
    """What the gate of the chat misses when it reads the fields one after the other, with the time they are about."""
    texts = {element: getattr(written, element.value) for element in Element}
    return forms.lacking(written, gate.understood(texts, written.when), now)


def answer(ctx: Context, by: Person, feedback_id: int, what: Answer, words: str, picture: Kept | None) -> Refusal | None:
    """The subject's answer, with or without a word and a picture; why not. The same answer once more changes nothing."""
    record = _visible(ctx, by, feedback_id)
    if record is None:
        return Refusal.NO_SUCH_RECORD
    decision = rules.answer(record, what, by.id, ctx.now)
    if isinstance(decision, Refused):
        return None if by.id == record.subject and record.state == what.value else decision.reason
    loops.answer_record(ctx, by, record, what, words or None)
    if picture is not None:
        evidence.uploaded(ctx, record.id, by.id, picture)
    return None


def add_picture(ctx: Context, by: Person, feedback_id: int, picture: Kept) -> Refusal | None:
    """A picture for a record; why not."""
    record = _visible(ctx, by, feedback_id)
    if record is None:
        return Refusal.NO_SUCH_RECORD
    if not forms.may_add_picture(record, by.id, ctx.policy.evidence):
        return Refusal.NO_PICTURE_WANTED
    evidence.uploaded(ctx, record.id, by.id, picture)
    return None


def withdraw(ctx: Context, by: Person, feedback_id: int) -> Refusal | None:
    """The author takes his record back; why not. Once more changes nothing."""
    record = _visible(ctx, by, feedback_id)
    if record is None:
        return Refusal.NO_SUCH_RECORD
    if by.id == record.author and record.state is State.WITHDRAWN:
        return None
    refusal = refusal_to_change(ctx, by, record)
    if refusal is None:
        changes.take_back(ctx, by, record)
    return refusal


def edit(ctx: Context, by: Person, feedback_id: int, texts: Mapping[Element, str]) -> Refusal | Lack | None:
    """The author puts his record into other words; why not. `texts` are all three fields, each on one line as the page shows
    it; the same ones once more change nothing. New words pass the gate like the first ones."""
    record = _visible(ctx, by, feedback_id)
    if record is None:
        return Refusal.NO_SUCH_RECORD
    shown = {element: tidy(getattr(record, element.value)) for element in Element}
    if by.id == record.author and shown == texts:
        return None
    problem = refusal_to_change(ctx, by, record) or forms.lacks_words(shown, texts)
    if problem is not None:
        return problem
    changed = changes.with_words(record, {element: text for element, text in texts.items() if text != shown[element]})
    emptied = gate.emptied(record, changed)
    if emptied:
        return forms.VAGUE[emptied[0]]
    changes.replace_words(ctx, by, record, changed)
    return None


def add_words(ctx: Context, by: Person, feedback_id: int, words: str, key: str) -> Refusal | Lack | None:
    """The author puts a sentence behind his record; why not. `key` is the form's own: submitted twice, it is one addition."""
    record = _visible(ctx, by, feedback_id)
    if record is None:
        return Refusal.NO_SUCH_RECORD
    refusal = forms.may_add_words(record, by.id)
    if refusal:
        return refusal
    if not words or len(words) > forms.LONGEST:
        return Lack.TOO_LONG if words else Lack.ADDITION
    if ctx.tx.inbox.first_time(_FORMS, f"{by.id}:{key}", "form", ctx.now):
        changes.add(ctx, by, record, words)
    return None


def refusal_to_change(ctx: Context, by: Person, record: Record) -> Refusal | None:
    """Why `by` may not take back or reword the record on its page, by the windows of the chat; None when he may."""
    return forms.may_add_words(record, by.id) or changes.refusal_to_change(ctx, by, record)


def _once(ctx: Context, author: Person, written: Written, key: str, become: Callable[[Record], None]) -> Given | Refused:
    """The form's record, made of its draft by `become` the first time, and the same one after that; why not, when it may not be."""
    assert written.subject is not None
    subject = ctx.tx.people.some({written.subject}).get(written.subject)
    refusal = checkins.may_ask(author, subject, ctx.tx.people.upwards_from(subject.supervisor)) if subject else Refusal.UNKNOWN_PERSON
    if refusal:
        return Refused(refusal)
    event = f"{author.id}:{key}"
    if not ctx.tx.inbox.first_time(_FORMS, event, "form", ctx.now):
        return Given(int((ctx.tx.inbox.answer(_FORMS, event) or {})["feedback"]))
    draft = _draft(ctx, author, written)
    become(draft)
    ctx.tx.inbox.keep_answer(_FORMS, event, {"feedback": draft.id})
    return Given(draft.id)


def _draft(ctx: Context, author: Person, written: Written) -> Record:
    assert written.subject is not None
    assert written.when is not None
    expires = ctx.now + ctx.policy.checkin_expires
    draft = Draft(author.id, written.subject, occasion="", offered=(), created_at=ctx.now, expires_at=expires, source="page")
    id = ctx.tx.feedback.open_draft(draft)
    scene, occurred_at = _dated(written.scene, written.when, ctx.now) if written.scene else ("", written.when)
    told = Understood(scene, written.action, written.impact, written.kind, occurred_at)
    return sentences.fill(ctx.tx.feedback.get(id), told)


def _send(ctx: Context, author: Person, draft: Record, picture: Kept | None) -> None:
    assert draft.kind is not None
    decision = sentences.send(draft, draft.kind, author.id, ctx.now, subject_left=False)
    assert isinstance(decision, Accepted), "all that may refuse was asked before"
    if picture is not None:  # before the record opens, which asks whether one is missing, or not wanted
        evidence.uploaded(ctx, draft.id, author.id, picture)
    feedback.open_record(ctx, decision.record, author)


def _note(ctx: Context, author: Person, draft: Record, picture: Kept | None) -> None:
    decision = sentences.keep(draft, author.id, ctx.now, insist=ctx.policy.insist)
    assert isinstance(decision, Accepted), "all that may refuse was asked before"
    if picture is not None and wanted(draft, ctx.policy.evidence) is not Wanted.NONE:
        evidence.uploaded(ctx, draft.id, author.id, picture)
    ctx.tx.feedback.apply(decision.record)
    ctx.tx.history.note(about(draft.id), "noted", ctx.now, by=author.id)


def _dated(scene: str, when: datetime, now: datetime) -> tuple[str, datetime]:
    """The scene with its day, and when that was. A day that the scene names goes before the field, which stands filled in already."""
    mentions = times.find(scene)
    named = next((at for mention in mentions if mention.grain is Grain.DAY and (at := times.resolve(mention, now, SHANGHAI))), None)
    if named is not None:
        return (scene if NAMES_A_DATE.search(scene) else f"{scene}（{local_day(named)}）"), named
    return f"{scene}（{local_day(when) if mentions else local_time(when)}）", when


def _visible(ctx: Context, by: Person, feedback_id: int) -> Record | None:
    record = ctx.tx.feedback.find(feedback_id)
    return record if record is not None and may_see(ctx.tx, by, record, ctx.now) else None
