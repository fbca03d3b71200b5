"""How people come in: by a link from the chat, or by the login page of the platform they are on (F3).

A link is opened by GET, which changes nothing (chats fetch links for a preview), and used up by the button on the page it opens.
Either way the browser that ends a login is the one that began it: a cookie and the form, or the platform's `state`, say the same word.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Protocol

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from handlers import logins
from handlers.logins import START
from rules.events import Account, Platform
from web.site import Site, answer, failed, private

log = logging.getLogger("sanmiao.login")

# Where a login may lead: our own pages and nothing else.
_PAGES = re.compile(r"/(?:me|open|team|write|records/\d{1,12}|week/\d{4}-W\d{2})\Z")
_CLIENTS = {Platform.WECOM: "wxwork", Platform.DINGTALK: "DingTalk"}  # in the User-Agent of the platform's own browser


class LoginFailed(Exception):
    """The platform did not say who it is: its code was used already, or it does not answer. The text is a code for the log."""


class Door(Protocol):
    """The login page of a platform."""

    def address(self, back_to: str, state: str) -> str:
        """Where the browser goes; it comes back to `back_to` with `code` and `state`."""
        ...

    def account(self, code: str) -> Account | None:
        """Whose code this is; None for somebody outside the company. Raises LoginFailed."""
        ...


def blueprint(site: Site, doors: Mapping[Platform, Door]) -> Blueprint:
    """/in/<token>, /login, /login/<platform> and its way back, /out. `doors` are the platforms in use."""
    pages = Blueprint("login", __name__, template_folder="templates")
    sessions, dispatcher = site.sessions, site.dispatcher
    pages.register_error_handler(HTTPException, failed)

    @pages.get("/in/<token>")
    def open_link(token: str) -> Response:
        with site.store.read() as tx:
            login = tx.logins.find(token, site.context(tx).now)
            person = tx.people.get(login.person) if login else None
        if login is None or person is None or not person.active:
            # The link in the chat is tapped again and again: who is in already goes on to his pages, which ask who he is.
            return private(redirect(START, 303)) if sessions.of(request) else _refused("link", 410)
        page = answer("")
        word = sessions.begin_step(page, login.next)
        page.set_data(render_template("enter.html", name=person.name, token=token, word=word))
        return page

    @pages.post("/in/<token>")
    def use_link(token: str) -> Response:
        if sessions.finish_step(request, request.form.get("word", "")) is None:
            return _refused("link", 400)
        came = dispatcher.run(lambda ctx: logins.by_link(ctx, token))
        if came is None:
            return _refused("link", 410)
        person, next = came
        return _come_in(person.id, next)

    @pages.get("/login")
    def choose() -> Response:
        next = _page(request.args.get("next", ""))
        agent = request.headers.get("User-Agent", "")
        for platform in doors:
            if _CLIENTS[platform] in agent:
                return redirect(f"/login/{platform}?next={next}", 303)
        return answer(render_template("login.html", doors=tuple(doors), next=next))

    @pages.get("/login/<platform>")
    def knock(platform: str) -> Response:
        page = redirect("/", 303)
        state = sessions.begin_step(page, _page(request.args.get("next", "")))
        page.location = _door(platform).address(f"{site.public_url}/login/{platform}/back", state)
        return private(page)

    @pages.get("/login/<platform>/back")
    def come_back(platform: str) -> Response:
        door, next = _door(platform), sessions.finish_step(request, request.args.get("state", ""))
        if next is None:
            return _refused("again", 400)
        try:
            account = door.account(request.args.get("code", ""))
        except LoginFailed as failure:
            log.warning("login failed platform=%s code=%s", platform, failure)
            return _refused("again", 502)
        person = dispatcher.run(lambda ctx: logins.by_account(ctx, account)) if account else None
        return _come_in(person.id, next) if person else _refused("outsider", 403)

    @pages.post("/out")
    def leave() -> Response:
        session = sessions.of(request)
        if session is None or not session.brings(request.form.get("word", "")):
            abort(400)
        page = private(redirect("/login", 303))
        sessions.end(page)
        return page

    def _door(platform: str) -> Door:
        if platform not in set(Platform) or Platform(platform) not in doors:
            abort(404)
        return doors[Platform(platform)]

    def _come_in(person: int, next: str) -> Response:
        page = private(redirect(next, 303))  # without the code that brought him
        sessions.begin(page, person)
        return page

    return pages


def _page(path: str) -> str:
    return path if _PAGES.match(path) else START


def _refused(why: str, status: int) -> Response:
    return answer(render_template("refused.html", why=why), status)
