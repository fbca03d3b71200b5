"""Every message the bot can say, as data: one frozen dataclass per template in `cards/templates/`.

The fields are all that a template may use. Instants are aware UTC; templates show them in Asia/Shanghai. `notice` is why a press was
refused; the words for it live in the templates. A card's template is its class name in snake case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Self

from pydantic import TypeAdapter

from rules.commands import Figures, Note, Purpose, Speaker
from rules.escalations import Outcome
from rules.events import Account
from rules.evidence import Part, Problem
from rules.feedback import Answer, Kind, Refusal, State
from rules.loops import Cause, CloseReason
from rules.messages import GroupChat, Outgoing, PersonId, Urgency
from rules.sentences import Element, Ended, LeftOut, Whom
from rules.value import Grade, Money


@dataclass(frozen=True)
class CardData:
    """What all cards share: their template, and the way into and out of the outbox."""

    @classmethod
    @cache
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


@dataclass(frozen=True)
class RecordCard(CardData):
    """A card about one record. `page` shows all of it to those who may see it; empty where there are no pages."""

    page: str = field(default="", kw_only=True)


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
class CheckinDone(RecordCard):
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
class FeedbackCard(RecordCard):
    """Feedback to its subject, with the buttons 收到 / 已改进 / 有异议 (A7). `due_at` is when the HRBP hears of it, None when nobody
    will; `provisional`: by weekends only, since the year's holidays are not published. `occurred_at` is None where the scene says when.
    `added` is what its author wrote later."""

    author_name: str
    kind: Kind
    scene: str
    action: str
    impact: str
    occurred_at: datetime | None
    due_at: datetime | None
    notice: Refusal | None = None
    attached: Attached = Attached()
    added: tuple[str, ...] = ()
    provisional: bool = False


@dataclass(frozen=True)
class ReminderCard(RecordCard):
    """The same feedback again, unanswered since `opened_at`; `nudged_by` is the HRBP's name when a person asked for it. `due_at` and
    `provisional` as on the first card; None when the HRBP has heard of it by then."""

    author_name: str
    kind: Kind
    scene: str
    action: str
    impact: str
    opened_at: datetime
    due_at: datetime | None
    nudged_by: str | None = None
    notice: Refusal | None = None
    attached: Attached = Attached()
    provisional: bool = False


@dataclass(frozen=True)
class FeedbackAnswered(RecordCard):
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
    added: tuple[str, ...] = ()


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
class DisputeCard(RecordCard):
    """The subject objects: to the author and the HRBP (plain text). `reason` is None when none was given in time."""

    subject_name: str
    author_name: str
    scene: str
    action: str
    reason: str | None
    disputed_at: datetime


@dataclass(frozen=True)
class EscalationCard(RecordCard):
    """An unanswered record to the HRBP (A6): 催办 / 我来跟进 / 延期 / 关闭. The *_at fields say what was done so far. `of` is the
    record when it was opened from a list, so that buttons can name it. `away_until`: until then somebody stands in for the subject."""

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
    of: int | None = None
    away_until: datetime | None = None


@dataclass(frozen=True)
class EscalationLine:
    """One record of several: who has not answered what, and what came of it."""

    feedback: int
    name: str
    what: str
    opened_at: datetime
    outcome: Outcome | None = None
    settled: bool = False


@dataclass(frozen=True)
class EscalationBundle(CardData):
    """Several unanswered records to one HRBP (A6), a page of at most six: `lines` are numbered from `first`, those that are not settled
    open with a button on the same card. `left` are not settled on all pages; `next_page` is None on the last one. `notice_name` is who
    the notice is about."""

    lines: tuple[EscalationLine, ...]
    left: int = 0
    first: int = 1
    next_page: int | None = None
    notice: Refusal | None = None
    notice_name: str | None = None


@dataclass(frozen=True)
class Expected:
    """A record that will reach the reader at `due_at` if nobody answers, as one line of a list."""

    name: str
    what: str
    due_at: datetime


@dataclass(frozen=True)
class ForecastText(CardData):
    """To an HRBP before a long holiday of `days`, work begins again on `back`: what will be escalated in it or on that day, the soonest
    first, and how many `more` (plain text). `provisional` as on the subject's card."""

    days: int
    back: date
    expected: tuple[Expected, ...]
    more: int = 0
    provisional: bool = False


