"""Forgetting what has had its time (F6), oldest first and a few rows at a time: nobody waits for the database meanwhile.

Rows are found by an index or from the front of their table, never by searching all of it. A message's row stays, as what was sent when
and to whom; its words go, and with them its card: it can no longer be pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, case, delete, func, select, tuple_, update

from rules.retention import Passing
from rules.weeks import SHANGHAI
from storage.outbox import State
from storage.tables import feedback, forgotten, history, inbox, logins, metadata, never_given, outbox, rulings, sentences, usage
from storage.upsert import insert_new
from storage.work import Work

_UNFINISHED = (State.DUE.value, State.SENDING.value)
_MAY_BE_TRIED = (State.FAILED.value, State.UNSURE.value)


class RetentionTable:
    def __init__(self, work: Work) -> None:
        self._work = work

    def forget(self, what: Passing, before: datetime, at_most: int) -> int:
        """Forget up to `at_most` of those older than `before`; how many, 0 when none is left."""
        return _FORGET[what](self._work, before, at_most)

    def oldest(self, what: Passing) -> datetime | None:
        """What the oldest one dates from that was not forgotten; None when there is none."""
        return _OLDEST[what](self._work)


# -- forgetting ----------------------------------------------------------------------------------------------------------------------


def _inbox(work: Work, before: datetime, at_most: int) -> int:
    return _delete(work, inbox, inbox.c.received_at < before, at_most)


def _usage(work: Work, before: datetime, at_most: int) -> int:
    return _delete(work, usage, usage.c.day < before.astimezone(SHANGHAI).date().isoformat(), at_most)


def _logins(work: Work, before: datetime, at_most: int) -> int:
    return _delete(work, logins, logins.c.expires_at < before, at_most)


def _rulings(work: Work, before: datetime, at_most: int) -> int:
    return _delete_from_the_front(work, rulings.c.id, rulings.c.at, before, at_most)


def _outbox(work: Work, before: datetime, at_most: int) -> int:
    """From where the last call stopped. What has not come to an end holds up what is behind it."""
    query = select(outbox.c.id, outbox.c.created_at, outbox.c.state).where(outbox.c.id > _done_up_to(work)).order_by(outbox.c.id)
    rows = work.execute(query.limit(at_most)).all()
    old = [row.id for row in takewhile(lambda row: row.created_at < before and row.state not in _UNFINISHED, rows)]
    if old:
        _forget_words(work, outbox.c.id.in_(old))
        insert_new(work, forgotten, {"what": Passing.OUTBOX.value, "up_to": 0})
        work.execute(update(forgotten).where(forgotten.c.what == Passing.OUTBOX.value).values(up_to=old[-1]))
    return len(old)


def _drafts(work: Work, before: datetime, at_most: int) -> int:
    """Sentences first, then drafts with all that hangs on them; bytes of their pictures go with the next sweep of the blobs."""
    typed = _delete_from_the_front(work, sentences.c.id, sentences.c.until, before, at_most)
    if typed:
        return typed
    newest = select(func.max(feedback.c.id)).scalar_subquery()  # stays: SQLite would give its id to another record
    old = select(feedback.c.id).where(never_given, feedback.c.closed_at < before, feedback.c.id < newest)
    ids = work.execute(old.order_by(feedback.c.closed_at).limit(at_most)).scalars().all()
    if ids:
        about = [f"feedback:{id}" for id in ids]
        work.execute(delete(history).where(history.c.about.in_(about)))
        _forget_words(work, outbox.c.about.in_(about))
        for column in _HANG_ON_A_DRAFT:
            work.execute(delete(column.table).where(column.in_(ids)))
        work.execute(delete(feedback).where(feedback.c.id.in_(ids)))
    return len(ids)


_HANG_ON_A_DRAFT: Sequence[Column[Any]] = tuple(
    key.parent for table in reversed(metadata.sorted_tables) for key in table.foreign_keys if key.column is feedback.c.id
)


def _forget_words(work: Work, which: ColumnElement[bool]) -> None:
    """What could still be tried again cannot any more."""
    ended = which & outbox.c.state.not_in(_UNFINISHED)
    state = case((outbox.c.state.in_(_MAY_BE_TRIED), State.EXPIRED.value), else_=outbox.c.state)
    work.execute(update(outbox).where(ended).values(state=state, data={}, payload=None, handle=None, error_text=None))


def _delete(work: Work, table: Table, which: ColumnElement[bool], at_most: int) -> int:
    key = tuple(table.primary_key.columns)
    return work.execute(delete(table).where(tuple_(*key).in_(select(*key).where(which).limit(at_most)))).rowcount


def _delete_from_the_front(work: Work, key: Column[int], at: Column[Any], before: datetime, at_most: int) -> int:
    """Of a table whose rows are added in the order of their time."""
    rows = work.execute(select(key, at).order_by(key).limit(at_most)).all()
    old = [id for id, _ in takewhile(lambda row: row[1] < before, rows)]
    return work.execute(delete(key.table).where(key.in_(old))).rowcount if old else 0


def _done_up_to(work: Work) -> int:
    query = select(forgotten.c.up_to).where(forgotten.c.what == Passing.OUTBOX.value)
    return work.execute(query).scalar_one_or_none() or 0


# -- looking -------------------------------------------------------------------------------------------------------------------------


def _first_day(work: Work) -> datetime | None:
    day = work.execute(select(func.min(usage.c.day))).scalar_one()
    return datetime.fromisoformat(day).replace(tzinfo=SHANGHAI) if day else None


def _first_message(work: Work) -> datetime | None:
    return _first(work, outbox.c.id, outbox.c.created_at, outbox.c.id > _done_up_to(work))


def _first_draft(work: Work) -> datetime | None:
    ended = work.execute(select(func.min(feedback.c.closed_at)).where(never_given)).scalar_one()
    return min((at for at in (ended, _first(work, sentences.c.id, sentences.c.until)) if at is not None), default=None)


def _first(work: Work, key: Column[int], at: Column[Any], *which: ColumnElement[bool]) -> datetime | None:
    found: datetime | None = work.execute(select(at).where(*which).order_by(key).limit(1)).scalar_one_or_none()
    return found


_FORGET: Mapping[Passing, Callable[[Work, datetime, int], int]] = {
    Passing.INBOX: _inbox,
    Passing.OUTBOX: _outbox,
    Passing.RULINGS: _rulings,
    Passing.USAGE: _usage,
    Passing.LOGINS: _logins,
    Passing.DRAFTS: _drafts,
}
_OLDEST: Mapping[Passing, Callable[[Work], datetime | None]] = {
    Passing.INBOX: lambda work: work.execute(select(func.min(inbox.c.received_at))).scalar_one(),
    Passing.OUTBOX: _first_message,
    Passing.RULINGS: lambda work: _first(work, rulings.c.id, rulings.c.at),
    Passing.USAGE: _first_day,
    Passing.LOGINS: lambda work: work.execute(select(func.min(logins.c.expires_at))).scalar_one(),
    Passing.DRAFTS: _first_draft,
}
