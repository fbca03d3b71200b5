"""Unusual callbacks for tests: malformed, wrongly signed, for somebody else, oversized, unknown, twice."""

from __future__ import annotations

import base64
from collections.abc import Callable

from sandbox import cipher
from sandbox.company import Person
from sandbox.outcome import Outcome, not_sent
from sandbox.store import Doc
from sandbox.wecom.acts import deliver_to_app
from sandbox.wecom.callback import Post, last_callback, post_once, sealed
from sandbox.wecom.xml import write_xml
from sandbox.world import World

Variant = Callable[[World, Person, Doc], Outcome]


def raw_event(world: World, variant: str, person: Person, wish: Doc) -> Outcome:
    """Deliver it once, without tries. `variant` is a key of VARIANTS."""
    return VARIANTS[variant](world, person, wish)


def _garbage(world: World, _: Person, __: Doc) -> Outcome:
    return _told(post_once(world, b"this is no envelope", sealed(world, "<xml></xml>")[1], note="garbage"))


def _empty(world: World, _: Person, __: Doc) -> Outcome:
    return _told(post_once(world, b"", sealed(world, "<xml></xml>")[1], note="empty"))


def _oversized(world: World, person: Person, wish: Doc) -> Outcome:
    content = "长" * (int(wish.get("size_bytes") or 2 * 1024 * 1024) // 4)
    body, query = sealed(world, write_xml(_head(world, person) | {"MsgType": "text", "Content": content, "MsgId": "1"}))
    return _told(post_once(world, body, query, note="oversized"))


def _bad_signature(world: World, person: Person, _: Doc) -> Outcome:
    body, query = sealed(world, write_xml(_text(world, person)))
    return _told(post_once(world, body, query | {"msg_signature": "0" * 40}, note="bad signature"))


def _wrong_receiver(world: World, person: Person, _: Doc) -> Outcome:
    body, query = sealed(world, write_xml(_text(world, person)), receiver="ww0000000000000000")
    return _told(post_once(world, body, query, note="wrong receiver"))


def _bad_padding(world: World, _: Person, __: Doc) -> Outcome:
    app = world.company.wecom
    encrypted = base64.b64encode(bytes(range(64))).decode()
    query = {"timestamp": str(int(world.clock.now().timestamp())), "nonce": "padding"}
    query["msg_signature"] = cipher.signature(app.token, query["timestamp"], query["nonce"], encrypted)
    return _told(post_once(world, write_xml({"ToUserName": app.corp_id, "Encrypt": encrypted}).encode(), query, note="bad padding"))


def _malformed_xml(world: World, _: Person, __: Doc) -> Outcome:
    return _told(post_once(world, *sealed(world, "<xml><FromUserName>"), note="malformed inner XML"))


def _custom(world: World, _: Person, wish: Doc) -> Outcome:
    return _told(post_once(world, *sealed(world, str(wish.get("body") or "")), note="custom"))


def _wrong_method(world: World, person: Person, _: Doc) -> Outcome:
    body, query = sealed(world, write_xml(_text(world, person)))
    return _told(post_once(world, body, query, method="PUT", note="wrong method"))


def _replay(world: World, _: Person, __: Doc) -> Outcome:
    last = last_callback(world)
    return _told(post_once(world, *last, note="replay")) if last else not_sent("nothing was delivered yet")


def _two_in_one_second(world: World, person: Person, _: Doc) -> Outcome:
    """Two different events of one person with the same CreateTime: both count [issue WxJava#1745]."""
    first = deliver_to_app(world, person, {"MsgType": "event", "Event": "click", "EventKey": "first"})
    second = deliver_to_app(world, person, {"MsgType": "event", "Event": "click", "EventKey": "second"})
    return Outcome(first.delivered and second.delivered, first.tries + second.tries, second.status, second.ms)


def _event(fields: Doc) -> Variant:
    def variant(world: World, person: Person, wish: Doc) -> Outcome:
        key = {"EventKey": wish["key"]} if wish.get("key") else {}
        return deliver_to_app(world, person, {"MsgType": "event", **fields, **key})

    return variant


def _head(world: World, person: Person) -> Doc:
    assert person.wecom is not None
    created = int(world.clock.now().timestamp())
    return {"ToUserName": world.company.wecom.corp_id, "FromUserName": person.wecom.userid, "CreateTime": created}


def _text(world: World, person: Person) -> Doc:
    return _head(world, person) | {
        "MsgType": "text",
        "Content": "你好",
        "MsgId": "7000000000000000001",
        "AgentID": world.company.wecom.agent_id,
    }


def _told(got: Post) -> Outcome:
    return Outcome(got.status == 200, 1, got.status, got.ms, reason=got.note)


VARIANTS: dict[str, Variant] = {
    "garbage": _garbage,
    "empty": _empty,
    "oversized": _oversized,
    "bad_signature": _bad_signature,
    "wrong_receiver": _wrong_receiver,
    "bad_padding": _bad_padding,
    "malformed_xml": _malformed_xml,
    "custom": _custom,
    "wrong_method": _wrong_method,
    "replay": _replay,
    "two_in_one_second": _two_in_one_second,
    "unknown_event": _event({"Event": "sandbox_unknown_event", "EventKey": ""}),
    "enter_agent": _event({"Event": "enter_agent", "EventKey": ""}),
    "subscribe": _event({"Event": "subscribe", "EventKey": ""}),
    "menu_click": _event({"Event": "click", "EventKey": "menu"}),
}
