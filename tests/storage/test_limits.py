"""Rate limits hold for all processes together, and are used nearly whole."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.limits import Rate
from storage.unit import Store, Tx

RATE = Rate(20, 2.0)
EACH = 30


def paced(tx: Tx) -> float:
    return tx.limits.pace("api:wecom", RATE)


def from_window(tx: Tx) -> float:
    wait = tx.limits.wait("member:wecom:sun.yue:2", RATE)
    if not wait:
        tx.limits.take("member:wecom:sun.yue:2", RATE)
    return wait


@pytest.mark.parametrize("take", [paced, from_window])
def test_two_processes_together_keep_the_limit_and_use_most_of_it(database_url: str, take: Callable[[Tx], float]) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as processes:
        taken = sorted(moment for moments in processes.starmap(_take_some, [(database_url, take)] * 2) for moment in moments)

    assert len(taken) == 2 * EACH
    busiest = max(sum(1 for other in taken if start <= other < start + RATE.seconds) for start in taken)
    assert busiest <= RATE.count + 1, "milliseconds lie between the taking and the look at the clock"
    # In so much time so many whole windows begin.
    assert len(taken) >= 0.85 * RATE.count * (taken[-1] - taken[0]) / RATE.seconds


@given(count=st.integers(1, 40), late=st.lists(st.floats(0, 3), min_size=1, max_size=120))
def test_no_window_has_more_however_late_who_takes_comes(count: int, late: list[float]) -> None:
    rate, free_at, taken = Rate(count, 1.0), 0.0, list[float]()
    for intervals in late:
        taken.append(free_at + intervals**4 * rate.interval / 27)  # mostly punctual, sometimes three intervals late
        free_at = rate.following(free_at, taken[-1])

    busiest = max(sum(1 for other in taken if start <= other < start + rate.seconds - 1e-9) for start in taken)
    assert busiest <= count


def test_one_that_comes_late_lets_the_next_come_early(store: Store) -> None:
    slow = Rate(10, 3600.0)

    with store.begin() as tx:
        waits = [tx.limits.pace("api:wecom", slow) for _ in range(2)]

    assert slow.interval == 3600 / 9.5
    assert waits[0] == 0.0
    assert waits[1] == pytest.approx(slow.interval / 2)


def test_all_of_a_window_may_go_at_once_and_the_next_one_has_to_wait_until_the_first_is_over(store: Store) -> None:
    slow, key = Rate(3, 3600.0), "member:wecom:sun.yue"

    for _ in range(3):
        with store.begin() as tx:
            assert tx.limits.wait(key, slow) == 0.0
            tx.limits.take(key, slow)

    with store.begin() as tx:
        assert 3500 < tx.limits.wait(key, slow) <= 3600
        assert tx.limits.wait(key, Rate(2, 3600.0)) > 0.0, "a limit that was made smaller"
        assert tx.limits.wait(key, Rate(4, 3600.0)) == 0.0


def test_one_recipients_limit_is_not_anothers(store: Store) -> None:
    slow = Rate(1, 3600.0)

    with store.begin() as tx:
        tx.limits.take("member:wecom:sun.yue", slow)
        assert tx.limits.wait("member:wecom:sun.yue", slow) > 0.0
        assert tx.limits.wait("member:wecom:liu.yang", slow) == 0.0


def test_what_is_rolled_back_spends_nothing(store: Store) -> None:
    slow = Rate(1, 3600.0)

    try:
        with store.begin() as tx:
            tx.limits.pace("api:wecom", slow)
            tx.limits.take("member:wecom:sun.yue", slow)
            raise RuntimeError("not sent after all")
    except RuntimeError:
        pass

    with store.begin() as tx:
        assert tx.limits.pace("api:wecom", slow) == 0.0
        assert tx.limits.wait("member:wecom:sun.yue", slow) == 0.0


def test_nobody_goes_while_the_platform_says_too_fast(store: Store) -> None:
    with store.begin() as tx:
        tx.limits.pause("api:dingtalk", 600.0)
        wait = tx.limits.pace("api:dingtalk", RATE)

    assert 590 < wait <= 600


def _take_some(url: str, take: Callable[[Tx], float]) -> list[float]:
    """Take as fast as is allowed; the moments on the machine's monotonic clock."""
    store = Store(url)
    moments: list[float] = []
    while len(moments) < EACH:
        with store.begin() as tx:
            wait = take(tx)
            now = time.monotonic()
        if wait:
            time.sleep(wait)
        else:
            moments.append(now)
    store.close()
    return moments