@dataclass(frozen=True)
class EscalationReasons(CardData):
    """Second step of 关闭: one button per reason, and one back."""

    subject_name: str
    author_name: str
    scene: str
    reasons: tuple[CloseReason, ...]
    notice: Refusal | None = None
    of: int | None = None


@dataclass(frozen=True)
class EscalationSettled(RecordCard):
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
    provisional: bool = False


@dataclass(frozen=True)
class Candidate:
    """One of several people who fit a name; `hint` tells them apart (department, position)."""

    person: PersonId
    name: str
    hint: str


@dataclass(frozen=True)
class Called:
    """The words that name somebody in a sentence, and whom they may mean; () when nobody fits."""

    mention: str
    people: tuple[PersonId, ...]


@dataclass(frozen=True)
class WhoCard(CardData):
    """It is not clear who is meant: one button each (at most six), action `pick:<person>`. `sentence` is what was written about him;
    empty when only a check-in card was asked for. `names` are all whom the sentence is about, in order, when he is one of several."""

    mention: str
    candidates: tuple[Candidate, ...]
    chosen: str | None = None
    notice: Refusal | None = None
    asks: Whom = Whom.NAMESAKES
    sentence: str = ""
    names: tuple[Called, ...] = ()


@dataclass(frozen=True)
class Piece:
    """One element of a feedback as understood, and the author's words it was read from."""

    text: str
    words: str


@dataclass(frozen=True)
class SentenceCard(CardData):
    """A sentence as understood, to its author (A3): what is there with its words, what is missing as one question with an example from
    `industry`. An element that is not there is None, `kind` when the sentence leaves it open. `judges`: it says how somebody is instead
    of what he did. `may_keep`: the policy lets it be kept as a note. `asked_more`: 补一句 was pressed. Of `several` people all names
    stand in `subject_name`; `left_out` were named, too, and get nothing."""

    subject_name: str
    kind: Kind | None
    scene: Piece | None
    action: Piece | None
    impact: Piece | None
    industry: str = ""
    judges: bool = False
    may_keep: bool = False
    asked_more: bool = False
    notice: Refusal | None = None
    several: bool = False
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class SentenceDone(RecordCard):
    """The same card after it was sent; turns once more when the subject answers, and when its author rewords it."""

    subject_name: str
    kind: Kind
    scene: str
    action: str
    impact: str
    given_at: datetime
    answer: Answer | None = None
    answered_at: datetime | None = None
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class Recipient:
    """One of several who got the same words, and where his own record stands."""

    name: str
    state: State


@dataclass(frozen=True)
class SeveralDone(CardData):
    """The card of a sentence about several people after it was sent: one record each. Turns as they answer; `waiting` have not."""

    recipients: tuple[Recipient, ...]
    kind: Kind
    scene: str
    action: str
    impact: str
    given_at: datetime
    waiting: int
    notice: Refusal | None = None
    attached: Attached = Attached()


@dataclass(frozen=True)
class SentenceClosed(CardData):
    """The same card when nothing can be pressed any more and it was not sent, or was taken back."""

    subject_name: str
    ended: Ended
    notice: Refusal | None = None


@dataclass(frozen=True)
class VagueText(CardData):
    """A judgement about nobody in particular: the question that makes it concrete, with an example from `industry` (plain text)."""

    industry: str = ""


