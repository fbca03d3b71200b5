"""WeCom's API: one call in, a dict or SendFailed out.

wechatpy 1.8.18 makes the requests; what it gets wrong is replaced here: host and (no) time-out of `gettoken` are hard-coded, a token
refused twice recurses until Python gives up, threads race for the token, what is not JSON comes back as if it were an answer, and the
token is stored under a key with the secret's first letters in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from wechatpy.enterprise import WeChatClient
from wechatpy.exceptions import WeChatClientException

from bot.channel import Failure, SendFailed
from bot.tokens import SharedToken, TokenRefused
from bot.transport import NO_ANSWER, new_session, unanswered, unreadable

Answer = dict[str, Any]
File = tuple[str, bytes, str]  # name, content, media type


@dataclass(frozen=True)
class Code:
    """What an errcode means for us. `text` is ours: the platform's own may name people."""

    text: str
    kind: Failure = Failure.REFUSED
    retry_after: float | None = None


TOKEN_CODES = frozenset({40014, 42001})

# The one table. A code that is not here is a refusal: the platform answered, did nothing, and would say the same again.
# Source: WeCom developer centre, "全局错误码" (90313, 90455) and "访问频率限制" (90454); wecom.md §1.2.
CODES: Mapping[int, Code] = {
    -1: Code("the platform is busy", Failure.TEMPORARY),
    6000: Code("somebody else changed the same at the same time", Failure.TEMPORARY),
    40001: Code("corp id and secret do not fit, or the app is disabled; check wecom.secret"),
    40003: Code("unknown member, or outside the app's visible range"),
    40007: Code("the media id is unknown or older than 3 days"),
    40008: Code("this kind of message is not allowed here"),
    40013: Code("unknown corp id; check wecom.corp_id"),
    40031: Code("unknown member, or outside the app's visible range"),
    40033: Code("the body holds unicode escapes"),
    40035: Code("a parameter is wrong"),
    40050: Code("unknown group chat"),
    40056: Code("wrong agent id; check wecom.agent_id"),
    40058: Code("a parameter is wrong"),
    40063: Code("a parameter is empty"),
    45002: Code("the text is too long"),
    45009: Code("call limit reached", Failure.TEMPORARY, 60.0),
    45029: Code("the answer would be too large: split the department"),
    45033: Code("too many calls at once", Failure.TEMPORARY, 2.0),
    46004: Code("the member does not exist"),
    48001: Code("the app may not use this interface"),
    48002: Code("the app may not use this interface"),
    48004: Code("the app's permission has been withdrawn"),
    50002: Code("the member is outside the app's visible range"),
    50003: Code("the app is disabled"),
    60003: Code("the department does not exist"),
    60011: Code("no privilege: for group chats the app's visible range must be the whole company"),
    60020: Code("this machine's address is not in the app's list of trusted IPs (企业可信IP)"),
    60111: Code("unknown member, or outside the app's visible range"),
    60140: Code("the card can no longer be changed: its code was used or is older than 72 h", Failure.SPENT),
    81013: Code("no recipient is a member in the app's visible range"),
    86001: Code("unknown group chat"),
    86003: Code("unknown group chat"),
    86224: Code("the group chat was not created by this app"),
    301002: Code("the agent id is not the one of this secret; check wecom.agent_id"),
    301021: Code("unknown member, or outside the app's visible range"),
}
_REFUSALS = ("application/json", "text/plain")  # instead of a file
_MOST_OF_A_REFUSAL = 4096
_UNLISTED = Code("refused; see the platform's list of error codes")
_UNNUMBERED = Code("an answer without a usable error code", Failure.UNKNOWN)


class WeComApi:
    """One app's way into the API. Safe to share between threads. `timeout` is (connect, read) in seconds."""

    def __init__(
        self, corp_id: str, secret: str, base_url: str = "https://qyapi.weixin.qq.com", timeout: tuple[float, float] = (3, 10)
    ) -> None:
        self._client = _Client(corp_id, secret, base_url, timeout)

    def call(
        self, method: str, path: str, *, body: Mapping[str, Any] | None = None, params: Mapping[str, str | int] | None = None
    ) -> Answer:
        """Call `path` ("message/send") and return its answer, whose errcode is 0. Raises SendFailed.

        Equal bodies become equal bytes, whatever the order of their keys: the platform's duplicate check compares the request (§5.3).
        """
        data = None if body is None else json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        return self._client.token.call(lambda token: self._client.ask(method, path, {**(params or {}), "access_token": token}, data))

    def upload(self, path: str, params: Mapping[str, str], files: Mapping[str, File]) -> Answer:
        """Send files as a form; the answer, whose errcode is 0. Raises SendFailed."""
        return self._client.token.call(lambda token: self._client.upload(path, {**params, "access_token": token}, files))

    def open(self, path: str, params: Mapping[str, str]) -> requests.Response:
        """Ask for a file: the response to it, its body still unread. Raises SendFailed, also for a refusal, which is JSON with 200."""
        return self._client.token.call(lambda token: self._client.open(path, {**params, "access_token": token}))


