"""What a load balancer, a supervisor process and an administrator ask: alive? ready? what is stuck? (F6)"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from bot.app import App


def blueprint(app: App) -> Blueprint:
    """/healthz: the process answers. /readyz: database and stream are there. /agenda: when something falls due next (demo only)."""
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
                due = tx.loops.next_due_at()
            return jsonify(next_due_at=due.isoformat() if due else None)

    return pages
