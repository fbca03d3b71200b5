"""DingTalk's API, both generations of it: one call in, a dict or SendFailed out.

The SDK's own helpers are not used: they have no time-outs, take any answer for success, and do not tell what went wrong.

Source: DingTalk open platform, "服务端错误码" of both generations; platform notes dingtalk.md §1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from bot.channel import Failure, SendFailed
from bot.tokens import SharedToken, TokenRefused
from bot.transport import NO_ANSWER, new_session, unanswered, unreadable

Answer = dict[str, Any]

_TOKEN_PATH = "/v1.0/oauth2/accessToken"  # noqa: S105 - a path
_USER_TOKEN_PATH = "/v1.0/oauth2/userAccessToken"  # noqa: S105 - a path
_USER_PATH = "/v1.0/contact/users/me"
_BLOCKED_SECONDS = 300.0


@dataclass(frozen=True)
class Code:
    """What a code means for us. `text` is ours: the platform's own may name people."""

    text: str
    kind: Failure = Failure.REFUSED
    retry_after: float | None = None


_GONE = Code("the user is not, or no longer, in the company")
_OUT_OF_SCOPE = Code("outside the app's visible or contact scope")
_CONTENT = Code("the platform's audit does not like the content")
_BUSY = Code("the platform is busy", Failure.TEMPORARY)
_TOO_FAST = Code("too many messages to these recipients", Failure.TEMPORARY, 60.0)
_APP_QPS = Code("too many calls of this kind by this app", Failure.TEMPORARY, 1.0)
_PLATFORM_QPS = Code("too many calls of this kind on the whole platform", Failure.TEMPORARY, 4.0)
_QUOTA = Code("the company's monthly quota of calls is used up")
_ADDRESS = Code("this machine's address is not in the app's list of allowed IPs")
_SCOPE = Code("the app lacks a permission")
_PERHAPS_DONE = Code("the platform gave up waiting for itself", Failure.UNKNOWN)

# The one table: codes of the new generation are words, those of the old one numbers. The HTTP status decides nothing where there is a
# code (a rate limit comes as 403). A code that is not here is a refusal, unless it comes with a 5xx: then nobody knows.
CODES: Mapping[str | int, Code] = {
    "invalidClientIdOrSecret": Code("client id and secret do not fit; check dingtalk.client_secret"),
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": _SCOPE,
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": _APP_QPS,
    "Forbidden.AccessDenied.QpsLimitForApi": _PLATFORM_QPS,
    "Forbidden.AccessDenied.ApiCountLimitForOrg": _QUOTA,
    "Forbidden.AccessDenied.IpNotInWhiteList": _ADDRESS,
    "system.busy": _BUSY,
    "system.error": _BUSY,
    "unknownError": _BUSY,
    "ServiceUnavailable": _BUSY,
    "send.too.fast": _TOO_FAST,
    "too.many.people": _TOO_FAST,
    "too.many.group": _TOO_FAST,
    "staffId.notExisted": _GONE,
    "param.userIdNotExist": _GONE,
    "param.contentUnsafe": _CONTENT,
    "param.cardNotExist": Code("the card to be changed does not exist"),
    "param.cardAlreadyExist": Code("the card exists already"),
    "param.templateNotExist": Code("unknown card template; check dingtalk.card_template_id"),
    "param.templateUnpublished": Code("the card template is not published"),
    "group.disbanded": Code("the group no longer exists"),
    "bot.stopped": Code("the robot is switched off in this group"),
    "resource.not.found": Code("the robot is not in this group"),
    -1: _BUSY,
    15: _PERHAPS_DONE,
    33012: _GONE,
    60121: _GONE,
    50002: _OUT_OF_SCOPE,
    50004: _OUT_OF_SCOPE,
    60003: Code("the department does not exist"),
    60011: _SCOPE,
    60020: _ADDRESS,
    90002: _PLATFORM_QPS,
    90018: _APP_QPS,
    90020: _QUOTA,
}
TOKEN_CODES = frozenset({"InvalidAuthentication", 40014, 42001})

_TOP_GATEWAY = 88  # the old gateway's own code: only the sub code tells what happened


