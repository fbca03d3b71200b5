"""What behaviour was worth (B1): counts × rates = entries of a ledger that is only ever added to.

A count comes from counted events, else from what a person stated; a rate comes from config, in versions with an owner. Where either is
missing there is no entry, and the action stands without a number. One thing that was achieved is counted once, whoever claims it and in
whatever week: claims carry an overlap key, and the first one has it. What changes afterwards (withdrawn, disputed, a corrected rate)
is a reversing entry in the week that is open then; a published week stays as people read it.

One rounding rule: each entry is rounded to the fen, half up, and totals are sums of entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from rules.messages import PersonId
from rules.weeks import Week

COUNT_PLACES = Decimal("0.001")  # counts are kept to the thousandth: 2.5 hours


class Grade(StrEnum):
    """How sure a figure is, the best first."""

    MEASURED = "measured"  # 实测: the source system counted it
    DECLARED = "declared"  # 申报: a person said so
    ESTIMATED = "estimated"  # 估算: the rate is a range


class Source(StrEnum):
    """Where a count comes from."""

    EVENT = "event"
    STATED = "stated"


class Reason(StrEnum):
    """Why an entry was reversed."""

    WITHDRAWN = "withdrawn"  # what it rests on no longer stands: taken back, disputed
    CHANGED = "changed"  # another count, another person
    RATE = "rate"  # the rate was corrected
    CONTESTED = "contested"  # the HRBP struck it


@dataclass(frozen=True)
class Rate:
    """What one `unit` of something is worth, in fen, in one version. `low_fen` and `high_fen` differ for estimates only. Valid on local
    days from `valid_from` to `valid_until`, both included. A sentence means this rate when it has one of `words` with the number."""

    id: str
    version: int
    name: str
    unit: str
    low_fen: int
    high_fen: int
    owner: str
    grade: Grade
    valid_from: date
    valid_until: date | None = None
    words: tuple[str, ...] = ()

    def valid_on(self, day: date) -> bool:
        """Whether it holds on a local day."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True)
class Money:
    """An amount in fen, as a range; both ends are equal unless something in it is an estimate."""

    low_fen: int = 0
    high_fen: int = 0

    def __add__(self, other: Money) -> Money:
        return Money(self.low_fen + other.low_fen, self.high_fen + other.high_fen)

    def __neg__(self) -> Money:
        return Money(-self.low_fen, -self.high_fen)

    def __bool__(self) -> bool:
        return self != Money()


