"""Manners (A10): whether a message that is due leaves now, waits, goes along with another, or is not sent at all.

The last word before the network. Everything is decided as if the reader were awake; only the delivery waits, so that what has become
moot meanwhile is never sent. What answers somebody who has just pressed or written is no ping and never waits; nor does the change of
a card that he has already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum

from rules import away
from rules.away import Away
from rules.messages import Urgency
from rules.weeks import SHANGHAI, midnight
from rules.worktime import Calendar

NAGS = frozenset({Urgency.REMINDER, Urgency.DIGEST, Urgency.NUDGE})
MAY_BE_MUTED = NAGS
_A_DAY = timedelta(days=1)
_ALMOST = 0.9  # a stage that is a little early for the pause before it, because that one left a little late, was meant to come then
_BATCH_OPEN = timedelta(minutes=30)  # as long as a queue needs to leave; what comes later waits for the next batch
_LONGEST = timedelta(days=14)  # then it is looked at again: wishes that leave no hour open must not hang us


class Why(StrEnum):
    """The reason of a decision; `run.py outbox --why` tells it."""

    ANSWER = "answer"
    URGENT = "urgent"
    FREE = "nothing_against_it"
    QUIET = "quiet_hours"
    REST = "rest_day"
    AFTER_WORK = "outside_working_hours"
    SNOOZED = "snoozed"
    ABSENT = "has_a_stand_in"
    LATELY = "told_lately"
    ENOUGH = "enough_for_today"
    BUDGET = "saving_the_budget"
    UNWANTED = "not_wanted"
    NEWER = "a_newer_one_waits"
    TOGETHER = "one_message_for_all"


class Degree(IntEnum):
    """How hard a platform's budget makes us save on a class of messages (`rules.budgets`)."""

    FREELY = 0
    BATCH = 1  # twice a day, together
    GROUP = 2  # a word into the group today, one by one tomorrow
    TOMORROW = 3  # not today


@dataclass(frozen=True)
class Quiet:
    """Hours of the day, local, in which nobody is disturbed: from `begins` until `ends`, over midnight when that is earlier; none when
    the two are equal."""

    begins: time
    ends: time

    def end_after(self, now: datetime) -> datetime | None:
        """When the quiet hours that `now` lies in end, aware UTC; None outside of them."""
        local = now.astimezone(SHANGHAI)
        today = datetime.combine(local.date(), self.ends, SHANGHAI).astimezone(UTC)
        clock = local.time()
        if self.begins < self.ends:
            return today if self.begins <= clock < self.ends else None
        if self.begins == self.ends:
            return None
        if clock < self.ends:
            return today
        return today + _A_DAY if clock >= self.begins else None


@dataclass(frozen=True)
class Preferences:
    """What one person asked for. `quiet` holds when `own_quiet`: hours of his own, None for none at all. `rests`: whether his rest days
    are kept free of everything but answers; None: as the company does. `muted`: classes that he does not want to hear of (of
    `MAY_BE_MUTED`)."""

    own_quiet: bool = False
    quiet: Quiet | None = None
    rests: bool | None = None
    muted: frozenset[Urgency] = frozenset()


@dataclass(frozen=True)
class Manners:
    """What the company decides.

    `rest` are the classes that rest days hold, `work` those that wait for working hours, `urgent` those that nothing holds. `caps`: how
    many pings of a class one person gets on one local day at most. `pauses`: the shortest time between two nags about the same thing,
    by how often he was told already; the last one holds for all that follow. `patience`: how long an escalation leaves its reader
    before the next in the chain hears. `batches`: local times at which saved-up nags leave.
    """

    quiet: Quiet | None = Quiet(time(21), time(8))
    rest: frozenset[Urgency] = NAGS | {Urgency.ESCALATION}
    work: frozenset[Urgency] = frozenset({Urgency.REMINDER, Urgency.NUDGE})
    urgent: frozenset[Urgency] = frozenset()
    caps: Mapping[Urgency, int] = field(default_factory=dict)
    pauses: tuple[timedelta, ...] = (timedelta(hours=12), timedelta(days=1), timedelta(days=3), timedelta(days=7))
    patience: timedelta = _A_DAY
    batches: tuple[time, ...] = (time(10), time(16))


