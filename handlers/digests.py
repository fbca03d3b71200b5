"""The week's messages (A8, B1–B5): composed in rounds, some hundred people in one transaction, kept, and queued.

What was composed is kept as the card's data: the Monday brief says the same numbers as Friday's digest, the page shows them, and a
re-send is the same message.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from cards.catalog import (
    CATALOG,
    CardData,
    Deed,
    EmployeeDigest,
    GroupDigest,
    LeaderDigest,
    MondayBrief,
    PictureMessage,
    Praised,
    SupervisorDigest,
)
from cards.compose import compose as drawn
from handlers import quota, value
from handlers.context import Context
from rules import digests
from rules.digests import Fact, Given, Kind, Window
from rules.feedback import Kind as FeedbackKind
from rules.feedback import State
from rules.messages import GroupChat, Outgoing, PersonId, Urgency
from rules.people import Person
from rules.policy import Group
from rules.quota import Standing
from rules.value import Entry, together, total
from rules.weeks import Week
from storage.digests import Digest, Round, whom

_LEADERS_AT_ONCE = 4  # each counts thousands of records
_BOOKING = (Kind.EMPLOYEE, Kind.MONDAY)  # the brief only after an outage on Friday
log = logging.getLogger("sanmiao.digests")

_SHOWN = 3  # deeds on a card; the page has them all
_NAMED = 4
_PRAISED = 6
_FEWEST_FOR_A_NUMBER = 3  # in a smaller team the number of improvements would name somebody


@dataclass(frozen=True)
class Composed:
    """One recipient's message of a round; `card` is None where there is nothing to say."""

    to: PersonId | GroupChat
    card: CardData | None


@dataclass(frozen=True)
class Part:
    """What one transaction keeps and queues of a round. `up_to` is the last person it deals with; None when it is the last part."""

    round: Round
    composed: Sequence[Composed]
    up_to: PersonId | None


def compose_next(ctx: Context, ahead: Part | None = None) -> bool:
    """Compose the next part of a round that is due, or keep what was composed `ahead`. False when nothing is due, or another process is
    at it."""
    round = ctx.tx.digests.next_round(_open_now(ctx))
    if round is None:
        return False
    if ahead is not None and ahead.round != round:
        return True  # another process has kept that part: look again
    part = ahead or _part(ctx, round)
    _keep(ctx, round, part.composed)
    if part.up_to is None:
        ctx.tx.digests.finish(round, ctx.now)
    else:
        ctx.tx.digests.advance(round, part.up_to)
    return True


def read_ahead(ctx: Context) -> Callable[[Context], bool]:
    """Compose the next part in a transaction that only reads; what keeps it. A company's counts take seconds, and on SQLite a tap would
    wait for them. What books the value ledger is composed where it is kept."""
    round = ctx.tx.digests.peek_round(_open_now(ctx))
    if round is None or round.kind in _BOOKING:
        return compose_next
    return partial(compose_next, ahead=_part(ctx, round))


def skip_one(ctx: Context, by: timedelta) -> None:
    """Composing failed: take fewer at once, so that in the end only the one it fails for goes without."""
    round = ctx.tx.digests.next_round(_open_now(ctx))
    if round is None:
        return
    log.error("digest failed kind=%s week=%s after=%d at_once=%d", round.kind, round.week, round.done_up_to, round.at_once)
    if round.kind is Kind.GROUP:
        ctx.tx.digests.finish(round, ctx.now)
    elif round.at_once > 1:
        ctx.tx.digests.narrow(round)
    else:
        ctx.tx.digests.advance(round, _next_people(ctx, round, 1)[-1])


def compose(ctx: Context, kind: Kind, week: Week, people: Sequence[PersonId]) -> list[Composed]:
    """What these people get of a kind in a week. Books the value ledger for the employees' digests."""
    return [Composed(person, card) for person, card in _COMPOSERS[kind](ctx, week, people).items()]


def resend(ctx: Context, person: Person, week: Week, kind: Kind) -> bool:
    """Queue once more what a person got in a week. False when nothing was composed for him, or it was silent."""
    kept = ctx.tx.digests.of(whom(person.id), week, kind)
    if kept is None or kept.card is None or kept.data is None:
        return False
    card = CATALOG[kept.card].from_data(kept.data)
    again = f"digest:{kind}:{week}:{kept.whom}:again:{ctx.now.isoformat()}"
    ctx.tx.outbox.add(card.to(person.id, key=again), ctx.now)
    return True


