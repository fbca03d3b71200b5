"""OAuth2 inside the client: the authorize page and the exchange of its code. Source: [doc 91335], [doc 91023]."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.clock import parse_iso, stamp
from sandbox.company import opaque
from sandbox.login import asking_person, choice_page
from sandbox.store import Doc
from sandbox.wecom.api import Call, Refused
from sandbox.world import World

LOGIN_CODES = "wecom_login"
CODE_LIFETIME = timedelta(minutes=5)
STATE = re.compile(r"[A-Za-z0-9]{0,128}")
SCOPES = ("snsapi_base", "snsapi_privateinfo", "snsapi_userinfo")


def login_blueprint(world: World) -> Blueprint:
    """The page that open.weixin.qq.com shows."""
    routes = Blueprint("wecom_login", __name__)

    @routes.get("/connect/oauth2/authorize")
    def authorize() -> AnyResponse:
        problem = _problem(world)
        if problem:
            return Response(f"{problem}\n", 400, content_type="text/plain; charset=utf-8")
        person = asking_person(world, "wecom")
        if person is None or person.wecom is None:
            return Response(choice_page(world, "wecom", "企业微信登录"), content_type="text/html; charset=utf-8")
        code = secrets.token_urlsafe(32)
        world.store.put(LOGIN_CODES, code, {"userid": person.wecom.userid, "at": stamp(world.clock.now()), "used": False})
        return redirect(_with_query(request.args["redirect_uri"], {"code": code, "state": request.args.get("state", "")}))

    return routes


def getuserinfo(call: Call) -> Doc:
    """userid of a member, also of one outside the visible range; openid of an outsider. A code serves once, five minutes."""
    code = call.args.get("code", "")
    kept = call.world.store.get(LOGIN_CODES, code)
    if kept is None or kept["used"]:
        raise Refused(40029, "invalid code")
    call.world.store.put(LOGIN_CODES, code, kept | {"used": True})
    if call.world.clock.now() - parse_iso(kept["at"]) > CODE_LIFETIME:
        raise Refused(42003, "code expired")
    person = call.world.directory.by_userid("wecom", kept["userid"])
    if person is None or person.left:
        return {"openid": "o" + opaque(kept["userid"])}
    return {"userid": kept["userid"]}


def _problem(world: World) -> str | None:
    args, target = request.args, urlsplit(request.args.get("redirect_uri", ""))
    if args.get("appid") != world.company.wecom.corp_id:
        return "appid is not the corp id"
    if args.get("response_type") != "code" or args.get("scope") not in SCOPES:
        return "response_type is code and scope one of " + ", ".join(SCOPES)
    if args["scope"] == "snsapi_privateinfo" and not args.get("agentid"):
        return "snsapi_privateinfo needs agentid"
    if not STATE.fullmatch(args.get("state", "")):
        return "state is at most 128 letters and digits"
    if target.scheme not in ("http", "https"):
        return "redirect_uri is no URL"
    trusted = world.switches.text("wecom.trusted_domain").split()
    if trusted and target.netloc not in trusted:
        return "50001 redirect_uri is not in the trusted domain (host and port)"
    return None


def _with_query(address: str, more: dict[str, str]) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])))
