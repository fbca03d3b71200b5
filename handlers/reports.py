"""Weeks and lists, as people ask for them in chat: what was given, what waits, what was escalated."""

from __future__ import annotations

from collections.abc import Sequence

from cards.catalog import EscalationList, Heard, MyWeek, PendingText, TeamWeek, Waiting
from handlers.asked import Asked, his_to_watch, one, sorry
from handlers.context import Context, Reply
from reading import moments
from rules import away, commands
from rules.commands import Speaker
from rules.feedback import Answer, Record, Refusal, State
from rules.messages import PersonId
from rules.weeks import Week, week_of

_LISTED = 6  # lines of one list
_LATEST = 5
_NAMES = 8


def my_week(asked: Asked, ctx: Context) -> Reply:
    """What somebody got in a week, and what he gave."""
    week = _week(asked, ctx)
    received = ctx.tx.reports.given_to([asked.by.id], week)
    given = commands.figures(ctx.tx.reports.given_by(asked.by.id, week)) if asked.circle.reports else None
    authors = ctx.tx.people.some(record.author for record in received)
    latest = tuple(Heard(authors[r.author].name, r.kind, r.action, _answer(r)) for r in received[:_LATEST] if r.kind)
    return Reply(says=MyWeek(week.monday, week.sunday, commands.figures(received), given, latest))


def team_week(asked: Asked, ctx: Context) -> Reply:
    """What a supervisor gave his people in a week, or what those an HRBP is in charge of got; who waits, who was not mentioned."""
    team = asked.circle.team
    if not team:
        return sorry(Refusal.NOT_A_SUPERVISOR)
    week = _week(asked, ctx)
    ids = [person.id for person in team]
    given = ctx.tx.reports.given_by(asked.by.id, week) if asked.circle.reports else ctx.tx.reports.given_to(ids, week)
    waiting = _waiting(ctx, sorted((r for r in given if r.state is State.OPEN), key=lambda r: r.id))
    names = {person.id: person.name for person in team}
    silent = [names[person] for person in commands.unmentioned(ids, given)]
    return Reply(
        says=TeamWeek(
            week.monday,
            week.sunday,
            len(team),
            commands.figures(given),
            waiting[:_LISTED],
            len(waiting[_LISTED:]),
            tuple(silent[:_NAMES]),
            len(silent[_NAMES:]),
        )
    )


def pending(asked: Asked, ctx: Context) -> Reply:
    """What waits for the writer's answer, and what he waits for; or only what one person owes."""
    theirs = his_to_watch(asked, ctx)
    if not asked.command.targets:
        mine = _waiting(ctx, sorted(ctx.tx.feedback.open_about(asked.by.id), key=lambda r: r.id), of_author=True)
        others = _waiting(ctx, theirs)
        return Reply(says=PendingText(mine[:_LISTED], len(mine[_LISTED:]), others[:_LISTED], len(others[_LISTED:])))
    person = one(asked, asked.command.targets[0])
    if isinstance(person, Refusal):
        return sorry(person, asked.command.targets[0])
    his = [record for record in theirs if record.subject == person.id]
    if not his and not asked.circle.leads(person) and person not in asked.circle.in_charge:
        return sorry(Refusal.NOT_IN_CHARGE)
    waiting = _waiting(ctx, his)
    return Reply(says=PendingText((), 0, waiting[:_LISTED], len(waiting[_LISTED:]), person.name))


def all_waiting_for(ctx: Context, person: PersonId) -> PendingText:
    """Everything that waits for this person's answer, the longest-waiting first."""
    mine = _waiting(ctx, sorted(ctx.tx.feedback.open_about(person), key=lambda r: r.id), of_author=True)
    return PendingText(mine[:_LISTED], len(mine[_LISTED:]), (), 0)


def escalation_list(asked: Asked, ctx: Context) -> Reply:
    """What was escalated and is not settled: to the HRBP in charge, and to whoever gave it or leads who did."""
    if asked.circle.speaker is Speaker.EMPLOYEE:
        return sorry(Refusal.NOT_IN_CHARGE)
    acting = away.acting_for(asked.by.id, ctx.tx.away.absent(ctx.now), ctx.now)
    mine = [record for record, loop in ctx.tx.reports.escalated() if commands.in_charge_of(loop, acting) or _below(asked, record)]
    if not mine:
        return sorry(Refusal.NOTHING_ESCALATED)
    waiting = _waiting(ctx, mine)
    return Reply(says=EscalationList(waiting[:_LISTED], len(waiting[_LISTED:])))


def _week(asked: Asked, ctx: Context) -> Week:
    back = moments.weeks_back(asked.command.time or "")
    return week_of(ctx.now).back(back or 0)


def _below(asked: Asked, record: Record) -> bool:
    author = asked.circle.people.get(record.author)
    return record.author == asked.by.id or (author is not None and asked.circle.leads(author))


def _waiting(ctx: Context, records: Sequence[Record], *, of_author: bool = False) -> tuple[Waiting, ...]:
    """Lines of a list, in the order given; with the author's name for who has to answer, else with the subject's."""
    people = ctx.tx.people.some(person for record in records for person in (record.author, record.subject))
    waited = commands.waited(records, ctx.now)
    return tuple(
        Waiting(people[record.author if of_author else record.subject].name, record.action, waited[record.id]) for record in records
    )


def _answer(record: Record) -> Answer | None:
    return Answer(record.state.value) if record.state.value in set(Answer) else None
