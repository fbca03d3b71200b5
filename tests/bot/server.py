"""A real HTTP server on loopback that says what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """`answers` by path; a path without one answers 404."""

    answers: dict[str, Callable[[Asked], Response]]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def requests_to(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def application(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, request.path, dict(request.args), headers, request.get_data())
        self.asked.append(asked)
        answer = self.answers.get(request.path)
        return (answer(asked) if answer else Response(status=404))(environ, start_response)


@contextmanager
def serving(answers: dict[str, Callable[[Asked], Response]]) -> Iterator[Server]:
    server = Server(answers)
    with serving_application(server.application) as server.url:
        yield server


@contextmanager
def serving_application(application: WSGIApplication) -> Iterator[str]:
    """Any WSGI application on a port of its own; its URL."""
    listener = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=lambda: listener.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}"
    finally:
        listener.shutdown()
        thread.join(5)
        listener.server_close()


def as_json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status=status, content_type="application/json")
