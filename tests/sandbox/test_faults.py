"""Fault switches on the APIs: what the client sees, and whether the request had effect."""

from __future__ import annotations

import pytest
import requests

from tests.sandbox.conftest import AGENT, ROBOT, Json, Room

SEND = {"touser": "wang.min", "agentid": AGENT, "msgtype": "text", "text": {"content": "hello"}}
OTO = {"robotCode": ROBOT, "userIds": ["0101"], "msgKey": "sampleText", "msgParam": '{"content":"x"}'}
OTO_PATH = "/v1.0/robot/oToMessages/batchSend"


def test_a_fault_happens_as_often_as_it_was_set_and_counts(room: Room) -> None:
    room.put("/faults", {"id": "busy", "target": "wecom:message/send", "fault": "errcode:-1", "times": 2})

    codes = [room.wecom("message/send", SEND)["errcode"] for _ in range(3)]

    assert codes == [-1, -1, 0]
    assert len(room.messages("E001")) == 1
    sends = [entry for entry in room.get("/requests")["requests"] if entry["api"] == "message/send"]
    assert [entry["fault"] for entry in sends] == ["errcode:-1", "errcode:-1", None]


def test_an_expired_token_is_really_gone(room: Room) -> None:
    wecom, dingtalk = room.wecom_token(), room.dingtalk_token()
    room.put(
        "/faults",
        [
            {"target": "wecom:message/send", "fault": "token_expired", "times": 1},
            {"target": f"dingtalk:POST {OTO_PATH}", "fault": "token_expired", "times": 1},
        ],
    )

    assert room.wecom("message/send", SEND, token=wecom)["errcode"] == 42001
    assert room.wecom("message/send", SEND, token=wecom)["errcode"] == 42001
    assert room.wecom_token() != wecom
    assert room.dingtalk("POST", OTO_PATH, OTO, token=dingtalk).json()["code"] == "InvalidAuthentication"
    assert room.dingtalk("POST", OTO_PATH, OTO, token=dingtalk).json()["code"] == "InvalidAuthentication"
    assert room.dingtalk("POST", OTO_PATH, OTO).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("code:Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"),
        ("code:system.busy", 500, "system.busy"),
        ("code:param.userIdNotExist", 400, "param.userIdNotExist"),
        ("over_quota", 403, "Forbidden.AccessDenied.ApiCountLimitForOrg"),
    ],
)
def test_dingtalk_words_its_faults_by_status_and_code(room: Room, fault: str, status: int, code: str) -> None:
    room.put("/faults", {"target": f"dingtalk:POST {OTO_PATH}", "fault": fault})

    answer = room.dingtalk("POST", OTO_PATH, OTO)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_old_api_words_its_faults_by_errcode(room: Room) -> None:
    room.put("/faults", {"target": "dingtalk:POST /topapi/*", "fault": "errcode:90002"})

    assert room.oapi("/topapi/v2/user/get", {"userid": "0101"})["errcode"] == 90002


def test_a_server_error_and_a_ban_page_are_no_json(room: Room) -> None:
    token = room.wecom_token()
    address = f"{room.base}/cgi-bin/message/send"
    room.put("/faults", {"target": "wecom:message/send", "fault": "http_500", "times": 1})
    assert room.session.post(address, params={"access_token": token}, json=SEND, timeout=5).status_code == 500

    room.put("/faults", {"target": "wecom:message/send", "fault": "html_page", "times": 1})

    banned = room.session.post(address, params={"access_token": token}, json=SEND, timeout=5)
    assert (banned.status_code, banned.headers["Content-Type"]) == (200, "text/html")
    assert room.messages("E001") == []


@pytest.mark.parametrize(("fault", "messages"), [("timeout", 0), ("timeout_after_effect", 1)])
def test_a_timeout_may_or_may_not_have_had_effect(room: Room, fault: str, messages: int) -> None:
    token = room.dingtalk_token()
    room.put("/faults", {"target": f"dingtalk:POST {OTO_PATH}", "fault": fault, "seconds": 2, "times": 1})
    headers = {"x-acs-dingtalk-access-token": token}

    with pytest.raises(requests.Timeout):
        requests.post(f"{room.base}{OTO_PATH}", json=OTO, headers=headers, timeout=0.5)

    assert len(room.messages("E001", "dingtalk")) == messages


def test_malformed_json_hides_an_effect_and_a_dropped_answer_none(room: Room) -> None:
    token, address = room.wecom_token(), f"{room.base}/cgi-bin/message/send"
    room.put("/faults", {"target": "wecom:*", "fault": "malformed_json", "times": 1})
    with pytest.raises(ValueError):
        room.session.post(address, params={"access_token": token}, json=SEND, timeout=5).json()
    assert len(room.messages("E001")) == 1

    room.put("/faults", {"target": "wecom:*", "fault": "drop", "times": 1})
    with pytest.raises(requests.RequestException):
        room.session.post(address, params={"access_token": token}, json=SEND, timeout=5)

    assert len(room.messages("E001")) == 1


def test_chance_is_seeded(room: Room) -> None:
    def run() -> list[int]:
        room.put("/faults", [{"target": "wecom:user/get", "fault": "errcode:-1", "probability": 0.5, "seed": 7}])
        return [room.wecom("user/get", userid="wang.min")["errcode"] for _ in range(12)]

    first = run()

    assert set(first) == {0, -1}
    assert run() == first


@pytest.mark.parametrize(
    "fault",
    [
        {"target": "wecom:message/send", "fault": "reorder"},
        {"target": "wecom:callback", "fault": "token_expired"},
        {"target": "feishu:send", "fault": "drop"},
        {"target": "wecom:callback", "fault": "drop", "colour": "red"},
        {"target": "wecom:callback", "fault": "drop", "probability": 2},
    ],
)
def test_a_fault_that_cannot_happen_is_refused(room: Room, fault: Json) -> None:
    assert room.put("/faults", fault, status=400)["code"] in ("bad-fault", "bad-body")
    assert room.get("/faults")["faults"] == []


def test_faults_are_cleared_one_by_one_or_together(room: Room) -> None:
    room.put("/faults", [{"id": name, "target": "wecom:callback", "fault": "drop"} for name in ("a", "b", "c")])

    assert [each["id"] for each in room.control("DELETE", "/faults/b")["faults"]] == ["a", "c"]
    room.control("DELETE", "/faults/b", status=404)
    assert room.control("DELETE", "/faults")["faults"] == []
