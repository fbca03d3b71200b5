"""A look at a page of one's own: who is there by his session, and that he still works here, asked anew each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, render_template, request
from werkzeug.wrappers import Response

from cards import filters
from handlers.context import Context
from rules.people import Person
from rules.visibility import may_administer
from web.sessions import Session
from web.site import Site, answer, private

_FORM_OVERHEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Visit:
    """One look at a page: a reading, who looks, and his session."""

    ctx: Context
    person: Person
    session: Session

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page with the way to the others on it."""
        leads = bool(self.ctx.tx.people.reports_of(self.person.id))
        common = {
            "me": filters.tidy(self.person.name),
            "word": self.session.word,
            "leads": leads,
            "watches": leads or bool(self.ctx.tx.people.in_charge_of(self.person.id)),
            "administers": may_administer(self.person, self.ctx.policy.administrators),
            "waiting": len(self.ctx.tx.feedback.open_about(self.person.id)),
        }
        return answer(render_template(template, **common, **values), status)


def visited_by(site: Site, view: Callable[[Visit], Response]) -> Response:
    """What `view` shows to whoever's session this is; without one, the way to the login."""
    session = site.sessions.of(request)
    with site.store.read() as tx:
        person = tx.people.some({session.person}).get(session.person) if session else None
        if session is None or person is None or not person.active:
            return _to_login(site)
        return view(Visit(site.context(tx), person, session))


def submitter(site: Site) -> tuple[Person, Session]:
    """Who submits a form of his own session. Asked before the body is read: nobody else may send us megabytes."""
    session = site.sessions.of(request)
    with site.store.read() as tx:
        person = tx.people.some({session.person}).get(session.person) if session else None
    if session is None or person is None or not person.active:
        abort(_to_login(site))
    request.max_content_length = site.most_bytes + _FORM_OVERHEAD_BYTES
    if not session.brings(request.form.get("word", "")):
        abort(400)
    return person, session


def field(name: str) -> str:
    """What was typed into a field, on one line and without what no database stores."""
    return filters.tidy(request.form.get(name, ""))


def _to_login(site: Site) -> Response:
    next = request.path if request.method == "GET" else "/me"
    response = private(redirect(f"/login?next={next}", 303))
    site.sessions.end(response)
    return response
