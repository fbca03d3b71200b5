"""Counts what we spend of the platforms' budgets: in memory at the call, into the database every few seconds.

A process that is killed loses the counts of those seconds, which a ledger that warns at 80 % can bear; in return no message waits for a
counter, and processes never wait for each other.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable

from bot.clock import UtcNow
from handlers import budgets
from handlers.context import Context
from rules.budgets import What
from rules.events import Platform
from rules.manners import Degree
from rules.messages import Urgency
from rules.policy import Policy
from rules.weeks import SHANGHAI
from storage.unit import Store, Tx

log = logging.getLogger("sanmiao.meter")

_FRESH_SECONDS = 5.0
_WRITE_SECONDS = 3.0
_SHARDS = 64  # processes that count at the same time on one row would wait for each other


class Meter:
    """One per process; safe to share between threads."""

    def __init__(self, store: Store, policy: Policy, utc_now: UtcNow, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._store, self._policy, self._now, self._elapsed = store, policy, utc_now, elapsed
        self._counts: Counter[tuple[str, What]] = Counter()
        self._lock = threading.Lock()
        self._degrees: dict[Platform, dict[Urgency, Degree]] = {}
        self._known_at: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)

    def start(self) -> None:
        """Write down every few seconds from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write down what is left."""
        self._stop.set()
        self._thread.join(2.0)

    def count(self, platform: Platform, what: What) -> None:
        """One more."""
        with self._lock:
            self._counts[platform.value, what] += 1

    def write_down(self) -> None:
        """Bring what was counted into the database."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        day = self._now().astimezone(SHANGHAI).date()
        try:
            with self._store.begin() as tx:
                for (platform, what), count in sorted(counts.items()):
                    tx.usage.add(platform, what, day, str(os.getpid() % _SHARDS), count)
        except BaseException:
            with self._lock:
                self._counts += counts
            raise

    def _run(self) -> None:
        while True:
            stopped = self._stop.wait(_WRITE_SECONDS)
            try:
                self.write_down()
            except Exception:  # the database is away: it is counted on, and written later
                log.exception("cannot write the ledger")
            if stopped:
                return

    def degree(self, tx: Tx, platform: Platform, urgency: Urgency) -> Degree:
        """How hard we save on this class on this platform, as of a few seconds ago."""
        if not self._policy.budgets:
            return Degree.FREELY
        now = self._elapsed()
        if self._known_at is None or now - self._known_at > _FRESH_SECONDS:
            stands = budgets.standings(Context(tx, self._now(), self._policy))
            self._degrees = {platform: budgets.degrees(stands, platform) for platform in Platform}
            self._known_at = now
        return self._degrees[platform].get(urgency, Degree.FREELY)
