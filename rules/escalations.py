"""Few pings, each one worth it: how escalations to one HRBP go together (A6), and what he hears before a long holiday."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.events import Account, Platform
from rules.feedback import Record, State
from rules.loops import Loop, LoopState
from rules.messages import GroupChat
from rules.weeks import SHANGHAI
from rules.worktime import Calendar

LINES = 6  # of a list: as many as WeCom shows facts and buttons
LONG_HOLIDAY = 3  # days off in a row
_FORECAST_BEFORE_END = timedelta(hours=3)
_A_DAY = timedelta(days=1)


class Outcome(StrEnum):
    """What came of an escalated record, for one line of a list."""

    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    EXTENDED = "extended"
    TAKEN = "taken"
    NUDGED = "nudged"


SETTLED = frozenset({Outcome.ANSWERED, Outcome.WITHDRAWN, Outcome.CLOSED, Outcome.EXTENDED})


@dataclass(frozen=True)
class Page:
    """A stretch of a list: elements `begins` to `ends` (excluded), and the page that the button leads to, None without one."""

    begins: int
    ends: int
    next: int | None


@dataclass(frozen=True)
class Holiday:
    """Days off in a row, `first` to the day before `back`, which is worked; local dates."""

    first: date
    back: date

    @property
    def days(self) -> int:
        """How many days are off."""
        return (self.back - self.first).days


def outcome(record: Record, loop: Loop) -> Outcome | None:
    """What came of a record that was escalated; None while nobody has done anything."""
    if record.state in _ENDED:
        return _ENDED[record.state]
    if loop.state is LoopState.TAKEN:
        return Outcome.TAKEN
    if loop.state is LoopState.WAITING and loop.escalated_at is None:
        return Outcome.EXTENDED
    return Outcome.NUDGED if loop.nudged_at is not None else None


def page(settled: Sequence[bool], number: int | None) -> Page:
    """Page `number` of a list of which `settled` are done; without one, or with one there is not, the first with anything to do."""
    if len(settled) <= LINES:
        return Page(0, len(settled), None)
    each = LINES - 1  # one button turns the page
    pages = range(-(-len(settled) // each))
    if number is None or number not in pages:
        number = next((n for n in pages if not all(settled[n * each : (n + 1) * each])), 0)
    return Page(number * each, min((number + 1) * each, len(settled)), (number + 1) % len(pages))


def worth_a_change(to: Account | GroupChat | None, *, left: int) -> bool:
    """Whether a list that was sent is changed when one of its records moves on and `left` are still to do. WeCom changes a card once
    per code (wecom.md §7), so there it is kept for when nothing is left; whoever presses meanwhile is shown the list as it is."""
    return left == 0 or to is None or to.platform != Platform.WECOM


def leaves_at(last_sent: datetime | None, now: datetime, window: timedelta) -> datetime:
    """When an escalation may leave: at once, unless its reader got one less than `window` ago. Then it waits until the window is over,
    and whatever else comes up meanwhile goes with it: two messages in any window at most, and the first is not late."""
    if last_sent is None or last_sent > now:
        return now
    return max(now, last_sent + window)


def holiday_ahead(calendar: Calendar, now: datetime) -> Holiday | None:
    """The long holiday that begins after today, when today is the last workday before it and its last hours have begun; else None."""
    today = now.astimezone(SHANGHAI).date()
    if not calendar.is_workday(today) or not calendar.ends(today) - _FORECAST_BEFORE_END <= now < calendar.ends(today):
        return None
    holiday = Holiday(today + _A_DAY, calendar.next_workday(today + _A_DAY))
    return holiday if holiday.days >= LONG_HOLIDAY else None


_ENDED: Mapping[State, Outcome] = {
    State.ACKNOWLEDGED: Outcome.ANSWERED,
    State.IMPROVED: Outcome.ANSWERED,
    State.DISPUTED: Outcome.ANSWERED,
    State.WITHDRAWN: Outcome.WITHDRAWN,
    State.CLOSED: Outcome.CLOSED,
}
