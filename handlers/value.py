"""The value ledger at work (B1): what was achieved is booked when a week is composed, and a figure that somebody does not believe goes
to the HRBP, on a clock of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from cards.catalog import ContestAnswer, ContestCard, EmployeeDigest, Figure
from handlers.context import Context, Press, Reply
from handlers.feedback import acting_for, chain_for
from reading import counts
from reading.text import normalise
from rules import value
from rules.digests import Fact, Kind, Window, due_at
from rules.feedback import Behaviour, Refusal, State
from rules.feedback import Kind as FeedbackKind
from rules.messages import PersonId, Urgency
from rules.people import Person
from rules.value import Claim, Entry, Rate, Reason, Source
from rules.weeks import SHANGHAI, Week, week_of
from storage.ledger import Contest, ContestState, Count

LATE = timedelta(days=14)  # what is stated later than this after the fact is found by its count alone
_LONGEST_BREAK = 4


def book(
    ctx: Context, people: Collection[PersonId], week: Week, window: Window, facts: Sequence[Fact], told: Mapping[int, str]
) -> tuple[Entry, ...]:
    """Bring the ledger of these people up to date, in `week`; what was added. `facts` are all about them since `LATE` before the
    window, `told` what they wrote about those they improved."""
    rates = ctx.policy.digests.rates
    if not rates:
        return ()
    counted = ctx.tx.ledger.counted_since(people, window.since - LATE, window.until)
    about = {fact.id: fact for fact in facts}
    standing = ctx.tx.ledger.to_review(people, window.since - LATE, rates, {c.record for c in counted if c.record is not None})
    wanted = {entry.record for entry in standing} | {count.record for count in counted}
    older = ctx.tx.digests.facts({id for id in wanted if id is not None and id not in about})
    about |= {fact.id: fact for fact in older}
    told = {**told, **_told(ctx, older)}
    events = {count.key: count for count in counted if count.record is None}
    held = {entry.overlap for entry in standing if entry.record is None} - {event.overlap for event in events.values()}
    events |= {event.key: event for event in ctx.tx.ledger.events(people, held) if event.record is None}
    claims = [*_claims(ctx, tuple(about.values()), rates, told), *map(_of_event, events.values())]
    new = value.settle(claims, standing, rates, week, ctx.tx.ledger.taken({claim.overlap for claim in claims}))
    return ctx.tx.ledger.add(new, {fact.id: fact.version for fact in about.values()}, ctx.now)


def figure(entry: Entry, rates: Sequence[Rate]) -> Figure:
    """An entry as people read it. Its rate has a name as long as config has any version of it."""
    known = next((rate for rate in reversed(rates) if rate.id == entry.rate), None)
    name, unit = (known.name, known.unit) if known else (entry.rate, "")
    return Figure(entry.id, name, f"{entry.count.normalize():f}", unit, entry.each, entry.amount, entry.grade)


def open_week(ctx: Context) -> Week:
    """The week that corrections are booked in now: this one until its digests are due, then the next one that has any."""
    this = week_of(ctx.now)
    for week in (this.back(-n) for n in range(_LONGEST_BREAK)):
        due = due_at(Kind.EMPLOYEE, week, ctx.calendar)
        if due is not None and ctx.now < due:
            return week
    return this.back(-1)


# -- a count on the page -------------------------------------------------------------------------------------------------------------


def countable(ctx: Context, fact: Fact) -> Rate | None:
    """The rate for which the person may still state how many: of a behaviour that stood on the card and has no count yet."""
    if not _stands(fact):
        return None
    boxes = ctx.tx.digests.ticked([fact.id]).get(fact.id, ())
    rate = next(filter(None, (value.rate_on(ctx.policy.digests.rates, box.rate, _day(fact)) for box in boxes if box.rate)), None)
    booked = (
        any(claim.rate == rate.id for claim in _claims(ctx, (fact,), ctx.policy.digests.rates, _told(ctx, (fact,)))) if rate else False
    )
    return None if booked else rate


def state_count(ctx: Context, by: Person, record: int, count: Decimal) -> Refusal | None:
    """The subject says how often it happened; it stands in the next digest. None when it was taken in."""
    fact = next(iter(ctx.tx.digests.facts([record])), None)
    if fact is None or fact.subject != by.id:
        return Refusal.NO_SUCH_RECORD
    rate = countable(ctx, fact)
    if rate is None or not 0 < count <= 1_000_000:
        return Refusal.NO_SUCH_RECORD
    key = f"page:{record}:{rate.id}"
    ctx.tx.ledger.count(Count(key, by.id, record, rate.id, count, Source.STATED, by.id, ctx.now, overlap=key, taken_at=ctx.now))
    return None


# -- contests ------------------------------------------------------------------------------------------------------------------------


def contest(press: Press, ctx: Context) -> Reply:
    """“…不对” on a digest: the HRBP hears of it."""
    shown = EmployeeDigest.from_data(press.card.data)
    entries = [deed.figure.entry for deed in shown.deeds if deed.figure]
    if press.argument.isdecimal() and int(press.argument) in entries:
        contest_entry(ctx, press.by, int(press.argument))
    return Reply(shows=as_contested(ctx, shown))


def as_contested(ctx: Context, shown: EmployeeDigest) -> EmployeeDigest:
    """A digest with what was contested in it since it was sent."""
    entries = [deed.figure.entry for deed in shown.deeds if deed.figure]
    return replace(shown, contested=tuple(sorted(ctx.tx.ledger.contests_of(entries))))


def contest_entry(ctx: Context, by: Person, entry: int) -> Refusal | None:
    """Open a contest about one's own standing entry; a second time changes nothing."""
    found = ctx.tx.ledger.find(entry)
    if found is None or found.person != by.id or found.reverses is not None or not ctx.tx.ledger.stands(entry):
        return Refusal.NO_SUCH_RECORD
    chain = chain_for(ctx, by)
    due = ctx.now + ctx.policy.digests.contest if len(chain) > 1 else None
    opened = Contest(entry, by.id, ContestState.OPEN, ctx.now, due, chain, asked=min(1, len(chain)))
    if ctx.tx.ledger.contest(opened) and chain:
        _ask(ctx, opened, found, 0)
    return None


