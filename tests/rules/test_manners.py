"""What leaves now, what waits and until when, what goes along, what is not sent: by example, and against a second opinion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.away import Away
from rules.manners import (
    MAY_BE_MUTED,
    NAGS,
    NONE,
    Degree,
    Drop,
    Hold,
    Manners,
    Merge,
    Ping,
    Preferences,
    Quiet,
    Reader,
    Send,
    Why,
    decide,
)
from rules.messages import Urgency
from rules.worktime import Calendar
from tests.builders import NOON, SHANGHAI, at

NIGHT = Quiet(time(21), time(8))
HOUSE = Manners()
# National Day 2026 with its make-up days, as far as these tests go.
CALENDAR = Calendar(
    holidays=frozenset(date(2026, 10, day) for day in range(1, 8)),
    makeup=frozenset({date(2026, 9, 27), date(2026, 10, 10)}),
    years=frozenset({2026}),
)
LATE = at("2026-09-14 23:10")  # a Monday
MORNING = at("2026-09-15 08:00")
a_minute = timedelta(minutes=1)


def what(
    urgency: Urgency,
    now: datetime = NOON,
    reader: Reader | None = None,
    house: Manners = HOUSE,
    degree: Degree = Degree.FREELY,
    **ping: Any,
) -> object:
    return decide(Ping(7, urgency, **ping), reader or Reader(), house, CALENDAR, degree, now)


@pytest.mark.parametrize("urgency", [Urgency.ESCALATION, Urgency.NORMAL, Urgency.DIGEST])
def test_at_night_it_waits_for_the_morning(urgency: Urgency) -> None:
    assert what(urgency, LATE) == Hold(MORNING, Why.QUIET)
    assert what(urgency, MORNING - a_minute) == Hold(MORNING, Why.QUIET)
    assert what(urgency, MORNING) == Send()
    assert what(urgency, at("2026-09-14 20:59")) == Send()
    assert what(urgency, at("2026-09-14 21:00")) == Hold(MORNING, Why.QUIET)


def test_what_answers_somebody_leaves_at_any_hour() -> None:
    asleep = Reader(Preferences(own_quiet=True, quiet=Quiet(time(0), time(23, 59)), rests=True, muted=MAY_BE_MUTED))

    assert what(Urgency.ANSWER, LATE, asleep, degree=Degree.TOMORROW) == Send(Why.ANSWER)


def test_reminders_come_in_working_hours_of_workdays() -> None:
    before_the_holidays = at("2026-09-30 18:00")

    assert what(Urgency.REMINDER, before_the_holidays - a_minute) == Send()
    assert what(Urgency.REMINDER, before_the_holidays) == Hold(at("2026-10-08 09:00"), Why.AFTER_WORK)
    assert what(Urgency.REMINDER, at("2026-10-03 12:00")) == Hold(at("2026-10-08 09:00"), Why.REST)


def test_a_make_up_sunday_is_a_workday() -> None:
    assert what(Urgency.REMINDER, at("2026-09-27 10:00")) == Send()
    assert what(Urgency.REMINDER, at("2026-09-20 10:00")) == Hold(at("2026-09-21 09:00"), Why.REST)


def test_what_a_colleague_wrote_on_a_saturday_arrives_on_saturday() -> None:
    saturday = at("2026-09-19 10:00")

    assert what(Urgency.NORMAL, saturday) == Send()
    assert what(Urgency.NORMAL, saturday, Reader(Preferences(rests=True))) == Hold(at("2026-09-21 08:00"), Why.REST)
    assert what(Urgency.ESCALATION, saturday) == Hold(at("2026-09-21 08:00"), Why.REST)
    assert what(Urgency.ESCALATION, saturday, Reader(Preferences(rests=False))) == Send()


def test_urgent_classes_pass() -> None:
    house = replace(HOUSE, urgent=frozenset({Urgency.ESCALATION}), caps={Urgency.ESCALATION: 1})

    assert what(Urgency.ESCALATION, LATE, Reader(today=9), house) == Send(Why.URGENT)


def test_ones_own_quiet_hours_take_the_place_of_the_companys() -> None:
    night_shift = Reader(Preferences(own_quiet=True, quiet=Quiet(time(9), time(17))))

    assert what(Urgency.NORMAL, LATE, night_shift) == Send()
    assert what(Urgency.NORMAL, NOON, night_shift) == Hold(at("2026-09-14 17:00"), Why.QUIET)
    assert what(Urgency.REMINDER, LATE, night_shift) == Send()
    assert what(Urgency.NORMAL, LATE, Reader(Preferences(own_quiet=True))) == Send()


def test_who_does_not_want_reminders_gets_none_but_the_rest() -> None:
    reader = Reader(Preferences(muted=frozenset({Urgency.REMINDER, Urgency.NORMAL})))

    assert what(Urgency.REMINDER, reader=reader) == Drop(Why.UNWANTED)
    assert what(Urgency.NORMAL, reader=reader) == Send()
    assert what(Urgency.REMINDER, reader=reader, drawn=True) == Send()


def test_a_reminder_gives_way_to_a_newer_one_of_the_same_thing() -> None:
    newer = Reader(waiting=(Ping(8, Urgency.REMINDER, "feedback:1"), Ping(9, Urgency.REMINDER, "feedback:2")))

    assert what(Urgency.REMINDER, LATE, newer, about="feedback:1") == Drop(Why.NEWER)
    assert what(Urgency.REMINDER, reader=replace(newer, waiting=newer.waiting[1:]), about="feedback:1") == Merge((9,))


def test_several_reminders_become_one_message() -> None:
    others = Reader(waiting=(Ping(8, Urgency.REMINDER, "feedback:2"), Ping(9, Urgency.REMINDER, "feedback:3")))

    assert what(Urgency.REMINDER, reader=others, about="feedback:1") == Merge((8, 9))
    assert what(Urgency.REMINDER, LATE, others, about="feedback:1") == Hold(at("2026-09-15 09:00"), Why.QUIET)
    assert what(Urgency.REMINDER, reader=others, about="feedback:1", drawn=True) == Send()


def test_nags_slow_down_with_age() -> None:
    told = [NOON - timedelta(days=9)]
    left = []
    for _ in range(4):
        decision = what(
            Urgency.REMINDER,
            told[-1] + a_minute,
            Reader(told=tuple(told)),
            replace(HOUSE, quiet=None, work=frozenset(), rest=NONE.rest),
        )
        assert isinstance(decision, Hold)
        left.append(decision.until - told[-1])
        told.append(decision.until)

    assert left == [timedelta(hours=12), timedelta(days=1), timedelta(days=3), timedelta(days=7)]


def test_who_hears_of_an_escalation_late_still_has_his_whole_time() -> None:
    heard_on_monday = Reader(told=(MORNING,))

    assert what(Urgency.ESCALATION, MORNING, heard_on_monday) == Hold(at("2026-09-16 08:00"), Why.LATELY)
    assert what(Urgency.ESCALATION, MORNING + timedelta(days=1), heard_on_monday) == Send()


def test_what_is_over_the_days_cap_waits_for_tomorrow() -> None:
    house = replace(HOUSE, caps={Urgency.NUDGE: 2})

    assert what(Urgency.NUDGE, NOON, Reader(today=1), house) == Send()
    assert what(Urgency.NUDGE, NOON, Reader(today=2), house) == Hold(at("2026-09-15 09:00"), Why.ENOUGH)
    assert what(Urgency.NORMAL, NOON, Reader(today=2), house) == Send()


def test_who_asked_for_rest_or_is_on_leave_is_not_nagged() -> None:
    later = at("2026-09-14 15:00")
    back = at("2026-09-17 00:00")

    assert what(Urgency.REMINDER, NOON, Reader(away=Away(1, held_until=later))) == Hold(later, Why.SNOOZED)
    assert what(Urgency.DIGEST, NOON, Reader(away=Away(1, held_until=later))) == Send()
    on_leave = Reader(away=Away(1, None, 2, NOON - timedelta(days=1), back))
    assert what(Urgency.NUDGE, NOON, on_leave) == Hold(at("2026-09-17 09:00"), Why.ABSENT)
    assert what(Urgency.NORMAL, NOON, on_leave) == Send()


def test_a_scarce_budget_holds_nags_and_nothing_else() -> None:
    for degree in Degree:
        assert what(Urgency.ESCALATION, NOON, degree=degree) == Send()
        assert what(Urgency.NORMAL, NOON, degree=degree) == Send()

    assert what(Urgency.DIGEST, NOON, degree=Degree.BATCH) == Hold(at("2026-09-14 16:00"), Why.BUDGET)
    assert what(Urgency.DIGEST, at("2026-09-14 16:20"), degree=Degree.BATCH) == Send()
    assert what(Urgency.DIGEST, NOON, degree=Degree.TOMORROW) == Hold(at("2026-09-15 10:00"), Why.BUDGET)


def test_without_manners_everything_leaves_at_once() -> None:
    for urgency in Urgency:
        assert isinstance(what(urgency, LATE, house=NONE), Send)


# -- a second opinion: minute by minute, without any of the arithmetic above ---------------------------------------------------------


def _may_leave(minute: datetime, now: datetime, urgency: Urgency, reader: Reader, house: Manners, degree: Degree) -> bool:
    local, today = minute.astimezone(SHANGHAI), now.astimezone(SHANGHAI).date()
    nag = urgency in (Urgency.REMINDER, Urgency.DIGEST, Urgency.NUDGE)
    wishes, gone = reader.preferences, reader.away
    quiet = wishes.quiet if wishes.own_quiet else house.quiet
    if quiet is not None and quiet.begins != quiet.ends:
        inside = quiet.begins <= local.time() < quiet.ends
        outside = quiet.ends <= local.time() < quiet.begins
        if inside if quiet.begins < quiet.ends else not outside:
            return False
    rests = wishes.rests if wishes.rests is not None else urgency in house.rest
    if rests and not CALENDAR.is_workday(local.date()):
        return False
    if urgency in house.work and not wishes.own_quiet and not time(9) <= local.time() < time(18):
        return False
    if local.date() == today and urgency in house.caps and reader.today >= house.caps[urgency]:
        return False
    if nag and gone and gone.held_until and minute < gone.held_until and urgency is not Urgency.DIGEST:
        return False
    if nag and gone and gone.stand_in_from and gone.stand_in_until and gone.stand_in_from <= minute < gone.stand_in_until:
        return False
    if reader.told and urgency is Urgency.ESCALATION and minute < reader.told[-1] + house.patience * 0.9:
        return False
    if reader.told and urgency is Urgency.REMINDER and house.pauses:
        nth = min(len(reader.told), len(house.pauses))
        if minute < reader.told[-1] + house.pauses[nth - 1]:
            return False
    return not (nag and degree > Degree.FREELY and not _batch(minute, now, house, degree))


def _batch(minute: datetime, now: datetime, house: Manners, degree: Degree) -> bool:
    """Whether, since `now`, a batch has begun that this minute may still use or has waited for."""
    today = now.astimezone(SHANGHAI).date()
    begun = [
        start
        for day in (today, today + timedelta(days=1))
        for hour in house.batches
        if (start := datetime.combine(day, hour, SHANGHAI)) <= minute and (degree is Degree.BATCH or day > today)
    ]
    return any(start > now or minute < start + timedelta(minutes=30) for start in begun)


MINUTES = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
QUIETS = st.one_of(st.none(), st.builds(Quiet, MINUTES, MINUTES))
MOMENTS = st.integers(0, 40 * 24 * 60).map(lambda n: datetime(2026, 9, 10, tzinfo=UTC) + n * a_minute)
CLASSES = st.frozensets(st.sampled_from(Urgency))
PREFERENCES = st.builds(Preferences, st.booleans(), QUIETS, st.one_of(st.none(), st.booleans()))
PAUSES = st.lists(st.integers(1, 60).map(lambda n: timedelta(minutes=10 * n)), max_size=4).map(tuple)
HOUSES = st.builds(
    Manners,
    quiet=QUIETS,
    rest=CLASSES,
    work=CLASSES,
    caps=st.dictionaries(st.sampled_from(Urgency), st.integers(0, 5)),
    pauses=PAUSES,
    patience=st.integers(0, 144).map(lambda n: timedelta(minutes=10 * n)),
    batches=st.lists(MINUTES, min_size=1, max_size=3, unique=True).map(tuple),
)


@st.composite
def readers(draw: Callable[..., Any], now: datetime) -> Reader:
    """Somebody with any wishes, told a few times, perhaps away."""
    near = st.integers(-3 * 24 * 60, 3 * 24 * 60).map(lambda n: now + n * a_minute)
    gone = draw(st.one_of(st.none(), st.builds(Away, st.just(1), near, st.just(2), near, near)))
    told = tuple(sorted(draw(st.lists(near, max_size=4))))
    return Reader(draw(PREFERENCES), gone, (), told, draw(st.integers(0, 6)))


@given(st.data(), MOMENTS, st.sampled_from([u for u in Urgency if u is not Urgency.ANSWER]), HOUSES, st.sampled_from(Degree))
def test_it_leaves_at_the_first_minute_at_which_nothing_holds_it(
    data: st.DataObject, now: datetime, urgency: Urgency, house: Manners, degree: Degree
) -> None:
    reader = data.draw(readers(now))

    decision = decide(Ping(1, urgency), reader, house, CALENDAR, degree, now)

    until = decision.until if isinstance(decision, Hold) else now
    assert isinstance(decision, Send | Hold)
    assert isinstance(decision, Send) == _may_leave(now, now, urgency, reader, house, degree)
    minutes = int(min(until - now, timedelta(days=14)) / a_minute)
    assert not any(_may_leave(now + n * a_minute, now, urgency, reader, house, degree) for n in range(0, minutes, _step(minutes)))
    if until < now + timedelta(days=14):
        assert _may_leave(until, now, urgency, reader, house, degree)


def _step(minutes: int) -> int:
    """Every minute of a day or two; of longer waits, minutes that fall on every part of the hour."""
    return 1 if minutes < 3000 else 7


@given(st.data(), MOMENTS, st.sampled_from(Urgency), HOUSES, st.sampled_from(Degree))
def test_only_nags_are_ever_dropped_or_merged(
    data: st.DataObject, now: datetime, urgency: Urgency, house: Manners, degree: Degree
) -> None:
    waiting = tuple(Ping(n, urgency, f"feedback:{n % 3}") for n in range(2, 2 + data.draw(st.integers(0, 4))))
    reader = replace(data.draw(readers(now)), waiting=waiting)
    reader = replace(reader, preferences=replace(reader.preferences, muted=data.draw(CLASSES)))

    decision = decide(Ping(1, urgency, "feedback:1"), reader, house, CALENDAR, degree, now)

    if isinstance(decision, Drop | Merge):
        assert urgency in NAGS
