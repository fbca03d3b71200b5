from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Response

from bot.channel import Failure, SendFailed
from bot.dingtalk.api import DingTalkApi
from tests.bot.server import Asked, Server, as_json, serving

SECRET = "s3cret-of-the-app"
TOKEN, SEND, OLD = "/v1.0/oauth2/accessToken", "/v1.0/robot/oToMessages/batchSend", "/topapi/v2/user/get"
QPS = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"


class Tokens:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, asked: Asked) -> Response:
        self.count += 1
        if asked.json != {"appKey": "dingdemoapp", "appSecret": SECRET}:
            return as_json({"code": "invalidClientIdOrSecret", "requestid": "r", "message": "无效的clientId或者clientSecret"}, 400)
        return as_json({"accessToken": f"T{self.count}", "expireIn": 7200})


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def platform(tokens: Tokens) -> Iterator[Server]:
    with serving({TOKEN: tokens}) as server:
        yield server


@pytest.fixture
def api(platform: Server) -> DingTalkApi:
    return DingTalkApi("dingdemoapp", SECRET, platform.url, platform.url, timeout=(1, 0.5))


def failure_of(act: Callable[[], object]) -> SendFailed:
    with pytest.raises(SendFailed) as failure:
        act()
    assert SECRET not in f"{failure.value}"
    assert failure.value.__suppress_context__ or failure.value.__context__ is None
    return failure.value


def refused(code: str, status: int = 400, **more: object) -> Callable[[Asked], Response]:
    return lambda asked: as_json({"code": code, "requestid": "r", "message": "员工 emp007 王五", **more}, status)


def send(api: DingTalkApi) -> dict[str, object]:
    return api.call("post", SEND, body={"userIds": ["emp007"]})


def test_the_new_generation_takes_the_token_in_a_header(platform: Server, api: DingTalkApi) -> None:
    platform.answers[SEND] = lambda asked: as_json({"processQueryKey": "pqk"})

    assert send(api) == {"processQueryKey": "pqk"}

    asked = platform.requests_to(SEND)[0]
    assert (asked.headers["x-acs-dingtalk-access-token"], asked.query) == ("T1", {})
    assert asked.json == {"userIds": ["emp007"]}


def test_the_old_generation_takes_the_same_token_in_the_address(platform: Server, api: DingTalkApi, tokens: Tokens) -> None:
    platform.answers[SEND] = lambda asked: as_json({})
    platform.answers[OLD] = lambda asked: as_json({"errcode": "0", "errmsg": "ok", "result": {"userid": "emp007"}})

    send(api)
    assert api.call_old(OLD, {"userid": "emp007"})["result"] == {"userid": "emp007"}

    assert platform.requests_to(OLD)[0].query == {"access_token": "T1"}
    assert tokens.count == 1


@pytest.mark.parametrize("status", [400, 401])
def test_an_expired_token_is_renewed_once_and_nobody_notices(platform: Server, api: DingTalkApi, status: int) -> None:
    def answer(asked: Asked) -> Response:
        if asked.headers["x-acs-dingtalk-access-token"] == "T1":
            return refused("InvalidAuthentication", status)(asked)
        return as_json({"processQueryKey": "pqk"})

    platform.answers[SEND] = answer

    assert send(api) == {"processQueryKey": "pqk"}


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_an_expired_token_of_the_old_generation_likewise(platform: Server, api: DingTalkApi, errcode: int) -> None:
    platform.answers[OLD] = lambda asked: as_json(
        {"errcode": errcode, "errmsg": "expired"} if asked.query["access_token"] == "T1" else {"errcode": 0, "result": {}}
    )

    assert api.call_old(OLD, {})["result"] == {}


def test_a_token_refused_for_ever_costs_one_more_try_and_no_more(platform: Server, api: DingTalkApi, tokens: Tokens) -> None:
    platform.answers[SEND] = refused("InvalidAuthentication")

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code) == (Failure.TEMPORARY, "InvalidAuthentication")
    assert (len(platform.requests_to(SEND)), tokens.count) == (2, 2)


def test_wrong_credentials_are_refused_and_asked_for_once(platform: Server, tokens: Tokens) -> None:
    api = DingTalkApi("dingdemoapp", "wrong", platform.url, platform.url)

    for _ in range(3):
        failure = failure_of(lambda: send(api))
        assert (failure.kind, failure.code) == (Failure.REFUSED, "invalidClientIdOrSecret")

    assert tokens.count == 1


