"""Every message the bot can say, as data: one frozen dataclass per template in `cards/templates/`.

The fields are all that a template may use. Instants are aware UTC; templates show them in Asia/Shanghai. `notice` is why a press was
refused; the words for it live in the templates. A card's template is its class name in snake case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Self

from pydantic import TypeAdapter

from rules.events import Account
from rules.evidence import Part, Problem
from rules.feedback import Answer, Kind, Refusal
from rules.loops import Cause, CloseReason
from rules.messages import GroupChat, Outgoing, PersonId, Urgency


@dataclass(frozen=True)
class CardData:
    """What all cards share: their template, and the way into and out of the outbox."""

    @classmethod
    def template(cls) -> str:
        """Snake case of the class name: `CheckinCard` is `checkin_card`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def data(self) -> dict[str, Any]:
        """The fields as JSON values."""
        dumped: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json")  # type: ignore[arg-type]  # mypy: is a class hashable?
        return dumped

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `data()`. Raises pydantic.ValidationError when a field is missing or of the wrong type."""
        card: Self = _adapter(cls).validate_python(data)  # type: ignore[arg-type]  # as above
        return card

    def to(
        self,
        who: PersonId | GroupChat | Account,
        *,
        key: str,
        about: str | None = None,
        urgency: Urgency = Urgency.NORMAL,
        not_before: datetime | None = None,
        expires: datetime | None = None,
    ) -> Outgoing:
        """Address this card. `key` is the idempotency key of the message."""
        return Outgoing(who, self.template(), self.data(), key, about, urgency, not_before, expires)


@cache
def _adapter(card: type[CardData]) -> TypeAdapter[Any]:
    """Building one costs a thousand times what using it does."""
    return TypeAdapter(card)


@dataclass(frozen=True)
class Option:
    """A behaviour that can be ticked."""

    id: str
    text: str
    kind: Kind


@dataclass(frozen=True)
class Attached:
    """What a record has besides words (A5). `missing`: its author still owes the screenshot that its kind must have."""

    pictures: int = 0
    videos: int = 0
    missing: bool = False


@dataclass(frozen=True)
class CheckinCard(CardData):
    """The 3-second card (A2): boxes about one person and one occasion, to the supervisor."""

    subject_name: str
    occasion: str
    options: tuple[Option, ...]
    notice: Refusal | None = None


@dataclass(frozen=True)
class CheckinDone(CardData):
    """The same card after it was submitted; turns once more when the subject answers."""

    subject_name: str
    occasion: str
    options: tuple[Option, ...]
    ticks: tuple[str, ...]
    given_at: datetime
    answer: Answer | None = None
    answered_at: datetime | None = None
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class CheckinClosed(CardData):
    """The same card when it can no longer be submitted: expired, withdrawn, or its subject has left."""

    subject_name: str
    occasion: str
    options: tuple[Option, ...]
    notice: Refusal


@dataclass(frozen=True)
class FeedbackCard(CardData):
    """Feedback to its subject, with the buttons 收到 / 已改进 / 有异议 (A7). `due_at` is when the HRBP hears of it."""

    author_name: str
    kind: Kind
    scene: str
    action: str
    impact: str
    occurred_at: datetime
    due_at: datetime
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class ReminderCard(CardData):
    """The same feedback again, unanswered since `opened_at`; `nudged_by` is the HRBP's name when a person asked for it."""

    author_name: str
    kind: Kind
    scene: str
    action: str
    impact: str
    opened_at: datetime
    due_at: datetime
    nudged_by: str | None = None
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class FeedbackAnswered(CardData):
    """The subject's card after the answer. `asks_words`: the next sentence typed becomes the reason or what was improved."""

    author_name: str
    kind: Kind
    scene: str
    action: str
    impact: str
    answer: Answer
    answered_at: datetime
    asks_words: bool = False
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class FeedbackClosed(CardData):
    """The subject's card when the record was closed by the HRBP or withdrawn by its author."""

    author_name: str
    kind: Kind
    scene: str
    action: str
    withdrawn: bool
    closed_at: datetime
    notice: Refusal | None = None


