"""Drafts that lack something are shown to an endpoint, if one is configured (A4): asked outside any transaction, once, for two seconds.

Whatever comes of it, the author has had his card with its question all the time; only a usable answer changes it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from bot.background import Background
from bot.clock import UtcNow
from handlers import hints
from handlers.context import Context
from rules.policy import Policy
from storage.unit import Store

log = logging.getLogger("sanmiao.hints")

Ask = Callable[[str, Sequence[str]], Mapping[str, str] | None]
_POLL_SECONDS = 0.5


class Hints:
    """A thread that asks about one draft after the other. `committed` is called when messages may wait."""

    def __init__(self, store: Store, policy: Policy, utc_now: UtcNow, ask: Ask, committed: Callable[[], None]) -> None:
        self._store, self._policy, self._now, self._ask, self._committed = store, policy, utc_now, ask, committed
        self._thread = Background("hints", self.ask_next, _POLL_SECONDS)
        self.start, self.stop = self._thread.start, self._thread.stop

    def ask_next(self) -> bool:
        """Deal with the next draft. False when none waits."""
        with self._store.begin() as tx:
            question = hints.take_next(Context(tx, self._now(), self._policy))
        if question is None:
            return False
        proposed = self._ask(question.text, question.open)
        if not proposed:
            return True
        with self._store.begin() as tx:
            used = hints.heard(Context(tx, self._now(), self._policy), question, proposed)
        log.info("hint feedback=%d used=%s", question.feedback, used)
        self._committed()
        return True
