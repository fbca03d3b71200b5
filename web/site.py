"""What the pages are made with, and how every page leaves: private, never cached, errors as sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import make_response, render_template
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from handlers.audit import Expected
from handlers.context import Context
from handlers.dispatch import Dispatcher
from rules.evidence import Problem
from storage.evidence import Kept
from storage.unit import Store, Tx
from web.evidence import PictureLinks
from web.sessions import Sessions


@dataclass(frozen=True)
class Site:
    """`context` opens a reading; what changes something runs in `dispatcher`. `keep` judges and keeps the bytes of a picture, of
    `most_bytes` at most; why not, when it does not. `expected` is what the desk's audit compares with; None: it does not look."""

    store: Store
    dispatcher: Dispatcher
    context: Callable[[Tx], Context]
    sessions: Sessions
    pictures: PictureLinks
    keep: Callable[[bytes], Kept | Problem]
    most_bytes: int
    public_url: str
    expected: Expected | None = None


def answer(html: str, status: int = 200) -> Response:
    """A page for one person's eyes."""
    return private(make_response(html, status))


def private(response: Response) -> Response:
    """Not cached, and its address is told to nobody."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def failed(error: HTTPException) -> Response:
    """An error as a sentence; what is already an answer (a redirect) goes through."""
    if isinstance(error.response, Response):
        return error.response
    return answer(render_template("refused.html", why=str(error.code)), error.code or 500)
