"""A feedback record's life (A1, A2, A7): who may do what to it, in which state, and why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rules.messages import PersonId


class Kind(StrEnum):
    PRAISE = "praise"
    IMPROVE = "improve"


class State(StrEnum):
    """draft → open → acknowledged | improved | disputed | closed; withdrawn and expired end a record that nobody answered. A note is
    a draft its author kept for himself: not sent, not counted (A4)."""

    DRAFT = "draft"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    IMPROVED = "improved"
    DISPUTED = "disputed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    NOTE = "note"


class Answer(StrEnum):
    """What the subject may say to a feedback (A7). The values are the actions of the card's buttons."""

    ACKNOWLEDGED = "acknowledged"
    IMPROVED = "improved"
    DISPUTED = "disputed"


class Refusal(StrEnum):
    """Why a press or a sentence changed nothing. Each has its sentence in `cards/templates/_words.yaml`."""

    NOT_YOURS = "not_yours"
    NOTHING_TICKED = "nothing_ticked"
    ALREADY_GIVEN = "already_given"
    ALREADY_ANSWERED = "already_answered"
    ALREADY_SETTLED = "already_settled"
    ALREADY_CHOSEN = "already_chosen"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUBJECT_LEFT = "subject_left"
    UNKNOWN_CARD = "unknown_card"
    UNKNOWN_PERSON = "unknown_person"
    NO_SUCH_NAME = "no_such_name"
    NOT_YOUR_REPORT = "not_your_report"
    YOURSELF = "yourself"
    TOO_MANY = "too_many"
    NO_BEHAVIOURS = "no_behaviours"
    NUDGED_JUST_NOW = "nudged_just_now"
    NOTHING_OPEN = "nothing_open"
    INCOMPLETE = "incomplete"
    CHOOSE_KIND = "choose_kind"
    NOTED = "noted"
    TOO_LATE = "too_late"
    ANSWER_STAYS = "answer_stays"
    NO_SUCH_RECORD = "no_such_record"
    NOTHING_GIVEN = "nothing_given"
    NOTHING_WAITS = "nothing_waits"
    NOT_AN_ADMINISTRATOR = "not_an_administrator"
    NOT_A_SUPERVISOR = "not_a_supervisor"
    NOT_IN_CHARGE = "not_in_charge"
    NOTHING_ESCALATED = "nothing_escalated"
    ONLY_REMINDS_NOW = "only_reminds_now"
    NOTHING_TO_HOLD = "nothing_to_hold"
    WHEN_UNCLEAR = "when_unclear"
    WHO_STANDS_IN = "who_stands_in"
    CANNOT_STAND_IN = "cannot_stand_in"
    SEVERAL_OF_THAT_NAME = "several_of_that_name"
    NOTHING_TO_DELEGATE = "nothing_to_delegate"
    NOT_ONE_ALONE = "not_one_alone"
    NO_EXEMPTIONS_YET = "no_exemptions_yet"
    NO_METRICS_YET = "no_metrics_yet"
    NO_RECORD_AROUND = "no_record_around"
    NO_PICTURE_WANTED = "no_picture_wanted"
    PICTURE_IN_GROUP = "picture_in_group"


@dataclass(frozen=True)
class Behaviour:
    """One box of a role's behaviour library: `impact` is the default wording of what it brings about, `rate` what it is worth."""

    id: str
    text: str
    kind: Kind
    impact: str
    rate: str = ""


@dataclass(frozen=True)
class Record:
    """A feedback record as stored. `offered` is the library's boxes as they stood on the card (a later edit of the library does not
    change what was ticked). Instants are aware UTC; `version` grows with every change."""

    id: int
    version: int
    state: State
    author: PersonId
    subject: PersonId
    occasion: str
    offered: tuple[Behaviour, ...]
    created_at: datetime
    expires_at: datetime
    occurred_at: datetime
    kind: Kind | None = None
    scene: str = ""
    action: str = ""
    impact: str = ""
    ticks: tuple[str, ...] = ()
    given_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """The change is right: this is the record after it."""

    record: Record


@dataclass(frozen=True)
class Refused:
    """A correct no; nothing changes."""

    reason: Refusal


ENDED: Mapping[State, Refusal] = {
    State.WITHDRAWN: Refusal.WITHDRAWN,
    State.EXPIRED: Refusal.EXPIRED,
    State.CLOSED: Refusal.ALREADY_SETTLED,
    State.NOTE: Refusal.NOTED,
}


