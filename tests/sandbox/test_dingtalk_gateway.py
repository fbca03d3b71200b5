"""The stream gateway on the wire: tickets, subscriptions, ACKs, second pushes, disconnects."""

from __future__ import annotations

import json
import threading
import time

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sandbox.dingtalk import gateway
from tests.sandbox.conftest import CLIENT_ID, Json, Room, StreamBot, Wire, button_variables, dingtalk_card, open_ticket, wait_for, wire


def test_a_ticket_opens_one_connection(room: Room) -> None:
    opened = open_ticket(room)
    address = f"{opened['endpoint']}?ticket={opened['ticket']}"
    assert "?" not in opened["endpoint"]

    with connect(address, proxy=None), pytest.raises(InvalidStatus), connect(address, proxy=None):
        pass


def test_a_ticket_is_good_for_ninety_seconds(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "TICKET_SECONDS", -0.001)
    opened = open_ticket(room)

    with pytest.raises(InvalidStatus), connect(f"{opened['endpoint']}?ticket={opened['ticket']}", proxy=None):
        pass


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"clientSecret": "wrong"}, 401),
        ({"subscriptions": []}, 400),
        ({"subscriptions": [{"type": "EVENT", "topic": "user_add_org"}]}, 400),
        ({"subscriptions": [{"type": "CALLBACK", "topic": "/v1.0/unknown"}]}, 400),
    ],
)
def test_a_wrong_opening_is_refused(room: Room, changes: Json, status: int) -> None:
    body = {"clientId": CLIENT_ID, "clientSecret": "demo-app-secret", "subscriptions": [{"type": "EVENT", "topic": "*"}], "ua": "t"}

    assert room.session.post(f"{room.base}/v1.0/gateway/connections/open", json=body | changes, timeout=5).status_code == status


def test_frames_carry_strings_where_the_page_says_so(room: Room, bare: Wire) -> None:
    room.say("E001", "你好", "dingtalk")

    frame = bare.next()

    assert frame["specVersion"] == "1.0"
    assert frame["headers"]["topic"] == "/v1.0/im/bot/messages/get"
    assert len(frame["headers"]["time"]) == 13
    assert isinstance(frame["headers"]["time"], str)
    assert json.loads(frame["data"])["text"] == {"content": "你好"}


def test_only_what_was_subscribed_is_pushed(room: Room) -> None:
    with wire(room, [{"type": "CALLBACK", "topic": "/v1.0/card/instances/callback"}]):
        outcome = room.say("E001", "你好", "dingtalk")["outcome"]

    assert (outcome["delivered"], outcome["tries"]) == (False, 0)
    assert "subscribed" in outcome["reason"]


def test_each_push_goes_to_one_of_the_connections(room: Room) -> None:
    with wire(room) as first, wire(room) as second:
        for number in range(24):
            room.say("E001", str(number), "dingtalk")

        wait_for(lambda: first.frames.qsize() + second.frames.qsize() == 24, "all messages")

    assert first.frames.qsize() > 0
    assert second.frames.qsize() > 0


def test_group_messages_are_heard_when_they_mention_the_robot(room: Room, bare: Wire) -> None:
    path = "/chats/group-g1/messages"
    assert not room.post(path, {"person": "E001", "text": "不理你"})["outcome"]["delivered"]
    assert room.post(path, {"person": "E001", "text": "促单漏了", "mention_bot": True})["outcome"]["delivered"]
    robotless = room.post("/chats/group-g2/messages", {"person": "E001", "text": "在吗", "mention_bot": True})

    data = json.loads(bare.next()["data"])
    assert (data["conversationType"], data["conversationId"], data["conversationTitle"]) == ("2", "cidGroup+One/==", "客服一组")
    assert data["text"]["content"] == " 促单漏了"
    assert data["isInAtList"]
    assert not robotless["outcome"]["delivered"]


