"""Who opened a page: codes inside the client (a `dd` script of our own), OAuth2 outside it.

Source: [doc enterprise-internal-application-logon-free], [doc jsapi-request-auth-code], [doc obtain-user-token].
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.clock import parse_iso, stamp
from sandbox.company import Person
from sandbox.dingtalk.api import TOKEN_HEADER, Call, OldRefused, Refused, needs
from sandbox.dingtalk.hub import DingTalk
from sandbox.login import asking_person, choice_page
from sandbox.store import Doc

CODES, USER_TOKENS = "dingtalk_login", "dingtalk_user_token"
CODE_LIFETIME, TOKEN_LIFETIME, REFRESH_LIFETIME = timedelta(minutes=5), timedelta(seconds=7200), timedelta(days=30)
SCRIPT = """// The JSAPI of the DingTalk client, as far as a page needs it to know who opened it.
(function () {
  var codeUrl = %s;
  function requestAuthCode(options) {
    var query = new URLSearchParams({ corpId: options.corpId || "", clientId: options.clientId || "" });
    return fetch(codeUrl + "?" + query, { credentials: "include" })
      .then(function (answer) { return answer.json().then(function (body) { if (!answer.ok) throw body; return body; }); })
      .then(function (body) {
        if (options.onSuccess) options.onSuccess(body);
        if (options.success) options.success(body);
        return body;
      }, function (error) {
        if (options.onFail) options.onFail(error);
        if (options.fail) options.fail(error);
      });
  }
  window.dd = {
    version: "3.0.0", env: { platform: "android", version: "7.6.15" },
    ready: function (work) { work(); }, error: function () {}, config: function () {},
    requestAuthCode: requestAuthCode,
    runtime: { permission: { requestAuthCode: requestAuthCode } }
  };
})();
"""


def login_blueprint(dingtalk: DingTalk) -> Blueprint:
    """The client's script, its code route and the login page."""
    routes = Blueprint("dingtalk_login", __name__)

    @routes.get("/dingtalk/dd.js")
    def script() -> Response:
        address = json.dumps(f"{dingtalk.world.base_url}/dingtalk/auth-code")
        return Response(SCRIPT % address, content_type="text/javascript; charset=utf-8")

    @routes.get("/dingtalk/auth-code")
    def auth_code() -> Response:
        app = dingtalk.world.company.dingtalk
        person = asking_person(dingtalk.world, "dingtalk")
        if request.args.get("corpId") != app.corp_id or request.args.get("clientId") not in ("", app.client_id):
            answer = jsonify(errorCode="3", errorMessage="corpId or clientId is wrong")
            answer.status_code = 400
        elif person is None:
            answer = jsonify(errorCode="7", errorMessage="open the page from a phone of the sandbox")
            answer.status_code = 401
        else:
            answer = jsonify(code=_new_code(dingtalk, person, "client"))
        answer.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "null")
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        return answer

    @routes.get("/oauth2/auth")
    def authorize() -> AnyResponse:
        args = request.args
        scopes = set(args.get("scope", "").split())
        right = args.get("response_type") == "code" and "openid" in scopes <= {"openid", "corpid"} and args.get("prompt") == "consent"
        if args.get("client_id") != dingtalk.world.company.dingtalk.client_id or not right:
            return Response("client_id, response_type=code, scope=openid [corpid], prompt=consent\n", 400, content_type="text/plain")
        person = asking_person(dingtalk.world, "dingtalk")
        if person is None:
            return Response(choice_page(dingtalk.world, "dingtalk", "钉钉登录"), content_type="text/html; charset=utf-8")
        code = _new_code(dingtalk, person, "oauth")
        target = urlsplit(args["redirect_uri"])
        query = [*parse_qsl(target.query, keep_blank_values=True), ("code", code), ("authCode", code), ("state", args.get("state", ""))]
        return redirect(urlunsplit(target._replace(query=urlencode(query))))

    return routes


def getuserinfo(call: Call) -> Doc:
    """Who the client's code is of; once, five minutes; 40078 otherwise."""
    person = _spend_code(call.dingtalk, str(call.body.get("code") or ""), "client")
    if person is None or person.dingtalk is None:
        raise OldRefused(40078, "不存在的临时授权码")
    union = call.dingtalk.union_id(person)
    result = {"userid": person.dingtalk.userid, "unionid": union, "associated_unionid": "", "name": person.name, "device_id": "sandbox"}
    return {"result": result | {"sys": False, "sys_level": 0}}


def user_access_token(call: Call) -> Doc:
    """The code of the login page, or a refresh token, becomes a user's token."""
    app, body = call.world.company.dingtalk, call.body
    needs(body, "clientId", "clientSecret", "grantType")
    if (body["clientId"], body["clientSecret"]) != (app.client_id, app.client_secret):
        raise Refused("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    person = _grantee(call)
    if person is None:
        raise Refused("invalidParameter.authCode.notFound", "不存在的authCode")
    now = call.world.clock.now()
    token, refresh = secrets.token_hex(16), secrets.token_hex(16)
    call.world.store.put(USER_TOKENS, token, {"person": person.key, "kind": "access", "ends": stamp(now + TOKEN_LIFETIME)})
    call.world.store.put(USER_TOKENS, refresh, {"person": person.key, "kind": "refresh", "ends": stamp(now + REFRESH_LIFETIME)})
    return {"accessToken": token, "refreshToken": refresh, "expireIn": int(TOKEN_LIFETIME.total_seconds()), "corpId": app.corp_id}


def users_me(call: Call) -> Doc:
    """Who a user's token is of: unionId and nick, no userid."""
    person = _of_token(call, request.headers.get(TOKEN_HEADER, ""), "access")
    if person is None:
        raise Refused("InvalidAuthentication", "不合法的access_token")
    return {
        "nick": person.name,
        "unionId": call.dingtalk.union_id(person),
        "openId": "open" + call.dingtalk.union_id(person),
        "visitor": False,
    }


def _new_code(dingtalk: DingTalk, person: Person, kind: str) -> str:
    code = secrets.token_hex(16)
    dingtalk.world.store.put(CODES, code, {"person": person.key, "kind": kind, "at": stamp(dingtalk.world.clock.now())})
    return code


def _spend_code(dingtalk: DingTalk, code: str, kind: str) -> Person | None:
    world = dingtalk.world
    with world.store.transaction():
        kept = world.store.get(CODES, code)
        world.store.delete(CODES, code)
    if kept is None or kept["kind"] != kind or world.clock.now() - parse_iso(kept["at"]) > CODE_LIFETIME:
        return None
    return world.directory.get(kept["person"])


def _grantee(call: Call) -> Person | None:
    if call.body["grantType"] == "authorization_code":
        return _spend_code(call.dingtalk, str(call.body.get("code") or ""), "oauth")
    if call.body["grantType"] == "refresh_token":
        return _of_token(call, str(call.body.get("refreshToken") or ""), "refresh")
    raise Refused("invalidParameter.grantType", "grantType is authorization_code or refresh_token")


def _of_token(call: Call, token: str, kind: str) -> Person | None:
    kept = call.world.store.get(USER_TOKENS, token)
    if kept is None or kept["kind"] != kind or parse_iso(kept["ends"]) <= call.world.clock.now():
        return None
    return call.world.directory.get(kept["person"])
