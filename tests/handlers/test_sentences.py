"""From a sentence typed to a record on the subject's phone, and everything that can be missing on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cards.layout import Card
from handlers import feedback
from reading import sentence
from rules.events import Account, ChatMessage, Platform
from rules.feedback import Kind, Record, State
from rules.people import Entry
from storage.outbox import Message
from storage.unit import Store
from tests.handlers.conftest import POLICY, World

GOOD = "@李雷 9月12日14:23直播话术漏了促单,当场少了3单"
NO_IMPACT = "孙悦昨天接退货电话先安抚再核实了订单"
EMPTY = "孙悦态度认真、潜力突出"


def records(world: World) -> list[Record]:
    with world.store.read() as tx:
        return [tx.feedback.get(id + 1) for id in range(sum(tx.feedback.counts().values()))]


def card_of(world: World, who: str = "boss") -> Message:
    """The newest sentence card on somebody's phone."""
    world.deliver()
    return world.to(who, "sentence_card")[0]


def shown(world: World, who: str = "boss") -> Card:
    return world.text(card_of(world, who))


def lines(card: Card) -> dict[str, str]:
    return {line.label: line.text for line in card.lines if line.label}


def actions(card: Card) -> list[str]:
    return [button.action for button in card.buttons]


def question(card: Card) -> str:
    return next(line.text for line in card.lines if not line.label)


def test_a_sentence_comes_back_in_private_with_the_words_each_element_was_read_from(world: World) -> None:
    world.say("boss", GOOD)

    told = lines(shown(world))
    assert told["对象"] == "李雷"
    assert told["类型"] == "改进"
    assert "9月12日14:23" in told["场景"]
    assert "话术漏了促单" in told["动作"]
    assert "当场少了3单" in told["影响"]
    assert all("读自" in told[label] for label in ("场景", "动作", "影响"))


def test_one_tap_sends_it_and_the_clock_of_the_subject_starts(world: World) -> None:
    world.say("boss", GOOD)

    after = world.press("boss", card_of(world), "send:improve")

    assert after is not None
    assert after.closed
    world.deliver()
    to_li = world.text(world.to("li", "feedback_card")[0])
    assert [button.action for button in to_li.buttons] == ["acknowledged", "improved", "disputed"]
    assert "时间" not in lines(to_li), "the scene says when; 12:00 would be invented"
    (record,) = records(world)
    assert (record.state, record.kind) == (State.OPEN, Kind.IMPROVE)
    with world.store.read() as tx:
        loop = tx.loops.get(record.id)
    assert loop is not None
    assert loop.opened_at == record.given_at


def test_it_happened_when_the_sentence_says_in_shanghai(world: World) -> None:
    world.say("boss", GOOD)

    assert records(world)[0].occurred_at == datetime(2026, 9, 12, 6, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["李雷上个月盘点漏扫了三箱，补货晚了两天", "李雷那单漏扫了三箱，客户退了货"])
def test_a_time_that_is_not_sure_is_not_guessed(world: World, text: str) -> None:
    world.say("boss", text)

    assert records(world)[0].occurred_at == world.now


def test_yesterday_stands_in_the_record_with_its_date(world: World) -> None:
    world.say("boss", NO_IMPACT)

    assert records(world)[0].scene == "昨天（9月13日）"


def test_what_is_missing_is_asked_as_one_question_with_an_example_of_the_industry(store: Store) -> None:
    library = replace(POLICY.libraries["客服"], industry="客服")
    world = World(store, policy=replace(POLICY, libraries={"客服": library}))

    world.say("boss", NO_IMPACT)

    card = shown(world)
    assert question(card).count("？") == 1
    assert "客户撤回了退货" in question(card)
    assert lines(card)["影响"] == "还差"
    assert not any(action.startswith("send") for action in actions(card))


def test_the_next_sentence_completes_the_draft_and_the_card_before_gives_way(world: World) -> None:
    world.say("boss", NO_IMPACT)
    first = card_of(world)
    world.forward(minutes=9)

    world.say("boss", "客户当场撤了退货")

    second = card_of(world)
    assert "send:praise" in actions(world.text(second))
    change = next(message for message in world.to("boss") if message.changes == first.id)
    assert change.card == "sentence_closed"
    assert len(records(world)) == 1


def test_dictation_without_punctuation_completes_it_too(world: World) -> None:
    world.say("boss", "孙悦昨天接退货电话先安抚再核实了订单")
    world.deliver()
    world.say("boss", "然后客户当场就撤了退货")

    assert records(world)[0].impact


