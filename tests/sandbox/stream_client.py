"""The real dingtalk-stream client as a bot: reports what it hears on stdout, answers as stdin tells it. One JSON a line."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

import dingtalk_stream
import websockets.exceptions  # noqa: F401 - the SDK uses it without importing it
from dingtalk_stream import AckMessage, CallbackHandler, ChatbotHandler, ChatbotMessage, DingTalkStreamClient, EventHandler

WISHES: dict[str, Any] = {"tap": {}, "tap_seconds": 0, "tap_raises": False, "event": 200, "message_seconds": 0}
LOCK = threading.Lock()


def report(kind: str, **what: Any) -> None:
    with LOCK:
        print(json.dumps({"kind": kind, **what}, ensure_ascii=False), flush=True)


class Robot(ChatbotHandler):  # type: ignore[misc]
    async def process(self, callback: Any) -> tuple[int, str]:
        message = ChatbotMessage.from_dict(callback.data) if "errCode" not in callback.data else None
        report("message", data=callback.data, text=message.text.content if message and message.text else None)
        await asyncio.sleep(WISHES["message_seconds"])
        return AckMessage.STATUS_OK, "OK"


class Taps(CallbackHandler):  # type: ignore[misc]
    async def process(self, callback: Any) -> tuple[int, Any]:
        report("tap", data=callback.data)
        await asyncio.sleep(WISHES["tap_seconds"])
        if WISHES["tap_raises"]:
            raise RuntimeError("as asked")
        return AckMessage.STATUS_OK, WISHES["tap"]


class Events(EventHandler):  # type: ignore[misc]
    async def process(self, event: Any) -> tuple[int, str]:
        report("event", type=event.headers.event_type, id=event.headers.event_id, data=event.data)
        return WISHES["event"], "OK"


def listen() -> None:
    for line in sys.stdin:
        WISHES.update(json.loads(line))
        report("told")


def main() -> None:
    client = DingTalkStreamClient(dingtalk_stream.Credential(sys.argv[1], sys.argv[2]))
    client.register_callback_handler(ChatbotMessage.TOPIC, Robot())
    client.register_callback_handler("/v1.0/card/instances/callback", Taps())
    client.register_all_event_handler(Events())
    threading.Thread(target=listen, daemon=True).start()
    client.start_forever()


if __name__ == "__main__":
    main()