NONE = Manners(None, frozenset(), frozenset(), pauses=(), patience=timedelta(0))


@dataclass(frozen=True)
class Ping:
    """A message that is due. `about` is its cause, None when it has none; `drawn`: it was tried before and leaves as it is."""

    id: int
    urgency: Urgency
    about: str | None = None
    drawn: bool = False


@dataclass(frozen=True)
class Reader:
    """Whom it goes to: what he asked for, and what he was told. For a group the defaults.

    `waiting`: other pings of the same class that are due to him now, any order. `told`: when he (or, for an escalation, whoever came
    before him) was told of the same thing, oldest first; for what still waits, when it will leave. `today`: pings of this class
    since midnight.
    """

    preferences: Preferences = Preferences()
    away: Away | None = None
    waiting: tuple[Ping, ...] = ()
    told: tuple[datetime, ...] = ()
    today: int = 0


@dataclass(frozen=True)
class Send:
    """It leaves now."""

    why: Why = Why.FREE


@dataclass(frozen=True)
class Hold:
    """It is looked at again at `until`, aware UTC."""

    until: datetime
    why: Why


@dataclass(frozen=True)
class Merge:
    """It leaves now and says what the pings `others` would have said, which are not sent."""

    others: tuple[int, ...]
    why: Why = Why.TOGETHER


@dataclass(frozen=True)
class Drop:
    """It is not sent."""

    why: Why


Decision = Send | Hold | Merge | Drop


def decide(ping: Ping, reader: Reader, house: Manners, calendar: Calendar, degree: Degree, now: datetime) -> Decision:
    """What becomes of a due ping at `now` (aware UTC). A `Hold` ends after `now`, at the first instant at which nothing that is known
    now holds it; what was drawn already is neither dropped nor merged.

    Source: product, A10; issue "Manners": quiet hours, rest days, preferences, daily cap by class, bundling, snooze, stand-in.
    """
    if ping.urgency is Urgency.ANSWER:
        return Send(Why.ANSWER)
    if not ping.drawn and ping.urgency in reader.preferences.muted & MAY_BE_MUTED:
        return Drop(Why.UNWANTED)
    if not ping.drawn and _overtaken(ping, reader.waiting):
        return Drop(Why.NEWER)
    if ping.urgency in house.urgent:
        return Send(Why.URGENT)
    hold = _held(ping, reader, house, calendar, degree, now)
    if hold is not None:
        return hold
    others = tuple(other.id for other in reader.waiting if other.about != ping.about)
    if ping.urgency is Urgency.REMINDER and others and not ping.drawn:
        return Merge(others)
    return Send()


def is_capped(urgency: Urgency, house: Manners) -> bool:
    """Whether `Reader.today` matters for this class."""
    return urgency in house.caps and urgency not in house.urgent


def asks_when_told(urgency: Urgency, house: Manners) -> bool:
    """Whether `Reader.told` matters for this class."""
    return (urgency is Urgency.ESCALATION and bool(house.patience)) or (urgency is Urgency.REMINDER and bool(house.pauses))


def is_nag(urgency: Urgency) -> bool:
    """Whether a class comes from the bot alone and can wait without anybody being left waiting."""
    return urgency in NAGS


def _overtaken(ping: Ping, waiting: tuple[Ping, ...]) -> bool:
    """Whether a newer reminder of the same thing waits for the same person: never two where one would do."""
    if ping.urgency is not Urgency.REMINDER or ping.about is None:
        return False
    return any(other.about == ping.about and other.id > ping.id for other in waiting)


