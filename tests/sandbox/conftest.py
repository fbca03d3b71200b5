"""A running sandbox for each test, and bots that are made of the real SDKs."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
import requests
import xmltodict
import yaml
from openapi_schema_validator import OAS31Validator
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from wechatpy.enterprise import WeChatClient
from wechatpy.enterprise.crypto import WeChatCrypto

from sandbox.control.routes import SPECIFICATION
from sandbox.server import Sandbox

HERE = Path(__file__).parent
COMPANY, CARD_SPEC = HERE / "company.yaml", HERE / "card-spec.json"
TEMPLATE = json.loads(CARD_SPEC.read_text())["template_id"]
CORP, AGENT, SECRET, CONTACTS_SECRET = "ww00000000000000a1", 1000002, "wecom-app-secret", "wecom-contacts-secret"
TOKEN, AES_KEY = "sandboxToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CLIENT_ID, CLIENT_SECRET, ROBOT = "dingdemoapp", "demo-app-secret", "dingdemoapp"
Json = dict[str, Any]


@cache
def specification() -> Json:
    found: Json = yaml.safe_load(SPECIFICATION.read_text(encoding="utf-8"))
    return found


@dataclass
class Room:
    """A running sandbox seen from outside. Every answer of the control API is checked against its specification."""

    sandbox: Sandbox
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.sandbox.info.port}"

    def control(self, method: str, path: str, body: object = None, *, status: int = 200, **query: Any) -> Json:
        answer = self.session.request(method, f"{self.base}/sandbox{path}", params=query, json=body, timeout=30)
        assert answer.status_code == status, answer.text
        check_against_specification(method, path, answer)
        found: Json = answer.json()
        return found

    def get(self, path: str, **query: Any) -> Json:
        return self.control("GET", path, **query)

    def put(self, path: str, body: object, *, status: int = 200) -> Json:
        return self.control("PUT", path, body, status=status)

    def post(self, path: str, body: object = None, *, status: int = 200) -> Json:
        return self.control("POST", path, body, status=status)

    def messages(self, person: str, platform: str = "wecom") -> list[Json]:
        found: list[Json] = self.get(f"/chats/private-{platform}-{person}/messages", person=person)["messages"]
        return found

    def last_card(self, person: str, platform: str = "wecom") -> Json:
        cards = [message["card"] for message in self.messages(person, platform) if message["card"]]
        assert cards, "no card in the chat"
        return dict(cards[-1])

    def say(self, person: str, text: str, platform: str = "wecom") -> Json:
        return self.post(f"/chats/private-{platform}-{person}/messages", {"person": person, "text": text})

    def tap(self, card_id: str, person: str, platform: str = "wecom", *, status: int = 200, **action: Any) -> Json:
        return self.post(f"/cards/{card_id}/tap", {"person": person, "platform": platform, **action}, status=status)

    def switch(self, name: str, value: Any) -> None:
        self.put("/settings", {"switches": {name: value}})

    def wecom(self, api: str, body: object = None, *, token: str | None = None, secret: str = SECRET, **query: Any) -> Json:
        token = token if token is not None else self.wecom_token(secret)
        address, query = f"{self.base}/cgi-bin/{api}", {"access_token": token, **query}
        if body is None:
            answer = self.session.get(address, params=query, timeout=20)
        else:
            text = json.dumps(body, ensure_ascii=False).encode()
            answer = self.session.post(address, params=query, data=text, timeout=20)
        assert answer.status_code == 200
        found: Json = answer.json()
        return found

    def wecom_token(self, secret: str = SECRET) -> str:
        answer = self.session.get(f"{self.base}/cgi-bin/gettoken", params={"corpid": CORP, "corpsecret": secret}, timeout=10).json()
        return str(answer["access_token"])

    def send(self, card: Json, *, to: str = "wang.min", **more: Any) -> Json:
        return self.wecom("message/send", {"touser": to, "agentid": AGENT, "msgtype": "template_card", "template_card": card, **more})

    def dingtalk(self, method: str, path: str, body: object = None, *, token: str | None = None, **query: Any) -> requests.Response:
        headers = {"x-acs-dingtalk-access-token": token if token is not None else self.dingtalk_token()}
        return self.session.request(method, f"{self.base}{path}", json=body, params=query, headers=headers, timeout=20)

    def oapi(self, path: str, body: object) -> Json:
        answer = self.session.post(f"{self.base}{path}", params={"access_token": self.dingtalk_token()}, json=body, timeout=20)
        assert answer.status_code == 200
        found: Json = answer.json()
        return found

    def dingtalk_token(self) -> str:
        body = {"appKey": CLIENT_ID, "appSecret": CLIENT_SECRET}
        return str(self.session.post(f"{self.base}/v1.0/oauth2/accessToken", json=body, timeout=10).json()["accessToken"])


def check_against_specification(method: str, path: str, answer: requests.Response) -> None:
    spec = specification()
    route = next(
        known for known in spec["paths"] if re.fullmatch(re.sub(r"\{[^}]+\}", ".+", known), f"/sandbox{path}") and _fits(known, path)
    )
    responses = spec["paths"][route][method.lower()]["responses"]
    response = responses.get(str(answer.status_code)) or pytest.fail(
        f"{method} {route}: {answer.status_code} is not in the specification"
    )
    while "$ref" in response:
        response = spec["components"]["responses"][response["$ref"].rpartition("/")[2]]
    kind = answer.headers["Content-Type"].partition(";")[0]
    assert kind in response["content"], f"{method} {route}: {kind} is not in the specification"
    schema = {**response["content"][kind]["schema"], "components": spec["components"]}
    problems = [f"{error.json_path}: {error.message}" for error in OAS31Validator(schema).iter_errors(answer.json())]
    assert not problems, f"{method} {route}: {problems}"


def _fits(known: str, path: str) -> bool:
    return known.count("/") == f"/sandbox{path}".count("/")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    sandbox = Sandbox(0, tmp_path / "state", COMPANY, CARD_SPEC, None)
    found = Room(sandbox)
    yield found
    found.session.close()
    sandbox.stop()


Handler = Callable[[str, str, dict[str, str], bytes], tuple[int, bytes]]


@dataclass
class Listener:
    """An HTTP server for callbacks: keeps what it heard, answers what `handler` says."""

    handler: Handler = lambda method, path, query, body: (200, b"")
    heard: list[tuple[str, str, dict[str, str], bytes, Json]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_address[1]}/callback"

    def start(self) -> None:
        owner = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._serve()

            do_POST = do_PUT = do_GET  # noqa: N815

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                owner.heard.append((self.command, parts.path, query, body, dict(self.headers)))
                status, content = owner.handler(self.command, parts.path, query, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    found.start()
    yield found
    found.stop()


@dataclass
class WecomBot:
    """A WeCom callback receiver made of wechatpy's crypto. `reply` makes the inner XML of a passive reply, or None."""

    listener: Listener
    reply: Callable[[Json], str | None] = lambda event: None
    status: Callable[[Json], int] = lambda event: 200
    events: list[Json] = field(default_factory=list)
    crypto: Any = field(default_factory=lambda: WeChatCrypto(TOKEN, AES_KEY, CORP))

    def handle(self, method: str, _: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        signed = (query["msg_signature"], query["timestamp"], query["nonce"])
        if method == "GET":
            return 200, self.crypto.check_signature(*signed, query["echostr"]).encode()
        event = xmltodict.parse(self.crypto.decrypt_message(body, *signed), force_list=("SelectedItem", "OptionId"))["xml"]
        self.events.append(event)
        answer = self.reply(event)
        return self.status(event), b"" if answer is None else self.crypto.encrypt_message(answer, "nonce1", "1760000001").encode()


@pytest.fixture
def wecom_bot(room: Room, listener: Listener) -> WecomBot:
    bot = WecomBot(listener)
    listener.handler = bot.handle
    room.put("/wecom/callback", {"url": listener.url})
    room.switch("wecom.retry_spacing_seconds", 0.01)
    return bot


class WecomClient(WeChatClient):  # type: ignore[misc]
    """wechatpy's client pointed at the sandbox: two of its addresses are hard-coded."""

    def __init__(self, base: str) -> None:
        self.API_BASE_URL = f"{base}/cgi-bin/"
        super().__init__(CORP, SECRET, auto_retry=False)

    def fetch_access_token(self) -> Json:
        params = {"corpid": self.corp_id, "corpsecret": self.secret}
        return dict(self._fetch_access_token(url=f"{self.API_BASE_URL}gettoken", params=params))


@pytest.fixture
def wechatpy_client(room: Room) -> WecomClient:
    return WecomClient(room.base)


@dataclass
class StreamBot:
    """The real dingtalk-stream client in a process of its own (it reads its endpoint at import)."""

    process: subprocess.Popen[str]
    lines: queue.Queue[Json]

    def next(self, kind: str, seconds: float = 10) -> Json:
        """The next thing of that kind that the client reports."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if line["kind"] == kind:
                return line
        pytest.fail(f"the client reported no {kind}")

    def tell(self, **wish: Any) -> None:
        """Say how taps, messages and events are answered from now on."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()
        self.next("told")


@pytest.fixture
def stream_bot(room: Room) -> Iterator[StreamBot]:
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"}
    environment = {name: value for name, value in os.environ.items() if name not in proxies}
    environment["DINGTALK_OPENAPI_ENDPOINT"] = room.base
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(HERE / "stream_client.py"), CLIENT_ID, CLIENT_SECRET],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    bot = StreamBot(process, queue.Queue())

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            bot.lines.put(json.loads(line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait_for(lambda: room.get("/dingtalk/connections")["connections"], "a stream connection")
    yield bot
    process.kill()
    process.wait()
    reader.join(5)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()


def wait_for(found: Callable[[], Any], what: str, seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"waited for {what} in vain")


# ---- cards that the tests send


def vote(task_id: str | None = "vote-1", **changes: Any) -> Json:
    """A WeCom checkbox card."""
    options = [{"id": "a", "text": "促单", "is_checked": False}, {"id": "b", "text": "安抚", "is_checked": False}]
    card: Json = {
        "card_type": "vote_interaction",
        "task_id": task_id,
        "main_title": {"title": "李雷 · 直播", "desc": "14:23"},
        "checkbox": {"question_key": "q", "mode": 1, "option_list": options},
        "submit_button": {"text": "提交", "key": "give"},
    }
    return card | changes


def buttons(task_id: str = "buttons-1", **changes: Any) -> Json:
    """A WeCom card with two buttons."""
    items = [{"text": "收到", "style": 1, "key": "ack"}, {"text": "有异议", "style": 2, "key": "dispute"}]
    card: Json = {"card_type": "button_interaction", "task_id": task_id, "main_title": {"title": "反馈"}, "button_list": items}
    return card | changes


def form(*, defaults: list[str] | None = None) -> str:
    """The value of a DingTalk form variable with one group of checkboxes."""
    options = [{"value": "a", "text": "促单"}, {"value": "b", "text": "安抚"}]
    group: Json = {"name": "ticks", "label": "做到了", "type": "MULTI_CHECKBOX_GROUP", "required": True, "options": options}
    return json.dumps({"fields": [group | ({"defaultValue": defaults} if defaults else {})]}, ensure_ascii=False)


def form_variables(**changes: str) -> dict[str, str]:
    """The variables of a DingTalk card with checkboxes."""
    known = {"title": "李雷 · 直播", "body": "**14:23**", "form": form(), "form_status": "normal", "form_btn_text": "提交"}
    return {**known, "submit_action": "give:1", **changes}


def button_variables(**changes: str) -> dict[str, str]:
    """The variables of a DingTalk card with two buttons."""
    items = [{"text": "收到", "action": "ack:1", "style": "primary"}, {"text": "有异议", "action": "dispute:1", "style": "danger"}]
    return {"title": "反馈", "body": "话术漏了促单", "buttons": json.dumps(items, ensure_ascii=False), **changes}


def dingtalk_card(track_id: str, variables: dict[str, str], *users: str, **changes: Any) -> Json:
    """The body of createAndDeliver to private chats."""
    body: Json = {
        "cardTemplateId": TEMPLATE,
        "outTrackId": track_id,
        "callbackType": "STREAM",
        "userIdType": 1,
        "cardData": {"cardParamMap": variables},
        "openSpaceId": "dtv1.card//" + ";".join(f"IM_ROBOT.{user}" for user in users or ("0101",)),
        "imRobotOpenSpaceModel": {"supportForward": False, "lastMessageI18n": {"ZH_CN": "一张卡片"}},
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": ROBOT},
    }
    return body | changes


@dataclass
class Wire:
    """A bare websocket to the gateway, for what no SDK would do. Answers pings by itself, everything else as `ack` says."""

    socket: Any
    frames: queue.Queue[Json] = field(default_factory=queue.Queue)
    ack: Callable[[Json], Json | None] = lambda frame: {"code": 200, "message": "OK", "data": json.dumps({"response": None})}

    def listen(self) -> None:
        with suppress(ConnectionClosed):
            for text in self.socket:
                frame = json.loads(text)
                if frame["type"] != "SYSTEM":
                    answer = self.ack(frame)
                    if answer is not None:
                        headers = {"messageId": frame["headers"]["messageId"], "contentType": "application/json"}
                        self.socket.send(json.dumps({"headers": headers, **answer}))
                self.frames.put(frame)

    def next(self, kind: str = "CALLBACK", seconds: float = 5) -> Json:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                frame = self.frames.get(timeout=left)
            except queue.Empty:
                break
            if frame["type"] == kind:
                return frame
        pytest.fail(f"no {kind} frame came")


ALL_TOPICS = [
    {"type": "EVENT", "topic": "*"},
    {"type": "CALLBACK", "topic": "/v1.0/im/bot/messages/get"},
    {"type": "CALLBACK", "topic": "/v1.0/card/instances/callback"},
]


def open_ticket(room: Room, subscriptions: list[Json] | None = None) -> Json:
    body = {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "subscriptions": subscriptions or ALL_TOPICS, "ua": "test/1"}
    answer = room.session.post(f"{room.base}/v1.0/gateway/connections/open", json=body, timeout=5)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@contextmanager
def wire(room: Room, subscriptions: list[Json] | None = None) -> Iterator[Wire]:
    before = len(room.get("/dingtalk/connections")["connections"])
    ticket = open_ticket(room, subscriptions)
    with connect(f"{ticket['endpoint']}?ticket={quote_plus(ticket['ticket'])}", proxy=None) as socket:
        found = Wire(socket)
        listening = threading.Thread(target=found.listen, daemon=True)
        listening.start()
        wait_for(lambda: len(room.get("/dingtalk/connections")["connections"]) > before, "the connection")
        yield found
    listening.join(5)


@pytest.fixture
def bare(room: Room) -> Iterator[Wire]:
    with wire(room) as found:
        yield found
