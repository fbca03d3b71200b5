"""A record's life: who may do what to it, and what a refusal says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import feedback
from rules.feedback import Accepted, Answer, Behaviour, Kind, Record, Refusal, Refused, State

NOW = datetime(2026, 9, 12, 6, 23, tzinfo=UTC)
AUTHOR, SUBJECT, OTHER = 1, 2, 3
BOXES = (
    Behaviour("calm", "先安抚再核实", Kind.PRAISE, "客户没有升级投诉"),
    Behaviour("note", "当场补全工单", Kind.PRAISE, "下一班不用再问"),
    Behaviour("cut_in", "打断客户", Kind.IMPROVE, "客户要求换人"),
)
DRAFT = Record(5, 0, State.DRAFT, AUTHOR, SUBJECT, "上午的退货来电", BOXES, NOW, NOW + timedelta(hours=48), NOW)


def given_record() -> Record:
    decision = feedback.give(DRAFT, ("calm",), AUTHOR, NOW, subject_left=False)
    assert isinstance(decision, Accepted)
    return decision.record


def test_ticked_boxes_become_the_three_elements() -> None:
    decision = feedback.give(DRAFT, ("note", "calm"), AUTHOR, NOW, subject_left=False)

    assert isinstance(decision, Accepted)
    record = decision.record
    assert (record.state, record.kind, record.scene) == (State.OPEN, Kind.PRAISE, "上午的退货来电")
    assert record.action == "先安抚再核实；当场补全工单"
    assert record.impact == "客户没有升级投诉；下一班不用再问"
    assert record.ticks == ("calm", "note"), "in the order of the card"


def test_a_single_box_to_improve_makes_the_record_one_to_improve() -> None:
    decision = feedback.give(DRAFT, ("calm", "cut_in"), AUTHOR, NOW, subject_left=False)

    assert isinstance(decision, Accepted)
    assert decision.record.kind is Kind.IMPROVE


@pytest.mark.parametrize(
    ("record", "ticks", "by", "later", "left", "reason"),
    [
        (DRAFT, ("calm",), OTHER, timedelta(), False, Refusal.NOT_YOURS),
        (DRAFT, (), AUTHOR, timedelta(), False, Refusal.NOTHING_TICKED),
        (DRAFT, ("never on the card",), AUTHOR, timedelta(), False, Refusal.NOTHING_TICKED),
        (DRAFT, ("calm",), AUTHOR, timedelta(hours=48), False, Refusal.EXPIRED),
        (DRAFT, ("calm",), AUTHOR, timedelta(), True, Refusal.SUBJECT_LEFT),
        (replace(DRAFT, state=State.OPEN), ("calm",), AUTHOR, timedelta(), False, Refusal.ALREADY_GIVEN),
        (replace(DRAFT, state=State.EXPIRED), ("calm",), AUTHOR, timedelta(), False, Refusal.EXPIRED),
        (replace(DRAFT, state=State.WITHDRAWN), ("calm",), AUTHOR, timedelta(), False, Refusal.WITHDRAWN),
    ],
)
def test_a_card_is_refused_with_the_reason(
    record: Record, ticks: tuple[str, ...], by: int, later: timedelta, left: bool, reason: Refusal
) -> None:
    assert feedback.give(record, ticks, by, NOW + later, subject_left=left) == Refused(reason)


def test_the_first_answer_counts_and_a_second_is_refused() -> None:
    answered = feedback.answer(given_record(), Answer.IMPROVED, SUBJECT, NOW)
    assert isinstance(answered, Accepted)

    assert answered.record.state is State.IMPROVED
    assert feedback.answer(answered.record, Answer.DISPUTED, SUBJECT, NOW) == Refused(Refusal.ALREADY_ANSWERED)


def test_having_acknowledged_one_may_still_improve_or_object() -> None:
    seen = feedback.answer(given_record(), Answer.ACKNOWLEDGED, SUBJECT, NOW)
    assert isinstance(seen, Accepted)

    assert feedback.answer(seen.record, Answer.ACKNOWLEDGED, SUBJECT, NOW) == Refused(Refusal.ALREADY_ANSWERED)
    assert isinstance(feedback.answer(seen.record, Answer.DISPUTED, SUBJECT, NOW), Accepted)


def test_nobody_but_the_subject_answers_and_nobody_but_the_author_withdraws() -> None:
    assert feedback.answer(given_record(), Answer.ACKNOWLEDGED, AUTHOR, NOW) == Refused(Refusal.NOT_YOURS)
    assert feedback.withdraw(given_record(), SUBJECT, NOW) == Refused(Refusal.NOT_YOURS)


def test_an_ended_record_says_how_it_ended() -> None:
    for end, reason in ((State.WITHDRAWN, Refusal.WITHDRAWN), (State.CLOSED, Refusal.ALREADY_SETTLED)):
        assert feedback.answer(replace(given_record(), state=end), Answer.ACKNOWLEDGED, SUBJECT, NOW) == Refused(reason)


ACTS = st.lists(st.sampled_from(["give", "acknowledged", "improved", "disputed", "close", "expire", "withdraw"]), max_size=12)


@given(ACTS)
def test_whatever_is_tried_a_record_ends_once_and_never_comes_back(acts: list[str]) -> None:
    record, ended = DRAFT, False
    for act in acts:
        decision = _try(record, act)
        assert not (ended and isinstance(decision, Accepted)), f"{act} changed a record that had ended as {record.state}"
        record = decision.record if isinstance(decision, Accepted) else record
        ended = record.state in (State.IMPROVED, State.DISPUTED, State.CLOSED, State.WITHDRAWN, State.EXPIRED)


def _try(record: Record, act: str) -> Accepted | Refused:
    match act:
        case "give":
            return feedback.give(record, ("calm",), AUTHOR, NOW, subject_left=False)
        case "close":
            return feedback.close(record, NOW)
        case "expire":
            return feedback.expire(record, NOW)
        case "withdraw":
            return feedback.withdraw(record, AUTHOR, NOW)
        case _:
            return feedback.answer(record, Answer(act), SUBJECT, NOW)


def test_a_check_in_is_about_whoever_was_not_mentioned_for_longest() -> None:
    days = {11: NOW, 12: NOW - timedelta(days=9), 13: NOW - timedelta(days=3)}

    assert feedback.least_mentioned((11, 12, 13), days) == 12
    assert feedback.least_mentioned((11, 12, 13, 14), days) == 14, "never mentioned comes first"
    assert feedback.least_mentioned((), days) is None
