from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from werkzeug.wrappers import Response

from bot.dingtalk.stream import StreamService
from cards import dingtalk as drawing
from cards.layout import Card
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform
from tests.bot.dingtalk.gateway import OPEN, PATIENCE, Gateway, running
from tests.bot.dingtalk.test_decode import callback, message
from tests.bot.server import as_json

ROBOT, CARD = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback"
SECRET = "s3cret-of-the-app"
DONE = Card("已提交", "已提交", status="已提交 10:32")


class Dispatch:
    """Keeps what it was given; answers a press with a card. `before` runs first, and may wait or break."""

    def __init__(self) -> None:
        self.given: queue.Queue[Event] = queue.Queue()
        self.before: Callable[[], object] = lambda: None

    def __call__(self, event: Event, raw: str) -> Card | None:
        self.before()
        json.loads(raw)
        self.given.put(event)
        return DONE if isinstance(event, CardAction) else None


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running() as gateway:
        yield gateway


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


@contextmanager
def service_at(gateway: Gateway, dispatch: Dispatch, silence: float = 150.0) -> Iterator[StreamService]:
    assert gateway.http
    service = StreamService("dingdemoapp", SECRET, dispatch, api_base=gateway.http.url, silence=silence)
    service.start()
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture
def service(gateway: Gateway, dispatch: Dispatch) -> Iterator[StreamService]:
    with service_at(gateway, dispatch) as service:
        gateway.wait_for_connection()
        yield service


def test_it_subscribes_to_messages_presses_and_events(gateway: Gateway, service: StreamService) -> None:
    assert gateway.http

    opened = gateway.http.requests_to(OPEN)[0].json

    assert (opened["clientId"], opened["clientSecret"]) == ("dingdemoapp", SECRET)
    assert {(topic["type"], topic["topic"]) for topic in opened["subscriptions"]} == {
        ("EVENT", "*"),
        ("CALLBACK", ROBOT),
        ("CALLBACK", CARD),
    }
    assert gateway.tickets == ["t+k/="]


@pytest.mark.usefixtures("service")
def test_a_message_is_acknowledged_only_after_it_was_handled(gateway: Gateway, dispatch: Dispatch) -> None:
    go_on = threading.Event()
    dispatch.before = lambda: go_on.wait(PATIENCE)

    gateway.push("CALLBACK", ROBOT, message())
    gateway.push("SYSTEM", "ping", {"opaque": "x"}, message_id="p-1")

    assert gateway.next_ack()["headers"]["messageId"] == "p-1", "the loop is not blocked by a handler"
    assert gateway.acknowledged.empty()
    go_on.set()
    ack = gateway.next_ack()
    assert (ack["code"], ack["headers"]["messageId"], ack["data"]) == (200, "m-1", {"response": None})
    assert dispatch.given.get_nowait() == ChatMessage("msg:msgDEMO1==", Account(Platform.DINGTALK, "emp007"), "小王今天话术漏了促单")


@pytest.mark.usefixtures("service")
def test_the_acknowledgement_of_a_press_carries_the_card_after_it(gateway: Gateway, dispatch: Dispatch) -> None:
    gateway.push("CALLBACK", CARD, callback({"action": "give", "form": {"ticks": ["a"]}}, ["form"]))

    ack = gateway.next_ack()

    assert (ack["code"], ack["data"]) == (200, {"response": drawing.answer(DONE)})
    event = dispatch.given.get_nowait()
    assert isinstance(event, CardAction)
    assert (event.action, event.ticks) == ("give", ("a",))


@pytest.mark.usefixtures("service")
def test_a_press_that_takes_too_long_is_not_called_done(gateway: Gateway, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.dingtalk.stream._PRESS_SECONDS", 0.1)
    go_on = threading.Event()
    dispatch.before = lambda: go_on.wait(PATIENCE)

    gateway.push("CALLBACK", CARD, callback({"action": "give"}))

    assert gateway.next_ack()["code"] == 500
    go_on.set()


@pytest.mark.usefixtures("service")
def test_events_say_success_or_later(gateway: Gateway, dispatch: Dispatch) -> None:
    gateway.push("EVENT", "*", {"userId": ["u1"]}, eventType="user_leave_org", eventId="ev-1", eventBornTime="1")
    first = gateway.next_ack()
    dispatch.before = broken
    gateway.push("EVENT", "*", {"userId": ["u1"]}, eventType="user_leave_org", eventId="ev-1", eventBornTime="1")
    second = gateway.next_ack()

    assert (first["code"], first["data"]["status"], second["data"]["status"]) == (200, "SUCCESS", "LATER")
    assert dispatch.given.get_nowait() == MemberChange("event:ev-1", Platform.DINGTALK, ("u1",), left=True)


def broken() -> None:
    raise RuntimeError("小王 is not in the database")


@pytest.mark.usefixtures("service")
def test_a_failure_is_told_to_the_gateway_and_logged_once_without_what_was_said(
    gateway: Gateway, dispatch: Dispatch, caplog: pytest.LogCaptureFixture
) -> None:
    dispatch.before = broken
    caplog.clear()

    gateway.push("CALLBACK", ROBOT, message())

    assert gateway.next_ack()["code"] == 500
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "event=msg:msgDEMO1==: RuntimeError"
    ]