@dataclass(frozen=True)
class EmptiedText(CardData):
    """New words for a record that do not say what they are to say: the question that makes `elements` concrete, with an example from
    `industry`. `may_insist`: the policy lets them be put behind the record (plain text)."""

    name: str
    elements: tuple[Element, ...]
    industry: str = ""
    may_insist: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several records that fit: whose it is, what it says, when it was given."""

    feedback: int
    name: str
    what: str
    given_at: datetime


@dataclass(frozen=True)
class ChoiceCard(CardData):
    """Several records fit what was asked: one button each (at most six), action `choose:<record>`. `words` are the writer's, for what
    is done with the chosen one; `chosen` is its place in `choices`, from 1."""

    purpose: Purpose
    choices: tuple[Choice, ...]
    words: str = ""
    chosen: int | None = None
    notice: Refusal | None = None


@dataclass(frozen=True)
class NoteText(CardData):
    """What was done, as one sentence to the one who asked (plain text). `until` is when it ends or happens."""

    what: Note
    name: str | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Heard:
    """A record in a week's list: who gave it, what it says, and what was answered."""

    name: str
    kind: Kind
    what: str
    answer: Answer | None


@dataclass(frozen=True)
class MyWeek(CardData):
    """What somebody got in a week (Monday to Sunday, local days), and what he gave if he leads people (plain text)."""

    monday: date
    sunday: date
    received: Figures
    given: Figures | None
    latest: tuple[Heard, ...]


@dataclass(frozen=True)
class Waiting:
    """A record that nobody has answered, as one line of a list."""

    name: str
    what: str
    waited: timedelta


@dataclass(frozen=True)
class TeamWeek(CardData):
    """A supervisor's or an HRBP's people in a week (plain text). `unmentioned` are those nobody wrote about; `more_waiting` and
    `more_unmentioned` are how many the lists leave out."""

    monday: date
    sunday: date
    people: int
    given: Figures
    waiting: tuple[Waiting, ...]
    more_waiting: int
    unmentioned: tuple[str, ...]
    more_unmentioned: int


@dataclass(frozen=True)
class PendingText(CardData):
    """What waits for somebody's answer, and what he waits for (plain text). `about` is the one person it was asked about."""

    mine: tuple[Waiting, ...]
    more_mine: int
    theirs: tuple[Waiting, ...]
    more_theirs: int
    about: str | None = None


@dataclass(frozen=True)
class EscalationList(CardData):
    """Everything escalated that is not settled, the longest-waiting first (plain text)."""

    waiting: tuple[Waiting, ...]
    more: int


@dataclass(frozen=True)
class GuideText(CardData):
    """What one can say to the bot, with an example of one's own people (plain text). `page` is the path of the page that a link opens,
    once and soon; the link itself is made when the message leaves."""

    speaker: Speaker
    example_name: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class StandInText(CardData):
    """Somebody asks the reader to stand in for him (plain text)."""

    name: str
    begins: datetime
    until: datetime


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
class Figure:
    """A line of the value ledger as people read it: 退货往返 23 次 × ¥80 = ¥1,840. `count` is a plain decimal; `entry` is 0 for a line
    that sums several entries, each of which can be contested on the page."""

    entry: int
    name: str
    count: str
    unit: str
    each: Money
    amount: Money
    grade: Grade


@dataclass(frozen=True)
class Deed:
    """Something a person did: praised by `by`, or improved after his feedback; `figure` where there are count and rate. `what` is empty
    for an improvement that he did not describe: then there is only what the feedback was `about`. `record` is None for what a system
    counted."""

    record: int | None
    what: str
    by: str
    improved: bool
    figure: Figure | None = None
    about: str = ""


@dataclass(frozen=True)
class EmployeeDigest(CardData):
    """行为价值简报 (B1): what somebody did since the digest before. `total` is the sum of all of the week's entries, `corrected` of
    those that put earlier weeks right; None where there are none. `contested` are entries he does not believe."""

    monday: date
    sunday: date
    praise: int
    improve: int
    improved: int
    waiting: int
    deeds: tuple[Deed, ...]
    more: int
    total: Money | None = None
    corrected: Money | None = None
    page: str = ""
    contested: tuple[int, ...] = ()


