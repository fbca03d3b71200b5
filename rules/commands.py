"""What is asked of the bot in everyday words: which records a command is about, and what is told back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.feedback import Answer, Kind, Record, State
from rules.loops import Loop, StepKind
from rules.messages import PersonId
from rules.weeks import SHANGHAI


class Speaker(StrEnum):
    """What somebody is to the bot; it decides which help he gets and whose records he may ask for."""

    SUPERVISOR = "supervisor"
    EMPLOYEE = "employee"
    HRBP = "hrbp"


class Purpose(StrEnum):
    """What a choice among several records is for."""

    WITHDRAW = "withdraw"
    EDIT = "edit"
    REMIND = "remind"
    ACKNOWLEDGED = "acknowledged"
    IMPROVED = "improved"
    DISPUTED = "disputed"


class Note(StrEnum):
    """What was done, as one sentence to the one who asked. Each has its sentence in `cards/templates/note_text.yaml.j2`."""

    SENT = "sent"
    WITHDRAWN = "withdrawn"
    DROPPED = "dropped"
    ASK_EDIT = "ask_edit"
    EDITED = "edited"
    ASK_ADDITION = "ask_addition"
    ADDED = "added"
    REMINDED = "reminded"
    HELD = "held"
    STOOD_IN = "stood_in"
    BACK = "back"
    SEND_PICTURE = "send_picture"


@dataclass(frozen=True)
class Figures:
    """A week in numbers, each the count of records."""

    praise: int
    improve: int
    answered: int
    improved: int
    waiting: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.praise + self.improve


MOST_CHOICES = 6  # buttons on a card
_ANSWERED = (State.ACKNOWLEDGED, State.IMPROVED, State.DISPUTED)


@dataclass(frozen=True)
class Hints:
    """What a command says of the record it means: its number, whose it is, the local day it was given, that it is the last one."""

    id: str | None = None
    people: frozenset[PersonId] | None = None
    day: date | None = None
    last: bool = False


def narrowed(records: Sequence[Record], whose: Callable[[Record], PersonId], hints: Hints) -> tuple[Record, ...]:
    """The records that fit, in the order given. A number says it all."""
    if hints.id is not None:
        return tuple(record for record in records if str(record.id) == hints.id)
    left = [record for record in records if hints.people is None or whose(record) in hints.people]
    left = [record for record in left if hints.day is None or _given(record).astimezone(SHANGHAI).date() == hints.day]
    if hints.last and left:
        left = [max(left, key=lambda record: (_given(record), record.id))]
    return tuple(left)


def figures(records: Sequence[Record]) -> Figures:
    """Count given records."""
    return Figures(
        praise=sum(record.kind is Kind.PRAISE for record in records),
        improve=sum(record.kind is Kind.IMPROVE for record in records),
        answered=sum(record.state in _ANSWERED for record in records),
        improved=sum(record.state is State.IMPROVED for record in records),
        waiting=sum(record.state is State.OPEN for record in records),
    )


def answerable(records: Sequence[Record], what: Answer) -> tuple[Record, ...]:
    """Which of these records about a person he may answer with `what`: those that wait, else those he has only acknowledged."""
    waiting = tuple(record for record in records if record.state is State.OPEN)
    if waiting or what is Answer.ACKNOWLEDGED:
        return waiting
    return tuple(record for record in records if record.state is State.ACKNOWLEDGED)


def unmentioned(reports: Sequence[PersonId], records: Sequence[Record]) -> tuple[PersonId, ...]:
    """The reports that none of these records is about, in the order given."""
    mentioned = {record.subject for record in records}
    return tuple(person for person in reports if person not in mentioned)


def in_charge_of(loop: Loop, acting: frozenset[PersonId]) -> bool:
    """Whether one of these people has heard of an escalated loop, or has taken it."""
    heard = sum(1 for stage in loop.plan[: loop.steps_taken] if stage.kind is StepKind.ESCALATE)
    return bool(acting & ({*loop.chain[: max(1, heard)], loop.taken_by} - {None}))


def waited(records: Sequence[Record], now: datetime) -> Mapping[int, timedelta]:
    """How long each of these given records has been waiting at `now`, by its id."""
    return {record.id: now - _given(record) for record in records}


def _given(record: Record) -> datetime:
    return record.given_at or record.created_at