def test_after_ten_minutes_the_next_sentence_no_longer_belongs_to_the_draft(world: World) -> None:
    world.say("boss", NO_IMPACT)
    world.forward(minutes=10)

    world.say("boss", "客户当场撤了退货")

    assert records(world)[0].impact == ""


def test_more_makes_the_next_sentence_belong_to_that_draft_again(world: World) -> None:
    world.say("boss", NO_IMPACT)
    card = card_of(world)
    world.forward(hours=3)

    hinted = world.press("boss", card, "more")
    world.say("boss", "客户当场撤了退货")

    assert hinted is not None
    assert hinted.status
    assert records(world)[0].impact


def test_an_old_card_cannot_send_what_has_moved_on(world: World) -> None:
    world.say("boss", GOOD)
    old = card_of(world)
    world.say("boss", "客户还截图发了朋友圈，又退了2单")

    after = world.press("boss", old, "send:improve")

    assert after is not None
    assert after.closed
    assert records(world)[0].state is State.DRAFT


def test_send_and_never_mind_may_be_typed(world: World) -> None:
    world.say("boss", GOOD)
    world.deliver()
    world.say("boss", "发出")
    world.say("boss", "@孙悦 9月12日14:23直播话术漏了促单,当场少了3单")
    world.deliver()
    world.say("boss", "算了")

    assert [record.state for record in records(world)] == [State.OPEN, State.WITHDRAWN]
    world.deliver()
    assert len(world.to("li", "feedback_card")) == 1
    assert world.to("sun") == []


def test_send_typed_too_early_says_what_is_missing(world: World) -> None:
    world.say("boss", NO_IMPACT)
    world.deliver()

    world.say("boss", "发出")

    assert records(world)[0].state is State.DRAFT
    assert shown(world).status


@pytest.mark.parametrize(("action", "kind"), [("kind:improve", Kind.IMPROVE), ("kind:praise", Kind.PRAISE)])
def test_the_author_decides_the_kind_and_his_choice_outlives_the_next_words(world: World, action: str, kind: Kind) -> None:
    world.say("boss", NO_IMPACT)

    world.press("boss", card_of(world), action)
    world.say("boss", "客户当场撤了退货")

    assert records(world)[0].kind is kind


def test_empty_talk_is_turned_back_with_the_question_that_makes_it_concrete(world: World) -> None:
    world.say("boss", EMPTY)

    card = shown(world)
    assert question(card).count("？") == 1
    assert actions(card)[0] == "more"


def test_the_author_may_insist_and_then_it_is_a_note_nobody_else_hears_of(world: World) -> None:
    world.say("boss", EMPTY)

    after = world.press("boss", card_of(world), "keep")

    assert after is not None
    assert after.closed
    (record,) = records(world)
    assert (record.state, record.given_at) == (State.NOTE, None)
    world.deliver()
    assert world.to("sun") == []
    with world.store.read() as tx:
        assert tx.loops.get(record.id) is None


def test_where_the_policy_forbids_notes_there_is_no_such_button_and_pressing_it_changes_nothing(store: Store) -> None:
    world = World(store, policy=replace(POLICY, insist=False))
    world.say("boss", EMPTY)

    after = world.press("boss", card_of(world), "keep")

    assert "keep" not in actions(shown(world))
    assert after is not None
    assert after.status
    assert records(world)[0].state is State.DRAFT


def test_an_incomplete_draft_cannot_be_sent_by_a_forged_press(world: World) -> None:
    world.say("boss", NO_IMPACT)

    for action in ("send:praise", "send:gold", "send", "kind:gold"):
        world.press("boss", card_of(world), action)

    assert records(world)[0].state is State.DRAFT


def test_a_draft_nobody_sends_ends_by_itself(world: World) -> None:
    world.say("boss", GOOD)
    card = card_of(world)
    world.forward(hours=48)

    late = world.press("boss", card, "send:improve")
    ended = world.tick(feedback.expire_one)

    assert late is not None
    assert late.closed
    assert ended == 1
    assert records(world)[0].state is State.EXPIRED


def test_the_same_message_three_times_is_one_draft_and_one_card(world: World) -> None:
    for _ in range(3):
        world.dispatcher.handle(ChatMessage("once", Account(Platform.DINGTALK, "boss"), GOOD))

    world.deliver()
    assert len(records(world)) == 1
    assert len(world.to("boss")) == 1


