"""Records, their clocks, their history, and the questions that wait for words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import NoResultFound

from rules.feedback import Answer, Kind, State
from storage.conflict import Conflict
from storage.history import Entry
from storage.prompts import Prompt
from storage.unit import Store
from tests.builders import BEHAVIOURS, NOON, PLAN, a_company, a_draft, a_loop, an_open_record

an_hour = timedelta(hours=1)


@pytest.fixture
def people(store: Store) -> dict[str, int]:
    with store.begin() as tx:
        return {key: person.id for key, person in a_company(tx).items()}


def test_a_draft_comes_back_as_it_was_stored(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        record = tx.feedback.get(tx.feedback.open_draft(a_draft(people["E010"], people["E011"])))

    assert (record.state, record.version) == (State.DRAFT, 0)
    assert (record.author, record.subject, record.occasion) == (people["E010"], people["E011"], "上午的退货来电")
    assert record.offered == BEHAVIOURS
    assert record.expires_at == NOON + timedelta(hours=48)


def test_of_two_who_change_a_record_at_once_the_second_starts_again(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        read = tx.feedback.get(tx.feedback.open_draft(a_draft(people["E010"], people["E011"])))

    with store.begin() as tx:
        tx.feedback.apply(replace(read, state=State.OPEN, kind=Kind.PRAISE, ticks=("calm_first",), given_at=NOON))
    with pytest.raises(Conflict), store.begin() as tx:
        tx.feedback.apply(replace(read, state=State.EXPIRED))

    with store.read() as tx:
        now = tx.feedback.get(read.id)
    assert (now.state, now.version, now.kind, now.ticks, now.given_at) == (State.OPEN, 1, Kind.PRAISE, ("calm_first",), NOON)


def test_there_is_no_record_without_a_row(store: Store) -> None:
    with store.read() as tx, pytest.raises(NoResultFound):
        tx.feedback.get(1)


def test_a_clock_comes_back_as_it_was_stored(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        id = tx.feedback.open_draft(a_draft(people["E010"], people["E011"]))
        loop = a_loop(id, chain=(people["E003"], people["E001"]))
        tx.loops.open(loop)

        assert tx.loops.get(id) == loop
        assert tx.loops.get(id + 1) is None


def test_of_two_who_advance_a_clock_at_once_the_second_starts_again(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        loop = tx.loops.get(an_open_record(tx, people["E010"], people["E011"]))
    assert loop is not None

    with store.begin() as tx:
        tx.loops.apply(replace(loop, steps_taken=1, due_at=NOON + PLAN[1].after))
    with pytest.raises(Conflict), store.begin() as tx:
        tx.loops.apply(replace(loop, steps_taken=1))


def test_a_clock_is_due_at_its_time_and_not_a_second_before(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        late = an_open_record(tx, people["E010"], people["E011"], NOON + an_hour)
        early = an_open_record(tx, people["E010"], people["E012"], NOON)
    due = NOON + PLAN[0].after

    with store.begin() as tx:
        assert tx.loops.next_due_at() == due
        assert tx.loops.next_due(due - timedelta(seconds=1)) is None
        first = tx.loops.next_due(due + an_hour)
        assert first is not None
        assert first.feedback == early
        tx.loops.put_aside(due + an_hour, due + 2 * an_hour)
        second = tx.loops.next_due(due + an_hour)

    assert second is not None
    assert second.feedback == late


def test_a_clock_that_another_worker_holds_is_passed_over(postgresql_url: str) -> None:
    store = Store(postgresql_url)
    with store.begin() as tx:
        people = a_company(tx)
        an_open_record(tx, people["E010"].id, people["E011"].id)
    due = NOON + PLAN[0].after

    with store.begin() as one, store.begin() as other:
        assert one.loops.next_due(due) is not None
        assert other.loops.next_due(due) is None
    store.close()


def test_only_drafts_expire(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        draft = tx.feedback.open_draft(a_draft(people["E010"], people["E011"]))
        given = tx.feedback.get(tx.feedback.open_draft(a_draft(people["E010"], people["E012"], NOON - an_hour)))
        tx.feedback.apply(replace(given, state=State.OPEN))
        end = NOON + timedelta(hours=48)

        assert tx.feedback.next_expired_draft(end - timedelta(seconds=1)) is None
        expired = tx.feedback.next_expired_draft(end)

    assert expired is not None
    assert expired.id == draft


def test_a_history_is_read_oldest_first_and_by_record(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        tx.history.note("feedback:1", "given", NOON, by=people["E010"])
        tx.history.note("feedback:2", "given", NOON)
        tx.history.note("feedback:1", "closed", NOON + an_hour, by=people["E003"], reason="talked", words="当面聊过了")

    with store.read() as tx:
        assert tx.history.of("feedback:1") == (
            Entry(NOON, people["E010"], "given", None, None),
            Entry(NOON + an_hour, people["E003"], "closed", "talked", "当面聊过了"),
        )


def test_a_question_is_answered_once_and_only_in_time(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        record = an_open_record(tx, people["E010"], people["E011"])
        asked = Prompt(people["E011"], record, Answer.DISPUTED, NOON + an_hour)

        tx.prompts.ask(asked)
        assert tx.prompts.take(people["E012"], NOON) is None
        assert tx.prompts.take(people["E011"], NOON) == asked
        assert tx.prompts.take(people["E011"], NOON) is None

        tx.prompts.ask(asked)
        assert tx.prompts.take(people["E011"], NOON + an_hour) is None


def test_a_newer_question_takes_the_place_of_an_older_one(store: Store, people: dict[str, int]) -> None:
    with store.begin() as tx:
        record = an_open_record(tx, people["E010"], people["E011"])
        tx.prompts.ask(Prompt(people["E011"], record, Answer.DISPUTED, NOON + an_hour))
        tx.prompts.ask(Prompt(people["E011"], record, Answer.IMPROVED, NOON + an_hour))
        taken = tx.prompts.take(people["E011"], NOON)

    assert taken is not None
    assert taken.answer is Answer.IMPROVED
