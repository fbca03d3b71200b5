"""The phone pages (F3): my week, what waits for my answer, one record, my team, and the long form.

Every page asks the session who is there and the directory whether he still works here; every row is asked of `rules.visibility`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from flask import Blueprint, abort, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from cards import filters, words
from handlers import forms
from handlers.sentences import industry_of
from rules.evidence import Problem
from rules.feedback import Answer, Kind, Refusal, Refused
from rules.forms import LONGEST, Lack, Written
from rules.weeks import SHANGHAI
from storage.evidence import Kept
from web import desk, preferences, records, shown
from web.site import Site, failed, private
from web.visits import Visit, field, submitter, visited_by


@dataclass(frozen=True)
class Filled:
    """The form as it came back, to be shown again."""

    key: str
    subject: str = ""
    kind: str = ""
    scene: str = ""
    action: str = ""
    impact: str = ""
    when: str = ""


def blueprint(site: Site) -> Blueprint:
    """/, /me, /open, /team, /write, /records/<id>. Without a session they lead to the login."""
    pages = Blueprint("pages", __name__, template_folder="templates")
    pages.register_error_handler(HTTPException, failed)
    for name in ("local_time", "local_day", "duration", "clip", "tidy", "fill", "yuan"):
        pages.add_app_template_filter(getattr(filters, name), name)
    pages.add_app_template_filter(words.word, "word")
    pages.add_app_template_filter(words.example, "example")

    def shows(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        """A page that reads."""

        def register(view: Callable[..., Response]) -> Callable[..., Response]:
            @pages.get(path)
            @wraps(view)
            def visited(**arguments: Any) -> Response:
                return visited_by(site, lambda visit: view(visit, **arguments))

            return visited

        return register

    preferences.add_to(pages, site)
    desk.add_to(pages, site)
    records.add_to(pages, site)

    @pages.get("/")
    def start() -> Response:
        return private(redirect("/me", 303))

    @shows("/me")
    def my_week(visit: Visit) -> Response:
        return visit.page("me.html", week=shown.my_week(visit.ctx, visit.person, _weeks_back()))

    @shows("/open")
    def my_open(visit: Visit) -> Response:
        return visit.page("open.html", rows=shown.waiting_for(visit.ctx, visit.person), done=request.args.get("done") == "1")

    @shows("/team")
    def my_team(visit: Visit) -> Response:
        if not shown.team_of(visit.ctx, visit.person):
            return visit.page("refused_in.html", 403, reason=Refusal.NOT_A_SUPERVISOR)
        return visit.page("team.html", week=shown.team_week(visit.ctx, visit.person, _weeks_back()))

    @shows("/write")
    def write(visit: Visit) -> Response:
        when = visit.ctx.now.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
        return _form(visit, Filled(secrets.token_hex(8), request.args.get("about", ""), when=when))

    @pages.post("/write")
    def give() -> Response:
        person, _ = submitter(site)
        filled = _filled()
        written, picture = _written(filled), _picture(site)
        if isinstance(picture, Problem):
            with site.store.read() as tx:
                lacks = forms.lacking(written, site.context(tx).now)
            return _again(site, filled, lacks=lacks, problem=picture)
        store = forms.keep if request.form.get("keep") == "1" else forms.give
        done = site.dispatcher.run(lambda ctx: store(ctx, person, written, filled.key, picture))
        if isinstance(done, forms.Lacking):
            return _again(site, filled, lacks=done.lacks, picture_again=picture is not None)
        if isinstance(done, Refused):
            return _again(site, filled, refusal=done.reason)
        return private(redirect(f"/records/{done.feedback}?done=1", 303))

    @pages.post("/records/<int(max=2147483647):id>/answer")
    def reply(id: int) -> Response:
        person, _ = submitter(site)
        what, picture = request.form.get("answer", ""), _picture(site)
        if what not in set(Answer):
            abort(400)
        if isinstance(picture, Problem):
            return visited_by(site, lambda visit: records.page(visit, site, id, problem=picture, words=field("words")))
        kept, said = picture, field("words")
        refusal = site.dispatcher.run(lambda ctx: forms.answer(ctx, person, id, Answer(what), said, kept))
        return _after(id, refusal, "/open?done=1" if request.form.get("from") == "open" else f"/records/{id}?done=1")

    @pages.post("/records/<int(max=2147483647):id>/pictures")
    def add_picture(id: int) -> Response:
        person, _ = submitter(site)
        picture = _picture(site)
        if not isinstance(picture, Kept):
            problem = picture or Problem.NOT_A_PICTURE
            return visited_by(site, lambda visit: records.page(visit, site, id, problem=problem))
        kept = picture
        refusal = site.dispatcher.run(lambda ctx: forms.add_picture(ctx, person, id, kept))
        return _after(id, refusal, f"/records/{id}?done=1")

    def _after(id: int, refusal: Refusal | None, next: str) -> Response:
        if refusal is None:
            return private(redirect(next, 303))
        return visited_by(site, lambda visit: records.page(visit, site, id, refusal=refusal))

    return pages


def _weeks_back() -> int:
    asked = request.args.get("back", "0")
    return min(int(asked), shown.MOST_WEEKS_BACK) if asked.isdecimal() and len(asked) < 4 else 0


def _filled() -> Filled:
    key = request.form.get("key", "")
    told = {name: field(name) for name in ("subject", "kind", "scene", "action", "impact", "when")}
    return Filled(key if key.isalnum() and len(key) <= 32 else secrets.token_hex(8), **told)


def _written(filled: Filled) -> Written:
    return Written(
        subject=int(filled.subject) if filled.subject.isdecimal() and len(filled.subject) < 10 else None,
        kind=Kind(filled.kind) if filled.kind in set(Kind) else None,
        scene=filled.scene,
        action=filled.action,
        impact=filled.impact,
        when=_moment(filled.when),
    )


def _moment(text: str) -> datetime | None:
    """What a field for date and time sends: local, to the minute."""
    try:
        return datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        return None


def _picture(site: Site) -> Kept | Problem | None:
    """The file of the form, kept; why it was not, or None when there is none."""
    file = request.files.get("picture")
    if file is None or not file.filename:
        return None
    with file.stream as stream:
        content = stream.read(site.most_bytes + 1)
    return Problem.TOO_LARGE if len(content) > site.most_bytes else site.keep(content)


def _again(site: Site, filled: Filled, **problems: Any) -> Response:
    return visited_by(site, lambda visit: _form(visit, filled, **problems))


def _form(
    visit: Visit,
    filled: Filled,
    *,
    lacks: tuple[Lack, ...] = (),
    refusal: Refusal | None = None,
    problem: Problem | None = None,
    picture_again: bool = False,
) -> Response:
    """The form, with what is missing said next to each field. Browsers forget a chosen file: `picture_again` asks for it once more."""
    reports = visit.ctx.tx.people.reports_of(visit.person.id)
    if not reports:
        return visit.page("refused_in.html", 403, reason=Refusal.NOT_A_SUPERVISOR)
    chosen = next((person for person in reports if str(person.id) == filled.subject), None)
    return visit.page(
        "write.html",
        422 if lacks or refusal or problem else 200,
        reports=tuple(shown.names(reports).items()),
        filled=filled,
        lacks=lacks,
        refusal=refusal,
        problem=problem,
        picture_again=picture_again,
        may_keep=bool(lacks) and forms.may_keep(visit.ctx, _written(filled), lacks),
        industry=industry_of(visit.ctx, chosen or reports[0]),
        subject_name=chosen.name if chosen else "",
        longest=LONGEST,
        latest=visit.ctx.now.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
    )
