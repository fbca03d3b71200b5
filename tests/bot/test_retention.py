"""When the bot forgets: at night, a little at a time, once a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from bot.retention import Forgetter
from rules.retention import Passing
from storage.unit import Store
from tests.builders import a_policy, at

POLICY = replace(a_policy(), retention={Passing.INBOX: timedelta(days=30)})


class Night:
    def __init__(self, store: Store, now: str) -> None:
        self.store, self.now, self._seconds = store, at(now), count(step=1)
        self.forgetter = Forgetter(store, POLICY, lambda: self.now, elapsed=lambda: float(next(self._seconds)))

    def hear(self, events: int, when: datetime) -> None:
        with self.store.begin() as tx:
            for n in range(events):
                tx.inbox.first_time("wecom", f"{when}{n}", "message", when)

    def left(self) -> int:
        with self.store.read() as tx:
            return sum(tx.inbox.counts().values())


def test_nothing_is_forgotten_before_three_in_the_morning(store: Store) -> None:
    night = Night(store, "2026-09-14 02:59")
    night.hear(1, at("2026-01-01 12:00"))

    night.forgetter.tick()
    assert night.left() == 1

    night.now = at("2026-09-14 03:00")
    night.forgetter.tick()
    assert night.left() == 0


def test_a_tick_takes_its_time_and_the_next_one_goes_on(store: Store) -> None:
    night = Night(store, "2026-09-14 03:00")
    night.hear(450, at("2026-01-01 12:00"))

    left = []
    for _ in range(4):
        night.forgetter.tick()
        left.append(night.left())

    assert left == [250, 50, 0, 0]


def test_once_done_it_rests_until_the_next_day(store: Store) -> None:
    night = Night(store, "2026-09-14 03:00")
    night.forgetter.tick()
    night.hear(1, at("2026-08-15 02:00"))

    night.now = at("2026-09-14 23:00")
    night.forgetter.tick()
    assert night.left() == 1

    night.now = at("2026-09-15 03:00")
    night.forgetter.tick()
    assert night.left() == 0
