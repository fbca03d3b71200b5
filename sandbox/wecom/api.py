"""/cgi-bin: the table of endpoints, and what stands before all of them (token, caller address, rate, request body).

Errors are HTTP 200 with errcode [doc 90313]; errmsg carries a hint and the caller's address and is not stable.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Blueprint, Response, request
from werkzeug.datastructures import FileStorage

from sandbox.clock import parse_iso, stamp
from sandbox.faults import Fault
from sandbox.gate import Answer, Heard, pass_through
from sandbox.store import Doc
from sandbox.world import World

TOKENS = "wecom_token"
UNICODE_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
WRONG_SECRETS_UNTIL_BLOCKED = 2000
OVER_LIMIT, UNKNOWN_API = 45009, 40066


class Refused(Exception):
    """The platform says no: errcode and a text for errmsg."""

    def __init__(self, errcode: int, text: str) -> None:
        super().__init__(text)
        self.errcode, self.text = errcode, text


@dataclass
class Call:
    """One request after the gate. `role` is whose token it carries: the app's or the contacts-sync secret's."""

    world: World
    heard: Heard
    args: dict[str, str]
    raw: bytes = b""
    body: Doc = field(default_factory=dict)
    files: dict[str, FileStorage] = field(default_factory=dict)
    role: str = "app"

    def warn(self, text: str) -> None:
        """Keep a sentence for the engineer."""
        self.heard.warn(text)


Handler = Callable[[Call], "Doc | Answer"]


@dataclass(frozen=True)
class Endpoint:
    """`contacts_too`: the contacts-sync secret may call it as well."""

    method: str
    handler: Handler
    needs_token: bool = True
    contacts_too: bool = False


def wecom_blueprint(world: World, endpoints: dict[str, Endpoint]) -> Blueprint:
    """The routes below /cgi-bin."""
    routes = Blueprint("wecom_api", __name__)

    @routes.route("/cgi-bin/<path:api>", methods=["GET", "POST"])
    def call(api: str) -> Response:
        heard = Heard("wecom", api)
        return pass_through(world, heard, lambda: serve(world, heard, endpoints), lambda fault: coded_fault(world, fault))

    return routes


def serve(world: World, heard: Heard, endpoints: dict[str, Endpoint]) -> Answer:
    """Everything before and after the endpoint's own work."""
    call = Call(world, heard, request.args.to_dict())
    try:
        endpoint = endpoints.get(heard.api)
        if endpoint is None:
            raise Refused(UNKNOWN_API, f"no API is called {heard.api}")
        world.meters.count("wecom", f"call:{heard.api}")
        _read_body(call, endpoint.method)
        if endpoint.needs_token:
            _check_caller(call, endpoint)
        answer = endpoint.handler(call)
    except Refused as refused:
        return _error(refused.errcode, refused.text)
    return answer if isinstance(answer, Answer) else Answer({"errcode": 0, "errmsg": "ok"} | answer)


def gettoken(call: Call) -> Doc:
    """The same token inside its lifetime, which is not extended; 40001 for a wrong secret [doc 91039]."""
    app, secret = call.world.company.wecom, call.args.get("corpsecret", "")
    roles = {app.secret: "app", app.contacts_secret: "contacts"}
    if call.args.get("corpid") != app.corp_id or secret not in roles or not secret:
        if not call.world.meters.within("wecom:bad secrets", WRONG_SECRETS_UNTIL_BLOCKED, 3600):
            raise Refused(OVER_LIMIT, "wrong secret too often, the address is blocked for an hour")
        raise Refused(40001, "invalid credential")
    lifetime = timedelta(seconds=call.world.switches.number("wecom.token_seconds"))
    now, role = call.world.clock.now(), roles[secret]
    for token, kept in call.world.store.all(TOKENS):
        left = parse_iso(kept["expires_at"]) - now
        if kept["role"] == role and timedelta() < left <= lifetime:
            return {"access_token": token, "expires_in": int(left.total_seconds())}
    token = secrets.token_urlsafe(48)
    call.world.store.put(TOKENS, token, {"role": role, "expires_at": stamp(now + lifetime)})
    return {"access_token": token, "expires_in": int(lifetime.total_seconds())}


def coded_fault(world: World, fault: Fault) -> Answer:
    """A fault that the platform itself would word."""
    if fault.fault == "token_expired":
        expire_tokens(world)
        return _error(42001, "access_token expired")
    if fault.fault == "over_quota":
        return _error(OVER_LIMIT, "api freq out of limit")
    return _error(int(fault.fault.partition(":")[2]) if fault.fault.startswith("errcode:") else -1, "system busy")


def expire_tokens(world: World) -> None:
    """The platform may end tokens early; callers must fetch a new one [doc 91039]."""
    for token, kept in world.store.all(TOKENS):
        world.store.put(TOKENS, token, kept | {"expires_at": stamp(world.clock.now())})


def _read_body(call: Call, method: str) -> None:
    """Parse JSON whatever the Content-Type says; wechatpy sends none [run]."""
    if request.method != method:
        raise Refused(43001 if method == "GET" else 43002, f"require {method} method")
    if request.mimetype == "multipart/form-data":
        call.files = request.files.to_dict()
        call.heard.body = {name: f"({each.filename})" for name, each in call.files.items()}
        return
    call.raw = request.get_data()
    if method == "GET":
        return
    call.heard.body = call.raw.decode("utf-8", "replace")
    if call.world.switches.on("wecom.refuse_unicode_escapes") and UNICODE_ESCAPE.search(call.raw):
        raise Refused(40033, "invalid request characters: \\uXXXX is not allowed")
    try:
        parsed = json.loads(call.raw)
    except ValueError:
        raise Refused(40058, "Warning: wrong json format.") from None
    if not isinstance(parsed, dict):
        raise Refused(40058, "Warning: wrong json format.")
    call.body = call.heard.body = parsed


def _check_caller(call: Call, endpoint: Endpoint) -> None:
    world, token = call.world, call.args.get("access_token")
    if not token:
        raise Refused(41001, "access_token missing")
    kept = world.store.get(TOKENS, token)
    if kept is None:
        raise Refused(40014, "invalid access_token")
    if parse_iso(kept["expires_at"]) <= world.clock.now():
        raise Refused(42001, "access_token expired")
    if not world.switches.on("wecom.ip_is_trusted"):
        raise Refused(60020, f"not allow to access from your ip, from ip: {request.remote_addr}")
    if not world.meters.within(f"wecom:{call.heard.api}", world.meters.quotas.wecom_per_api_per_minute, 60):
        raise Refused(OVER_LIMIT, "api freq out of limit")
    call.role = kept["role"]
    if call.role == "contacts" and not endpoint.contacts_too:
        raise Refused(48002, "api forbidden")


def _error(errcode: int, text: str) -> Answer:
    hint = secrets.token_hex(8)
    more = f"more info at https://open.work.weixin.qq.com/devtool/query?e={errcode}"
    errmsg = f"{text}, hint: [{hint}], from ip: {request.remote_addr}, {more}"
    return Answer({"errcode": errcode, "errmsg": errmsg}, headers={"error-code": str(errcode)})