@pytest.mark.usefixtures("service")
def test_frames_that_make_no_sense_end_nothing(gateway: Gateway, dispatch: Dispatch) -> None:
    for text in ("not json", "[]", "{}", '{"type":"CALLBACK"}', '{"type":"CALLBACK","headers":7}', '{"type":"NEW","headers":{}}'):
        gateway.push_text(text)
    gateway.push("CALLBACK", ROBOT, [1, 2], message_id="m-list")
    gateway.push("CALLBACK", ROBOT, message(), time="yesterday", message_id="m-time")
    gateway.push("CALLBACK", ROBOT, message(), message_id="m-good")

    codes: dict[object, int] = {}
    while "m-good" not in codes:
        ack = gateway.next_ack()
        codes[ack["headers"].get("messageId")] = ack["code"]

    assert (codes["m-list"], codes["m-time"], codes["m-good"]) == (400, 400, 200)
    assert dispatch.given.qsize() == 1


def test_after_a_goodbye_the_next_connection_opens_and_the_old_one_still_acknowledges(
    gateway: Gateway, dispatch: Dispatch, service: StreamService
) -> None:
    go_on = threading.Event()
    dispatch.before = lambda: go_on.wait(PATIENCE)
    old = gateway.connections[-1]
    gateway.push("CALLBACK", ROBOT, message(), message_id="m-before")

    gateway.push("SYSTEM", "disconnect", {"reason": "connection is expired"}, message_id="d-1", to=old)
    new = gateway.wait_for_connection()
    assert gateway.next_ack()["headers"]["messageId"] == "d-1"
    go_on.set()

    assert gateway.next_ack()["headers"]["messageId"] == "m-before"
    gateway.push("CALLBACK", ROBOT, message(), message_id="m-after", to=new)
    assert gateway.next_ack()["headers"]["messageId"] == "m-after"
    assert service.alive()


def test_a_cut_connection_is_opened_again_and_health_hears_of_it(gateway: Gateway, dispatch: Dispatch) -> None:
    assert gateway.http
    changes: queue.Queue[bool] = queue.Queue()
    service = StreamService("dingdemoapp", SECRET, dispatch, api_base=gateway.http.url, on_change=changes.put)
    service.start()
    try:
        gateway.wait_for_connection()
        assert changes.get(timeout=PATIENCE) is True
        gateway.cut()
        assert changes.get(timeout=PATIENCE) is False
        gateway.wait_for_connection()
        assert changes.get(timeout=PATIENCE) is True
        assert service.alive()
    finally:
        service.stop()
    assert changes.get(timeout=PATIENCE) is False
    assert not service.alive()


def test_a_socket_that_used_to_ping_and_fell_silent_is_given_up(gateway: Gateway, dispatch: Dispatch) -> None:
    with service_at(gateway, dispatch, silence=0.2):
        gateway.wait_for_connection()
        gateway.push("SYSTEM", "ping", {"opaque": "x"})

        gateway.wait_for_connection()

    assert len(gateway.connections) >= 2


def test_a_gateway_that_never_pings_is_not_suspected(gateway: Gateway, dispatch: Dispatch) -> None:
    with service_at(gateway, dispatch, silence=0.05):
        gateway.wait_for_connection()
        time.sleep(0.3)
        gateway.push("CALLBACK", ROBOT, message())
        gateway.next_ack()

    assert len(gateway.connections) == 1


@pytest.mark.parametrize(
    "page",
    [
        Response("<html>blocked</html>", content_type="text/html"),
        as_json({}),
        as_json([]),
        as_json({"endpoint": 7, "ticket": None}),
        as_json({"code": "invalidClientIdOrSecret", "message": "no"}, 400),
        as_json({"endpoint": "ws://127.0.0.1:9/connect", "ticket": "t"}),
        as_json({"endpoint": "ftp://127.0.0.1/connect", "ticket": "t"}),
        as_json({"endpoint": "ws://[::1/connect", "ticket": "t"}),
        Response(status=500),
    ],
)
def test_a_gateway_that_gives_no_address_is_asked_again(gateway: Gateway, dispatch: Dispatch, page: Response) -> None:
    assert gateway.http
    pages = iter([page])
    gateway.http.answers[OPEN] = lambda asked: next(pages, None) or gateway.open(asked)

    with service_at(gateway, dispatch):
        gateway.wait_for_connection()


def test_it_stops_while_the_gateway_is_silent_while_handling_and_before_it_began(gateway: Gateway, dispatch: Dispatch) -> None:
    assert gateway.http
    go_on = threading.Event()
    dispatch.before = lambda: go_on.wait(PATIENCE)
    StreamService("dingdemoapp", SECRET, dispatch, api_base=gateway.http.url).stop()

    with service_at(gateway, dispatch) as service:
        gateway.wait_for_connection()
        gateway.push("CALLBACK", ROBOT, message())
    go_on.set()

    assert not service._thread.is_alive()


def test_neither_secret_nor_ticket_nor_words_stand_in_the_log(
    gateway: Gateway, dispatch: Dispatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), service_at(gateway, dispatch):
        gateway.wait_for_connection()
        gateway.push("CALLBACK", ROBOT, message())
        gateway.push("SYSTEM", "ping", {"opaque": "x"})
        gateway.push("CALLBACK", "/v1.0/other", message())
        gateway.next_ack()
        gateway.next_ack()

    lines = [record.getMessage() for record in caplog.records if not record.name.startswith(("websockets.server", "werkzeug"))]
    assert "connected" in lines
    for secret in (SECRET, "t+k/=", "t%2Bk", "小王", "\\u5c0f\\u738b", "emp007"):
        assert all(secret not in line for line in lines)


def test_proxies_of_the_environment_do_not_stand_before_a_local_gateway(
    gateway: Gateway, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "WS_PROXY", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with service_at(gateway, dispatch):
        gateway.wait_for_connection()

    assert gateway.connections
