"""A real stream gateway on loopback: the HTTP call that opens a connection, and the websocket behind it."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server as Listener
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from werkzeug.wrappers import Response

from tests.bot.server import Asked, Server, as_json, serving

OPEN = "/v1.0/gateway/connections/open"
PATIENCE = 10.0


class Gateway:
    """`acknowledged` has every ACK in order of arrival; `connections` every socket that came, the latest last."""

    def __init__(self) -> None:
        self.acknowledged: queue.Queue[dict[str, Any]] = queue.Queue()
        self.connections: list[ServerConnection] = []
        self.tickets: list[str] = []
        self.http: Server | None = None
        self.loop = asyncio.new_event_loop()
        self._arrivals: queue.Queue[ServerConnection] = queue.Queue()
        self._port = 0

    def open(self, asked: Asked) -> Response:
        """Say where to connect to."""
        return as_json({"endpoint": f"ws://127.0.0.1:{self._port}/connect", "ticket": "t+k/="})

    def wait_for_connection(self) -> ServerConnection:
        return self._arrivals.get(timeout=PATIENCE)

    def push(
        self, type: str, topic: str, data: object, message_id: str = "m-1", to: ServerConnection | None = None, **headers: str
    ) -> None:
        """Push a frame as the platform does: `data` is a string of JSON."""
        head = {
            "appId": "a",
            "contentType": "application/json",
            "messageId": message_id,
            "time": "1790000000123",
            "topic": topic,
            **headers,
        }
        self.push_text(json.dumps({"specVersion": "1.0", "type": type, "headers": head, "data": json.dumps(data)}), to)

    def push_text(self, text: str, to: ServerConnection | None = None) -> None:
        asyncio.run_coroutine_threadsafe((to or self.connections[-1]).send(text), self.loop).result(PATIENCE)

    def cut(self) -> None:
        """End the latest connection without a word."""
        self.loop.call_soon_threadsafe(self.connections[-1].transport.abort)

    def next_ack(self) -> dict[str, Any]:
        """The next acknowledgement, its `data` read."""
        ack = self.acknowledged.get(timeout=PATIENCE)
        return {**ack, "data": json.loads(ack["data"])}

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request
        self.tickets += parse_qs(urlsplit(connection.request.path).query)["ticket"]
        self.connections.append(connection)
        self._arrivals.put(connection)
        try:
            async for text in connection:
                self.acknowledged.put(json.loads(text))
        except ConnectionClosed:
            pass

    async def listen(self) -> Listener:
        listener = await serve(self._serve, "127.0.0.1", 0, close_timeout=0.1)
        self._port = next(iter(listener.sockets)).getsockname()[1]
        return listener


@contextmanager
def running() -> Iterator[Gateway]:
    gateway = Gateway()
    thread = threading.Thread(target=gateway.loop.run_forever, daemon=True)
    thread.start()  # a loop of its own thread: the main one may belong to the browser's
    listener = asyncio.run_coroutine_threadsafe(gateway.listen(), gateway.loop).result(PATIENCE)
    try:
        with serving({OPEN: gateway.open}) as gateway.http:
            yield gateway
    finally:
        gateway.loop.call_soon_threadsafe(listener.close)
        asyncio.run_coroutine_threadsafe(listener.wait_closed(), gateway.loop).result(PATIENCE)
        gateway.loop.call_soon_threadsafe(gateway.loop.stop)
        thread.join(PATIENCE)
        gateway.loop.close()