def send_brief(ctx: Context, kept: Digest, picture: str | None) -> None:
    """Queue a Monday brief whose picture is ready (its handle as `platform:handle`) or will not come (None)."""
    assert kept.data is not None
    assert kept.person is not None
    brief = replace(MondayBrief.from_data(kept.data), picture=picture or "")
    expires = digests.too_late_at(kept.kind, kept.week, ctx.calendar)
    ctx.tx.outbox.add(_message(kept.kind, kept.week, kept.person, brief, brief.data(), expires), ctx.now)
    if picture and picture.startswith("wecom:"):  # no card of an app holds a picture of ours there
        shown = PictureMessage(picture, alt_of(brief))
        key = f"digest-picture:{kept.week}:{kept.whom}"
        ctx.tx.outbox.add(shown.to(kept.person, key=key, urgency=Urgency.DIGEST, expires=expires), ctx.now)


def alt_of(brief: MondayBrief) -> str:
    """What is on a brief's picture, for those who cannot see it: the card's title."""
    return drawn(brief.template(), brief.data()).title


# -- what each kind says -------------------------------------------------------------------------------------------------------------


def _employees(ctx: Context, week: Week, people: Sequence[PersonId]) -> Mapping[PersonId, EmployeeDigest | None]:
    window = digests.window(week, ctx.calendar)
    facts = ctx.tx.digests.facts_about(people, window.since - value.LATE, window.until)
    told = ctx.tx.digests.explanations([fact.id for fact in facts if fact.state is State.IMPROVED])
    entries = {person: list(earlier) for person, earlier in ctx.tx.ledger.of(people, week).items()}
    for entry in value.book(ctx, people, week, window, facts, told):
        entries.setdefault(entry.person, []).append(entry)
    waiting = ctx.tx.digests.open_about(people)
    by_person = _grouped(facts)
    older = {e.record for each in entries.values() for e in each if e.record} - {fact.id for fact in facts}
    earlier = ctx.tx.digests.facts(older)
    about = {fact.id: fact for fact in (*facts, *earlier)}
    told = {**told, **ctx.tx.digests.explanations([fact.id for fact in earlier if fact.state is State.IMPROVED])}
    names = {id: person.name for id, person in ctx.tx.people.some({fact.author for fact in about.values()}).items()}
    return {
        person: _employee(ctx, week, window, by_person[person], entries.get(person, ()), waiting.get(person, 0), about, names, told)
        for person in people
    }


def _employee(
    ctx: Context,
    week: Week,
    window: Window,
    facts: Sequence[Fact],
    entries: Sequence[Entry],
    waiting: int,
    about: Mapping[int, Fact],
    names: Mapping[PersonId, str],
    told: Mapping[int, str],
) -> EmployeeDigest | None:
    given = [fact for fact in facts if fact.given_at in window]
    did = [f for f in given if f.kind is FeedbackKind.PRAISE and f.state is not State.DISPUTED and f.state is not State.IMPROVED]
    improved = [fact for fact in facts if fact.state is State.IMPROVED and fact.answered_at in window]
    redone = {entry.record for entry in entries if entry.reverses is not None}
    new = [entry for entry in entries if entry.reverses is None and (entry.record is None or entry.record not in redone)]
    old = [entry for entry in entries if entry not in new]
    if not (given or improved or entries) and Kind.EMPLOYEE not in ctx.policy.digests.wordy:
        return None
    booked = {entry.record for entry in new}
    lines = sorted(together(new), key=lambda entry: -entry.amount.low_fen)
    priced = [(about.get(entry.record or 0), entry) for entry in lines]
    plain = [(fact, None) for fact in sorted((*improved, *did), key=lambda fact: -fact.id) if fact.id not in booked]
    deeds = [*priced, *plain]
    praise = sum(fact.kind is FeedbackKind.PRAISE for fact in given)
    return EmployeeDigest(
        monday=week.monday,
        sunday=week.sunday,
        praise=praise,
        improve=len(given) - praise,
        improved=len(improved),
        waiting=waiting,
        deeds=tuple(_deed(ctx, fact, names, told, entry) for fact, entry in deeds[:_SHOWN]),
        more=len(deeds[_SHOWN:]),
        total=total(entries) if entries else None,
        corrected=total(old) if old else None,
        page=_page(ctx, f"/week/{week}"),
    )


def _deed(ctx: Context, fact: Fact | None, names: Mapping[PersonId, str], told: Mapping[int, str], entry: Entry | None) -> Deed:
    figure = value.figure(entry, ctx.policy.digests.rates) if entry else None
    if fact is None:  # an event of its own
        return Deed(None, figure.name if figure else "", "", improved=False, figure=figure)
    improved = fact.state is State.IMPROVED
    what = told.get(fact.id, "") if improved else fact.action
    return Deed(fact.id, what, names.get(fact.author, ""), improved, figure, about=fact.action if improved else "")


