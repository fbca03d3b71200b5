"""One sentence about several people: one card for its author, one record for each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.layout import Card
from handlers import loops
from handlers.dispatch import Dispatcher
from rules.events import Account, ChatMessage, Platform
from rules.evidence import EvidencePolicy, Wanted
from rules.feedback import Kind, Record, State
from rules.people import Entry
from rules.sentences import MOST_SUBJECTS
from storage.outbox import Message
from storage.unit import Store
from tests.handlers.conftest import POLICY, World

TOLD = "9月12日14:23直播话术漏了促单,当场少了3单"
BOTH = f"@李雷 @孙悦 {TOLD}"


def records(world: World) -> list[Record]:
    with world.store.read() as tx:
        return [tx.feedback.get(id + 1) for id in range(sum(tx.feedback.counts().values()))]


def card_of(world: World) -> Message:
    world.deliver()
    return world.to("boss", "sentence_card")[0]


def words(card: Card) -> str:
    return " ".join(line.text for line in card.lines)


def send(world: World, text: str = BOTH) -> Message:
    """The author's card after he has sent the sentence, everything delivered."""
    world.say("boss", text)
    card = card_of(world)
    world.press("boss", card, "send:improve")
    world.deliver()
    return card


@pytest.mark.parametrize(
    "text",
    [
        BOTH,
        f"李雷和孙悦{TOLD}",
        f"李雷、孙悦{TOLD}",
        f"李雷孙悦{TOLD}",
        f"给李雷和孙悦记一条改进：{TOLD}",
        "李雷和孙悦昨天直播话术漏了促单",
        "李雷和孙悦态度认真、潜力突出",
    ],
)
def test_one_card_names_them_all_and_is_the_only_message(world: World, text: str) -> None:
    world.say("boss", text)

    assert "李雷、孙悦" in words(world.text(card_of(world)))
    assert len(world.to("boss")) == 1
    assert len(records(world)) == 1, "nobody has a record before it is confirmed"


def test_a_tap_gives_each_a_record_a_clock_a_history_and_a_card(world: World) -> None:
    send(world)

    li, sun = records(world)
    assert [li.subject, sun.subject] == [world.ids["li"], world.ids["sun"]]
    for record, who in ((li, "li"), (sun, "sun")):
        assert (record.state, record.kind, record.given_at) == (State.OPEN, Kind.IMPROVE, world.now)
        assert (record.scene, record.action, record.impact) == (li.scene, li.action, li.impact)
        assert len(world.to(who, "feedback_card")) == 1
        with world.store.read() as tx:
            loop = tx.loops.get(record.id)
            history = [entry.what for entry in tx.history.of(f"feedback:{record.id}")]
        assert loop is not None
        assert loop.opened_at == world.now
        assert history == ["written", "given"]


def test_a_second_tap_and_a_second_delivery_give_nobody_a_second_record(world: World) -> None:
    world.say("boss", BOTH)
    card = card_of(world)

    for event in ("tap-1", "tap-1", "tap-2"):
        after = world.press("boss", card, "send:improve", event_id=event)

    world.deliver()
    assert after is not None
    assert after.closed
    assert len(records(world)) == 2
    assert len(world.to("sun", "feedback_card")) == 1


def test_two_taps_in_two_processes_give_one_record_each(world: World) -> None:
    world.say("boss", BOTH)
    card = card_of(world)
    other = World.__new__(World)
    other.__dict__ |= world.__dict__
    other.dispatcher = Dispatcher(world.store, world.policy, lambda: world.now, frozenset({Platform.DINGTALK}), lambda: None)

    world.press("boss", card, "send:improve")
    other.press("boss", card, "send:praise")

    assert [record.kind for record in records(world)] == [Kind.IMPROVE, Kind.IMPROVE]


def test_the_authors_card_tells_who_has_answered_and_who_has_not(world: World) -> None:
    card = send(world)

    world.press("sun", world.to("sun", "feedback_card")[0], "improved")

    (change,) = [message for message in world.to("boss") if message.changes == card.id]
    assert "李雷 还没回应，孙悦 已改进" in words(world.text(change))
    world.deliver()
    world.press("li", world.to("li", "feedback_card")[0], "acknowledged")
    newest = next(message for message in world.to("boss") if message.changes == card.id)
    assert "李雷 收到，孙悦 已改进" in words(world.text(newest))


