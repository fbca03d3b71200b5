"""Manners at the outbox: what is held, goes along or is dropped on its way out, with the real sender on real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from cards.catalog import PendingText
from rules.away import Away
from rules.loops import Cause
from rules.manners import Manners, Preferences, Quiet, Why
from rules.messages import GroupChat, Urgency
from storage.escalations import Told
from storage.outbox import State
from storage.rulings import Ruling
from storage.unit import Store
from tests.bot.test_sender import BUSY, Office, Wire
from tests.builders import a_company, a_policy, an_open_record, at

EVENING, MORNING = at("2026-09-14 22:00"), at("2026-09-15 08:00")
DAY = at("2026-09-15 11:00")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def office(store: Store, wire: Wire) -> Office:
    with store.begin() as tx:
        people = {key: person.id for key, person in a_company(tx).items()}
    policy = replace(a_policy(), manners=Manners())
    return Office(store, people, (wire,), EVENING, policy=policy)


def later(office: Office, now: datetime) -> None:
    office.now = now
    office.send_all()


def rulings(office: Office, key: str) -> tuple[Ruling, ...]:
    with office.store.read() as tx:
        return tx.rulings.of(office.message(key).id)


def test_what_came_at_night_leaves_in_the_morning_and_the_reason_is_kept(office: Office, wire: Wire) -> None:
    office.add("feedback")

    office.send_all()
    later(office, MORNING - timedelta(seconds=1))
    assert wire.taken == []
    later(office, MORNING)

    assert len(wire.taken) == 1
    assert rulings(office, "feedback") == (Ruling(office.message("feedback").id, EVENING, "hold", Why.QUIET, MORNING),)


def test_what_is_held_lets_pass_what_the_reader_asked_for(office: Office, wire: Wire) -> None:
    office.add("feedback")
    office.add("answer", urgency=Urgency.ANSWER)

    office.send_all()

    assert office.message("answer").state is State.SENT
    assert office.message("feedback").state is State.DUE


def test_what_has_become_moot_over_night_is_never_sent(office: Office, wire: Wire) -> None:
    office.add("feedback")
    office.send_all()
    with office.store.begin() as tx:
        assert tx.outbox.cancel(office.message("feedback"), EVENING)

    later(office, MORNING)

    assert wire.tried == []


def test_a_group_sleeps_too(office: Office, wire: Wire) -> None:
    office.add("digest", GroupChat("wecom", "team"), urgency=Urgency.DIGEST)

    office.send_all()
    later(office, MORNING)

    assert [payload["to"] for payload in wire.taken] == ["team"]


def test_changed_wishes_free_what_was_held(office: Office, wire: Wire) -> None:
    office.add("feedback")
    office.add("tomorrow", not_before=MORNING + timedelta(hours=3))
    office.send_all()

    with office.store.begin() as tx:
        tx.preferences.put(office.people["E012"], Preferences(own_quiet=True))
        assert tx.outbox.release(office.people["E012"], EVENING) == 1
    office.send_all()

    assert (office.message("feedback").state, office.message("tomorrow").state) == (State.SENT, State.DUE)


def test_several_reminders_of_a_night_become_one_list(office: Office, wire: Wire) -> None:
    with office.store.begin() as tx:
        records = [an_open_record(tx, office.people["E010"], office.people["E012"], EVENING) for _ in range(3)]
    for record in records:
        office.add(f"remind {record}", urgency=Urgency.REMINDER, about=f"feedback:{record}")

    office.send_all()
    later(office, at("2026-09-15 09:00"))

    assert len(wire.taken) == 1
    first, *others = (office.message(f"remind {record}") for record in records)
    assert (first.state, first.card) == (State.SENT, PendingText.template())
    assert [other.state for other in others] == [State.MERGED, State.MERGED]
    assert rulings(office, "remind 2")[-1] == Ruling(others[0].id, office.now, "merge", Why.TOGETHER, other=first.id)


def test_of_two_reminders_of_the_same_thing_the_newer_one_leaves(office: Office, wire: Wire) -> None:
    office.add("first", urgency=Urgency.REMINDER, about="feedback:1")
    office.add("second", urgency=Urgency.REMINDER, about="feedback:1")

    office.send_all()
    later(office, at("2026-09-15 09:00"))

    assert (office.message("first").state, office.message("second").state) == (State.DROPPED, State.SENT)
    assert rulings(office, "first")[-1].why is Why.NEWER


def test_the_next_in_the_chain_hears_a_day_after_the_first_did(office: Office, wire: Wire) -> None:
    office.add("to the first", "E011", urgency=Urgency.ESCALATION, about="feedback:1")
    office.send_all()
    office.now = EVENING + timedelta(hours=9)
    office.add("to the next", urgency=Urgency.ESCALATION, about="feedback:1")
    with office.store.begin() as tx:
        record = an_open_record(tx, office.people["E010"], office.people["E012"], EVENING)
        for key, reader in (("to the first", "E011"), ("to the next", "E012")):
            tx.escalations.note(Told(office.message(key).id, record, office.people[reader], Cause.NO_ANSWER), office.now)

    later(office, MORNING)

    assert [payload["to"] for payload in wire.taken] == ["liu.yang"]
    assert [ruling.until for ruling in rulings(office, "to the next")] == [at("2026-09-16 08:00")]


def test_the_days_cap_counts_what_was_sent(office: Office, wire: Wire) -> None:
    office.policy = replace(office.policy, manners=Manners(caps={Urgency.NUDGE: 2}))
    office.now = DAY
    for number in range(3):
        office.add(f"nudge {number}", urgency=Urgency.NUDGE)

    office.send_all()

    assert len(wire.taken) == 2
    assert [(ruling.why, ruling.until) for ruling in rulings(office, "nudge 2")] == [(Why.ENOUGH, at("2026-09-16 09:00"))]


def test_who_snoozed_is_reminded_afterwards(office: Office, wire: Wire) -> None:
    office.now = DAY
    with office.store.begin() as tx:
        tx.away.put(Away(office.people["E012"], held_until=DAY + timedelta(hours=2)))
    office.add("remind", urgency=Urgency.REMINDER, about="feedback:1")

    office.send_all()
    assert wire.taken == []
    later(office, DAY + timedelta(hours=2))

    assert len(wire.taken) == 1


def test_what_nobody_wants_is_not_sent_and_the_reason_is_kept(office: Office, wire: Wire) -> None:
    office.now = DAY
    with office.store.begin() as tx:
        wishes = Preferences(own_quiet=True, quiet=Quiet(time(12), time(13)), rests=True, muted=frozenset({Urgency.NUDGE}))
        tx.preferences.put(office.people["E012"], Preferences())
        tx.preferences.put(office.people["E012"], wishes)
        assert tx.preferences.of(office.people["E012"]) == wishes
    office.add("nudge", urgency=Urgency.NUDGE)

    office.send_all()

    dropped = office.message("nudge")
    assert (dropped.state, dropped.error_code) == (State.DROPPED, "not_wanted")


def test_a_change_waits_for_the_card_it_changes_and_nothing_else_does(office: Office, wire: Wire) -> None:
    office.now = DAY
    office.policy = a_policy()
    wire.answers = [BUSY]
    office.add("card")
    office.send_all()
    with office.store.begin() as tx:
        card = office.message("card")
        tx.outbox.hold(card, 600.0)
        tx.outbox.change(card, card.card, card.data, DAY)
    office.add("answer", urgency=Urgency.ANSWER)

    office.send_all()
    assert [office.message("answer").state, office.message("card").state] == [State.SENT, State.DUE]
    office.again("card")
    office.send_all()

    assert len(wire.taken) == 3, "the answer, the card, its change"
