"""The table of the control API's routes; a test holds it against docs/sandbox-openapi.yaml."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml
from flask import Blueprint, jsonify
from werkzeug.wrappers import Response as AnyResponse

from sandbox.control.backstage import Backstage
from sandbox.control.phones import Phones
from sandbox.control.view import View
from sandbox.dingtalk.hub import DingTalk
from sandbox.problems import Problem
from sandbox.store import Doc
from sandbox.world import World

SPECIFICATION = Path(__file__).parents[2] / "docs" / "sandbox-openapi.yaml"


@cache
def specification() -> Doc:
    """docs/sandbox-openapi.yaml."""
    found: Doc = yaml.load(SPECIFICATION.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return found


def control_blueprint(world: World, dingtalk: DingTalk, agenda_url: str | None, port: int) -> Blueprint:
    """The routes below /sandbox."""
    phones, backstage = Phones(world, dingtalk, View(world, dingtalk)), Backstage(world, dingtalk, agenda_url, port)
    routes = Blueprint("control", __name__, url_prefix="/sandbox")

    def on(rule: str, method: str, view: Callable[..., Doc | AnyResponse]) -> None:
        name = f"{method}_{rule}".replace("/", "_").replace(".", "_")

        def answer(**parts: str) -> AnyResponse:
            found = view(**parts)
            return jsonify(found) if isinstance(found, dict) else found

        routes.add_url_rule(rule, endpoint=name, view_func=answer, methods=[method])

    on("/openapi.json", "GET", specification)
    on("/people", "GET", phones.people)
    on("/people/<key>", "PUT", phones.change_person)
    on("/phones", "GET", phones.phones)
    on("/chats", "GET", phones.chats)
    on("/chats/<chat_id>/messages", "GET", phones.messages)
    on("/chats/<chat_id>/messages", "POST", phones.say)
    on("/chats/<chat_id>/open", "POST", phones.open_chat)
    on("/cards/<path:card_id>", "GET", phones.card)
    on("/cards/<path:card_id>/tap", "POST", phones.tap)
    on("/media/<media_id>", "GET", phones.media)
    on("/open", "GET", phones.open_link)
    on("/changes", "GET", phones.changes)
    on("/clock", "GET", backstage.clock)
    on("/clock", "POST", backstage.move_clock)
    on("/faults", "GET", backstage.faults)
    on("/faults", "PUT", backstage.set_faults)
    on("/faults", "DELETE", backstage.clear_faults)
    on("/faults/<fault_id>", "DELETE", backstage.clear_fault)
    on("/requests", "GET", lambda: backstage.entries("requests"))
    on("/deliveries", "GET", lambda: backstage.entries("deliveries"))
    on("/warnings", "GET", lambda: backstage.entries("warnings"))
    on("/meters", "GET", backstage.meters)
    on("/quotas", "PUT", backstage.set_quotas)
    on("/settings", "GET", backstage.settings)
    on("/settings", "PUT", backstage.change_settings)
    on("/doubts", "GET", backstage.doubts)
    on("/wecom/callback", "PUT", backstage.set_wecom_callback)
    on("/dingtalk/callback", "PUT", backstage.set_dingtalk_callback)
    on("/dingtalk/connections", "GET", backstage.connections)
    on("/dingtalk/connections", "DELETE", backstage.disconnect)
    on("/events/raw", "POST", backstage.raw_event)
    on("/reset", "POST", backstage.reset)
    routes.register_error_handler(Problem, lambda problem: problem.response())
    return routes
