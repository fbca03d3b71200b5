"""Screenshots that belong to a record (A5): which record a picture is about, whether one is missing, how long we try to fetch it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rules.events import Account, Platform
from rules.feedback import Kind, Record, State
from rules.messages import GroupChat, PersonId


class Wanted(StrEnum):
    """What a kind of feedback asks of its author."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"


class Progress(StrEnum):
    WAITING = "waiting"  # to be fetched from the platform
    STORED = "stored"
    FAILED = "failed"


class Problem(StrEnum):
    """Why something sent was not kept. Each has its sentence in `cards/templates/_words.yaml`."""

    NOT_A_PICTURE = "not_a_picture"
    TOO_LARGE = "too_large"
    BROKEN = "broken"
    NOT_FETCHED = "not_fetched"
    NOT_KEPT = "not_kept"


@dataclass(frozen=True)
class EvidencePolicy:
    """How far around a card a picture may be sent, and what each kind of feedback asks for (A5)."""

    before: timedelta = timedelta(minutes=10)
    after: timedelta = timedelta(minutes=30)
    wanted: Mapping[Kind, Wanted] = field(default_factory=lambda: dict.fromkeys(Kind, Wanted.OPTIONAL))


@dataclass(frozen=True)
class Evidence:
    """A picture or video as stored. `feedback` is None while no record is known for it. `media` is the platform's handle, empty
    for what came through a page, good until `expires_at`. `blob` and `thumbnail` are SHA-256 of the bytes kept (a video has no
    thumbnail, and no `width` and `height` in pixels). Instants are aware UTC."""

    id: int
    feedback: int | None
    by: PersonId
    platform: Platform | None
    media: str
    state: Progress
    attempts: int
    received_at: datetime
    expires_at: datetime
    kind: MediaKind | None = None
    media_type: str = ""
    blob: str | None = None
    thumbnail: str | None = None
    size_bytes: int = 0
    width: int | None = None
    height: int | None = None
    problem: Problem | None = None


class Part(StrEnum):
    """What the sender of a picture has to do with the record it belongs to."""

    DRAFT = "draft"  # his card, not submitted yet
    GIVEN = "given"  # his feedback
    ANSWERED = "answered"  # feedback to him that he has answered
    ANSWERS = "answers"  # feedback to him that waits: the picture is the answer (A6, A7)


@dataclass(frozen=True)
class Place:
    """The record a picture belongs to."""

    record: Record
    part: Part


# A record that still misses the screenshot it must have takes one that comes late, for so long.
LATE = timedelta(days=7)

_LASTING = (State.OPEN, State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED, State.CLOSED)
_ANSWERED = (State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED)
_BACKOFF = (2.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)


def place(
    sender: PersonId, records: Sequence[Record], now: datetime, policy: EvidencePolicy, illustrated: Collection[int] = ()
) -> Place | None:
    """The record that a picture sent by `sender` at `now` belongs to. `illustrated` are the records whose author sent one already.

    First what he did around now, the newest first: a card offered to him or submitted by him, an answer he gave, a feedback that
    reached him. Then a feedback that waits for his answer, however long (a picture is an answer). Last a feedback of his own that
    misses a screenshot it must have. Source: product A5 ("around a card"), A6 ("any answer stops the clock"), A7.
    """
    places = [found for record in records if (found := _part(sender, record, now))]
    for chosen in (
        [p for p in places if _near(_moments(p), now, policy)],
        [p for p in places if p.part is Part.ANSWERS],
        [p for p in places if p.part is Part.GIVEN and p.record.id not in illustrated and _late(p.record, now, policy)],
    ):
        if chosen:
            return max(chosen, key=lambda p: (max(_moments(p)), p.record.id))
    return None


def around(record: Record, sent_at: datetime, policy: EvidencePolicy) -> bool:
    """Whether a picture its author sent at `sent_at` lies around the record's card: when it was offered, or when it was submitted."""
    return _near(_moments(Place(record, Part.GIVEN)), sent_at, policy)


def wanted(record: Record, policy: EvidencePolicy) -> Wanted:
    """What the record's kind asks of its author; a draft has no kind yet and may have pictures."""
    return policy.wanted.get(record.kind, Wanted.OPTIONAL) if record.kind else Wanted.OPTIONAL


def missing(record: Record, evidence: Sequence[Evidence], policy: EvidencePolicy) -> bool:
    """Whether a given record still lacks the screenshot that it must have. One on its way counts, one that failed does not."""
    if record.state not in _LASTING or wanted(record, policy) is not Wanted.REQUIRED:
        return False
    return not any(e.by == record.author and e.state is not Progress.FAILED for e in evidence)


def worth_a_change(to: Account | GroupChat | None, *, own: bool) -> bool:
    """Whether a card at `to` is to be changed because a picture was added; `own` is a card of the one who sent it.

    WeCom changes a card once per code (wecom.md §7). Whoever sent the picture was told in the chat; his card keeps its code for
    the answer, and shows the picture together with it.
    """
    return not (own and to is not None and to.platform == Platform.WECOM)


def handle_expires(platform: Platform, received_at: datetime) -> datetime:
    """Until when the platform gives the file out for its handle.

    WeCom: 3 days (wecom.md §12). DingTalk states none (dingtalk.md §6.1); it answers "invalid" when it is over, and a day is
    what we try for.
    """
    return received_at + (timedelta(days=3) if platform is Platform.WECOM else timedelta(days=1))


def retry_after(attempts: int) -> float:
    """Seconds to wait after that many tries to fetch a file (1 is the first)."""
    return _BACKOFF[min(attempts, len(_BACKOFF)) - 1]


def _part(sender: PersonId, record: Record, now: datetime) -> Place | None:
    if record.author == sender and record.state is State.DRAFT and now < record.expires_at:
        return Place(record, Part.DRAFT)
    if record.author == sender and record.state in _LASTING:
        return Place(record, Part.GIVEN)
    if record.subject == sender and record.state is State.OPEN:
        return Place(record, Part.ANSWERS)
    if record.subject == sender and record.state in _ANSWERED:
        return Place(record, Part.ANSWERED)
    return None


def _moments(found: Place) -> tuple[datetime, ...]:
    """The moments of this record that concern the sender."""
    record = found.record
    known = {
        Part.DRAFT: (record.created_at,),
        Part.GIVEN: (record.created_at, record.given_at),
        Part.ANSWERS: (record.given_at,),
        Part.ANSWERED: (record.answered_at,),
    }
    return tuple(moment for moment in known[found.part] if moment is not None)


def _near(moments: Sequence[datetime], at: datetime, policy: EvidencePolicy) -> bool:
    return any(moment - policy.before <= at <= moment + policy.after for moment in moments)


def _late(record: Record, now: datetime, policy: EvidencePolicy) -> bool:
    return wanted(record, policy) is Wanted.REQUIRED and now <= (record.given_at or record.created_at) + LATE