def _supervisors(ctx: Context, week: Week, people: Sequence[PersonId]) -> Mapping[PersonId, SupervisorDigest | None]:
    window = digests.window(week, ctx.calendar)
    given, teams = ctx.tx.digests.given_by(people, window), ctx.tx.people.teams_of(people)
    standings = quota.standings(ctx, people, week, window, given)
    return {person: _supervisor(ctx, week, given.get(person, Given()), teams.get(person, ()), standings[person]) for person in people}


def _supervisor(ctx: Context, week: Week, counted: Given, team: Sequence[Person], standing: Standing) -> SupervisorDigest | None:
    if not counted.total and Kind.SUPERVISOR not in ctx.policy.digests.wordy:
        return None
    silent = [member.name for member in team if member.id not in counted.subjects]
    return SupervisorDigest(
        monday=week.monday,
        sunday=week.sunday,
        total=counted.total,
        praise=counted.praise,
        answered_in_a_day=counted.answered_in_a_day,
        improved=counted.improved,
        open=counted.open,
        people=len(team),
        unmentioned=tuple(silent[:_NAMED]),
        more_unmentioned=len(silent[_NAMED:]),
        owed=standing.owed,
        given=standing.given,
        page=_page(ctx, "/team"),
    )


def _of_group(ctx: Context, group: Group, week: Week) -> GroupDigest | None:
    """Praise and totals of the group's team; whoever does not want to be named is not."""
    leader = ctx.tx.people.by_key(group.leader or "")
    team = ctx.tx.people.reports_of(leader.id) if leader else ()
    window = digests.window(week, ctx.calendar)
    ids = [member.id for member in team]
    facts = ctx.tx.digests.facts_about(ids, window.since - value.LATE, window.until)
    praise = [f for f in facts if f.given_at in window and f.kind is FeedbackKind.PRAISE and f.state is not State.DISPUTED]
    improved = sum(fact.state is State.IMPROVED and fact.answered_at in window for fact in facts)
    hidden = ctx.tx.digests.unnamed(ids)
    named = {member.id: member.name for member in team if member.id not in hidden}
    told = [Praised(named[fact.subject], fact.action) for fact in praise if fact.subject in named]
    if not team or (not praise and not improved and Kind.GROUP not in ctx.policy.digests.wordy):
        return None
    sum_ = ctx.tx.ledger.sum(ids, week)
    return GroupDigest(
        team=group.name,
        monday=week.monday,
        sunday=week.sunday,
        praise=len(praise),
        praised=tuple(told[:_PRAISED]),
        more=len(praise) - len(told[:_PRAISED]),
        improved=improved if len(team) >= _FEWEST_FOR_A_NUMBER else None,
        total=sum_ if sum_.low_fen > 0 else None,
    )


def _leaders(ctx: Context, week: Week, people: Sequence[PersonId]) -> Mapping[PersonId, LeaderDigest | None]:
    whole = {person.id for key in ctx.policy.digests.leaders if (person := ctx.tx.people.by_key(key)) is not None}
    return {person: _leader(ctx, week, person, company=person in whole) for person in people}


def _leader(ctx: Context, week: Week, person: PersonId, *, company: bool) -> LeaderDigest | None:
    window, hrbp = digests.window(week, ctx.calendar), None if company else person
    counted = ctx.tx.digests.totals(hrbp, window)
    escalated, stuck = ctx.tx.digests.escalations(hrbp, window)
    if not (counted.given or escalated or stuck) and Kind.LEADER not in ctx.policy.digests.wordy:
        return None
    same, compared = _compared(ctx, hrbp, window)
    met, supervisors = quota.met(ctx, week, ctx.tx.digests.given_per_supervisor(hrbp, window))
    sum_ = ctx.tx.ledger.sum(None, week) if company else ctx.tx.ledger.sum_under(person, week)
    return LeaderDigest(
        monday=week.monday,
        sunday=week.sunday,
        company=company,
        people=ctx.tx.digests.head_count(hrbp),
        given=counted.given,
        praise=counted.praise,
        answered=counted.answered,
        answered_in_a_day=counted.answered_in_a_day,
        improved=counted.improved,
        hours=counted.hours,
        escalated=escalated,
        stuck=stuck,
        met=met,
        supervisors=supervisors,
        total=sum_ if sum_.low_fen > 0 else None,
        page=_page(ctx, "/team"),
        same=same,
        compared=compared,
    )


def _compared(ctx: Context, hrbp: PersonId | None, window: Window) -> tuple[int, int | None]:
    """How much of what customers were told at two touchpoints was the same, of how much; None where nobody counts it (E4)."""
    kinds = ctx.policy.digests.consistency
    if kinds is None:
        return 0, None
    found = ctx.tx.ledger.tally(kinds, hrbp, window.since, window.until)
    same, different = (found.get(kind, 0) for kind in kinds)
    return same, same + different


