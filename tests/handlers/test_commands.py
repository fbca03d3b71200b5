"""What people ask for in their own words, who may, and what is said when there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cards.layout import Card
from handlers import feedback, loops
from rules.feedback import Record, Refusal, State
from storage.outbox import Message
from storage.outbox import State as Sent
from storage.unit import Store
from tests.handlers.conftest import NOON, POLICY, World


def record(world: World, id: int = 1) -> Record:
    with world.store.read() as tx:
        return tx.feedback.get(id)


def answer_to(world: World, who: str, text: str) -> Message:
    """Say something and get what came back, sent or not."""
    before = {message.id for message in world.to(who)}
    world.say(who, text)
    new = [message for message in world.to(who) if message.id not in before and message.changes is None]
    assert len(new) == 1, [message.card for message in new]
    return new[0]


def read(world: World, message: Message) -> str:
    card = world.text(message)
    return "\n".join([card.title, *(f"{line.label}{line.text}" for line in card.lines), card.status])


def give(world: World, about: str, *ticks: str) -> int:
    """A feedback of the boss about one of his people; its number."""
    world.press("boss", world.checkin(about=about), "give", *(ticks or ("calm",)))
    world.deliver()
    with world.store.read() as tx:
        return max(record.id for record in tx.reports.waiting_from(world.ids["boss"]))


def refused(world: World, who: str, text: str) -> Refusal:
    message = answer_to(world, who, text)
    assert message.card == "sorry_text", message.card
    return Refusal(message.data["reason"])


def changes_of(world: World, card: Message) -> Sequence[Card]:
    with world.store.read() as tx:
        rows = tx.outbox.recent(None, 200)
    return [world.text(row) for row in rows if row.changes == card.id]


# ── answering ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("收到", State.ACKNOWLEDGED),
        ("好的", State.ACKNOWLEDGED),
        ("知道啦，", State.ACKNOWLEDGED),
        ("谢谢您！", State.ACKNOWLEDGED),
        ("谢谢组长，我以后先核实再报价", State.ACKNOWLEDGED),
        ("已经按您说的改好了，话术卡也换了", State.IMPROVED),
        ("我有异议，那通电话不是我接的", State.DISPUTED),
    ],
)
def test_an_answer_in_ones_own_words_stops_the_clock(world: World, text: str, state: State) -> None:
    world.given("cut_in")

    world.say("li", text)

    assert record(world).state is state
    with world.store.read() as tx:
        loop = tx.loops.get(1)
    assert loop is not None
    assert loop.due_at is None


def test_what_was_said_beyond_the_answer_stands_in_the_history(world: World) -> None:
    world.given("cut_in")

    world.say("li", "谢谢组长，我以后先核实再报价")

    with world.store.read() as tx:
        told = [entry.words for entry in tx.history.of("feedback:1") if entry.what == "explained"]
    assert told == ["谢谢组长，我以后先核实再报价"]


def test_several_that_wait_are_chosen_from_and_only_the_chosen_one_is_answered(world: World) -> None:
    first, second = give(world, "李雷", "calm"), give(world, "李雷", "cut_in")

    choice = answer_to(world, "li", "已改进，以后听完再说")
    world.press("li", choice, f"choose:{second}")
    world.press("li", choice, f"choose:{first}")

    assert (record(world, first).state, record(world, second).state) == (State.OPEN, State.IMPROVED)


def test_answering_nothing_says_so(world: World) -> None:
    assert refused(world, "li", "收到") is Refusal.NOTHING_OPEN


def test_improved_may_come_after_received(world: World) -> None:
    world.given("cut_in")
    world.say("li", "收到")
    world.say("li", "已改进，以后听完再说")

    assert record(world).state is State.IMPROVED


def test_an_explanation_that_was_asked_for_is_not_taken_for_a_command(world: World) -> None:
    card = world.given("cut_in")
    world.press("li", card, "disputed")

    world.say("li", "撤回那单是系统做的，改成我录的了")

    with world.store.read() as tx:
        assert [e.words for e in tx.history.of("feedback:1") if e.what == "explained"] == ["撤回那单是系统做的，改成我录的了"]


# ── weeks and lists ───────────────────────────────────────────────────────────────────────────────────────


def test_my_week_counts_what_i_got_and_names_who_gave_it(world: World) -> None:
    world.given("cut_in")
    world.say("li", "已改进，以后听完再说")

    week = answer_to(world, "li", "查看我本周的行为简报")

    assert week.card == "my_week"
    assert week.data["received"] == {"praise": 0, "improve": 1, "answered": 1, "improved": 1, "waiting": 0}
    assert "王芳" in read(world, week)


def test_last_week_is_another_week(world: World) -> None:
    world.given("cut_in")
    world.forward(days=7)

    last, this = answer_to(world, "li", "把我上个星期的小结给我"), answer_to(world, "li", "查看我本周的行为简报")

    assert (last.data["received"]["improve"], this.data["received"]["improve"]) == (1, 0)
    assert last.data["monday"] == "2026-09-14"


def test_the_team_week_says_who_answered_who_waits_and_who_was_not_mentioned(world: World) -> None:
    give(world, "李雷")
    world.say("li", "收到")
    give(world, "孙悦", "cut_in")

    week = answer_to(world, "boss", "本周全组简报")

    assert week.data["given"] == {"praise": 1, "improve": 1, "answered": 1, "improved": 0, "waiting": 1}
    assert [one["name"] for one in week.data["waiting"]] == ["孙悦"]
    assert week.data["unmentioned"] == ["王磊"]


def test_the_team_week_of_an_employee_is_refused(world: World) -> None:
    assert refused(world, "li", "本周全组简报") is Refusal.NOT_A_SUPERVISOR


def test_an_hrbps_team_week_is_about_those_in_his_charge(world: World) -> None:
    give(world, "李雷")

    week = answer_to(world, "hr", "生成团队周简报")

    assert week.data["given"]["praise"] == 1
    assert week.data["people"] > 3


def test_a_week_without_feedback_says_so(world: World) -> None:
    assert "还没有反馈" in read(world, answer_to(world, "boss", "本周全组简报"))
    assert "还没有收到反馈" in read(world, answer_to(world, "li", "查看我本周的行为简报"))


def test_pending_tells_what_waits_for_me_and_what_i_wait_for(world: World) -> None:
    give(world, "李雷")

    mine, theirs = answer_to(world, "li", "我名下有未处理的吗"), answer_to(world, "boss", "哪些反馈还在等待回复")

    assert [one["name"] for one in mine.data["mine"]] == ["王芳"]
    assert [one["name"] for one in theirs.data["theirs"]] == ["李雷"]


def test_pending_about_one_person(world: World) -> None:
    give(world, "李雷")
    give(world, "孙悦")

    about = answer_to(world, "boss", "李雷回复我的反馈了吗")

    assert [one["name"] for one in about.data["theirs"]] == ["李雷"]


def test_nobody_learns_what_waits_with_people_who_are_not_his(world: World) -> None:
    give(world, "李雷")

    assert refused(world, "other", "李雷回复反馈了吗") is Refusal.NOT_IN_CHARGE


def test_nothing_pending_says_so(world: World) -> None:
    assert "都清了" in read(world, answer_to(world, "boss", "哪些反馈还在等待回复"))


def test_the_escalation_list_has_what_was_escalated_with_its_age(world: World) -> None:
    give(world, "李雷")
    assert refused(world, "hr", "列出已经升级的反馈") is Refusal.NOTHING_ESCALATED
    world.forward(hours=73)
    world.tick(loops.advance_one)

    told = answer_to(world, "hr", "列出已经升级的反馈")

    assert [one["name"] for one in told.data["waiting"]] == ["李雷"]
    assert "等了 3 天" in read(world, told)
    assert refused(world, "li", "列出已经升级的反馈") is Refusal.NOT_IN_CHARGE
    assert refused(world, "other", "列出已经升级的反馈") is Refusal.NOTHING_ESCALATED


# ── 催 and 稍后 ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_supervisor_may_nudge_and_not_again_within_half_an_hour(world: World) -> None:
    give(world, "李雷")

    done = answer_to(world, "boss", "请通知李雷尽快回复")
    world.deliver()

    assert done.data["what"] == "reminded"
    assert "王芳" in world.text(world.to("li", "reminder_card")[0]).title
    assert refused(world, "boss", "请通知李雷尽快回复") is Refusal.NUDGED_JUST_NOW
    assert len(world.to("li", "reminder_card")) == 1


def test_nudging_where_nothing_waits_says_so(world: World) -> None:
    assert refused(world, "boss", "请通知李雷尽快回复") is Refusal.NOTHING_WAITS


def test_a_reminder_for_later_is_honestly_refused(world: World) -> None:
    give(world, "李雷")

    assert refused(world, "boss", "后天上午提醒一次李雷") is Refusal.ONLY_REMINDS_NOW
    assert world.to("li", "reminder_card") == []


def test_an_employee_may_not_nudge(world: World) -> None:
    give(world, "李雷")

    assert refused(world, "sun", "请通知李雷尽快回复") is Refusal.NOT_IN_CHARGE


def test_of_several_that_wait_the_one_to_nudge_is_chosen(world: World) -> None:
    first, second = give(world, "李雷"), give(world, "孙悦")

    choice = answer_to(world, "boss", "催一下还没回复的人")
    world.press("boss", choice, f"choose:{second}")

    assert choice.card == "choice_card"
    assert len(world.to("sun", "reminder_card")) == 1
    assert world.to("li", "reminder_card") == []
    assert first != second


def test_snoozed_reminders_come_when_asked_and_the_escalation_in_its_time(world: World) -> None:
    world.given("cut_in")
    world.forward(hours=23)

    world.say("li", "明天再通知我")
    held = world.to("li", "note_text")[0]
    world.forward(hours=1)
    world.tick(loops.advance_one)
    world.deliver()

    until = datetime(2026, 9, 16, 1, 30, tzinfo=UTC)
    assert held.data["until"] == "2026-09-16T01:30:00Z"
    (waiting,) = world.to("li", "reminder_card")
    assert (waiting.state, waiting.not_before) == (Sent.DUE, until)
    world.now = until
    world.deliver()
    assert world.to("li", "reminder_card")[0].state is Sent.SENT
    world.now = NOON + timedelta(hours=72)
    world.tick(loops.advance_one)
    assert len(world.to("hr", "escalation_card")) == 1


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("延后一小时", "2026-09-14T04:00:00Z"),
        ("我在开会，晚点再看", "2026-09-14T05:00:00Z"),
        ("等我开完会再说", "2026-09-14T05:00:00Z"),
        ("今天先不要催我了", "2026-09-15T01:30:00Z"),
        ("这个提醒改到下周一", "2026-09-21T01:30:00Z"),
    ],
)
def test_a_snooze_says_until_when_it_holds(world: World, text: str, until: str) -> None:
    world.press("boss", world.checkin(), "give", "cut_in")
    world.deliver()

    world.say("li", text)

    assert world.to("li", "note_text")[0].data["until"] == until


def test_a_later_snooze_replaces_the_one_before_and_an_answer_ends_it(world: World) -> None:
    world.given("cut_in")
    world.say("li", "半小时后再提醒我")
    world.say("li", "两小时后再提醒我")

    assert len(world.to("li", "reminder_card")) == 1
    world.say("li", "收到")
    assert world.to("li", "reminder_card") == []


def test_a_snooze_without_anything_to_hold_says_so(world: World) -> None:
    assert refused(world, "li", "明天再通知我") is Refusal.NOTHING_TO_HOLD


def test_a_supervisor_who_snoozed_gets_his_daily_card_when_it_is_over(world: World) -> None:
    world.say("boss", "半小时后再提醒我")

    world.tick(feedback.offer_daily_one)
    assert world.to("boss", "checkin_card") == []
    world.forward(minutes=31)
    world.tick(feedback.offer_daily_one)
    assert len(world.to("boss", "checkin_card")) == 1


# ── 代班 ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_while_somebody_stands_in_he_gets_the_escalations_and_may_act_on_them(world: World) -> None:
    world.given("cut_in")

    told = answer_to(world, "hr", "我离岗一周，代理人设为陈静")
    world.forward(hours=73)
    world.tick(loops.advance_one)
    world.deliver()

    assert told.data["what"] == "stood_in"
    assert len(world.to("head", "stand_in_text")) == 1
    assert world.to("hr", "escalation_card") == []
    card = world.to("head", "escalation_card")[0]
    taken = world.press("head", card, "take")
    assert taken is not None
    assert "陈静" in taken.status


def test_a_stand_in_outside_the_chain_may_nudge_take_and_close(world: World) -> None:
    world.given("cut_in")
    world.say("hr", "我离岗一周，代理人设为林涛")
    world.forward(hours=73)
    world.tick(loops.advance_one)
    world.deliver()

    card = world.to("other", "escalation_card")[0]
    world.press("other", card, "nudge")
    world.press("other", card, "take")
    world.forward(days=10)
    world.press("other", card, "close:talked")

    assert record(world).state is State.CLOSED


def test_the_day_after_everything_comes_to_the_one_who_was_away_again(world: World) -> None:
    world.say("hr", "我离岗两天，代理人设为陈静")
    world.given("cut_in")
    world.forward(hours=73)

    world.tick(loops.advance_one)

    assert len(world.to("hr", "escalation_card")) == 1
    assert world.to("head", "escalation_card") == []


def test_coming_back_early_ends_it(world: World) -> None:
    world.say("hr", "我离岗一周，代理人设为陈静")
    assert answer_to(world, "hr", "我回来了").data["what"] == "back"
    world.given("cut_in")
    world.forward(hours=73)

    world.tick(loops.advance_one)

    assert len(world.to("hr", "escalation_card")) == 1


def test_check_ins_of_an_absent_supervisor_go_to_his_stand_in(world: World) -> None:
    world.say("boss", "我离岗一周，代理人设为林涛")

    world.tick(feedback.offer_daily_one)

    assert world.to("boss", "checkin_card") == []
    names = {card.data["subject_name"] for card in world.to("other", "checkin_card")}
    assert len(names) == 2, "one about his own people, one about the absent one's"


@pytest.mark.parametrize(
    ("who", "text", "reason"),
    [
        ("li", "我离岗一周，代理人设为孙悦", Refusal.NOTHING_TO_DELEGATE),
        ("boss", "我离岗一周，代理人设为李雷", Refusal.CANNOT_STAND_IN),
        ("boss", "我离岗一周，代理人设为老张", Refusal.NO_SUCH_NAME),
        ("boss", "李雷那条交由林涛跟进", Refusal.NOT_ONE_ALONE),
    ],
)
def test_what_cannot_be_handed_over_is_said_and_changes_nothing(world: World, who: str, text: str, reason: Refusal) -> None:
    assert refused(world, who, text) is reason
    with world.store.read() as tx:
        assert tx.away.absent(world.now) == {}


# ── 撤回 and 修改 ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_sent_may_be_taken_back_for_ten_minutes_and_not_a_second_longer(world: World) -> None:
    card = world.given("cut_in")
    sent_at = world.to("li", "feedback_card")[0].sent_at
    assert sent_at is not None

    world.now = sent_at + timedelta(minutes=10, seconds=1)
    assert refused(world, "boss", "请撤销我上一条反馈") is Refusal.TOO_LATE
    world.now = sent_at + timedelta(minutes=10)
    done = answer_to(world, "boss", "请撤销我上一条反馈")

    assert done.data["what"] == "withdrawn"
    assert record(world).state is State.WITHDRAWN
    assert "撤回" in changes_of(world, card)[0].status


def test_what_has_not_left_yet_may_be_taken_back_at_any_time_and_never_leaves(world: World) -> None:
    world.press("boss", world.checkin(), "give", "cut_in")
    world.forward(hours=5)

    world.say("boss", "请撤销我上一条反馈")
    world.deliver()

    assert record(world).state is State.WITHDRAWN
    assert world.to("li") == []
    with world.store.read() as tx:
        loop = tx.loops.get(1)
    assert loop is not None
    assert loop.due_at is None


def test_an_answered_feedback_cannot_be_taken_back(world: World) -> None:
    world.given("cut_in")
    world.say("li", "收到")

    assert refused(world, "boss", "请撤销我上一条反馈") is Refusal.ALREADY_ANSWERED
    assert record(world).state is State.ACKNOWLEDGED


def test_of_several_the_one_to_take_back_is_chosen(world: World) -> None:
    first, second = give(world, "李雷", "calm"), give(world, "李雷", "cut_in")

    choice = answer_to(world, "boss", "给李雷的那条作废，我弄错了人")
    world.press("boss", choice, f"choose:{first}")

    assert (record(world, first).state, record(world, second).state) == (State.WITHDRAWN, State.OPEN)


def test_one_named_by_its_subject_is_taken_back_at_once(world: World) -> None:
    first, second = give(world, "李雷"), give(world, "孙悦")

    world.say("boss", "给李雷的那条作废，我弄错了人")

    assert (record(world, first).state, record(world, second).state) == (State.WITHDRAWN, State.OPEN)


def test_taking_back_where_nothing_was_given_says_so(world: World) -> None:
    assert refused(world, "boss", "请撤销我上一条反馈") is Refusal.NOTHING_GIVEN


def test_an_answer_stays(world: World) -> None:
    world.given("cut_in")
    world.say("li", "收到")

    assert refused(world, "li", "我要收回刚才的回复") is Refusal.ANSWER_STAYS
    assert record(world).state is State.ACKNOWLEDGED


def test_new_words_replace_what_they_tell_of_and_the_subjects_card_follows(world: World) -> None:
    card = world.given("cut_in")

    done = answer_to(world, "boss", "李雷那条的影响改成“客户退了两单”")

    assert done.data["what"] == "edited"
    assert record(world).impact == "客户退了两单"
    assert "客户退了两单" in str(changes_of(world, card)[0].lines)
    with world.store.read() as tx:
        before = [(e.reason, e.words) for e in tx.history.of("feedback:1") if e.what == "edited"]
    assert before == [("impact", "客户要求换人接听")]


def test_what_is_to_be_changed_is_asked_for_and_the_next_sentence_says_it(world: World) -> None:
    world.given("cut_in")

    asked = answer_to(world, "boss", "上一条里写得不对，我来改")
    done = answer_to(world, "boss", "客户当场退了两单")

    assert asked.data["what"] == "ask_edit"
    assert done.data["what"] == "edited"
    assert "退了两单" in record(world).impact


def test_what_is_to_be_added_is_added_without_the_words_that_say_so(world: World) -> None:
    world.given("cut_in")
    world.forward(minutes=11)

    world.say("boss", "上一条补充一句：客户第二天又来电")

    with world.store.read() as tx:
        assert [entry.words for entry in tx.history.of("feedback:1") if entry.what == "added"] == ["客户第二天又来电"]


EMPTY_WORDS = "李雷那条的动作改成态度一直不够认真"


def test_new_words_that_say_nothing_are_turned_back_with_the_question_and_change_nothing(world: World) -> None:
    world.given("cut_in")

    said = answer_to(world, "boss", EMPTY_WORDS)

    assert said.card == "emptied_text"
    assert said.data["elements"] == ["action"]
    assert record(world).action == "客户没说完就打断"
    assert answer_to(world, "boss", "李雷那条的动作改成没等客户说完就挂了电话").data["what"] == "edited"
    assert record(world).action == "没等客户说完就挂了电话"


@pytest.mark.parametrize("again", ["就这样", EMPTY_WORDS, "态度一直不够认真"])
def test_who_insists_on_them_has_them_put_behind_what_he_gave(world: World, again: str) -> None:
    card = world.given("cut_in")
    world.say("boss", EMPTY_WORDS)

    said = answer_to(world, "boss", again)

    assert said.data["what"] == "added"
    assert record(world).action == "客户没说完就打断"
    assert "态度一直不够认真" in str(changes_of(world, card)[0].lines)
    assert answer_to(world, "boss", "就这样").card == "help_text", "once"


def test_where_the_policy_forbids_it_nobody_can_insist(store: Store) -> None:
    world = World(store, policy=replace(POLICY, insist=False))
    world.given("cut_in")
    world.say("boss", EMPTY_WORDS)

    world.say("boss", "就这样")

    with world.store.read() as tx:
        assert "added" not in [entry.what for entry in tx.history.of("feedback:1")]
    assert record(world).action == "客户没说完就打断"


def test_what_is_typed_after_being_asked_passes_the_gate_too(world: World) -> None:
    world.given("cut_in")
    world.say("boss", "上一条里写得不对，我来改")

    said = answer_to(world, "boss", "整体表现不够积极主动")

    assert said.card == "emptied_text"
    assert answer_to(world, "boss", "客户当场退了两单").data["what"] == "edited"


def test_an_unsent_card_leaves_with_the_new_words(world: World) -> None:
    world.press("boss", world.checkin(), "give", "cut_in")

    world.say("boss", "李雷那条的影响改成“客户退了两单”")
    world.deliver()

    assert world.to("li", "feedback_card")[0].data["impact"] == "客户退了两单"


def test_after_the_window_words_are_added_and_the_first_ones_stay(world: World) -> None:
    card = world.given("cut_in")
    world.forward(minutes=11)

    done = answer_to(world, "boss", "李雷那条的影响改成“客户退了两单”")

    assert done.data["what"] == "added"
    assert record(world).impact == "客户要求换人接听"
    assert "客户退了两单" in str(changes_of(world, card)[0].lines)


# ── help and what is not there yet ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("who", "name"), [("boss", "李雷"), ("li", ""), ("hr", "")])
def test_help_is_short_and_has_ones_own_people_in_it(world: World, who: str, name: str) -> None:
    told = read(world, answer_to(world, who, "机器人支持哪些命令"))

    assert name in told
    assert len(told.strip().split("\n")) <= 8


@pytest.mark.parametrize(
    ("text", "reason"), [("离豁免还要达标几周", Refusal.NO_EXEMPTIONS_YET), ("本季度客户投诉率", Refusal.NO_METRICS_YET)]
)
def test_what_is_not_there_yet_is_said_honestly(world: World, text: str, reason: Refusal) -> None:
    assert refused(world, "boss", text) is reason


def test_how_a_picture_is_attached_is_told(world: World) -> None:
    assert answer_to(world, "boss", "附上验货照片").data["what"] == "send_picture"


def test_a_choice_is_made_once_and_only_among_what_was_offered(world: World) -> None:
    first, second = give(world, "李雷", "calm"), give(world, "李雷", "cut_in")
    choice = answer_to(world, "boss", "给李雷的那条作废，我弄错了人")

    strange = world.press("boss", choice, "choose:999")
    world.press("boss", choice, f"choose:{first}")
    again = world.press("boss", choice, f"choose:{second}")

    assert strange is not None
    assert strange.status
    assert again is not None
    assert again.status
    assert record(world, second).state is State.OPEN


def test_a_second_choice_shows_what_was_chosen_first(world: World) -> None:
    first, second = give(world, "李雷", "calm"), give(world, "李雷", "cut_in")
    choice = answer_to(world, "boss", "给李雷的那条作废，我弄错了人")
    places = {one["feedback"]: place for place, one in enumerate(choice.data["choices"], 1)}

    world.press("boss", choice, f"choose:{first}")
    again = world.press("boss", choice, f"choose:{second}")

    assert again is not None
    assert again.buttons[0].text == f"第 {places[first]} 条"