@dataclass(frozen=True)
class SupervisorDigest(CardData):
    """To a supervisor (B2): what he gave and what came of it, whom he did not mention, and how his quota ended (A8). `owed` is 0 where
    there is no quota."""

    monday: date
    sunday: date
    total: int
    praise: int
    answered_in_a_day: int
    improved: int
    open: int
    people: int
    unmentioned: tuple[str, ...]
    more_unmentioned: int
    owed: int
    given: int
    page: str = ""


@dataclass(frozen=True)
class MondayBrief(CardData):
    """周一简报 (B3): last week in a picture. `picture` is a platform's media handle, empty while there is none."""

    monday: date
    sunday: date
    praise: int
    improved: int
    deeds: tuple[Deed, ...]
    more: int
    total: Money | None = None
    picture: str = ""
    page: str = ""


@dataclass(frozen=True)
class PictureMessage(CardData):
    """A picture as a message of its own, for platforms whose cards hold none; `alt` says what is on it."""

    picture: str
    alt: str


@dataclass(frozen=True)
class Praised:
    """Somebody's praise as a group may read it."""

    name: str
    what: str


@dataclass(frozen=True)
class GroupDigest(CardData):
    """A team's week into its group (B4): praise and totals, nothing about who improved what, no ranking (plain text). `praised` are in
    the order in which it happened. `improved` is None for a team so small that the number would name somebody."""

    team: str
    monday: date
    sunday: date
    praise: int
    praised: tuple[Praised, ...]
    more: int
    improved: int | None
    total: Money | None = None


@dataclass(frozen=True)
class LeaderDigest(CardData):
    """To an HRBP or the COO (B5). `hours` is the mean time to an answer. `met` of `supervisors` gave what they owed. `stuck` are
    escalated records that nobody has settled. Of `compared` things that customers were told at two touchpoints `same` were the same;
    None where nobody counts them."""

    monday: date
    sunday: date
    company: bool
    people: int
    given: int
    praise: int
    answered: int
    answered_in_a_day: int
    improved: int
    hours: float | None
    escalated: int
    stuck: int
    met: int
    supervisors: int
    total: Money | None = None
    page: str = ""
    same: int = 0
    compared: int | None = None


@dataclass(frozen=True)
class QuotaNudge(CardData):
    """Thursday, to a supervisor who is behind (A8): one button for each of the people he has not mentioned for longest, action
    `checkin:<person>`. `sent` are those whose check-in card he has asked for; `about` is
    the name that `notice` is about."""

    missing: int
    owed: int
    people: tuple[Candidate, ...]
    sent: tuple[PersonId, ...] = ()
    notice: Refusal | None = None
    about: str = ""


@dataclass(frozen=True)
class ContestCard(CardData):
    """Somebody does not believe a figure: to the HRBP, who lets it stand or strikes it. `words` is what the count was read from;
    `settled` says how it ended and who did it."""

    name: str
    what: str
    figure: Figure
    words: str
    opened_at: datetime
    struck: bool | None = None
    settled_by: str | None = None


@dataclass(frozen=True)
class ContestAnswer(CardData):
    """To the one who contested: the figure stands, or was struck (plain text)."""

    what: str
    amount: Money
    struck: bool
    by: str


@dataclass(frozen=True)
class GroupLater(CardData):
    """What would have gone to people one by one comes tomorrow, because the platform's budget is short (plain text into the group)."""


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
        EscalationBundle,
        EscalationReasons,
        ForecastText,
        EscalationSettled,
        WhoCard,
        SentenceCard,
        SentenceDone,
        SeveralDone,
        SentenceClosed,
        VagueText,
        EmptiedText,
        ChoiceCard,
        NoteText,
        MyWeek,
        TeamWeek,
        PendingText,
        EscalationList,
        GuideText,
        StandInText,
        HelpText,
        SorryText,
        GroupHint,
        GroupWelcome,
        EmployeeDigest,
        SupervisorDigest,
        MondayBrief,
        PictureMessage,
        GroupDigest,
        LeaderDigest,
        QuotaNudge,
        ContestCard,
        ContestAnswer,
        GroupLater,
        AdminAlert,
    )
}
