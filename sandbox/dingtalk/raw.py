"""Unusual deliveries for tests, over the stream or (in that mode) over HTTP."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

from sandbox.company import Person
from sandbox.dingtalk.acts import robot_message
from sandbox.dingtalk.gateway import CARD_TOPIC, EVERY_EVENT, ROBOT_TOPIC
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.push import CARD_SECONDS, HTTP_SECONDS, Got, post, stream
from sandbox.dingtalk.sign import robot_sign
from sandbox.outcome import Outcome, not_sent
from sandbox.store import Doc

STALE_MS = 2 * 3600 * 1000
HTTP_ONLY = {"bad_signature", "stale_timestamp"}


def raw_event(dingtalk: DingTalk, variant: str, person: Person, wish: Doc) -> Outcome:
    """Deliver it once. `variant` is a key of VARIANTS."""
    make, topic = VARIANTS[variant]
    text = make(dingtalk, person, wish)
    if dingtalk.callback["mode"] == "http":
        url = dingtalk.callback.get("url")
        return _told(_over_http(dingtalk, url, variant, text)) if url else not_sent("no DingTalk callback URL is set")
    if variant in HTTP_ONLY:
        return not_sent("there is no signature on the stream; set the HTTP mode first")
    if variant == "not_json":
        sent = [dingtalk.gateway.send_text(each, "this is no JSON {") for each in dingtalk.gateway.connections()[:1]]
        return Outcome(delivered=False, tries=len(sent), reason="sent a frame that is no JSON; it has no ACK")
    if topic == EVERY_EVENT:
        return _told(stream(dingtalk, "EVENT", topic, text, CARD_SECONDS, _event_headers(dingtalk)))
    return _told(stream(dingtalk, "CALLBACK", topic, text, CARD_SECONDS))


def _event_headers(dingtalk: DingTalk) -> Doc:
    corp = dingtalk.world.company.dingtalk.corp_id
    return {"eventType": "sandbox_unknown_event", "eventId": secrets.token_hex(16), "eventCorpId": corp}


def _over_http(dingtalk: DingTalk, url: str, variant: str, text: str) -> Got:
    timestamp = str(dingtalk.world.clock.epoch_ms() - (STALE_MS if variant == "stale_timestamp" else 0))
    sign = robot_sign(timestamp, dingtalk.world.company.dingtalk.client_secret)
    headers = {"timestamp": timestamp, "sign": "A" * len(sign) if variant == "bad_signature" else sign}
    return post(dingtalk, url, text.encode(), headers, {}, HTTP_SECONDS, f"raw: {variant}")


def _text(dingtalk: DingTalk, person: Person, changes: Doc) -> Doc:
    body = {"msgtype": "text", "text": {"content": "你好"}}
    return robot_message(dingtalk, dingtalk.private_chat(person), person, f"msg{secrets.token_hex(12)}==", body) | changes


def _tap(dingtalk: DingTalk, person: Person, name: str) -> Doc:
    assert person.dingtalk is not None
    content = json.dumps({"cardPrivateData": {"actionIds": ["button"], "params": {"action": "sandbox"}}})
    head = {
        "type": "actionCallback",
        "outTrackId": f"unknown-{secrets.token_hex(6)}",
        "corpId": dingtalk.world.company.dingtalk.corp_id,
    }
    return head | {"userId": person.dingtalk.userid, name: content, "extension": "{}"}


def _without(data: Doc, *names: str) -> Doc:
    return {name: value for name, value in data.items() if name not in names}


def _oversized(dingtalk: DingTalk, person: Person, wish: Doc) -> str:
    content = "x" * int(wish.get("size_bytes") or 2 * 1024 * 1024)
    return json.dumps(_text(dingtalk, person, {"text": {"content": content}}))


def _over_quota(dingtalk: DingTalk, person: Person, _: Doc) -> str:
    return json.dumps(_without(_text(dingtalk, person, {"errCode": 20001, "errMsg": "超出限额"}), "text"))


def _told(got: Got) -> Outcome:
    reply = got.answer if isinstance(got.answer, dict) else None
    return Outcome(got.status == 200, int(got.sent), got.status, got.ms, reason=got.note, reply=reply)


Make = Callable[[DingTalk, Person, Doc], str]
OTHER_CORP = {"senderCorpId": "dingsomebodyelse", "chatbotCorpId": "dingsomebodyelse"}
VARIANTS: dict[str, tuple[Make, str]] = {
    "garbage": (lambda d, p, w: "this is no JSON {", ROBOT_TOPIC),
    "not_json": (lambda d, p, w: "this is no JSON {", ROBOT_TOPIC),
    "empty": (lambda d, p, w: "", ROBOT_TOPIC),
    "oversized": (_oversized, ROBOT_TOPIC),
    "bad_signature": (lambda d, p, w: json.dumps(_text(d, p, {})), ROBOT_TOPIC),
    "stale_timestamp": (lambda d, p, w: json.dumps(_text(d, p, {})), ROBOT_TOPIC),
    "wrong_receiver": (lambda d, p, w: json.dumps(_text(d, p, OTHER_CORP)), ROBOT_TOPIC),
    "missing_fields": (lambda d, p, w: json.dumps(_without(_text(d, p, {}), "senderStaffId", "msgId", "text")), ROBOT_TOPIC),
    "over_quota": (_over_quota, ROBOT_TOPIC),
    "unknown_event": (lambda d, p, w: json.dumps({"timeStamp": str(d.world.clock.epoch_ms())}), EVERY_EVENT),
    "custom": (lambda d, p, w: str(w.get("body") or ""), ROBOT_TOPIC),
    "unknown_card": (lambda d, p, w: json.dumps(_tap(d, p, "content")), CARD_TOPIC),
    "value_instead_of_content": (lambda d, p, w: json.dumps(_tap(d, p, "value")), CARD_TOPIC),
}
