"""POST /api/counts: systems tell what they counted (B1). A JSON list of events with the fields of `rules/counts.py`; what is wrong
is problem+json (RFC 9457).

Whoever has the token may tell. Each event is taken in once, by its key; a request with an `Idempotency-Key` is dealt with once as a
whole, and answered again with the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from handlers import counts
from handlers.context import Context
from handlers.counts import Taken
from handlers.dispatch import Dispatcher
from rules.counts import Problem

MOST_EVENTS = 1000
log = logging.getLogger("sanmiao.counts")


def blueprint(dispatcher: Dispatcher, token: str) -> Blueprint:
    """The one address. `token` is what must be sent, never empty."""
    assert token
    api = Blueprint("counts", __name__)

    @api.post("/api/counts")
    def take_in() -> Response:
        _demand(token)
        body = request.get_data()
        rows, key = _rows(body), request.headers.get("Idempotency-Key", "")

        def act(ctx: Context) -> Taken | tuple[Problem, ...] | None:
            once = _digest(key.encode(errors="replace")), _digest(body)
            return counts.take_in_once(ctx, rows, *once) if key else counts.take_in(ctx, rows)

        return _answer(dispatcher.run(act), len(rows))

    return api


def _demand(token: str) -> None:
    given = request.headers.get("Authorization", "").encode(errors="replace")
    if not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise Unauthorized("send the token as Authorization: Bearer …", www_authenticate=WWWAuthenticate("bearer"))


def _rows(body: bytes) -> Sequence[Mapping[str, object]]:
    try:
        rows = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        abort(400, "the body is no JSON in UTF-8")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        abort(400, "the body is no JSON list of objects")
    if len(rows) > MOST_EVENTS:
        abort(413, f"at most {MOST_EVENTS} events in one request")
    return rows


def _answer(taken: Taken | tuple[Problem, ...] | None, events: int) -> Response:
    if taken is None:
        return _refused("this Idempotency-Key came before with another body", [])
    if isinstance(taken, Taken):
        log.info("counts new=%d known=%d", taken.new, taken.known)
        return jsonify(new=taken.new, known=taken.known)
    bad = len({problem.row for problem in taken})
    errors = [{"event": problem.row, "field": problem.field, "expected": problem.expected} for problem in taken]
    return _refused(f"{bad} of {events} events cannot be taken in; nothing was", errors)


def _refused(why: str, errors: list[dict[str, object]]) -> Response:
    response = jsonify(type="about:blank", title="Unprocessable Content", status=422, detail=why, errors=errors)
    response.status_code, response.content_type = 422, "application/problem+json"
    return response


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
