"""The encrypted callbacks to the bot: URL verification, delivery with tries, and reading the passive reply.

Source: [doc 90930/91116] verification and envelope, [doc 90238] tries, [doc 90241] passive replies.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import requests

from sandbox import cipher
from sandbox.clock import monotonic
from sandbox.faults import Fault
from sandbox.outcome import Outcome, not_sent
from sandbox.store import Doc
from sandbox.wecom.xml import BadXml, read_xml, write_xml
from sandbox.world import CALLBACK_SETTINGS, World

CHANNEL, LAST = "wecom:callback", "wecom_last"
VERIFY_SECONDS, ANSWER_SECONDS = 1.0, 5.0
APPLY = Callable[[Doc], str | None]


class VerificationFailed(Exception):
    """The URL did not answer as the console wants it."""


@dataclass(frozen=True)
class Post:
    """What one HTTP request came to. `status` is None when no answer came in time."""

    status: int | None
    body: bytes
    ms: float
    note: str | None


def callback_url(world: World) -> str | None:
    """The verified receiving URL."""
    kept = world.store.get(CALLBACK_SETTINGS, "wecom")
    return kept["url"] if kept else None


def set_callback_url(world: World, url: str | None) -> None:
    """Verify and keep; None removes. Raises VerificationFailed and keeps the old one."""
    if url is None:
        world.store.delete(CALLBACK_SETTINGS, "wecom")
        return
    verify(world, url)
    world.store.put(CALLBACK_SETTINGS, "wecom", {"url": url})


def verify(world: World, url: str) -> None:
    """GET with an encrypted echostr: within 1 s, status 200, exactly the plain text, no quotes, no newline [doc 91116]."""
    app, plain = world.company.wecom, secrets.token_hex(10)
    echostr = cipher.encrypt(plain, app.corp_id, app.encoding_aes_key)
    timestamp, nonce = _timestamp(world), secrets.token_hex(6)
    query = {
        "msg_signature": cipher.signature(app.token, timestamp, nonce, echostr),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echostr,
    }
    got = _exchange("GET", url, query, None, VERIFY_SECONDS)
    world.ledger.delivery(
        "wecom",
        "callback",
        "URL verification",
        got.status,
        _text(got.body),
        got.ms,
        got.note,
    )
    if got.status != 200:
        raise VerificationFailed(got.note or f"HTTP status {got.status}")
    if got.body != plain.encode():
        raise VerificationFailed("the body is not exactly the decrypted echostr")


def deliver(world: World, event: Doc, apply_reply: APPLY) -> Outcome:
    """Encrypt and post an event, with tries, unless a fault comes between.

    `apply_reply` gets the decrypted passive reply and says why it was not used, or None.
    """
    if callback_url(world) is None:
        return not_sent("no WeCom callback URL is set")
    world.meters.count("wecom", "callbacks")
    fault = world.faults.take(CHANNEL)
    match fault.fault if fault else None:
        case "drop":
            return not_sent("lost by a fault")
        case "delayed_delivery":
            assert fault is not None
            world.deferral.later(fault.seconds, lambda: _with_tries(world, event, apply_reply, None))
            return replace(not_sent(f"delayed by {fault.seconds:g} s by a fault"), deferred=True)
        case "reorder":
            world.deferral.hold(CHANNEL, lambda: _with_tries(world, event, apply_reply, None))
            return replace(not_sent("held back by a fault until the next delivery"), deferred=True)
    copies = fault.copies if fault and fault.fault == "duplicate_delivery" else 1
    outcomes = [_with_tries(world, event, apply_reply, fault) for _ in range(copies)]
    world.deferral.release(CHANNEL)
    changed = any(outcome.changed for outcome in outcomes)
    return replace(outcomes[0], changed=changed, tries=sum(outcome.tries for outcome in outcomes))


def post_once(world: World, body: bytes, query: dict[str, str], method: str = "POST", note: str | None = None) -> Post:
    """One request as it is, however wrong, and the record of it."""
    url = callback_url(world)
    assert url is not None
    got = _exchange(method, url, query, body, ANSWER_SECONDS)
    world.ledger.delivery(
        "wecom",
        "callback",
        _text(body),
        got.status,
        _text(got.body),
        got.ms,
        note or got.note,
    )
    return got


def sealed(world: World, inner: str, *, receiver: str | None = None, skew_seconds: float = 0) -> tuple[bytes, dict[str, str]]:
    """(body, query) of a well-signed callback around `inner`."""
    app = world.company.wecom
    encrypted = cipher.encrypt(inner, receiver if receiver is not None else app.corp_id, app.encoding_aes_key)
    timestamp, nonce = _timestamp(world, skew_seconds), secrets.token_hex(8)
    body = write_xml({"ToUserName": app.corp_id, "AgentID": str(app.agent_id), "Encrypt": encrypted}).encode()
    return body, {"msg_signature": cipher.signature(app.token, timestamp, nonce, encrypted), "timestamp": timestamp, "nonce": nonce}


def last_callback(world: World) -> tuple[bytes, dict[str, str]] | None:
    """(body, query) of the last callback that went out."""
    kept = world.store.get(LAST, "callback")
    return (kept["body"].encode(), kept["query"]) if kept else None


def open_reply(world: World, body: bytes) -> Doc | None:
    """The fields of an encrypted passive reply; None when the answer carries none. Raises BadXml, Undecryptable, ValueError."""
    if body.strip() in (b"", b"success"):
        return None
    app, envelope = world.company.wecom, read_xml(body)
    parts = [envelope.get(name) for name in ("Encrypt", "TimeStamp", "Nonce", "MsgSignature")]
    encrypted, timestamp, nonce, signed = (str(part or "") for part in parts)
    if cipher.signature(app.token, timestamp, nonce, encrypted) != signed:
        raise ValueError("MsgSignature of the reply is wrong")
    inner, receiver = cipher.decrypt(encrypted, app.encoding_aes_key)
    if receiver != app.corp_id:
        raise ValueError("the reply is for another receiver")
    return read_xml(inner)


def _with_tries(world: World, event: Doc, apply_reply: APPLY, fault: Fault | None) -> Outcome:
    """The original and its repeats: the same event, by default under a new signature."""
    inner, switches = write_xml(event), world.switches
    most, got, sealed_once = int(switches.number("wecom.callback_tries")), None, None
    for number in range(1, most + 1):
        if sealed_once is None or not switches.on("wecom.retry_keeps_signature"):
            sealed_once = _sealed_with_fault(world, inner, fault)
        body, query = sealed_once
        world.store.put(LAST, "callback", {"body": body.decode(), "query": query})
        url = callback_url(world)
        if url is None:
            return not_sent("the callback URL was removed")
        got = _exchange("POST", url, query, body, ANSWER_SECONDS)
        outcome = _judged(world, event, got, number, apply_reply)
        if outcome.delivered or world.stopping.is_set() or (got.status and not switches.on("wecom.retry_on_bad_status")):
            return outcome
        if number < most:
            world.sleep(switches.number("wecom.retry_spacing_seconds"))
    return outcome


def _sealed_with_fault(world: World, inner: str, fault: Fault | None) -> tuple[bytes, dict[str, str]]:
    kind = fault.fault if fault else None
    body, query = sealed(world, inner, skew_seconds=fault.seconds if fault and kind == "clock_skew" else 0)
    return (body, query | {"msg_signature": "0" * 40}) if kind == "bad_signature" else (body, query)


def _judged(world: World, event: Doc, got: Post, number: int, apply_reply: APPLY) -> Outcome:
    reply, reason = None, got.note
    if got.status == 200:
        try:
            reply = open_reply(world, got.body)
            reason = apply_reply(reply) if reply else None
        except (BadXml, cipher.Undecryptable, ValueError) as error:
            reason = f"the answer is neither empty nor a passive reply: {error}"
    elif got.status is not None:
        reason = f"HTTP status {got.status}"
    if reason:
        world.ledger.warn("wecom", f"callback: {reason}")
    answer: Any = reply if reply is not None else _text(got.body)
    world.ledger.delivery("wecom", "callback", event, got.status, answer, got.ms, reason, attempt=number)
    changed = reply is not None and reason is None and reply.get("MsgType") in ("update_button", "update_template_card")
    return Outcome(got.status == 200, number, got.status, got.ms, changed=changed, reason=reason, reply=reply)


def _exchange(method: str, url: str, query: dict[str, str], body: bytes | None, seconds: float) -> Post:
    started, status, content, note = monotonic(), None, b"", None
    try:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Content-Type": "text/xml"} if body is not None else {}
            answer = session.request(method, url, params=query, data=body, headers=headers, timeout=seconds, allow_redirects=False)
            status, content = answer.status_code, answer.content
    except requests.Timeout:
        note = f"no answer within {seconds:g} s"
    except requests.RequestException as error:
        note = f"no connection: {type(error).__name__}"
    ms = round((monotonic() - started) * 1000, 1)
    if status is not None and ms > seconds * 1000:
        status, note = None, f"the answer came after {seconds:g} s"
    return Post(status, content, ms, note)


def _timestamp(world: World, skew_seconds: float = 0) -> str:
    return str(int(world.clock.now().timestamp() + skew_seconds))


def _text(body: bytes) -> str:
    return body[:4000].decode("utf-8", "replace")
