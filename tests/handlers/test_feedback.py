"""From a name typed to a record on the subject's phone."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import feedback, loops
from rules.feedback import State
from storage.outbox import State as Sent
from storage.unit import Store
from tests.handlers.conftest import NOON, POLICY, World


def states(world: World) -> dict[str, int]:
    with world.store.read() as tx:
        return dict(tx.feedback.counts())


def test_a_name_brings_a_card_and_two_taps_bring_the_record_to_the_subject(world: World) -> None:
    card = world.checkin()

    shown = world.press("boss", card, "give", "calm")

    assert shown is not None
    assert shown.closed
    assert [check.ticked for check in shown.checks] == [True, False]
    world.deliver()
    to_li = world.text(world.to("li", "feedback_card")[0])
    assert "王芳" in to_li.title
    assert [button.action for button in to_li.buttons] == ["acknowledged", "improved", "disputed"]
    assert states(world) == {"open": 1}


def test_the_same_delivery_three_times_is_one_record_and_one_answer(world: World) -> None:
    card = world.checkin()

    answers = [world.press("boss", card, "give", "calm", event_id="once") for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert states(world) == {"open": 1}
    assert len(world.to("li", "feedback_card")) == 1


def test_the_same_press_again_under_another_id_is_shown_what_the_first_was(world: World) -> None:
    card = world.checkin()

    first, second = world.press("boss", card, "give", "calm"), world.press("boss", card, "give", "calm")

    assert first == second
    assert states(world) == {"open": 1}


def test_a_second_tap_says_so_and_changes_nothing(world: World) -> None:
    card = world.checkin()
    world.press("boss", card, "give", "calm")

    shown = world.press("boss", card, "give", "cut_in")

    assert shown is not None
    assert shown.closed
    assert shown.status
    with world.store.read() as tx:
        assert tx.feedback.get(1).ticks == ("calm",)


def test_nothing_ticked_leaves_the_card_open_and_says_what_to_do(world: World) -> None:
    shown = world.press("boss", world.checkin(), "give")

    assert shown is not None
    assert not shown.closed
    assert shown.status
    assert states(world) == {"draft": 1}


def test_somebody_elses_tap_is_told_in_his_own_chat_and_changes_nothing(world: World) -> None:
    card = world.checkin()

    shown = world.press("sun", card, "give", "calm")

    assert shown is None, "the owner's card stays as it is"
    assert [message.card for message in world.to("sun")] == ["sorry_text"]
    assert states(world) == {"draft": 1}


def test_an_expired_card_cannot_be_submitted_and_says_so(world: World) -> None:
    card = world.checkin()
    world.forward(hours=48)

    shown = world.press("boss", card, "give", "calm")

    assert shown is not None
    assert shown.closed
    assert states(world) == {"draft": 1}


def test_a_card_nobody_submits_ends_by_itself_and_its_picture_follows(world: World) -> None:
    card = world.checkin()
    world.forward(hours=48)

    assert world.tick(feedback.expire_one) == 1

    assert states(world) == {"expired": 1}
    change = world.to("boss")[0]
    assert (change.changes, change.card) == (card.id, "checkin_closed")


def test_a_card_that_expired_before_it_was_sent_is_never_sent(world: World) -> None:
    world.say("boss", "李雷")
    world.forward(hours=49)
    world.tick(feedback.expire_one)

    assert world.deliver() == []
    with world.store.read() as tx:
        assert tx.outbox.recent(None, 1)[0].state is Sent.CANCELLED


def test_two_people_of_one_name_are_asked_apart_only_where_both_are_possible(world: World) -> None:
    world.say("boss", "王磊")
    assert world.to("boss")[0].card == "checkin_card", "one of the two is his own"

    world.say("hr", "王磊")
    who = world.to("hr")[0]
    assert who.card == "who_card"
    assert len(world.text(who).buttons) == 2


def test_a_namesake_is_picked_once(world: World) -> None:
    world.say("hr", "王磊")
    world.deliver()
    who = world.to("hr", "who_card")[0]
    first = world.text(who).buttons[0].action

    world.press("hr", who, first)
    shown = world.press("hr", who, first)

    assert shown is not None
    assert shown.status
    assert len(world.to("hr", "sorry_text")) == 1, "the HRBP is not above him: one refusal, not two"


@pytest.mark.parametrize("text", ["反馈 张三丰", "打卡：不存在的人"])
def test_an_unknown_name_gets_a_sentence(world: World, text: str) -> None:
    world.say("boss", text)

    assert [message.card for message in world.to("boss")] == ["sorry_text"]


def test_only_people_above_someone_may_give_him_feedback(world: World) -> None:
    world.say("sun", "反馈 李雷")
    world.say("other", "反馈 李雷")

    for who in ("sun", "other"):
        assert [message.card for message in world.to(who)] == ["sorry_text"]
    assert states(world) == {}


def test_two_presses_at_once_make_one_record(world: World) -> None:
    card = world.checkin()
    barrier = threading.Barrier(4)

    def press(n: int) -> None:
        barrier.wait()
        world.press("boss", card, "give", "calm", event_id=f"race-{n}")

    threads = [threading.Thread(target=press, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert states(world) == {State.OPEN: 1}
    assert len(world.to("li", "feedback_card")) == 1


def test_every_supervisor_gets_one_card_a_working_day_about_whoever_was_not_mentioned_for_longest(world: World) -> None:
    assert world.tick(feedback.offer_daily_one) == 3, "three supervisors"
    assert world.tick(feedback.offer_daily_one) == 0

    first = world.to("boss", "checkin_card")
    assert len(first) == 1
    world.forward(days=1)
    world.tick(feedback.offer_daily_one)
    second = world.to("boss", "checkin_card")
    assert len(second) == 2
    assert second[0].data["subject_name"] != second[1].data["subject_name"]


@pytest.mark.parametrize(
    "later",
    [timedelta(hours=-1), timedelta(hours=7), timedelta(days=5), timedelta(days=6)],
    ids=["early", "evening", "Saturday", "Sunday"],
)
def test_no_daily_card_outside_its_hours(world: World, later: timedelta) -> None:
    world.now = NOON + later

    assert world.tick(feedback.offer_daily_one) == 0


def test_cards_about_a_record_lead_to_its_page(store: Store) -> None:
    world = World(store, policy=replace(POLICY, pages_url="https://bot.example"))

    given = world.given("cut_in")

    page = "https://bot.example/records/1"
    assert world.text(given).page == page
    assert world.shown is not None
    assert world.shown.page == page, "the author's"
    world.press("li", given, "disputed")
    world.forward(minutes=11)
    world.deliver()
    disputes = [*world.to("boss", "dispute_card"), *world.to("hr", "dispute_card")]
    assert [world.text(card).page for card in disputes] == [page, page]


def test_an_escalation_leads_to_the_record(store: Store) -> None:
    world = World(store, policy=replace(POLICY, pages_url="https://bot.example"))
    world.given("cut_in")

    world.forward(hours=73)
    world.tick(loops.advance_one)
    world.forward(hours=1)
    world.deliver()

    assert world.text(world.to("hr", "escalation_card")[0]).page == "https://bot.example/records/1"
