"""Rate limits hold for all processes together, and are used nearly whole."""

from __future__ import annotations

import multiprocessing
import time

from storage.limits import Rate
from storage.unit import Store

RATE = Rate(20, 2.0, burst=2)
EACH = 13


def test_two_processes_together_keep_the_limit_and_use_most_of_it(database_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as processes:
        taken = sorted(moment for moments in processes.map(_take_some, [database_url] * 2) for moment in moments)

    assert len(taken) == 2 * EACH
    busiest = max(sum(1 for other in taken if start <= other < start + RATE.seconds) for start in taken)
    assert busiest <= RATE.count
    per_second = (len(taken) - 1) / (taken[-1] - taken[0])
    assert per_second >= 0.85 * RATE.count / RATE.seconds


def test_a_burst_goes_at_once_and_the_next_one_has_to_wait(store: Store) -> None:
    slow = Rate(10, 3600.0, burst=3)

    with store.begin() as tx:
        waits = [tx.limits.take("api:wecom", slow) for _ in range(4)]

    assert waits[:3] == [0.0, 0.0, 0.0]
    assert slow.interval - 60 < waits[3] <= slow.interval


def test_one_recipients_limit_is_not_anothers(store: Store) -> None:
    slow = Rate(2, 3600.0, burst=1)

    with store.begin() as tx:
        assert tx.limits.take("member:wecom:sun.yue", slow) == 0.0
        assert tx.limits.take("member:wecom:liu.yang", slow) == 0.0
        assert tx.limits.take("member:wecom:sun.yue", slow) > 0.0


def test_what_is_rolled_back_spends_nothing(store: Store) -> None:
    slow = Rate(2, 3600.0, burst=1)

    try:
        with store.begin() as tx:
            tx.limits.take("api:wecom", slow)
            raise RuntimeError("not sent after all")
    except RuntimeError:
        pass

    with store.begin() as tx:
        assert tx.limits.take("api:wecom", slow) == 0.0


def test_nobody_takes_while_the_platform_says_too_fast(store: Store) -> None:
    with store.begin() as tx:
        tx.limits.pause("api:dingtalk", RATE, 600.0)
        wait = tx.limits.take("api:dingtalk", RATE)

    assert 590 < wait <= 600


def _take_some(url: str) -> list[float]:
    """Take as fast as is allowed; the moments on the machine's monotonic clock."""
    store = Store(url)
    moments: list[float] = []
    while len(moments) < EACH:
        with store.begin() as tx:
            wait = tx.limits.take("api:wecom", RATE)
            now = time.monotonic()
        if wait:
            time.sleep(wait)
        else:
            moments.append(now)
    store.close()
    return moments
