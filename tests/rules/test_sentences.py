"""A draft from a sentence: what may be done with it, by whom, until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules import sentences
from rules.feedback import Accepted, Kind, Record, Refusal, Refused, State, may_change
from rules.sentences import Element, Understood

NOON = datetime(2026, 9, 14, 3, 0, tzinfo=UTC)
WHOLE = Record(
    id=1,
    version=0,
    state=State.DRAFT,
    author=1,
    subject=2,
    occasion="",
    offered=(),
    created_at=NOON,
    expires_at=NOON + timedelta(hours=48),
    occurred_at=NOON,
    kind=Kind.IMPROVE,
    scene="昨天直播",
    action="漏了促单",
    impact="少了 3 单",
)
Decide = Callable[[Record, int, datetime], Accepted | Refused]


def _send(record: Record, by: int, now: datetime) -> Accepted | Refused:
    return sentences.send(record, Kind.IMPROVE, by, now, subject_left=False)


def _keep(record: Record, by: int, now: datetime) -> Accepted | Refused:
    return sentences.keep(record, by, now, insist=True)


def _choose(record: Record, by: int, now: datetime) -> Accepted | Refused:
    return sentences.choose_kind(record, Kind.PRAISE, by, now)


every_decision = pytest.mark.parametrize("decide", [_send, _keep, _choose, sentences.drop])


@every_decision
def test_only_the_author_decides_and_only_while_it_is_a_draft(decide: Decide) -> None:
    assert isinstance(decide(WHOLE, 1, NOON), Accepted)
    assert decide(WHOLE, 2, NOON) == Refused(Refusal.NOT_YOURS)
    assert decide(replace(WHOLE, state=State.OPEN), 1, NOON) == Refused(Refusal.ALREADY_GIVEN)
    assert decide(replace(WHOLE, state=State.NOTE), 1, NOON) == Refused(Refusal.NOTED)


@every_decision
def test_a_draft_ends_exactly_when_it_expires(decide: Decide) -> None:
    assert isinstance(decide(WHOLE, 1, WHOLE.expires_at - timedelta(seconds=1)), Accepted)
    assert decide(WHOLE, 1, WHOLE.expires_at) == Refused(Refusal.EXPIRED)


@pytest.mark.parametrize("element", Element)
def test_the_gate_wants_all_three(element: Element) -> None:
    lacking = replace(WHOLE, **{element.value: ""})  # type: ignore[arg-type]  # one of the three texts

    assert sentences.missing(lacking) == (element,)
    assert _send(lacking, 1, NOON) == Refused(Refusal.INCOMPLETE)


def test_a_note_is_never_given() -> None:
    kept = sentences.keep(replace(WHOLE, impact=""), 1, NOON, insist=True)

    assert isinstance(kept, Accepted)
    assert kept.record.given_at is None
    assert sentences.keep(WHOLE, 1, NOON, insist=False) == Refused(Refusal.INCOMPLETE)


def test_a_time_that_was_not_understood_is_when_it_was_written() -> None:
    understood = Understood("那单", "漏了促单", "", None, None)

    assert sentences.fill(replace(WHOLE, occurred_at=NOON - timedelta(days=3)), understood).occurred_at == WHOLE.created_at


def test_dictation_is_joined_with_a_comma_and_written_sentences_are_not() -> None:
    assert sentences.joined("漏了促单", "少了三单") == "漏了促单，少了三单"
    assert sentences.joined("漏了促单。", "少了三单") == "漏了促单。少了三单"


def test_who_was_never_mentioned_comes_first_then_the_longest_ago() -> None:
    last = {1: NOON, 2: NOON - timedelta(days=5)}

    assert sentences.by_neglect((1, 2, 3, 4), last) == (3, 4, 2, 1)


def test_what_was_given_may_be_changed_until_ten_minutes_after_it_was_seen() -> None:
    given, window = replace(WHOLE, state=State.OPEN, given_at=NOON), timedelta(minutes=10)

    assert may_change(given, 1, None, NOON + timedelta(days=9), window) is None
    assert may_change(given, 1, NOON, NOON + window, window) is None
    assert may_change(given, 1, NOON, NOON + window + timedelta(seconds=1), window) is Refusal.TOO_LATE
    assert may_change(given, 2, None, NOON, window) is Refusal.NOT_YOURS
    assert may_change(replace(given, state=State.ACKNOWLEDGED), 1, None, NOON, window) is Refusal.ALREADY_ANSWERED
