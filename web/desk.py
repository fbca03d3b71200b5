"""The desk of the administrators: budgets, the queue of outgoing messages with their reasons, what the audit sees. Nobody's words stand
here, and no names: queues are about messages, not about people.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from werkzeug.wrappers import Response

from handlers import audit, budgets
from rules.feedback import Refusal
from rules.manners import Degree
from rules.visibility import may_administer
from storage.outbox import Message, State
from storage.rulings import Ruling
from web.site import Site
from web.visits import Visit, visited_by

_LISTED = 50


@dataclass(frozen=True)
class Held:
    """A message that waits, and why."""

    message: Message
    ruling: Ruling | None
    until: datetime


def add_to(pages: Blueprint, site: Site) -> None:
    """/desk."""

    @pages.get("/desk")
    def show_desk() -> Response:
        return visited_by(site, lambda visit: _desk(visit, site))


def _desk(visit: Visit, site: Site) -> Response:
    ctx = visit.ctx
    if not may_administer(visit.person, ctx.policy.administrators):
        return visit.page("refused_in.html", 403, reason=Refusal.NOT_AN_ADMINISTRATOR)
    outbox = ctx.tx.outbox
    stands = budgets.standings(ctx)
    held = outbox.held(ctx.now, _LISTED)
    ruled = ctx.tx.rulings.latest([message.id for message in held])
    degrees = {platform: budgets.degrees(stands, platform) for platform in {stand.budget.platform for stand in stands}}
    return visit.page(
        "desk.html",
        stands=stands,
        saving={
            platform: [(urgency.name.lower(), degree.name.lower()) for urgency, degree in its.items() if degree is not Degree.FREELY]
            for platform, its in sorted(degrees.items())
        },
        counts=outbox.counts(),
        held_for=sorted(ctx.tx.rulings.held(ctx.now).items()),
        held=[Held(message, ruled.get(message.id), message.not_before) for message in held],
        unsent=[*outbox.recent(State.FAILED, _LISTED), *outbox.recent(State.UNSURE, _LISTED)],
        findings=audit.findings(ctx, site.expected) if site.expected else (),
    )