@pytest.mark.parametrize(
    ("code", "status", "kind", "retry_after"),
    [
        (QPS, 403, Failure.TEMPORARY, 1.0),
        ("Forbidden.AccessDenied.QpsLimitForApi", 403, Failure.TEMPORARY, 4.0),
        ("Forbidden.AccessDenied.ApiCountLimitForOrg", 403, Failure.REFUSED, None),
        ("send.too.fast", 400, Failure.TEMPORARY, 60.0),
        ("system.busy", 500, Failure.TEMPORARY, None),
        ("staffId.notExisted", 400, Failure.REFUSED, None),
        ("invalidParameter.msgParam.invalid", 400, Failure.REFUSED, None),
        ("brand.new.code", 400, Failure.REFUSED, None),
        ("brand.new.code", 500, Failure.UNKNOWN, None),
    ],
)
def test_a_code_says_what_to_do_and_the_status_does_not(
    platform: Server, api: DingTalkApi, code: str, status: int, kind: Failure, retry_after: float | None
) -> None:
    platform.answers[SEND] = refused(code, status)

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code, failure.retry_after) == (kind, code, retry_after)
    assert "emp007" not in failure.text
    assert "王五" not in failure.text


def test_a_missing_permission_is_named(platform: Server, api: DingTalkApi) -> None:
    detail = {"requiredScopes": ["Card.Instance.Write", "qyapi_robot_sendmsg"]}
    platform.answers[SEND] = refused("Forbidden.AccessDenied.AccessTokenPermissionDenied", 403, accessdenieddetail=detail)

    failure = failure_of(lambda: send(api))

    assert failure.kind is Failure.REFUSED
    assert failure.text == "the app lacks a permission: Card.Instance.Write, qyapi_robot_sendmsg"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"errcode": 90018, "errmsg": "qps"}, Failure.TEMPORARY, "90018"),
        ({"errcode": -1, "errmsg": "busy"}, Failure.TEMPORARY, "-1"),
        (
            {"errcode": 15, "errmsg": "remote", "sub_code": "isp.top-remote-connection-timeout"},
            Failure.UNKNOWN,
            "15 isp.top-remote-connection-timeout",
        ),
        ({"errcode": 88, "errmsg": "ding talk error", "sub_code": ""}, Failure.UNKNOWN, "88"),
        ({"errcode": 88, "errmsg": "ding talk error", "sub_code": "60011"}, Failure.REFUSED, "88 60011"),
        ({"errcode": 33012, "errmsg": "无效的USERID"}, Failure.REFUSED, "33012"),
        ({"errcode": 60020, "errmsg": "ip"}, Failure.REFUSED, "60020"),
        ({"result": {}}, Failure.UNKNOWN, "http_200"),
        ({"errcode": "soon"}, Failure.UNKNOWN, "http_200"),
    ],
)
def test_the_old_generation_fails_with_status_200(
    platform: Server, api: DingTalkApi, answer: dict[str, object], kind: Failure, code: str
) -> None:
    platform.answers[OLD] = lambda asked: as_json(answer)

    failure = failure_of(lambda: api.call_old(OLD, {}))

    assert (failure.kind, failure.code) == (kind, code)


@pytest.mark.parametrize(
    ("response", "kind", "code", "retry_after"),
    [
        (Response("<!DOCTYPE html><p>blocked", content_type="text/html"), Failure.TEMPORARY, "html", 300.0),
        (Response("<html>", status=403), Failure.TEMPORARY, "html", 300.0),
        (as_json({"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}), Failure.TEMPORARY, "ip_blocked", 300.0),
        (Response("gateway timeout", status=504), Failure.UNKNOWN, "http_504", None),
        (as_json({"code": "x"}, 504), Failure.UNKNOWN, "http_504", None),
        (Response('{"processQue'), Failure.UNKNOWN, "not_json", None),
        (as_json(["pqk"]), Failure.UNKNOWN, "not_object", None),
        (as_json({}, 502), Failure.UNKNOWN, "http_502", None),
        (Response(status=302, headers={"Location": "/elsewhere"}), Failure.REFUSED, "http_302", None),
    ],
)
def test_an_answer_that_is_not_the_platforms_is_a_failure(
    platform: Server, api: DingTalkApi, response: Response, kind: Failure, code: str, retry_after: float | None
) -> None:
    platform.answers[SEND] = lambda asked: response

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code, failure.retry_after) == (kind, code, retry_after)


@pytest.mark.parametrize("answer", [Response("<html>"), as_json({"accessToken": None}), Response("bad gateway", status=502)])
def test_without_a_token_the_message_was_surely_not_sent(platform: Server, api: DingTalkApi, answer: Response) -> None:
    platform.answers[TOKEN] = lambda asked: answer

    assert failure_of(lambda: send(api)).kind is Failure.TEMPORARY
    assert platform.requests_to(SEND) == []


def test_silence_after_the_request_left_is_unknown_and_nobody_there_is_temporary(platform: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        api = DingTalkApi("dingdemoapp", SECRET, platform.url, f"http://127.0.0.1:{port}", timeout=(1, 0.2))
        silent = failure_of(lambda: api.call_old(OLD, {}))
    nobody = failure_of(lambda: api.call_old(OLD, {}))

    assert (silent.kind, silent.code) == (Failure.UNKNOWN, "no_answer")
    assert (nobody.kind, nobody.code) == (Failure.TEMPORARY, "connect")
