"""One sentence about several people (A3): one draft and one card for its author; when it is sent, a record for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from handlers import feedback
from handlers.context import Context
from handlers.views import about
from rules.events import Platform
from rules.feedback import Record
from rules.people import Person
from storage.feedback import Draft


def subjects_of(ctx: Context, draft: Record) -> tuple[Person, ...]:
    """Everybody a draft is about, in the order in which they were named; its own subject is the first."""
    ids = (draft.subject, *(companion.person for companion in ctx.tx.companions.of(draft.id)))
    people = ctx.tx.people.some(ids)
    return tuple(people[id] for id in ids)


def called(people: Iterable[Person]) -> str:
    """Their names, as one."""
    return "、".join(person.name for person in people)


def open_others(ctx: Context, sent: Record, by: Person, platform: Platform) -> None:
    """A draft was sent: everybody else it is about gets a record of his own, with a clock of its own."""
    for record in _own_records(ctx, sent, platform):
        feedback.open_record(ctx, record, by)


def keep_others(ctx: Context, note: Record, by: Person, platform: Platform) -> None:
    """A draft was kept as a note: one about each."""
    for record in _own_records(ctx, note, platform):
        ctx.tx.feedback.apply(record)
        ctx.tx.history.note(about(record.id), "noted", ctx.now, by=by.id)


def _own_records(ctx: Context, done: Record, platform: Platform) -> Iterator[Record]:
    """For each companion of `done` a record like it, with the pictures that were sent for it. It is the caller's to store what became
    of it."""
    written = ctx.tx.sentences.of(done.id)
    for companion in ctx.tx.companions.of(done.id):
        draft = Draft(
            author=done.author,
            subject=companion.person,
            occasion="",
            offered=(),
            created_at=done.created_at,
            expires_at=done.expires_at,
            source="chat",
            platform=platform,
        )
        id = ctx.tx.feedback.open_draft(draft)
        ctx.tx.companions.got(done.id, companion.person, id)
        ctx.tx.evidence.copy(done.id, id)
        ctx.tx.history.note(about(id), "written", ctx.now, by=done.author, words=written.text if written else None)
        yield replace(done, id=id, version=0, subject=companion.person)
