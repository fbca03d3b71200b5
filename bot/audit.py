"""The self-audit: every few minutes the bot looks at itself, tells the administrators what should not be, and gives a heartbeat only
when it found nothing. Silence is not health: whoever watches the heartbeat hears of a bot that is dead, stuck, or no longer looking.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import requests

from bot.clock import UtcNow
from bot.settings import Audit
from handlers import audit
from handlers.audit import Expected
from handlers.context import Context
from rules.audit import Finding, Wrong
from rules.policy import Policy
from storage.unit import Store

log = logging.getLogger("sanmiao.audit")

_TIMEOUT_SECONDS = 5.0


class Auditor:
    """Looks when `tick` is called and it is time. `deaf` says whether this process holds the stream and has no connection.

    What is found is looked at a second time, three ticks later: a clock that has just been moved, or a start after an outage, is no
    finding. `elapsed` is a clock of real seconds.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        utc_now: UtcNow,
        settings: Audit,
        expected: Expected,
        *,
        deaf: Callable[[], bool],
        committed: Callable[[], None],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._policy, self._now, self._settings, self._expected = store, policy, utc_now, settings, expected
        self._deaf, self._committed, self._elapsed = deaf, committed, elapsed
        self._next = self._elapsed() + self._second_look
        self._suspected: frozenset[Wrong] = frozenset()

    def tick(self) -> None:
        """Look, if it is time."""
        if self._elapsed() < self._next:
            return
        found = self._look()
        confirmed = [finding for finding in found if finding.what in self._suspected]
        self._suspected = frozenset(finding.what for finding in found)
        if not found:
            self._beat()
        if confirmed:
            self._report(confirmed)
        first_seen = bool(found) and not confirmed
        self._next = self._elapsed() + (self._second_look if first_seen else 60 * self._settings.every_minutes)

    @property
    def _second_look(self) -> float:
        return 3 * self._expected.tick / timedelta(seconds=1)

    def _look(self) -> tuple[Finding, ...]:
        with self._store.read() as tx:
            found = audit.findings(Context(tx, self._now(), self._policy), self._expected)
        if self._deaf() and all(finding.what is not Wrong.SILENT for finding in found):
            found = (*found, Finding(Wrong.SILENT, 1))
        return found

    def _report(self, found: list[Finding]) -> None:
        log.error("audit found %s", " ".join(f"{finding.what}={finding.count}" for finding in found))
        with self._store.begin() as tx:
            audit.report(Context(tx, self._now(), self._policy), found)
        self._committed()

    def _beat(self) -> None:
        if self._settings.heartbeat_file:
            file = Path(self._settings.heartbeat_file)
            partial = file.with_suffix(file.suffix + ".new")
            partial.write_text(f"{self._now().isoformat()}\n", "utf-8")
            partial.replace(file)
        if self._settings.heartbeat_url:
            try:
                requests.get(self._settings.heartbeat_url, timeout=_TIMEOUT_SECONDS).raise_for_status()
            except requests.RequestException as error:  # its text may hold a secret part of the URL
                log.warning("heartbeat not delivered: %s", type(error).__name__)
