"""How a budget stands, and on what we save first."""

from __future__ import annotations

from datetime import date

import pytest

from rules.budgets import Budget, Per, Standing, What, degree, period, standing
from rules.manners import Degree
from rules.messages import Urgency
from rules.worktime import Calendar
from tests.builders import at

FREE = Budget("dingtalk", What.CALLS, 5000, Per.MONTH)
DAILY = Budget("wecom", What.SENDS, 200, Per.DAY, per_head=True)
CALENDAR = Calendar(holidays=frozenset({date(2026, 9, 25)}), makeup=frozenset({date(2026, 9, 20)}), years=frozenset({2026}))
# September 2026 has 22 weekdays; with one holiday and one make-up Sunday 22 workdays.
MIDDAY_OF_THE_FIFTH_WORKDAY = at("2026-09-07 13:30")


def stands(spent: int, expected: int | None = None, limit: int = 1000) -> Standing:
    return Standing(Budget("dingtalk", What.CALLS, limit, Per.MONTH), limit, spent, expected or spent)


@pytest.mark.parametrize(
    ("per", "now", "days"),
    [
        (Per.MONTH, "2026-09-07 13:00", (date(2026, 9, 1), date(2026, 9, 30))),
        (Per.MONTH, "2026-12-31 23:59", (date(2026, 12, 1), date(2026, 12, 31))),
        (Per.MONTH, "2027-02-01 00:00", (date(2027, 2, 1), date(2027, 2, 28))),
        (Per.DAY, "2026-09-08 07:59", (date(2026, 9, 8), date(2026, 9, 8))),
    ],
)
def test_days_and_months_are_local_ones(per: Per, now: str, days: tuple[date, date]) -> None:
    assert period(per, at(now)) == days


def test_a_month_goes_on_at_the_pace_of_its_workdays() -> None:
    assert standing(FREE, 0, 450, CALENDAR, MIDDAY_OF_THE_FIFTH_WORKDAY) == Standing(FREE, 5000, 450, 2200)


def test_on_the_first_morning_a_pace_is_not_taken_for_worse_than_a_whole_day() -> None:
    assert standing(FREE, 0, 10, CALENDAR, at("2026-09-01 09:01")).expected == 220


def test_at_the_end_of_a_month_what_was_spent_is_all() -> None:
    assert standing(FREE, 0, 4400, CALENDAR, at("2026-09-30 18:00")).expected == 4400


def test_a_budget_for_each_head_grows_with_the_company() -> None:
    assert standing(DAILY, 30, 70, CALENDAR, MIDDAY_OF_THE_FIFTH_WORKDAY) == Standing(DAILY, 6000, 70, 70)


@pytest.mark.parametrize(
    ("spent", "expected", "saved"),
    [
        (500, 1000, Degree.FREELY),
        (500, 1001, Degree.BATCH),
        (500, 1250, Degree.BATCH),
        (500, 1251, Degree.GROUP),
        (500, 1501, Degree.TOMORROW),
        (199, 5000, Degree.FREELY),
        (1000, 1000, Degree.TOMORROW),
        (1200, 1200, Degree.TOMORROW),
    ],
)
def test_saving_has_steps(spent: int, expected: int, saved: Degree) -> None:
    for urgency in (Urgency.REMINDER, Urgency.DIGEST, Urgency.NUDGE):
        assert degree(urgency, (stands(spent, expected),)) is saved


def test_the_last_of_a_budget_belongs_to_those_above() -> None:
    left = {
        urgency: [n for n in range(1001) if degree(urgency, (stands(1000 - n),)) is Degree.TOMORROW][-1]
        for urgency in Urgency
        if urgency >= Urgency.REMINDER
    }

    assert left == {Urgency.NUDGE: 150, Urgency.DIGEST: 100, Urgency.REMINDER: 50}


def test_what_people_say_to_each_other_and_escalations_are_never_saved_on() -> None:
    empty = (stands(1000),)

    assert {degree(urgency, empty) for urgency in (Urgency.ANSWER, Urgency.ESCALATION, Urgency.NORMAL)} == {Degree.FREELY}


def test_the_tightest_budget_decides_and_what_we_only_hear_does_not() -> None:
    heard = Standing(Budget("dingtalk", What.HEARD, 10, Per.MONTH), 10, 10, 10)

    assert degree(Urgency.DIGEST, (stands(500, 1100), stands(500, 1400))) is Degree.GROUP
    assert degree(Urgency.DIGEST, (heard,)) is Degree.FREELY
    assert degree(Urgency.DIGEST, ()) is Degree.FREELY