def give(record: Record, ticks: Collection[str], by: PersonId, now: datetime, *, subject_left: bool) -> Accepted | Refused:
    """Submit a check-in card: the ticked behaviours become the feedback (A2).

    Ticks that were never on the card are ignored. One record has one kind: a single behaviour to improve makes the whole record
    `improve`, because that is the stricter way to treat it (never shown in a group, A3).
    """
    if by != record.author:
        return Refused(Refusal.NOT_YOURS)
    if record.state is not State.DRAFT:
        return Refused(ENDED.get(record.state, Refusal.ALREADY_GIVEN))
    if now >= record.expires_at:
        return Refused(Refusal.EXPIRED)
    if subject_left:
        return Refused(Refusal.SUBJECT_LEFT)
    ticked = [behaviour for behaviour in record.offered if behaviour.id in ticks]
    if not ticked:
        return Refused(Refusal.NOTHING_TICKED)
    return Accepted(
        replace(
            record,
            state=State.OPEN,
            kind=_kind_of(ticked),
            scene=record.occasion,
            action="；".join(behaviour.text for behaviour in ticked),
            impact="；".join(dict.fromkeys(behaviour.impact for behaviour in ticked)),
            ticks=tuple(behaviour.id for behaviour in ticked),
            given_at=now,
        )
    )


def answer(record: Record, what: Answer, by: PersonId, now: datetime) -> Accepted | Refused:
    """The subject's answer (A7). The first one counts; acknowledging does not bar a later 已改进 or 有异议."""
    if by != record.subject:
        return Refused(Refusal.NOT_YOURS)
    if record.state is State.ACKNOWLEDGED and what is not Answer.ACKNOWLEDGED:
        return Accepted(replace(record, state=State(what), answered_at=now))
    if record.state is not State.OPEN:
        return Refused(ENDED.get(record.state, Refusal.ALREADY_ANSWERED))
    return Accepted(replace(record, state=State(what), answered_at=now))


def close(record: Record, now: datetime) -> Accepted | Refused:
    """The HRBP ends a record that was not answered (A6). Who may is asked of `rules.loops`."""
    if record.state is not State.OPEN:
        return Refused(ENDED.get(record.state, Refusal.ALREADY_ANSWERED))
    return Accepted(replace(record, state=State.CLOSED, closed_at=now))


def expire(record: Record, now: datetime) -> Accepted | Refused:
    """A check-in card that nobody submitted ends by itself."""
    if record.state is not State.DRAFT:
        return Refused(ENDED.get(record.state, Refusal.ALREADY_GIVEN))
    return Accepted(replace(record, state=State.EXPIRED, closed_at=now))


def withdraw(record: Record, by: PersonId, now: datetime) -> Accepted | Refused:
    """The author takes back a record that was not answered yet (A1)."""
    if by != record.author:
        return Refused(Refusal.NOT_YOURS)
    if record.state not in (State.DRAFT, State.OPEN):
        return Refused(ENDED.get(record.state, Refusal.ALREADY_ANSWERED))
    return Accepted(replace(record, state=State.WITHDRAWN, closed_at=now))


def may_change(record: Record, by: PersonId, seen_at: datetime | None, now: datetime, window: timedelta) -> Refusal | None:
    """None when the author may still take back or reword what he gave: before the subject has seen it, and `window` after (A1).

    `seen_at` is when it reached the subject's chat, since no platform tells that he read it; None while it is on its way.
    """
    if by != record.author:
        return Refusal.NOT_YOURS
    if record.state is not State.OPEN:
        return ENDED.get(record.state, Refusal.ALREADY_ANSWERED)
    return Refusal.TOO_LATE if seen_at is not None and now > seen_at + window else None


def least_mentioned(reports: Sequence[PersonId], last_mentioned: Mapping[PersonId, datetime]) -> PersonId | None:
    """Whom a check-in should be about: the report not mentioned for longest, the first of `reports` among equals (A8)."""
    never = timedelta.max
    if not reports:
        return None
    newest = max(last_mentioned.values(), default=None)
    return max(reports, key=lambda person: newest - last_mentioned[person] if newest and person in last_mentioned else never)


def _kind_of(ticked: Sequence[Behaviour]) -> Kind:
    return Kind.IMPROVE if any(behaviour.kind is Kind.IMPROVE for behaviour in ticked) else Kind.PRAISE
