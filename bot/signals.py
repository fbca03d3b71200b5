"""Being told to end: Ctrl-C and SIGTERM."""

from __future__ import annotations

import select
import signal
import socket


class Stop:
    """Whether the process is to end. Waits for a byte that Python writes as the signal arrives, not for an Event that a handler sets:
    a signal that comes as the main thread begins to wait has its handler called when the wait is over, which may be never."""

    def __init__(self) -> None:
        self._told, self._writes = socket.socketpair()

    def listen(self) -> None:
        """Take both signals from now on. Main thread only."""
        self._writes.setblocking(False)
        signal.set_wakeup_fd(self._writes.fileno(), warn_on_full_buffer=False)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda number, frame: None)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until somebody wants the end, at most so long; whether he does."""
        return bool(select.select([self._told], [], [], seconds)[0])
