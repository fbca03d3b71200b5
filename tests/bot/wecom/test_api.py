from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Response

from bot.channel import Failure, SendFailed
from bot.wecom.api import WeComApi
from tests.bot.server import Asked, Server, as_json, serving

SECRET = "s3cret-of-the-app"


class Tokens:
    """gettoken, with a new token each time and one of them good."""

    def __init__(self) -> None:
        self.count = 0
        self.refused: set[str] = set()

    def __call__(self, asked: Asked) -> Response:
        self.count += 1
        if asked.query.get("corpsecret") != SECRET:
            return as_json({"errcode": 40001, "errmsg": f"invalid credential, hint: [1], from ip: 203.0.113.7, {SECRET}"})
        return as_json({"errcode": 0, "errmsg": "ok", "access_token": f"T{self.count}", "expires_in": 7200})


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def platform(tokens: Tokens) -> Iterator[Server]:
    with serving({"/cgi-bin/gettoken": tokens}) as server:
        yield server


@pytest.fixture
def api(platform: Server) -> WeComApi:
    return WeComApi("ww1", SECRET, platform.url, timeout=(1, 0.5))


def failure_of(act: Callable[[], object]) -> SendFailed:
    with pytest.raises(SendFailed) as failure:
        act()
    assert SECRET not in f"{failure.value}"
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__ or failure.value.__context__ is None
    return failure.value


def send(api: WeComApi) -> dict[str, object]:
    return api.call("post", "message/send", body={"touser": "li.si", "text": {"content": "你好"}})


def test_a_call_carries_its_token_in_the_address_and_plain_utf8_in_the_body(platform: Server, api: WeComApi) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0, "errmsg": "ok", "msgid": "M1"})

    assert send(api)["msgid"] == "M1"

    asked = platform.requests_to("/cgi-bin/message/send")[0]
    assert asked.query == {"access_token": "T1"}
    assert asked.body == '{"text":{"content":"你好"},"touser":"li.si"}'.encode()


def test_a_repeat_is_the_same_bytes_whatever_order_the_database_kept_the_keys_in(platform: Server, api: WeComApi) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0})

    api.call("post", "message/send", body={"a": 1, "b": {"c": 2, "d": 3}})
    api.call("post", "message/send", body={"b": {"d": 3, "c": 2}, "a": 1})

    first, second = platform.requests_to("/cgi-bin/message/send")
    assert first.body == second.body


def test_parameters_of_a_get_stand_beside_the_token(platform: Server, api: WeComApi) -> None:
    platform.answers["/cgi-bin/user/list"] = lambda asked: as_json({"errcode": 0, "userlist": []})

    api.call("get", "user/list", params={"department_id": 2})

    assert platform.requests_to("/cgi-bin/user/list")[0].query == {"access_token": "T1", "department_id": "2"}


def test_many_calls_use_one_token(platform: Server, api: WeComApi, tokens: Tokens) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0})

    for _ in range(5):
        send(api)

    assert tokens.count == 1


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_an_expired_token_is_renewed_once_and_nobody_notices(platform: Server, api: WeComApi, tokens: Tokens, errcode: int) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json(
        {"errcode": errcode, "errmsg": "expired"} if asked.query["access_token"] == "T1" else {"errcode": 0, "msgid": "M1"}
    )

    assert send(api)["msgid"] == "M1"
    assert tokens.count == 2


def test_a_token_refused_for_ever_costs_one_more_try_and_no_more(platform: Server, api: WeComApi, tokens: Tokens) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 42001, "errmsg": "expired"})

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code) == (Failure.TEMPORARY, "42001")
    assert len(platform.requests_to("/cgi-bin/message/send")) == 2
    assert tokens.count == 2


def test_a_wrong_secret_is_refused_asked_for_once_and_never_shown(platform: Server, tokens: Tokens) -> None:
    api = WeComApi("ww1", "wrong", platform.url)

    for _ in range(3):
        failure = failure_of(lambda: send(api))
        assert (failure.kind, failure.code) == (Failure.REFUSED, "40001")

    assert tokens.count == 1


@pytest.mark.parametrize(
    ("errcode", "kind", "retry_after"),
    [
        (-1, Failure.TEMPORARY, None),
        (6000, Failure.TEMPORARY, None),
        (45009, Failure.TEMPORARY, 60.0),
        (45033, Failure.TEMPORARY, 2.0),
        (81013, Failure.REFUSED, None),
        (60140, Failure.SPENT, None),
        (60011, Failure.REFUSED, None),
        (301002, Failure.REFUSED, None),
        (987654, Failure.REFUSED, None),
    ],
)
def test_an_errcode_says_what_to_do(platform: Server, api: WeComApi, errcode: int, kind: Failure, retry_after: float | None) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": errcode, "errmsg": "user li.si of 王五"})

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code, failure.retry_after) == (kind, str(errcode), retry_after)
    assert "li.si" not in failure.text
    assert "王五" not in failure.text


def test_an_address_that_is_not_trusted_is_named(platform: Server, api: WeComApi) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json(
        {"errcode": 60020, "errmsg": "not allow to access from your ip, hint: [17], from ip: 203.0.113.7, more info at https://…"}
    )

    assert failure_of(lambda: send(api)).text.endswith("(企业可信IP): 203.0.113.7")


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (Response("<html>blocked</html>", content_type="text/html"), Failure.TEMPORARY, "html"),
        (Response('{"errcode": 0, "errm', content_type="application/json"), Failure.UNKNOWN, "not_json"),
        (as_json([1, 2]), Failure.UNKNOWN, "no_errcode"),
        (as_json({"msgid": "M1"}), Failure.UNKNOWN, "no_errcode"),
        (as_json({"errcode": "many"}), Failure.UNKNOWN, "no_errcode"),
        (as_json({"errcode": None}), Failure.UNKNOWN, "no_errcode"),
        (Response("oops", status=502), Failure.UNKNOWN, "http_502"),
        (Response("slow down", status=429), Failure.TEMPORARY, "http_429"),
        (Response("where?", status=404), Failure.REFUSED, "http_404"),
        (Response(status=302, headers={"Location": "/elsewhere"}), Failure.REFUSED, "http_302"),
    ],
)
def test_an_answer_that_is_not_the_platforms_is_a_failure(
    platform: Server, api: WeComApi, response: Response, kind: Failure, code: str
) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: response

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code) == (kind, code)


def test_silence_after_the_request_left_is_unknown(tokens: Tokens) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, serving({"/cgi-bin/gettoken": tokens}) as platform:
        api = WeComApi("ww1", SECRET, platform.url, timeout=(1, 0.2))
        platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0})
        send(api)
        api._client.API_BASE_URL = f"http://127.0.0.1:{deaf.getsockname()[1]}/cgi-bin/"

        failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code) == (Failure.UNKNOWN, "no_answer")


def test_nobody_there_is_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    api = WeComApi("ww1", SECRET, f"http://127.0.0.1:{port}", timeout=(1, 1))

    failure = failure_of(lambda: send(api))

    assert (failure.kind, failure.code) == (Failure.TEMPORARY, "connect")


def test_proxies_of_the_environment_do_not_stand_before_a_local_platform(
    platform: Server, api: WeComApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0, "msgid": "M1"})

    assert send(api)["msgid"] == "M1"
