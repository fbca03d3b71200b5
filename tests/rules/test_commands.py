"""Which records a command means, and what a week comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rules import commands
from rules.commands import Figures, Hints
from rules.feedback import Answer, Kind, Record, State
from rules.loops import Loop, LoopState, Stage, StepKind

NOON = datetime(2026, 9, 14, 3, 0, tzinfo=UTC)


def a_record(id: int, *, subject: int = 2, state: State = State.OPEN, kind: Kind = Kind.PRAISE, days_ago: float = 0) -> Record:
    given = NOON - timedelta(days=days_ago)
    return Record(
        id=id,
        version=0,
        state=state,
        author=1,
        subject=subject,
        occasion="",
        offered=(),
        created_at=given,
        expires_at=given + timedelta(days=2),
        occurred_at=given,
        kind=kind,
        given_at=given,
    )


RECORDS = (a_record(11), a_record(12, subject=3, days_ago=1), a_record(13, days_ago=3))


@pytest.mark.parametrize(
    ("hints", "left"),
    [
        (Hints(), [11, 12, 13]),
        (Hints(id="12", people=frozenset({2})), [12]),
        (Hints(id="A-12"), []),
        (Hints(people=frozenset({2})), [11, 13]),
        (Hints(day=date(2026, 9, 13)), [12]),
        (Hints(last=True), [11]),
        (Hints(people=frozenset({3}), last=True), [12]),
        (Hints(people=frozenset()), []),
    ],
)
def test_a_command_means_the_records_that_fit_all_it_says(hints: Hints, left: list[int]) -> None:
    assert [record.id for record in commands.narrowed(RECORDS, lambda record: record.subject, hints)] == left


def test_a_day_is_shanghais_day() -> None:
    late = replace(RECORDS[0], given_at=datetime(2026, 9, 13, 16, 0, tzinfo=UTC))

    assert commands.narrowed([late], lambda record: record.subject, Hints(day=date(2026, 9, 14))) == (late,)
    assert commands.narrowed([late], lambda record: record.subject, Hints(day=date(2026, 9, 13))) == ()


def test_a_week_in_figures() -> None:
    week = [
        a_record(1),
        a_record(2, state=State.IMPROVED, kind=Kind.IMPROVE),
        a_record(3, state=State.DISPUTED, kind=Kind.IMPROVE),
        a_record(4, state=State.CLOSED),
    ]

    assert commands.figures(week) == Figures(praise=2, improve=2, answered=2, improved=1, waiting=1)


def test_what_waits_is_answered_first_and_received_only_where_nothing_waits() -> None:
    received, waiting = a_record(1, state=State.ACKNOWLEDGED), a_record(2)

    assert commands.answerable([received, waiting], Answer.IMPROVED) == (waiting,)
    assert commands.answerable([received], Answer.IMPROVED) == (received,)
    assert commands.answerable([received], Answer.ACKNOWLEDGED) == ()


def test_an_escalation_is_the_business_of_those_who_heard_of_it() -> None:
    plan = (Stage(timedelta(hours=72), StepKind.ESCALATE), Stage(timedelta(hours=96), StepKind.ESCALATE))
    loop = Loop(1, 0, LoopState.WAITING, NOON, plan, 1, None, (7, 8), taken_by=None)

    assert commands.in_charge_of(loop, frozenset({7}))
    assert not commands.in_charge_of(loop, frozenset({8}))
    assert commands.in_charge_of(replace(loop, steps_taken=2), frozenset({8}))
    assert commands.in_charge_of(replace(loop, taken_by=9), frozenset({9}))
    assert not commands.in_charge_of(loop, frozenset())
