"""The sandbox as a process: it starts, ends within two seconds, and goes on where it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from sandbox.server import Sandbox
from tests.sandbox.conftest import AGENT, CARD_SPEC, COMPANY, Json, Listener, Room, WecomBot, button_variables, dingtalk_card, vote


def start(state: Path, *more: str) -> tuple[subprocess.Popen[str], Json]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state), "--company", str(COMPANY), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(how)
    code = process.wait(2)
    assert process.stdout is not None
    process.stdout.close()
    return code


def test_it_says_its_ports_and_ends_within_two_seconds_although_somebody_waits(tmp_path: Path) -> None:
    process, info = start(tmp_path)
    assert json.loads((tmp_path / "sandbox.json").read_text()) == info
    base = f"http://127.0.0.1:{info['port']}"
    waiting = threading.Thread(target=wait_quietly, args=(f"{base}/sandbox/changes?wait=50",))
    waiting.start()
    time.sleep(0.2)

    assert end(process) == 0
    waiting.join(5)


def wait_quietly(url: str) -> None:
    try:
        requests.get(url, timeout=60)
    except requests.RequestException:
        return


def test_interrupt_ends_it_too(tmp_path: Path) -> None:
    process, _ = start(tmp_path, "--card-spec", str(CARD_SPEC))

    assert end(process, signal.SIGINT) == 0


def test_a_restarted_sandbox_shows_the_same_chats_and_takes_taps_on_old_cards(tmp_path: Path, listener: Listener) -> None:
    first = Sandbox(0, tmp_path, COMPANY, CARD_SPEC, None)
    room, bot = Room(first), WecomBot(listener)
    listener.handler = bot.handle
    room.put("/wecom/callback", {"url": listener.url})
    code = room.send(vote("v-1"))["response_code"]
    room.dingtalk("POST", "/v1.0/card/instances/createAndDeliver", dingtalk_card("c-1", button_variables()))
    room.put("/people/E003", {"position": "组长"})
    room.post("/clock", {"advance_seconds": 3600})
    token, change = room.wecom_token(), room.get("/changes")["latest"]
    before = room.messages("E001") + room.messages("E001", "dingtalk")
    room.session.close()
    first.stop()

    second = Sandbox(0, tmp_path, COMPANY, CARD_SPEC, None)
    room = Room(second)

    assert room.messages("E001") + room.messages("E001", "dingtalk") == before
    assert room.get("/clock")["offset_seconds"] > 3599
    assert room.get("/changes", after=change)["changes"] == []
    assert room.tap("v-1", "E001", submit=True, ticked=["a"])["outcome"]["delivered"]
    assert room.wecom_token() == token
    update = {"userids": ["wang.min"], "agentid": AGENT, "response_code": code, "button": {"replace_name": "好"}}
    assert room.wecom("message/update_template_card", update)["errcode"] == 0
    assert next(person for person in room.get("/people")["people"] if person["key"] == "E003")["position"] == "组长"
    assert room.send(vote("v-2"))["errcode"] == 0
    assert room.messages("E001")[-1]["seq"] > before[-1]["seq"]
    room.session.close()
    second.stop()