def _held(ping: Ping, reader: Reader, house: Manners, calendar: Calendar, degree: Degree, now: datetime) -> Hold | None:
    """Until when it waits, and what for at first; what else stands in the way at that instant puts it off further."""
    first: Why | None = None
    at = now
    while at < now + _LONGEST and (found := next(_obstacles(ping, reader, house, calendar, degree, now, at), None)):
        at, why = found
        first = first or why
    return Hold(at, first) if first is not None else None


def _obstacles(
    ping: Ping, reader: Reader, house: Manners, calendar: Calendar, degree: Degree, now: datetime, at: datetime
) -> Iterator[tuple[datetime, Why]]:
    """What stands in the way at the instant `at`, `now` or later, each with the later instant at which it is gone."""
    nag = is_nag(ping.urgency)
    if nag and reader.away is not None:
        snoozed = away.held(reader.away, at) if ping.urgency is not Urgency.DIGEST else None
        if snoozed is not None:
            yield snoozed, Why.SNOOZED
        if away.stand_in(reader.away, at) is not None and reader.away.stand_in_until is not None:
            yield reader.away.stand_in_until, Why.ABSENT
    pause = _paused_until(ping.urgency, reader.told, house)
    if pause is not None and at < pause:
        yield pause, Why.LATELY
    today, tomorrow = _day(now), midnight(_day(now) + _A_DAY)
    if reader.today >= house.caps.get(ping.urgency, reader.today + 1) and _day(at) == today:
        yield tomorrow, Why.ENOUGH
    if nag and not ping.drawn:
        saved = _saved_until(degree, house, now, at)
        if saved is not None:
            yield saved, Why.BUDGET
    quiet = reader.preferences.quiet if reader.preferences.own_quiet else house.quiet
    ends = quiet.end_after(at) if quiet else None
    if ends is not None:
        yield ends, Why.QUIET
    if _rests(ping.urgency, reader.preferences, house) and not calendar.is_workday(_day(at)):
        yield midnight(calendar.next_workday(_day(at))), Why.REST
    if ping.urgency in house.work and not reader.preferences.own_quiet:  # who names his own hours works at others
        begins = _work_begins(calendar, at)
        if begins is not None:
            yield begins, Why.AFTER_WORK


def _day(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def _rests(urgency: Urgency, wishes: Preferences, house: Manners) -> bool:
    return urgency in house.rest if wishes.rests is None else wishes.rests


def _work_begins(calendar: Calendar, at: datetime) -> datetime | None:
    """When people work next, were every day a workday; None while they do. Which days are free is told by `_rests`."""
    day = _day(at)
    if calendar.begins(day) <= at < calendar.ends(day):
        return None
    return calendar.begins(day) if at < calendar.begins(day) else calendar.begins(day + _A_DAY)


def _paused_until(urgency: Urgency, told: tuple[datetime, ...], house: Manners) -> datetime | None:
    """Nags slow down with age; an escalation leaves whoever heard before his whole time, also when he heard late."""
    if not told:
        return None
    if urgency is Urgency.ESCALATION:
        return told[-1] + house.patience * _ALMOST
    if urgency is Urgency.REMINDER and house.pauses:
        return told[-1] + house.pauses[min(len(told), len(house.pauses)) - 1]
    return None


def _saved_until(degree: Degree, house: Manners, now: datetime, at: datetime) -> datetime | None:
    """When a nag may leave that we save on: with the next batch of today, or with the first of tomorrow."""
    if degree is Degree.FREELY or not house.batches:
        return None
    today = _day(now)
    hours = [datetime.combine(today, hour, SHANGHAI).astimezone(UTC) for hour in sorted(house.batches)]
    if degree is Degree.BATCH and any(hour <= at < hour + _BATCH_OPEN for hour in hours):
        return None
    ahead = [hour for hour in hours if hour > now] if degree is Degree.BATCH else []
    target = min([*ahead, hours[0] + _A_DAY])
    return target if at < target else None
