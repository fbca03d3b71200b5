"""DingTalk's stream: the SDK's client in a thread of its own, made fit for a process that runs for months.

dingtalk-stream 0.24.3 brings the protocol: frames, topics, acknowledgements. What it gets wrong is replaced here: it blocks its loop
without time-out while it opens a connection, dies of a page where JSON was promised, cannot be stopped, stays silent towards the
gateway when a handler fails, acknowledges on whichever socket is open by then, does not notice a dead socket, and logs
tickets and messages.

    thread      one, with its own event loop: it reads frames, and nothing blocks it
    workers     a few, for `handle`, which works on the database; a frame is acknowledged after `handle` returned, never before
    connection  one `_Connection` per socket; the next one opens while the old one still acknowledges

Source: DingTalk open platform, "stream-mode-protocol", "event-callback-card"; platform notes dingtalk.md §3 and §4.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote_plus

import requests
import websockets.exceptions  # the SDK uses it without importing it, and would die at its first broken connection
from dingtalk_stream import AckMessage, CallbackHandler, ChatbotMessage, Credential, DingTalkStreamClient, EventHandler
from dingtalk_stream.frames import CallbackMessage, EventMessage, Headers, SystemMessage
from dingtalk_stream.version import VERSION_STRING
from websockets.asyncio.client import ClientConnection, connect

from bot.dingtalk import decode
from bot.errors import BadRequest
from bot.transport import NO_ANSWER, is_loopback, new_session
from cards import dingtalk as drawing
from cards.layout import Card
from rules.events import Event

Handle = Callable[[Event, str], Card | None]

log = logging.getLogger("sanmiao.dingtalk.stream")
# The SDK writes the ticket of a connection at INFO and whole messages at WARNING.
_mute = logging.getLogger("sanmiao.dingtalk.sdk")
_mute.disabled = True

_OPEN_PATH = "/v1.0/gateway/connections/open"
_OPEN_SECONDS = (2, 3)
_PRESS_SECONDS = 1.8  # DingTalk waits 2 s, the way there and back included, and ignores what comes later
_EVENT_SECONDS = 2.8  # DingTalk waits 3 s, then sends the event again
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 60.0
_STABLE_SECONDS = 5.0  # a connection that held so long was no failure: the next one is opened at once
_DRAIN_SECONDS = 5.0  # the gateway closes a socket about 10 s after it has said goodbye
_STOP_SECONDS = 1.5
_MOST_PENDING = 100


class StreamService:
    """Keeps one connection to the gateway for as long as it runs. There must be one such service for each app: the gateway deals out
    what it has at random among all connections of a client id.

    `handle(event, raw)` runs on worker threads and must have committed when it returns; `raw` is the frame's data as JSON. The Card
    it returns for a press is the answer to that press. `on_change(connected)` is told of every change, on the stream's own thread.
    A socket whose gateway has sent pings and then nothing at all for `silence` seconds is taken for dead.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        handle: Handle,
        *,
        api_base: str = "https://api.dingtalk.com",
        on_change: Callable[[bool], None] = lambda connected: None,
        workers: int = 4,
        silence: float = 150.0,
    ) -> None:
        self._credential = Credential(client_id, client_secret)
        self._handle, self._on_change = handle, on_change
        self._api_base, self._silence, self._worker_count = api_base.rstrip("/"), silence, workers
        self._connected = False
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._live, name="dingtalk-stream", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect, in the background. Once in a service's life."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Disconnect. What is being handled has a moment to finish and be acknowledged; returns within 2 s."""
        if self._loop is None or self._main is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(_STOP_SECONDS + 0.5)

    def alive(self) -> bool:
        """Whether a connection stands now."""
        return self._connected and self._thread.is_alive()

    def _live(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        self._begun.set()
        # Pools of our own, because asyncio.run waits for its default one without limit.
        opener = ThreadPoolExecutor(1, "dingtalk-open")
        workers = ThreadPoolExecutor(self._worker_count, "dingtalk-handle")
        leaving: set[asyncio.Task[None]] = set()
        try:
            await self._stay_connected(opener, workers, leaving)
        finally:
            self._change(False)
            if leaving:
                await asyncio.wait(leaving, timeout=_STOP_SECONDS)
            opener.shutdown(wait=False, cancel_futures=True)
            workers.shutdown(wait=False, cancel_futures=True)

    async def _stay_connected(self, opener: ThreadPoolExecutor, workers: ThreadPoolExecutor, leaving: set[asyncio.Task[None]]) -> None:
        pause = _FIRST_PAUSE
        while True:
            held = False
            try:
                held = await self._connect_once(opener, workers, leaving)
            except Exception as error:  # noqa: BLE001 - the thread must outlive any surprise, else the bot is deaf and nobody knows
                where = traceback.extract_tb(error.__traceback__)[-1]
                log.error("the connection broke: %s at %s:%s", type(error).__name__, where.name, where.lineno)
            self._change(False)
            if held:
                pause = _FIRST_PAUSE
            else:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _connect_once(self, opener: ThreadPoolExecutor, workers: ThreadPoolExecutor, leaving: set[asyncio.Task[None]]) -> bool:
        """One connection from its opening to its end. Whether it held for a while; if not, the next one should wait a little."""
        loop = asyncio.get_running_loop()
        connection = _Connection(self._credential, self._handle, workers, self._silence)
        uri = await loop.run_in_executor(opener, connection.open, self._api_base)
        if uri is None:
            return False
        try:
            socket = await connect(uri, proxy=None if is_loopback(uri) else True, close_timeout=1, logger=_mute)
        except (OSError, TimeoutError, websockets.exceptions.WebSocketException) as error:
            log.warning("cannot connect to the gateway: %s", type(error).__name__)
            return False
        began = loop.time()
        self._change(True)
        log.info("connected")
        try:
            await connection.serve(socket)
        finally:
            ending = loop.create_task(connection.leave(socket))
            leaving.add(ending)
            ending.add_done_callback(leaving.discard)
        return loop.time() - began >= _STABLE_SECONDS

    def _change(self, connected: bool) -> None:
        if connected != self._connected:
            self._connected = connected
            self._on_change(connected)


class _Connection(DingTalkStreamClient):  # type: ignore[misc] # the SDK has no types
    """The SDK's client for the life of one socket, so that an acknowledgement leaves on the socket that asked for it."""

    def __init__(self, credential: Credential, handle: Handle, workers: ThreadPoolExecutor, silence: float) -> None:
        super().__init__(credential, logger=_mute)
        self._silence = silence
        self._pinged = False
        self._tasks: set[asyncio.Task[bool]] = set()
        desk = _Desk(handle, workers)
        self.register_all_event_handler(_Events(desk))
        self.register_callback_handler(ChatbotMessage.TOPIC, _RobotMessages(desk))
        self.register_callback_handler(CallbackHandler.TOPIC_CARD_CALLBACK, _Presses(desk))

    def open(self, api_base: str) -> str | None:
        """Ask where to connect to: the gateway's address with a ticket. None when there is none; the log then says why.

        Blocks for some seconds at most. This is the SDK's `open_connection` with time-outs, and without its log lines.
        """
        topics = [{"type": "EVENT", "topic": "*"}, *({"type": "CALLBACK", "topic": topic} for topic in self.callback_handler_map)]
        body = {
            "clientId": self.credential.client_id,
            "clientSecret": self.credential.client_secret,
            "subscriptions": topics,
            "ua": f"dingtalk-sdk-python/v{VERSION_STRING}-union",
        }
        with new_session(api_base) as session:
            try:
                return _address(session.post(api_base + _OPEN_PATH, json=body, timeout=_OPEN_SECONDS, allow_redirects=False))
            except NO_ANSWER as error:
                log.warning("the gateway does not answer: %s", type(error).__name__)
                return None

    async def serve(self, socket: ClientConnection) -> None:
        """Read frames until the connection ends, or the gateway says goodbye on it."""
        self.websocket = socket
        self.pre_start()
        while (frame := await self._next_frame(socket)) is not None:
            if frame.get("type") == SystemMessage.TYPE:
                self._pinged = True
                if await self._answer(frame):
                    return
                continue
            if len(self._tasks) >= _MOST_PENDING:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            self._begin(self._answer(frame))

    async def leave(self, socket: ClientConnection) -> None:
        """Let what is under way finish and be acknowledged, then close."""
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_DRAIN_SECONDS)
            await socket.close()
        finally:
            socket.transport.abort()  # when there is no time for manners

    async def _next_frame(self, socket: ClientConnection) -> Mapping[str, Any] | None:
        """The next frame, empty when it cannot be read; None when there will be none."""
        try:
            async with asyncio.timeout(self._silence if self._pinged else None):
                return decode.read_object(await socket.recv())
        except BadRequest:
            log.warning("a frame that is not JSON")
            return {}
        except TimeoutError:
            log.warning("nothing came for %.0f s: the connection is given up", self._silence)
        except websockets.exceptions.ConnectionClosed as error:
            log.warning("disconnected: %s", type(error).__name__)
        return None

    async def _answer(self, frame: Mapping[str, Any]) -> bool:
        """Let the SDK route a frame to its handler and send the acknowledgement. True when it was the gateway's goodbye."""
        headers = frame.get("headers")
        message_id = headers.get("messageId") if isinstance(headers, dict) else None
        try:
            return bool(await self.route_message(frame) == self.TAG_DISCONNECT)
        except websockets.exceptions.ConnectionClosed:
            log.warning("not acknowledged message=%s: the connection is gone", message_id)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            # The SDK reads frames without looking. Whatever else goes wrong ends in `_Desk`.
            log.warning("unreadable frame message=%s: %s", message_id, type(error).__name__)
            await self._refuse(message_id)
        return False

    async def _refuse(self, message_id: object) -> None:
        """Tell the gateway that the frame is no good, else it would come again."""
        refusal = AckMessage()
        refusal.code = AckMessage.STATUS_BAD_REQUEST
        refusal.headers.message_id = message_id if isinstance(message_id, str) else None
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            await self.websocket.send(json.dumps(refusal.to_dict()))

    def _begin(self, answering: Coroutine[Any, Any, bool]) -> None:
        task = asyncio.get_running_loop().create_task(answering)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Desk:
    """Takes an event to `handle` on a worker thread."""

    def __init__(self, handle: Handle, workers: ThreadPoolExecutor) -> None:
        self._handle, self._workers = handle, workers

    async def take(self, event: Event, data: object, seconds: float | None = None) -> tuple[bool, Card | None]:
        """(handled, what `handle` returned). Not handled: it failed, or took longer than `seconds`, and the log says which."""
        work = asyncio.get_running_loop().run_in_executor(self._workers, self._handle, event, json.dumps(data))
        try:
            return True, await asyncio.wait_for(work, seconds)
        except TimeoutError:
            log.error("event=%s: no answer within %s s", event.id, seconds)
        except Exception as error:  # noqa: BLE001 - the gateway must hear of any failure; `handle` has logged what it was
            log.error("event=%s: %s", event.id, type(error).__name__)
        return False, None


