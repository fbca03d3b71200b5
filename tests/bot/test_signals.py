"""A signal is never lost, whenever it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMES = 200
# Busy threads keep the main thread from going on where it must not be interrupted: an Event set by a handler hangs at once.
WAITS = f"""
import os, sys, threading
from bot.signals import Stop

def busy():
    while True:
        pass

for _ in range(3):
    threading.Thread(target=busy, daemon=True).start()
sys.setswitchinterval(1e-5)
for _ in range({TIMES}):
    stop = Stop()
    stop.listen()
    os.write(1, b"x")
    assert stop.wait(20)
"""


def test_a_signal_that_comes_as_the_process_begins_to_wait_is_heard() -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, bufsize=0, cwd=ROOT) as process:
        assert process.stdout is not None
        for _ in range(TIMES):
            assert process.stdout.read(1) == b"x"
            os.kill(process.pid, signal.SIGTERM)

        assert process.wait(30) == 0
