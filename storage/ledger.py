"""The value ledger (B1): counts that people and systems state, entries that are only ever added, and what is contested in them.

`achievements` says which entry has an overlap key now; its primary key is what keeps one saved return from counting twice. A reversal
frees the key, except when the HRBP struck the entry: then nobody gets it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update

from rules.messages import PersonId
from rules.value import COUNT_PLACES, Entry, Grade, Money, Rate, Reason, Source
from rules.weeks import Week
from storage.conflict import Conflict
from storage.tables import achievements, contests, counts, feedback, in_state, ledger
from storage.upsert import insert_new
from storage.work import Work


@dataclass(frozen=True)
class Count:
    """How many, as a system counted or a person stated on a page. `key` is unique; for events it is their overlap key. `record` is None
    for an event of its own, `by` for what a system counted."""

    key: str
    person: PersonId
    record: int | None
    rate: str
    count: Decimal
    source: Source
    by: PersonId | None
    at: datetime


class ContestState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"  # the figure is right
    STRUCK = "struck"  # it was taken back


@dataclass(frozen=True)
class Contest:
    """A figure that its person does not believe. `chain` are those who may settle it, in order; `asked` is how many of them have heard
    of it. At `due_at` the next one hears."""

    entry: int
    person: PersonId
    state: ContestState
    opened_at: datetime
    due_at: datetime | None
    chain: tuple[PersonId, ...]
    asked: int
    settled_at: datetime | None = None
    settled_by: PersonId | None = None


class LedgerTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    # -- counts ----------------------------------------------------------------------------------------------------------------

    def count(self, count: Count) -> bool:
        """Take in a count. False when one with its key is there already."""
        row = {
            "key": count.key,
            "person": count.person,
            "record": count.record,
            "rate": count.rate,
            "thousandths": _thousandths(count.count),
            "source": count.source.value,
            "by": count.by,
            "at": count.at,
        }
        return insert_new(self._work, counts, row)

    def counts_of(self, people: Collection[PersonId]) -> Mapping[int, Count]:
        """What was counted for records about these people, by record: the latest, and a system's count before a person's."""
        found: dict[int, Count] = {}
        theirs = counts.c.person.in_(people) & counts.c.record.is_not(None)
        for row in self._work.execute(select(counts).where(theirs).order_by(counts.c.id)):
            before = found.get(row.record)
            if before is None or before.source is not Source.EVENT or row.source == Source.EVENT.value:
                found[row.record] = _count(row)
        return found

    def counted_since(self, people: Collection[PersonId], since: datetime, until: datetime) -> tuple[Count, ...]:
        """What was counted for these people from `since` until `until`, oldest first."""
        inside = (counts.c.at >= since) & (counts.c.at < until)
        query = select(counts).where(counts.c.person.in_(people), inside).order_by(counts.c.id)
        return tuple(_count(row) for row in self._work.execute(query))

    def events(self, keys: Collection[str]) -> tuple[Count, ...]:
        """The counted events with these keys."""
        return tuple(_count(row) for row in self._work.execute(select(counts).where(counts.c.key.in_(keys))))

    # -- entries ---------------------------------------------------------------------------------------------------------------

    def to_review(
        self, people: Collection[PersonId], since: datetime, rates: Sequence[Rate], records: Collection[int]
    ) -> tuple[Entry, ...]:
        """Unreversed entries of these people that may not be right any more: booked since then, of these records, or whose record or
        rate has changed."""
        joined = ledger.join(achievements, achievements.c.entry == ledger.c.id).outerjoin(feedback, feedback.c.id == ledger.c.record)
        doubtful = or_(
            ledger.c.at >= since,
            ledger.c.record.in_(records),
            feedback.c.version != ledger.c.seen,
            *(_priced_otherwise(rate) for rate in rates),
        )
        query = select(ledger).select_from(joined).where(achievements.c.person.in_(people), achievements.c.struck.is_(False), doubtful)
        return tuple(_entry(row) for row in self._work.execute(query.order_by(ledger.c.id)))

    def taken(self, keys: Collection[str]) -> frozenset[str]:
        """Which of these overlap keys somebody has, struck ones included."""
        query = select(achievements.c.overlap).where(achievements.c.overlap.in_(keys))
        return frozenset(self._work.execute(query).scalars())

    def add(self, entries: Sequence[Entry], seen: Mapping[int, int], now: datetime) -> tuple[int, ...]:
        """Append entries; their ids, in order. `seen` are the versions of their records. Raises Conflict when one reverses an entry
        that was reversed meanwhile, and IntegrityError when somebody else has an overlap key."""
        if not entries:
            return ()
        for entry in entries:
            if entry.reverses is not None:
                self._release(entry)
        rows = [_row(entry, seen, now) for entry in entries]
        adding = insert(ledger).returning(ledger.c.id, sort_by_parameter_order=True)
        ids = tuple(self._work.execute(adding, rows).scalars())
        new = [
            {"overlap": entry.overlap, "entry": id, "person": entry.person, "struck": False}
            for entry, id in zip(entries, ids, strict=True)
            if entry.reverses is None
        ]
        if new:
            self._work.execute(insert(achievements), new)
        return ids

    def get(self, id: int) -> Entry:
        """One entry. Raises NoResultFound when there is none."""
        return _entry(self._work.execute(select(ledger).where(ledger.c.id == id)).one())

    def find(self, id: int) -> Entry | None:
        """One entry, or None when there is none."""
        row = self._work.execute(select(ledger).where(ledger.c.id == id)).one_or_none()
        return _entry(row) if row else None

    def stands(self, id: int) -> bool:
        """Whether this entry has not been reversed."""
        return self._work.execute(select(ledger.c.id).where(ledger.c.reverses == id)).one_or_none() is None

    def of(self, people: Collection[PersonId], week: Week) -> Mapping[PersonId, tuple[Entry, ...]]:
        """All entries of these people in a week, oldest first, reversing ones included; people without any are left out."""
        query = select(ledger).where(ledger.c.person.in_(people), ledger.c.week == str(week)).order_by(ledger.c.id)
        found: dict[PersonId, list[Entry]] = defaultdict(list)
        for row in self._work.execute(query):
            found[row.person].append(_entry(row))
        return {person: tuple(entries) for person, entries in found.items()}

    def sum(self, people: Collection[PersonId] | None, week: Week) -> Money:
        """The sum of a week's entries of these people; of everybody when None."""
        low, high = func.coalesce(func.sum(ledger.c.low_fen), 0), func.coalesce(func.sum(ledger.c.high_fen), 0)
        query = select(low, high).where(ledger.c.week == str(week))
        row = self._work.execute(query.where(ledger.c.person.in_(people)) if people is not None else query).one()
        return Money(int(row[0]), int(row[1]))

    # -- contests --------------------------------------------------------------------------------------------------------------

    def contest(self, contest: Contest) -> bool:
        """Open a contest. False when this entry was contested before."""
        row = {
            "entry": contest.entry,
            "person": contest.person,
            "state": contest.state.value,
            "opened_at": contest.opened_at,
            "due_at": contest.due_at,
            "chain": list(contest.chain),
            "asked": contest.asked,
        }
        return insert_new(self._work, contests, row)

    def contest_of(self, entry: int) -> Contest | None:
        """The contest about an entry."""
        row = self._work.execute(select(contests).where(contests.c.entry == entry)).one_or_none()
        return _contest(row) if row else None

    def contests_of(self, entries: Collection[int]) -> Mapping[int, Contest]:
        """The contests about these entries, by entry."""
        rows = self._work.execute(select(contests).where(contests.c.entry.in_(entries)))
        return {row.entry: _contest(row) for row in rows}

    def next_contest(self, now: datetime) -> Contest | None:
        """A contest whose next in the chain is to hear of it, locked against other workers."""
        query = select(contests).where(in_state(contests, ContestState.OPEN), contests.c.due_at <= now)
        row = self._work.execute(query.order_by(contests.c.due_at).limit(1).with_for_update(skip_locked=True)).one_or_none()
        return _contest(row) if row else None

    def apply(self, contest: Contest, asked_before: int) -> None:
        """Store what became of an open contest. Raises Conflict when somebody was faster; `asked_before` is how it was read."""
        this = (contests.c.entry == contest.entry) & in_state(contests, ContestState.OPEN) & (contests.c.asked == asked_before)
        row = {
            "state": contest.state.value,
            "due_at": contest.due_at,
            "asked": contest.asked,
            "settled_at": contest.settled_at,
            "settled_by": contest.settled_by,
        }
        if self._work.execute(update(contests).where(this).values(**row)).rowcount != 1:
            raise Conflict(f"contest {contest.entry}")

    def _release(self, entry: Entry) -> None:
        this = (achievements.c.entry == entry.reverses) & achievements.c.struck.is_(False)
        if entry.reason is Reason.CONTESTED:
            done = self._work.execute(update(achievements).where(this).values(struck=True))
        else:
            done = self._work.execute(delete(achievements).where(this))
        if done.rowcount != 1:
            raise Conflict(f"ledger {entry.reverses}")


