"""Several escalations to one HRBP become one card, and each of them can be acted on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from cards.catalog import EscalationBundle
from handlers import escalations, loops
from handlers.context import Context
from handlers.instead import instead
from handlers.views import now_shown
from rules.away import Away
from rules.events import Platform
from rules.loops import LoopState
from rules.worktime import Calendar
from storage.outbox import Message, State
from tests.builders import at
from tests.handlers.conftest import POLICY, World


def give(world: World, count: int, minutes_between: float = 5) -> None:
    """So many feedbacks to 李雷, one after the other."""
    for _ in range(count):
        world.given("calm")
        world.forward(minutes=minutes_between)


def go_on(world: World, **by: float) -> list[Message]:
    """Time passes, the last three hours minute by minute; what reached the HRBP meanwhile."""
    until = world.now + timedelta(**by)
    sent: list[Message] = []
    while world.now < until:
        world.forward(minutes=1 if until - world.now <= timedelta(hours=3) else 30)
        world.tick(loops.advance_one)
        sent += [message for message in world.deliver() if message.person == world.ids["hr"] and message.changes is None]
    return sent


def bundled(world: World, count: int = 4) -> Message:
    """The list that an HRBP has in his chat about the second and all later feedbacks."""
    give(world, count)
    return go_on(world, hours=73)[-1]


def loop_state(world: World, feedback: int) -> LoopState:
    with world.store.read() as tx:
        loop = tx.loops.get(feedback)
    assert loop is not None
    return loop.state


def test_the_first_goes_out_at_once_and_the_others_of_the_half_hour_on_one_card(world: World) -> None:
    give(world, 4)

    sent = go_on(world, hours=73)

    assert [message.card for message in sent] == ["escalation_card", "escalation_bundle"]
    assert [line["feedback"] for line in world.to("hr", "escalation_bundle")[0].data["lines"]] == [2, 3, 4]


def test_a_list_that_was_said_instead_of_a_change_stays_what_it_said(world: World) -> None:
    card = bundled(world)
    world.press("hr", card, "take:2")
    done = replace(EscalationBundle.from_data(card.data), left=0)
    with world.store.begin() as tx:
        change = replace(card, id=card.id + 1000, data=done.data())
        instead(Context(tx, world.now, POLICY), change)
    said = next(message for message in world.deliver() if message.key == f"instead:{change.id}")

    with world.store.read() as tx:
        assert now_shown(Context(tx, world.now, POLICY), said) == done
    for action in ("page:1", "open:2", "open:999", "close:2:moved"):
        shown = world.press("hr", said, action)
        assert shown is not None
        assert shown.closed


def test_what_falls_due_hours_later_comes_on_a_card_of_its_own(world: World) -> None:
    give(world, 2, minutes_between=120)

    assert [message.card for message in go_on(world, hours=75)] == ["escalation_card", "escalation_card"]


def test_without_a_window_each_comes_for_itself(world: World) -> None:
    world.policy = replace(POLICY, merge_within=timedelta(0))
    give(world, 3)

    assert [message.card for message in go_on(world, hours=73)] == ["escalation_card"] * 3


def test_after_an_outage_an_hrbp_gets_one_card_for_everything(world: World) -> None:
    give(world, 12)
    world.forward(hours=200)
    world.tick(loops.advance_one)

    cards = [message for message in world.deliver() if message.person == world.ids["hr"]]

    assert [message.card for message in cards] == ["escalation_bundle"]
    assert world.to("li", "reminder_card") == [], "who is late for the reminder is told by the HRBP"
    assert cards[0].data["left"] == 12


def test_after_an_outage_escalations_leave_before_reminders(world: World) -> None:
    world.press("boss", world.checkin(about="孙悦"), "give", "calm")
    world.forward(hours=60)
    give(world, 1)
    world.forward(hours=30)
    world.tick(loops.advance_one)

    sent = [message.card for message in world.deliver()]

    assert sent.index("escalation_card") < sent.index("reminder_card")


def test_every_line_can_be_opened_and_acted_on(world: World) -> None:
    card = bundled(world)

    opened = world.press("hr", card, "open:3")
    assert opened is not None
    assert [button.action for button in opened.buttons] == ["nudge:3", "take:3", "extend:3", "close:3", "back:3"]
    listed = world.press("hr", card, "take:3")

    assert loop_state(world, 3) is LoopState.TAKEN
    assert loop_state(world, 2) is LoopState.WAITING
    assert listed is not None
    assert [line.text.rpartition("｜")[2] for line in listed.lines] == ["9月14日发出", "有人在跟", "9月14日发出"]


def test_a_line_is_closed_with_a_reason(world: World) -> None:
    card = bundled(world)

    reasons = world.press("hr", card, "close:2")
    assert reasons is not None
    assert "close:2:talked" in [button.action for button in reasons.buttons]
    assert world.press("hr", card, "back:2") is not None
    listed = world.press("hr", card, "close:2:talked")

    assert loop_state(world, 2) is LoopState.ENDED
    assert listed is not None
    assert "open:2" not in [button.action for button in listed.buttons]


def test_the_card_ends_when_every_line_is_settled(world: World) -> None:
    card = bundled(world)

    for id in (2, 3):
        world.press("hr", card, f"close:{id}:talked")
    last = world.press("hr", card, "extend:4")

    assert last is not None
    assert last.closed


def test_a_line_nobody_offered_changes_nothing(world: World) -> None:
    card = bundled(world)

    for action in ("take:1", "take:99", "take:", "open:x", "close:2:nonsense", "page:99"):
        world.press("hr", card, action)

    assert [loop_state(world, id) for id in (1, 2, 3, 4)] == [LoopState.WAITING] * 4


def test_an_answer_takes_its_line_off_the_card(world: World) -> None:
    card = bundled(world)

    world.press("li", world.to("li", "feedback_card")[0], "acknowledged")

    changed = next(message for message in world.to("hr") if message.changes == card.id)
    assert [line["outcome"] for line in changed.data["lines"]] == [None, None, "answered"]


def test_wecom_keeps_its_one_code_for_the_end(world: World) -> None:
    card = bundled(world)
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE outbox SET platform = '{Platform.WECOM}' WHERE id = {card.id}")

    cards = world.to("li", "feedback_card")
    world.press("li", cards[0], "acknowledged")
    world.press("li", cards[1], "acknowledged")
    before = [message for message in world.to("hr") if message.changes == card.id]
    world.press("li", cards[2], "acknowledged")
    after = [message for message in world.to("hr") if message.changes == card.id]

    assert before == []
    assert [message.data["left"] for message in after] == [0]


def test_what_was_answered_while_the_list_waited_is_not_on_it(world: World) -> None:
    give(world, 3)
    world.forward(hours=72)
    world.tick(loops.advance_one)
    for id in (1, 2):
        feedback = world.to("li", "feedback_card")[3 - id]
        world.press("li", feedback, "acknowledged")

    sent = [message for message in world.deliver() if message.person == world.ids["hr"]]

    assert [(message.card, message.data["left"]) for message in sent] == [("escalation_bundle", 1)]


def test_a_list_with_nothing_left_is_not_sent(world: World) -> None:
    give(world, 2)
    world.forward(hours=72)
    world.tick(loops.advance_one)
    for card in world.to("li", "feedback_card"):
        world.press("li", card, "acknowledged")

    assert [message for message in world.deliver() if message.person == world.ids["hr"]] == []
    with world.store.read() as tx:
        states = {message.card: message.state for message in tx.outbox.recent(None, 100) if message.person == world.ids["hr"]}
    assert states["escalation_bundle"] is State.CANCELLED


def test_the_next_in_the_chain_gets_a_list_of_his_own(world: World) -> None:
    give(world, 3)
    go_on(world, hours=73)
    world.forward(hours=24)
    world.tick(loops.advance_one)
    world.deliver()

    assert [message.card for message in world.to("head")] == ["escalation_bundle"]


@pytest.mark.parametrize("count", [7, 13])
def test_a_long_list_has_pages(world: World, count: int) -> None:
    give(world, count, minutes_between=1)
    world.forward(hours=72)
    world.tick(loops.advance_one)
    world.deliver()
    card, seen = world.to("hr", "escalation_bundle")[0], list[str]()

    for page in range(-(-count // 5)):
        shown = world.press("hr", card, f"page:{page}")
        assert shown is not None
        seen += [button.action for button in shown.buttons if button.action.startswith("open:")]

    assert seen == [f"open:{id}" for id in range(1, count + 1)]


AUTUMN = Calendar(holidays=frozenset(date(2026, 10, day) for day in range(1, 8)), years=frozenset({2026}))


def test_before_a_long_holiday_the_hrbp_hears_once_what_will_fall_due_in_it(world: World) -> None:
    world.policy, world.now = replace(POLICY, calendar=lambda: AUTUMN), at("2026-09-29 10:00")
    give(world, 2)
    world.now = at("2026-09-30 14:59")
    assert world.tick(escalations.forecast_one) == 0

    world.forward(minutes=1)
    told = [world.tick(escalations.forecast_one) for _ in range(3)]

    assert told == [1, 0, 0]
    card = world.to("hr", "forecast_text")[0]
    assert (card.data["days"], [line["due_at"][:16] for line in card.data["expected"]]) == (7, ["2026-10-02T02:00", "2026-10-02T02:05"])
    assert world.to("head", "forecast_text") == []


def test_before_a_holiday_without_anything_due_nobody_is_told(world: World) -> None:
    world.policy, world.now = replace(POLICY, calendar=lambda: AUTUMN), at("2026-09-30 16:00")

    world.tick(escalations.forecast_one)

    assert world.to("hr") == []


def test_who_stands_in_for_the_hrbp_gets_the_forecast(world: World) -> None:
    world.policy, world.now = replace(POLICY, calendar=lambda: AUTUMN), at("2026-09-29 10:00")
    give(world, 1)
    world.now = at("2026-09-30 16:00")
    with world.store.begin() as tx:
        tx.away.put(Away(world.ids["hr"], None, world.ids["head"], world.now, world.now + timedelta(days=20)))

    world.tick(escalations.forecast_one)

    assert (len(world.to("head", "forecast_text")), world.to("hr")) == (1, [])
