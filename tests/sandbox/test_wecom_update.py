"""message/update_template_card: codes serve once and for 72 hours; who sees the change."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import AGENT, Json, Room, WecomBot, buttons, vote

GREY = {"button": {"replace_name": "已处理"}}


def update(room: Room, code: str, change: Json = GREY, **to: object) -> Json:
    body = {"agentid": AGENT, "response_code": code, **change, **(to or {"userids": ["wang.min"]})}
    return room.wecom("message/update_template_card", body)


def test_the_code_of_a_send_serves_once(room: Room, wecom_bot: WecomBot) -> None:
    code = room.send(vote())["response_code"]

    assert update(room, code) | {"errmsg": ""} == {"errcode": 0, "errmsg": "", "invaliduser": []}
    assert update(room, code)["errcode"] == 60140
    assert update(room, "invented")["errcode"] == 60140


def test_a_code_lives_for_72_hours_and_a_tap_brings_a_fresh_one(room: Room, wecom_bot: WecomBot) -> None:
    room.post("/clock", {"freeze": True})
    code = room.send(vote("v-1"))["response_code"]
    same = room.send(vote("v-2"))["response_code"]

    room.post("/clock", {"advance_seconds": 72 * 3600})
    assert update(room, same)["errcode"] == 0
    room.post("/clock", {"advance_seconds": 1})
    assert update(room, code)["errcode"] == 60140

    room.tap("v-1", "E001", submit=True, ticked=["b"])
    assert update(room, wecom_bot.events[-1]["ResponseCode"])["errcode"] == 0


def test_userids_without_the_card_come_back_as_a_list_in_lower_case(room: Room, wecom_bot: WecomBot) -> None:
    code = room.send(vote(), to="wang.min|li.lei")["response_code"]

    answer = update(room, code, userids=["Li.Lei", "Zhou.Lan"])

    assert (answer["errcode"], answer["invaliduser"]) == (0, ["zhou.lan"])
    assert room.last_card("E002")["state_text"] == "已处理"
    assert room.last_card("E001")["state_text"] is None


def test_atall_changes_every_copy(room: Room, wecom_bot: WecomBot) -> None:
    code = room.send(buttons(), to="wang.min|li.lei")["response_code"]

    assert update(room, code, atall=1)["errcode"] == 0

    assert [room.last_card(person)["state_text"] for person in ("E001", "E002")] == ["已处理", "已处理"]


def test_a_whole_card_takes_the_place_and_keeps_the_task_id(room: Room, wecom_bot: WecomBot) -> None:
    code = room.send(vote("v-1"))["response_code"]
    card = {name: value for name, value in buttons().items() if name != "task_id"}

    assert update(room, code, {"template_card": card})["errcode"] == 0
    room.tap("v-1", "E001", button="ack")

    event = wecom_bot.events[-1]
    assert (event["TaskId"], event["CardType"], event["EventKey"]) == ("v-1", "button_interaction", "ack")
    assert update(room, event["ResponseCode"])["errcode"] == 0


def test_a_read_only_echo_of_the_choice_cannot_be_tapped(room: Room, wecom_bot: WecomBot) -> None:
    code = room.send(vote("v-1"))["response_code"]
    echo = vote() | {"replace_text": "已提交"}
    echo["checkbox"] = echo["checkbox"] | {"disable": True}
    del echo["task_id"]

    assert update(room, code, {"template_card": echo})["errcode"] == 0

    shown = room.last_card("E001")
    assert (shown["state_text"], shown["submit"], shown["checkboxes"]["disabled"]) == ("已提交", None, True)
    assert room.tap("v-1", "E001", submit=True, ticked=["a"], status=409)["code"] == "not-on-the-card"


@pytest.mark.parametrize(
    ("change", "to", "errcode"),
    [
        (GREY, {"userids": []}, 82001),
        (GREY, {"userids": "wang.min"}, 40031),
        (GREY, {"userids": ["u"] * 1001}, 40032),
        ({}, {"userids": ["wang.min"]}, 40058),
        ({"button": {"replace_name": ""}}, {"userids": ["wang.min"]}, 40058),
        ({"template_card": {"card_type": "vote_interaction"}}, {"userids": ["wang.min"]}, 40063),
    ],
)
def test_a_wrong_update_is_refused_and_leaves_the_code_unused(
    room: Room, wecom_bot: WecomBot, change: Json, to: Json, errcode: int
) -> None:
    code = room.send(vote())["response_code"]

    assert update(room, code, change, **to)["errcode"] == errcode
    assert update(room, code)["errcode"] == 0


def test_a_notice_without_a_button_cannot_be_greyed(room: Room, wecom_bot: WecomBot) -> None:
    menu = {"action_list": [{"text": "不再提醒", "key": "mute"}]}
    card = {"card_type": "text_notice", "task_id": "n", "main_title": {"title": "t"}, "card_action": {"type": 1, "url": "http://x/"}}

    code = room.send({**card, "action_menu": menu})["response_code"]

    assert update(room, code)["errcode"] == 40058
