"""Links that log somebody in once (F3). Only a digest of the token is kept: whoever reads the database cannot use it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, update

from rules.messages import PersonId
from storage.tables import logins
from storage.work import Work

LIFE = timedelta(minutes=15)


@dataclass(frozen=True)
class Login:
    """Who may come in by a link, and the path of the page he wants."""

    person: PersonId
    next: str


class LoginsTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def issue(self, person: PersonId, next: str, now: datetime) -> str:
        """A new token, good once and for 15 minutes."""
        token = secrets.token_urlsafe(24)
        row = {"token": _digest(token), "person": person, "next": next, "expires_at": now + LIFE}
        self._work.execute(insert(logins).values(**row))
        return token

    def find(self, token: str, now: datetime) -> Login | None:
        """What the token is good for, without using it up; None when it is unknown, used or too old."""
        row = self._work.execute(select(logins.c.person, logins.c.next).where(*_good(token, now))).one_or_none()
        return Login(*row) if row else None

    def spend(self, token: str, now: datetime) -> Login | None:
        """Use the token up; None when somebody has, or it is unknown or too old."""
        found = self.find(token, now)
        used = self._work.execute(update(logins).where(*_good(token, now)).values(used_at=now))
        return found if used.rowcount == 1 else None


def _good(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return logins.c.token == _digest(token), logins.c.used_at.is_(None), logins.c.expires_at > now


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
