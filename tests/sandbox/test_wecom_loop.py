"""The core loop on WeCom: a card is sent, tapped, and changes; with wechatpy on the bot's side."""

from __future__ import annotations

from tests.sandbox.conftest import AGENT, CORP, Room, WecomBot, WecomClient, buttons, vote


def test_a_checkbox_card_is_ticked_submitted_and_closed(room: Room, wecom_bot: WecomBot, wechatpy_client: WecomClient) -> None:
    sent = wechatpy_client.message.send(AGENT, ["wang.min"], msg={"msgtype": "template_card", "template_card": vote("give-1")})
    shown = room.last_card("E001")
    assert [option["text"] for option in shown["checkboxes"]["options"]] == ["促单", "安抚"]

    outcome = room.tap("give-1", "E001", submit=True, ticked=["a"])["outcome"]

    event = wecom_bot.events[-1]
    assert outcome["delivered"]
    assert (event["Event"], event["EventKey"], event["TaskId"], event["FromUserName"]) == (
        "template_card_event",
        "give",
        "give-1",
        "wang.min",
    )
    assert event["SelectedItems"]["SelectedItem"][0]["OptionIds"]["OptionId"] == ["a"]
    assert event["ResponseCode"] != sent["response_code"]
    done = {"userids": ["wang.min"], "agentid": AGENT, "response_code": event["ResponseCode"], "button": {"replace_name": "已提交"}}
    assert wechatpy_client.post("message/update_template_card", data=done)["invaliduser"] == []
    card = room.last_card("E001")
    assert card["state_text"] == "已提交"
    assert not card["tappable"]
    assert [option["checked"] for option in card["checkboxes"]["options"]] == [True, False]


def test_a_button_card_is_replaced_by_the_answer_to_the_tap(room: Room, wecom_bot: WecomBot) -> None:
    room.send(buttons("fb-1"))
    wecom_bot.reply = lambda event: (
        f"<xml><ToUserName>wang.min</ToUserName><FromUserName>{CORP}</FromUserName><CreateTime>1</CreateTime>"
        "<MsgType>update_template_card</MsgType><TemplateCard><CardType>text_notice</CardType>"
        "<MainTitle><Title>已收到</Title></MainTitle><CardAction><Type>1</Type><Url>http://127.0.0.1/x</Url></CardAction>"
        "</TemplateCard></xml>"
    )

    answer = room.tap("fb-1", "E001", button="ack")

    assert answer["outcome"]["changed"]
    assert answer["card"]["title"] == "已收到"
    assert answer["card"]["buttons"] == []


def test_a_text_reaches_the_bot_and_its_passive_answer_the_chat(room: Room, wecom_bot: WecomBot) -> None:
    wecom_bot.reply = lambda event: (
        f"<xml><ToUserName>wang.min</ToUserName><FromUserName>{CORP}</FromUserName><CreateTime>1</CreateTime>"
        "<MsgType>text</MsgType><Content><![CDATA[收到啦]]></Content></xml>"
    )

    answer = room.say("E001", "你好")

    assert wecom_bot.events[-1]["Content"] == "你好"
    assert answer["outcome"]["reply"]["Content"] == "收到啦"
    assert [message["text"] for message in room.messages("E001")] == ["你好", "收到啦"]
