"""The value ledger: prices, overlaps, corrections, and random histories against a recomputation of their own."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.value import (
    Claim,
    Entry,
    Grade,
    Money,
    Rate,
    Reason,
    Source,
    book,
    event_key,
    price,
    rate_on,
    reverse,
    settle,
    stated_key,
    total,
)
from rules.weeks import Week

W38, W39 = Week(2026, 38), Week(2026, 39)
DAY = date(2026, 9, 14)
RETURN = Rate("return", 1, "少一次退货往返", "次", 8000, 8000, "财务部", Grade.MEASURED, date(2026, 1, 1))
HOUR = Rate("hour", 1, "省下的工时", "小时", 4550, 6049, "财务部", Grade.ESTIMATED, date(2026, 1, 1))


def a_claim(count: str = "23", *, person: int = 1, record: int = 7, source: Source = Source.STATED, rate: str = "return") -> Claim:
    return Claim(person, record, rate, Decimal(count), source, DAY, stated_key(rate, DAY, person, f"少寄回{count}次"))


def stored(entries: tuple[Entry, ...], first_id: int = 1) -> tuple[Entry, ...]:
    return tuple(replace(entry, id=first_id + n) for n, entry in enumerate(entries))


def test_a_count_times_a_rate_is_the_amount_of_the_formula() -> None:
    (entry,) = settle([a_claim("23")], [], [RETURN], W38)

    assert entry.amount == Money(184_000, 184_000)
    assert (entry.count, entry.each, entry.grade) == (Decimal(23), Money(8000, 8000), Grade.DECLARED)


def test_a_counted_event_keeps_the_grade_of_its_rate() -> None:
    entry = book(replace(a_claim(), source=Source.EVENT), [RETURN], W38)

    assert entry is not None
    assert entry.grade is Grade.MEASURED


def test_each_entry_is_rounded_half_up_to_the_fen_once() -> None:
    assert price(Decimal("2.5"), HOUR) == Money(11_375, 15_123)  # 151.225 yuan
    assert price(Decimal("0.001"), replace(RETURN, low_fen=500, high_fen=500)) == Money(1, 1)
    assert price(Decimal("0.001"), replace(RETURN, low_fen=499, high_fen=499)) == Money(0, 0)


def test_without_a_rate_or_outside_its_days_there_is_no_number() -> None:
    over = replace(RETURN, valid_until=DAY - timedelta(days=1))

    assert settle([a_claim()], [], [], W38) == ()
    assert settle([a_claim()], [], [over], W38) == ()
    assert settle([a_claim("0")], [], [RETURN], W38) == ()


def test_the_day_of_the_fact_picks_the_version_of_the_rate() -> None:
    newer = replace(RETURN, version=2, low_fen=9000, high_fen=9000, valid_from=DAY + timedelta(days=1))

    assert rate_on([RETURN, newer], "return", DAY) == RETURN
    assert rate_on([RETURN, newer], "return", DAY + timedelta(days=1)) == newer


def test_settling_twice_adds_nothing() -> None:
    standing = stored(settle([a_claim()], [], [RETURN], W38))

    assert settle([a_claim()], standing, [RETURN], W39, {a_claim().overlap}) == ()


def test_one_saved_return_counts_for_one_person_and_one_week() -> None:
    mine = a_claim()
    his = replace(mine, person=2, record=8)

    both = settle([mine, his], [], [RETURN], W38)
    later = settle([his], [], [RETURN], W39, {mine.overlap})

    assert [entry.person for entry in both] == [1]
    assert later == ()


def test_who_has_an_achievement_keeps_it_when_somebody_claims_it_too() -> None:
    standing = stored(settle([a_claim()], [], [RETURN], W38))
    earlier = replace(a_claim(), person=2, record=3)

    assert settle([earlier, a_claim()], standing, [RETURN], W39, {earlier.overlap}) == ()


def test_what_was_withdrawn_is_reversed_in_the_week_that_is_open_then() -> None:
    standing = stored(settle([a_claim()], [], [RETURN], W38))

    (back,) = settle([], standing, [RETURN], W39, {a_claim().overlap})

    assert (back.week, back.reverses, back.reason) == (W39, 1, Reason.WITHDRAWN)
    assert total((*standing, back)) == Money()


def test_a_corrected_rate_takes_the_old_entry_back_and_books_a_new_one() -> None:
    standing = stored(settle([a_claim()], [], [RETURN], W38))
    corrected = replace(RETURN, low_fen=7500, high_fen=7500)

    back, again = settle([a_claim()], standing, [corrected], W39, {a_claim().overlap})

    assert (back.reason, back.amount) == (Reason.RATE, Money(-184_000, -184_000))
    assert again.amount == Money(172_500, 172_500)


def test_another_count_of_the_same_thing_is_a_change() -> None:
    standing = stored(settle([a_claim()], [], [RETURN], W38))

    back, _ = settle([replace(a_claim(), count=Decimal(20))], standing, [RETURN], W39, {a_claim().overlap})

    assert back.reason is Reason.CHANGED


def test_what_the_hrbp_struck_is_not_booked_again() -> None:
    assert settle([a_claim()], [], [RETURN], W39, {a_claim().overlap}) == ()


# -- random histories ----------------------------------------------------------------------------------------------------------------


class Company:
    """A random history of claims, edits, withdrawals, corrected rates and strikes, settled once a week as digests are; and the same
    recomputed from ledger rows and from what stands, by other means."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.claims: dict[int, Claim] = {}
        self.ledger: list[Entry] = []
        self.struck: set[str] = set()
        self.rates = {r.id: r for r in (RETURN, HOUR)}
        self.published: dict[tuple[int, Week], Money] = {}

    def live(self) -> list[Entry]:
        gone = {entry.reverses for entry in self.ledger}
        return [e for e in self.ledger if e.reverses is None and e.id not in gone]

    def add(self, entries: tuple[Entry, ...]) -> None:
        self.ledger += stored(entries, len(self.ledger) + 1)

    def happen(self) -> None:
        dice, record = self.random.random(), self.random.randint(1, 6)
        if dice < 0.55:
            key = event_key(str(self.random.randint(1, 8)))
            count = Decimal(self.random.randint(1, 40_000)).scaleb(-3)
            rate = self.random.choice(("return", "hour", "unknown"))
            self.claims[record] = Claim(self.random.randint(1, 3), record, rate, count, Source.STATED, DAY, key)
        elif dice < 0.75:
            self.claims.pop(record, None)
        elif dice < 0.9:
            wrong = self.random.choice((RETURN, HOUR))
            low = self.random.randint(1, 9999)
            high = low if wrong is RETURN else low + self.random.randint(0, 500)
            self.rates[wrong.id] = replace(wrong, low_fen=low, high_fen=high)

    def strike(self, week: Week) -> None:
        live = self.live()
        if live and self.random.random() < 0.2:
            entry = self.random.choice(live)
            self.struck.add(entry.overlap)
            self.add((reverse(entry, week, Reason.CONTESTED),))

    def publish(self, week: Week) -> None:
        live = self.live()
        taken = {entry.overlap for entry in live} | self.struck
        claims = [claim for claim in self.claims.values() if claim.overlap not in self.struck]
        self.add(settle(claims, live, list(self.rates.values()), week, taken))
        for person in (1, 2, 3):
            self.published[person, week] = total(e for e in self.ledger if e.person == person and e.week == week)

    def recomputed(self) -> dict[tuple[int, Week], tuple[Decimal, Decimal]]:
        """What each published week says, from ledger rows alone, in exact decimals."""
        sums: dict[tuple[int, Week], tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
        for e in self.ledger:
            sign = 1 if e.reverses is None else -1
            low, high = (sign * int(abs(e.count) * fen + Decimal("0.5")) for fen in (e.each.low_fen, e.each.high_fen))
            before = sums[e.person, e.week]
            sums[e.person, e.week] = (before[0] + low, before[1] + high)
        return sums


def check_history(seed: int) -> None:
    """Live through six weeks; what was published equals the rows to the fen and never changed, and nothing is counted twice."""
    company = Company(seed)
    for number in range(30, 36):
        week = Week(2026, number)
        for _ in range(company.random.randint(0, 6)):
            company.happen()
        company.strike(week)
        company.publish(week)
        again = len(company.ledger)
        company.publish(week)
        assert len(company.ledger) == again, "settling twice adds nothing"
    rows = company.recomputed()
    for (person, week), money in company.published.items():
        assert (Decimal(money.low_fen), Decimal(money.high_fen)) == rows[person, week], (seed, person, week)
    live = company.live()
    assert len({e.overlap for e in live}) == len(live), "one achievement, one entry"
    assert total(live) == total(company.ledger), "what stands is what was booked less what was taken back"
    wanted = {c.overlap for c in company.claims.values() if c.rate in company.rates} - company.struck
    assert {e.overlap for e in live} == wanted, "what stands is what is claimed"


@settings(max_examples=300, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_in_random_histories_every_published_total_equals_its_rows_to_the_fen(seed: int) -> None:
    check_history(seed)