class _Client(WeChatClient):  # type: ignore[misc] # wechatpy has no types
    """wechatpy's client with our host, time-outs and token."""

    def __init__(self, corp_id: str, secret: str, base_url: str, timeout: tuple[float, float]) -> None:
        self.API_BASE_URL = base_url.rstrip("/") + "/cgi-bin/"
        self.token = SharedToken(self._fetch_token)
        super().__init__(corp_id, secret, timeout=timeout, auto_retry=False)
        self._http = new_session(base_url)

    @property
    def access_token(self) -> str:
        """The shared token, for wechatpy's own helpers too."""
        return self.token.get()

    def fetch_access_token(self) -> None:
        """Nothing to do: `access_token` renews itself."""

    def ask(self, method: str, path: str, params: Mapping[str, str | int], data: bytes | None = None) -> Answer:
        """One request. Raises SendFailed."""
        try:
            # As pairs, because wechatpy adds its token to a dict that has none, also when it is the token that we ask for.
            answer = self._request(
                method,
                path,
                params=list(params.items()),
                data=data,
                headers={"Content-Type": "application/json; charset=utf-8"},
                allow_redirects=False,
            )
        except WeChatClientException as error:
            raise _failure(error) from None
        except NO_ANSWER as error:
            raise unanswered(error) from None
        except (TypeError, ValueError):
            raise _as_failure(None, _UNNUMBERED) from None
        if isinstance(answer, requests.Response):
            raise unreadable(answer.content) if answer.ok and not answer.is_redirect else _of_status(answer)
        if not isinstance(answer, dict) or "errcode" not in answer:
            raise _as_failure(None, _UNNUMBERED)
        return answer

    def open(self, path: str, params: Mapping[str, str]) -> requests.Response:
        """One request for a file. Raises SendFailed."""
        try:
            response: requests.Response = self._http.get(
                self.API_BASE_URL + path,
                params=params,
                headers={"Accept-Encoding": "identity"},
                stream=True,
                allow_redirects=False,
                timeout=self.timeout,
            )
            if response.status_code == 200 and _media_type(response) not in _REFUSALS:
                return response
            with response:
                raise _of_status(response) if response.status_code != 200 else _refusal(response.raw.read(_MOST_OF_A_REFUSAL))
        except NO_ANSWER as error:
            raise unanswered(error) from None

    def upload(self, path: str, params: Mapping[str, str], files: Mapping[str, File]) -> Answer:
        """One request with files. Raises SendFailed."""
        try:
            response = self._http.post(
                self.API_BASE_URL + path, params=params, files=files, allow_redirects=False, timeout=self.timeout
            )
        except NO_ANSWER as error:
            raise unanswered(error) from None
        if response.status_code != 200:
            raise _of_status(response)
        try:
            answer = response.json()
        except ValueError:
            raise unreadable(response.content) from None
        if not isinstance(answer, dict) or answer.get("errcode") != 0:
            raise _refusal(response.content)
        return answer

    def _fetch_token(self) -> tuple[str, float]:
        answer = self.ask("get", "gettoken", {"corpid": self.corp_id, "corpsecret": self.secret})
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(lifetime, int):
            raise _as_failure(None, _UNNUMBERED)
        return token, lifetime


def _failure(error: WeChatClientException) -> SendFailed:
    if error.errcode is None:
        return _of_status(error.response)
    if error.errcode in TOKEN_CODES:
        return TokenRefused(str(error.errcode))
    code = CODES.get(error.errcode, _UNLISTED)
    if error.errcode == 60020:
        return _as_failure(error.errcode, Code(code.text + _seen_address(str(error.errmsg)), code.kind))
    return _as_failure(error.errcode, code)


def _refusal(body: bytes) -> SendFailed:
    """Why there is no file."""
    try:
        errcode = json.loads(body)["errcode"]
    except (ValueError, TypeError, KeyError):
        return unreadable(body)
    if not isinstance(errcode, int):
        return _as_failure(None, _UNNUMBERED)
    return TokenRefused(str(errcode)) if errcode in TOKEN_CODES else _as_failure(errcode, CODES.get(errcode, _UNLISTED))


def _media_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _of_status(response: requests.Response) -> SendFailed:
    """An HTTP error: the platform itself answers 200, so this is a gateway. What passed through it before it gave up is not known."""
    status = response.status_code
    if status >= 500:
        return SendFailed(Failure.UNKNOWN, f"http_{status}", "the platform's gateway failed")
    kind = Failure.TEMPORARY if status in (408, 429) else Failure.REFUSED
    return SendFailed(kind, f"http_{status}", "the platform's gateway refused the request; check wecom.api_base")


def _as_failure(errcode: int | None, code: Code) -> SendFailed:
    return SendFailed(code.kind, "no_errcode" if errcode is None else str(errcode), code.text, code.retry_after)


def _seen_address(errmsg: str) -> str:
    """The address to put into the list, as the platform saw it; it is this machine's, so it may be told."""
    found = re.search(r"from ip: ?([0-9a-fA-F.:]+)", errmsg)
    return f": {found[1].rstrip('.:')}" if found else ""
