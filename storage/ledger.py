"""The value ledger (B1): counts that people and systems state, entries that are only ever added, and what is contested in them.

`achievements` says which entry has an overlap key now; its primary key is what keeps one saved return from counting twice. A reversal
frees the key, except when the HRBP struck the entry: then nobody gets it again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, true, update

from rules.messages import PersonId
from rules.value import COUNT_PLACES, Entry, Grade, Money, Rate, Reason, Source
from rules.weeks import Week
from storage.conflict import Conflict
from storage.tables import achievements, contests, counts, feedback, in_state, ledger, people
from storage.upsert import insert_new
from storage.work import Prepared, Work


@dataclass(frozen=True)
class Count:
    """How many, as a system counted or a person stated on a page. `key` is unique; counts with the same `overlap` are the same
    achievement. `record` is None for an event of its own, `by` for what a system counted. `at` is when it happened, `taken_at` when we
    heard of it."""

    key: str
    person: PersonId
    record: int | None
    rate: str
    count: Decimal
    source: Source
    by: PersonId | None
    at: datetime
    overlap: str
    taken_at: datetime
    system: str = ""


_ADD = Prepared(insert(ledger), tuple(ledger.c.keys()))
_HOLD = Prepared(insert(achievements), tuple(achievements.c.keys()))


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
        return insert_new(self._work, counts, _count_row(count))

    def known(self, keys: Collection[str]) -> Mapping[str, Count]:
        """Which counts with these keys are there, by key."""
        return {row.key: _count(row) for row in self._work.execute(select(counts).where(counts.c.key.in_(keys)))}

    def counts_of(self, persons: Collection[PersonId]) -> Mapping[int, tuple[Count, ...]]:
        """What was counted for records about these people, by record: of each rate all that systems counted, else what a person stated
        last."""
        found: dict[int, dict[str, list[Count]]] = defaultdict(lambda: defaultdict(list))
        theirs = counts.c.person.in_(persons) & counts.c.record.is_not(None)
        for row in self._work.execute(select(counts).where(theirs).order_by(counts.c.id)):
            of_rate, count = found[row.record][row.rate], _count(row)
            if count.source is Source.EVENT:
                of_rate[:] = [*(known for known in of_rate if known.source is Source.EVENT), count]
            elif not of_rate or of_rate[-1].source is not Source.EVENT:
                of_rate[:] = [count]
        return {record: tuple(count for of_rate in rates.values() for count in of_rate) for record, rates in found.items()}

    def counted_since(self, persons: Collection[PersonId], since: datetime, until: datetime) -> tuple[Count, ...]:
        """What was counted for these people and happened before `until`: from `since` on, or heard of since then; in the order in
        which we heard of it."""
        lately = or_(counts.c.at >= since, counts.c.taken_at >= since)
        query = select(counts).where(counts.c.person.in_(persons), counts.c.at < until, lately).order_by(counts.c.id)
        return tuple(_count(row) for row in self._work.execute(query))

    def events(self, persons: Collection[PersonId], overlaps: Collection[str]) -> tuple[Count, ...]:
        """What systems counted for these people with these overlap keys, in the order in which we heard of it."""
        if not overlaps:
            return ()
        these = counts.c.overlap.in_(overlaps) & counts.c.person.in_(persons) & (counts.c.source == Source.EVENT.value)
        return tuple(_count(row) for row in self._work.execute(select(counts).where(these).order_by(counts.c.id)))

    def tally(self, kinds: Collection[str], hrbp: PersonId | None, since: datetime, until: datetime) -> Mapping[str, int]:
        """How much of each of these systems counted from `since` until `until` for those an HRBP is in charge of (everybody when None),
        in whole units; the same achievement once."""
        query = select(counts.c.rate, func.max(counts.c.thousandths).label("most")).where(
            counts.c.rate.in_(kinds), counts.c.source == Source.EVENT.value, counts.c.at >= since, counts.c.at < until
        )
        if hrbp is not None:
            query = query.where(counts.c.person.in_(select(people.c.id).where(people.c.hrbp == hrbp)))
        each = query.group_by(counts.c.rate, counts.c.overlap).subquery()
        rows = self._work.execute(select(each.c.rate, func.sum(each.c.most)).group_by(each.c.rate))
        return {rate: int(sum_) // 1000 for rate, sum_ in rows}

    def origins(self, overlaps: Collection[str]) -> Mapping[str, str]:
        """What counted these, as people read it, by overlap key; the first to tell us of each."""
        these = counts.c.overlap.in_(overlaps) & (counts.c.source == Source.EVENT.value)
        rows = self._work.execute(select(counts.c.overlap, counts.c.system).where(these).order_by(counts.c.id.desc()))
        return {row.overlap: row.system for row in rows}

    # -- entries ---------------------------------------------------------------------------------------------------------------

    def to_review(
        self, persons: Collection[PersonId], since: datetime, rates: Sequence[Rate], records: Collection[int]
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
        query = select(ledger).select_from(joined).where(achievements.c.person.in_(persons), achievements.c.struck.is_(False), doubtful)
        return tuple(_entry(row) for row in self._work.execute(query.order_by(ledger.c.id)))

    def taken(self, keys: Collection[str]) -> frozenset[str]:
        """Which of these overlap keys somebody has, struck ones included."""
        query = select(achievements.c.overlap).where(achievements.c.overlap.in_(keys))
        return frozenset(self._work.execute(query).scalars())

    def add(self, entries: Sequence[Entry], seen: Mapping[int, int], now: datetime) -> tuple[Entry, ...]:
        """Append entries; them with their ids, in order. `seen` are the versions of their records. Raises Conflict when one reverses an
        entry that was reversed meanwhile, and IntegrityError when somebody else has an overlap key."""
        if not entries:
            return ()
        for entry in entries:
            if entry.reverses is not None:
                self._release(entry)
        added = tuple(replace(entry, id=id) for entry, id in zip(entries, self._work.new_ids(ledger, len(entries)), strict=True))
        self._work.run_all(_ADD, [_row(entry, seen, now) for entry in added])
        held = [
            {"overlap": entry.overlap, "entry": entry.id, "person": entry.person, "struck": False}
            for entry in added
            if entry.reverses is None
        ]
        if held:
            self._work.run_all(_HOLD, held)
        return added

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

    def of(self, persons: Collection[PersonId], week: Week) -> Mapping[PersonId, tuple[Entry, ...]]:
        """All entries of these people in a week, oldest first, reversing ones included; people without any are left out."""
        query = select(ledger).where(ledger.c.person.in_(persons), ledger.c.week == str(week)).order_by(ledger.c.id)
        found: dict[PersonId, list[Entry]] = defaultdict(list)
        for row in self._work.execute(query).all():
            found[row.person].append(_entry(row))
        return {person: tuple(entries) for person, entries in found.items()}

    def sum_under(self, hrbp: PersonId, week: Week) -> Money:
        """The sum of a week's entries of those who work here and whose HRBP this is."""
        return self._sum(ledger.c.person.in_(select(people.c.id).where(people.c.hrbp == hrbp, people.c.left_at.is_(None))), week)

    def sum(self, persons: Collection[PersonId] | None, week: Week) -> Money:
        """The sum of a week's entries of these people; of everybody when None."""
        return self._sum(ledger.c.person.in_(persons) if persons is not None else true(), week)

    def _sum(self, whose: ColumnElement[bool], week: Week) -> Money:
        low, high = func.coalesce(func.sum(ledger.c.low_fen), 0), func.coalesce(func.sum(ledger.c.high_fen), 0)
        row = self._work.execute(select(low, high).where(ledger.c.week == str(week), whose)).one()
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
        "id": entry.id,
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


def _count_row(count: Count) -> dict[str, Any]:
    return {
        "key": count.key,
        "overlap": count.overlap,
        "person": count.person,
        "record": count.record,
        "rate": count.rate,
        "thousandths": _thousandths(count.count),
        "source": count.source.value,
        "system": count.system,
        "by": count.by,
        "at": count.at,
        "taken_at": count.taken_at,
    }


def _count(row: Row[Any]) -> Count:
    return Count(
        key=row.key,
        person=row.person,
        record=row.record,
        rate=row.rate,
        count=_counted(row.thousandths),
        source=Source(row.source),
        by=row.by,
        at=row.at,
        overlap=row.overlap,
        taken_at=row.taken_at,
        system=row.system,
    )


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
