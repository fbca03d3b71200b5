"""Feedback by talking (A3, A4): a sentence becomes a draft, the draft becomes a feedback when it has all three elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rules.events import Account, Platform
from rules.feedback import ENDED, Accepted, Kind, Record, Refusal, Refused, State
from rules.messages import GroupChat, PersonId
from rules.people import Person


class Element(StrEnum):
    """What a feedback must have (A4), in the order it is asked for."""

    SCENE = "scene"
    ACTION = "action"
    IMPACT = "impact"


MOST_SUBJECTS = 10  # people whom one sentence may be about


class Whom(StrEnum):
    """Why the author is asked who is meant."""

    NAMESAKES = "namesakes"  # several people fit the name
    NOBODY = "nobody"  # the sentence names nobody
    SEVERAL = "several"  # several people are named and nothing is said: a check-in card is about one


@dataclass(frozen=True)
class LeftOut:
    """Somebody whom a sentence names and who gets no feedback from it, and why."""

    name: str
    why: Refusal


@dataclass(frozen=True)
class Addressed:
    """Whom a sentence is about, in the order in which they were named, and who is left out."""

    subjects: tuple[Person, ...]
    left_out: tuple[LeftOut, ...]


class Ended(StrEnum):
    """Why a sentence's card can no longer be pressed."""

    DROPPED = "dropped"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NOTED = "noted"  # kept as a note: not sent, not counted
    MOVED = "moved"  # goes on in a newer card
    SUBJECT_LEFT = "subject_left"


@dataclass(frozen=True)
class Understood:
    """What was read from a sentence. An element that is not there is empty. `kind` is None when the sentence leaves it open;
    `occurred_at` (aware UTC, never in the future) is None unless it names a day."""

    scene: str
    action: str
    impact: str
    kind: Kind | None
    occurred_at: datetime | None


def addressed(named: Sequence[tuple[str, Person | None]], may: Callable[[Person], Refusal | None]) -> Addressed:
    """Who of `named` (the author's words and whom they mean, None when nobody) gets the feedback: each once, nobody of whom `may` says
    why not, and at most `MOST_SUBJECTS`."""
    subjects: dict[PersonId, Person] = {}
    left_out: dict[str, LeftOut] = {}
    for words, person in named:
        refusal = may(person) if person else Refusal.NO_SUCH_NAME
        if refusal is None and person is not None and person.id not in subjects and len(subjects) == MOST_SUBJECTS:
            refusal = Refusal.TOO_MANY
        if refusal is None and person is not None:
            subjects[person.id] = person
        elif refusal is not None:
            name = person.name if person else words
            left_out[name] = LeftOut(name, refusal)
    return Addressed(tuple(subjects.values()), tuple(left_out.values()))


def fill(record: Record, understood: Understood, *, keep_kind: bool = False) -> Record:
    """The draft with what was understood; `keep_kind` when its author chose the kind himself."""
    return replace(
        record,
        scene=understood.scene,
        action=understood.action,
        impact=understood.impact,
        kind=record.kind if keep_kind else understood.kind,
        occurred_at=understood.occurred_at or record.created_at,
    )


def missing(record: Record) -> tuple[Element, ...]:
    """The elements that the gate still asks for."""
    return tuple(element for element in Element if not getattr(record, element.value))


def send(record: Record, kind: Kind, by: PersonId, now: datetime, *, subject_left: bool) -> Accepted | Refused:
    """发出: the draft becomes a feedback, if the gate lets it pass."""
    refusal = _not_open(record, by, now) or (Refusal.SUBJECT_LEFT if subject_left else None)
    if refusal:
        return Refused(refusal)
    if missing(record):
        return Refused(Refusal.INCOMPLETE)
    return Accepted(replace(record, state=State.OPEN, kind=kind, given_at=now))


def choose_kind(record: Record, kind: Kind, by: PersonId, now: datetime) -> Accepted | Refused:
    """换成肯定 / 换成改进."""
    refusal = _not_open(record, by, now)
    return Refused(refusal) if refusal else Accepted(replace(record, kind=kind))


def drop(record: Record, by: PersonId, now: datetime) -> Accepted | Refused:
    """不发了."""
    refusal = _not_open(record, by, now)
    return Refused(refusal) if refusal else Accepted(replace(record, state=State.WITHDRAWN, closed_at=now))


def keep(record: Record, by: PersonId, now: datetime, *, insist: bool) -> Accepted | Refused:
    """仍要记下: a note of the author's own, outside quota and statistics; nobody is told and no clock starts.

    `insist` is the policy. Source: product A4 and the issue's "the author can insist (policy)".
    """
    refusal = _not_open(record, by, now) or (None if insist else Refusal.INCOMPLETE)
    return Refused(refusal) if refusal else Accepted(replace(record, state=State.NOTE, closed_at=now))


def ended(record: Record) -> Ended | None:
    """Why the card of a draft is closed; None while it is open or after it was given."""
    if record.state is State.NOTE:
        return Ended.NOTED
    if record.state is State.EXPIRED:
        return Ended.EXPIRED
    if record.state is State.WITHDRAWN:
        return Ended.DROPPED if record.given_at is None else Ended.WITHDRAWN
    return None


def changes_in_place(to: Account | GroupChat | None) -> bool:
    """Whether a draft's card may change where it stands. WeCom changes a card once per code (wecom.md §7), and this one keeps its code
    for the answer of the subject."""
    return to is None or to.platform != Platform.WECOM


def worth_a_change(to: Account | GroupChat | None, *, waiting: int) -> bool:
    """Whether the card of a sentence about several people changes when one of them answers and `waiting` have not yet. On WeCom it has
    one change left (see `changes_in_place`), which is kept for the last answer."""
    return waiting == 0 or changes_in_place(to)


def joined(before: str, addition: str) -> str:
    """A sentence and what its author typed after it, to be read as a whole. Dictation comes without punctuation."""
    return f"{before}{addition}" if before.endswith(_STOPS) else f"{before}，{addition}"


def by_neglect(reports: Sequence[PersonId], last_mentioned: Mapping[PersonId, datetime]) -> tuple[PersonId, ...]:
    """These people, whoever was not mentioned for longest first, then in the order given."""
    never = [person for person in reports if person not in last_mentioned]
    known = [person for person in reports if person in last_mentioned]
    return (*never, *sorted(known, key=lambda person: last_mentioned[person]))


_STOPS = tuple("。，,.;；!！?？、:：\n")


def _not_open(record: Record, by: PersonId, now: datetime) -> Refusal | None:
    if by != record.author:
        return Refusal.NOT_YOURS
    if record.state is not State.DRAFT:
        return ENDED.get(record.state, Refusal.ALREADY_GIVEN)
    return Refusal.EXPIRED if now >= record.expires_at else None
