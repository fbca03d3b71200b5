"""Fault switches: what should go wrong, where, how often. Chance is seeded, so a run can be repeated."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

REQUEST_FAULTS = {"http_500", "timeout", "timeout_after_effect", "token_expired", "malformed_json", "drop", "over_quota", "html_page"}
DELIVERY_FAULTS = {
    "duplicate_delivery",
    "delayed_delivery",
    "reorder",
    "drop",
    "disconnect",
    "over_quota",
    "bad_signature",
    "clock_skew",
}
DELIVERY_TARGETS = {"wecom:callback", "dingtalk:callback", "dingtalk:stream"}
KNOWN_CODE = re.compile(r"errcode:-?\d+|code:[\w.]+")


class Fault(BaseModel):
    """One switch, as the control API shows it."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    target: str = Field(pattern=r"^(wecom|dingtalk):.+$")
    fault: str
    times: int | None = Field(default=None, ge=1)
    copies: int = Field(default=2, ge=1, le=20)
    seconds: float = Field(default=10, ge=-86400, le=86400)
    probability: float = Field(default=1, ge=0, le=1)
    seed: int = 0
    hits: Literal[0] | int = 0

    def check(self) -> None:
        """Raises ValueError when the fault cannot happen at its target."""
        allowed = DELIVERY_FAULTS if self.target in DELIVERY_TARGETS else REQUEST_FAULTS
        coded = self.target not in DELIVERY_TARGETS and KNOWN_CODE.fullmatch(self.fault)
        if self.fault not in allowed and not coded:
            raise ValueError(f"{self.fault!r} is no fault of {self.target!r}; known: {', '.join(sorted(allowed))}")

    def matches(self, target: str) -> bool:
        """Exact, or everything that begins so when the target ends with a star."""
        return target.startswith(self.target[:-1]) if self.target.endswith("*") else target == self.target


@dataclass
class Faults:
    """All switches that are on. They live as long as the process."""

    _switches: dict[str, Fault] = field(default_factory=dict)
    _dice: dict[str, random.Random] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    def set(self, fault: Fault) -> None:
        """Switch on, or replace the one with the same id. Raises ValueError for a fault that cannot happen there."""
        fault.check()
        with self._lock:
            self._count += 1
            fault.id = fault.id or f"f{self._count}"
            self._switches[fault.id] = fault
            self._dice[fault.id] = random.Random(fault.seed)

    def all(self) -> list[Fault]:
        """In the order they were set."""
        with self._lock:
            return list(self._switches.values())

    def clear(self, fault_id: str | None = None) -> bool:
        """Switch one off (False when unknown), or all."""
        with self._lock:
            if fault_id is None:
                self._switches.clear()
                return True
            return self._switches.pop(fault_id, None) is not None

    def take(self, target: str) -> Fault | None:
        """The first fault that happens at `target` now; one of its times is used up."""
        with self._lock:
            for fault in self._switches.values():
                if not fault.matches(target) or self._dice[fault.id].random() >= fault.probability:
                    continue
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        del self._switches[fault.id]
                return fault.model_copy()
        return None
