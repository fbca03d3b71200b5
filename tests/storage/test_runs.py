"""Scheduled work and leases: however many processes tick, one does it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from storage.unit import Store
from tests.builders import NOON

SLOTS = [f"2026-09-14 12:{minute:02}" for minute in range(20)]


def test_of_two_tickers_one_has_each_slot(database_url: str) -> None:
    def tick(_: int) -> list[str]:
        store = Store(database_url)
        mine = [slot for slot in SLOTS if _claims(store, slot)]
        store.close()
        return mine

    with ThreadPoolExecutor(2) as tickers:
        first, second = tickers.map(tick, range(2))

    assert sorted(first + second) == SLOTS


def test_slots_of_different_jobs_are_different(store: Store) -> None:
    with store.begin() as tx:
        assert tx.runs.first("checkin", "2026-09-14", NOON)
        assert tx.runs.first("digest", "2026-09-14", NOON)
        assert not tx.runs.first("digest", "2026-09-14", NOON)

        assert tx.runs.taken("digest", ["2026-09-14", "2026-09-15"]) == {"2026-09-14"}
        assert tx.runs.taken("digest", []) == frozenset()


def test_a_lease_is_one_owners_until_it_ends_or_is_given_up(store: Store) -> None:
    with store.begin() as tx:
        assert tx.leases.hold("stream", "a", 60.0)
        assert tx.leases.hold("stream", "a", 60.0), "renewed"
        assert not tx.leases.hold("stream", "b", 60.0)

        tx.leases.release("stream", "b")
        assert not tx.leases.hold("stream", "b", 60.0), "nobody gives up what is not his"
        tx.leases.release("stream", "a")
        assert tx.leases.hold("stream", "b", -1.0)

        assert tx.leases.hold("stream", "a", 60.0), "the lease of b has run out"


def _claims(store: Store, slot: str) -> bool:
    with store.begin() as tx:
        return tx.runs.first("tick", slot, NOON)
