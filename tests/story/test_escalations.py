"""Several escalations to one HRBP are one card, on either platform, and each of its lines can be dealt with there (A6)."""

from __future__ import annotations

from rules.loops import LoopState
from tests.story.conftest import Side
from tests.story.test_core_loop import give, hrbp
from tests.story.town import Town


def test_what_falls_due_in_the_half_hour_after_the_first_comes_as_one_list_and_every_line_can_be_dealt_with(
    town: Town, side: Side
) -> None:
    town.freeze()
    for _ in range(4):
        give(town, side)
        town.forward(minutes=2)
    hr = hrbp(town, side)
    town.forward(hours=71, minutes=52)
    hr.await_card()
    town.forward(minutes=6)
    assert len(hr.cards()) == 1, "the others wait for each other"

    town.forward(minutes=24)

    listed = hr.await_card(2)
    assert listed.buttons == ["open:2", "open:3", "open:4"]
    listed.press("open:3")
    opened = listed.await_change(lambda card: "take:3" in card.buttons)
    opened.press("take:3")
    again = opened.await_change(lambda card: "open:3" in card.buttons)
    assert "有人在跟" in again.words
    again.press("open:2")
    again.await_change(lambda card: "close:2" in card.buttons).press("close:2")
    again.await_change(lambda card: "close:2:talked" in card.buttons).press("close:2:talked")
    left = again.await_change(lambda card: card.buttons == ["open:3", "open:4"])
    assert "已关闭" in left.words
    with town.store().read() as tx:
        states = [loop.state for id in (1, 2, 3, 4) if (loop := tx.loops.get(id)) is not None]
    assert states == [LoopState.WAITING, LoopState.ENDED, LoopState.TAKEN, LoopState.WAITING]


def test_after_an_outage_of_days_an_hrbp_gets_one_card_for_everything(town: Town, side: Side) -> None:
    town.freeze()
    for _ in range(3):
        give(town, side)
        town.forward(minutes=50)
    town.stop_bot()
    town.forward(hours=100)

    town.start_bot()

    listed = hrbp(town, side).await_card()
    town.forward(hours=1)
    assert len(hrbp(town, side).cards()) == 1
    assert listed.now().buttons == ["open:1", "open:2", "open:3"]
    assert len(town.phone(side.subject, side.platform).cards()) == 3, "no reminder comes after the escalation"
