"""偏好: quiet hours, what one wants to hear of, and who stands in (A10)."""

from __future__ import annotations

from datetime import date, time

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from handlers import preferences
from handlers.feedback import hint
from rules.feedback import Refusal
from rules.manners import MAY_BE_MUTED, Preferences, Quiet
from web.site import Site, private
from web.visits import Visit, submitter, visited_by

_RESTS = {"house": None, "yes": True, "no": False}


def add_to(pages: Blueprint, site: Site) -> None:
    """/preferences, and what its forms do."""

    @pages.get("/preferences")
    def show_preferences() -> Response:
        return visited_by(site, _page)

    @pages.post("/preferences")
    def change_preferences() -> Response:
        person, _ = submitter(site)
        wishes = _wishes()
        if wishes is None:
            return visited_by(site, lambda visit: _page(visit, lacks_hours=True))
        named = "named" in request.form
        site.dispatcher.run(lambda ctx: preferences.change(ctx, person, wishes, named=named))
        return private(redirect("/preferences?done=1", 303))

    @pages.post("/preferences/stand-in")
    def appoint_stand_in() -> Response:
        person, _ = submitter(site)
        if "back" in request.form:
            site.dispatcher.run(lambda ctx: preferences.come_back(ctx, person))
            return private(redirect("/preferences?done=1", 303))
        told = request.form.get("taker", "")
        taker = int(told) if told.isdecimal() and len(told) < 10 else None
        first, last = _day("first"), _day("last")
        refusal = site.dispatcher.run(lambda ctx: preferences.stand_in(ctx, person, taker, first, last))
        if refusal is not None:
            return visited_by(site, lambda visit: _page(visit, refusal=refusal))
        return private(redirect("/preferences?done=1", 303))


def _page(visit: Visit, *, lacks_hours: bool = False, refusal: Refusal | None = None) -> Response:
    now = preferences.of(visit.ctx, visit.person)
    return visit.page(
        "preferences.html",
        422 if lacks_hours or refusal else 200,
        now=now,
        house=visit.ctx.policy.manners.quiet,
        takers=[(taker.id, f"{taker.name}（{hint(taker)}）" if hint(taker) else taker.name) for taker in now.takers],
        muted={urgency.name.lower() for urgency in now.wishes.muted},
        lacks_hours=lacks_hours,
        refusal=refusal,
        done=request.args.get("done") == "1" and not lacks_hours and refusal is None,
    )


def _wishes() -> Preferences | None:
    """What the form says; None when hours of one's own are wanted but not named."""
    choice = request.form.get("quiet", "house")
    begins, ends = _clock("begins"), _clock("ends")
    if choice == "own" and (begins is None or ends is None or begins == ends):
        return None
    quiet = Quiet(begins, ends) if choice == "own" and begins is not None and ends is not None else None
    muted = frozenset(urgency for urgency in MAY_BE_MUTED if urgency.name.lower() not in request.form.getlist("wanted"))
    return Preferences(choice in ("own", "none"), quiet, _RESTS.get(request.form.get("rests", "")), muted)


def _clock(field: str) -> time | None:
    try:
        return time.fromisoformat(request.form.get(field, "")[:5])
    except ValueError:
        return None


def _day(field: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(field, "")[:10])
    except ValueError:
        return None
