from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.dingtalk.signature import card_sign, robot_sign
from bot.dingtalk.webhook import blueprint
from bot.envelope import Seal
from cards import dingtalk as drawing
from cards.layout import Card
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform
from tests.bot.dingtalk.test_decode import callback, message

SECRET, CARD_SECRET = "demo-app-secret", "demo-api-secret"
SEAL = Seal("tok123", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", ("dingdemoapp",))
SIGNED_AT = "1700000000000"
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
DONE = Card("已提交", "已提交", status="已提交 10:32")


class Dispatch:
    """Keeps what it was given; answers a press with a card; breaks when told to."""

    def __init__(self) -> None:
        self.given: list[Event] = []
        self.broken = False
        self.now = NOW

    def __call__(self, event: Event, raw: str) -> Card | None:
        if self.broken:
            raise RuntimeError("the database is away")
        json.loads(raw)
        self.given.append(event)
        return DONE if isinstance(event, CardAction) else None


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


@pytest.fixture
def client(dispatch: Dispatch) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(blueprint(dispatch, lambda: dispatch.now, client_secret=SECRET, card_secret=CARD_SECRET, seal=SEAL))
    return app.test_client()


def say(client: FlaskClient, body: object, sign: str | None = None) -> TestResponse:
    headers = {"timestamp": SIGNED_AT, "sign": robot_sign(SIGNED_AT, SECRET) if sign is None else sign}
    return client.post("/dingtalk/robot", headers=headers, data=body if isinstance(body, bytes) else json.dumps(body))


def tap(client: FlaskClient, body: object, sign: str | None = None) -> TestResponse:
    signature = card_sign(SIGNED_AT, CARD_SECRET) if sign is None else sign
    headers = {"x-ddpaas-signature-timestamp": SIGNED_AT, "x-ddpaas-signature": signature}
    return client.post("/dingtalk/card", headers=headers, data=json.dumps(body))


def happen(client: FlaskClient, details: dict[str, Any], seal: Seal = SEAL, name: str = "signature") -> TestResponse:
    cipher_text, signature = seal.close(json.dumps(details).encode(), SIGNED_AT, "nonceA")
    query = {name: signature, "timestamp": SIGNED_AT, "nonce": "nonceA"}
    return client.post("/dingtalk/events", query_string=query, json={"encrypt": cipher_text})


def opened(answer: TestResponse) -> bytes:
    sealed = answer.get_json()
    return SEAL.open(sealed["encrypt"], sealed["msg_signature"], sealed["timeStamp"], sealed["nonce"])


def test_a_robot_message_is_handled_and_gets_no_reply(client: FlaskClient, dispatch: Dispatch) -> None:
    answer = say(client, message())

    assert (answer.status_code, answer.get_json()) == (200, {"msgtype": "empty"})
    assert dispatch.given == [ChatMessage("msg:msgDEMO1==", Account(Platform.DINGTALK, "emp007"), "小王今天话术漏了促单")]


def test_the_answer_to_a_press_is_the_card_after_it(client: FlaskClient, dispatch: Dispatch) -> None:
    answer = tap(client, callback({"action": "give"}))

    assert (answer.status_code, answer.get_json()) == (200, drawing.answer(DONE))
    assert isinstance(dispatch.given[0], CardAction)


def test_the_same_delivery_again_is_the_same_event(client: FlaskClient, dispatch: Dispatch) -> None:
    tap(client, callback({"action": "give"}))
    tap(client, callback({"action": "give"}))

    assert dispatch.given[0] == dispatch.given[1]


@pytest.mark.parametrize("name", ["signature", "msg_signature"])
def test_an_event_is_answered_with_a_sealed_success(client: FlaskClient, dispatch: Dispatch, name: str) -> None:
    answer = happen(client, {"EventType": "user_leave_org", "eventId": "ev-1", "userId": ["u1"]}, name=name)

    assert (answer.status_code, opened(answer)) == (200, b"success")
    assert dispatch.given == [MemberChange("event:ev-1", Platform.DINGTALK, ("u1",), left=True)]


def test_the_consoles_check_of_the_address_is_answered_and_is_no_event(client: FlaskClient, dispatch: Dispatch) -> None:
    assert opened(happen(client, {"EventType": "check_url"})) == b"success"
    assert dispatch.given == []


def test_what_is_not_from_dingtalk_is_turned_away(client: FlaskClient, dispatch: Dispatch) -> None:
    stranger = Seal(SEAL.token, SEAL.encoding_aes_key, ("dingother",))

    assert say(client, message(), sign="").status_code == 401
    assert say(client, message(), sign="wrong").status_code == 401
    assert tap(client, callback({}), sign="wrong").status_code == 401
    assert happen(client, {"EventType": "user_add_org"}, stranger).status_code == 401
    assert client.post("/dingtalk/events", json={"encrypt": "AAAA"}).status_code == 401
    assert dispatch.given == []


def test_a_signature_of_yesterday_opens_no_door(client: FlaskClient, dispatch: Dispatch) -> None:
    dispatch.now = NOW + timedelta(days=1)

    assert say(client, message()).status_code == 401
    assert tap(client, callback({})).status_code == 401
    assert dispatch.given == []


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"\xff\xfe", b"[" * 60_000])
def test_what_cannot_be_read_is_a_bad_request(client: FlaskClient, dispatch: Dispatch, body: bytes) -> None:
    assert say(client, body).status_code == 400
    assert client.post("/dingtalk/events", data=body).status_code == 400
    assert dispatch.given == []


def test_an_oversized_body_is_not_read(client: FlaskClient, dispatch: Dispatch) -> None:
    assert say(client, b"x" * (64 * 1024 + 1)).status_code == 413
    assert dispatch.given == []


def test_an_error_while_handling_is_told_to_the_platform(client: FlaskClient, dispatch: Dispatch) -> None:
    dispatch.broken = True

    assert say(client, message()).status_code == 500
    assert tap(client, callback({"action": "give"})).status_code == 500
    assert happen(client, {"EventType": "user_add_org", "userId": ["u"]}).status_code == 500


def test_without_its_secret_a_route_does_not_exist(dispatch: Dispatch) -> None:
    app = Flask(__name__)
    app.register_blueprint(blueprint(dispatch, lambda: NOW, client_secret=SECRET))
    client = app.test_client()

    assert say(client, message()).status_code == 200
    assert tap(client, callback({})).status_code == 404
    assert happen(client, {"EventType": "check_url"}).status_code == 404
