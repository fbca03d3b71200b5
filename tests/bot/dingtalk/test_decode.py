"""The objects are those of the platform notes, §6, §8.6 and §9."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dingtalk.decode import event_over_http, organisation_event, press, read_object, robot_message
from bot.errors import BadRequest
from rules.events import Account, CardAction, ChatMessage, MemberChange, Platform, UnknownEvent

EMP = Account(Platform.DINGTALK, "emp007")
CARD_ID = "0123456789abcdef0123456789abcdef"


def message(**changed: Any) -> dict[str, Any]:
    whole = {
        "msgtype": "text",
        "msgId": "msgDEMO1==",
        "createAt": 1790000000000,
        "conversationType": "1",
        "conversationId": "cidDEMO1==",
        "senderStaffId": "emp007",
        "senderNick": "Li Lei",
        "senderCorpId": "dingcorpdemo",
        "chatbotCorpId": "dingcorpdemo",
        "robotCode": "dingdemoapp",
        "text": {"content": "小王今天话术漏了促单"},
    }
    return {name: value for name, value in {**whole, **changed}.items() if value is not None}


def callback(params: dict[str, Any], action_ids: list[str] | None = None, name: str = "content", **changed: Any) -> dict[str, Any]:
    content = {"cardPrivateData": {"actionIds": action_ids or ["button"], "params": params}}
    return {
        "type": "actionCallback",
        "outTrackId": CARD_ID,
        "corpId": "dingcorpdemo",
        "userId": "emp007",
        "userIdType": 1,
        "extension": "{}",
        name: json.dumps(content),
        **changed,
    }


def test_a_text_in_private() -> None:
    assert robot_message(message()) == ChatMessage("msg:msgDEMO1==", EMP, "小王今天话术漏了促单")


def test_a_text_in_a_group_begins_with_a_space_where_the_mention_was() -> None:
    event = robot_message(message(conversationType="2", text={"content": " @小王 做得好 "}))

    assert event == ChatMessage("msg:msgDEMO1==", EMP, "@小王 做得好", group="cidDEMO1==")


def test_the_employees_mentioned_are_told_and_the_robot_is_not() -> None:
    listed = [{"dingtalkId": "$:robot"}, {"dingtalkId": "$:wang", "staffId": "emp011"}, {"dingtalkId": "$:guest", "staffId": ""}, "x"]

    event = robot_message(message(conversationType="2", text={"content": " @小王 做得好"}, atUsers=listed))

    assert isinstance(event, ChatMessage)
    assert event.mentions == (Account(Platform.DINGTALK, "emp011"),)


def test_a_picture() -> None:
    content = {"downloadCode": "dc-1", "pictureDownloadCode": "pdc-1"}

    assert robot_message(message(msgtype="picture", text=None, content=content)) == ChatMessage("msg:msgDEMO1==", EMP, "", media="dc-1")


def test_text_and_picture_in_one() -> None:
    parts = [
        {"text": "看 "},
        {"type": "picture", "downloadCode": "dc-1"},
        {"text": "这个\n"},
        {"type": "picture", "downloadCode": "dc-2"},
    ]

    event = robot_message(message(msgtype="richText", text=None, content={"richText": parts}))

    assert event == ChatMessage("msg:msgDEMO1==", EMP, "看 这个", media="dc-1")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"senderStaffId": None}, "sender_outside"),
        ({"senderStaffId": "x" * 129}, "sender_outside"),
        ({"senderCorpId": "dingother"}, "sender_outside"),
        ({"conversationType": "2", "conversationId": "x" * 129}, "group_unnamed"),
        ({"conversationType": "2", "conversationId": None}, "group_unnamed"),
        ({"errCode": 20001, "errMsg": "over quota", "text": None}, "over_quota"),
        ({"errCode": "20001", "senderStaffId": None}, "over_quota"),
        ({"msgtype": "audio", "text": None, "content": {"recognition": "你好"}}, "audio"),
        ({"msgtype": "picture", "text": None, "content": {}}, "picture"),
        ({"msgtype": None}, "untyped"),
        ({"msgtype": "x" * 1000}, "x" * 64),
    ],
)
def test_what_we_do_not_read_is_kept_by_its_kind(changed: dict[str, Any], kind: str) -> None:
    assert robot_message(message(**changed)) == UnknownEvent("msg:msgDEMO1==", Platform.DINGTALK, kind)


def test_a_text_without_its_text_is_an_empty_message() -> None:
    assert robot_message(message(text=None)) == ChatMessage("msg:msgDEMO1==", EMP, "")


def test_what_no_database_stores_is_left_out() -> None:
    assert robot_message(message(text={"content": "a\x00b\ud800c"})) == ChatMessage("msg:msgDEMO1==", EMP, "abc")


def test_a_button_that_was_pressed() -> None:
    event = press(callback({"action": "acknowledged"}), "m-1")

    assert event == CardAction(event.id, EMP, CARD_ID, "acknowledged")


def test_boxes_that_were_submitted() -> None:
    event = press(callback({"action": "give", "form": {"ticks": ["script", "closing"], "note": "当场"}}, ["form"]), "m-1")

    assert event == CardAction(event.id, EMP, CARD_ID, "give", ("script", "closing"), {"note": "当场"})


def test_the_other_spelling_of_a_press() -> None:
    content = {"cardPrivateData": {"actionIds": ["button"]}, "params": {"action": "acknowledged", "n": 3}}

    event = press(callback({}, value=content, content=None), "m-1")

    assert event == CardAction(event.id, EMP, CARD_ID, "acknowledged", fields={"n": "3"})


def test_an_action_id_serves_where_the_template_bound_no_action() -> None:
    event = press(callback({}, ["confirm"]), "m-1")

    assert isinstance(event, CardAction)
    assert event.action == "confirm"


@pytest.mark.parametrize("ticks", [[1, "2", True, None, {"x": 1}], ["1", "2"]])
def test_ticks_may_be_numbers(ticks: list[Any]) -> None:
    event = press(callback({"action": "give", "form": {"ticks": ticks}}), "m-1")

    assert isinstance(event, CardAction)
    assert event.ticks == ("1", "2")


def test_a_press_delivered_again_is_one_event_and_the_next_press_another() -> None:
    pressed = callback({"action": "close"})

    assert press(pressed, "m-1").id == press(dict(reversed(pressed.items())), "m-1").id
    assert press(pressed, "m-1").id != press(pressed, "m-2").id
    assert press(pressed, "m-1").id != press({**pressed, "userId": "emp008"}, "m-1").id


@pytest.mark.parametrize(
    "changed", [{"outTrackId": None}, {"userId": ""}, {"content": "not json"}, {"content": None}, {"content": "[]"}]
)
def test_a_press_that_lacks_something_is_kept(changed: dict[str, Any]) -> None:
    event = press({**callback({"action": "go"}), **changed}, "m-1")

    assert event == UnknownEvent(event.id, Platform.DINGTALK, "incomplete_press")


@pytest.mark.parametrize(
    ("kind", "left"), [("user_add_org", False), ("user_modify_org", False), ("user_active_org", False), ("user_leave_org", True)]
)
def test_people_who_join_change_and_leave(kind: str, left: bool) -> None:
    event = organisation_event(kind, "ev-1", {"timeStamp": "1", "userId": ["u1", "u2"]})

    assert event == MemberChange("event:ev-1", Platform.DINGTALK, ("u1", "u2"), left)


def test_the_same_over_http_with_its_other_spelling() -> None:
    event = event_over_http({"EventType": "user_leave_org", "eventId": "ev-2", "UserId": ["u1"], "CorpId": "dingcorpdemo"})

    assert event == MemberChange("event:ev-2", Platform.DINGTALK, ("u1",), left=True)


def test_other_events_are_kept() -> None:
    assert organisation_event("org_dept_create", "ev-3", {"deptId": [1]}) == UnknownEvent(
        "event:ev-3", Platform.DINGTALK, "org_dept_create"
    )


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"a":' + b"[" * 100_000, "1" * 5000])
def test_what_is_no_object_is_a_bad_request(raw: bytes | str) -> None:
    with pytest.raises(BadRequest):
        read_object(raw)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=()), max_size=20))
NAMES = st.sampled_from(
    [
        "msgtype",
        "msgId",
        "text",
        "content",
        "value",
        "richText",
        "downloadCode",
        "senderStaffId",
        "conversationType",
        "conversationId",
        "outTrackId",
        "userId",
        "cardPrivateData",
        "actionIds",
        "params",
        "action",
        "form",
        "ticks",
        "errCode",
        "type",
        "EventType",
        "atUsers",
        "staffId",
    ]
)
JSON = st.recursive(
    st.one_of(SCALARS, st.sampled_from(["text", "picture", "richText", "2", "emp007"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=6), inner.map(json.dumps)),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, JSON, max_size=12), st.text(st.characters(exclude_categories=())))
def test_any_object_becomes_an_event_that_a_database_can_store(data: dict[str, Any], delivery: str) -> None:
    for event in (robot_message(data), press(data, delivery), event_over_http(data)):
        assert 0 < len(event.id) <= 128
        event.id.encode()
        if isinstance(event, UnknownEvent):
            assert len(event.kind) <= 64
            event.kind.encode()
        if isinstance(event, CardAction):
            json.dumps([event.action, event.ticks, dict(event.fields)], ensure_ascii=False).encode()


@given(st.dictionaries(st.text(st.characters(exclude_categories=())), JSON), st.lists(SCALARS))
def test_any_params_of_a_press_become_what_a_database_can_store(params: dict[str, Any], ticks: list[Any]) -> None:
    event = press(callback({**params, "form": {**params, "ticks": ticks}, "action": "go"}), "m-1")

    assert isinstance(event, CardAction)
    for text in (*event.ticks, *event.fields, *event.fields.values()):
        assert "\x00" not in text
        text.encode()


@given(st.binary(max_size=200))
def test_any_bytes_become_an_object_or_a_bad_request(raw: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert isinstance(read_object(raw), dict)
