"""Interactive cards: variables, spaces, updates, and who is told of a tap."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.dingtalk.sign import card_sign
from tests.sandbox.conftest import (
    ROBOT,
    TEMPLATE,
    Json,
    Listener,
    Room,
    StreamBot,
    Wire,
    button_variables,
    dingtalk_card,
    form,
    form_variables,
)

CREATE, CARD = "/v1.0/card/instances/createAndDeliver", "/v1.0/card/instances"


def create(room: Room, track_id: str = "c-1", variables: dict[str, str] | None = None, *users: str, **changes: Any) -> Json:
    answer = room.dingtalk("POST", CREATE, dingtalk_card(track_id, variables or button_variables(), *users, **changes))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refusal(room: Room, method: str, path: str, body: Json) -> str:
    answer = room.dingtalk(method, path, body)
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"code", "requestid", "message"}
    return str(answer.json()["code"])


def test_success_does_not_mean_delivered(room: Room) -> None:
    result = create(room, "c-1", None, "0101", "nobody", "cidGroup+One/==")["result"]

    assert [(each["spaceId"], each["success"], each["errorMsg"]) for each in result["deliverResults"]] == [
        ("0101", True, ""),
        ("nobody", False, "spaceId is illegal"),
        ("cidGroup+One/==", False, "spaceId is illegal"),
    ]
    assert room.get("/chats", person="E001", platform="dingtalk")["chats"][0]["last_text"] == "一张卡片"


def test_a_second_create_with_the_same_id_is_refused(room: Room) -> None:
    create(room)

    assert refusal(room, "POST", CREATE, dingtalk_card("c-1", button_variables())) == "param.cardAlreadyExist"
    assert len(room.messages("E001", "dingtalk")) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outTrackId": ""}, "param.outTrackIdEmpty"),
        ({"cardTemplateId": ""}, "param.cardTemplateIdEmpty"),
        ({"cardTemplateId": "other.schema"}, "param.templateNotExist"),
        ({"openSpaceId": ""}, "param.openSpaceIdEmpty"),
        ({"openSpaceId": "IM_ROBOT.0101"}, "param.openSpaceIdInvalid"),
        ({"openSpaceId": "dtv1.card//IM_ROBOT.0101;dtv1.card//IM_ROBOT.0102"}, "param.openSpaceIdInvalid"),
        ({"imRobotOpenDeliverModel": None}, "param.openDeliverModelEmpty"),
        ({"imRobotOpenSpaceModel": None}, "param.openSpaceModelInvalid"),
        ({"imRobotOpenSpaceModel": {}}, "param.openSpaceModelInvalid"),
        ({"cardData": None}, "param.cardPublicDataEmpty"),
        ({"userIdType": 3}, "param.invalid"),
        ({"callbackType": "stream"}, "param.invalid"),
        ({"callbackType": "HTTP"}, "param.invalid"),
        ({"privateData": {"nobody": {"cardParamMap": {}}}}, "param.userIdNotExist"),
        ({"privateData": {"0101": {"cardParamMap": {"body": "nicht privat"}}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": 1}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "buttons": [{"text": "a"}]}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "buttons": "{}"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "form": "[]"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "form": '{"fields":[{"name":"x","type":"CHOICE"}]}'}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "has_form": "yes"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "form_status": "closed"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "字" * 342}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"title": "t", "tittle": "x"}}}, "param.invalid"),
        ({"cardData": {"cardParamMap": {"body": "b"}}}, "param.invalid"),
    ],
)
def test_a_wrong_card_has_the_code_of_the_page_and_is_nowhere(room: Room, changes: Json, code: str) -> None:
    body = {name: value for name, value in (dingtalk_card("c-1", button_variables()) | changes).items() if value is not None}

    assert refusal(room, "POST", CREATE, body) == code
    assert room.messages("E001", "dingtalk") == []


def test_unknown_variables_only_warn_when_the_switch_says_so(room: Room) -> None:
    room.switch("dingtalk.unknown_variables", "warn")

    create(room, "c-1", button_variables(tittle="x"))

    assert "no variable tittle" in room.get("/warnings")["warnings"][-1]["text"]


def test_an_update_without_the_option_wipes_everything_else(room: Room) -> None:
    create(room)

    room.dingtalk("PUT", CARD, {"outTrackId": "c-1", "cardData": {"cardParamMap": {"title": "neu"}}})

    card = room.last_card("E001", "dingtalk")
    assert (card["title"], card["body_markdown"], card["buttons"]) == ("neu", None, [])


def test_an_update_by_key_keeps_the_rest_and_reaches_every_copy(room: Room) -> None:
    create(room, "c-1", None, "0101", "0102")

    answer = room.dingtalk(
        "PUT",
        CARD,
        {"outTrackId": "c-1", "cardData": {"cardParamMap": {"status": "完成"}}, "cardUpdateOptions": {"updateCardDataByKey": True}},
    )

    assert answer.json() == {"success": True, "result": True}
    for person in ("E001", "E002"):
        card = room.last_card(person, "dingtalk")
        assert (card["title"], card["state_text"], len(card["buttons"])) == ("反馈", "完成", 2)


def test_private_variables_stand_above_public_ones_for_their_owner_alone(room: Room) -> None:
    private = {"0101": {"cardParamMap": {"status": "给你的"}}}

    create(room, "c-1", button_variables(status="公开"), "0101", "0102", privateData=private)

    assert room.last_card("E001", "dingtalk")["state_text"] == "给你的"
    assert room.last_card("E002", "dingtalk")["state_text"] == "公开"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"outTrackId": "c-1"}, "param.cardDataAndPrivateDataBothEmpty"),
        ({"outTrackId": "c-2", "cardData": {"cardParamMap": {}}}, "param.cardNotExist"),
        ({"cardData": {"cardParamMap": {}}}, "param.outTrackIdEmpty"),
        ({"outTrackId": "c-1", "privateData": {"nobody": {"cardParamMap": {"status": "x"}}}}, "param.userIdNotExist"),
        ({"outTrackId": "c-1", "cardData": {"cardParamMap": {"title": 1}}}, "param.invalid"),
    ],
)
def test_a_wrong_update_changes_nothing(room: Room, body: Json, code: str) -> None:
    create(room)

    assert refusal(room, "PUT", CARD, body) == code
    assert room.last_card("E001", "dingtalk")["title"] == "反馈"


def test_a_card_is_created_first_and_delivered_to_more_places_later(room: Room) -> None:
    whole = dingtalk_card("c-1", button_variables(), imGroupOpenSpaceModel={"supportForward": True})
    created = {name: value for name, value in whole.items() if name not in ("openSpaceId", "imRobotOpenDeliverModel")}
    to_person = {"outTrackId": "c-1", "openSpaceId": whole["openSpaceId"], "imRobotOpenDeliverModel": whole["imRobotOpenDeliverModel"]}
    model = {"robotCode": ROBOT, "recipients": ["0101", "0102"]}
    to_group = {"outTrackId": "c-1", "openSpaceId": "dtv1.card//IM_GROUP.cidGroup+One/==", "imGroupOpenDeliverModel": model}

    assert room.dingtalk("POST", CARD, created).json() == {"success": True, "result": "c-1"}
    assert room.dingtalk("POST", f"{CARD}/deliver", to_person).json()["result"][0]["success"]
    assert room.dingtalk("POST", f"{CARD}/deliver", to_group).json()["result"][0]["success"]

    seen = [len(room.get("/chats/group-g1/messages", person=person)["messages"]) for person in ("E001", "E002", "E003")]
    assert seen == [1, 1, 0]
    without_robot = to_group | {"openSpaceId": "dtv1.card//IM_GROUP.cidGroupTwo=="}
    assert room.dingtalk("POST", f"{CARD}/deliver", without_robot).json()["result"][0]["errorMsg"] == "robot not in the group"
    lower = to_group | {"openSpaceId": "dtv1.card//IM_GROUP.cidgroup+one/=="}
    assert room.dingtalk("POST", f"{CARD}/deliver", lower).json()["result"][0]["errorMsg"] == "spaceId is illegal"


def test_a_card_without_callback_type_tells_nobody(room: Room, bare: Wire) -> None:
    body = dingtalk_card("c-1", button_variables())
    del body["callbackType"]
    room.dingtalk("POST", CREATE, body)

    outcome = room.tap("c-1", "E001", "dingtalk", button="ack:1")["outcome"]

    assert (outcome["delivered"], outcome["tries"]) == (False, 0)
    assert "callbackType" in outcome["reason"]


def test_the_answer_to_a_tap_belongs_to_the_tapper_where_it_is_private(room: Room, bare: Wire) -> None:
    create(room, "c-1", None, "0101", "0102")
    answer = {
        "cardUpdateOptions": {"updateCardDataByKey": True, "updatePrivateDataByKey": True},
        "cardData": {"cardParamMap": {"body": "1/2"}},
        "userPrivateData": {"cardParamMap": {"status": "你已确认"}},
    }
    bare.ack = lambda frame: {"code": 200, "message": "", "data": json.dumps({"response": answer})}

    assert room.tap("c-1", "E001", "dingtalk", button="ack:1")["outcome"]["changed"]

    mine, other = room.last_card("E001", "dingtalk"), room.last_card("E002", "dingtalk")
    assert (mine["state_text"], other["state_text"]) == ("你已确认", None)
    assert (mine["body_markdown"], other["body_markdown"]) == ("1/2", "1/2")


@pytest.mark.parametrize(
    "data",
    [
        {"response": {"cardData": {"cardParamMap": {"title": 5}}}},
        {"response": {"userPrivateData": {"user": {}}}},
        {"response": "OK"},
    ],
)
def test_an_answer_that_breaks_the_rules_is_received_and_not_used(room: Room, bare: Wire, data: Json) -> None:
    create(room)
    bare.ack = lambda frame: {"code": 200, "message": "", "data": json.dumps(data)}

    answer = room.tap("c-1", "E001", "dingtalk", button="ack:1")

    assert (answer["outcome"]["delivered"], answer["outcome"]["changed"]) == (True, False)
    assert answer["outcome"]["reason"]
    assert answer["card"]["title"] == "反馈"


@pytest.mark.parametrize("code", [400, 404, 500])
def test_an_ack_with_another_code_is_a_failed_tap(room: Room, bare: Wire, code: int) -> None:
    create(room)
    bare.ack = lambda frame: {"code": code, "message": "", "data": "{}"}

    outcome = room.tap("c-1", "E001", "dingtalk", button="ack:1")["outcome"]

    assert (outcome["delivered"], outcome["late"], outcome["status"]) == (False, False, code)


def test_a_handler_that_raises_sends_no_ack_and_the_tap_is_late(room: Room, stream_bot: StreamBot) -> None:
    create(room)
    stream_bot.tell(tap_raises=True)

    outcome = room.tap("c-1", "E001", "dingtalk", button="ack:1")["outcome"]

    assert (outcome["delivered"], outcome["late"], outcome["tries"]) == (False, True, 1)


def test_the_phone_checks_the_form_before_it_sends(room: Room, bare: Wire) -> None:
    create(room, "c-1", form_variables())

    assert room.tap("c-1", "E001", "dingtalk", submit=True, ticked=[], status=409)["code"] == "not-on-the-card"
    assert room.tap("c-1", "E001", "dingtalk", submit=True, ticked=["z"], status=409)["code"] == "not-on-the-card"
    assert room.tap("c-1", "E003", "dingtalk", submit=True, ticked=["a"], status=409)["code"] == "not-on-the-card"
    assert bare.frames.empty()

    assert room.tap("c-1", "E003", "dingtalk", submit=True, ticked=[], force=True)["outcome"]["delivered"]
    data = json.loads(bare.next()["data"])
    assert data["userId"] == "0103"
    assert json.loads(data["content"])["cardPrivateData"]["params"]["form"] == {"ticks": []}


def test_other_fields_hidden_values_and_types_come_back_with_the_form(room: Room, bare: Wire) -> None:
    fields: list[Json] = [
        {"name": "loop", "type": "TEXT", "hidden": True, "defaultValue": "L-7"},
        {
            "name": "kind",
            "label": "类型",
            "type": "CHECKBOX_GROUP",
            "options": [{"value": 1, "text": "肯定"}, {"value": 2, "text": "改进"}],
        },
        {"name": "note", "label": "说明", "type": "TEXT_AREA", "required": True, "placeholder": "写一句"},
    ]
    create(room, "c-1", form_variables(form=json.dumps({"fields": fields}, ensure_ascii=False)))

    card = room.last_card("E001", "dingtalk")
    assert (card["checkboxes"]["mode"], [field["name"] for field in card["fields"]]) == ("single", ["note"])
    room.tap("c-1", "E001", "dingtalk", submit=True, ticked=["2"], status=409)
    room.tap("c-1", "E001", "dingtalk", submit=True, ticked=["2"], fields={"note": "好", "loop": "x"}, status=409)
    room.tap("c-1", "E001", "dingtalk", submit=True, ticked=["2"], fields={"note": "好"})

    content = json.loads(json.loads(bare.next()["data"])["content"])
    assert content["cardPrivateData"]["params"]["form"] == {"loop": "L-7", "kind": 2, "note": "好"}


def test_a_card_with_http_callback_is_signed_and_answered_without_wrapper(room: Room, listener: Listener) -> None:
    register = {"callbackRouteKey": "route", "callbackUrl": listener.url, "apiSecret": "demo-api-secret"}
    assert room.dingtalk("POST", "/v1.0/card/callbacks/register", register).json()["result"]["apiSecret"] == "demo-api-secret"
    assert room.dingtalk("POST", "/v1.0/card/callbacks/register", register).json()["code"] == "param.callbackRouteKeyExist"
    create(room, "c-1", None, callbackType="HTTP", callbackRouteKey="route")
    update = {"cardData": {"cardParamMap": {"status": "好"}}, "cardUpdateOptions": {"updateCardDataByKey": True}}
    listener.handler = lambda *_: (200, json.dumps(update).encode())

    answer = room.tap("c-1", "E001", "dingtalk", button="ack:1")

    _, _, _, body, headers = listener.heard[-1]
    timestamp = headers["x-ddpaas-signature-timestamp"]
    assert headers["x-ddpaas-signature"] == card_sign(timestamp, "demo-api-secret")
    assert json.loads(body)["outTrackId"] == "c-1"
    assert (answer["outcome"]["changed"], answer["card"]["state_text"]) == (True, "好")


def test_union_ids_serve_when_the_call_says_so(room: Room, bare: Wire) -> None:
    union = room.oapi("/topapi/v2/user/get", {"userid": "0101"})["result"]["unionid"]

    result = create(room, "c-1", None, union, userIdType=2)["result"]
    room.tap("c-1", "E001", "dingtalk", button="ack:1")

    assert result["deliverResults"][0]["success"]
    assert json.loads(bare.next()["data"])["userId"] == union


def test_the_update_api_during_an_open_callback_is_warned_of(room: Room, bare: Wire) -> None:
    create(room)

    def ack(_: Json) -> Json:
        room.dingtalk("PUT", CARD, {"outTrackId": "c-1", "cardData": {"cardParamMap": button_variables(status="x")}})
        return {"code": 200, "message": "", "data": "{}"}

    bare.ack = ack
    room.tap("c-1", "E001", "dingtalk", button="ack:1")

    assert any("while its callback is open" in warning["text"] for warning in room.get("/warnings")["warnings"])


def test_a_public_template_of_the_sdk_is_shown_without_its_variables_checked(room: Room) -> None:
    body = dingtalk_card("c-1", {"markdown": "**hi**", "title": "t"})

    answer = room.dingtalk("POST", CREATE, body | {"cardTemplateId": "589420e2-c1e2-46ef-a5ed-b8728e654da9.schema"})

    assert answer.json()["success"]
    assert room.last_card("E001", "dingtalk")["body_markdown"] == "**hi**"
    assert room.get("/settings")["dingtalk"]["template_id"] == TEMPLATE


def test_closed_forms_show_what_was_ticked(room: Room) -> None:
    create(room, "c-1", form_variables(form=form(defaults=["b"]), form_status="disabled"))

    card = room.last_card("E001", "dingtalk")

    assert not card["tappable"]
    assert [option["checked"] for option in card["checkboxes"]["options"]] == [False, True]
