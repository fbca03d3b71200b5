"""What people type to the bot, and what it takes from it."""

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.commands import baseline, load, measure, slot_f1
from bench.train_commands import PHRASES, SEEN, Example, Grammar, train
from reading.command_words import mark, normalise
from reading.commands import Command, Intent, decide, is_no_report, read

FRESH = Path(__file__).with_name("fresh_commands.jsonl")
OWN = Path(__file__).with_name("own_commands.jsonl")


def values(command: Command) -> list[str]:
    return [part for value in command.slots.values() for part in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("给小方写条反馈", Intent.give_feedback),
        ("小方那条补一句：客户当时也在", Intent.edit),
        ("给小方再补一条反馈", Intent.give_feedback),
        ("我不认同这条反馈", Intent.reply_feedback),
        ("怎么回复反馈", Intent.help),
        ("我的周报", Intent.my_week),
        ("我们组的周报", Intent.team_week),
        ("还有谁没回复", Intent.pending),
        ("还有谁逾期没回复", Intent.escalation_list),
        ("周五提醒我写反馈", Intent.remind),
        ("周五再提醒我", Intent.snooze),
        ("A-207转给方师傅", Intent.delegate),
        ("A-207作废", Intent.withdraw),
        ("A-207的影响改成“少发两箱”", Intent.edit),
        ("给A-207加张图", Intent.attach_evidence),
        ("为什么我的豁免没了", Intent.exempt_status),
        ("上周的回复率", Intent.metric_query),
    ],
)
def test_neighbouring_intents_are_told_apart(text: str, intent: Intent) -> None:
    assert read(text, "supervisor").intent is intent


@pytest.mark.parametrize(
    "text",
    [
        "提醒大家带伞",
        "请大家撤到一楼",
        "周五聚餐改到周六了",
        "电梯坏了，给物业反馈一下",
        "上周报销的钱到了吗",
        "提醒我下午取快递",
        "系统升级什么时候结束",
        "飞机晚点了",
        "把灯关了",
        "哈哈哈",
        "asdf",
        "？？",
        "",
    ],
)
def test_talk_of_other_things_is_unknown_whatever_words_it_borrows(text: str) -> None:
    assert read(text, "employee") == Command(Intent.unknown)


def test_a_supervisor_who_tells_what_somebody_did_gives_feedback() -> None:
    told = "@小王 昨天下午三点接单没有核对地址，司机白跑二十公里"

    assert read(told, "supervisor").intent is Intent.give_feedback
    assert read(told, "supervisor").targets == ("小王",)
    assert read(told, "employee").intent is Intent.unknown
    assert read("@小王 下午来我办公室一趟", "supervisor").intent is Intent.unknown


@pytest.mark.parametrize("text", ["领导昨天批评了小吴", "小刘你昨天的快递我帮你拿了", "你们周报都用什么模板写的啊"])
def test_talk_between_people_asks_the_bot_for_nothing(text: str) -> None:
    assert read(text, "employee") == Command(Intent.unknown)


def test_a_feedback_without_an_impact_is_begun_so_that_the_impact_can_be_asked_for() -> None:
    assert read("小孙昨天下午三点接单没有核对地址", "supervisor").intent is Intent.give_feedback
    assert read("小孙昨天下午三点接单没有核对地址，司机白跑二十公里", "supervisor").intent is Intent.give_feedback


@pytest.mark.parametrize(
    "text",
    [
        "小何你帮我把昨天的会议纪要打印一份",
        "小何，明天的早会你主持",
        "小何昨天请了半天假",
        "小何上午去总部开会了",
        "要是小何昨天在，客户就不会走",
        "小何你昨天看的那本书叫什么",
        "客户昨天发来一句“再说吧”",
        "如果小何愿意，昨天那事就这么定了",
    ],
)
def test_a_supervisors_talk_that_tells_nothing_for_a_record_begins_none(text: str) -> None:
    assert read(text, "supervisor").intent is Intent.unknown
    assert is_no_report(text)


@pytest.mark.parametrize(
    "text",
    [
        "小何昨天下午验收没带检测报告",
        "昨天小何盘点少点了两箱",
        "小何你昨天送货没拍照签收",
        "小何昨晚把三百条中差评按原因贴了标签",
        "小何昨天请假没交接，下一班多花了两小时",
        "夸夸小何，昨天替客户把地址改过来，省了一次重寄",
    ],
)
def test_what_somebody_did_or_left_undone_begins_a_record_whatever_stands_around_it(text: str) -> None:
    assert read(text, "supervisor").intent is Intent.give_feedback
    assert not is_no_report(text)


@pytest.mark.parametrize(
    ("text", "intent"), [("改一下", Intent.edit), ("怎么用", Intent.help), ("你是谁", Intent.help), ("为什么收不到", Intent.help)]
)
def test_a_bare_command_needs_no_more_words(text: str, intent: Intent) -> None:
    assert read(text, "supervisor").intent is intent


def test_a_wish_after_news_of_a_colleague_is_still_a_command() -> None:
    assert read("小柏住院了，不用催她", "supervisor").intent is Intent.snooze


def test_slots_of_a_delegation_tell_the_taker_from_the_subject() -> None:
    command = read("小石那条反馈，下周起由贾工处理三天", "supervisor")

    assert command.slots == {"targets": ["小石"], "to": "贾工", "time": "下周", "duration": "三天"}


def test_times_and_people_inside_a_feedback_are_content_not_slots() -> None:
    command = read("给小方记一条表扬：昨天下午他帮小石核完了A-12", "supervisor")

    assert command.slots == {"targets": ["小方"]}