class _RobotMessages(CallbackHandler):  # type: ignore[misc]
    def __init__(self, desk: _Desk) -> None:
        super().__init__()
        self._desk = desk

    async def raw_process(self, message: CallbackMessage) -> AckMessage:
        handled, _ = await self._desk.take(decode.robot_message(message.data), message.data)
        return _acknowledgement(message, {"response": None}, handled)


class _Presses(CallbackHandler):  # type: ignore[misc]
    def __init__(self, desk: _Desk) -> None:
        super().__init__()
        self._desk = desk

    async def raw_process(self, message: CallbackMessage) -> AckMessage:
        event = decode.press(message.data, delivery=str(message.headers.message_id))
        handled, card = await self._desk.take(event, message.data, _PRESS_SECONDS)
        return _acknowledgement(message, {"response": drawing.answer(card) if card else {}}, handled)


class _Events(EventHandler):  # type: ignore[misc]
    def __init__(self, desk: _Desk) -> None:
        super().__init__()
        self._desk = desk

    async def raw_process(self, message: EventMessage) -> AckMessage:
        event = decode.organisation_event(message.headers.event_type or "", message.headers.event_id or "", message.data)
        handled, _ = await self._desk.take(event, message.data, _EVENT_SECONDS)
        # An event is answered with 200 either way; LATER is what brings it again.
        return _acknowledgement(message, {"status": "SUCCESS" if handled else "LATER", "message": ""}, True)


def _acknowledgement(message: CallbackMessage | EventMessage, data: Mapping[str, Any], handled: bool) -> AckMessage:
    ack = AckMessage()
    ack.code = AckMessage.STATUS_OK if handled else AckMessage.STATUS_SYSTEM_EXCEPTION
    ack.message = "OK" if handled else "not handled"
    ack.headers.message_id = message.headers.message_id
    ack.headers.content_type = Headers.CONTENT_TYPE_APPLICATION_JSON
    ack.data = data if handled else {}
    return ack


def _address(response: requests.Response) -> str | None:
    try:
        place = decode.read_object(response.content)
    except BadRequest:
        place = {}
    endpoint, ticket = place.get("endpoint"), place.get("ticket")
    if response.ok and isinstance(endpoint, str) and isinstance(ticket, str):
        return f"{endpoint}?ticket={quote_plus(ticket)}"
    log.warning("the gateway gives no address: http=%d code=%.64s", response.status_code, place.get("code"))
    return None