def advance_contest(ctx: Context) -> bool:
    """The next in the chain hears of a contest that nobody has settled in time. False when none is due."""
    due = ctx.tx.ledger.next_contest(ctx.now)
    if due is None:
        return False
    asked = due.asked + 1
    later = ctx.now + ctx.policy.digests.contest if asked < len(due.chain) else None
    ctx.tx.ledger.apply(replace(due, asked=asked, due_at=later), due.asked)
    _ask(ctx, due, ctx.tx.ledger.get(due.entry), asked - 1)
    return True


def uphold(press: Press, ctx: Context) -> Reply:
    """数没错: the figure stands."""
    return _settle(press, ctx, ContestState.UPHELD)


def strike(press: Press, ctx: Context) -> Reply:
    """划掉这笔: the figure is reversed in the open week, and nobody else gets it."""
    return _settle(press, ctx, ContestState.STRUCK)


def _settle(press: Press, ctx: Context, how: ContestState) -> Reply:
    entry = ctx.tx.ledger.get(int((press.card.about or "").removeprefix("value:")))
    open_ = ctx.tx.ledger.contest_of(entry.id)
    assert open_ is not None, "its card was sent"
    if open_.state is ContestState.OPEN:
        settled = replace(open_, state=how, due_at=None, settled_at=ctx.now, settled_by=press.by.id)
        ctx.tx.ledger.apply(settled, open_.asked)
        if how is ContestState.STRUCK and ctx.tx.ledger.stands(entry.id):
            ctx.tx.ledger.add([value.reverse(entry, open_week(ctx), Reason.CONTESTED)], {}, ctx.now)
        _tell(ctx, entry, settled, press.by)
        for other in ctx.tx.outbox.about(f"value:{entry.id}"):
            if other.id != press.card.id and other.card == ContestCard.template():
                shown = contest_card(ctx, entry, settled)
                ctx.tx.outbox.change(other, shown.template(), shown.data(), ctx.now)
        open_ = settled
    return Reply(shows=contest_card(ctx, entry, open_))


def contest_card(ctx: Context, entry: Entry, about: Contest) -> ContestCard:
    """What the HRBP sees of a contest now."""
    people = ctx.tx.people.some({entry.person, *([about.settled_by] if about.settled_by else [])})
    return ContestCard(
        name=people[entry.person].name,
        what=what_of(ctx, entry),
        figure=figure(entry, ctx.policy.digests.rates),
        words=entry.words,
        opened_at=about.opened_at,
        struck=None if about.state is ContestState.OPEN else about.state is ContestState.STRUCK,
        settled_by=people[about.settled_by].name if about.settled_by else None,
    )


