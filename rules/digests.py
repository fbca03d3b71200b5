"""When the week's messages fall due and what they are about (A8, B1–B5): one of each kind per person and ISO week.

Everything but the Monday brief is due in the last working hour of the last working day: a holiday Friday moves it, a make-up Saturday
or Sunday counts. A digest covers what happened since the digest before it, so that nothing said on a Friday evening falls between two.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.feedback import Kind as FeedbackKind
from rules.feedback import State
from rules.messages import PersonId
from rules.value import Rate
from rules.weeks import SHANGHAI, Week, week_of
from rules.worktime import Calendar

_AN_HOUR = timedelta(hours=1)
_LONGEST_BREAK = 4  # weeks without a workday, at most


class Kind(StrEnum):
    """The weekly messages, in the order in which they are composed."""

    MONDAY = "monday"  # 周一简报: last week in a picture (B3)
    QUOTA = "quota"  # Thursday's nudge to supervisors who are behind (A8)
    EMPLOYEE = "employee"  # 行为价值简报 (B1)
    SUPERVISOR = "supervisor"  # (B2), with the result of the quota
    GROUP = "group"  # (B4)
    LEADER = "leader"  # HRBP and COO (B5)


@dataclass(frozen=True)
class DigestPolicy:
    """`wordy` are the kinds that say briefly that a week was empty; the others are silent then. `pictures`: the Monday brief has its
    picture. `leaders` are keys of people who hear of the whole company. A supervisor owes `quota` feedbacks in a full week and is
    nudged at `nudge_at`, local. A contested figure goes to the next in the HRBP's chain after `contest`. `consistency` are the ids of
    counted events that found the same told at two touchpoints, and not the same; None: nobody counts them. `off` are never sent."""

    rates: tuple[Rate, ...] = ()
    wordy: frozenset[Kind] = frozenset({Kind.SUPERVISOR, Kind.LEADER})
    pictures: bool = True
    leaders: tuple[str, ...] = ()
    quota: int = 2
    nudge_at: time = time(15)
    contest: timedelta = timedelta(hours=72)
    consistency: tuple[str, str] | None = None
    off: frozenset[Kind] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Window:
    """The time a digest is about: from `since` until `until`, which is no longer part of it; aware UTC."""

    since: datetime
    until: datetime

    def __contains__(self, at: object) -> bool:
        return isinstance(at, datetime) and self.since <= at < self.until


class Fact(NamedTuple):
    """A given record as far as digests need it. A tuple, because a company's week is a million of them."""

    id: int
    version: int
    state: State
    author: PersonId
    subject: PersonId
    kind: FeedbackKind
    action: str
    impact: str
    carded: bool  # given by ticking boxes: its impact is the library's wording, nobody's statement
    occurred_at: datetime
    given_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True)
class Given:
    """What one author gave, in numbers, and whom it was about."""

    total: int = 0
    praise: int = 0
    answered_in_a_day: int = 0
    improved: int = 0
    open: int = 0
    subjects: frozenset[PersonId] = frozenset()

    def __add__(self, other: Given) -> Given:
        return Given(
            self.total + other.total,
            self.praise + other.praise,
            self.answered_in_a_day + other.answered_in_a_day,
            self.improved + other.improved,
            self.open + other.open,
            self.subjects | other.subjects,
        )


def due_at(kind: Kind, week: Week, calendar: Calendar, nudge_at: time = time(15)) -> datetime | None:
    """When a kind falls due in a week, aware UTC; None in a week without it. The nudge needs a workday after it: it falls on the
    last workday but one, which is Thursday in an ordinary week. Source: product, B "All" and A8."""
    days = calendar.workdays(week)
    if not days:
        return None
    if kind is Kind.MONDAY:
        return calendar.begins(days[0])
    if kind is Kind.QUOTA:
        return datetime.combine(days[-2], nudge_at, SHANGHAI).astimezone(UTC) if len(days) > 1 else None
    return calendar.ends(days[-1]) - _AN_HOUR


def too_late_at(kind: Kind, week: Week, calendar: Calendar) -> datetime:
    """From when on a kind is not sent any more, after an outage: nudge and brief at the end of their day, a digest when the next brief
    is due."""
    days = calendar.workdays(week)
    if kind is Kind.QUOTA and len(days) > 1:
        return calendar.ends(days[-2])
    if kind is Kind.MONDAY:
        return calendar.ends(days[0]) if days else week.ends
    following = (due_at(Kind.MONDAY, week.back(-n), calendar) for n in range(1, _LONGEST_BREAK))
    return next((due for due in following if due is not None), week.back(-1).ends)


def open_now(now: datetime, calendar: Calendar, policy: DigestPolicy) -> tuple[tuple[Week, Kind], ...]:
    """What may be composed at `now`, the oldest week first: due, and not too late."""
    this = week_of(now)
    found = []
    for week in (*(this.back(n) for n in range(_LONGEST_BREAK - 1, 0, -1)), this):
        for kind in Kind:
            due = due_at(kind, week, calendar, policy.nudge_at)
            if kind not in policy.off and due is not None and due <= now < too_late_at(kind, week, calendar):
                found.append((week, kind))
    return tuple(found)


def next_due_at(now: datetime, calendar: Calendar, policy: DigestPolicy, kinds: Collection[Kind] = tuple(Kind)) -> datetime | None:
    """When the next of these kinds falls due after `now`."""
    weeks = [week_of(now).back(-n) for n in range(_LONGEST_BREAK)]
    dues = (due_at(kind, week, calendar, policy.nudge_at) for week in weeks for kind in kinds if kind not in policy.off)
    return min((due for due in dues if due is not None and due > now), default=None)


def window(week: Week, calendar: Calendar) -> Window:
    """What the digests of a week cover: since those of the week before were due (of the last week that had any)."""
    until = due_at(Kind.EMPLOYEE, week, calendar) or week.ends
    before = (due_at(Kind.EMPLOYEE, week.back(n), calendar) for n in range(1, _LONGEST_BREAK))
    return Window(next((due for due in before if due is not None), week.begins), until)


def reported_by(week: Week, calendar: Calendar) -> Week:
    """The week that the Monday brief of `week` is about: the last one before it with a digest."""
    before = (week.back(n) for n in range(1, _LONGEST_BREAK))
    return next((earlier for earlier in before if calendar.workdays(earlier)), week.back(1))
