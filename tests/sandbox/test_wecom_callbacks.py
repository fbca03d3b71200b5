"""Callbacks to the bot: verification, tries, faults, passive replies and what is malformed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException

from tests.sandbox.conftest import AES_KEY, CORP, TOKEN, Json, Listener, Room, WecomBot, buttons, vote, wait_for


def crypto() -> WeChatCrypto:
    return WeChatCrypto(TOKEN, AES_KEY, CORP)


def verifying(change: Callable[[str], bytes]) -> Callable[..., tuple[int, bytes]]:
    def handler(_: str, __: str, query: dict[str, str], ___: bytes) -> tuple[int, bytes]:
        plain = crypto().check_signature(query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])
        return 200, change(plain)

    return handler


def slowly(plain: str) -> bytes:
    time.sleep(1.1)
    return plain.encode()


@pytest.mark.parametrize(
    "change",
    [lambda plain: f"{plain}\n".encode(), lambda plain: f'"{plain}"'.encode(), lambda plain: b"\xef\xbb\xbf" + plain.encode(), slowly],
    ids=["newline", "quotes", "BOM", "more than a second"],
)
def test_a_url_that_does_not_answer_exactly_is_not_kept(room: Room, listener: Listener, change: Callable[[str], bytes]) -> None:
    listener.handler = verifying(change)

    problem = room.put("/wecom/callback", {"url": listener.url}, status=409)

    assert problem["code"] == "url-verification-failed"
    assert room.get("/settings")["wecom"]["callback_url"] is None


def test_a_verified_url_stays_when_a_later_one_fails(room: Room, listener: Listener) -> None:
    listener.handler = verifying(lambda plain: plain.encode())
    room.put("/wecom/callback", {"url": listener.url})

    room.put("/wecom/callback", {"url": "http://127.0.0.1:9/nobody"}, status=409)

    assert room.get("/settings")["wecom"]["callback_url"] == listener.url


def test_a_failed_callback_comes_again_with_the_same_message_under_a_new_signature(room: Room, wecom_bot: WecomBot) -> None:
    wecom_bot.status = lambda event: 200 if len(wecom_bot.events) == 3 else 500

    outcome = room.say("E001", "你好")["outcome"]

    assert (outcome["delivered"], outcome["tries"], outcome["status"]) == (True, 3, 200)
    assert {(event["MsgId"], event["CreateTime"]) for event in wecom_bot.events} == {
        (wecom_bot.events[0]["MsgId"], wecom_bot.events[0]["CreateTime"])
    }
    assert len({heard[2]["nonce"] for heard in wecom_bot.listener.heard[-3:]}) == 3
    assert [entry["try"] for entry in room.get("/deliveries")["deliveries"][-3:]] == [1, 2, 3]


def test_after_three_more_tries_the_message_is_lost(room: Room, wecom_bot: WecomBot) -> None:
    wecom_bot.status = lambda event: 500

    outcome = room.say("E001", "你好")["outcome"]

    assert (outcome["delivered"], outcome["tries"], outcome["status"]) == (False, 4, 500)


def test_without_a_callback_url_nobody_is_told(room: Room) -> None:
    outcome = room.say("E001", "你好")["outcome"]

    assert (outcome["delivered"], outcome["tries"]) == (False, 0)
    assert "callback URL" in outcome["reason"]


def test_a_group_is_never_heard(room: Room, wecom_bot: WecomBot) -> None:
    said = room.post("/chats/group-g3/messages", {"person": "E001", "text": "@三秒 你好", "mention_bot": True})

    assert not said["outcome"]["delivered"]
    assert wecom_bot.events == []


def passive(kind: str, body: str) -> str:
    return f"<xml><ToUserName>wang.min</ToUserName><FromUserName>{CORP}</FromUserName><MsgType>{kind}</MsgType>{body}</xml>"


def test_update_button_greys_the_card_of_the_tapper_only(room: Room, wecom_bot: WecomBot) -> None:
    room.send(vote("v-1"), to="wang.min|li.lei")
    wecom_bot.reply = lambda event: passive("update_button", "<Button><ReplaceName>已提交</ReplaceName></Button>")

    answer = room.tap("v-1", "E001", submit=True, ticked=["a"])

    assert (answer["outcome"]["changed"], answer["card"]["state_text"]) == (True, "已提交")
    assert room.last_card("E002")["state_text"] is None


def test_a_passive_card_against_the_rules_changes_nothing(room: Room, wecom_bot: WecomBot) -> None:
    room.send(buttons("b-1"))
    wecom_bot.reply = lambda event: passive(
        "update_template_card", "<TemplateCard><CardType>vote_interaction</CardType></TemplateCard>"
    )

    answer = room.tap("b-1", "E001", button="ack")

    assert (answer["outcome"]["delivered"], answer["outcome"]["changed"]) == (True, False)
    assert "the card reply was not used" in answer["outcome"]["reason"]
    assert answer["card"]["title"] == "反馈"


def test_a_passive_checkbox_card_with_every_part_arrives_as_the_json_card(room: Room, wecom_bot: WecomBot) -> None:
    room.send(vote("v-1"))
    options = "".join(
        f"<OptionList><Id>{key}</Id><Text>{key}</Text><IsChecked>{tick}</IsChecked></OptionList>"
        for key, tick in (("a", "true"), ("b", "0"))
    )
    wecom_bot.reply = lambda event: passive(
        "update_template_card",
        "<TemplateCard><CardType>vote_interaction</CardType><Source><Desc>三秒</Desc><DescColor>1</DescColor></Source>"
        f"<MainTitle><Title>完成</Title></MainTitle><CheckBox><QuestionKey>q</QuestionKey><Mode>1</Mode><Disable>true</Disable>{options}</CheckBox>"
        "<SubmitButton><Text>提交</Text><Key>k</Key></SubmitButton><ReplaceText>已提交</ReplaceText></TemplateCard>",
    )

    card = room.tap("v-1", "E001", submit=True, ticked=["a"])["card"]

    assert (card["title"], card["state_text"], card["source"]["text"]) == ("完成", "已提交", "三秒")
    assert [option["checked"] for option in card["checkboxes"]["options"]] == [True, False]


def test_a_reply_with_a_wrong_signature_is_not_used(room: Room, wecom_bot: WecomBot) -> None:
    wecom_bot.reply = lambda event: passive("text", "<Content>假的</Content>")
    wecom_bot.crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
    handle = wecom_bot.handle
    wecom_bot.listener.handler = lambda *request: (
        200,
        handle(*request)[1].replace(b"<MsgSignature><![CDATA[", b"<MsgSignature><![CDATA[0"),
    )

    outcome = room.say("E001", "你好")["outcome"]

    assert outcome["delivered"]
    assert "MsgSignature" in outcome["reason"]
    assert [message["text"] for message in room.messages("E001")] == ["你好"]


@pytest.mark.parametrize("body", [b"ok", b"<html>", b"{}", b"<xml><Encrypt>AAAA</Encrypt></xml>"])
def test_an_answer_that_is_no_reply_is_received_but_warned_of(room: Room, wecom_bot: WecomBot, body: bytes) -> None:
    wecom_bot.listener.handler = lambda *_: (200, body)

    outcome = room.say("E001", "你好")["outcome"]

    assert outcome["delivered"]
    assert outcome["reason"]


def test_a_tap_that_the_phone_does_not_show_needs_force(room: Room, wecom_bot: WecomBot) -> None:
    room.send(buttons("b-1"))

    assert room.tap("b-1", "E001", button="invented", status=409)["code"] == "not-on-the-card"
    assert room.tap("b-1", "E002", button="ack", status=409)["code"] == "not-on-the-card"
    assert room.tap("b-1", "E001", submit=True, status=409)["code"] == "not-on-the-card"
    assert room.tap("unknown", "E001", button="ack", status=404)["code"] == "unknown-card"
    assert room.tap("b-1", "E001", button="ack", submit=True, status=400)["code"] == "one-action"
    assert wecom_bot.events == []

    assert room.tap("b-1", "E002", button="ack", force=True)["outcome"]["delivered"]
    assert wecom_bot.events[-1]["FromUserName"] == "Li.Lei"


def test_a_single_choice_takes_exactly_one_tick(room: Room, wecom_bot: WecomBot) -> None:
    card = vote("v-1")
    card["checkbox"] = card["checkbox"] | {"mode": 0}
    room.send(card)

    room.tap("v-1", "E001", submit=True, ticked=["a", "b"], status=409)
    room.tap("v-1", "E001", submit=True, ticked=[], status=409)

    assert room.tap("v-1", "E001", submit=True, ticked=["b"])["outcome"]["delivered"]


def test_a_duplicate_is_the_same_message_twice(room: Room, wecom_bot: WecomBot) -> None:
    room.put("/faults", {"target": "wecom:callback", "fault": "duplicate_delivery", "copies": 3, "times": 1})

    outcome = room.say("E001", "你好")["outcome"]

    assert outcome["tries"] == 3
    assert len({event["MsgId"] for event in wecom_bot.events}) == 1
    assert len(wecom_bot.events) == 3
    assert room.get("/faults")["faults"] == []


def test_a_delayed_and_a_reordered_message_arrive_later(room: Room, wecom_bot: WecomBot) -> None:
    room.put("/faults", [{"target": "wecom:callback", "fault": "reorder", "times": 1}])
    first = room.say("E001", "一")["outcome"]
    room.say("E001", "二")
    wait_for(lambda: len(wecom_bot.events) == 2, "the message that was held back")
    assert first["deferred"]
    assert [event["Content"] for event in wecom_bot.events] == ["二", "一"]

    room.put("/faults", {"target": "wecom:callback", "fault": "delayed_delivery", "seconds": 0.2, "times": 1})
    assert room.say("E001", "三")["outcome"]["deferred"]
    wait_for(lambda: len(wecom_bot.events) == 3, "the delayed message")


def test_a_dropped_message_is_gone(room: Room, wecom_bot: WecomBot) -> None:
    room.put("/faults", {"target": "wecom:callback", "fault": "drop", "times": 1})

    assert not room.say("E001", "一")["outcome"]["delivered"]
    assert room.say("E001", "二")["outcome"]["delivered"]
    assert [event["Content"] for event in wecom_bot.events] == ["二"]


def guarded(bot: WecomBot) -> Callable[..., tuple[int, bytes]]:
    def handler(method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            return bot.handle(method, path, query, body) if method != "PUT" else (405, b"")
        except WeChatException:
            return 401, b""
        except Exception:  # what leaks out of wechatpy for garbage
            return 400, b""

    return handler


@pytest.mark.parametrize(
    ("variant", "status"),
    [("bad_signature", 401), ("wrong_receiver", 401), ("garbage", 400), ("empty", 400), ("malformed_xml", 400), ("bad_padding", 400),
     ("wrong_method", 405), ("oversized", 200), ("unknown_event", 200), ("menu_click", 200), ("subscribe", 200), ("enter_agent", 200),
     ("two_in_one_second", 200)],
)  # fmt: skip
def test_unusual_callbacks_reach_the_bot_as_they_are(room: Room, wecom_bot: WecomBot, variant: str, status: int) -> None:
    wecom_bot.listener.handler = guarded(wecom_bot)

    outcome = room.post("/events/raw", {"platform": "wecom", "variant": variant, "size_bytes": 300_000})

    assert outcome["status"] == status
    assert outcome["delivered"] == (status == 200)


def test_a_replay_is_the_last_callback_byte_for_byte(room: Room, wecom_bot: WecomBot) -> None:
    room.say("E001", "你好")

    room.post("/events/raw", {"platform": "wecom", "variant": "replay"})

    (_, _, query, body, _), (_, _, again, same, _) = wecom_bot.listener.heard[-2:]
    assert (query, body) == (again, same)


def test_a_custom_inner_text_is_signed_and_sealed(room: Room, wecom_bot: WecomBot) -> None:
    room.post("/events/raw", {"platform": "wecom", "variant": "custom", "body": "<xml><MsgType>event</MsgType><Event>x</Event></xml>"})

    assert wecom_bot.events[-1]["Event"] == "x"
    room.post("/events/raw", {"platform": "wecom", "variant": "invented"}, status=400)


def test_a_picture_can_be_fetched_by_its_media_id_and_a_file_never_arrives(room: Room, wecom_bot: WecomBot) -> None:
    picture = b"\xff\xd8\xff" + bytes(40)
    files = {"picture": ("a.jpg", picture, "image/jpeg")}
    address = f"{room.base}/sandbox/chats/private-wecom-E001/messages"

    assert room.session.post(address, data={"person": "E001"}, files=files, timeout=10).json()["outcome"]["delivered"]
    assert not room.session.post(address, data={"person": "E001"}, files={"picture": ("a.txt", b"text")}, timeout=10).json()["outcome"][
        "delivered"
    ]

    event: Json = wecom_bot.events[-1]
    query = {"access_token": room.wecom_token(), "media_id": event["MediaId"]}
    assert event["MsgType"] == "image"
    assert room.session.get(f"{room.base}/cgi-bin/media/get", params=query, timeout=5).content == picture
    assert room.session.get(event["PicUrl"], timeout=5).content == picture


def test_a_change_in_the_company_is_told(room: Room, wecom_bot: WecomBot) -> None:
    room.put("/people/E002", {"department": 2, "supervisor": "E000"})
    moved = wecom_bot.events[-1]
    room.put("/people/E002", {"left": True})
    gone = wecom_bot.events[-1]
    room.put("/people/E009", {"name": "新人", "department": 3, "wecom": {"userid": "xin.ren", "visible": True}})
    came = wecom_bot.events[-1]

    assert (moved["ChangeType"], moved["UserID"], moved["Department"], moved["DirectLeader"]) == (
        "update_user",
        "Li.Lei",
        "2",
        "zhou.lan",
    )
    assert "Name" not in moved
    assert (gone["ChangeType"], gone["UserID"]) == ("delete_user", "Li.Lei")
    assert (came["ChangeType"], came["UserID"], came["Name"]) == ("create_user", "xin.ren", "新人")
    assert room.wecom("user/get", userid="Li.Lei")["errcode"] == 60111