def _briefs(ctx: Context, week: Week, people: Sequence[PersonId]) -> Mapping[PersonId, MondayBrief | None]:
    """Last week once more, in the numbers of Friday's digest; from the records where the bot was down on Friday."""
    last = digests.reported_by(week, ctx.calendar)
    kept = ctx.tx.digests.of_people(people, last, Kind.EMPLOYEE)
    told = {id: EmployeeDigest.from_data(digest.data) for id, digest in kept.items() if digest.data}
    missed = [person for person in people if person not in kept]
    told |= {id: card for id, card in _employees(ctx, last, missed).items() if card} if missed else {}
    return {person: _brief(told.get(person)) for person in people}


def _brief(digest: EmployeeDigest | None) -> MondayBrief | None:
    if digest is None or not digest.deeds:
        return None
    facts = (digest.monday, digest.sunday, digest.praise, digest.improved, digest.deeds, digest.more)
    return MondayBrief(*facts, total=digest.total, page=digest.page)


# -- parts of a round, kept and queued -----------------------------------------------------------------------------------------------


def _open_now(ctx: Context) -> Sequence[tuple[Week, Kind]]:
    return digests.open_now(ctx.now, ctx.calendar, ctx.policy.digests)


def _part(ctx: Context, round: Round) -> Part:
    if round.kind is Kind.GROUP:
        return Part(round, [Composed(g.chat, _of_group(ctx, g, round.week)) for g in ctx.policy.groups if g.leader], None)
    people = _next_people(ctx, round, round.at_once)
    if not people:
        return Part(round, (), None)
    return Part(round, compose(ctx, round.kind, round.week, people), people[-1])


def _keep(ctx: Context, round: Round, composed: Iterable[Composed]) -> None:
    """Remember what was composed and queue it, once for each recipient."""
    by_name = {whom(each.to): each for each in composed}
    for name in ctx.tx.digests.known(round.week, round.kind, by_name):
        del by_name[name]
    waiting = round.kind is Kind.MONDAY and ctx.policy.digests.pictures
    expires = digests.too_late_at(round.kind, round.week, ctx.calendar)
    kept, messages = [], []
    for name, each in by_name.items():
        card = each.card
        waits = "waiting" if waiting and card else None
        person = each.to if isinstance(each.to, int) else None
        data = card.data() if card else None
        kept.append(Digest(name, person, round.week, round.kind, ctx.now, card.template() if card else None, data, waits))
        if card and not waits:
            messages.append(_message(round.kind, round.week, each.to, card, data, expires))
    ctx.tx.digests.add(kept)
    ctx.tx.outbox.add_all(messages, ctx.now)


def _message(
    kind: Kind, week: Week, to: PersonId | GroupChat, card: CardData, data: Mapping[str, object] | None, expires: datetime
) -> Outgoing:
    key = f"digest:{kind}:{week}:{whom(to)}"[:160]
    urgency = Urgency.NUDGE if kind is Kind.QUOTA else Urgency.DIGEST
    return Outgoing(to, card.template(), data or card.data(), key, None, urgency, None, expires)


def _next_people(ctx: Context, round: Round, limit: int) -> tuple[PersonId, ...]:
    if round.kind is Kind.LEADER:
        limit = min(limit, _LEADERS_AT_ONCE)
    if round.kind in (Kind.EMPLOYEE, Kind.MONDAY):
        return ctx.tx.digests.employees(round.done_up_to, limit)
    if round.kind is not Kind.LEADER:
        return ctx.tx.digests.supervisors(round.done_up_to, limit)
    named = (ctx.tx.people.by_key(key) for key in ctx.policy.digests.leaders)
    leaders = {person.id for person in named if person is not None and person.active and person.id > round.done_up_to}
    return tuple(sorted({*ctx.tx.digests.hrbps(round.done_up_to, limit), *leaders})[:limit])


def _page(ctx: Context, path: str) -> str:
    return f"{ctx.policy.pages_url}{path}" if ctx.policy.pages_url else ""


def _grouped(facts: Sequence[Fact]) -> Mapping[PersonId, list[Fact]]:
    found: dict[PersonId, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[fact.subject].append(fact)
    return found


_Composer = Callable[[Context, Week, Sequence[PersonId]], Mapping[PersonId, CardData | None]]
_COMPOSERS: Mapping[Kind, _Composer] = {
    Kind.EMPLOYEE: _employees,
    Kind.SUPERVISOR: _supervisors,
    Kind.LEADER: _leaders,
    Kind.MONDAY: _briefs,
    Kind.QUOTA: quota.nudges,
}