class DingTalkApi:
    """One app's way into the API. Safe to share between threads. `timeout` is (connect, read) in seconds; `called` hears of every call
    that the company's monthly quota counts (tokens are free)."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        api_base: str = "https://api.dingtalk.com",
        oapi_base: str = "https://oapi.dingtalk.com",
        timeout: tuple[float, float] = (3, 10),
        called: Callable[[], None] = lambda: None,
    ) -> None:
        self._credentials = {"appKey": client_id, "appSecret": client_secret}
        self._api_base, self._oapi_base = api_base.rstrip("/"), oapi_base.rstrip("/")
        self._session = new_session(api_base)
        self._timeout = timeout
        self._token, self._called = SharedToken(self._fetch_token), called

    def call(self, method: str, path: str, *, body: Mapping[str, Any] | None = None, params: Mapping[str, str] | None = None) -> Answer:
        """Call the new generation ("/v1.0/…") and return its answer. Raises SendFailed."""
        self._called()
        return self._token.call(
            lambda token: _judge_new(
                self._ask(method, self._api_base + path, json=body, params=params, headers={"x-acs-dingtalk-access-token": token})
            )
        )

    def call_old(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Call the old generation ("/topapi/…") and return its answer, whose errcode is 0. Raises SendFailed."""
        self._called()
        return self._token.call(
            lambda token: _judge_old(self._ask("post", self._oapi_base + path, json=body, params={"access_token": token}))
        )

    def upload(self, path: str, fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes, str]]) -> Answer:
        """Send a form with files (name, content, media type) to the old generation; the answer. Raises SendFailed."""
        return self._token.call(
            lambda token: _judge_old(
                self._ask("post", self._oapi_base + path, params={"access_token": token}, data=fields, files=files)
            )
        )

    def of_user(self, code: str) -> Answer:
        """Who came back from the login page with this code: his profile, which has a unionId and no userid. Raises SendFailed."""
        ours = {"clientId": self._credentials["appKey"], "clientSecret": self._credentials["appSecret"]}
        grant = ours | {"code": code, "grantType": "authorization_code"}
        granted = _judge_new(self._ask("post", self._api_base + _USER_TOKEN_PATH, json=grant))
        his = {"x-acs-dingtalk-access-token": str(granted.get("accessToken") or "")}
        return _judge_new(self._ask("get", self._api_base + _USER_PATH, headers=his))

    def _fetch_token(self) -> tuple[str, float]:
        answer = _judge_new(self._ask("post", self._api_base + _TOKEN_PATH, json=self._credentials))
        token, lifetime = answer.get("accessToken"), answer.get("expireIn")
        if not isinstance(token, str) or not isinstance(lifetime, int):
            raise SendFailed(Failure.TEMPORARY, "no_token", "the platform answered without an access token")
        return token, lifetime

    def _ask(self, method: str, url: str, **details: Any) -> requests.Response:
        try:
            return self._session.request(method, url, timeout=self._timeout, allow_redirects=False, **details)
        except NO_ANSWER as error:
            raise unanswered(error) from None


def _judge_new(response: requests.Response) -> Answer:
    answer = _read(response)
    if response.ok:
        return answer
    code = str(answer.get("code") or f"http_{response.status_code}")
    if code in TOKEN_CODES:
        raise TokenRefused(code)
    known = CODES.get(code) or _unlisted(response.status_code)
    scopes = answer.get("accessdenieddetail", {}).get("requiredScopes") if known is _SCOPE else None
    raise SendFailed(known.kind, code, f"{known.text}: {', '.join(scopes)}" if scopes else known.text, known.retry_after)


def _judge_old(response: requests.Response) -> Answer:
    answer = _read(response)
    try:
        # Some of the platform's own samples have the number as a string.
        code = int(str(answer["errcode"]))
    except (KeyError, ValueError):
        raise SendFailed(Failure.UNKNOWN, f"http_{response.status_code}", "an answer without a usable error code") from None
    if code == 0:
        return answer
    if code in TOKEN_CODES:
        raise TokenRefused(str(code))
    sub_code = str(answer.get("sub_code") or "")
    known = _top_gateway(sub_code) if code == _TOP_GATEWAY else CODES.get(code) or _unlisted(response.status_code)
    raise SendFailed(known.kind, f"{code} {sub_code}".strip(), known.text, known.retry_after)


def _read(response: requests.Response) -> Answer:
    """The answer as an object. Raises SendFailed for everything that stands in front of the platform: gateways, guards, proxies."""
    if response.status_code == 504:
        raise SendFailed(_PERHAPS_DONE.kind, "http_504", _PERHAPS_DONE.text)
    if response.is_redirect:
        raise SendFailed(Failure.REFUSED, f"http_{response.status_code}", "redirected; check dingtalk.api_base")
    try:
        answer = response.json()
    except ValueError:
        if response.status_code >= 500:  # a gateway's page, not the guard's: it may stand in front of something done
            raise SendFailed(Failure.UNKNOWN, f"http_{response.status_code}", "the platform failed") from None
        raise unreadable(response.content, _BLOCKED_SECONDS) from None
    if not isinstance(answer, dict):
        raise SendFailed(Failure.UNKNOWN, "not_object", "the answer is not a JSON object")
    if "punish" in answer:
        raise SendFailed(Failure.TEMPORARY, "ip_blocked", "this machine's address is blocked for some minutes", _BLOCKED_SECONDS)
    return answer


def _top_gateway(sub_code: str) -> Code:
    return _SCOPE if sub_code else _PERHAPS_DONE


def _unlisted(status: int) -> Code:
    if status >= 500:
        return Code("the platform failed", Failure.UNKNOWN)
    return Code("refused; see the platform's page of the call")
