"""The control API itself: phones, reading, waiting, the clock, the records, wrong requests."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from sandbox.clock import Clock, parse_iso
from sandbox.server import Sandbox
from tests.sandbox.conftest import AGENT, CARD_SPEC, COMPANY, SECRET, Json, Listener, Room, WecomBot, vote

TEXT = {"touser": "wang.min", "agentid": AGENT, "msgtype": "text", "text": {"content": "你好"}}


def test_the_pinned_phones_come_first_and_leavers_have_none(room: Room) -> None:
    phones = [(phone["person"], phone["platform"]) for phone in room.get("/phones")["phones"]]

    assert phones[:3] == [("E001", "dingtalk"), ("E001", "wecom"), ("E000", "wecom")]
    assert ("E005", "wecom") not in phones
    assert len(phones) == len(set(phones)) == 8


def test_unread_messages_are_counted_until_the_chat_is_opened(room: Room) -> None:
    room.wecom("message/send", TEXT)

    before = room.get("/chats", person="E001", platform="wecom")["chats"][0]
    opened = room.post("/chats/private-wecom-E001/open", {"person": "E001"})

    assert (before["unread"], before["last_text"], opened["unread"]) == (1, "你好", 0)
    assert [message["read"] for message in room.messages("E001")] == [True]
    assert {phone["unread"] for phone in room.get("/phones")["phones"]} == {0}


def test_messages_are_ordered_and_read_on_from_a_number(room: Room) -> None:
    for number in range(3):
        room.wecom("message/send", TEXT | {"text": {"content": str(number)}})
    first = room.messages("E001")[0]

    later = room.get("/chats/private-wecom-E001/messages", person="E001", after=first["seq"])["messages"]
    latest = room.get("/chats/private-wecom-E001/messages", person="E001", limit=1)["messages"]

    assert [message["text"] for message in later] == ["1", "2"]
    assert [message["text"] for message in latest] == ["2"]


def test_who_waits_for_a_change_hears_of_it_at_once(room: Room) -> None:
    latest = room.get("/changes")["latest"]
    found: list[Json] = []
    waiting = threading.Thread(target=lambda: found.append(room.get("/changes", after=latest, wait=20)))
    waiting.start()

    room.wecom("message/send", TEXT)
    waiting.join(10)

    assert found[0]["changes"][0] == {"n": latest + 1, "kind": "message", "chat": "private-wecom-E001", "message": "m1"}


def test_who_waits_for_nothing_gets_an_empty_answer(room: Room) -> None:
    latest = room.get("/changes")["latest"]

    assert room.get("/changes", after=latest, wait=0.05) == {"latest": latest, "changes": []}


def test_the_clock_is_moved_set_stopped_and_started(room: Room, tmp_path: Path) -> None:
    moved = room.post("/clock", {"advance_seconds": 3600})
    assert 3599 < moved["offset_seconds"] < 3601
    room.post("/clock", {"set": "2026-09-12T14:23:00+08:00", "freeze": True})

    stopped = room.get("/clock")

    assert (stopped["now"], stopped["frozen"]) == ("2026-09-12T06:23:00.000Z", True)
    kept = json.loads((tmp_path / "state" / "clock.json").read_text())
    assert kept["frozen_at"] == "2026-09-12T06:23:00+00:00"
    assert room.post("/clock", {"advance_seconds": 60})["now"] == "2026-09-12T06:24:00.000Z"
    going = room.post("/clock", {"freeze": False})
    assert going["now"].startswith("2026-09-12T06:24")
    assert json.loads((tmp_path / "state" / "clock.json").read_text())["frozen_at"] is None


@pytest.mark.parametrize(
    "body",
    [{}, {"advance_seconds": 1, "set": "2026-09-12T14:23:00Z"}, {"set": "2026-09-12T14:23:00"}, {"to": "tomorrow"}, {"advance": 1}],
)
def test_a_wrong_move_of_the_clock_is_refused(room: Room, body: Json) -> None:
    room.post("/clock", {"freeze": True})
    before = room.get("/clock")["now"]

    room.post("/clock", body, status=400)

    assert room.get("/clock")["now"] == before


def test_a_clock_continues_where_its_file_says(tmp_path: Path) -> None:
    first = Clock(tmp_path / "clock.json")
    first.set(parse_iso("2030-01-01T00:00:00Z"))
    first.freeze(True)

    assert Clock(tmp_path / "clock.json").now() == first.now()


def test_the_next_due_time_is_the_bots(tmp_path: Path, listener: Listener) -> None:
    sandbox = Sandbox(0, tmp_path, COMPANY, CARD_SPEC, listener.url)
    room, answers = Room(sandbox), iter([b'{"next_due_at": "2030-01-01T00:00:00+00:00"}', b'{"next_due_at": null}', b"oops"])
    listener.handler = lambda *_: (200, next(answers))
    room.post("/clock", {"freeze": True})

    assert room.post("/clock", {"to": "next-due"})["now"] == "2030-01-01T00:00:00.000Z"
    assert room.post("/clock", {"to": "next-due"}, status=409)["code"] == "nothing-due"
    assert room.post("/clock", {"to": "next-due"}, status=502)["code"] == "agenda-unreachable"
    room.session.close()
    sandbox.stop()


def test_the_clock_jumps_to_the_weeks_digests(tmp_path: Path, listener: Listener) -> None:
    sandbox = Sandbox(0, tmp_path, COMPANY, CARD_SPEC, listener.url)
    room, answers = Room(sandbox), iter([b'{"next_due_at": null, "next_digest_at": "2030-01-04T09:00:00+00:00"}', b"{}", b"[]"])
    listener.handler = lambda *_: (200, next(answers))
    room.post("/clock", {"freeze": True})

    assert room.post("/clock", {"to": "next-digest"})["now"] == "2030-01-04T09:00:00.000Z"
    assert room.post("/clock", {"to": "next-digest"}, status=409)["code"] == "nothing-due"
    assert room.post("/clock", {"to": "next-digest"}, status=502)["code"] == "agenda-unreachable"
    room.session.close()
    sandbox.stop()


def test_without_an_agenda_nothing_is_due(room: Room) -> None:
    assert room.post("/clock", {"to": "next-due"}, status=409)["code"] == "no-agenda"
    assert not room.get("/clock")["next_due_available"]


def test_requests_are_kept_with_their_secrets_masked(room: Room) -> None:
    token = room.wecom_token()
    room.wecom("message/send", TEXT, token=token)
    room.dingtalk_token()

    entries = room.get("/requests")["requests"]

    text = json.dumps(entries)
    assert [entry["api"] for entry in entries] == ["gettoken", "message/send", "POST /v1.0/oauth2/accessToken"]
    assert entries[1]["body"] == TEXT
    assert (entries[1]["status"], entries[1]["answer"]["errcode"]) == (200, 0)
    assert token not in text
    assert SECRET not in text
    assert room.get("/requests", after=entries[1]["n"])["requests"] == entries[2:]


def test_the_latest_records_come_when_no_number_is_given(room: Room) -> None:
    for _ in range(3):
        room.wecom_token()

    latest = room.get("/requests", limit=2)["requests"]

    assert [entry["n"] for entry in latest] == [2, 3]
    assert [entry["n"] for entry in room.get("/requests", limit=2, after=0)["requests"]] == [1, 2]


@pytest.mark.parametrize(("origin", "status"), [("http://127.0.0.1:99", 200), ("http://localhost", 200), ("https://evil.example", 403)])
def test_only_pages_of_this_machine_may_ask(room: Room, origin: str, status: int) -> None:
    assert room.session.get(f"{room.base}/sandbox/people", headers={"Origin": origin}, timeout=5).status_code == status


def test_a_page_under_another_name_is_refused(room: Room) -> None:
    answer = room.session.get(f"{room.base}/sandbox/people", headers={"Host": "evil.example:80"}, timeout=5)

    assert (answer.status_code, answer.headers["Content-Type"]) == (421, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/chats?person=E999&platform=wecom", None, 404, "unknown-person"),
        ("GET", "/chats?person=E001&platform=feishu", None, 400, "bad-query"),
        ("GET", "/chats?person=E003&platform=wecom", None, 404, "not-on-this-platform"),
        ("GET", "/chats/private-wecom-E001/messages?person=E002", None, 404, "unknown-chat"),
        ("GET", "/chats/private-wecom-E001/messages?person=E001&after=x", None, 400, "bad-query"),
        ("POST", "/chats/private-wecom-E001/messages", {"person": "E001"}, 400, "text-or-picture"),
        ("POST", "/chats/private-wecom-E001/messages", {"person": "E001", "picture": "no base64!"}, 400, "bad-picture"),
        ("POST", "/chats/private-wecom-E001/messages", {"person": "E001", "txt": "x"}, 400, "bad-body"),
        ("GET", "/changes?wait=99", None, 400, "bad-query"),
        ("GET", "/cards/none?person=E001&platform=wecom", None, 404, "unknown-card"),
        ("PUT", "/people/E010", {"name": "x"}, 400, "bad-person"),
        ("PUT", "/people/E001", {"department": 77}, 400, "bad-person"),
        ("PUT", "/people/E001", {"wecom": {"userid": "LI.LEI"}}, 400, "bad-person"),
        ("PUT", "/settings", {"switches": {"wecom.unknown": True}}, 400, "bad-switch"),
        ("PUT", "/settings", {"switches": {"wecom.ip_is_trusted": 1}}, 400, "bad-switch"),
        ("PUT", "/quotas", {"dingtalk_qps": 0}, 400, "bad-quotas"),
        ("PUT", "/quotas", {"unknown": 1}, 400, "bad-quotas"),
        ("PUT", "/wecom/callback", {"url": "ftp://x"}, 400, "bad-url"),
        ("PUT", "/dingtalk/callback", {"mode": "http"}, 400, "url-missing"),
        ("POST", "/events/raw", {"platform": "wecom", "variant": "garbage"}, 409, "no-callback"),
        ("GET", "/media/none", None, 404, "unknown-media"),
        ("GET", "/nothing", None, 404, "not-found"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(room: Room, method: str, path: str, body: Json | None, status: int, code: str) -> None:
    answer = room.session.request(method, f"{room.base}/sandbox{path}", json=body, timeout=5)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code


def test_a_reset_forgets_all_but_company_and_callback(room: Room, wecom_bot: WecomBot) -> None:
    room.send(vote())
    room.put("/people/E002", {"left": True})
    room.put("/quotas", {"dingtalk_qps": 1})
    room.post("/clock", {"advance_seconds": 86400})

    settings = room.post("/reset")

    assert settings["wecom"]["callback_url"] == wecom_bot.listener.url
    assert room.messages("E001") == []
    assert not next(person for person in room.get("/people")["people"] if person["key"] == "E002")["left"]
    assert room.get("/meters")["quotas"]["dingtalk_qps"] == 20
    assert abs(room.get("/clock")["offset_seconds"]) < 1
    assert room.send(vote())["errcode"] == 0


def test_a_port_in_use_is_an_error_and_not_a_second_sandbox(room: Room, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Sandbox(room.sandbox.info.port, tmp_path / "other", COMPANY, CARD_SPEC, None)


def test_only_the_loopback_address_listens(room: Room) -> None:
    for port in (room.sandbox.info.port, room.sandbox.info.gateway_port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"
        with pytest.raises(OSError), socket.create_connection((own_address(), port), timeout=1):
            pass


def own_address() -> str:
    """An address of this machine that is not loopback; 127.0.0.2 reaches what listens everywhere, too."""
    return "127.0.0.2"
