"""Starts and ends the sandbox: one HTTP port for page, control API and both platforms, one port for the stream gateway."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from waitress.server import BaseWSGIServer, create_server
from waitress.wasyncore import close_all
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from sandbox.company import read_company
from sandbox.control.routes import control_blueprint
from sandbox.dingtalk import endpoints as dingtalk_endpoints
from sandbox.dingtalk import login as dingtalk_login
from sandbox.dingtalk import robot as dingtalk_robot
from sandbox.dingtalk.api import dingtalk_blueprint
from sandbox.dingtalk.gateway import Gateway
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.template import read_spec
from sandbox.problems import Problem
from sandbox.wecom import endpoints as wecom_endpoints
from sandbox.wecom import login as wecom_login
from sandbox.wecom.api import wecom_blueprint
from sandbox.world import World, open_world

HOST = "127.0.0.1"
HOST_NAMES = {"127.0.0.1", "localhost", "[::1]"}
PAGE = Path(__file__).parent / "page"
THREADS = 48
LARGEST_BODY = 32 * 1024 * 1024


@dataclass(frozen=True)
class Info:
    """Where a started sandbox listens, on 127.0.0.1."""

    port: int
    gateway_port: int


class Sandbox:
    """A running sandbox."""

    def __init__(self, port: int, state_dir: Path, company: Path, card_spec: Path | None, agenda_url: str | None) -> None:
        """Listen and answer from now on; port 0 lets the system choose. Raises OSError when the port is taken."""
        listening = socket.create_server((HOST, port), backlog=256)
        bound_port: int = listening.getsockname()[1]
        self.world: World = open_world(read_company(company), state_dir, f"http://{HOST}:{bound_port}")
        gateway = Gateway(self.world)
        gateway.start()
        self.dingtalk = DingTalk(self.world, gateway, read_spec(card_spec) if card_spec else None)
        self.info = Info(bound_port, gateway.port)
        self.app = build_app(self.world, self.dingtalk, agenda_url, bound_port)
        self._http: BaseWSGIServer = create_server(
            self.app,
            sockets=[listening],
            threads=THREADS,
            clear_untrusted_proxy_headers=True,
            max_request_body_size=LARGEST_BODY,
            ident=None,
        )
        self._http_thread = threading.Thread(target=self._http.run, name="http", daemon=True)
        self._http_thread.start()
        _write(state_dir / "sandbox.json", self.info)

    def stop(self) -> None:
        """End everything that waits, close the ports and the database."""
        self.world.stopping.set()
        self.world.deferral.close()
        self.world.chats.close()
        self.dingtalk.gateway.stop()
        # In the loop's own thread: closing its sockets from here would make it stumble over them.
        with contextlib.suppress(OSError):  # the server has ended by itself
            self._http.trigger.pull_trigger(lambda: close_all(self._http._map, ignore_all=True))
        self._http_thread.join(1)
        self.world.store.close()


def serve(
    port: int,
    state_dir: Path,
    company: Path,
    card_spec: Path | None,
    agenda_url: str | None,
    ready: Callable[[Info], None] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, then end within two seconds. `ready` is called once, when both ports answer.

    To be called in the main thread, because of the signals. State lives in `state_dir` and is continued.
    """
    # Python writes a byte as the signal arrives; a handler that sets an Event may be called when the wait is over, which is never.
    ended, writes = socket.socketpair()
    writes.setblocking(False)
    signal.set_wakeup_fd(writes.fileno(), warn_on_full_buffer=False)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: None)
    sandbox = Sandbox(port, state_dir, company, card_spec, agenda_url)
    if ready is not None:
        ready(sandbox.info)
    ended.recv(1)
    sandbox.stop()


def build_app(world: World, dingtalk: DingTalk, agenda_url: str | None, port: int) -> Flask:
    """The WSGI application with all routes."""
    app = Flask("sandbox", static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.before_request(_only_loopback)
    app.register_blueprint(control_blueprint(world, dingtalk, agenda_url, port))
    app.register_blueprint(wecom_blueprint(world, wecom_endpoints.ENDPOINTS))
    app.register_blueprint(wecom_login.login_blueprint(world))
    app.register_blueprint(dingtalk_blueprint(dingtalk, dingtalk_endpoints.ENDPOINTS))
    app.register_blueprint(dingtalk_robot.robot_blueprint(dingtalk))
    app.register_blueprint(dingtalk_login.login_blueprint(dingtalk))
    app.add_url_rule("/", view_func=_page, endpoint="page", defaults={"name": "index.html"})
    app.add_url_rule("/<path:name>", view_func=_page, endpoint="page_file")
    app.register_error_handler(HTTPException, _http_error)
    return app


def _only_loopback() -> Response | None:
    """No page of another host may reach us: neither under its own name nor with its own script."""
    if _host(request.host) not in HOST_NAMES:
        return Problem(421, "not-loopback", f"this server is not {request.host}").response()
    origin = request.headers.get("Origin")
    if origin not in (None, "null") and _host(origin.partition("://")[2]) not in HOST_NAMES:
        return Problem(403, "foreign-origin", f"pages of {origin} may not ask here").response()
    return None


def _host(name_and_port: str) -> str:
    return name_and_port if name_and_port.endswith("]") else name_and_port.rsplit(":", 1)[0]


_TEXTS = (".html", ".css", ".js", ".svg")  # readable sources, twice the page's budget until compressed


def _page(name: str) -> AnyResponse:
    if not (PAGE / name).is_file():
        return Problem(404, "not-found", "no such page; the phone page is made of the files in sandbox/page").response()
    answer = send_from_directory(PAGE, name, max_age=0)
    if answer.status_code == 200 and request.accept_encodings.quality("gzip") and name.endswith(_TEXTS):
        answer.direct_passthrough = False
        answer.set_data(gzip.compress(answer.get_data(), mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
        answer.headers["Vary"] = "Accept-Encoding"
    return answer


def _http_error(error: HTTPException) -> AnyResponse:
    if request.path.startswith("/sandbox/"):
        return Problem(
            error.code or 500, "not-found" if error.code == 404 else "http-error", error.description or error.name
        ).response()
    return Response(f"{error.code} {error.name}\n", error.code or 500, content_type="text/plain")


def _write(path: Path, info: Info) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(asdict(info)), encoding="utf-8")
    os.replace(beside, path)