def test_the_new_words_of_a_correction_are_content() -> None:
    command = read("昨天给小方那条的日期改成周二", "supervisor")

    assert command.slots == {"targets": ["小方"], "time": "昨天"}


def test_only_the_quantity_of_a_postponement_is_its_duration() -> None:
    assert read("半小时后再提醒我", "supervisor").slots == {"duration": "半小时"}
    assert read("稍后提醒", "supervisor").slots == {}


def test_a_number_is_an_id_only_where_a_record_is_meant() -> None:
    assert read("撤回#318", "supervisor").feedback_id == "318"
    assert read("撤回318号", "supervisor").feedback_id == "318"
    assert read("FB-2031删掉", "supervisor").feedback_id == "FB-2031"


def test_the_72_hours_of_the_rule_are_no_slot() -> None:
    assert read("超过72小时没回的", "hrbp").slots == {}


def test_a_name_of_the_directory_is_known_wherever_it_stands() -> None:
    assert read("欧阳文静本周退货率多少", "hrbp", ["欧阳文静"]).targets == ("欧阳文静",)


def test_full_width_capitals_and_dictation_slips_do_not_matter() -> None:
    assert read("Ａ－１０２作废", "supervisor").feedback_id == "Ａ－１０２"
    assert read("给小方写条反溃", "supervisor").intent is Intent.give_feedback


def test_every_verdict_shows_the_words_it_rests_on() -> None:
    command = read("麻烦把A-207作废", "supervisor")

    assert command.why
    assert command.why in "麻烦把A-207作废"


@given(st.text(), st.sampled_from(["supervisor", "employee", "hrbp", ""]))
def test_any_text_is_answered_and_slots_are_pieces_of_it(text: str, role: str) -> None:
    command = read(text, role)

    assert all(value in text for value in values(command))
    assert command.why in text


TRADE = (
    *("给", "小方", "@阿强", "老李", "的", "那条", "反馈", "撤回", "改成", "提醒", "我", "明天上午", "半小时后", "转给", "王工"),
    *("A-102", "#33", "：", "“好”", "，", "退货率", "多少", "超时", "周报", "截图", "免填", "\n", "🙂", "72小时", "请", "怎么"),
)


@given(st.lists(st.sampled_from(TRADE)).map("".join), st.sampled_from(["supervisor", "employee", "hrbp"]))
def test_words_of_the_trade_in_any_order_are_read_without_error(text: str, role: str) -> None:
    command = read(text, role)

    assert all(value in text for value in values(command))
    assert command.intent is not Intent.unknown or command.slots == {}


@given(st.text())
def test_normalising_keeps_every_position(text: str) -> None:
    assert len(normalise(text)) == len(text)


@given(st.text(alphabet="给小方阿强的那条A-102#3明天下午两小时后：“”，@反馈截图周报率量"))
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    end = 0
    for token in mark(text).tokens:
        assert end <= token.start < token.end <= len(text)
        end = token.end


def test_a_very_long_text_is_read_like_its_beginning() -> None:
    assert read("给小方写条反馈：" + "他昨天盘点漏了三箱，" * 2000, "supervisor").targets == ("小方",)


def test_cases_nothing_was_learned_from_are_read_well_and_far_better_than_by_keywords() -> None:
    cases = load(FRESH)

    figures, _ = measure(cases, read)
    trivial, _ = measure(cases, baseline)

    assert figures.intent_accuracy >= 0.95
    assert figures.slot_f1 >= 0.95
    assert figures.unknown_acted <= 0.02
    assert trivial.intent_accuracy < figures.intent_accuracy - 0.2


def test_our_own_cases_are_well_formed_and_the_fresh_ones_are_not_among_them() -> None:
    rows = [json.loads(line) for path in (OWN, FRESH) for line in path.read_text(encoding="utf-8").splitlines()]

    assert len({row["text"] for row in rows}) == len(rows)
    for row in rows:
        assert Intent(row["intent"])
        parts = [p for value in row["slots"].values() for p in (value if isinstance(value, list) else [value])]
        assert all(part in row["text"] for part in parts)
        assert not (row["intent"] == "unknown" and row["slots"])


def test_training_learns_what_it_is_shown_and_the_same_each_time() -> None:
    shown = [
        *(Example(("“撤回”", "withdraw", "A"), "withdraw", 1) for _ in range(SEEN)),
        *(Example(("“食堂”", "X"), "unknown", 1) for _ in range(SEEN)),
    ]

    learned = train(shown)

    assert decide({"withdraw": (0, 1), "A": (1, 2), "“撤回”": (0, 1)}, learned)[0] is Intent.withdraw
    assert decide({"X": (0, 1)}, learned)[0] is Intent.unknown
    assert learned == train(shown)


def test_every_phrase_of_the_grammar_can_be_drawn() -> None:
    grammar = Grammar(PHRASES.read_text(encoding="utf-8"))

    drawn = list(grammar.draw(random.Random(1)))

    assert {intent for intent, _ in drawn} == set(Intent)
    assert not [text for _, text in drawn if re.search(r"[{}|]", text)]


def test_each_target_counts_by_itself_in_the_slot_figure() -> None:
    wanted = {"targets": ["小方", "小石"], "time": "昨天"}

    assert slot_f1([(wanted, {"targets": ["小方"], "time": "昨天"})]) == 0.8
    assert slot_f1([({}, {})]) == 1.0
