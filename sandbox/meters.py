"""What was used: calls by month and API, calls a second, messages a member and minute. Counts first, refuses if told to.

Months are calendar months of the business clock in China; windows of seconds, minutes and hours are real time.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from datetime import timedelta, timezone
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.clock import Clock, monotonic
from sandbox.company import Platform
from sandbox.store import Store

CHINA = timezone(timedelta(hours=8))
MONTH = "month"
QUOTAS = "quotas"


class Quotas(BaseModel):
    """The limits, with the platforms' numbers as defaults.

    DingTalk's free edition: 5000 metered calls, 3000 Webhook and Stream messages a month, 20 calls a second for each
    app and API [doc dingtalk-application-development-platform-billing-model]. WeCom: 30 messages a minute and 1000 an
    hour to one member [doc 90236], 10 000 calls a minute to one API [doc 90454].
    """

    model_config = ConfigDict(extra="forbid")

    dingtalk_api_calls_per_month: int = Field(default=5000, ge=0)
    dingtalk_stream_messages_per_month: int = Field(default=3000, ge=0)
    dingtalk_qps: int = Field(default=20, ge=1)
    dingtalk_enforce_month: bool = False
    wecom_per_member_per_minute: int = Field(default=30, ge=1)
    wecom_per_member_per_hour: int = Field(default=1000, ge=1)
    wecom_per_api_per_minute: int = Field(default=10_000, ge=1)


class Meters:
    """Counters of both platforms."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._windows: dict[str, deque[float]] = defaultdict(deque)
        self._peaks: dict[str, int] = defaultdict(int)
        self.forget()

    def forget(self) -> None:
        """Take windows as empty and quotas as kept (or default)."""
        with self._lock:
            self._windows.clear()
            self._peaks.clear()
        self.quotas = Quotas.model_validate(self._store.get(QUOTAS, "all") or {})

    def set_quotas(self, changes: dict[str, Any]) -> None:
        """Change the named limits. Raises pydantic.ValidationError."""
        self.quotas = Quotas.model_validate({**self.quotas.model_dump(), **changes})
        self._store.put(QUOTAS, "all", self.quotas.model_dump())

    def count(self, platform: Platform, name: str, by: int = 1) -> None:
        """Add to this month's counter."""
        key = f"{self.month()}|{platform}|{name}"
        with self._store.transaction():
            kept = self._store.get(MONTH, key)
            self._store.put(MONTH, key, {"count": (kept["count"] if kept else 0) + by})

    def counted(self, platform: Platform, name: str) -> int:
        """This month's counter."""
        kept = self._store.get(MONTH, f"{self.month()}|{platform}|{name}")
        return int(kept["count"]) if kept else 0

    def month(self) -> str:
        """The business month in China, 2026-09."""
        return self._clock.now().astimezone(CHINA).strftime("%Y-%m")

    def within(self, window: str, limit: int, seconds: float) -> bool:
        """Take one place in a sliding window; False when it is full (then none is taken)."""
        now = monotonic()
        with self._lock:
            places = self._windows[window]
            while places and places[0] <= now - seconds:
                places.popleft()
            if len(places) >= limit:
                return False
            places.append(now)
            self._peaks[window] = max(self._peaks[window], len(places))
            return True

    def report(self) -> dict[str, Any]:
        """The answer of GET /sandbox/meters."""
        counts: dict[str, dict[str, int]] = {"dingtalk": {}, "wecom": {}}
        for key, doc in self._store.all(MONTH):
            month, platform, name = key.split("|", 2)
            if month == self.month():
                counts[platform][name] = doc["count"]
        ding, wecom = counts["dingtalk"], counts["wecom"]
        with self._lock:
            peaks = {window.removeprefix("qps:"): peak for window, peak in self._peaks.items() if window.startswith("qps:")}
        return {
            "month": self.month(),
            "dingtalk": {
                "metered_calls": ding.get("metered", 0),
                "stream_messages": ding.get("stream", 0),
                "calls": _below(ding, "call:"),
                "qps_refusals": ding.get("qps_refusals", 0),
                "peak_qps": peaks,
            },
            "wecom": {
                "calls": _below(wecom, "call:"),
                "messages": wecom.get("messages", 0),
                "callbacks": wecom.get("callbacks", 0),
                "silent_drops": _below(wecom, "drop:"),
            },
            "quotas": self.quotas.model_dump(),
        }


def _below(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}
