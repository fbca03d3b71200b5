"""Pictures for records (A5): one came in, its record opened, it was fetched or could not be."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cards.catalog import PictureFailed, PictureNoted, SorryText
from handlers.context import Context, Reply, Talk
from handlers.views import about, redraw
from rules import evidence
from rules.evidence import LATE, Evidence, Part, Place, Problem, Wanted
from rules.feedback import Record, Refusal, State
from rules.messages import PersonId, Urgency
from storage.evidence import Kept, Sent


@dataclass(frozen=True)
class Claim:
    """A file that `owner` is fetching."""

    item: Evidence
    owner: str


def place_of(talk: Talk, ctx: Context) -> Place | None:
    """The record that a picture from this person belongs to now."""
    since = ctx.now - max(LATE, ctx.policy.evidence.after)
    records = ctx.tx.feedback.concerning(talk.by.id, since)
    illustrated = ctx.tx.evidence.illustrated([record.id for record in records])
    return evidence.place(talk.by.id, records, ctx.now, ctx.policy.evidence, illustrated)


def note(talk: Talk, ctx: Context, media: str, place: Place | None) -> Reply:
    """Note what is to be fetched, and tell the sender where it goes. Without a record it waits for the card that a supervisor may be
    about to fill in; from anybody else it is not kept."""
    policy = ctx.policy.evidence
    if place is None and not ctx.tx.people.reports_of(talk.by.id):
        return Reply(says=SorryText(Refusal.NO_RECORD_AROUND))
    if place is not None and place.part is Part.GIVEN and evidence.wanted(place.record, policy) is Wanted.NONE:
        return Reply(says=SorryText(Refusal.NO_PICTURE_WANTED))
    platform = talk.event.by.platform
    sent = Sent(None, talk.by.id, platform, media, ctx.now, evidence.handle_expires(platform, ctx.now))
    if place is None:
        ctx.tx.evidence.add(sent)
        return Reply(says=PictureNoted(None, wait_minutes=round(policy.before.total_seconds() / 60)))
    records = _illustrated_by(ctx, talk.by.id, place)
    for record in records:
        ctx.tx.evidence.add(replace(sent, feedback=record.id))
        ctx.tx.history.note(about(record.id), "picture_sent", ctx.now, by=talk.by.id)
    return Reply(says=PictureNoted(place.part, _others(ctx, talk.by.id, records)))


def _illustrated_by(ctx: Context, sender: PersonId, place: Place) -> tuple[Record, ...]:
    """The records that a picture is for: all that its author gave in one sentence."""
    if place.part is not Part.GIVEN or place.record.author != sender:
        return (place.record,)
    return tuple(map(ctx.tx.feedback.get, ctx.tx.companions.together(place.record.id)))


def _others(ctx: Context, sender: PersonId, records: tuple[Record, ...]) -> str:
    """The names of the others in these records, of which a draft may be about several."""
    if records[0].author != sender:
        return ctx.tx.people.get(records[0].author).name
    drafted = (companion.person for companion in ctx.tx.companions.of(records[0].id)) if len(records) == 1 else ()
    ids = dict.fromkeys((*(record.subject for record in records), *drafted))
    people = ctx.tx.people.some(ids)
    return "、".join(people[id].name for id in ids)


def on_given(ctx: Context, record: Record) -> None:
    """A record was submitted: what its author sent shortly before belongs to it, unless its kind wants no pictures."""
    policy = ctx.policy.evidence
    sent, loose = ctx.tx.evidence.of_or_loose(record.id, record.author, record.created_at - policy.before)
    if evidence.wanted(record, policy) is Wanted.NONE:
        ctx.tx.evidence.drop([item.id for item in sent])
        return
    for item in loose:
        if evidence.around(record, item.received_at, policy):
            ctx.tx.evidence.attach(item.id, record.id)
            ctx.tx.history.note(about(record.id), "picture_sent", ctx.now, by=record.author)
    if evidence.missing(record, ctx.tx.evidence.of(record.id), policy):
        ctx.tx.history.note(about(record.id), "picture_missing", ctx.now)


def stored(ctx: Context, claim: Claim, kept: Kept) -> None:
    """The file lies in the blobs: the record's cards show it."""
    if ctx.tx.evidence.stored(claim.item.id, claim.owner, kept):
        _tell(ctx, claim.item, "picture_stored")


def failed(ctx: Context, claim: Claim, problem: Problem) -> None:
    """The file will not be kept: its sender hears why and what to do."""
    if not ctx.tx.evidence.failed(claim.item.id, claim.owner, problem):
        return
    key = f"evidence:{claim.item.id}"
    ctx.tx.outbox.add(PictureFailed(problem).to(claim.item.by, key=key, urgency=Urgency.ANSWER), ctx.now)
    _tell(ctx, claim.item, "picture_failed", problem)


def uploaded(ctx: Context, feedback: int, by: PersonId, kept: Kept) -> None:
    """A file that came through a page, and is kept already, belongs to this record. Who may add it is asked by the page."""
    id = ctx.tx.evidence.add_kept(feedback, by, kept, ctx.now)
    item = ctx.tx.evidence.get(id)
    assert item is not None
    _tell(ctx, item, "picture_stored")


def _tell(ctx: Context, item: Evidence, what: str, reason: Problem | None = None) -> None:
    now = ctx.tx.evidence.get(item.id)
    if now is None or now.feedback is None:
        return
    record = ctx.tx.feedback.get(now.feedback)
    ctx.tx.history.note(about(record.id), what, ctx.now, by=item.by, reason=reason)
    if record.state is not State.DRAFT:
        redraw(ctx, record, ctx.tx.loops.get(record.id), sender=item.by)
