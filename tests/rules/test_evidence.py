from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.events import Account, Platform
from rules.evidence import (
    LATE,
    Evidence,
    EvidencePolicy,
    Part,
    Place,
    Progress,
    Wanted,
    around,
    handle_expires,
    missing,
    place,
    retry_after,
    wanted,
    worth_a_change,
)
from rules.feedback import Kind, Record, State
from tests.builders import BEHAVIOURS, at

AUTHOR, SUBJECT, OTHER = 1, 2, 3
POLICY = EvidencePolicy()
REQUIRED = EvidencePolicy(wanted={Kind.PRAISE: Wanted.OPTIONAL, Kind.IMPROVE: Wanted.REQUIRED})
OFFERED = at("2026-09-14 10:00")
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def a_record(id: int = 1, state: State = State.DRAFT, given_at: datetime | None = None, **changes: object) -> Record:
    record = Record(
        id=id,
        version=0,
        state=state,
        author=AUTHOR,
        subject=SUBJECT,
        occasion="上午的退货来电",
        offered=BEHAVIOURS,
        created_at=OFFERED,
        expires_at=OFFERED + timedelta(hours=48),
        occurred_at=OFFERED,
        kind=Kind.IMPROVE if given_at else None,
        given_at=given_at,
    )
    return replace(record, **changes)  # type: ignore[arg-type]  # as the caller names them


def sent(by: int = AUTHOR, state: Progress = Progress.WAITING) -> Evidence:
    return Evidence(1, 1, by, Platform.WECOM, "m", state, 0, OFFERED, OFFERED)


def found(now: datetime, *records: Record, sender: int = AUTHOR, policy: EvidencePolicy = POLICY) -> tuple[int, Part] | None:
    chosen = place(sender, records, now, policy)
    return (chosen.record.id, chosen.part) if chosen else None


@pytest.mark.parametrize(
    ("now", "belongs"),
    [
        (OFFERED - 10 * MINUTE - SECOND, False),
        (OFFERED - 10 * MINUTE, True),
        (OFFERED + 30 * MINUTE, True),
        (OFFERED + 30 * MINUTE + SECOND, False),
    ],
)
def test_a_picture_belongs_to_a_card_from_ten_minutes_before_to_thirty_after(now: datetime, belongs: bool) -> None:
    assert found(now, a_record()) == ((1, Part.DRAFT) if belongs else None)
    assert around(a_record(), now, POLICY) is belongs


def test_a_card_submitted_late_has_pictures_around_its_submission_too() -> None:
    record = a_record(state=State.OPEN, given_at=OFFERED + timedelta(hours=5))

    assert around(record, OFFERED + timedelta(hours=4, minutes=50), POLICY)
    assert around(record, OFFERED + 30 * MINUTE, POLICY)
    assert not around(record, OFFERED + timedelta(hours=2), POLICY)


def test_the_newest_card_of_several_gets_the_picture() -> None:
    submitted = a_record(1, State.OPEN, OFFERED + 12 * MINUTE)
    offered = a_record(2, created_at=OFFERED + 10 * MINUTE)

    assert found(OFFERED + 15 * MINUTE, offered, submitted) == (1, Part.GIVEN)
    assert found(OFFERED + 15 * MINUTE, submitted, offered) == (1, Part.GIVEN)


@pytest.mark.parametrize("state", [State.EXPIRED, State.WITHDRAWN, State.NOTE])
def test_a_record_that_ended_before_it_was_answered_gets_none(state: State) -> None:
    assert found(OFFERED + MINUTE, a_record(state=state)) is None


def test_a_draft_that_has_run_out_gets_none() -> None:
    assert found(OFFERED + MINUTE, a_record(expires_at=OFFERED + MINUTE)) is None


def test_a_feedback_that_waits_is_answered_by_a_picture_however_late() -> None:
    record = a_record(state=State.OPEN, given_at=OFFERED)

    assert found(OFFERED + timedelta(days=20), record, sender=SUBJECT) == (1, Part.ANSWERS)


def test_what_was_answered_just_now_comes_before_what_still_waits() -> None:
    answered = a_record(1, State.IMPROVED, OFFERED, answered_at=OFFERED + 60 * MINUTE)
    waits = a_record(2, State.OPEN, OFFERED + 5 * MINUTE)

    assert found(OFFERED + 61 * MINUTE, answered, waits, sender=SUBJECT) == (1, Part.ANSWERED)
    assert found(OFFERED + 91 * MINUTE, answered, waits, sender=SUBJECT) == (2, Part.ANSWERS)


