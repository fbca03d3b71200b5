"""Feedback by talking and everyday commands, on both platforms and both databases, with real clients over loopback."""

from __future__ import annotations

from rules.feedback import Kind, State
from tests.story.conftest import SIDES, Side
from tests.story.town import Town


def test_a_sentence_completed_by_the_next_one_is_sent_with_a_tap_and_answered_in_words(town: Town, side: Side) -> None:
    boss, subject = town.phone(side.supervisor, side.platform), town.phone(side.subject, side.platform)

    boss.say(f"{side.subject_name}昨天下午接投诉先安抚再核实了订单")
    first = boss.await_card(has=lambda card: "more" in card.buttons)
    boss.say("客户当场撤了投诉")
    whole = boss.await_card(has=lambda card: "send:praise" in card.buttons)
    first.await_change(lambda card: "more" not in card.buttons)
    whole.press("send:praise")

    feedback = subject.await_card()
    assert "先安抚再核实" in feedback.words
    subject.say("收到，以后我都先安抚再核实")
    whole.await_change(lambda card: "收到" in card.words)
    with town.store().read() as tx:
        record = tx.feedback.get(1)
    assert (record.state, record.kind, record.ticks) == (State.ACKNOWLEDGED, Kind.PRAISE, ())


def test_empty_talk_is_asked_for_and_kept_only_as_a_note(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)

    boss.say(f"{side.subject_name}态度认真、潜力突出")
    card = boss.await_card()
    card.press("keep")

    card.await_change(lambda card: "keep" not in card.buttons)
    boss.say("哪些反馈还在等待回复")
    boss.await_text()
    assert town.phone(side.subject, side.platform).cards() == []


def test_what_was_sent_is_taken_back_in_words_and_the_subjects_card_follows(town: Town, side: Side) -> None:
    boss, subject = town.phone(side.supervisor, side.platform), town.phone(side.subject, side.platform)
    boss.say(f"{side.subject_name}昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    boss.await_card().press("send:praise")
    feedback = subject.await_card()

    boss.say("请撤销我上一条反馈")

    feedback.await_change(lambda card: "acknowledged" not in card.buttons)
    with town.store().read() as tx:
        assert tx.feedback.get(1).state is State.WITHDRAWN


def test_one_sentence_about_two_is_one_tap_and_a_record_and_a_clock_for_each(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    first, second = town.phone(side.subject, side.platform), town.phone(side.colleague, side.platform)

    boss.say(f"{side.subject_name}和{side.colleague_name}昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    card = boss.await_card()
    for _ in range(2):
        card.press("send:praise", force=True)

    assert side.subject_name in card.words
    assert side.colleague_name in card.words
    first.await_card().press("acknowledged")
    second.await_card().press("improved")
    card.await_change(lambda card: "收到" in card.words and "已改进" in card.words)
    with town.store().read() as tx:
        assert [tx.feedback.get(id).state for id in (1, 2)] == [State.ACKNOWLEDGED, State.IMPROVED]
        assert tx.feedback.find(3) is None
    assert len(second.cards()) == 1


def test_two_of_one_name_are_chosen_from_and_the_sentence_goes_on(town: Town) -> None:
    side = SIDES["wecom"]
    head = town.phone(side.supervisor, side.platform)

    head.say("昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    who = head.await_card(has=lambda card: any(action.startswith("pick:") for action in card.buttons))
    who.press(who.buttons[0])

    understood = head.await_card(has=lambda card: "send:praise" in card.buttons)
    assert "先安抚再核实了订单" in understood.words
