"""Feedback by talking and everyday commands, on both platforms and both databases, with real clients over loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.feedback import Kind, State
from tests.bot.server import Asked, as_json, serving
from tests.story.conftest import SIDES, Side
from tests.story.town import ROOT, SETTLE, Phone, ShownCard, Town, wait_for

GOOD = "昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉"


def ask(phone: Phone, text: str) -> str:
    """What the bot answers in plain words."""
    before = len(phone.texts())
    phone.say(text)
    return phone.await_text(before + 1)


def give(town: Town, side: Side) -> tuple[ShownCard, ShownCard]:
    """The author's card and the subject's, of a feedback in words."""
    boss = town.phone(side.supervisor, side.platform)
    boss.say(f"{side.subject_name}{GOOD}")
    card = boss.await_card()
    card.press("send:praise")
    return card, town.phone(side.subject, side.platform).await_card()


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


def test_everyday_commands_are_answered_in_private_words(town: Town, side: Side) -> None:
    boss, subject = town.phone(side.supervisor, side.platform), town.phone(side.subject, side.platform)
    give(town, side)

    assert side.subject_name in ask(boss, "哪些反馈还没回")
    assert "已经提醒" in ask(boss, f"催一下{side.subject_name}")
    subject.await_card(2)  # the feedback, and the reminder
    assert "再提醒你" in ask(subject, "明天上午再提醒我")
    assert "1" in ask(subject, "我的周报")
    assert "1" in ask(boss, "我们组本周周报")
    assert side.colleague_name in ask(boss, f"我请假三天，由{side.colleague_name}代")
    assert ask(town.phone(side.hrbp, side.platform), "逾期没回的有哪些")
    assert "图" in ask(boss, "这张截图附到上一条")
    assert "豁免" in ask(subject, "我下周能免填吗")
    assert "业务数据" in ask(subject, "今天的退货率是多少")
    assert "反馈" in ask(boss, "怎么用")


def added(town: Town) -> list[str | None]:
    """What the author put behind the first record."""
    with town.store().read() as tx:
        return [entry.words for entry in tx.history.of("feedback:1") if entry.what == "added"]


def test_a_given_record_is_reworded_in_words_then_only_added_to_and_the_subjects_card_follows(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    _, feedback = give(town, side)

    assert "改好了" in ask(boss, "把上一条的影响改成客户追加了两单")
    feedback.await_change(lambda card: "客户追加了两单" in card.words)
    assert "先没有改" in ask(boss, "上一条的动作改成态度一直很认真")
    assert "补上了" in ask(boss, "就这样")
    town.forward(minutes=11)
    boss.say("上一条补充一句：客户第二天又来电道谢")  # WeCom shows an equal text within hours only once
    wait_for(lambda: len(added(town)) == 2)
    boss.say("撤回上一条")
    wait_for(lambda: any("撤不回了" in text for text in boss.texts()))
    with town.store().read() as tx:
        record = tx.feedback.get(1)
    assert "先安抚再核实" in record.action
    assert added(town) == ["态度一直很认真", "客户第二天又来电道谢"]
    if side.platform == "dingtalk":  # WeCom changes a card once per code (wecom.md §7)
        feedback.await_change(lambda card: "态度一直很认真" in card.words and "来电道谢" in card.words)


def test_other_talk_gets_a_short_help_once_a_day_and_dictation_is_understood(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)

    assert ask(boss, "今晚食堂有红烧肉吗")
    boss.say("好冷啊今天")
    time.sleep(SETTLE)
    assert len(boss.texts()) == 1
    boss.say(f"{side.subject_name}昨天下午接退货电话没核实订单就答应退款结果仓库白跑了一趟")

    assert "仓库白跑了一趟" in boss.await_card(has=lambda card: any(button.startswith("send:") for button in card.buttons)).words


def test_in_a_group_a_feedback_goes_on_in_private_and_other_talk_gets_no_word(town: Town) -> None:
    side = SIDES["dingtalk"]
    boss = town.phone(side.supervisor, side.platform)
    group = next(f"group-{group['key']}" for group in town.get("/sandbox/people")["groups"] if group["platform"] == side.platform)

    def say_in_group(text: str) -> None:
        body = {"person": side.supervisor, "text": text, "mention_bot": True}
        town.post(f"/sandbox/chats/{group}/messages", body)

    say_in_group("今晚食堂有红烧肉吗")
    say_in_group(f"@{side.subject_name} 9月12日14:23直播话术漏了促单,当场少了3单")

    assert "漏了促单" in boss.await_card().words

    def said() -> list[dict[str, Any]]:
        told = town.get(f"/sandbox/chats/{group}/messages", person=side.colleague)["messages"]
        return [message for message in told if message["from"]["kind"] == "bot"]

    wait_for(lambda: len(said()) == 1)
    assert "促单" not in json.dumps(said(), ensure_ascii=False)


@pytest.fixture
def helped(tmp_path: Path, database_url: str) -> Iterator[tuple[Town, list[Asked]]]:
    """A town whose bot may ask an endpoint, which names what our rules leave open, and a lie."""

    def answer(asked: Asked) -> Any:
        named = {"action": "死磕供应商", "impact": "老板涨了他的工资"}
        return as_json({"choices": [{"message": {"content": json.dumps(named, ensure_ascii=False)}}]})

    company = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = (ROOT / "demo" / "people.csv").read_text("utf-8")
    with serving({"/v1/chat/completions": answer}) as server:
        llm = {"enabled": True, "base_url": f"{server.url}/v1", "model": "small", "api_key": ""}
        with Town(tmp_path, database_url, company, people, llm=llm) as town:
            yield town, server.asked


def test_an_endpoint_fills_what_the_rules_leave_open_with_words_of_the_text_and_with_no_others(
    helped: tuple[Town, list[Asked]], side: Side
) -> None:
    town, asked = helped
    boss = town.phone(side.supervisor, side.platform)

    boss.say(f"{side.subject_name}昨天死磕供应商，这批货便宜了3000元")

    card = boss.await_card(has=lambda card: "读自：“死磕供应商”" in card.words)
    assert "工资" not in card.words
    assert len(asked) == 1


def test_two_of_one_name_are_chosen_from_and_the_sentence_goes_on(town: Town) -> None:
    side = SIDES["wecom"]
    head = town.phone(side.supervisor, side.platform)

    head.say("昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    who = head.await_card(has=lambda card: any(action.startswith("pick:") for action in card.buttons))
    who.press(who.buttons[0])

    understood = head.await_card(has=lambda card: "send:praise" in card.buttons)
    assert "先安抚再核实了订单" in understood.words
