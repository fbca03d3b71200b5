from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.wecom.crypto import Keys
from bot.wecom.webhook import blueprint
from rules.events import Account, ChatMessage, Event, Platform
from tests.bot.wecom.test_crypto import BODY, ENCRYPTED, KEYS, MESSAGE, SIGNATURE

SIGNED = {"msg_signature": SIGNATURE, "timestamp": "1760000000", "nonce": "n0nce42"}


class Dispatch:
    """Keeps what it was given; breaks when told to."""

    def __init__(self) -> None:
        self.given: list[tuple[Event, str]] = []
        self.broken = False

    def __call__(self, event: Event, raw: str) -> None:
        if self.broken:
            raise RuntimeError("the database is away")
        self.given.append((event, raw))


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


@pytest.fixture
def client(dispatch: Dispatch) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(blueprint(KEYS, dispatch))
    return app.test_client()


def post(client: FlaskClient, xml: bytes, keys: Keys = KEYS, **changed: str) -> TestResponse:
    cipher_text, signature = keys.seal().close(xml, "1760000000", "n")
    query = {"msg_signature": signature, "timestamp": "1760000000", "nonce": "n", **changed}
    return client.post("/wecom/callback", query_string=query, data=f"<xml><Encrypt><![CDATA[{cipher_text}]]></Encrypt></xml>")


def test_the_console_gets_exactly_the_plain_text(client: FlaskClient) -> None:
    answer = client.get("/wecom/callback", query_string={**SIGNED, "echostr": ENCRYPTED})

    assert (answer.status_code, answer.data) == (200, MESSAGE)


def test_a_message_is_handled_and_answered_with_nothing(client: FlaskClient, dispatch: Dispatch) -> None:
    xml = "<xml><FromUserName>li.si</FromUserName><MsgType>text</MsgType><Content>你好</Content><MsgId>7</MsgId></xml>"

    answer = post(client, xml.encode())

    assert (answer.status_code, answer.data) == (200, b"")
    assert dispatch.given == [(ChatMessage("msg:7", Account(Platform.WECOM, "li.si"), "你好"), xml)]


@pytest.mark.parametrize("query", [{}, {**SIGNED, "nonce": "other"}, {**SIGNED, "msg_signature": SIGNATURE.upper()}])
def test_a_wrong_signature_is_turned_away_and_nothing_is_handled(
    client: FlaskClient, dispatch: Dispatch, query: dict[str, str]
) -> None:
    assert client.post("/wecom/callback", query_string=query, data=BODY).status_code == 401
    assert client.get("/wecom/callback", query_string={**query, "echostr": ENCRYPTED}).status_code == 401
    assert dispatch.given == []


def test_a_message_to_another_enterprise_is_turned_away(client: FlaskClient, dispatch: Dispatch) -> None:
    other = Keys("ww00000000000000b2", KEYS.token, KEYS.encoding_aes_key)

    assert post(client, b"<xml><MsgType>text</MsgType></xml>", other).status_code == 401
    assert dispatch.given == []


@pytest.mark.parametrize("body", [b"", b"hello", b"{}", b"<xml><Encrypt>AAAA"])
def test_a_body_without_envelope_is_a_bad_request(client: FlaskClient, dispatch: Dispatch, body: bytes) -> None:
    assert client.post("/wecom/callback", query_string=SIGNED, data=body).status_code == 400
    assert dispatch.given == []


def test_well_sealed_rubbish_is_a_bad_request(client: FlaskClient, dispatch: Dispatch) -> None:
    assert post(client, b"not xml at all").status_code == 400
    assert dispatch.given == []


def test_an_oversized_body_is_not_read(client: FlaskClient, dispatch: Dispatch) -> None:
    assert client.post("/wecom/callback", query_string=SIGNED, data=b"x" * (64 * 1024 + 1)).status_code == 413
    assert dispatch.given == []


def test_an_error_while_handling_makes_the_platform_send_again(client: FlaskClient, dispatch: Dispatch) -> None:
    dispatch.broken = True

    answer = post(client, b"<xml><FromUserName>li.si</FromUserName><MsgType>text</MsgType><MsgId>7</MsgId></xml>")

    assert answer.status_code == 500
    assert b"database" not in answer.data