def test_in_a_group_the_bot_says_one_neutral_line_and_the_rest_in_private(world: World) -> None:
    world.say("boss", GOOD, group="cid-1")

    with world.store.read() as tx:
        rows = tx.outbox.recent(None, 10)
    in_group = [world.text(row) for row in rows if row.person is None]
    assert len(in_group) == 1
    assert not any(word in str(in_group[0]) for word in ("李雷", "促单", "改进", "直播"))
    assert [row.card for row in rows if row.person == world.ids["boss"]] == ["sentence_card"]


def test_an_improvement_is_never_shown_in_a_group_not_even_when_it_is_sent_and_answered(world: World) -> None:
    world.say("boss", GOOD, group="cid-1")
    world.press("boss", card_of(world), "send:improve")
    world.deliver()
    world.press("li", world.to("li", "feedback_card")[0], "improved")

    with world.store.read() as tx:
        to_groups = [row.card for row in tx.outbox.recent(None, 50) if row.person is None]
    assert to_groups == ["group_hint"]


def test_two_people_of_one_name_are_asked_apart_before_anything_is_kept(world: World) -> None:
    world.say("hr", "给王磊写条反馈：昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    world.deliver()
    who = world.to("hr", "who_card")[0]

    assert len(world.text(who).buttons) == 2
    assert records(world) == []


def test_picking_a_namesake_brings_the_sentences_card(store: Store) -> None:
    world = World(store)
    with store.begin() as tx:
        wang = Account(Platform.DINGTALK, "wang2")
        tx.people.put([Entry("wang2", "王磊", "客服部", (wang,), role="客服", supervisor="boss", hrbp="hr")], world.now)
    world.say("boss", "王磊昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    world.deliver()
    who = world.to("boss", "who_card")[0]

    world.press("boss", who, world.text(who).buttons[1].action)
    world.press("boss", who, world.text(who).buttons[0].action)

    assert [record.subject for record in records(world)] == [int(world.text(who).buttons[1].action.partition(":")[2])]
    assert "send:praise" in actions(shown(world))


def test_a_whole_sentence_about_nobody_asks_who_is_meant_with_those_least_mentioned_first(world: World) -> None:
    world.checkin(about="李雷")
    world.say("boss", "昨天下午接投诉先安抚再核实了订单，客户当场撤了投诉")
    world.deliver()

    who = world.to("boss", "who_card")[0]
    assert [c["name"] for c in who.data["candidates"]][-1] == "李雷"

    world.say("boss", "孙悦")
    assert records(world)[-1].subject == world.ids["sun"]
    assert records(world)[-1].impact


def test_a_judgement_about_nobody_gets_the_question_and_leaves_no_record(world: World) -> None:
    world.say("boss", "态度认真、潜力突出")

    assert [message.card for message in world.to("boss")] == ["vague_text"]
    assert records(world) == []


def test_an_at_mention_says_who_is_meant_whatever_the_text_says(world: World) -> None:
    sun = Account(Platform.DINGTALK, "sun")
    text = "9月12日14:23直播话术漏了促单,当场少了3单"

    world.dispatcher.handle(ChatMessage("at", Account(Platform.DINGTALK, "boss"), f"记一条反馈 {text}", "cid-1", mentions=(sun,)))

    assert [record.subject for record in records(world)] == [world.ids["sun"]]


@pytest.mark.parametrize("who", ["sun", "other", "hr"])
def test_who_does_not_lead_somebody_may_not_write_about_him(world: World, who: str) -> None:
    world.say(who, "给李雷写条反馈：昨天下午接投诉没核实订单，客户当场退了货")

    assert [message.card for message in world.to(who)] == ["sorry_text"]
    assert records(world) == []


def test_a_new_sentence_about_somebody_else_does_not_land_in_the_draft_before(world: World) -> None:
    world.say("boss", NO_IMPACT)
    world.deliver()

    world.say("boss", "李雷昨天直播漏了促单，当场少了3单")

    assert [record.subject for record in records(world)] == [world.ids["sun"], world.ids["li"]]


def test_a_command_between_two_sentences_is_a_command(world: World) -> None:
    world.say("boss", NO_IMPACT)
    world.deliver()
    world.say("boss", "本周全组简报")
    world.say("boss", "客户当场撤了退货")

    assert len(world.to("boss", "team_week")) == 1
    assert records(world)[0].impact


def test_the_subjects_answer_shows_on_the_authors_card(world: World) -> None:
    world.say("boss", GOOD)
    card = card_of(world)
    world.press("boss", card, "send:improve")
    world.deliver()

    world.press("li", world.to("li", "feedback_card")[0], "acknowledged")

    change = next(message for message in world.to("boss") if message.changes == card.id)
    assert "收到" in world.text(change).status


def test_somebody_who_left_meanwhile_gets_nothing(world: World) -> None:
    world.say("boss", GOOD)
    card = card_of(world)
    with world.store.begin() as tx:
        tx.people.drop_accounts([Account(Platform.DINGTALK, "li")], world.now)

    after = world.press("boss", card, "send:improve")

    assert after is not None
    assert after.closed
    assert records(world)[0].state is State.DRAFT


PIECES = (
    *(
        "孙悦",
        "@李雷",
        "昨天下午",
        "9月12日14:23",
        "接退货电话",
        "先安抚再核实",
        "了订单",
        "客户当场撤了退货",
        "漏了促单",
        "当场少了3单",
    ),
    *("态度认真", "总是", "每次", "，", "。", "撤回", "发出", "算了", "收到", "提醒我", "明天", "团队周报", "没有返工", "影响恶劣"),
    *("给", "写条反馈：", "那单", "补一句", "换成", "请判为合格"),
)
anything = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(st.sampled_from(["boss", "li", "hr", "head"]), anything), min_size=1, max_size=4))
def test_whatever_anybody_types_nothing_breaks_and_nothing_is_given_unconfirmed(world: World, said: list[tuple[str, str]]) -> None:
    for who, text in said:
        if text.strip() not in ("发出",):
            world.say(who, text)

    with world.store.read() as tx:
        states = tx.feedback.counts()
        sent = tx.outbox.recent(None, 400)
    confirmed = sum(1 for message in sent if message.card == "note_text" and message.data["what"] == "sent")
    assert states.get("open", 0) <= confirmed, "only 发出 opens a record"
    for message in sent:
        world.text(message)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scene=st.sampled_from(["昨天下午", "9月12日14:23直播", "周三早会", "刚才那单", "上周五盘点"]),
    action=st.sampled_from(["漏了促单", "先安抚再核实了订单", "没扫码就装了车", "把表删了", "当场补全了工单记录"]),
    impact=st.sampled_from(["当场少了3单", "客户当场撤了退货", "返工了12件", "没有一箱发错", "门店停了两小时"]),
)
def test_a_text_that_passes_the_gate_is_never_turned_back(world: World, scene: str, action: str, impact: str) -> None:
    text = f"李雷{scene}{action}，{impact}"
    world.forward(minutes=11)  # nothing typed before belongs to it

    world.say("boss", text)

    if sentence.read(text).complete:
        sent = [action for action in actions(shown(world)) if action.startswith("send:")]
        assert sent, text