def test_on_wecom_the_one_change_that_is_left_is_kept_for_the_last_answer(store: Store) -> None:
    world = World(store)
    wu = Account(Platform.WECOM, "wu")
    with store.begin() as tx:
        entries = [Entry(key, name, "客服部", (), supervisor="wu", hrbp="hr") for key, name in (("li", "李雷"), ("sun", "孙悦"))]
        tx.people.put([Entry("wu", "吴晨", "客服部", (wu,), hrbp="hr"), *entries], world.now)
        world.ids["wu"] = next(person.id for person in tx.people.all().values() if person.key == "wu")
    for id, text in (("w1", BOTH), ("w2", "发出")):
        world.dispatcher.handle(ChatMessage(id, wu, text))
        world.deliver()
    sentence = world.to("wu", "sentence_card")[0]

    def changes() -> list[Message]:
        return [message for message in world.to("wu") if message.changes == sentence.id]

    sent = changes()
    world.press("sun", world.to("sun", "feedback_card")[0], "improved")
    assert changes() == sent
    world.press("li", world.to("li", "feedback_card")[0], "acknowledged")
    assert "李雷 收到，孙悦 已改进" in words(world.text(changes()[0]))


def test_who_may_not_get_feedback_from_him_is_left_out_and_the_card_says_so(world: World) -> None:
    world.say("boss", f"李雷、林涛、王芳和孙悦{TOLD}")

    said = words(world.text(card_of(world)))
    assert "写给 李雷、孙悦" in said
    assert "林涛不在你带的团队里" in said
    assert "你自己那份不用写" in said


def test_when_one_is_left_the_card_is_about_him_alone(world: World) -> None:
    world.say("boss", f"李雷和林涛{TOLD}")

    card = world.text(card_of(world))
    assert next(line.text for line in card.lines if line.label == "对象") == "李雷"
    assert "林涛不在你带的团队里" in words(card)


def test_when_nobody_is_left_there_is_a_sentence_and_no_record(world: World) -> None:
    world.say("boss", f"给林涛和赵敏写条反馈：{TOLD}")

    assert [message.card for message in world.to("boss")] == ["sorry_text"]
    assert records(world) == []


def test_an_unclear_name_among_them_is_chosen_first_and_the_order_stays(store: Store) -> None:
    world = World(store)
    with store.begin() as tx:
        tx.people.put([Entry("wang2", "王磊", "二部", (), role="客服", supervisor="boss", hrbp="hr")], world.now)
    world.say("boss", f"李雷、王磊和孙悦{TOLD}")
    world.deliver()
    who = world.to("boss", "who_card")[0]
    assert records(world) == []

    world.press("boss", who, world.text(who).buttons[1].action)
    world.press("boss", who, world.text(who).buttons[0].action)

    chosen = int(world.text(who).buttons[1].action.partition(":")[2])
    world.press("boss", card_of(world), "send:improve")
    assert [record.subject for record in records(world)] == [world.ids["li"], chosen, world.ids["sun"]]


def test_an_unclear_name_may_be_typed_instead(store: Store) -> None:
    world = World(store)
    with store.begin() as tx:
        tx.people.put([Entry("wang3", "王晶", "二部", (), role="客服", supervisor="boss", hrbp="hr")], world.now)
    world.say("boss", f"李雷和小王{TOLD}")
    world.deliver()
    world.say("boss", "王晶")

    assert "李雷、王晶" in words(world.text(card_of(world)))


