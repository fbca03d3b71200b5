"""A thread that does what is due, one thing after the other, and looks again after a while when nothing is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger("sanmiao.background")


class Background:
    """`step` does one thing and says whether it did; `pause_seconds` later it is asked again when it did nothing, or failed."""

    def __init__(self, name: str, step: Callable[[], bool], pause_seconds: float) -> None:
        self._step, self._pause = step, pause_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Finish what is under way, as far as `timeout` seconds allow."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._step():
                    continue
            except Exception:  # the database is away, or a bug: the thread must outlive both
                log.exception("cannot go on thread=%s", self._thread.name)
            self._stop.wait(self._pause)