def what_of(ctx: Context, entry: Entry) -> str:
    """What the person did, as he told it after improving, else as the record says it; for an event of its own the rate's name."""
    record = ctx.tx.feedback.find(entry.record) if entry.record is not None else None
    if record is None:
        return figure(entry, ctx.policy.digests.rates).name
    return ctx.tx.digests.explanations([record.id]).get(record.id) or record.action


def _ask(ctx: Context, about: Contest, entry: Entry, position: int) -> None:
    reader = acting_for(ctx, ctx.tx.people.get(about.chain[position]), about.person)
    key = f"contest:{entry.id}:{position}"
    card = contest_card(ctx, entry, about)
    ctx.tx.outbox.add(card.to(reader.id, key=key, about=f"value:{entry.id}", urgency=Urgency.ESCALATION), ctx.now)


def _tell(ctx: Context, entry: Entry, settled: Contest, by: Person) -> None:
    answer = ContestAnswer(what_of(ctx, entry), entry.amount, settled.state is ContestState.STRUCK, by.name)
    ctx.tx.outbox.add(answer.to(entry.person, key=f"contest-settled:{entry.id}"), ctx.now)


# -- claims --------------------------------------------------------------------------------------------------------------------------


def _told(ctx: Context, facts: Sequence[Fact]) -> Mapping[int, str]:
    return ctx.tx.digests.explanations([fact.id for fact in facts if fact.state is State.IMPROVED])


def _claims(ctx: Context, facts: Sequence[Fact], rates: Sequence[Rate], told: Mapping[int, str]) -> Iterator[Claim]:
    """What is claimed for these records, in the order in which it happened: what was counted, else what somebody wrote."""
    standing = sorted((fact for fact in facts if _stands(fact)), key=lambda fact: (fact.occurred_at, fact.id))
    by_systems = ctx.tx.ledger.counts_of({fact.subject for fact in standing})
    units = {rate.id: normalise(rate.unit) for rate in rates}  # of all versions the same
    numbered = {id for id, words in told.items() if any(unit in normalise(words) for unit in units.values())}
    boxes = ctx.tx.digests.ticked([fact.id for fact in standing if fact.id in numbered])
    for fact in standing:
        counted = by_systems.get(fact.id, ())
        yield from (_of_count(fact, count) for count in counted)
        words, by = (told.get(fact.id, ""), fact.subject) if fact.state is State.IMPROVED else (fact.impact, fact.author)
        if words and (fact.state is State.IMPROVED or not fact.carded):
            plain = normalise(words)
            stated = [id for id, unit in units.items() if unit in plain and id not in {count.rate for count in counted}]
            yield from _of_words(fact, words, by, boxes.get(fact.id, ()), rates, stated)


def _of_words(
    fact: Fact, words: str, by: PersonId, boxes: Sequence[Behaviour], rates: Sequence[Rate], ids: Sequence[str]
) -> Iterator[Claim]:
    """One claim for each of these rates that the words state a number for. A behaviour's own rate needs no word of its own."""
    own = {box.rate for box in boxes if box.rate}
    on = _day(fact)
    for id in ids:
        rate = value.rate_on(rates, id, on)
        if rate is None or not (rate.words or id in own):
            continue
        found = counts.counted(words, rate.unit, rate.words) if rate.words else None
        if found is None and id in own:
            found = counts.counted(words, rate.unit)
        if found is not None:
            key = value.stated_key(id, on, by, found.words)
            yield Claim(fact.subject, fact.id, id, found.count, Source.STATED, on, key, found.words)


def _of_count(fact: Fact, count: Count) -> Claim:
    if count.source is Source.EVENT:
        return replace(_of_event(count), record=fact.id)
    key = value.stated_key(count.rate, _day(fact), fact.subject, f"#{fact.id}")
    return Claim(fact.subject, fact.id, count.rate, count.count, Source.STATED, _day(fact), key)


def _of_event(count: Count) -> Claim:
    on = count.at.astimezone(SHANGHAI).date()
    return Claim(count.person, count.record, count.rate, count.count, count.source, on, count.overlap)


def _stands(fact: Fact) -> bool:
    """Whether a record may be worth something: praise that nobody disputes, or an improvement."""
    return fact.state is State.IMPROVED or (fact.kind is FeedbackKind.PRAISE and fact.state is not State.DISPUTED)


def _day(fact: Fact) -> date:
    at = fact.answered_at if fact.state is State.IMPROVED and fact.answered_at else fact.occurred_at
    return at.astimezone(SHANGHAI).date()
