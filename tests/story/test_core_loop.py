"""What a user can do: tap, record, answer or escalation, on both platforms and both databases, with real clients over loopback."""

from __future__ import annotations

from rules.feedback import State
from tests.story.conftest import SIDES, Side
from tests.story.town import Phone, ShownCard, Town


def give(town: Town, side: Side, *ticks: str) -> ShownCard:
    """The supervisor's two taps; the subject's card."""
    boss = town.phone(side.supervisor, side.platform)
    before = len(town.phone(side.subject, side.platform).cards())
    boss.say(side.subject_name)
    card = boss.await_card(has=lambda card: bool(card.open_boxes))
    outcome = card.tick(*(ticks or (side.good,)))
    assert outcome["delivered"], outcome
    return town.phone(side.subject, side.platform).await_card(before + 1)


def hrbp(town: Town, side: Side) -> Phone:
    return town.phone(side.hrbp, side.platform)


def test_two_taps_store_the_record_and_an_answer_closes_it(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()
    assert side.subject_name in card.words

    card.tick(side.good, side.bad)

    done = card.await_change(lambda card: not card.open_boxes)
    assert [option["checked"] for option in done.raw["checkboxes"]["options"]].count(True) == 2
    subject = town.phone(side.subject, side.platform)
    feedback = subject.await_card()
    assert feedback.buttons == ["acknowledged", "improved", "disputed"]
    feedback.press("acknowledged")
    feedback.await_change(lambda card: "acknowledged" not in card.buttons)
    card.await_change(lambda card: "收到" in card.words)
    with town.store().read() as tx:
        record = tx.feedback.get(1)
        story = [(entry.what, entry.reason) for entry in tx.history.of("feedback:1")]
    assert (record.state, record.ticks) == (State.ACKNOWLEDGED, (side.good, side.bad))
    assert story == [("offered", None), ("given", None), ("answered", "acknowledged")]


def test_the_same_script_gives_the_same_record_on_both_platforms(town: Town) -> None:
    for side in SIDES.values():
        give(town, side).press("improved")
    with town.store().read() as tx:
        one, other = tx.feedback.get(1), tx.feedback.get(2)

    assert (one.state, one.kind, len(one.ticks)) == (other.state, other.kind, len(other.ticks))
    assert one.state is State.IMPROVED


def test_unanswered_it_is_reminded_twice_and_escalated_exactly_once_at_72_hours(town: Town, side: Side) -> None:
    town.freeze()
    give(town, side)
    subject, hr = town.phone(side.subject, side.platform), hrbp(town, side)

    town.forward(hours=23, minutes=59, seconds=59)
    assert len(subject.cards()) == 1
    town.forward(seconds=1)
    subject.await_card(2)
    town.forward(hours=24)
    subject.await_card(3)
    town.forward(hours=23, minutes=59, seconds=59)
    assert hr.cards() == [], "never early"
    town.forward(seconds=1)
    escalation = hr.await_card()
    town.forward(hours=20)

    assert len(hr.cards()) == 1, "once"
    assert side.subject_name in escalation.words
    assert len(subject.cards()) == 3


def test_an_answer_at_71_59_stops_the_clock(town: Town, side: Side) -> None:
    town.freeze()
    card = give(town, side)
    town.forward(hours=71, minutes=59)

    card.now().press("improved")
    town.forward(hours=48)

    assert hrbp(town, side).cards() == []
    with town.store().read() as tx:
        assert tx.feedback.get(1).state is State.IMPROVED


def test_the_hrbp_nudges_takes_over_extends_and_closes(town: Town, side: Side) -> None:
    town.freeze()
    give(town, side)
    town.forward(hours=72)
    hr, subject = hrbp(town, side), town.phone(side.subject, side.platform)
    escalation = hr.await_card()
    before = len(subject.cards())

    escalation.press("nudge")
    subject.await_card(before + 1)
    escalation.now().press("extend")
    escalation.await_change(lambda card: not card.buttons)
    town.forward(hours=24)
    again = hr.await_card(2)
    again.press("take")
    again.await_change(lambda card: "take" not in card.buttons)
    again.now().press("close")
    again.await_change(lambda card: "close:talked" in card.buttons)
    again.now().press("close:talked")
    again.await_change(lambda card: not card.buttons)

    with town.store().read() as tx:
        assert tx.feedback.get(1).state is State.CLOSED
        told = [entry.what for entry in tx.history.of("feedback:1")]
    assert told[-5:] == ["nudged", "extended", "escalate", "taken_over", "closed"]


def test_the_bot_may_be_restarted_between_any_two_steps(town: Town, side: Side) -> None:
    town.freeze()
    boss, subject = town.phone(side.supervisor, side.platform), town.phone(side.subject, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()
    town.restart_bot()
    card.tick(side.good)
    town.restart_bot()
    subject.await_card()
    town.stop_bot()
    town.forward(hours=25)
    town.start_bot()
    subject.await_card(2)
    town.restart_bot()
    town.forward(hours=47)
    escalation = hrbp(town, side).await_card()
    town.restart_bot()
    subject.cards()[0].press("disputed")
    town.restart_bot()
    subject.say("那天不是我当班")

    escalation.await_change(lambda card: not card.buttons)
    boss.await_text()
    with town.store().read() as tx:
        assert tx.feedback.get(1).state is State.DISPUTED


def test_one_person_on_both_platforms_is_one_person(town: Town) -> None:
    """E002 is on both: what she writes on one platform is answered where she wrote, and there is one of her."""
    for platform in ("dingtalk", "wecom"):
        phone = town.phone("E002", platform)
        phone.say("帮助")
        phone.await_text()
        town.forward(minutes=11)

    with town.store().read() as tx:
        people = [person for person in tx.people.all().values() if person.name == "陈静"]
    assert len(people) == 1
