"""Counted events come in (B1), from a file or over HTTP: all of them, or none and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.context import Context
from rules.counts import CountedEvent, Problem, read_events
from rules.digests import Fact
from rules.people import Person
from rules.value import Source, event_key
from storage.conflict import Conflict
from storage.ledger import Count

_API = "api"  # what stands in the inbox where events of a platform have its name


@dataclass(frozen=True)
class Taken:
    """How many events were new, and how many had come before."""

    new: int
    known: int


def take_in(ctx: Context, rows: Sequence[Mapping[str, object]]) -> Taken | tuple[Problem, ...]:
    """Take in what systems counted (the fields are those of `rules/counts.py`). With a problem in any row nothing is taken in. An event
    that came before changes nothing; one that came with other values is a problem: what was counted wrong is contested and struck."""
    counts = _counts(ctx, rows)
    if isinstance(counts, tuple):
        return counts
    new = sum(ctx.tx.ledger.count(count) for count in counts.values())
    return Taken(new, len(rows) - new)


def take_in_once(ctx: Context, rows: Sequence[Mapping[str, object]], key: str, body: str) -> Taken | tuple[Problem, ...] | None:
    """The same for a request with a key of its own, which is answered only once: again, it is told the same. `body` is a digest of what
    was sent. None when the key came before with another body."""
    before = ctx.tx.inbox.answer(_API, key)
    if before is not None:
        return Taken(before["new"], before["known"]) if before["body"] == body else None
    taken = take_in(ctx, rows)
    if isinstance(taken, Taken):
        if not ctx.tx.inbox.first_time(_API, key, "counts", ctx.now):
            raise Conflict("counts")  # the same request is being dealt with elsewhere
        ctx.tx.inbox.keep_answer(_API, key, {"new": taken.new, "known": taken.known, "body": body})
    return taken


def check(ctx: Context, rows: Sequence[Mapping[str, object]]) -> tuple[Problem, ...]:
    """What is wrong with these rows; nothing is taken in."""
    counts = _counts(ctx, rows)
    return counts if isinstance(counts, tuple) else ()


def _counts(ctx: Context, rows: Sequence[Mapping[str, object]]) -> dict[str, Count] | tuple[Problem, ...]:
    events, problems = read_events(rows, ctx.now)
    return problems or _Reader(ctx, events).counts()


class _Reader:
    """Looks up at once whom and what a list of events names."""

    def __init__(self, ctx: Context, events: Sequence[CountedEvent]) -> None:
        self._ctx, self._events = ctx, events
        self._people: Mapping[str, Person] = ctx.tx.people.by_keys({event.person for event in events})
        records = {event.record for event in events if event.record is not None}
        self._records: Mapping[int, Fact] = {fact.id: fact for fact in ctx.tx.digests.facts(records)} if records else {}
        self._rates = {rate.id for rate in ctx.policy.digests.rates} | set(ctx.policy.digests.consistency or ())
        self._known = dict(ctx.tx.ledger.known({event_key(event.key) for event in events}))

    def counts(self) -> dict[str, Count] | tuple[Problem, ...]:
        """What is to be stored, by key, what is there already included; or what is wrong."""
        problems: list[Problem] = []
        counts: dict[str, Count] = {}
        for number, event in enumerate(self._events):
            wrong = [Problem(number, field, expected) for field, expected in self._wrong(event)]
            if not wrong:
                count = self._count(event)
                if not _same(count, counts.setdefault(count.key, self._known.get(count.key, count))):
                    wrong = [Problem(number, "key", "an event of its own: one with this key came before, with other values")]
            problems += wrong
        return tuple(problems) or counts

    def _wrong(self, event: CountedEvent) -> Iterator[tuple[str, str]]:
        person = self._people.get(event.person)
        if person is None:
            yield "person", "the key of somebody in the directory"
        if event.rate not in self._rates:
            yield "rate", f"an id of digests.rates or digests.consistency: {', '.join(sorted(self._rates)) or 'there is none'}"
        if event.record is not None and (
            event.record not in self._records or self._records[event.record].subject != getattr(person, "id", 0)
        ):
            yield "record", "the number of a feedback about this person that still stands"

    def _count(self, event: CountedEvent) -> Count:
        return Count(
            key=event_key(event.key),
            person=self._people[event.person].id,
            record=event.record,
            rate=event.rate,
            count=event.count,
            source=Source.EVENT,
            by=None,
            at=event.at,
            overlap=event_key(event.overlap),
            taken_at=self._ctx.now,
            system=event.system,
        )


def _same(count: Count, known: Count) -> bool:
    return replace(count, taken_at=known.taken_at) == known