def _priced_otherwise(rate: Rate) -> ColumnElement[bool]:
    this = and_(ledger.c.rate == rate.id, ledger.c.version == rate.version)
    return and_(this, or_(ledger.c.each_low_fen != rate.low_fen, ledger.c.each_high_fen != rate.high_fen))


def _thousandths(count: Decimal) -> int:
    return int(count.quantize(COUNT_PLACES) * 1000)


def _counted(thousandths: int) -> Decimal:
    return Decimal(thousandths) / 1000


def _row(entry: Entry, seen: Mapping[int, int], now: datetime) -> dict[str, Any]:
    return {
        "person": entry.person,
        "week": str(entry.week),
        "record": entry.record,
        "seen": seen.get(entry.record) if entry.record is not None else None,
        "rate": entry.rate,
        "version": entry.version,
        "thousandths": _thousandths(entry.count),
        "each_low_fen": entry.each.low_fen,
        "each_high_fen": entry.each.high_fen,
        "low_fen": entry.amount.low_fen,
        "high_fen": entry.amount.high_fen,
        "grade": entry.grade.value,
        "source": entry.source.value,
        "on": entry.on,
        "overlap": entry.overlap,
        "words": entry.words,
        "reverses": entry.reverses,
        "reason": entry.reason.value if entry.reason else None,
        "at": now,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        person=row.person,
        week=Week.read(row.week),
        record=row.record,
        rate=row.rate,
        version=row.version,
        count=_counted(row.thousandths),
        each=Money(row.each_low_fen, row.each_high_fen),
        amount=Money(row.low_fen, row.high_fen),
        grade=Grade(row.grade),
        source=Source(row.source),
        on=row.on,
        overlap=row.overlap,
        words=row.words,
        reverses=row.reverses,
        reason=Reason(row.reason) if row.reason else None,
        id=row.id,
    )


def _count(row: Row[Any]) -> Count:
    return Count(row.key, row.person, row.record, row.rate, _counted(row.thousandths), Source(row.source), row.by, row.at)


def _contest(row: Row[Any]) -> Contest:
    return Contest(
        entry=row.entry,
        person=row.person,
        state=ContestState(row.state),
        opened_at=row.opened_at,
        due_at=row.due_at,
        chain=tuple(row.chain),
        asked=row.asked,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
    )