def test_an_event_without_an_ack_or_with_later_is_pushed_again_under_its_id(
    room: Room, bare: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.dingtalk.push.EVENT_SECONDS", 0.1)
    answers = iter([None, {"status": "LATER"}, {"status": "SUCCESS"}])

    def ack(_: Json) -> Json | None:
        status = next(answers)
        return {"code": 200, "message": "", "data": json.dumps(status)} if status else None

    bare.ack = ack
    outcome = room.put("/people/E003", {"position": "组长"})["events"][0]

    frames = [bare.next("EVENT") for _ in range(3)]
    assert not outcome["delivered"]
    assert len({frame["headers"]["eventId"] for frame in frames}) == 1
    assert len({frame["headers"]["messageId"] for frame in frames}) == 3
    data = json.loads(frames[0]["data"])
    assert (frames[0]["headers"]["eventType"], data["userId"], data["diffInfo"]["curr"]["title"]) == (
        "user_modify_org",
        ["0103"],
        "组长",
    )


def test_the_sdk_acknowledges_events_without_status_and_that_is_reported(room: Room, stream_bot: StreamBot) -> None:
    outcome = room.put("/people/E003", {"left": True})["events"][0]

    assert outcome["delivered"]
    assert stream_bot.next("event")["type"] == "user_leave_org"
    assert any("no status" in warning["text"] for warning in room.get("/warnings")["warnings"])


def test_a_robot_message_without_ack_is_pushed_again_only_by_switch(room: Room, bare: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.dingtalk.push.ROBOT_SECONDS", 0.1)
    room.put("/settings", {"switches": {"dingtalk.repush_seconds": 0.1}})
    bare.ack = lambda frame: None
    room.say("E001", "一", "dingtalk")
    bare.next()

    room.switch("dingtalk.repush_robot_messages", True)
    room.say("E001", "二", "dingtalk")

    first, second = bare.next(), bare.next()
    assert first["headers"]["messageId"] != second["headers"]["messageId"]
    assert json.loads(first["data"])["msgId"] == json.loads(second["data"])["msgId"]
    assert json.loads(first["data"])["text"]["content"] == "二"


def test_a_late_ack_stands_in_the_record_and_changes_nothing(room: Room, bare: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.dingtalk.push.CARD_SECONDS", 0.1)
    room.dingtalk("POST", "/v1.0/card/instances/createAndDeliver", dingtalk_card("c-1", button_variables()))

    def ack(_: Json) -> Json:
        time.sleep(0.3)
        return {"code": 200, "message": "", "data": json.dumps({"response": {"cardData": {"cardParamMap": {"title": "zu spät"}}}})}

    bare.ack = ack
    outcome = room.tap("c-1", "E001", "dingtalk", button="ack:1")["outcome"]

    assert outcome["late"]
    wait_for(lambda: "late" in str(room.get("/deliveries")["deliveries"][-1]["note"]), "the late ACK")
    assert room.last_card("E001", "dingtalk")["title"] == "反馈"


def test_after_a_disconnect_frame_nothing_is_pushed_there_any_more(room: Room, bare: Wire) -> None:
    assert room.control("DELETE", "/dingtalk/connections")["ended"] == 1

    assert json.loads(bare.next("SYSTEM")["data"]) == {"reason": "connection is expired"}
    assert [each["state"] for each in room.get("/dingtalk/connections")["connections"]] == ["closing"]
    assert not room.say("E001", "verloren", "dingtalk")["outcome"]["delivered"]


def test_the_sdk_comes_back_after_a_disconnect(room: Room, stream_bot: StreamBot) -> None:
    room.control("DELETE", "/dingtalk/connections")

    wait_for(lambda: any(each["state"] == "open" for each in room.get("/dingtalk/connections")["connections"]), "the new connection")
    assert room.say("E001", "wieder da", "dingtalk")["outcome"]["delivered"]


def test_a_cut_connection_is_gone_without_a_word(room: Room, bare: Wire) -> None:
    room.control("DELETE", "/dingtalk/connections", how="cut")

    wait_for(lambda: not room.get("/dingtalk/connections")["connections"], "the end of the connection")
    assert bare.frames.empty()


def test_over_quota_a_message_arrives_without_its_text(room: Room, stream_bot: StreamBot) -> None:
    room.put("/quotas", {"dingtalk_stream_messages_per_month": 1, "dingtalk_enforce_month": True})

    room.say("E001", "eins", "dingtalk")
    room.say("E001", "zwei", "dingtalk")

    assert stream_bot.next("message")["text"] == "eins"
    second = stream_bot.next("message")["data"]
    assert second["errCode"] == 20001
    assert "text" not in second


def test_duplicates_disconnects_and_delays_can_be_ordered(room: Room, bare: Wire) -> None:
    room.put("/faults", {"target": "dingtalk:stream", "fault": "duplicate_delivery", "times": 1})
    assert room.say("E001", "zweimal", "dingtalk")["outcome"]["tries"] == 2
    assert json.loads(bare.next()["data"])["msgId"] == json.loads(bare.next()["data"])["msgId"]

    room.put("/faults", {"target": "dingtalk:stream", "fault": "delayed_delivery", "seconds": 0.1, "times": 1})
    assert room.say("E001", "später", "dingtalk")["outcome"]["deferred"]
    assert json.loads(bare.next()["data"])["text"]["content"] == "später"

    room.put("/faults", {"target": "dingtalk:stream", "fault": "disconnect", "times": 1})
    assert not room.say("E001", "weg", "dingtalk")["outcome"]["delivered"]
    bare.next("SYSTEM")


@pytest.mark.parametrize(
    "variant", ["missing_fields", "wrong_receiver", "garbage", "unknown_card", "value_instead_of_content", "custom", "empty"]
)
def test_unusual_frames_reach_the_bot_as_they_are(room: Room, bare: Wire, variant: str) -> None:
    outcome = room.post("/events/raw", {"platform": "dingtalk", "variant": variant, "body": "{}"})

    assert (outcome["delivered"], outcome["status"]) == (True, 200)
    data = bare.next()["data"]
    assert isinstance(data, str)
    assert ("value" in data) == (variant == "value_instead_of_content")


def test_an_unknown_event_is_pushed_as_an_event(room: Room, bare: Wire) -> None:
    bare.ack = lambda frame: {"code": 200, "message": "", "data": '{"status":"SUCCESS"}'}

    assert room.post("/events/raw", {"platform": "dingtalk", "variant": "unknown_event"})["delivered"]
    assert bare.next("EVENT")["headers"]["eventType"] == "sandbox_unknown_event"


def test_pings_come_as_often_as_the_switch_says(room: Room, bare: Wire) -> None:
    room.switch("dingtalk.ping_seconds", 0.1)

    frame = bare.next("SYSTEM")

    assert frame["headers"]["topic"] == "ping"
    assert json.loads(frame["data"])["opaque"]


def test_taps_of_many_people_wait_side_by_side(room: Room, bare: Wire) -> None:
    for number in range(6):
        room.dingtalk("POST", "/v1.0/card/instances/createAndDeliver", dingtalk_card(f"c-{number}", button_variables()))
    slow = threading.Event()

    def ack(_: Json) -> Json:
        slow.wait(0.1)
        return {"code": 200, "message": "", "data": "{}"}

    bare.ack = ack
    outcomes: list[Json] = []
    threads = [
        threading.Thread(target=lambda n=n: outcomes.append(room.tap(f"c-{n}", "E001", "dingtalk", button="ack:1")["outcome"]))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [outcome["delivered"] for outcome in outcomes] == [True] * 6
