"""Both API generations: what stands before every endpoint (token, rate, monthly quota, body) and how a no is worded.

New (`/v1.0/…`): header token, failures are HTTP 4xx with {code, requestid, message}. Old (`/topapi/…`, `/gettoken`,
`/media/upload`): token in the query, failures are HTTP 200 with errcode. Source: [doc error tables of both].
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import FileStorage

from sandbox.clock import parse_iso, stamp
from sandbox.faults import Fault
from sandbox.gate import Answer, Heard, pass_through
from sandbox.store import Doc
from sandbox.world import World

if TYPE_CHECKING:
    from sandbox.dingtalk.hub import DingTalk

TOKENS = "dingtalk_token"
TOKEN_LIFETIME = timedelta(seconds=7200)
TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105 - a header's name
CORP_TOKEN = re.compile(r"/v1\.0/oauth2/(?P<corp>[^/]+)/token")
QPS = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
MONTH_QUOTA = "Forbidden.AccessDenied.ApiCountLimitForOrg"
OLD_CODES = {QPS: 90018, MONTH_QUOTA: 90020, "InvalidAuthentication": 40014}


class Refused(Exception):
    """The new generation's no: HTTP status, code, message."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message or code, status


class OldRefused(Exception):
    """The old generation's no: errcode and errmsg with HTTP 200."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode, self.errmsg = errcode, errmsg


@dataclass
class Call:
    """One request after the gate. `corp` is the corp id of a path that has one."""

    dingtalk: DingTalk
    heard: Heard
    args: dict[str, str]
    body: Doc = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileStorage] = field(default_factory=dict)
    corp: str = ""
    token: str | None = None

    @property
    def world(self) -> World:
        """The shared world."""
        return self.dingtalk.world

    def warn(self, text: str) -> None:
        """Keep a sentence for the engineer."""
        self.heard.warn(text)


Handler = Callable[[Call], "Doc | Answer"]


@dataclass(frozen=True)
class Endpoint:
    """`metered`: counts against the monthly quota; tokens, logins and the directory do not [doc billing-model]."""

    handler: Handler
    metered: bool = True
    needs_token: bool = True


def dingtalk_blueprint(dingtalk: DingTalk, endpoints: dict[str, Endpoint]) -> Blueprint:
    """The routes of both hosts on one port."""
    routes = Blueprint("dingtalk_api", __name__)

    def call(**_: str) -> Response:
        corp = CORP_TOKEN.fullmatch(request.path)
        path = "/v1.0/oauth2/{corpId}/token" if corp else request.path
        heard = Heard("dingtalk", f"{request.method} {path}")
        if heard.api not in endpoints and heard.api.startswith(("GET /topapi", "GET /media")):
            heard.api = heard.api.replace("GET", "POST", 1)
        return pass_through(
            dingtalk.world,
            heard,
            lambda: serve(dingtalk, heard, endpoints, corp["corp"] if corp else ""),
            lambda fault: coded_fault(dingtalk.world, heard.api, fault),
        )

    for rule in ("/v1.0/<path:rest>", "/topapi/<path:rest>", "/gettoken", "/media/upload"):
        routes.add_url_rule(
            rule, view_func=call, methods=["GET", "POST", "PUT", "DELETE"], endpoint=rule.strip("/").replace("/", "_").replace(".", "_")
        )
    return routes


def serve(dingtalk: DingTalk, heard: Heard, endpoints: dict[str, Endpoint], corp: str) -> Answer:
    """Everything before and after the endpoint's own work."""
    is_old = not request.path.startswith("/v1.0/")
    call = Call(dingtalk, heard, request.args.to_dict(), corp=corp)
    try:
        endpoint = endpoints.get(heard.api)
        if endpoint is None:
            raise Refused("InvalidAction.NotFound", f"no API is called {heard.api}", 404)
        _read_body(call, is_old)
        if endpoint.needs_token:
            _check_token(call, is_old)
        _meter(call, endpoint)
        answer = endpoint.handler(call)
    except Refused as refused:
        return _refusal(refused.code, refused.message, refused.status, is_old)
    except OldRefused as refused:
        return _old_error(refused.errcode, refused.errmsg)
    if isinstance(answer, Answer):
        return answer
    return Answer({"errcode": 0, "errmsg": "ok", "request_id": secrets.token_hex(6)} | answer if is_old else answer)


