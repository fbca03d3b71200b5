"""The core loop on DingTalk, with the real dingtalk-stream client on the bot's side."""

from __future__ import annotations

import json

from tests.sandbox.conftest import Room, StreamBot, button_variables, dingtalk_card, form, form_variables


def test_a_form_is_ticked_submitted_and_closed_by_the_answer(room: Room, stream_bot: StreamBot) -> None:
    created = room.dingtalk("POST", "/v1.0/card/instances/createAndDeliver", dingtalk_card("give-1", form_variables())).json()
    assert created["result"]["deliverResults"][0]["success"]
    closed = {"form": form(defaults=["a"]), "form_status": "disabled", "status": "已提交"}
    options = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
    stream_bot.tell(tap={"cardUpdateOptions": options, "userPrivateData": {"cardParamMap": closed}})

    answer = room.tap("give-1", "E001", "dingtalk", submit=True, ticked=["a"])

    data = stream_bot.next("tap")["data"]
    content = json.loads(data["content"])["cardPrivateData"]
    assert (data["outTrackId"], data["userId"]) == ("give-1", "0101")
    assert content == {"actionIds": ["form"], "params": {"action": "give:1", "form": {"ticks": ["a"]}}}
    assert answer["outcome"]["changed"]
    assert answer["card"]["state_text"] == "已提交"
    assert answer["card"]["submit"]["disabled"]
    assert [option["checked"] for option in answer["card"]["checkboxes"]["options"]] == [True, False]


def test_a_button_sends_the_action_of_its_item(room: Room, stream_bot: StreamBot) -> None:
    room.dingtalk("POST", "/v1.0/card/instances/createAndDeliver", dingtalk_card("fb-1", button_variables()))

    outcome = room.tap("fb-1", "E001", "dingtalk", button="ack:1")["outcome"]

    content = json.loads(stream_bot.next("tap")["data"]["content"])["cardPrivateData"]
    assert content == {"actionIds": ["button"], "params": {"action": "ack:1"}}
    assert (outcome["delivered"], outcome["status"], outcome["changed"]) == (True, 200, False)


def test_a_text_reaches_the_bot_and_the_session_webhook_answers(room: Room, stream_bot: StreamBot) -> None:
    outcome = room.say("E001", "你好", "dingtalk")["outcome"]

    message = stream_bot.next("message")
    assert (outcome["delivered"], message["text"], message["data"]["senderStaffId"]) == (True, "你好", "0101")
    webhook = message["data"]["sessionWebhook"]
    assert room.session.post(webhook, json={"msgtype": "text", "text": {"content": "收到啦"}}, timeout=5).json()["errcode"] == 0
    assert [each["text"] for each in room.messages("E001", "dingtalk")] == ["你好", "收到啦"]


def test_an_answer_after_two_seconds_is_ignored_and_the_tap_has_failed(room: Room, stream_bot: StreamBot) -> None:
    room.dingtalk("POST", "/v1.0/card/instances/createAndDeliver", dingtalk_card("fb-2", button_variables()))
    stream_bot.tell(tap_seconds=2.3, tap={"cardData": {"cardParamMap": {"title": "太晚了"}}})

    outcome = room.tap("fb-2", "E001", "dingtalk", button="ack:1")["outcome"]

    assert (outcome["delivered"], outcome["late"], outcome["status"]) == (False, True, None)
    stream_bot.tell(tap_seconds=0)
    assert room.last_card("E001", "dingtalk")["title"] == "反馈"