@dataclass(frozen=True)
class AnswerNoted(CardData):
    """Thanks for the sentence that explained an answer (plain text)."""

    answer: Answer


@dataclass(frozen=True)
class PictureNoted(CardData):
    """A picture came in: where it goes (plain text). `name` is the other person of that record. `part` is None while no record is known
    for it; it then waits `wait_minutes` for one."""

    part: Part | None
    name: str | None = None
    wait_minutes: int = 0


@dataclass(frozen=True)
class PictureFailed(CardData):
    """What was sent is not kept, and what to do (plain text)."""

    problem: Problem


@dataclass(frozen=True)
class DisputeCard(CardData):
    """The subject objects: to the author and the HRBP (plain text). `reason` is None when none was given in time."""

    subject_name: str
    author_name: str
    scene: str
    action: str
    reason: str | None
    disputed_at: datetime


@dataclass(frozen=True)
class EscalationCard(CardData):
    """An unanswered record to the HRBP (A6): 催办 / 我来跟进 / 延期 / 关闭. The *_at fields say what was done so far."""

    subject_name: str
    author_name: str
    department: str
    kind: Kind
    scene: str
    action: str
    opened_at: datetime
    cause: Cause
    nudged_at: datetime | None = None
    taken_at: datetime | None = None
    taken_by: str | None = None
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class EscalationReasons(CardData):
    """Second step of 关闭: one button per reason, and one back."""

    subject_name: str
    author_name: str
    scene: str
    reasons: tuple[CloseReason, ...]
    notice: Refusal | None = None


@dataclass(frozen=True)
class EscalationSettled(CardData):
    """The HRBP's card when nothing is left to do: answered, closed, extended or withdrawn. Exactly one of the outcomes is set."""

    subject_name: str
    author_name: str
    scene: str
    settled_at: datetime
    answer: Answer | None = None
    close_reason: CloseReason | None = None
    closed_by: str | None = None
    extended_until: datetime | None = None
    withdrawn: bool = False
    notice: Refusal | None = None


@dataclass(frozen=True)
class Candidate:
    """One of several people who fit a name; `hint` tells them apart (department, position)."""

    person: PersonId
    name: str
    hint: str


@dataclass(frozen=True)
class WhoCard(CardData):
    """Several people fit the name: one button each (at most six), action `pick:<person>`."""

    mention: str
    candidates: tuple[Candidate, ...]
    chosen: str | None = None
    notice: Refusal | None = None


@dataclass(frozen=True)
class HelpText(CardData):
    """What the bot can do, for a supervisor or an employee (plain text)."""

    supervisor: bool
    example_name: str | None = None


@dataclass(frozen=True)
class SorryText(CardData):
    """Why something was refused, as one sentence to the one who asked (plain text). `name` is who it is about, if anybody."""

    reason: Refusal
    name: str | None = None


@dataclass(frozen=True)
class GroupHint(CardData):
    """A group's short answer; everything else goes on in private (plain text into the group)."""

    name: str


@dataclass(frozen=True)
class GroupWelcome(CardData):
    """The bot introduces itself in a group, once (plain text into the group)."""

    group_name: str


@dataclass(frozen=True)
class AdminAlert(CardData):
    """Something an administrator must look at (plain text). `code` is a platform's or our own; never personal text."""

    what: str
    code: str
    hint: str


CATALOG: Mapping[str, type[CardData]] = {
    card.template(): card
    for card in (
        CheckinCard,
        CheckinDone,
        CheckinClosed,
        FeedbackCard,
        ReminderCard,
        FeedbackAnswered,
        FeedbackClosed,
        AnswerNoted,
        PictureNoted,
        PictureFailed,
        DisputeCard,
        EscalationCard,
        EscalationReasons,
        EscalationSettled,
        WhoCard,
        HelpText,
        SorryText,
        GroupHint,
        GroupWelcome,
        AdminAlert,
    )
}