def access_token(call: Call) -> Doc:
    """A repeat inside the lifetime answers the same token and renews it."""
    app = call.world.company.dingtalk
    _needs(call.body, "appKey", "appSecret")
    if (call.body["appKey"], call.body["appSecret"]) != (app.client_id, app.client_secret):
        raise Refused("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    token, seconds = _current_token(call.world)
    return {"accessToken": token, "expireIn": seconds}


def corp_token(call: Call) -> Doc:
    """The same token by client credentials and corp id."""
    app = call.world.company.dingtalk
    _needs(call.body, "client_id", "client_secret", "grant_type")
    known = (call.body["client_id"], call.body["client_secret"], call.corp) == (app.client_id, app.client_secret, app.corp_id)
    if not known or call.body["grant_type"] != "client_credentials":
        raise Refused("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    token, seconds = _current_token(call.world)
    return {"access_token": token, "expires_in": seconds}


def old_gettoken(call: Call) -> Doc:
    """The old address of the same token."""
    app = call.world.company.dingtalk
    if (call.args.get("appkey"), call.args.get("appsecret")) != (app.client_id, app.client_secret):
        raise OldRefused(40089, "不合法的corpid或corpsecret")
    token, seconds = _current_token(call.world)
    return {"access_token": token, "expires_in": seconds}


def coded_fault(world: World, api: str, fault: Fault) -> Answer:
    """A fault that the platform itself would word."""
    is_old = "/v1.0/" not in api
    if fault.fault == "token_expired":
        expire_tokens(world)
        if is_old:
            return _old_error(42001, "access_token超时")
        return _refusal(
            "InvalidAuthentication", "不合法的access_token", int(world.switches.number("dingtalk.bad_token_status")), is_old
        )
    if fault.fault == "over_quota":
        return _refusal(MONTH_QUOTA, "the monthly quota is used up", 403, is_old)
    kind, _, code = fault.fault.partition(":")
    if kind == "errcode":
        return _old_error(int(code), "fault") if is_old else _refusal("system.error", "fault", 500, is_old)
    status = {"Forbidden": 403, "system": 500, "unknownError": 500}.get(code.partition(".")[0], 400)
    if code == QPS:
        status = int(world.switches.number("dingtalk.qps_status"))
    return _refusal(code, code, status, is_old)


def expire_tokens(world: World) -> None:
    """Forget all tokens; the next request for one gets a new one."""
    world.store.delete_kind(TOKENS)


def needs(body: Doc, *names: str) -> None:
    """Raises Refused for the first missing or empty name."""
    _needs(body, *names)


def _needs(body: Doc, *names: str) -> None:
    for name in names:
        if body.get(name) in (None, "", [], {}):
            raise Refused(f"Missing{name}", f"{name} is mandatory for this action.")


def _current_token(world: World) -> tuple[str, int]:
    now = world.clock.now()
    with world.store.transaction():
        alive = [token for token, kept in world.store.all(TOKENS) if parse_iso(kept["expires_at"]) > now]
        token = alive[0] if alive else secrets.token_hex(16)
        world.store.put(TOKENS, token, {"expires_at": stamp(now + TOKEN_LIFETIME)})
    return token, int(TOKEN_LIFETIME.total_seconds())


def _read_body(call: Call, is_old: bool) -> None:
    if request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        call.files, call.form = request.files.to_dict(), request.form.to_dict()
        call.body = dict(call.form)
        call.heard.body = call.body | {name: f"({each.filename})" for name, each in call.files.items()}
        return
    raw = request.get_data()
    if not raw:
        return
    call.heard.body = raw.decode("utf-8", "replace")
    try:
        parsed = json.loads(raw)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise OldRefused(40035, "不合法的参数") if is_old else Refused("invalidParameter", "the body is no JSON object")
    call.body = call.heard.body = parsed


def _check_token(call: Call, is_old: bool) -> None:
    token = call.args.get("access_token") if is_old else request.headers.get(TOKEN_HEADER)
    kept = call.world.store.get(TOKENS, token) if token else None
    if kept and parse_iso(kept["expires_at"]) > call.world.clock.now():
        call.token = token
        return
    if is_old:
        raise OldRefused(42001 if kept else 40014, "access_token超时" if kept else "不合法的access_token")
    raise Refused("InvalidAuthentication", "不合法的access_token", _bad_token_status(call.world))


def _bad_token_status(world: World) -> int:
    return int(world.switches.number("dingtalk.bad_token_status"))


def _meter(call: Call, endpoint: Endpoint) -> None:
    """20 calls a second for one app and API, refused ones not counted; then the month's quota [doc billing-model]."""
    meters = call.world.meters
    if not meters.within(f"qps:{call.heard.api}", meters.quotas.dingtalk_qps, 1):
        meters.count("dingtalk", "qps_refusals")
        raise Refused(QPS, "您的应用调用该接口的QPS超过限制", int(call.world.switches.number("dingtalk.qps_status")))
    if endpoint.metered:
        used_up = meters.counted("dingtalk", "metered") >= meters.quotas.dingtalk_api_calls_per_month
        if used_up and meters.quotas.dingtalk_enforce_month:
            raise Refused(MONTH_QUOTA, "企业当月调用量已用完", 403)
        meters.count("dingtalk", "metered")
    meters.count("dingtalk", f"call:{call.heard.api}")


def _refusal(code: str, message: str, status: int, is_old: bool) -> Answer:
    if is_old:
        return _old_error(OLD_CODES.get(code, -1), message)
    body: dict[str, Any] = {"code": code, "requestid": secrets.token_hex(16).upper(), "message": message}
    if code.endswith("AccessTokenPermissionDenied"):
        body["accessdenieddetail"] = {"requiredScopes": ["Card.Instance.Write"]}
    return Answer(body, status)


def _old_error(errcode: int, errmsg: str) -> Answer:
    return Answer({"errcode": errcode, "errmsg": errmsg, "request_id": secrets.token_hex(6)})
