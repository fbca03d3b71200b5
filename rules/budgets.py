"""What the platforms let us spend, and how we save: a ledger of calls and messages per month or day.

Escalations, what people write to each other and the answers to them are never held: they are what the budget is for. Of the rest
digests give way to reminders, and nudges to both. Saving has steps: first several in one message, twice a day; then a word into the
group and one by one tomorrow; then tomorrow. Each step is told to the administrators, none is silent.

Source: issue "Platform ledger"; DingTalk's billing model (free edition: 5,000 calls and 3,000 incoming messages a month) and WeCom's
frequency limits (90454: 200 messages a day for each member).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.manners import Degree
from rules.messages import Urgency
from rules.weeks import SHANGHAI
from rules.worktime import Calendar


class What(StrEnum):
    """What is counted."""

    CALLS = "calls"  # requests to the platform's API
    HEARD = "heard"  # messages and presses that the platform delivers to us
    SENDS = "sends"  # messages to people


class Per(StrEnum):
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Budget:
    """`count` of `what` in each local day or month; times the number of people when `per_head`."""

    platform: str
    what: What
    count: int
    per: Per
    per_head: bool = False


@dataclass(frozen=True)
class Standing:
    """How a budget stands: its whole, what was spent of it in the current day or month, and what will be by the end at this pace."""

    budget: Budget
    limit: int
    spent: int
    expected: int


# A class stops while at most this share is left: it belongs to those above it.
_KEPT = {Urgency.NUDGE: 0.15, Urgency.DIGEST: 0.10, Urgency.REMINDER: 0.05}
_EARLY = 0.2  # of the whole: before that much is spent, a pace means nothing
_BATCH, _GROUP = 1.25, 1.5  # expected by the whole


def period(per: Per, now: datetime) -> tuple[date, date]:
    """The first and the last local day of the day or month that `now` lies in."""
    today = now.astimezone(SHANGHAI).date()
    if per is Per.DAY:
        return today, today
    first = today.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def standing(budget: Budget, heads: int, spent: int, calendar: Calendar, now: datetime) -> Standing:
    """How the budget stands at `now`. A month goes on at the pace of its workdays so far; of a day only what was spent is known."""
    limit = budget.count * heads if budget.per_head else budget.count
    if budget.per is Per.DAY:
        return Standing(budget, limit, spent, spent)
    first, last = period(budget.per, now)
    gone, whole = _worked(calendar, first, now), len(_workdays(calendar, first, last))
    return Standing(budget, limit, spent, max(spent, round(spent * whole / max(gone, 1.0))))


def degree(urgency: Urgency, stands: tuple[Standing, ...]) -> Degree:
    """How hard we save on this class with budgets that stand so: as the tightest of them says."""
    if urgency not in _KEPT:
        return Degree.FREELY
    return max((_degree(urgency, stand) for stand in stands if stand.budget.what is not What.HEARD), default=Degree.FREELY)


def _degree(urgency: Urgency, stand: Standing) -> Degree:
    if stand.limit - stand.spent <= stand.limit * _KEPT[urgency]:
        return Degree.TOMORROW
    if stand.expected <= stand.limit or stand.spent < stand.limit * _EARLY:
        return Degree.FREELY
    if stand.expected <= stand.limit * _BATCH:
        return Degree.BATCH
    return Degree.GROUP if stand.expected <= stand.limit * _GROUP else Degree.TOMORROW


def _workdays(calendar: Calendar, first: date, last: date) -> list[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if calendar.is_workday(day)]


def _worked(calendar: Calendar, first: date, now: datetime) -> float:
    """Workdays since `first`, with the part of today that is over."""
    today = now.astimezone(SHANGHAI).date()
    before = len(_workdays(calendar, first, today - timedelta(days=1)))
    if not calendar.is_workday(today):
        return before
    begins, ends = calendar.begins(today), calendar.ends(today)
    return before + min(1.0, max(0.0, (now - begins) / (ends - begins)))
