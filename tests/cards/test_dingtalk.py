from __future__ import annotations

import json

from cards import dingtalk
from cards.layout import Button, Card, Check, Line, Style
from cards.text import text
from tests.cards.legal import TEMPLATE, check_dingtalk_message

BOXES = Card("题", "王小明的反馈", checks=(Check("a", "漏了促单", ticked=True), Check("b", "报错库存")), submit=Button("提交", "give"))
BUTTONS = Card(
    "题", "卡", buttons=(Button("收到", "acknowledged", Style.PRIMARY), Button("有异议", "disputed")), lines=(Line("好", "动作"),)
)
PLAIN = Card("题", "卡")


def delivery(card: Card) -> dict[str, object]:
    return dingtalk.delivery(card, user_id="emp007", robot_code="ding1", template_id="t.schema", card_id="0af3")


def test_a_card_goes_to_the_private_chat_and_calls_back_by_stream() -> None:
    body = delivery(BOXES)

    assert body["openSpaceId"] == "dtv1.card//IM_ROBOT.emp007"
    assert body["callbackType"] == "STREAM"
    assert body["outTrackId"] == "0af3"
    assert body["imRobotOpenDeliverModel"] == {"spaceType": "IM_ROBOT", "robotCode": "ding1"}
    assert body["imRobotOpenSpaceModel"]["lastMessageI18n"] == {"ZH_CN": "王小明的反馈"}  # type: ignore[index]


def test_a_change_is_made_by_key_and_names_every_variable() -> None:
    body = dingtalk.update(PLAIN, "0af3")

    assert body["cardUpdateOptions"] == {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
    assert set(body["cardData"]["cardParamMap"]) == {variable["name"] for variable in TEMPLATE["variables"]}
    assert body == {"outTrackId": "0af3", "userIdType": 1, **dingtalk.answer(PLAIN)}


def test_an_answer_is_public_data_so_that_a_later_change_is_seen() -> None:
    assert "userPrivateData" not in dingtalk.answer(BOXES)
    assert "privateData" not in delivery(BOXES)


def test_boxes_are_one_form_field_with_the_ticked_ones_as_default() -> None:
    params = dingtalk.params(BOXES)

    field = json.loads(params["form"])["fields"][0]
    assert (field["name"], field["type"], field["defaultValue"]) == ("ticks", "MULTI_CHECKBOX_GROUP", ["a"])
    assert field["options"] == [{"value": "a", "text": "漏了促单"}, {"value": "b", "text": "报错库存"}]
    assert (params["has_form"], params["form_status"], params["submit_action"]) == ("true", "normal", "give")
    assert (params["has_buttons"], params["buttons"]) == ("false", "[]")


def test_a_closed_form_is_disabled_and_closed_buttons_are_gone() -> None:
    assert dingtalk.params(Card("题", "卡", checks=BOXES.checks, submit=BOXES.submit, closed=True))["form_status"] == "disabled"

    closed = dingtalk.params(Card("题", "卡", buttons=(Button("已改进"),), closed=True))
    assert (closed["has_buttons"], closed["buttons"]) == ("false", "[]")


def test_buttons_carry_text_action_and_style() -> None:
    params = dingtalk.params(BUTTONS)

    assert json.loads(params["buttons"]) == [
        {"text": "收到", "action": "acknowledged", "style": "primary"},
        {"text": "有异议", "action": "disputed", "style": "plain"},
    ]
    assert params["body"] == "**动作** 好"


def test_a_button_that_opens_a_page_is_a_link_in_the_body_and_in_the_text() -> None:
    card = Card("题", "卡", lines=(Line("好", "动作"),), buttons=(Button("看详情", url="https://x.example/1"),))

    params = dingtalk.params(card)

    assert params["body"] == "**动作** 好\n\n[看详情](https://x.example/1)"
    assert params["has_buttons"] == "false"
    assert text(card, 10) == "题\n动作：好\n看详情：https://x.example/1"


def test_what_people_type_stays_text_in_markdown() -> None:
    card = Card(
        "题", "卡", lines=(Line("# [点我](http://evil.example) <a atId=x>甲</a> 3*4*5"), Line("![](http://evil.example/p.png)", "动作"))
    )

    body = dingtalk.params(card)["body"]

    assert body == "＃ ［点我］(http://evil.example) ＜a atId=x>甲＜/a> 3＊4＊5\n\n**动作** !［］(http://evil.example/p.png)"


def test_a_long_line_gives_way_before_a_short_one() -> None:
    card = Card("题", "卡", lines=(Line("长" * 5000, "动作"), Line("少了 3 单", "影响")), buttons=BUTTONS.buttons)

    body = dingtalk.params(card)["body"]

    assert body.endswith("…\n\n**影响** 少了 3 单")
    assert 1000 < len(body.encode()) <= 1024


def test_without_a_template_one_button_opens_the_page() -> None:
    body = dingtalk.action_card(BOXES, "https://x.example/c/1", user_id="emp007", robot_code="ding1")

    check_dingtalk_message(body)
    assert json.loads(body["msgParam"]) == {
        "title": "王小明的反馈",
        "text": "### 题\n\n☐ 漏了促单\n\n☐ 报错库存",
        "singleTitle": "去勾选",
        "singleURL": "https://x.example/c/1",
    }


def test_plain_text_goes_to_one_person_or_into_a_group() -> None:
    assert dingtalk.text(PLAIN, user_id="emp007", robot_code="ding1") == {
        "robotCode": "ding1",
        "userIds": ["emp007"],
        "msgKey": "sampleText",
        "msgParam": '{"content":"题"}',
    }
    assert dingtalk.group_text(PLAIN, chat_id="cid==", robot_code="ding1") == {
        "robotCode": "ding1",
        "openConversationId": "cid==",
        "msgKey": "sampleText",
        "msgParam": '{"content":"题"}',
    }