def test_a_supervisors_own_card_of_this_moment_comes_before_a_feedback_that_waits_for_him() -> None:
    about_him = a_record(1, State.OPEN, OFFERED - timedelta(days=1), author=OTHER, subject=AUTHOR)

    assert found(OFFERED + MINUTE, about_him, a_record(2)) == (2, Part.DRAFT)


def test_a_strangers_picture_belongs_to_nothing() -> None:
    records = (a_record(1), a_record(2, State.OPEN, OFFERED))

    assert place(OTHER, records, OFFERED + MINUTE, POLICY) is None


def test_a_missing_screenshot_may_come_within_a_week_but_only_the_first_one() -> None:
    record = a_record(state=State.OPEN, given_at=OFFERED)
    tomorrow = OFFERED + timedelta(days=1)

    assert place(AUTHOR, [record], tomorrow, REQUIRED) == Place(record, Part.GIVEN)
    assert place(AUTHOR, [record], tomorrow, REQUIRED, illustrated={1}) is None
    assert place(AUTHOR, [record], tomorrow, POLICY) is None
    assert place(AUTHOR, [record], OFFERED + LATE + SECOND, REQUIRED) is None


def test_a_required_screenshot_is_missing_until_its_author_sends_one_that_does_not_fail() -> None:
    record = a_record(state=State.OPEN, given_at=OFFERED)

    assert missing(record, [], REQUIRED)
    assert missing(record, [sent(by=SUBJECT)], REQUIRED)
    assert missing(record, [sent(state=Progress.FAILED)], REQUIRED)
    assert not missing(record, [sent()], REQUIRED)
    assert not missing(record, [sent(state=Progress.STORED)], REQUIRED)


def test_nothing_is_missing_where_nothing_is_required() -> None:
    assert not missing(a_record(), [], REQUIRED), "a draft has no kind yet"
    assert not missing(a_record(state=State.OPEN, given_at=OFFERED, kind=Kind.PRAISE), [], REQUIRED)
    assert not missing(a_record(state=State.WITHDRAWN, given_at=OFFERED), [], REQUIRED)


def test_a_draft_may_have_pictures_whatever_its_kind_will_be() -> None:
    nothing = EvidencePolicy(wanted=dict.fromkeys(Kind, Wanted.NONE))

    assert wanted(a_record(), nothing) is Wanted.OPTIONAL
    assert wanted(a_record(given_at=OFFERED), nothing) is Wanted.NONE


def test_only_the_senders_own_card_on_wecom_keeps_its_one_change_for_the_answer() -> None:
    on_wecom, on_dingtalk = Account(Platform.WECOM, "li.si"), Account(Platform.DINGTALK, "emp007")

    assert not worth_a_change(on_wecom, own=True)
    assert worth_a_change(on_wecom, own=False)
    assert worth_a_change(on_dingtalk, own=True)
    assert worth_a_change(None, own=True), "it has not left yet"


def test_we_try_as_long_as_the_platform_keeps_the_file() -> None:
    assert handle_expires(Platform.WECOM, OFFERED) == at("2026-09-17 10:00")
    assert handle_expires(Platform.DINGTALK, OFFERED) == at("2026-09-15 10:00")


def test_the_pauses_between_tries_grow_and_stay_below_what_a_day_holds() -> None:
    pauses = [retry_after(attempts) for attempts in range(1, 20)]

    assert pauses == sorted(pauses)
    assert pauses[0] < 10
    assert max(pauses) <= 7200


states = st.sampled_from(list(State))
minutes = st.integers(-2000, 2000).map(lambda n: OFFERED + n * MINUTE)
people = st.sampled_from([AUTHOR, SUBJECT, OTHER])


@given(st.lists(st.tuples(states, minutes, minutes, people, people), max_size=5), minutes, people)
def test_a_picture_only_ever_goes_to_a_record_of_its_sender_that_is_alive(
    drawn: list[tuple[State, datetime, datetime, int, int]], now: datetime, sender: int
) -> None:
    records = [
        a_record(id, state, given, created_at=created, answered_at=given, author=author, subject=subject)
        for id, (state, created, given, author, subject) in enumerate(drawn)
    ]

    chosen = place(sender, records, now, REQUIRED)

    if chosen is not None:
        assert sender in (chosen.record.author, chosen.record.subject)
        assert chosen.record.state not in (State.EXPIRED, State.WITHDRAWN, State.NOTE)
        assert (chosen.part in (Part.DRAFT, Part.GIVEN)) <= (chosen.record.author == sender)
        assert (chosen.part is Part.ANSWERS) <= (chosen.record.state is State.OPEN and chosen.record.subject == sender)
