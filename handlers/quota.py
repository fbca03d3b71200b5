"""The weekly quota (A8): Thursday's nudge to those who are behind, with the people not mentioned for longest one tap away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cards.catalog import Candidate, QuotaNudge
from handlers import feedback
from handlers.context import Context, Press, Reply
from handlers.feedback import hint
from rules import away, checkins, digests, evidence, quota
from rules.digests import Fact, Given, Window
from rules.evidence import Wanted
from rules.feedback import Refusal
from rules.messages import PersonId
from rules.people import Person
from rules.quota import Standing
from rules.weeks import Week


def nudges(ctx: Context, week: Week, people: Sequence[PersonId]) -> Mapping[PersonId, QuotaNudge | None]:
    """What each of these supervisors hears on Thursday: nothing when he is done, away, or leads nobody with a behaviour library."""
    window = Window(digests.window(week, ctx.calendar).since, ctx.now)
    given, asked = ctx.tx.digests.given_by(people, window), ctx.tx.away.of_all(people)
    now = standings(ctx, people, week, window, given)
    behind = [id for id in people if now[id].missing and away.stand_in(asked.get(id), ctx.now) is None]
    teams = ctx.tx.people.teams_of(behind)
    return {person: _nudge(ctx, person, now[person], teams.get(person, ())) if person in behind else None for person in people}


def standings(
    ctx: Context, people: Sequence[PersonId], week: Week, window: Window, given: Mapping[PersonId, Given]
) -> Mapping[PersonId, Standing]:
    """What these supervisors owe in a week, and what of the feedbacks `given` counts: those with the screenshot that their kind must
    have."""
    asked = ctx.tx.away.of_all(people)
    strict = Wanted.REQUIRED in ctx.policy.evidence.wanted.values()

    def counted(person: PersonId) -> int:
        if not strict:
            return given.get(person, Given()).total
        return sum(_evidenced(ctx, fact) for fact in ctx.tx.digests.facts_by(person, window))

    owed = {id: quota.owed(ctx.policy.digests.quota, week, ctx.calendar, asked.get(id)) for id in people}
    return {id: Standing(owed[id], counted(id)) for id in people}


def met(ctx: Context, week: Week, given: Mapping[PersonId, int]) -> tuple[int, int]:
    """How many of these supervisors gave what they owed, and how many owed anything."""
    full = quota.owed(ctx.policy.digests.quota, week, ctx.calendar)
    if full == 0:
        return 0, 0
    absent = ctx.tx.away.absent(ctx.now)
    owed = {id: quota.owed(ctx.policy.digests.quota, week, ctx.calendar, absent.get(id)) if id in absent else full for id in given}
    return sum(given[id] >= owed[id] > 0 for id in given), sum(number > 0 for number in owed.values())


def checkin(press: Press, ctx: Context) -> Reply:
    """A name on the nudge: his check-in card comes."""
    shown = QuotaNudge.from_data(press.card.data)
    wanted = next((person for person in shown.people if str(person.person) == press.argument), None)
    asked = {person.person for person in shown.people if ctx.tx.runs.taken(_slot(press), [str(person.person)])}
    if wanted is None:
        return Reply(shows=replace(shown, sent=tuple(sorted(asked))))
    refusal = None if wanted.person in asked else _offer(press, ctx, wanted.person)
    sent = tuple(sorted(asked | ({wanted.person} if refusal is None else set())))
    return Reply(shows=replace(shown, sent=sent, notice=refusal, about=wanted.name))


def _offer(press: Press, ctx: Context, person: PersonId) -> Refusal | None:
    subject = ctx.tx.people.get(person)
    refusal = checkins.may_ask(press.by, subject, ctx.tx.people.upwards_from(subject.supervisor))
    if refusal is None and feedback.open_checkin(ctx, press.by, subject, platform=press.event.by.platform) is None:
        refusal = Refusal.NO_BEHAVIOURS
    if refusal is None:
        ctx.tx.runs.first(_slot(press), str(person), ctx.now)
    return refusal


def _slot(press: Press) -> str:
    return f"nudge:{press.card.id}"


def _nudge(ctx: Context, person: PersonId, now: Standing, reports: Sequence[Person]) -> QuotaNudge | None:
    team = {p.id: p for p in reports if p.role in ctx.policy.libraries}
    longest = quota.whom_to_offer(tuple(team), ctx.tx.feedback.last_mentioned(person))
    if not longest:
        return None
    return QuotaNudge(now.missing, now.owed, tuple(Candidate(id, team[id].name, hint(team[id])) for id in longest))


def _evidenced(ctx: Context, fact: Fact) -> bool:
    if ctx.policy.evidence.wanted[fact.kind] is not Wanted.REQUIRED:
        return True
    record = ctx.tx.feedback.get(fact.id)
    return not evidence.missing(record, ctx.tx.evidence.of(fact.id), ctx.policy.evidence)
