"""Rule 3 of the product as a matrix: every kind of person × every state of a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rules.feedback import Kind, Record, State
from rules.loops import Loop, LoopState
from rules.messages import PersonId
from rules.people import Person
from rules.visibility import may_see
from tests.builders import BEHAVIOURS, NOON, PLAN

ROLES = ("chief", "head", "author", "subject", "colleague", "hrbp", "hr_head", "other_hrbp", "other_head")
IDS = {role: id for id, role in enumerate(ROLES, start=1)}


def a_person(role: str, supervisor: str | None, hrbp: str | None = "hrbp") -> Person:
    id = IDS[role]
    return Person(id, role, role, "客服部", "", "", IDS[supervisor] if supervisor else None, IDS[hrbp] if hrbp else None, None)


PEOPLE = {
    IDS[person.key]: person
    for person in (
        a_person("chief", None),
        a_person("head", "chief"),
        a_person("author", "head"),
        a_person("subject", "author"),
        a_person("colleague", "author"),
        a_person("hrbp", "hr_head"),
        a_person("hr_head", "chief"),
        a_person("other_hrbp", "hr_head"),
        a_person("other_head", "chief"),
    )
}


def a_record(state: State) -> Record:
    given = state not in (State.DRAFT, State.EXPIRED, State.NOTE)
    return Record(
        1,
        0,
        state,
        IDS["author"],
        IDS["subject"],
        "上午",
        BEHAVIOURS,
        NOON,
        NOON,
        NOON,
        kind=Kind.IMPROVE,
        given_at=NOON if given else None,
    )


def a_loop(steps_taken: int = 0, taken_by: str | None = None) -> Loop:
    chain: tuple[PersonId, ...] = (IDS["hrbp"], IDS["hr_head"])
    return Loop(1, 0, LoopState.WAITING, NOON, PLAN, steps_taken, None, chain, taken_by=IDS[taken_by] if taken_by else None)


def seen_by(record: Record, loop: Loop | None = None, people: dict[PersonId, Person] = PEOPLE) -> set[str]:
    return {role for role in ROLES if may_see(people[IDS[role]], record, people, loop)}


def seen_by_stand_in(role: str, absent: str, state: State = State.OPEN) -> bool:
    """Whether this role sees the record because of whom it stands in for."""
    return may_see(PEOPLE[IDS[role]], a_record(state), PEOPLE, a_loop(), {IDS[absent]})


IN_CHARGE = {"chief", "head", "author", "hrbp"}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.DRAFT, {"author"}),
        (State.NOTE, {"author"}),
        (State.EXPIRED, {"author"}),
        (State.OPEN, IN_CHARGE | {"subject"}),
        (State.ACKNOWLEDGED, IN_CHARGE | {"subject"}),
        (State.IMPROVED, IN_CHARGE | {"subject"}),
        (State.DISPUTED, IN_CHARGE | {"subject"}),
        (State.CLOSED, IN_CHARGE | {"subject"}),
        (State.WITHDRAWN, IN_CHARGE),
    ],
)
def test_who_sees_a_record_in_each_state(state: State, expected: set[str]) -> None:
    assert seen_by(a_record(state), a_loop()) == expected


def test_every_state_stands_in_the_matrix_above() -> None:
    assert len(State) == 9


def test_the_next_in_the_hrbps_chain_sees_it_once_it_was_escalated_to_him() -> None:
    record = a_record(State.OPEN)

    assert "hr_head" not in seen_by(record, a_loop(steps_taken=3))
    assert "hr_head" in seen_by(record, a_loop(steps_taken=4))


def test_whoever_took_it_over_sees_it() -> None:
    assert "other_hrbp" in seen_by(a_record(State.OPEN), a_loop(taken_by="other_hrbp"))


def test_a_fallback_that_stands_first_in_the_chain_is_in_charge() -> None:
    nobody = PEOPLE | {IDS["subject"]: replace(PEOPLE[IDS["subject"]], hrbp=None)}

    assert "hrbp" in seen_by(a_record(State.OPEN), a_loop(), nobody)
    assert "hrbp" not in seen_by(a_record(State.OPEN), None, nobody)


def test_who_has_left_sees_nothing() -> None:
    gone = {id: replace(person, left_at=NOON) for id, person in PEOPLE.items()}

    assert seen_by(a_record(State.OPEN), a_loop(), gone) == set()


def test_a_directory_that_goes_in_circles_ends_the_search() -> None:
    circle = PEOPLE | {IDS["chief"]: replace(PEOPLE[IDS["chief"]], supervisor=IDS["author"])}

    assert seen_by(a_record(State.OPEN), a_loop(), circle) == IN_CHARGE | {"subject"}


def test_above_the_subject_but_not_above_the_author_sees_nothing() -> None:
    moved = PEOPLE | {IDS["subject"]: replace(PEOPLE[IDS["subject"]], supervisor=IDS["other_head"])}

    assert "other_head" not in seen_by(a_record(State.OPEN), a_loop(), moved)


@pytest.mark.parametrize("absent", ["author", "hrbp"])
def test_who_stands_in_for_author_or_hrbp_sees_what_they_see(absent: str) -> None:
    for role in ("colleague", "other_head", "other_hrbp"):
        assert seen_by_stand_in(role, absent)
        assert not seen_by_stand_in(role, absent, State.DRAFT), "what was not given is its author's alone"
        assert not seen_by_stand_in(role, "other_head"), "who has nothing to do with it brings nobody else to it"


def test_nobody_stands_in_for_a_subject_nor_for_the_line_above() -> None:
    assert not seen_by_stand_in("other_head", "subject")
    assert not seen_by_stand_in("other_head", "chief")


def test_a_subject_who_stands_in_for_his_author_sees_no_more_than_his_own() -> None:
    assert seen_by_stand_in("subject", "author")
    assert not seen_by_stand_in("subject", "author", State.WITHDRAWN)
