"""Deliveries to the bot: over the stream or by HTTP, with faults, deadlines, second pushes, and the record of each try.

Source: [doc stream-mode-protocol] ACKs, [doc event-callback-card] 2 s, [doc appendix-b] 3 s and 2.5 s for events.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import requests

from sandbox import cipher
from sandbox.clock import monotonic
from sandbox.dingtalk.gateway import CARD_TOPIC, ROBOT_TOPIC, Ack
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.sign import card_sign, robot_sign
from sandbox.faults import Fault
from sandbox.outcome import Outcome, not_sent
from sandbox.store import Doc

STREAM, HTTP = "dingtalk:stream", "dingtalk:callback"
CARD_SECONDS, EVENT_SECONDS, HTTP_SECONDS, ROBOT_SECONDS = 2.0, 3.0, 2.5, 5.0
NOBODY = "no stream connection has subscribed to this"


@dataclass(frozen=True)
class Got:
    """One answer: ACK code or HTTP status (None: none in time), parsed content, milliseconds, and what to say about it."""

    sent: bool
    status: int | None
    answer: Any
    ms: float
    note: str | None = None


Send = Callable[[], Outcome]
UseAnswer = Callable[[Any, bool], str | None]
FaultySend = Callable[[Fault | None], Outcome]


def push_robot_message(dingtalk: DingTalk, data: Doc, on_reply: Callable[[Doc], str | None]) -> Outcome:
    """A message to the robot. Lost when nobody listens; by HTTP the answer may itself be a message (`on_reply`)."""
    dingtalk.world.meters.count("dingtalk", "stream")
    if dingtalk.callback["mode"] == "http":
        return _through_faults(dingtalk, HTTP, lambda fault: _robot_over_http(dingtalk, data, on_reply, fault))
    return _through_faults(dingtalk, STREAM, lambda fault: _robot_over_stream(dingtalk, data, fault))


def push_tap(dingtalk: DingTalk, data: Doc, route: Doc | None, use_answer: UseAnswer) -> Outcome:
    """A tap on a card, over the stream or (with a route) by HTTP; the answer counts only within 2 s.

    `use_answer(answer, wrapped)` applies the bot's answer and says why it was not used, or None.
    """
    if dingtalk.world.switches.on("dingtalk.taps_are_metered"):
        dingtalk.world.meters.count("dingtalk", "stream")
    if route is not None:
        return _through_faults(dingtalk, HTTP, lambda fault: _tap_over_http(dingtalk, data, route, use_answer, fault), CARD_SECONDS)
    return _through_faults(dingtalk, STREAM, lambda fault: _tap_over_stream(dingtalk, data, use_answer, fault), CARD_SECONDS)


def push_event(dingtalk: DingTalk, event_type: str, data: Doc) -> Outcome:
    """An event, again and again until it is acknowledged; the outcome is that of the first push."""
    event_id = secrets.token_hex(16)
    if dingtalk.callback["mode"] == "http" and dingtalk.callback.get("event_url"):
        send: FaultySend = lambda fault: _event_over_http(dingtalk, event_type, event_id, data, fault)  # noqa: E731
        first = _through_faults(dingtalk, HTTP, send)
    elif dingtalk.gateway.has_listener("EVENT", "*"):
        send = lambda fault: _event_over_stream(dingtalk, event_type, event_id, data, fault)  # noqa: E731
        first = _through_faults(dingtalk, STREAM, send)
    else:
        return not_sent("nobody has subscribed to events")
    if not first.delivered and not first.deferred:
        left = int(dingtalk.world.switches.number("dingtalk.event_pushes")) - 1
        _again(dingtalk, lambda: send(None), left, EVENT_SECONDS)
    return first


def post(dingtalk: DingTalk, url: str, body: bytes, headers: Doc, query: Doc, seconds: float, plain: object) -> Got:
    """One HTTP request to the bot and the record of it."""
    started, status, content, note = monotonic(), None, b"", None
    try:
        with requests.Session() as session:
            session.trust_env = False
            found = session.post(
                url,
                params=query,
                data=body,
                headers={"Content-Type": "application/json", **headers},
                timeout=seconds,
                allow_redirects=False,
            )
            status, content = found.status_code, found.content
    except requests.Timeout:
        note = f"no answer within {seconds:g} s"
    except requests.RequestException as error:
        note = f"no connection: {type(error).__name__}"
    ms = round((monotonic() - started) * 1000, 1)
    try:
        answer: Any = json.loads(content) if content.strip() else None
    except ValueError:
        answer = content[:4000].decode("utf-8", "replace")
    if status is not None and ms > seconds * 1000:
        note = f"the answer came after {seconds:g} s"
    _record(dingtalk, "callback", plain, status, answer, ms, note)
    return Got(sent=True, status=status if note is None else None, answer=answer, ms=ms, note=note)


def stream(
    dingtalk: DingTalk, kind: str, topic: str, data: str, seconds: float, headers: Doc | None = None, *, plain: object = None
) -> Got:
    """One push over the gateway and the record of it."""
    sent, ack = dingtalk.gateway.push(kind, topic, data, seconds, headers)
    note = None if ack else (f"no ACK within {seconds:g} s" if sent else NOBODY)
    got = _got(sent, ack, note)
    _record(dingtalk, "stream", plain if plain is not None else data, got.status, got.answer, got.ms, note)
    return got


def _got(sent: bool, ack: Ack | None, note: str | None) -> Got:
    return Got(sent, ack.code if ack else None, ack.data if ack else None, ack.ms if ack else 0.0, note)


def _through_faults(dingtalk: DingTalk, channel: str, send: FaultySend, deadline: float | None = None) -> Outcome:
    """Send now, twice, later or not at all. A tap that is held back beyond its deadline has failed on the phone."""
    world, fault = dingtalk.world, dingtalk.world.faults.take(channel)
    match fault.fault if fault else None:
        case "drop":
            return replace(not_sent("lost by a fault"), late=deadline is not None)
        case "disconnect":
            dingtalk.gateway.disconnect("graceful")
            return replace(not_sent("the connection was ended by a fault"), late=deadline is not None)
        case "delayed_delivery":
            assert fault is not None
            world.deferral.later(fault.seconds, lambda: send(None))
            late = deadline is not None and fault.seconds >= deadline
            return replace(not_sent(f"delayed by {fault.seconds:g} s by a fault"), deferred=True, late=late)
        case "reorder":
            world.deferral.hold(channel, lambda: send(None))
            return replace(not_sent("held back by a fault until the next delivery"), deferred=True)
    copies = fault.copies if fault and fault.fault == "duplicate_delivery" else 1
    outcomes = [send(fault) for _ in range(copies)]
    world.deferral.release(channel)
    tries = sum(outcome.tries for outcome in outcomes)
    return replace(outcomes[0], tries=tries, changed=any(outcome.changed for outcome in outcomes))


def _robot_over_stream(dingtalk: DingTalk, data: Doc, fault: Fault | None, message_id: str | None = None) -> Outcome:
    data, switches = _over_quota(dingtalk, data, fault), dingtalk.world.switches
    if message_id is None or not switches.on("dingtalk.repush_keeps_message_id"):
        message_id = secrets.token_hex(16)
    headers, text = {"messageId": message_id}, json.dumps(data, ensure_ascii=False)
    got = stream(dingtalk, "CALLBACK", ROBOT_TOPIC, text, ROBOT_SECONDS, headers, plain=data)
    outcome = Outcome(got.status == 200, int(got.sent), got.status, got.ms, reason=got.note)
    if not outcome.delivered and got.sent and switches.on("dingtalk.repush_robot_messages"):
        again = lambda: _robot_over_stream(dingtalk, data, None, message_id)  # noqa: E731
        _again(dingtalk, again, 1, switches.number("dingtalk.repush_seconds"))
    return outcome


def _over_quota(dingtalk: DingTalk, data: Doc, fault: Fault | None) -> Doc:
    """Over quota a message still arrives, but without its content and with errCode 20001."""
    meters = dingtalk.world.meters
    used_up = meters.counted("dingtalk", "stream") > meters.quotas.dingtalk_stream_messages_per_month
    if not ((used_up and meters.quotas.dingtalk_enforce_month) or (fault and fault.fault == "over_quota")):
        return data
    kept = {name: value for name, value in data.items() if name not in ("text", "content")}
    return kept | {"errCode": 20001, "errMsg": "Webhook和Stream调用量已超出限额"}


def _robot_over_http(dingtalk: DingTalk, data: Doc, on_reply: Callable[[Doc], str | None], fault: Fault | None) -> Outcome:
    url = dingtalk.callback.get("url")
    if not url:
        return not_sent("no DingTalk callback URL is set")
    timestamp = str(_timestamp(dingtalk, fault))
    sign = robot_sign(timestamp, dingtalk.world.company.dingtalk.client_secret)
    headers = {"timestamp": timestamp, "sign": _spoiled(sign, fault)}
    got = post(dingtalk, url, json.dumps(data, ensure_ascii=False).encode(), headers, {}, HTTP_SECONDS, data)
    reason, reply = got.note, None
    if got.status == 200 and isinstance(got.answer, dict) and got.answer.get("msgtype") not in (None, "empty"):
        reply, reason = got.answer, on_reply(got.answer)
    elif got.status not in (200, None):
        reason = f"HTTP status {got.status}"
    return Outcome(got.status == 200, 1, got.status, got.ms, reason=reason, reply=reply)


def _tap_over_stream(dingtalk: DingTalk, data: Doc, use_answer: UseAnswer, fault: Fault | None) -> Outcome:
    del fault  # all stream faults are handled before
    got = stream(dingtalk, "CALLBACK", CARD_TOPIC, json.dumps(data, ensure_ascii=False), CARD_SECONDS, plain=data)
    return _tap_outcome(got, got.status == 200, lambda: use_answer(got.answer, True))


def _tap_over_http(dingtalk: DingTalk, data: Doc, route: Doc, use_answer: UseAnswer, fault: Fault | None) -> Outcome:
    timestamp = str(_timestamp(dingtalk, fault))
    sign = _spoiled(card_sign(timestamp, route["secret"]), fault)
    headers = {"x-ddpaas-signature-timestamp": timestamp, "x-ddpaas-signature": sign}
    got = post(dingtalk, route["url"], json.dumps(data, ensure_ascii=False).encode(), headers, {}, CARD_SECONDS, data)
    return _tap_outcome(got, got.status == 200, lambda: use_answer(got.answer, False))


def _tap_outcome(got: Got, good: bool, use: Callable[[], str | None]) -> Outcome:
    if not good:
        late = got.sent and got.status is None
        why = got.note or f"the answer has code {got.status}"
        return Outcome(delivered=False, tries=int(got.sent), status=got.status, ms=got.ms, late=late, reason=why)
    reply = got.answer if isinstance(got.answer, dict) else None
    return Outcome(delivered=True, tries=1, status=got.status, ms=got.ms, reason=use(), reply=reply)


def _event_over_stream(dingtalk: DingTalk, event_type: str, event_id: str, data: Doc, fault: Fault | None) -> Outcome:
    del fault  # all stream faults are handled before
    headers = {
        "eventType": event_type,
        "eventId": event_id,
        "eventCorpId": dingtalk.world.company.dingtalk.corp_id,
        "eventBornTime": str(dingtalk.world.clock.epoch_ms()),
        "eventUnifiedAppId": "sandbox",
    }
    got = stream(
        dingtalk, "EVENT", "*", json.dumps(data, ensure_ascii=False), EVENT_SECONDS, headers, plain={"eventType": event_type, **data}
    )
    status = got.answer.get("status") if isinstance(got.answer, dict) else None
    if got.status == 200 and status not in ("SUCCESS", "LATER"):
        dingtalk.world.ledger.warn("dingtalk", "the ACK of an event has no status SUCCESS or LATER; taken as success")
    good = got.status == 200 and status != "LATER"
    return Outcome(good, int(got.sent), got.status, got.ms, reason=got.note or (None if good else "the bot asked for LATER"))


def _event_over_http(dingtalk: DingTalk, event_type: str, event_id: str, data: Doc, fault: Fault | None) -> Outcome:
    """Encrypted, with flat keys that are cased differently [doc]; good only when the answer decrypts to `success`."""
    flat = {
        "EventType": event_type,
        "EventTime": str(dingtalk.world.clock.epoch_ms()),
        "CorpId": dingtalk.world.company.dingtalk.corp_id,
    }
    return post_event(dingtalk, dingtalk.callback, flat | {"eventId": event_id} | data, fault)


def post_event(dingtalk: DingTalk, settings: Doc, event: Doc, fault: Fault | None = None) -> Outcome:
    """An encrypted event to the given address (also the check_url of saving it)."""
    token, key, owner = settings["token"], settings["encoding_aes_key"], settings["owner_key"]
    encrypted = cipher.encrypt(json.dumps(event, ensure_ascii=False), owner, key)
    timestamp, nonce = str(_timestamp(dingtalk, fault)), secrets.token_hex(8)
    signed = cipher.signature(token, timestamp, nonce, encrypted)
    signed = "0" * 40 if fault and fault.fault == "bad_signature" else signed
    query = {"signature": signed, "msg_signature": signed, "timestamp": timestamp, "nonce": nonce}
    body = json.dumps({"encrypt": encrypted}).encode()
    got = post(dingtalk, settings["event_url"], body, {}, query, HTTP_SECONDS, event)
    problem = got.note or _event_answer_problem(got, token, key)
    return Outcome(problem is None, 1, got.status, got.ms, reason=problem)


def _event_answer_problem(got: Got, token: str, key: str) -> str | None:
    if got.status != 200 or not isinstance(got.answer, dict):
        return f"HTTP status {got.status}, no JSON object" if got.status == 200 else f"HTTP status {got.status}"
    parts = [str(got.answer.get(name) or "") for name in ("timeStamp", "nonce", "encrypt", "msg_signature")]
    timestamp, nonce, encrypted, signed = parts
    if cipher.signature(token, timestamp, nonce, encrypted) != signed:
        return "msg_signature of the answer is wrong"
    try:
        word, _ = cipher.decrypt(encrypted, key)
    except cipher.Undecryptable:
        return "the answer cannot be decrypted"
    return None if word == "success" else "the answer is not success"


def _again(dingtalk: DingTalk, send: Send, left: int, seconds: float) -> None:
    """Push once more after a while, until it is delivered or nothing is left."""

    def once_more() -> None:
        if not dingtalk.world.stopping.is_set() and not send().delivered:
            _again(dingtalk, send, left - 1, seconds)

    if left > 0:
        dingtalk.world.deferral.later(seconds, once_more)


def _record(dingtalk: DingTalk, channel: str, plain: object, status: int | None, answer: object, ms: float, note: str | None) -> None:
    dingtalk.world.ledger.delivery("dingtalk", channel, plain, status, answer, ms, note)


def _timestamp(dingtalk: DingTalk, fault: Fault | None) -> int:
    skew = fault.seconds if fault and fault.fault == "clock_skew" else 0
    return round(dingtalk.world.clock.epoch_ms() + skew * 1000)


def _spoiled(sign: str, fault: Fault | None) -> str:
    return "A" * len(sign) if fault and fault.fault == "bad_signature" else sign
