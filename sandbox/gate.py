"""What stands before every platform endpoint: faults, and the record of the request with its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request

from sandbox.clock import monotonic
from sandbox.company import Platform
from sandbox.faults import Fault
from sandbox.world import World

HTML_PAGE = "<html><head><title>blocked</title></head><body>Your request was blocked.</body></html>"


@dataclass(frozen=True)
class Answer:
    """What a platform endpoint answers. A dict becomes JSON; `cut` ends the connection before the body is complete."""

    body: dict[str, Any] | bytes | str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    cut: bool = False


@dataclass
class Heard:
    """A request of the bot as it is kept. `api` is the name that faults and meters use."""

    platform: Platform
    api: str
    body: Any = None
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Keep a sentence for the engineer beside the request."""
        self.warnings.append(text)


def pass_through(world: World, heard: Heard, serve: Callable[[], Answer], coded: Callable[[Fault], Answer]) -> Response:
    """Serve the request unless a fault comes between; keep it either way.

    `coded` makes the platform's own error for token_expired, over_quota, errcode:N and code:NAME.
    """
    started = monotonic()
    fault = world.faults.take(f"{heard.platform}:{heard.api}")
    answer = serve() if fault is None else _spoil(world, fault, serve, coded)
    world.ledger.request(
        heard.platform,
        api=heard.api,
        method=request.method,
        path=request.path,
        query=request.args.to_dict(),
        body=heard.body,
        status=None if answer.cut else answer.status,
        answer=_readable(answer),
        ms=round((monotonic() - started) * 1000, 1),
        fault=fault.fault if fault else None,
        warnings=heard.warnings,
    )
    for text in heard.warnings:
        world.ledger.warn(heard.platform, f"{heard.api}: {text}")
    return _response(answer)


def _spoil(world: World, fault: Fault, serve: Callable[[], Answer], coded: Callable[[Fault], Answer]) -> Answer:
    match fault.fault:
        case "http_500":
            return Answer(HTML_PAGE, 500, content_type="text/html")
        case "html_page":
            return Answer(HTML_PAGE, content_type="text/html")
        case "timeout":
            world.sleep(fault.seconds)
            return Answer("", 504)
        case "timeout_after_effect":
            serve()
            world.sleep(fault.seconds)
            return Answer("", 504)
        case "malformed_json":
            serve()
            return Answer('{"errcode":0,"errm')
        case "drop":
            return Answer("", cut=True)
        case _:
            return coded(fault)


def _response(answer: Answer) -> Response:
    body = json.dumps(answer.body, ensure_ascii=False) if isinstance(answer.body, dict) else answer.body
    response = Response(body, answer.status, answer.headers, content_type=answer.content_type)
    if answer.cut:
        # Promising more than is sent makes the server close the connection: the client sees a broken answer.
        response.content_length = 1024
    return response


def _readable(answer: Answer) -> Any:
    return f"({len(answer.body)} bytes)" if isinstance(answer.body, bytes) else answer.body
