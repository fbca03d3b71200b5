"""What the pages show, gathered in one reading: rows with names in them, each asked of the one function that says who may see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cards.filters import tidy
from handlers import forms as submitted
from handlers.context import Context
from handlers.feedback import hint
from handlers.views import about
from handlers.visibility import may_see
from rules import commands, feedback, forms
from rules.commands import Figures
from rules.evidence import Progress
from rules.feedback import Answer, Kind, Record, State
from rules.messages import PersonId
from rules.people import Person
from rules.visibility import may_read, may_read_words
from rules.weeks import Week, week_of
from web.evidence import PictureLinks, Shown

MOST_WEEKS_BACK = 12
_MOST_ROWS = 50


@dataclass(frozen=True)
class Row:
    """A record in a list. `kind` is None for a note whose author left it open."""

    id: int
    kind: Kind | None
    state: State
    author: str
    subject: str
    scene: str
    action: str
    impact: str
    at: datetime
    waited: timedelta


@dataclass(frozen=True)
class WeekShown:
    """A week of one person: what he got, what he gave, and what he kept for himself, newest first. `back`: how many weeks ago."""

    back: int
    week: Week
    received: tuple[Row, ...]
    received_figures: Figures
    given: tuple[Row, ...]
    given_figures: Figures
    notes: tuple[Row, ...]


@dataclass(frozen=True)
class TeamShown:
    """A week of a team. `waiting` is whatever has no answer yet, the longest-waiting first; `answered` this week's."""

    back: int
    week: Week
    size: int
    figures: Figures
    waiting: tuple[Row, ...]
    answered: tuple[Row, ...]
    unmentioned: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One line of a record's history; `person` is empty for what a rule did."""

    at: datetime
    person: str
    what: str
    reason: str | None
    words: str | None


@dataclass(frozen=True)
class RecordShown:
    """One record for one reader, oldest line of its history first. `occurred_at` is None where the scene says it in words, as exact as
    its author was."""

    row: Row
    mine: bool
    occurred_at: datetime | None
    history: tuple[Line, ...]
    pictures: tuple[Shown, ...]
    fetching: int
    answers: tuple[Answer, ...]
    may_add: bool
    may_change: bool
    may_add_words: bool


def names(people: Iterable[Person]) -> Mapping[PersonId, str]:
    """What to call each of these people on one page: namesakes by department and position too."""
    known = {person.id: person for person in people}
    often = Counter(person.name for person in known.values())
    return {
        id: tidy(f"{person.name}（{hint(person) or person.key}）" if often[person.name] > 1 else person.name)
        for id, person in known.items()
    }


def my_week(ctx: Context, person: Person, back: int) -> WeekShown:
    """What this person got and gave in a week."""
    week = week_of(ctx.now).back(back)
    received = _seen(ctx, person, ctx.tx.reports.given_to([person.id], week))
    given = _seen(ctx, person, ctx.tx.reports.given_by(person.id, week))
    notes = ctx.tx.reports.notes_of(person.id, week)
    rows = _rows(ctx, (*received, *given, *notes))
    return WeekShown(
        back,
        week,
        tuple(rows[record.id] for record in received)[:_MOST_ROWS],
        commands.figures(received),
        tuple(rows[record.id] for record in given)[:_MOST_ROWS],
        commands.figures(given),
        tuple(rows[note.id] for note in notes)[:_MOST_ROWS],
    )


def waiting_for(ctx: Context, person: Person) -> tuple[Row, ...]:
    """What waits for this person's answer, the longest-waiting first."""
    records = sorted(_seen(ctx, person, ctx.tx.feedback.open_about(person.id)), key=lambda record: (record.given_at, record.id))
    rows = _rows(ctx, records)
    return tuple(rows[record.id] for record in records)[:_MOST_ROWS]


def team_of(ctx: Context, person: Person) -> tuple[Person, ...]:
    """Whom this person is asked about: his reports, or those whose HRBP he is."""
    return ctx.tx.people.reports_of(person.id) or ctx.tx.people.in_charge_of(person.id)


def team_week(ctx: Context, person: Person, back: int) -> TeamShown:
    """What a supervisor gave his people in a week, or what those got whose HRBP this person is."""
    week, team = week_of(ctx.now).back(back), team_of(ctx, person)
    ids = [member.id for member in team]
    leads = bool(ctx.tx.people.reports_of(person.id))
    given = _seen(ctx, person, ctx.tx.reports.given_by(person.id, week) if leads else ctx.tx.reports.given_to(ids, week))
    open_now = ctx.tx.reports.waiting_from(person.id) if leads else ctx.tx.reports.waiting_about(ids)
    waiting = _seen(ctx, person, open_now[:_MOST_ROWS])
    answered = [record for record in given if record.state is not State.OPEN][:_MOST_ROWS]
    rows = _rows(ctx, (*waiting, *answered), team)
    called = names(team)
    silent = commands.unmentioned(ids, given)
    return TeamShown(
        back,
        week,
        len(team),
        commands.figures(given),
        tuple(rows[record.id] for record in waiting),
        tuple(rows[record.id] for record in answered),
        tuple(called[id] for id in silent)[:_MOST_ROWS],
    )


def record(ctx: Context, person: Person, id: int, pictures: PictureLinks) -> RecordShown | None:
    """A record as this person may see it; None when he may not, or there is none."""
    found = ctx.tx.feedback.find(id)
    if found is None or not (found.kind or found.state is State.NOTE) or not may_see(ctx.tx, person, found, ctx.now):
        return None
    sent = ctx.tx.evidence.of(id)
    now = ctx.now
    return RecordShown(
        row=_rows(ctx, [found])[id],
        mine=found.author == person.id,
        occurred_at=found.occurred_at if found.offered else None,
        history=_history(ctx, person, found),
        pictures=pictures.of(ctx.tx, person, found),
        fetching=sum(item.state is Progress.WAITING for item in sent),
        answers=tuple(what for what in Answer if isinstance(feedback.answer(found, what, person.id, now), feedback.Accepted)),
        may_add=forms.may_add_picture(found, person.id, ctx.policy.evidence),
        may_change=submitted.refusal_to_change(ctx, person, found) is None,
        may_add_words=forms.may_add_words(found, person.id) is None,
    )


def _history(ctx: Context, reader: Person, found: Record) -> tuple[Line, ...]:
    entries = [entry for entry in ctx.tx.history.of(about(found.id)) if may_read(reader, found, entry.what)]
    called = names(ctx.tx.people.some(entry.person for entry in entries if entry.person is not None).values())
    return tuple(
        Line(
            entry.at,
            called[entry.person] if entry.person is not None else "",
            entry.what,
            entry.reason,
            entry.words if may_read_words(reader, found, entry.what) else None,
        )
        for entry in entries
    )


def _seen(ctx: Context, person: Person, records: Sequence[Record]) -> tuple[Record, ...]:
    return tuple(record for record in records if record.kind is not None and may_see(ctx.tx, person, record, ctx.now))


def _rows(ctx: Context, records: Sequence[Record], also: Sequence[Person] = ()) -> Mapping[int, Row]:
    people = ctx.tx.people.some(id for record in records for id in (record.author, record.subject))
    called = names((*people.values(), *also))
    waited = commands.waited(records, ctx.now)
    return {
        record.id: Row(
            id=record.id,
            kind=record.kind,
            state=record.state,
            author=called[record.author],
            subject=called[record.subject],
            scene=record.scene,
            action=record.action,
            impact=record.impact,
            at=record.given_at or record.created_at,
            waited=waited[record.id],
        )
        for record in records
    }
