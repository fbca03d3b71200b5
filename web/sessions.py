"""Who is looking at the pages: a signed cookie that says which person came in, for twelve hours.

The cookie is a name tag, no right: that the person still works here is asked of the directory at every request. Each session has a
word of its own that every form must bring back (CSRF).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Request
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from rules.messages import PersonId

LIFE_SECONDS = 12 * 3600
_STEP_SECONDS = 600
_COOKIE, _STEP_COOKIE = "sanmiao", "sanmiao_login"


@dataclass(frozen=True)
class Session:
    """`word` stands in every form of this session."""

    person: PersonId
    word: str

    def brings(self, word: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(word.encode(), self.word.encode())


class Sessions:
    """Cookies of our own. `secret` signs them; `secure` when people reach us by https."""

    def __init__(self, secret: str, utc_now: Callable[[], datetime], *, secure: bool) -> None:
        class OurClock(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(utc_now().timestamp())

        self._secure = secure
        self._sessions = URLSafeTimedSerializer(secret, salt="session", signer=OurClock)
        self._steps = URLSafeTimedSerializer(secret, salt="login", signer=OurClock)

    def begin(self, response: Response, person: PersonId) -> None:
        """This browser is that person's from now on."""
        value = self._sessions.dumps([person, secrets.token_hex(16)])
        self._set(response, _COOKIE, value, LIFE_SECONDS)
        response.delete_cookie(_STEP_COOKIE, path="/")

    def end(self, response: Response) -> None:
        """This browser is nobody's."""
        response.delete_cookie(_COOKIE, path="/")

    def of(self, request: Request) -> Session | None:
        """The session of a request; None when there is none, or it ran out."""
        told = _told(self._sessions, request.cookies.get(_COOKIE), LIFE_SECONDS)
        return Session(int(told[0]), str(told[1])) if told else None

    def begin_step(self, response: Response, next: str) -> str:
        """A login begins in this browser; the word it must come back with within ten minutes (letters and digits, wecom.md §14)."""
        word = secrets.token_hex(16)
        self._set(response, _STEP_COOKIE, self._steps.dumps([word, next]), _STEP_SECONDS)
        return word

    def finish_step(self, request: Request, word: str) -> str | None:
        """The page that the login was begun for; None when it was begun elsewhere, or too long ago."""
        told = _told(self._steps, request.cookies.get(_STEP_COOKIE), _STEP_SECONDS)
        return str(told[1]) if told and hmac.compare_digest(str(told[0]).encode(), word.encode()) else None

    def _set(self, response: Response, name: str, value: str | bytes, seconds: int) -> None:
        text = value if isinstance(value, str) else value.decode()
        response.set_cookie(name, text, max_age=seconds, path="/", httponly=True, samesite="Lax", secure=self._secure)


def _told(signer: URLSafeTimedSerializer, value: str | None, life: int) -> Any:
    try:
        return signer.loads(value or "", max_age=life)
    except BadSignature:
        return None
