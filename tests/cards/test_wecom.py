from __future__ import annotations

from cards import wecom
from cards.layout import Button, Card, Check, Line, Style
from tests.cards.legal import check_wecom_message, check_wecom_replacement

SUBMIT = Button("提交", "give")
BOXES = Card("王小明：下午场直播", "卡", checks=(Check("a", "漏了促单", ticked=True), Check("b", "报错库存")), submit=SUBMIT)
BUTTONS = Card("一条反馈", "卡", buttons=(Button("收到", "acknowledged", Style.PRIMARY), Button("详情", url="https://x.example/1")))


def message(card: Card) -> dict[str, object]:
    return wecom.message(card, user_id="wang.xiaoming", agent_id=7, card_id="0af3")


def replaced(card: Card) -> dict[str, object]:
    body = wecom.replacement(card, user_id="wang.xiaoming", agent_id=7, response_code="RC")
    check_wecom_replacement(body)
    drawn: dict[str, object] = body["template_card"]
    return drawn


def test_the_same_card_is_the_same_request_so_that_a_retry_is_recognised() -> None:
    body = message(BOXES)

    assert body == message(BOXES)
    assert body["enable_duplicate_check"] == 1
    assert body["template_card"]["task_id"] == "0af3"  # type: ignore[index]


def test_a_text_is_never_taken_for_the_same_answer_given_before() -> None:
    body = message(Card("提示", "提示", (Line("没有等你回复的反馈。"),)))

    assert body["msgtype"] == "text"
    assert not {"enable_duplicate_check", "duplicate_check_interval"} & body.keys()


def test_an_open_card_replaces_another_as_it_would_be_sent() -> None:
    sent = dict(message(BOXES)["template_card"])  # type: ignore[call-overload]
    sent.pop("task_id")

    assert replaced(BOXES) == sent


def test_closed_boxes_are_disabled_and_keep_what_was_ticked() -> None:
    drawn = replaced(Card(BOXES.title, "卡", checks=BOXES.checks, submit=Button("已提交", "give"), closed=True))

    assert drawn["checkbox"]["disable"] is True  # type: ignore[index]
    assert [option["is_checked"] for option in drawn["checkbox"]["option_list"]] == [True, False]  # type: ignore[index]
    assert drawn["replace_text"] == "已提交"


def test_closed_buttons_become_one_grey_word() -> None:
    drawn = replaced(Card("一条反馈", "卡", buttons=(Button("已改进"),), closed=True))

    assert drawn["replace_text"] == "已改进"


def test_a_plain_card_that_replaces_another_is_legal() -> None:
    drawn = replaced(Card("这张卡过期了，不用再填了，下一次的卡会按时发给你", "卡"))

    assert drawn["card_type"] == "button_interaction"
    assert drawn["replace_text"] == "这张卡过期了，不用…"


def test_a_closed_card_that_is_sent_anew_is_text_because_only_an_update_can_disable_it() -> None:
    body = message(
        Card("一条反馈", "卡", lines=(Line("好", "动作"),), buttons=(Button("已改进"),), status="9月12日 已改进", closed=True)
    )

    assert body["text"] == {"content": "一条反馈\n动作：好\n9月12日 已改进"}


def test_short_facts_are_listed_long_ones_quoted_and_sentences_stand_below_the_title() -> None:
    card = Card("题", "卡", lines=(Line("短", "场景"), Line("长" * 31, "动作"), Line("请回一下")), buttons=BUTTONS.buttons)

    drawn = message(card)["template_card"]

    assert drawn["horizontal_content_list"] == [{"keyname": "场景", "value": "短"}]  # type: ignore[index]
    assert drawn["quote_area"] == {"type": 0, "quote_text": "动作：" + "长" * 31}  # type: ignore[index]
    assert drawn["sub_title_text"] == "请回一下"  # type: ignore[index]


def test_no_fact_is_lost_when_there_are_more_than_six() -> None:
    card = Card("题", "卡", lines=tuple(Line(f"值{n}", f"名{n}") for n in range(8)), buttons=BUTTONS.buttons)

    drawn = message(card)["template_card"]

    assert len(drawn["horizontal_content_list"]) == 6  # type: ignore[index]
    assert drawn["quote_area"]["quote_text"] == "名6：值6\n名7：值7"  # type: ignore[index]


def test_boxes_show_the_status_before_all_else() -> None:
    card = Card("题", "卡", lines=(Line("看到什么勾什么"),), checks=BOXES.checks, submit=SUBMIT, status="还没勾呢")

    assert message(card)["template_card"]["main_title"]["desc"] == "还没勾呢 · 看到什么勾什么"  # type: ignore[index]


def test_a_button_with_a_url_opens_it_and_calls_nobody() -> None:
    link = message(BUTTONS)["template_card"]["button_list"][1]  # type: ignore[index]

    assert link == {"text": "详情", "style": 3, "type": 1, "url": "https://x.example/1"}


def test_what_people_type_does_not_become_a_link() -> None:
    body = message(Card('<A href="http://evil.example">点我</a> 3<a', "卡"))

    check_wecom_message(body)
    assert body["text"] == {"content": '＜A href="http://evil.example">点我＜/a> 3＜a'}


def test_a_group_gets_text() -> None:
    assert wecom.group_text(Card("大家好", "卡"), "chat1") == {
        "chatid": "chat1",
        "msgtype": "text",
        "text": {"content": "大家好"},
        "safe": 0,
    }
