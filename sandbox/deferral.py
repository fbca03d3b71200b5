"""Deliveries that a fault holds back: later by some seconds, or until another one has gone out."""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable

LONGEST_HOLD_SECONDS = 5.0
Work = Callable[[], object]


class Deferral:
    """What goes out later, in threads of its own; ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, list[Work]] = defaultdict(list)
        self._closed = False

    def later(self, seconds: float, work: Work) -> None:
        """Do the work after some real seconds."""
        timer = threading.Timer(seconds, self._do, [work])
        timer.daemon = True
        timer.start()

    def hold(self, channel: str, work: Work) -> None:
        """Keep the work until the next delivery on that channel has ended, five seconds at most."""
        with self._lock:
            self._held[channel].append(work)
        self.later(LONGEST_HOLD_SECONDS, lambda: self.release(channel))

    def close(self) -> None:
        """Whatever is still to come is forgotten; what is under way may fail unheard."""
        self._closed = True

    def _do(self, work: Work) -> None:
        try:
            if not self._closed:
                work()
        except sqlite3.ProgrammingError:
            if not self._closed:
                raise

    def release(self, channel: str) -> None:
        """A delivery has ended: what was held goes now."""
        with self._lock:
            waiting = self._held.pop(channel, [])
        for work in waiting:
            self.later(0, work)
