"""What the bot asked, what it was sent, and what it should be warned of. Secrets are masked before anything is kept."""

from __future__ import annotations

import json
from typing import Any

from sandbox.clock import Clock, iso
from sandbox.company import Platform
from sandbox.store import Store

SECRET_NAMES = {
    "access_token",
    "accesstoken",
    "appsecret",
    "clientsecret",
    "client_secret",
    "corpsecret",
    "refreshtoken",
    "apisecret",
    "encoding_aes_key",
    "ticket",
}
MASK = "<secret>"
LONGEST_TEXT = 20_000


class Ledger:
    """Three ordered lists: requests, deliveries, warnings."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def request(self, platform: Platform, **entry: Any) -> int:
        """Keep a request of the bot with its answer; its number."""
        return self._keep("requests", {"platform": platform, **entry})

    def delivery(
        self,
        platform: Platform,
        channel: str,
        body: object,
        status: int | None,
        answer: object,
        ms: float,
        note: str | None,
        attempt: int = 1,
    ) -> int:
        """Keep one try to deliver something to the bot; its number. `channel` is callback or stream."""
        entry = {"channel": channel, "try": attempt, "body": body, "status": status, "answer": answer, "ms": ms, "note": note}
        return self._keep("deliveries", {"platform": platform, **entry})

    def warn(self, platform: Platform, text: str) -> None:
        """Keep a sentence for the engineer."""
        self._keep("warnings", {"platform": platform, "text": text})

    def entries(self, table: str, after: int | None, limit: int) -> list[dict[str, Any]]:
        """Entries of one list, oldest first: the next ones above `after`, or the latest ones when it is None."""
        if after is None:
            latest = self._store.rows(f"SELECT n, doc FROM {table} ORDER BY n DESC LIMIT ?", limit)  # noqa: S608 - our own table names
            return [{"n": n, **json.loads(doc)} for n, doc in reversed(latest)]
        rows = self._store.rows(f"SELECT n, doc FROM {table} WHERE n > ? ORDER BY n LIMIT ?", after, limit)  # noqa: S608 - our own table names
        return [{"n": n, **json.loads(doc)} for n, doc in rows]

    def _keep(self, table: str, entry: dict[str, Any]) -> int:
        doc = json.dumps(masked({"at": iso(self._clock.now()), **entry}), ensure_ascii=False, default=str)
        return self._store.run(f"INSERT INTO {table} (doc) VALUES (?)", doc)  # noqa: S608 - our own table names


def masked(value: Any) -> Any:
    """The same value without secrets; long texts are cut."""
    if isinstance(value, dict):
        return {key: MASK if _is_secret(key) and each else masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    return value


def _is_secret(name: object) -> bool:
    return str(name).lower() in SECRET_NAMES
