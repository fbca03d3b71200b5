"""An access token that many threads share: one of them renews it before it runs out, or when the platform refuses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from bot.channel import Failure, SendFailed

T = TypeVar("T")

# A wrong secret, asked again and again, gets the machine's address blocked for an hour (wecom.md §1.1).
_REFUSAL_PAUSE = 60.0
_LONGEST_MARGIN = 300.0


class TokenRefused(SendFailed):
    """The platform does not accept the token. The call was surely not done."""

    def __init__(self, code: str) -> None:
        super().__init__(Failure.TEMPORARY, code, "the access token was refused, also after renewal")


class SharedToken:
    """Caches what `fetch` returns: (token, lifetime in seconds). `fetch` raises SendFailed."""

    def __init__(self, fetch: Callable[[], tuple[str, float]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0
        self._refusal: SendFailed | None = None
        self._refused_until = 0.0

    def get(self) -> str:
        """The token, fetched when there is none or it is about to run out. Raises SendFailed, never UNKNOWN: nothing was sent."""
        with self._lock:
            if self._token is not None and self._monotonic() < self._renew_at:
                return self._token
            if self._refusal is not None and self._monotonic() < self._refused_until:
                raise self._refusal
            return self._renew()

    def call(self, attempt: Callable[[str], T]) -> T:
        """`attempt(token)`, and once more with a new token when that raises TokenRefused."""
        token = self.get()
        try:
            return attempt(token)
        except TokenRefused:
            self._drop(token)
        return attempt(self.get())

    def _drop(self, token: str) -> None:
        with self._lock:
            # Another thread may have renewed it meanwhile.
            if self._token == token:
                self._token = None

    def _renew(self) -> str:
        try:
            token, lifetime = self._fetch()
        except SendFailed as failure:
            if failure.kind is Failure.REFUSED:
                self._refusal, self._refused_until = failure, self._monotonic() + _REFUSAL_PAUSE
            if failure.kind is Failure.UNKNOWN:
                raise SendFailed(Failure.TEMPORARY, failure.code, f"no access token: {failure.text}") from None
            raise
        self._token, self._refusal = token, None
        # A platform may hand out the same token with the seconds that remain, so the margin must shrink with them.
        self._renew_at = self._monotonic() + lifetime - min(_LONGEST_MARGIN, lifetime / 10)
        return token
