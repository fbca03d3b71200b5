"""What `run.py` does with an app: run it, migrate it, show its outgoing messages."""

from __future__ import annotations

import gc
import json
import logging
from pathlib import Path

from bot.app import App
from bot.channel import SendFailed
from bot.server import WebServer
from bot.settings import Settings
from storage.migrations import upgrade
from storage.outbox import Message, State
from storage.rulings import Ruling
from storage.unit import Store

log = logging.getLogger("sanmiao")


class Process:
    """One running process: the web server, the worker (stream, sender, jobs), or both."""

    def __init__(self, app: App, *, web: bool, worker: bool) -> None:
        self._app, self._worker = app, worker
        self._web = WebServer(app) if web else None

    def start(self) -> None:
        """Start everything in the background."""
        gc.freeze()  # what was imported stays: to look through it again and again costs a twentieth of a Friday
        app = self._app
        for announce in app.announcements:
            try:
                announce()
            except SendFailed as failure:
                log.error("the platform does not take our callback address code=%s; see `run.py doctor`", failure.code)
        app.meter.start()
        if self._worker:
            app.sender.start(1 if app.store.is_sqlite else app.settings.sending.threads)
            app.jobs.start(app.settings.jobs.tick_seconds, (app.directories.nightly, app.auditor.tick, app.forgetter.tick))
            app.evidence.start()
            app.drawing.start()
            if app.hints is not None:
                app.hints.start()
            if app.stream is not None:
                app.stream.start()
        if self._web is not None:
            self._web.start()
            log.info("listening port=%d", self._web.port)

    def stop(self) -> None:
        """Stop taking in, then stop sending; messages under way get a moment."""
        if self._web is not None:
            self._web.stop()
        if self._worker:
            if self._app.stream is not None:
                self._app.stream.stop()
            self._app.jobs.stop()
            self._app.evidence.stop()
            if self._app.hints is not None:
                self._app.hints.stop()
            self._app.drawing.stop()
            self._app.sender.stop()
        self._app.meter.stop()
        log.info("stopped")


def migrate_database(settings: Settings) -> str:
    """Migrate the configured database; a sentence about it."""
    prefix = "sqlite:///"
    if settings.database.url.startswith(prefix):
        Path(settings.database.url.removeprefix(prefix)).parent.mkdir(parents=True, exist_ok=True)
    store = Store(settings.database.url)
    try:
        upgrade(store.engine)
    finally:
        store.close()
    return f"{settings.database_kind}: tables are those of this version"


def overview(app: App, state: str | None, limit: int) -> str:
    """Counts by state, then the newest messages, one a line. `state` limits both."""
    with app.store.read() as tx:
        counts = tx.outbox.counts()
        rows = tx.outbox.recent(State(state) if state else None, limit)
    head = "  ".join(f"{name}={counts.get(name, 0)}" for name in State)
    return "\n".join([head, *(_line(message) for message in rows)])


def explain(app: App, id: int) -> str:
    """One message: where it stands and why, with every hold, merge and drop on its way. Its words are left out."""
    with app.store.read() as tx:
        message, ruled = tx.outbox.get(id), tx.rulings.of(id)
    if message is None:
        return f"no message {id}"
    told = {
        "id": message.id,
        "card": message.card,
        "about": message.about,
        "person": message.person,
        "platform": message.to.platform if message.to else None,
        "state": message.state,
        "urgency": message.urgency.name.lower(),
        "attempts": message.attempts,
        "not_before": message.not_before.isoformat(),
        "sent_at": message.sent_at.isoformat() if message.sent_at else None,
        "changes": message.changes,
        "code": message.error_code,
        "text": message.error_text,
        "manners": [_told(ruling) for ruling in ruled],
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def _told(ruling: Ruling) -> dict[str, str | int]:
    told: dict[str, str | int] = {"at": ruling.at.isoformat(), "what": ruling.what, "why": ruling.why}
    if ruling.until:
        told["until"] = ruling.until.isoformat()
    if ruling.other:
        told["with"] = ruling.other
    return told


def _line(message: Message) -> str:
    platform = message.to.platform if message.to else "-"
    problem = f"  {message.error_code}: {message.error_text or ''}" if message.error_code else ""
    return f"{message.id:>7}  {message.state:<9}  {platform:<8}  {message.card:<20}  {message.about or '-'}{problem}"
