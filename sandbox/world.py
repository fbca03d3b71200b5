"""What both simulated platforms share: the clock, the company, the chats, the records and the switches."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from sandbox.chats import Chats
from sandbox.clock import Clock
from sandbox.company import Company, Directory
from sandbox.deferral import Deferral
from sandbox.doubts import Switches
from sandbox.faults import Faults
from sandbox.ledger import Ledger
from sandbox.meters import Meters
from sandbox.store import Store

CALLBACK_SETTINGS = "callback"


@dataclass(frozen=True)
class World:
    """Everything that is neither WeCom's nor DingTalk's alone. `stopping` is set when the process ends."""

    company: Company
    clock: Clock
    store: Store
    directory: Directory
    chats: Chats
    faults: Faults
    meters: Meters
    ledger: Ledger
    switches: Switches
    deferral: Deferral
    stopping: threading.Event
    media_dir: Path
    base_url: str

    def sleep(self, seconds: float) -> None:
        """Wait in real time, or until the process ends."""
        self.stopping.wait(seconds)

    def reset(self) -> None:
        """Forget everything but the company file and the callback settings."""
        self.faults.clear()
        self.store.clear(keep_kinds=(CALLBACK_SETTINGS,))
        self.switches.reload()
        self.meters.forget()
        self.directory.reload()
        self.clock.reset()
        self.chats.note_change("reset")


def open_world(company: Company, state_dir: Path, base_url: str) -> World:
    """Continue with the state in `state_dir`, or begin there. `base_url` is how the bot reaches the sandbox, without a slash."""
    state_dir.mkdir(parents=True, exist_ok=True)
    media_dir = state_dir / "media"
    media_dir.mkdir(exist_ok=True)
    clock = Clock(state_dir / "clock.json")
    store = Store(state_dir / "sandbox.db")
    directory = Directory(company, store)
    return World(
        company=company,
        clock=clock,
        store=store,
        directory=directory,
        chats=Chats(company, directory, store, clock),
        faults=Faults(),
        meters=Meters(store, clock),
        ledger=Ledger(store, clock),
        switches=Switches(store),
        deferral=Deferral(),
        stopping=threading.Event(),
        media_dir=media_dir,
        base_url=base_url,
    )
