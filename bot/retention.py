"""The nightly forgetting: when it is time, and how much at a time. What is forgotten is said by `handlers/retention.py`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date

from bot.clock import UtcNow
from handlers.context import Context
from handlers.retention import forget_some
from rules.policy import Policy
from rules.weeks import SHANGHAI
from storage.unit import Store

log = logging.getLogger("sanmiao.retention")

_FROM_HOUR = 3  # local: most people sleep, and the directories are being read
_SECONDS_A_TICK = 0.5


class Forgetter:
    """Forgets from three in the morning until nothing is left that has had its time; whoever was down then, as soon as it is up. A tick
    takes half a second at most, in many short transactions. `elapsed` is a clock of real seconds."""

    def __init__(self, store: Store, policy: Policy, utc_now: UtcNow, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._store, self._policy, self._now, self._elapsed = store, policy, utc_now, elapsed
        self._done_on: date | None = None

    def tick(self) -> None:
        """Go on, if it is time."""
        local = self._now().astimezone(SHANGHAI)
        if local.hour < _FROM_HOUR or local.date() == self._done_on:
            return
        stop_at = self._elapsed() + _SECONDS_A_TICK
        while self._some():
            if self._elapsed() >= stop_at:
                return
        self._done_on = local.date()
        log.info("forgot what has had its time day=%s", self._done_on)

    def _some(self) -> bool:
        with self._store.begin() as tx:
            return forget_some(Context(tx, self._now(), self._policy))
