"""The stream gateway: tickets, websocket connections, pushes and their ACKs.

Source: [doc stream-mode-protocol]: a ticket lives 90 s for one connection, the endpoint has no query, the server picks one
connection at random for each push; frames and ACKs are JSON texts whose `data` is a string of JSON.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import secrets
import socket
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as HandshakeResponse
from websockets.sync.server import Server, ServerConnection, serve

from sandbox.clock import monotonic, real_now, stamp
from sandbox.store import Doc
from sandbox.world import World

ROBOT_TOPIC, CARD_TOPIC, EVERY_EVENT = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback", "*"
TOPICS = {ROBOT_TOPIC, CARD_TOPIC, "/v1.0/im/bot/messages/delegate", "/v1.0/graph/api/invoke"}
TICKET_SECONDS = 90.0
CLOSING_SECONDS = 10.0
LARGEST_FRAME = 1024 * 1024
MOST_WAITING = 1000


@dataclass(frozen=True)
class Ack:
    """What the client answered. `data` is parsed; None when it was no JSON."""

    code: int
    data: Any
    ms: float


@dataclass
class Connection:
    """One open websocket. No pushes any more once it is `closing`."""

    id: str
    socket: ServerConnection
    subscriptions: set[tuple[str, str]]
    ua: str
    opened_at: str
    closing: bool = False

    def takes(self, kind: str, topic: str) -> bool:
        """Whether it subscribed to that."""
        return not self.closing and (kind, EVERY_EVENT if kind == "EVENT" else topic) in self.subscriptions


@dataclass
class _Waiting:
    """A push whose ACK is awaited."""

    topic: str
    started: float
    arrived: threading.Event = field(default_factory=threading.Event)
    ack: Ack | None = None
    given_up: bool = False


@dataclass(frozen=True)
class _Ticket:
    valid_until: float
    subscriptions: set[tuple[str, str]]
    ua: str


class Gateway:
    """The websocket server and who is connected to it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._tickets: dict[str, _Ticket] = {}
        self._greeted: dict[str, _Ticket] = {}
        self._connections: dict[str, Connection] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._server: Server | None = None
        self.port = 0

    def start(self) -> None:
        """Listen on a free loopback port."""
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        quiet = logging.getLogger("sandbox.gateway")
        quiet.setLevel(logging.CRITICAL)
        self._server = serve(
            self._attend,
            sock=listening,
            process_request=self._greet,
            logger=quiet,
            close_timeout=0.5,
            max_size=LARGEST_FRAME,
            compression=None,
        )
        threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True).start()
        for topic, switch in (("ping", "dingtalk.ping_seconds"), ("KEEPALIVE", "dingtalk.keepalive_seconds")):
            threading.Thread(target=self._beat, args=(topic, switch), name=f"gateway {topic}", daemon=True).start()

    def stop(self) -> None:
        """Drop every connection and stop listening."""
        self.disconnect("cut")
        if self._server is not None:
            self._server.shutdown()

    def issue_ticket(self, subscriptions: set[tuple[str, str]], ua: str) -> str:
        """A ticket for one connection. Only hex: the nodejs SDK puts it into the URL as it is [run]."""
        ticket = secrets.token_hex(24)
        with self._lock:
            self._tickets[ticket] = _Ticket(monotonic() + TICKET_SECONDS, subscriptions, ua)
        return ticket

    @property
    def endpoint(self) -> str:
        """What connections/open answers."""
        return f"ws://127.0.0.1:{self.port}/connect"

    def connections(self) -> list[Connection]:
        """All that are open, the oldest first."""
        with self._lock:
            return list(self._connections.values())

    def has_listener(self, kind: str, topic: str) -> bool:
        """Whether a push of that kind would reach anybody."""
        return any(connection.takes(kind, topic) for connection in self.connections())

    def push(self, kind: str, topic: str, data: str, wait_seconds: float, headers: Doc | None = None) -> tuple[bool, Ack | None]:
        """Send a frame to one connection that subscribed, and wait for the ACK: (sent, ACK or None when none came in time)."""
        listeners = [connection for connection in self.connections() if connection.takes(kind, topic)]
        if not listeners:
            return False, None
        connection = random.choice(listeners)
        message_id = (headers or {}).get("messageId") or secrets.token_hex(16)
        frame = self.frame(kind, topic, data, connection.id, {**(headers or {}), "messageId": message_id})
        waiting = _Waiting(topic, monotonic())
        with self._lock:
            self._waiting[message_id] = waiting
            if len(self._waiting) > MOST_WAITING:
                self._waiting.pop(next(iter(self._waiting)))  # its ACK never came and never will
        if not self.send_text(connection, json.dumps(frame, ensure_ascii=False)):
            return False, None
        waiting.arrived.wait(wait_seconds)
        with self._lock:
            waiting.given_up = waiting.ack is None
            if not waiting.given_up:
                self._waiting.pop(message_id, None)
        return True, waiting.ack

    def frame(self, kind: str, topic: str, data: str, connection_id: str, more: Doc) -> Doc:
        """A frame as the platform sends it; `headers.time` is milliseconds in a string."""
        headers = {
            "appId": self._world.company.dingtalk.client_id,
            "connectionId": connection_id,
            "contentType": "application/json",
            "time": str(self._world.clock.epoch_ms()),
            "topic": topic,
        }
        return {"specVersion": "1.0", "type": kind, "headers": headers | more, "data": data}

    def send_text(self, connection: Connection, text: str) -> bool:
        """Whether the text went out."""
        try:
            connection.socket.send(text)
        except (ConnectionClosed, OSError):
            return False
        return True

    def disconnect(self, how: str) -> int:
        """End all connections: `graceful` says so, pushes nothing more and closes after 10 s; `cut` just drops TCP."""
        ended = self.connections()
        for connection in ended:
            connection.closing = True
            if how == "graceful":
                reason = json.dumps({"reason": "connection is expired"})
                frame = self.frame("SYSTEM", "disconnect", reason, connection.id, {"messageId": secrets.token_hex(16)})
                self.send_text(connection, json.dumps(frame))
                self._world.deferral.later(CLOSING_SECONDS, connection.socket.close)
            else:
                with contextlib.suppress(OSError):
                    connection.socket.socket.shutdown(socket.SHUT_RDWR)
        return len(ended)

    def _greet(self, connection: ServerConnection, handshake: Handshake) -> HandshakeResponse | None:
        """Let a connection in that brings a good ticket; the ticket is used up either way."""
        query = parse_qs(urlsplit(handshake.path).query)
        with self._lock:
            ticket = self._tickets.pop(query.get("ticket", [""])[0], None)
            if ticket is None or ticket.valid_until < monotonic():
                return connection.respond(HTTPStatus.UNAUTHORIZED, "ticket is invalid, used or expired\n")
            self._greeted[str(connection.id)] = ticket
        return None

    def _attend(self, socket_connection: ServerConnection) -> None:
        with self._lock:
            ticket = self._greeted.pop(str(socket_connection.id))
            connection = Connection(secrets.token_hex(16), socket_connection, ticket.subscriptions, ticket.ua, stamp(real_now()))
            self._connections[connection.id] = connection
        try:
            for text in socket_connection:
                self._hear(text)
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._connections.pop(connection.id, None)

    def _hear(self, text: str | bytes) -> None:
        """Take an ACK to the push it answers. A late one is recorded and otherwise ignored."""
        ack = _ack(text)
        message_id = (ack.get("headers") or {}).get("messageId") if ack else None
        with self._lock:
            waiting = self._waiting.get(str(message_id))
            if ack is None or waiting is None:
                return
            ms = round((monotonic() - waiting.started) * 1000, 1)
            waiting.ack = Ack(_code(ack.get("code")), _parsed(ack.get("data")), ms)
            waiting.arrived.set()
            if waiting.given_up:
                self._waiting.pop(str(message_id), None)
        if not isinstance(ack.get("data"), str | None):
            self._world.ledger.warn("dingtalk", f"the ACK's data is a string of JSON, not {type(ack['data']).__name__}")
        if waiting.given_up:
            late = {"code": waiting.ack.code, "data": waiting.ack.data}
            self._world.ledger.delivery(
                "dingtalk",
                "stream",
                waiting.topic,
                waiting.ack.code,
                late,
                ms,
                "late ACK, ignored",
            )

    def _beat(self, topic: str, switch: str) -> None:
        """Send a SYSTEM frame to everybody from time to time; the ACK is not waited for."""
        last = monotonic()
        while not self._world.stopping.wait(0.5):
            seconds = self._world.switches.number(switch)
            if seconds <= 0 or monotonic() - last < seconds:
                continue
            last = monotonic()
            opaque = json.dumps({"opaque": secrets.token_hex(8)})
            for connection in self.connections():
                frame = self.frame("SYSTEM", topic, opaque, connection.id, {"messageId": secrets.token_hex(16)})
                self.send_text(connection, json.dumps(frame))


def _ack(text: str | bytes) -> Doc | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _parsed(data: object) -> Any:
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data)
    except ValueError:
        return None


def _code(value: object) -> int:
    return int(value) if isinstance(value, int | str) and str(value).lstrip("-").isdigit() else 500
