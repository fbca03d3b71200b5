"""Answers stop the clock, time advances it, the HRBP acts on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from handlers import loops
from handlers.context import Context
from handlers.dispatch import Dispatcher
from rules.away import Away
from rules.events import MemberChange, Platform
from rules.loops import LoopState, Stage, StepKind
from rules.policy import Policy
from rules.worktime import Calendar, Counting
from storage.outbox import Message
from tests.builders import at
from tests.handlers.conftest import World


def loop_state(world: World, feedback: int = 1) -> LoopState:
    with world.store.read() as tx:
        loop = tx.loops.get(feedback)
    assert loop is not None
    return loop.state


def escalated(world: World) -> Message:
    world.given()
    for hours in (24, 24, 24):
        world.forward(hours=hours)
        world.tick(loops.advance_one)
    world.deliver()
    return world.to("hr", "escalation_card")[0]


def changes(world: World, who: str, card: Message) -> list[Message]:
    return [message for message in world.to(who) if message.changes == card.id]


@pytest.mark.parametrize("action", ["acknowledged", "improved", "disputed"])
def test_any_answer_stops_the_clock(world: World, action: str) -> None:
    card = world.given()

    shown = world.press("li", card, action)

    assert shown is not None
    world.forward(hours=100)
    assert world.tick(loops.advance_one) == 0
    assert world.to("hr", "escalation_card") == []
    assert loop_state(world) is LoopState.ENDED


def test_the_authors_card_tells_of_the_answer(world: World) -> None:
    card = world.given()
    checkin = world.to("boss", "checkin_card")[0]

    world.press("li", card, "acknowledged")

    told = changes(world, "boss", checkin)[0]
    assert (told.card, told.data["answer"]) == ("checkin_done", "acknowledged")


def test_an_answer_at_71_59_is_in_time_and_at_72_00_the_hrbp_has_heard_of_it(world: World) -> None:
    card = world.given()
    world.forward(hours=71, minutes=59)
    world.tick(loops.advance_one)
    world.press("li", card, "acknowledged")
    world.forward(minutes=1)

    assert world.tick(loops.advance_one) == 0
    assert world.to("hr") == []


def test_unanswered_it_is_reminded_twice_then_escalated_once_then_the_next_in_the_chain_hears(world: World) -> None:
    world.given()
    heard = []
    for _ in range(120):
        world.forward(hours=1)
        world.tick(loops.advance_one)
        heard.append((len(world.to("li", "reminder_card")), len(world.to("hr", "escalation_card")), len(world.to("head"))))

    assert heard[22] == (0, 0, 0)
    assert heard[23] == (1, 0, 0)
    assert heard[47] == (2, 0, 0)
    assert heard[70] == (2, 0, 0)
    assert heard[71] == (2, 1, 0)
    assert heard[94] == (2, 1, 0)
    assert heard[95] == heard[-1] == (2, 1, 1)


def test_an_answer_cancels_what_waits_and_turns_every_card_of_the_record(world: World) -> None:
    escalation = escalated(world)
    reminder = world.to("li", "reminder_card")[0]
    first = world.to("li", "feedback_card")[0]

    world.press("li", reminder, "improved")

    assert changes(world, "li", first)[0].card == "feedback_answered"
    assert changes(world, "hr", escalation)[0].card == "escalation_settled"
    assert changes(world, "li", reminder) == [], "the pressed card changes by the answer to the press"


def test_a_nudge_reminds_in_the_hrbps_name_and_not_twice_in_a_row(world: World) -> None:
    escalation = escalated(world)

    first = world.press("hr", escalation, "nudge")
    second = world.press("hr", escalation, "nudge")

    nudges = [card for card in world.to("li", "reminder_card") if card.data["nudged_by"]]
    assert [card.data["nudged_by"] for card in nudges] == ["赵敏"]
    assert first is not None
    assert second is not None
    assert second.status != first.status


def test_taking_over_stops_the_chain_and_the_subject_may_still_answer(world: World) -> None:
    escalation = escalated(world)
    world.press("hr", escalation, "take")
    world.forward(hours=48)

    assert world.tick(loops.advance_one) == 0
    assert world.to("head") == []
    world.press("li", world.to("li", "feedback_card")[0], "acknowledged")
    assert changes(world, "hr", escalation)[0].card == "escalation_settled"


def test_an_extension_escalates_again_after_its_hours(world: World) -> None:
    escalation = escalated(world)

    shown = world.press("hr", escalation, "extend")

    assert shown is not None
    assert not shown.buttons or shown.closed
    world.forward(hours=23, minutes=59)
    world.tick(loops.advance_one)
    assert len(world.to("hr", "escalation_card")) == 1
    world.forward(minutes=1)
    world.tick(loops.advance_one)
    assert len(world.to("hr", "escalation_card")) == 2


def test_closing_asks_for_a_reason_first_and_ends_everything(world: World) -> None:
    escalation = escalated(world)

    reasons = world.press("hr", escalation, "close")
    assert reasons is not None
    assert {button.action for button in reasons.buttons} >= {"close:talked", "back"}
    world.press("hr", escalation, "back")
    settled = world.press("hr", escalation, "close:talked")

    assert settled is not None
    assert settled.closed or not settled.interactive
    assert loop_state(world) is LoopState.ENDED
    shown = world.press("li", world.to("li", "feedback_card")[0], "acknowledged")
    assert shown is not None
    assert shown.status, "the subject is told that it is closed"


def test_an_action_nobody_offered_changes_nothing(world: World) -> None:
    escalation = escalated(world)

    world.press("hr", escalation, "close:nonsense")
    world.press("hr", escalation, "give", "calm")

    assert loop_state(world) is LoopState.WAITING


def test_a_press_on_a_card_of_another_kind_changes_nothing(world: World) -> None:
    card = world.given()

    world.press("li", card, "nudge")
    world.press("li", card, "close:talked")
    world.press("li", card, "pick:1")

    assert loop_state(world) is LoopState.WAITING


def test_the_reason_of_a_dispute_reaches_author_and_hrbp_in_one_message(world: World) -> None:
    card = world.given()
    world.press("li", card, "disputed")
    assert "dispute_card" not in [message.card for message in world.deliver()], "it waits for the reason"

    world.say("li", "系统当时没有显示到账时间")
    world.deliver()

    for who in ("boss", "hr"):
        disputes = world.to(who, "dispute_card")
        assert [d.data["reason"] for d in disputes] == ["系统当时没有显示到账时间"]
    assert world.to("li")[0].card == "answer_noted"


def test_a_dispute_without_a_reason_is_reported_after_ten_minutes(world: World) -> None:
    world.press("li", world.given(), "disputed")
    world.forward(minutes=10)

    sent = [message.card for message in world.deliver()]

    assert sent.count("dispute_card") == 2


@pytest.mark.parametrize(
    ("text", "state"), [("收到", "acknowledged"), ("已改进，先复述再核实", "improved"), ("有异议 不是我接的", "disputed")]
)
def test_typed_words_answer_like_a_tap(world: World, text: str, state: str) -> None:
    world.given()

    world.say("li", text)

    with world.store.read() as tx:
        assert tx.feedback.get(1).state == state


def test_a_leaver_gets_nothing_more_and_the_hrbp_hears_of_his_open_feedback_at_once(world: World) -> None:
    world.given()
    world.dispatcher.handle(MemberChange("left-1", Platform.DINGTALK, ("li",), left=True))
    world.forward(hours=200)
    world.tick(loops.advance_one)

    assert world.to("hr", "escalation_card")[0].data["cause"] == "subject_left"
    assert world.to("li", "reminder_card") == []


def test_when_the_hrbp_has_left_whoever_is_next_hears_of_it(world: World) -> None:
    world.given()
    world.dispatcher.handle(MemberChange("left-2", Platform.DINGTALK, ("hr",), left=True))
    world.forward(hours=72)
    world.tick(loops.advance_one)

    assert len(world.to("head", "escalation_card")) == 1


def test_an_escalation_that_became_moot_before_it_left_does_not_leave(world: World) -> None:
    first = escalated(world)
    world.forward(hours=24)
    world.tick(loops.advance_one)

    world.press("hr", first, "extend")

    assert [message.card for message in world.deliver() if message.person == world.ids["head"]] == []


def test_the_hrbp_sees_that_the_subject_is_away(world: World) -> None:
    with world.store.begin() as tx:
        tx.away.put(Away(world.ids["li"], None, world.ids["sun"], world.now, world.now + timedelta(days=6)))

    escalation = escalated(world)

    assert "请假到 9月20日" in [line.text for line in world.text(escalation).lines]


def test_a_bad_loop_is_put_aside_for_an_hour(world: World) -> None:
    world.given()
    world.forward(hours=24)

    with world.store.begin() as tx:
        loops.postpone_one(Context(tx, world.now, world.policy), timedelta(hours=1))

    assert world.tick(loops.advance_one) == 0
    world.forward(hours=1)
    assert world.tick(loops.advance_one) == 1


YEAR = frozenset({2026})
BEFORE, AFTER = Calendar(years=YEAR), Calendar(holidays=frozenset({date(2026, 9, 15)}), years=YEAR)


def given_by_work(world: World) -> Message:
    """A feedback of Monday, 11:00, by working hours: reminded on Tuesday at 11:00, escalated on Wednesday at 11:00."""
    stages = ((9, StepKind.REMIND), (18, StepKind.ESCALATE))
    plan = tuple(Stage(timedelta(hours=hours), kind, Counting.WORKING) for hours, kind in stages)
    use(world, replace(world.policy, plan=plan, calendar=lambda: BEFORE))
    return world.given()


def use(world: World, policy: Policy) -> None:
    world.policy = policy
    world.dispatcher = Dispatcher(world.store, policy, lambda: world.now, frozenset({Platform.DINGTALK}), lambda: None)


def test_when_the_calendar_changes_the_stage_ahead_moves_and_its_card_says_so(world: World) -> None:
    card = given_by_work(world)
    assert card.data["due_at"] == "2026-09-16T03:00:00Z"
    use(world, replace(world.policy, calendar=lambda: AFTER))

    assert world.tick(loops.recount_one) == 1
    assert world.tick(loops.recount_one) == 0

    assert [change.data["due_at"] for change in changes(world, "li", card)] == ["2026-09-17T03:00:00Z"]
    with world.store.read() as tx:
        assert [entry.what for entry in tx.history.of("feedback:1")].count("recounted") == 1
    world.now = at("2026-09-16 10:59")
    assert world.tick(loops.advance_one) == 0
    world.forward(minutes=1)
    assert world.tick(loops.advance_one) == 1


def test_what_was_sent_by_the_old_calendar_is_not_sent_again(world: World) -> None:
    given_by_work(world)
    world.now = at("2026-09-15 11:00")
    world.tick(loops.advance_one)
    world.deliver()
    use(world, replace(world.policy, calendar=lambda: AFTER))

    world.tick(loops.recount_one)
    for world.now in (at("2026-09-16 11:00"), at("2026-09-16 17:59")):
        world.tick(loops.advance_one)

    assert (len(world.to("li", "reminder_card")), world.to("hr")) == (2, []), "the reminder, and its change"
    world.now = at("2026-09-16 18:00")  # nine hours of work after it was reminded on what is a day off now
    world.tick(loops.advance_one)
    assert len(world.to("hr", "escalation_card")) == 1


def test_what_falls_due_in_the_past_by_a_changed_calendar_is_dealt_with_like_anything_late(world: World) -> None:
    given_by_work(world)
    use(world, replace(world.policy, calendar=lambda: AFTER))
    world.tick(loops.recount_one)
    world.now = at("2026-09-16 10:59")

    use(world, replace(world.policy, calendar=lambda: BEFORE))
    world.tick(loops.recount_one)
    assert world.tick(loops.advance_one) == 1
    world.forward(minutes=1)
    assert world.tick(loops.advance_one) == 1

    assert len(world.to("hr", "escalation_card")) == 1


def test_a_wecom_card_keeps_its_code_when_the_calendar_changes(world: World) -> None:
    card = given_by_work(world)
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE outbox SET platform = '{Platform.WECOM}' WHERE id = {card.id}")
    use(world, replace(world.policy, calendar=lambda: AFTER))

    world.tick(loops.recount_one)

    assert changes(world, "li", card) == []


def test_a_card_that_waits_to_leave_leaves_with_the_new_time(world: World) -> None:
    given_by_work(world)
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET state = 'due', payload = NULL WHERE card = 'feedback_card'")
    use(world, replace(world.policy, calendar=lambda: AFTER))

    world.tick(loops.recount_one)

    assert [card.data["due_at"] for card in world.to("li", "feedback_card")] == ["2026-09-17T03:00:00Z"]


def test_an_extension_moves_with_the_calendar_and_the_hrbps_card_says_so(world: World) -> None:
    given_by_work(world)
    for world.now in (at("2026-09-15 11:00"), at("2026-09-16 11:00")):
        world.tick(loops.advance_one)
    world.deliver()
    card = world.to("hr", "escalation_card")[0]
    world.press("hr", card, "extend")
    friday_off = Calendar(holidays=frozenset({date(2026, 9, 18)}), years=YEAR)
    use(world, replace(world.policy, calendar=lambda: friday_off))

    world.tick(loops.recount_one)

    assert [change.data["extended_until"] for change in changes(world, "hr", card)] == ["2026-09-21T09:00:00Z"]  # 7 + 9 + 8 hours


def test_when_only_the_year_was_published_the_mark_goes_and_the_time_stays(world: World) -> None:
    stages = ((9, StepKind.REMIND), (18, StepKind.ESCALATE))
    plan = tuple(Stage(timedelta(hours=hours), kind, Counting.WORKING) for hours, kind in stages)
    use(world, replace(world.policy, plan=plan, calendar=Calendar))
    card = world.given()
    assert card.data["provisional"]
    use(world, replace(world.policy, calendar=lambda: BEFORE))

    world.tick(loops.recount_one)

    assert [change.data["provisional"] for change in changes(world, "li", card)] == [False]
    with world.store.read() as tx:
        assert "recounted" not in [entry.what for entry in tx.history.of("feedback:1")]
