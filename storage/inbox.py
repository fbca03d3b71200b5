"""Events that came in: each is acted on once, and a second delivery gets the first answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from storage.tables import inbox
from storage.upsert import insert_new
from storage.work import Prepared, Work

_KEEP = Prepared(update(inbox).where(inbox.c.platform == bindparam("on"), inbox.c.event_id == bindparam("this")), ("answer",))


class InboxTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def first_time(self, platform: str, event_id: str, kind: str, now: datetime, raw: str | None = None) -> bool:
        """Remember the event. False when it was remembered before; a delivery being worked on elsewhere is waited for.
        `raw` is the original text, kept only for events nobody understood."""
        row = {"platform": platform, "event_id": event_id, "kind": kind, "received_at": now, "raw": raw}
        return insert_new(self._work, inbox, row)

    def keep_answer(self, platform: str, event_id: str, answer: Mapping[str, Any] | None) -> None:
        """Keep what the sender of the event was told, as card data (not bytes), so that it can be drawn again."""
        self._work.later(_KEEP, {"on": platform, "this": event_id, "answer": answer})

    def answer(self, platform: str, event_id: str) -> Mapping[str, Any] | None:
        """What was answered to the first delivery; None when that needed no answer."""
        this = (inbox.c.platform == platform) & (inbox.c.event_id == event_id)
        kept: Mapping[str, Any] | None = self._work.execute(select(inbox.c.answer).where(this)).scalar_one_or_none()
        return kept

    def last_received(self) -> datetime | None:
        """When the newest event came, None before the first."""
        newest: datetime | None = self._work.execute(select(func.max(inbox.c.received_at))).scalar_one()
        return newest

    def counts(self) -> Mapping[str, int]:
        """How many events of each kind are remembered."""
        rows = self._work.execute(select(inbox.c.kind, func.count()).group_by(inbox.c.kind))
        return dict(rows.all())