def test_the_quickest_way_is_a_sentence_and_a_tap(world: World) -> None:
    world.say("boss", GOOD)
    sent = world.deliver()

    assert [message.card for message in sent] == ["sentence_card"]
    world.press("boss", sent[0], "send:improve")
    assert [message.card for message in world.deliver()] == ["feedback_card"]


def test_an_answer_to_ones_own_boss_does_not_land_in_the_draft(world: World) -> None:
    with world.store.begin() as tx:
        tx.people.put([Entry("boss", "王芳", "客服部", (), role="客服", supervisor="other", hrbp="hr")], world.now)
    world.press("other", world.checkin("other", "王芳"), "give", "cut_in")
    world.deliver()
    world.say("boss", NO_IMPACT)

    world.say("boss", "已改进，以后听完再说")

    assert [(record.subject, record.state) for record in records(world)] == [
        (world.ids["boss"], State.IMPROVED),
        (world.ids["sun"], State.DRAFT),
    ]


@pytest.mark.parametrize("text", ["李雷昨天下午把表删了，门店停了两小时", "昨天晚上忘了关进水阀，水漫到收银台，停业半天"])
def test_a_whole_feedback_is_not_taken_for_the_command_whose_words_it_holds(world: World, text: str) -> None:
    world.say("boss", text)

    assert {message.card for message in world.to("boss")} <= {"sentence_card", "who_card"}
    with world.store.read() as tx:
        assert tx.away.of(world.ids["boss"]).held_until is None


def test_after_never_mind_the_next_words_belong_to_nothing(world: World) -> None:
    world.say("boss", NO_IMPACT)
    world.press("boss", card_of(world), "drop")

    world.say("boss", "好冷啊今天")

    assert [message.card for message in world.to("boss") if message.changes is None] == ["help_text", "sentence_card"]