@dataclass(frozen=True)
class Claim:
    """Something was achieved `count` times on the local day `on`, thanks to `person`. `record` is the feedback it belongs to, None for
    an event of its own. Two claims with the same `overlap` are the same achievement. `words` is what the count was read from."""

    person: PersonId
    record: int | None
    rate: str
    count: Decimal
    source: Source
    on: date
    overlap: str
    words: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; never changed. `each` is the rate at the time, `amount` the product. A reversing entry has the negative
    count and amount of the one it `reverses`. `id` is 0 until it is stored."""

    person: PersonId
    week: Week
    record: int | None
    rate: str
    version: int
    count: Decimal
    each: Money
    amount: Money
    grade: Grade
    source: Source
    on: date
    overlap: str
    words: str = ""
    reverses: int | None = None
    reason: Reason | None = None
    id: int = 0


def rate_on(rates: Iterable[Rate], id: str, day: date) -> Rate | None:
    """The version of a rate that holds on a local day, the newest where several do."""
    valid = [rate for rate in rates if rate.id == id and rate.valid_on(day)]
    return max(valid, key=lambda rate: rate.version, default=None)


def price(count: Decimal, rate: Rate) -> Money:
    """`count` units at this rate, each end rounded to the fen, half up."""
    return Money(_fen(count * rate.low_fen), _fen(count * rate.high_fen))


def book(claim: Claim, rates: Iterable[Rate], week: Week) -> Entry | None:
    """The entry that a claim makes in `week`; None where no rate holds on its day, or there is nothing to count."""
    rate = rate_on(rates, claim.rate, claim.on)
    if rate is None or claim.count <= 0:
        return None
    return Entry(
        person=claim.person,
        week=week,
        record=claim.record,
        rate=rate.id,
        version=rate.version,
        count=claim.count,
        each=Money(rate.low_fen, rate.high_fen),
        amount=price(claim.count, rate),
        grade=_weaker(rate.grade, claim.source),
        source=claim.source,
        on=claim.on,
        overlap=claim.overlap,
        words=claim.words,
    )


def reverse(entry: Entry, week: Week, reason: Reason) -> Entry:
    """The entry of `week` that takes another one back."""
    return replace(entry, week=week, count=-entry.count, amount=-entry.amount, reverses=entry.id, reason=reason, id=0)


def settle(
    claims: Sequence[Claim], standing: Sequence[Entry], rates: Sequence[Rate], week: Week, taken: Collection[str] = ()
) -> tuple[Entry, ...]:
    """What to add to the ledger in `week`, so that what stands is what is claimed now: reversals first, then new entries.

    `standing` are the unreversed entries to be looked at again: one whose claim is gone or different is reversed. `claims` are those of
    their records and whatever is new; of several with one overlap key the one that has it keeps it, else the first gets it. `taken` are
    the keys that anybody has, those the HRBP struck among them: nobody else gets them. Doing it twice adds nothing.
    """
    wanted = _wanted(claims, {entry.overlap: (entry.person, entry.record) for entry in standing}, rates, week)
    reversed_: list[Entry] = []
    kept: set[str] = set()
    for entry in standing:
        now = wanted.get(entry.overlap)
        if now is not None and _same(entry, now):
            kept.add(entry.overlap)
        else:
            reversed_.append(reverse(entry, week, _why(entry, now)))
    freed = {entry.overlap for entry in reversed_}
    booked = [e for key, e in wanted.items() if key not in kept and (key in freed or key not in taken)]
    return (*reversed_, *booked)


def total(entries: Iterable[Entry]) -> Money:
    """The sum of entries."""
    return sum((entry.amount for entry in entries), Money())


def together(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries as lines to read, in order: what systems counted of one rate, each for no record, is one line, their counts and amounts
    summed, with id 0 because it stands for several."""
    alike: dict[object, list[Entry]] = {}
    for entry in entries:
        own = (entry.rate, entry.version, entry.each, entry.grade)
        alike.setdefault(own if entry.record is None else entry.id, []).append(entry)
    return tuple(_summed(line) if len(line) > 1 else line[0] for line in alike.values())


def stated_key(rate: str, on: date, by: PersonId, words: str) -> str:
    """The overlap key of a stated count: one person saying the same words about the same day means the same thing, about whomever and
    in whatever week he says it."""
    return f"said:{rate}:{on.isoformat()}:{by}:{words}"[:190]


def event_key(event: str) -> str:
    """The overlap key of a counted event: it happened once."""
    return f"event:{event}"[:190]


def _summed(line: Sequence[Entry]) -> Entry:
    return replace(line[0], id=0, count=sum((entry.count for entry in line), Decimal()), amount=total(line))


def _wanted(
    claims: Sequence[Claim], holders: Mapping[str, tuple[PersonId, int | None]], rates: Sequence[Rate], week: Week
) -> dict[str, Entry]:
    wanted: dict[str, Entry] = {}
    for claim in claims:
        holds = holders.get(claim.overlap) == (claim.person, claim.record)
        entry = book(claim, rates, week) if holds or claim.overlap not in wanted else None
        if entry is not None:
            wanted[claim.overlap] = entry
    return wanted


def _fen(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _weaker(grade: Grade, source: Source) -> Grade:
    return Grade.DECLARED if grade is Grade.MEASURED and source is Source.STATED else grade


def _same(entry: Entry, now: Entry) -> bool:
    facts = ("person", "record", "rate", "version", "count", "each", "grade", "source")
    return all(getattr(entry, fact) == getattr(now, fact) for fact in facts)


def _why(entry: Entry, now: Entry | None) -> Reason:
    if now is None:
        return Reason.WITHDRAWN
    same_thing = (entry.person, entry.count, entry.rate) == (now.person, now.count, now.rate)
    return Reason.RATE if same_thing and (entry.version, entry.each) != (now.version, now.each) else Reason.CHANGED