def test_who_is_meant_may_be_answered_with_several_names(world: World) -> None:
    world.say("boss", "昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    world.deliver()
    world.say("boss", "李雷和孙悦")

    assert "李雷、孙悦" in words(world.text(card_of(world)))


def test_mentions_and_names_in_one_breath_are_one_list_without_anybody_twice(world: World) -> None:
    sun = Account(Platform.DINGTALK, "sun")
    for id, text in (("at-1", f"@孙悦 和李雷{TOLD}"), ("at-2", TOLD), ("at-3", f"孙悦和孙悦{TOLD}")):
        world.forward(minutes=11)
        world.dispatcher.handle(ChatMessage(id, Account(Platform.DINGTALK, "boss"), text, "cid-1", mentions=(sun,)))

    cards = [words(world.text(message)) for message in reversed(world.to("boss", "sentence_card"))]
    assert ["孙悦、李雷" in card for card in cards] == [True, False, False]


def test_who_is_only_part_of_what_is_told_gets_nothing(world: World) -> None:
    world.say("boss", "李雷昨天把孙悦的订单发错了，客户退了货")

    card = world.text(card_of(world))
    assert next(line.text for line in card.lines if line.label == "对象") == "李雷"


def test_ten_at_most(store: Store) -> None:
    world = World(store)
    people = [f"钱{given}" for given in "一二三四五六七八九十甲乙"]
    with store.begin() as tx:
        entries = [Entry(name, name, "客服部", (), role="客服", supervisor="boss", hrbp="hr") for name in people]
        tx.people.put(entries, world.now)
    world.say("boss", f"给{'、'.join(people)}写条反馈：{TOLD}")
    card = card_of(world)

    world.press("boss", card, "send:improve")

    assert len(records(world)) == MOST_SUBJECTS == 10
    assert "钱甲没算上" in words(world.text(card))
    assert "钱乙没算上" in words(world.text(card))


def test_the_next_sentence_the_kind_and_never_mind_are_for_all_of_them(world: World) -> None:
    world.say("boss", "李雷和孙悦昨天下午接投诉先安抚再核实了订单")
    world.press("boss", card_of(world), "kind:praise")
    world.say("boss", "孙悦那边客户当场撤了投诉")
    world.say("boss", "发出")

    assert [(record.state, record.kind, bool(record.impact)) for record in records(world)] == [(State.OPEN, Kind.PRAISE, True)] * 2
    world.say("boss", f"李雷和孙悦{TOLD}")
    world.say("boss", "算了")
    assert [record.state for record in records(world)] == [State.OPEN, State.OPEN, State.WITHDRAWN]


def test_what_is_kept_as_a_note_is_a_note_about_each(world: World) -> None:
    world.say("boss", "李雷和孙悦态度认真、潜力突出")

    world.press("boss", card_of(world), "keep")
    world.press("boss", card_of(world), "keep")

    assert [(record.subject, record.state) for record in records(world)] == [
        (world.ids["li"], State.NOTE),
        (world.ids["sun"], State.NOTE),
    ]
    world.deliver()
    assert world.to("sun") == []


@pytest.mark.parametrize("by_tap", [True, False])
def test_who_left_meanwhile_is_left_out_and_the_rest_is_confirmed_once_more(world: World, by_tap: bool) -> None:
    world.say("boss", BOTH)
    card = card_of(world)
    with world.store.begin() as tx:
        tx.people.drop_accounts([Account(Platform.DINGTALK, "li")], world.now)

    if by_tap:
        world.press("boss", card, "send:improve")
    else:
        world.say("boss", "发出")

    again = card_of(world)
    assert again.id != card.id
    assert "李雷已经离职" in words(world.text(again))
    world.press("boss", again, "send:improve")
    assert [(record.subject, record.state) for record in records(world)] == [
        (world.ids["li"], State.WITHDRAWN),
        (world.ids["sun"], State.OPEN),
    ]


def test_taking_back_the_last_one_takes_back_all_of_them_and_a_name_only_his(world: World) -> None:
    send(world)
    world.say("boss", "撤回给孙悦的那条")
    assert [record.state for record in records(world)] == [State.OPEN, State.WITHDRAWN]

    world.forward(minutes=1)
    send(world, f"孙悦和李雷{TOLD}")
    world.say("boss", "请撤销我上一条反馈")
    assert [record.state for record in records(world)] == [State.OPEN, State.WITHDRAWN, State.WITHDRAWN, State.WITHDRAWN]


def test_rewording_the_last_one_asks_whose(world: World) -> None:
    send(world)

    world.say("boss", "把刚才那条的影响改成当场少了5单")

    (choice,) = world.to("boss", "choice_card")
    world.deliver()
    world.press("boss", choice, world.text(choice).buttons[1].action)
    assert ["5单" in record.impact for record in records(world)] == [False, True]


def test_a_picture_sent_before_or_after_belongs_to_each_record(store: Store) -> None:
    policy = EvidencePolicy(wanted={Kind.IMPROVE: Wanted.REQUIRED})
    world = World(store, policy=replace(POLICY, evidence=policy))
    world.say("boss", BOTH)
    card, boss = card_of(world), Account(Platform.DINGTALK, "boss")
    world.dispatcher.handle(ChatMessage("pic-1", boss, "", media="code-1"))
    world.press("boss", card, "send:improve")
    world.dispatcher.handle(ChatMessage("pic-2", boss, "", media="code-2"))

    with world.store.read() as tx:
        sent = {record.id: [item.media for item in tx.evidence.of(record.id)] for record in records(world)}
    assert sent == {1: ["code-1", "code-2"], 2: ["code-1", "code-2"]}
    noted = [message.data["name"] for message in world.to("boss", "picture_noted")]
    assert noted == ["李雷、孙悦", "李雷、孙悦"]


def test_the_hrbp_hears_of_the_one_who_does_not_answer_and_only_of_him(world: World) -> None:
    send(world)
    world.press("sun", world.to("sun", "feedback_card")[0], "acknowledged")
    for _ in range(3):
        world.forward(hours=24)
        world.tick(loops.advance_one)
        world.deliver()

    escalated = world.to("hr", "escalation_card")
    assert [message.data["subject_name"] for message in escalated] == ["李雷"]
