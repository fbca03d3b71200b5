"""Feedback records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, update

from rules.events import Platform
from rules.feedback import Behaviour, Kind, Record, State
from rules.messages import PersonId
from storage.columns import among
from storage.conflict import Conflict
from storage.tables import feedback, in_state
from storage.work import Prepared, Work


@dataclass(frozen=True)
class Draft:
    """A check-in about to be offered. `platform` is where a person asked for it, None when a rule did."""

    author: PersonId
    subject: PersonId
    occasion: str
    offered: tuple[Behaviour, ...]
    created_at: datetime
    expires_at: datetime
    source: str
    platform: Platform | None = None


_GET = Prepared(select(feedback).where(feedback.c.id == bindparam("id")))
_SOME = Prepared(select(feedback).where(among(feedback.c.id, "ids")))
_APPLY = Prepared(
    update(feedback).where(feedback.c.id == bindparam("this"), feedback.c.version == bindparam("read")),
    ("version", "state", "kind", "occurred_at", "scene", "action", "impact", "ticks", "given_at", "answered_at", "closed_at"),
)


class FeedbackTable:
    def __init__(self, work: Work) -> None:
        self._work = work
        self._ahead: dict[int, Any] = {}

    def foreseen(self, row: Any) -> None:
        """`get` will be asked for this record, as the next thing about it."""
        self._ahead[row.id] = row

    def open_draft(self, draft: Draft) -> int:
        """Store a draft; its id."""
        row = {
            "version": 0,
            "source": draft.source,
            "platform": draft.platform,
            "state": State.DRAFT.value,
            "author": draft.author,
            "subject": draft.subject,
            "occasion": draft.occasion,
            "scene": "",
            "action": "",
            "impact": "",
            "offered": [asdict(behaviour) for behaviour in draft.offered],
            "ticks": [],
            "occurred_at": draft.created_at,
            "created_at": draft.created_at,
            "expires_at": draft.expires_at,
        }
        key = self._work.execute(insert(feedback).values(**row)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def get(self, id: int) -> Record:
        """The record. Raises NoResultFound when there is none."""
        return record_of(self._ahead.pop(id, None) or self._work.one(_GET, id=id))

    def some(self, ids: Iterable[int]) -> Mapping[int, Record]:
        """These records by id; unknown ids are left out."""
        return {row.id: record_of(row) for row in self._work.rows(_SOME, ids=list(ids))}

    def find(self, id: int) -> Record | None:
        """The record, or None when there is none."""
        row = self._work.row(_GET, id=id)
        return record_of(row) if row else None

    def apply(self, record: Record) -> None:
        """Store what a rule decided. Conflict is raised by the commit at the latest when the record was changed since it was read."""
        self._ahead.pop(record.id, None)
        row = {
            "this": record.id,
            "read": record.version,
            "version": record.version + 1,
            "state": record.state.value,
            "kind": record.kind,
            "scene": record.scene,
            "action": record.action,
            "impact": record.impact,
            "occurred_at": record.occurred_at,
            "ticks": list(record.ticks),
            "given_at": record.given_at,
            "answered_at": record.answered_at,
            "closed_at": record.closed_at,
        }
        self._work.later(_APPLY, row, untouched=Conflict(f"feedback {record.id}"))

    def open_about(self, subject: PersonId) -> tuple[Record, ...]:
        """Records about this person that wait for an answer, newest first."""
        query = select(feedback).where(feedback.c.subject == subject, feedback.c.state == State.OPEN.value)
        return tuple(record_of(row) for row in self._work.execute(query.order_by(feedback.c.given_at.desc(), feedback.c.id.desc())))

    def concerning(self, person: PersonId, since: datetime) -> tuple[Record, ...]:
        """Records that this person gave, was offered or answered since then, and all that wait for his answer; newest first."""
        his = and_(feedback.c.author == person, or_(feedback.c.created_at >= since, feedback.c.given_at >= since))
        about_him = and_(
            feedback.c.subject == person,
            or_(
                feedback.c.state == State.OPEN.value,
                and_(
                    feedback.c.state.in_([s.value for s in (State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED)]),
                    feedback.c.answered_at >= since,
                ),
            ),
        )
        query = select(feedback).where(or_(his, about_him)).order_by(feedback.c.id.desc())
        return tuple(record_of(row) for row in self._work.execute(query))

    def last_mentioned(self, author: PersonId) -> Mapping[PersonId, datetime]:
        """When this author last had a check-in about each of his people, submitted or not."""
        query = select(feedback.c.subject, func.max(feedback.c.created_at)).where(feedback.c.author == author)
        return dict(self._work.execute(query.group_by(feedback.c.subject)).all())

    def occasions_used(self, author: PersonId, subject: PersonId) -> int:
        """How many check-ins this author has had about this subject."""
        query = select(func.count()).where(feedback.c.author == author, feedback.c.subject == subject)
        return int(self._work.execute(query).scalar_one())

    def next_expired_draft(self, now: datetime) -> Record | None:
        """A check-in that nobody submitted in time; locked against other workers."""
        query = select(feedback).where(in_state(feedback, State.DRAFT), feedback.c.expires_at <= now)
        row = self._work.execute(query.order_by(feedback.c.expires_at).limit(1).with_for_update(skip_locked=True)).one_or_none()
        return record_of(row) if row else None

    def postpone(self, record: Record, until: datetime) -> None:
        """Let a draft that could not be ended live on for a while."""
        self._work.execute(update(feedback).where(feedback.c.id == record.id).values(expires_at=until))

    def counts(self) -> Mapping[str, int]:
        """How many records are in each state."""
        rows = self._work.execute(select(feedback.c.state, func.count()).group_by(feedback.c.state))
        return dict(rows.all())


def behaviour_of(stored: Mapping[str, str]) -> Behaviour:
    """A box as it stood on the card; records from before rates have none."""
    return Behaviour(stored["id"], stored["text"], Kind(stored["kind"]), stored["impact"], stored.get("rate", ""))


def record_of(row: Any) -> Record:
    """A row of the table as the record it stands for."""
    return Record(
        id=row.id,
        version=row.version,
        state=State(row.state),
        author=row.author,
        subject=row.subject,
        occasion=row.occasion,
        offered=tuple(map(behaviour_of, row.offered)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        occurred_at=row.occurred_at,
        kind=Kind(row.kind) if row.kind else None,
        scene=row.scene,
        action=row.action,
        impact=row.impact,
        ticks=tuple(row.ticks),
        given_at=row.given_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
    )
