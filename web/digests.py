"""A week's value, opened to its rows (B1 “怎么算的？”): each figure with its count, its rate and the words it was read from; what may
still be counted; and whether one may be named in the group's digest. Only one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from cards import filters
from cards.catalog import EmployeeDigest, Figure
from cards.picture import draw
from handlers import value
from handlers.context import Context
from rules import digests
from rules.digests import Fact, Kind, Window
from rules.feedback import Kind as FeedbackKind
from rules.feedback import Refusal, State
from rules.messages import PersonId
from rules.people import Person
from rules.value import Entry, Money, Rate, total
from rules.weeks import Week, week_of
from storage.digests import whom
from storage.ledger import Contest
from web.site import Site, private
from web.visits import Visit, submitter, visited_by

_MOST_LINES = 500  # what systems count may be many
_MOST_UNCOUNTED = 50


@dataclass(frozen=True)
class Line:
    """One entry of the ledger with everything it rests on: the words it was read from, or the system that counted it. `rate` is the
    version it was booked with, None when it is gone."""

    figure: Figure
    what: str
    record: int | None
    words: str
    system: str
    rate: Rate | None
    reverses: bool
    reason: str | None
    contest: Contest | None


@dataclass(frozen=True)
class Uncounted:
    """Something done that has no number: with `rate` the person may say how many."""

    record: int
    what: str
    rate: Rate | None


@dataclass(frozen=True)
class WeekValue:
    """One person's week: its lines, oldest first, their sum, and what has no number. `composed`: the digest has been made."""

    week: Week
    composed: bool
    pictured: bool
    lines: tuple[Line, ...]
    total: Money
    uncounted: tuple[Uncounted, ...]
    named: bool


def blueprint(site: Site) -> Blueprint:
    """/week/<2026-W38>: its rows; …/picture.png; …/contest, …/count and …/named change something."""
    pages = Blueprint("digests", __name__, template_folder="templates")

    @pages.get("/week/<week>")
    def one_week(week: str) -> Response:
        wanted = _week(week)
        return visited_by(site, lambda visit: _page(visit, wanted))

    @pages.get("/week/<week>/picture.png")
    def picture(week: str) -> Response:
        wanted = _week(week)
        return visited_by(site, lambda visit: _picture(visit, wanted))

    @pages.post("/week/<week>/contest")
    def contest(week: str) -> Response:
        wanted, (person, _) = _week(week), submitter(site)
        entry = request.form.get("entry", "")
        if not entry.isdecimal() or len(entry) > 9:
            abort(400)
        refusal = site.dispatcher.run(lambda ctx: value.contest_entry(ctx, person, int(entry)))
        return _after(wanted, refusal)

    @pages.post("/week/<week>/count")
    def count(week: str) -> Response:
        wanted, (person, _) = _week(week), submitter(site)
        record, said = request.form.get("record", ""), _number(request.form.get("count", ""))
        if not record.isdecimal() or len(record) > 9:
            abort(400)
        if said is None:
            return visited_by(site, lambda visit: _page(visit, wanted, bad_count=int(record)))
        refusal = site.dispatcher.run(lambda ctx: value.state_count(ctx, person, int(record), said))
        return _after(wanted, refusal)

    @pages.post("/week/<week>/named")
    def named(week: str) -> Response:
        wanted, (person, _) = _week(week), submitter(site)
        yes = request.form.get("named") == "1"
        site.dispatcher.run(lambda ctx: ctx.tx.digests.name_in_groups(person.id, wanted=yes))
        return _after(wanted, None)

    def _after(week: Week, refusal: Refusal | None) -> Response:
        if refusal is None:
            return private(redirect(f"/week/{week}?done=1", 303))
        return visited_by(site, lambda visit: _page(visit, week, refusal=refusal))

    return pages


def _page(visit: Visit, week: Week, refusal: Refusal | None = None, bad_count: int | None = None) -> Response:
    status = 422 if refusal or bad_count else 200
    shown = week_value(visit.ctx, visit.person, week)
    done = request.args.get("done") == "1"
    before = {"before": week.back(1), "after": week.back(-1) if week < week_of(visit.ctx.now) else None}
    return visit.page("week.html", status, shown=shown, done=done, refusal=refusal, bad_count=bad_count, **before)


def _picture(visit: Visit, week: Week) -> Response:
    digest = _digest(visit.ctx, visit.person.id, week)
    if digest is None or not digest.deeds:
        abort(404)
    return private(Response(draw(digest), content_type="image/png"))


def week_value(ctx: Context, person: Person, week: Week) -> WeekValue:
    """What stands behind a week's figures."""
    entries = ctx.tx.ledger.of([person.id], week).get(person.id, ())
    shown = entries[:_MOST_LINES]
    contests = ctx.tx.ledger.contests_of([entry.id for entry in shown])
    systems = ctx.tx.ledger.origins([entry.overlap for entry in shown])
    digest, window = _digest(ctx, person.id, week), digests.window(week, ctx.calendar)
    booked = {entry.record for entry in entries}
    facts = ctx.tx.digests.facts_about([person.id], window.since - value.LATE, window.until)
    done = [fact for fact in facts if fact.id not in booked and _done(fact, window)]
    told = ctx.tx.digests.explanations([fact.id for fact in done if fact.state is State.IMPROVED])
    return WeekValue(
        week=week,
        composed=ctx.tx.digests.of(whom(person.id), week, Kind.EMPLOYEE) is not None,
        pictured=digest is not None and bool(digest.deeds),
        lines=tuple(_line(ctx, entry, contests, systems.get(entry.overlap, "")) for entry in shown),
        total=total(entries),
        uncounted=tuple(
            Uncounted(fact.id, told.get(fact.id, fact.action), value.countable(ctx, fact)) for fact in done[:_MOST_UNCOUNTED]
        ),
        named=not ctx.tx.digests.unnamed([person.id]),
    )


def _line(ctx: Context, entry: Entry, contests: Mapping[int, Contest], system: str) -> Line:
    rates = ctx.policy.digests.rates
    rate = next((rate for rate in rates if (rate.id, rate.version) == (entry.rate, entry.version)), None)
    return Line(
        figure=value.figure(entry, rates),
        what=value.what_of(ctx, entry),
        record=entry.record,
        words=entry.words,
        system=system,
        rate=rate,
        reverses=entry.reverses is not None,
        reason=entry.reason.value if entry.reason else None,
        contest=contests.get(entry.id),
    )


def _done(fact: Fact, window: Window) -> bool:
    if fact.state is State.IMPROVED:
        return fact.answered_at in window
    return fact.kind is FeedbackKind.PRAISE and fact.state is not State.DISPUTED and fact.given_at in window


def _digest(ctx: Context, person: PersonId, week: Week) -> EmployeeDigest | None:
    kept = ctx.tx.digests.of(whom(person), week, Kind.EMPLOYEE)
    return EmployeeDigest.from_data(kept.data) if kept and kept.data else None


def _week(text: str) -> Week:
    try:
        return Week.read(text)
    except ValueError:
        abort(404)


def _number(text: str) -> Decimal | None:
    """A count as people type it: up to three decimals, not negative; None for anything else."""
    try:
        number = Decimal(filters.tidy(text))
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    fits = isinstance(exponent, int) and -3 <= exponent <= 6
    return number if fits and 0 < number <= 1_000_000 else None
