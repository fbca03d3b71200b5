"""What a load balancer, a supervisor process and an administrator ask: alive? ready? what is stuck? (F6)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from rules import digests
from rules.digests import Kind

if TYPE_CHECKING:
    from bot.app import App


def blueprint(app: App) -> Blueprint:
    """/healthz: the process answers. /readyz: database and stream are there. /agenda: when something, and when the week's digests, fall
    due next (demo only)."""
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @pages.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            app.store.ping()
        except SQLAlchemyError:
            return jsonify(status="database does not answer"), 503
        if app.stream is not None and app.stream.started and not app.stream.connected:
            return jsonify(status="dingtalk stream is not connected"), 503
        return jsonify(status="ready"), 200

    if app.settings.demo.clock_file:

        @pages.get("/agenda")
        def agenda() -> Response:
            with app.store.read() as tx:
                loop = tx.loops.next_due_at()
            now, calendar, policy = app.now(), app.policy.calendar(), app.policy.digests
            dues = (loop, digests.next_due_at(now, calendar, policy))
            due = min((due for due in dues if due is not None), default=None)
            digest = digests.next_due_at(now, calendar, policy, (Kind.EMPLOYEE,))
            return jsonify(
                next_due_at=due.isoformat() if due else None,
                next_digest_at=digest.isoformat() if digest else None,
            )

    return pages
