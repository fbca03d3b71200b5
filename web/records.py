"""The page of one record, and what its author does there to what he gave: reword it, take it back, add to it (A1)."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from handlers import forms
from rules.feedback import Refusal
from rules.forms import LONGEST, Lack
from rules.sentences import Element
from web import shown
from web.site import Site, private
from web.visits import Visit, field, submitter, visited_by

_ID = "<int(max=2147483647):id>"


def add_to(pages: Blueprint, site: Site) -> None:
    """/records/<id>, and the author's three forms on it."""

    @pages.get(f"/records/{_ID}")
    def one_record(id: int) -> Response:
        return visited_by(site, lambda visit: page(visit, site, id))

    @pages.post(f"/records/{_ID}/edit")
    def edit(id: int) -> Response:
        person, _ = submitter(site)
        texts = {element: field(element.value) for element in Element}
        problem = site.dispatcher.run(lambda ctx: forms.edit(ctx, person, id, texts))
        return _after(id, "edited", problem, typed={element.value: text for element, text in texts.items()})

    @pages.post(f"/records/{_ID}/withdraw")
    def withdraw(id: int) -> Response:
        person, _ = submitter(site)
        return _after(id, "withdrawn", site.dispatcher.run(lambda ctx: forms.withdraw(ctx, person, id)))

    @pages.post(f"/records/{_ID}/words")
    def add_words(id: int) -> Response:
        person, _ = submitter(site)
        words, told = field("addition"), request.form.get("key", "")
        key = told if told.isalnum() and len(told) <= 32 else secrets.token_hex(8)
        problem = site.dispatcher.run(lambda ctx: forms.add_words(ctx, person, id, words, key))
        return _after(id, "added", problem, typed={"addition": words})

    def _after(id: int, what: str, problem: Refusal | Lack | None, **typed: Any) -> Response:
        if problem is None:
            return private(redirect(f"/records/{id}?done={what}", 303))
        return visited_by(site, lambda visit: page(visit, site, id, unchanged=problem, **typed))


def page(visit: Visit, site: Site, id: int, **notices: Any) -> Response:
    """The record as this reader may see it. `notices`: why what was submitted was not done, and what he had `typed`."""
    record = shown.record(visit.ctx, visit.person, id, site.pictures)
    if record is None:
        return visit.page("refused_in.html", 404, reason=Refusal.NO_SUCH_RECORD, missing=True)
    common = {
        "record": record,
        "done": request.args.get("done", ""),
        "key": secrets.token_hex(8),
        "longest": LONGEST,
        "change_window": visit.ctx.policy.change_window,
    }
    return visit.page("record.html", 422 if notices else 200, **common, **notices)
