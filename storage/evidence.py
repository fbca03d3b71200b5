"""Pictures and videos that belong to records: what is to be fetched from a platform, what was kept, and why something was not.

States: waiting → stored | failed. A worker claims one row with a lease on the database's clock and fetches outside any transaction;
a lease that ran out belonged to a worker that died, and the next one fetches the same file again: the same bytes, the same blob.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, literal, or_, select, union, update

from rules.events import Platform
from rules.evidence import Evidence, MediaKind, Problem, Progress
from rules.feedback import State
from rules.messages import PersonId
from storage.columns import among, db_now
from storage.tables import evidence, feedback, in_state
from storage.work import Prepared, Work


@dataclass(frozen=True)
class Sent:
    """A picture that somebody sent and that lies with the platform."""

    feedback: int | None
    by: PersonId
    platform: Platform
    media: str
    received_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Kept:
    """A file that lies in the blobs. `blob` and `thumbnail` are their names there; pixels are None for a video."""

    kind: MediaKind
    media_type: str
    blob: str
    thumbnail: str | None
    size_bytes: int
    width: int | None = None
    height: int | None = None


_OF = Prepared(select(evidence).where(evidence.c.feedback == bindparam("record")).order_by(evidence.c.id))
_OF_ALL = Prepared(select(evidence).where(among(evidence.c.feedback, "ids")).order_by(evidence.c.id))
_LOOSE = and_(evidence.c.feedback.is_(None), evidence.c.by == bindparam("sender"), evidence.c.received_at >= bindparam("since"))
_OF_OR_LOOSE = Prepared(select(evidence).where(or_(evidence.c.feedback == bindparam("record"), _LOOSE)).order_by(evidence.c.id))


class EvidenceTable:
    """`of` remembers what it or `meet` found until something is written."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._of: dict[int, tuple[Evidence, ...]] = {}
        self._bare: int | None = None

    def foreseen_none(self, feedback: int) -> None:
        """This record has no pictures, and its author has sent none that belong to no record."""
        self._of[feedback], self._bare = (), feedback

    # -- written by handlers ---------------------------------------------------------------------------------------------------

    def add(self, sent: Sent) -> int:
        """Note a file to be fetched; its id."""
        row = {
            "feedback": sent.feedback,
            "by": sent.by,
            "platform": sent.platform.value,
            "media": sent.media,
            "state": Progress.WAITING.value,
            "received_at": sent.received_at,
            "expires_at": sent.expires_at,
        }
        return self._insert(row)

    def add_kept(self, feedback: int, by: PersonId, kept: Kept, now: datetime) -> int:
        """Note a file that came through a page and is kept already; its id."""
        row = {"feedback": feedback, "by": by, "media": "", "state": Progress.STORED.value, "received_at": now, "expires_at": now}
        return self._insert(row | _columns(kept))

    def attach(self, id: int, feedback: int) -> None:
        """The record it belongs to is known now."""
        self._forget()
        self._work.execute(update(evidence).where(evidence.c.id == id).values(feedback=feedback))

    def copy(self, feedback: int, to: int) -> None:
        """What was sent for the one record was sent for the other, too: the same file, fetched for each."""
        columns = [column for column in evidence.c if column.name not in ("id", "feedback", "owner", "lease_until")]
        same = select(literal(to), *columns).where(evidence.c.feedback == feedback)
        self._forget()
        self._work.execute(insert(evidence).from_select(["feedback", *(column.name for column in columns)], same))

    def drop(self, ids: Collection[int]) -> None:
        """Forget these; their blobs go with the next sweep."""
        self._forget()
        self._work.execute(delete(evidence).where(evidence.c.id.in_(ids)))

    # -- written by the fetcher ------------------------------------------------------------------------------------------------

    def claim_next(self, owner: str, lease_seconds: float) -> Evidence | None:
        """Take the next file to fetch, so that nobody else does for `lease_seconds`; None when none is due."""
        free = and_(
            in_state(evidence, Progress.WAITING),
            or_(evidence.c.retry_at.is_(None), evidence.c.retry_at <= db_now()),
            or_(evidence.c.lease_until.is_(None), evidence.c.lease_until <= db_now()),
        )
        query = select(evidence).where(free).order_by(evidence.c.id).limit(1).with_for_update(skip_locked=True)
        row = self._work.execute(query).one_or_none()
        if row is None:
            return None
        taken = {"owner": owner, "lease_until": db_now() + lease_seconds, "retry_at": None, "attempts": evidence.c.attempts + 1}
        self._work.execute(update(evidence).where(evidence.c.id == row.id).values(**taken))
        return self.get(row.id)

    def stored(self, id: int, owner: str, kept: Kept) -> bool:
        """It lies in the blobs. False when somebody else has it now, or nobody wants it any more."""
        return self._end(id, owner, {"state": Progress.STORED.value, **_columns(kept)})

    def failed(self, id: int, owner: str, problem: Problem) -> bool:
        """It will not be kept. False as above."""
        return self._end(id, owner, {"state": Progress.FAILED.value, "problem": problem.value})

    def retry_in(self, id: int, owner: str, seconds: float) -> None:
        """Not fetched; try again after `seconds` of real time."""
        self._end(id, owner, {"retry_at": db_now() + seconds})

    # -- read ------------------------------------------------------------------------------------------------------------------

    def get(self, id: int) -> Evidence | None:
        """One of them; None when there is none."""
        row = self._work.execute(select(evidence).where(evidence.c.id == id)).one_or_none()
        return _evidence(row) if row else None

    def of(self, feedback: int) -> tuple[Evidence, ...]:
        """Everything sent for a record, oldest first, also what failed."""
        if feedback not in self._of:
            self._of[feedback] = tuple(_evidence(row) for row in self._work.rows(_OF, record=feedback))
        return self._of[feedback]

    def meet(self, feedbacks: Iterable[int]) -> None:
        """Find out about several records in one statement."""
        found, wanted = defaultdict[int, list[Evidence]](list), list(feedbacks)
        for row in self._work.rows(_OF_ALL, ids=wanted):
            found[row.feedback].append(_evidence(row))
        self._of.update({id: tuple(found[id]) for id in wanted})

    def of_or_loose(self, feedback: int, by: PersonId, since: datetime) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
        """`of`, and what this person sent since then and no record is known for; both oldest first."""
        if feedback == self._bare:
            return (), ()
        found = [_evidence(row) for row in self._work.rows(_OF_OR_LOOSE, record=feedback, sender=by, since=since)]
        self._of[feedback] = tuple(item for item in found if item.feedback is not None)
        return self._of[feedback], tuple(item for item in found if item.feedback is None)

    def illustrated(self, feedbacks: Collection[int]) -> frozenset[int]:
        """Which of these records have a picture by their author, fetched or on its way."""
        query = (
            select(evidence.c.feedback)
            .join(feedback, feedback.c.id == evidence.c.feedback)
            .where(evidence.c.feedback.in_(feedbacks), evidence.c.by == feedback.c.author, evidence.c.state != Progress.FAILED.value)
        )
        return frozenset(id for id in self._work.execute(query).scalars() if id is not None)

    # -- retention -------------------------------------------------------------------------------------------------------------

    def forget_moot(self, before: datetime) -> int:
        """Forget what came before that moment and belongs to no record, or to one that was never given; the number forgotten."""
        never_given = select(feedback.c.id).where(feedback.c.state == State.EXPIRED.value)
        moot = or_(evidence.c.feedback.is_(None), evidence.c.feedback.in_(never_given))
        self._forget()
        return self._work.execute(delete(evidence).where(evidence.c.received_at < before, moot)).rowcount

    def referenced(self, blobs: Collection[str]) -> frozenset[str]:
        """Which of these blobs a row names."""
        named = union(
            select(evidence.c.blob).where(evidence.c.blob.in_(blobs)),
            select(evidence.c.thumbnail).where(evidence.c.thumbnail.in_(blobs)),
        )
        return frozenset(self._work.execute(named).scalars())

    def _forget(self) -> None:
        self._of.clear()
        self._bare = None

    def _insert(self, row: dict[str, Any]) -> int:
        defaults = {"attempts": 0, "media_type": "", "size_bytes": 0}
        self._forget()
        key = self._work.execute(insert(evidence).values(**(defaults | row))).inserted_primary_key
        assert key is not None
        return int(key[0])

    def _end(self, id: int, owner: str, values: dict[str, Any]) -> bool:
        # A worker whose lease ran out must not overwrite what its successor noted.
        mine = and_(evidence.c.id == id, evidence.c.owner == owner, evidence.c.state == Progress.WAITING.value)
        self._forget()
        return self._work.execute(update(evidence).where(mine).values(lease_until=None, **values)).rowcount == 1


def _columns(kept: Kept) -> dict[str, Any]:
    return {
        "kind": kept.kind.value,
        "media_type": kept.media_type,
        "blob": kept.blob,
        "thumbnail": kept.thumbnail,
        "size_bytes": kept.size_bytes,
        "width": kept.width,
        "height": kept.height,
    }


def _evidence(row: Any) -> Evidence:
    return Evidence(
        id=row.id,
        feedback=row.feedback,
        by=row.by,
        platform=Platform(row.platform) if row.platform else None,
        media=row.media,
        state=Progress(row.state),
        attempts=row.attempts,
        received_at=row.received_at,
        expires_at=row.expires_at,
        kind=MediaKind(row.kind) if row.kind else None,
        media_type=row.media_type,
        blob=row.blob,
        thumbnail=row.thumbnail,
        size_bytes=row.size_bytes,
        width=row.width,
        height=row.height,
        problem=Problem(row.problem) if row.problem else None,
    )
