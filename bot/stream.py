"""One DingTalk stream for all processes: whoever holds the lease connects, the others stand by.

DingTalk picks one of an app's connections at random for each push, so two connected processes would each see half (dingtalk.md 3.5).
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable

from bot.dingtalk.stream import StreamService
from bot.settings import DingTalk
from cards.layout import Card
from rules.events import Event
from storage.unit import Store

log = logging.getLogger("sanmiao.stream")

LEASE = "dingtalk-stream"
_LEASE_SECONDS, _RENEW_SECONDS = 12.0, 3.0


class StreamKeeper:
    """Holds the lease and runs the stream while it does."""

    def __init__(self, store: Store, settings: DingTalk, handle: Callable[[Event, str | None], Card | None]) -> None:
        self._store, self._settings, self._handle = store, settings, handle
        self._owner = uuid.uuid4().hex[:12]
        self._service: StreamService | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stream-keeper", daemon=True)

    def start(self) -> None:
        """Begin to look after the stream in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnect and let another process take over at once."""
        self._stop.set()
        self._thread.join(4.0)

    @property
    def started(self) -> bool:
        """Whether this process is one that looks after the stream."""
        return self._thread.is_alive()

    @property
    def deaf(self) -> bool:
        """Whether this process is the one that listens, and hears nothing."""
        return self._service is not None and not self._service.alive()

    @property
    def connected(self) -> bool:
        """Whether this process has a live stream."""
        return self._service is not None and self._service.alive()

    def _run(self) -> None:
        while True:
            self._hold()
            if self._stop.wait(_RENEW_SECONDS):
                break
        self._disconnect()
        with self._store.begin() as tx:
            tx.leases.release(LEASE, self._owner)

    def _hold(self) -> None:
        try:
            with self._store.begin() as tx:
                mine = tx.leases.hold(LEASE, self._owner, _LEASE_SECONDS)
        except Exception:
            log.exception("cannot renew the stream lease")
            mine = False
        if mine and self._service is None:
            self._connect()
        elif not mine:
            self._disconnect()

    def _connect(self) -> None:
        ours = self._settings
        self._service = StreamService(ours.client_id, ours.client_secret.reveal(), self._handle, api_base=ours.api_base)
        self._service.start()
        log.info("stream started")

    def _disconnect(self) -> None:
        if self._service is not None:
            self._service.stop()
            self._service = None
            log.info("stream stopped")
