"""The web server: platform callbacks, card pages, health."""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from waitress.server import create_server
from waitress.wasyncore import close_all, dispatcher
from werkzeug.exceptions import HTTPException

from bot import health
from bot.app import App
from bot.dingtalk import webhook as dingtalk
from bot.envelope import Seal
from bot.wecom import crypto
from bot.wecom import webhook as wecom
from handlers.context import Context
from storage.unit import Tx
from web import cards, counts, evidence, login, pages
from web import digests as digest_pages
from web.sessions import Sessions
from web.site import Site

_MOST_BYTES = 256 * 1024
_UNDER_WAY_SECONDS = 2
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'",
}


def flask_app(app: App) -> Flask:
    """All routes of the bot. Errors are problem+json for programs and a sentence for people."""
    flask = Flask("sanmiao", static_folder=None)
    flask.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    if app.settings.wecom.enabled:
        ours = app.settings.wecom
        keys = crypto.Keys(ours.corp_id, ours.token.reveal(), ours.encoding_aes_key.reveal())
        flask.register_blueprint(wecom.blueprint(keys, app.dispatcher.handle))
    if app.settings.dingtalk.enabled:
        flask.register_blueprint(_dingtalk(app))
    flask.register_blueprint(cards.blueprint(app.store, app.links, app.pictures, app.dispatcher.handle, lambda tx: _context(app, tx)))
    flask.register_blueprint(evidence.blueprint(app.store, app.pictures, app.blobs))
    site = _site(app)
    flask.register_blueprint(pages.blueprint(site))
    flask.register_blueprint(digest_pages.blueprint(site))
    flask.register_blueprint(login.blueprint(site, app.doors))
    if app.settings.digests.counts_token:
        flask.register_blueprint(counts.blueprint(app.dispatcher, app.settings.digests.counts_token.reveal()))
    flask.register_blueprint(health.blueprint(app))
    flask.register_error_handler(HTTPException, _problem)
    flask.after_request(_secure)
    return flask


class WebServer:
    """waitress in a thread; `port` is the one it got when 0 was asked for."""

    def __init__(self, app: App) -> None:
        web = app.settings.web
        most = app.keeper.limits.image_bytes + _MOST_BYTES  # what waitress takes before anybody is asked who sends it
        self._server: Any = create_server(
            flask_app(app), host=web.host, port=web.port, threads=web.threads, ident=None, max_request_body_size=most
        )
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; those under way have two seconds."""
        if not self._thread.is_alive():
            self._server.close()
            return
        # In the loop's own thread: closing its sockets from here would make it stumble over them.
        self._server.trigger.pull_trigger(lambda: dispatcher.close(self._server))
        self._server.task_dispatcher.shutdown(timeout=_UNDER_WAY_SECONDS)
        self._server.trigger.pull_trigger(lambda: close_all(self._server._map, ignore_all=True))
        self._thread.join(1)


def _dingtalk(app: App) -> Blueprint:
    ours = app.settings.dingtalk
    seal = Seal(ours.event_token.reveal(), ours.event_aes_key.reveal(), (ours.client_id,)) if ours.event_aes_key else None
    secret, card_secret = ours.client_secret.reveal(), ours.card_api_secret.reveal() or None
    return dingtalk.blueprint(app.dispatcher.handle, app.now, client_secret=secret, card_secret=card_secret, seal=seal)


def _site(app: App) -> Site:
    web = app.settings.web
    return Site(
        store=app.store,
        dispatcher=app.dispatcher,
        context=lambda tx: _context(app, tx),
        sessions=Sessions(web.secret.reveal(), app.now, secure=web.public_url.startswith("https:")),
        pictures=app.pictures,
        keep=app.keeper.kept_or_why_not,
        most_bytes=app.keeper.limits.image_bytes,
        public_url=web.public_url,
        expected=app.expected,
    )


def _context(app: App, tx: Tx) -> Context:
    return Context(tx, app.now(), app.policy)


def _secure(response: Response) -> Response:
    for name, value in _SECURITY.items():
        response.headers.setdefault(name, value)
    return response


def _problem(error: HTTPException) -> Response | tuple[str, int]:
    if request.path.startswith(("/c/", "/e/")):
        return "这个链接已经失效,请回到聊天里打开最新的卡片。", error.code or 500
    response = jsonify(type="about:blank", title=error.name, status=error.code, detail=error.description)
    response.status_code = error.code or 500
    for name, value in error.get_headers():  # a 401 says how to come in, a 405 what is allowed
        if name.lower() != "content-type":
            response.headers[name] = value
    response.content_type = "application/problem+json"
    return response
