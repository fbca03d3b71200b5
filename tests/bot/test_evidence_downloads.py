"""Files come from real servers on loopback, good and bad ones."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
from werkzeug.wrappers import Response

from bot.channel import Failure, SendFailed
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.media import DingTalkMedia
from bot.downloads import Downloader, Gone, TooLarge, read
from bot.wecom.api import WeComApi
from bot.wecom.media import WeComMedia
from tests.bot.server import Asked, Server, as_json, serving

CONTENT = b"\x89PNG\r\n\x1a\n" + b"picture" * 1000
TIMEOUT = (1.0, 0.5)


def at_most(limit: int) -> Callable[[bytes], int]:
    return lambda head: limit


def a_file(content: bytes = CONTENT, **headers: str) -> Callable[[Asked], Response]:
    return lambda asked: Response(content, headers=headers, content_type="application/octet-stream")


@contextmanager
def answering(*parts: bytes, pause: float = 0.0) -> Iterator[str]:
    """A server that sends these bytes as they are, with a pause before each, and hangs up; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            for part in parts:
                stop.wait(pause)
                try:
                    connection.sendall(part)
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()
        thread.join(5)


def got(url: str, limit: int = 100_000) -> bytes:
    return Downloader((url,), TIMEOUT).get(f"{url}/file", at_most(limit))


def test_a_file_is_read_whole() -> None:
    with serving({"/file": a_file()}) as server:
        assert got(server.url) == CONTENT


def test_exactly_the_limit_is_taken_and_a_byte_more_is_not() -> None:
    with serving({"/file": a_file()}) as server:
        assert got(server.url, len(CONTENT)) == CONTENT
        with pytest.raises(TooLarge):
            got(server.url, len(CONTENT) - 1)


def test_the_limit_is_told_by_the_first_bytes() -> None:
    heads = []

    def limit(head: bytes) -> int:
        heads.append(head)
        return 10**6

    with serving({"/file": a_file()}) as server:
        Downloader((server.url,), TIMEOUT).get(f"{server.url}/file", limit)

    assert heads[0].startswith(b"\x89PNG")
    assert max(map(len, heads)) <= 64


def test_a_file_without_an_end_is_cut_off_at_the_limit() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000

    with answering(endless, b"x" * 300_000) as url, pytest.raises(TooLarge):
        got(url, 200_000)


def test_a_file_that_breaks_off_is_tried_again() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as url, pytest.raises(SendFailed) as failure:
        got(url)

    assert failure.value.kind is Failure.TEMPORARY


def test_a_server_that_sends_a_byte_now_and_then_is_left() -> None:
    drops = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *([b"x"] * 50)]

    with answering(*drops, pause=0.02) as url:
        response = requests.get(url, stream=True, timeout=TIMEOUT)
        with pytest.raises(SendFailed) as failure:
            read(response, at_most(1000), longest_seconds=0.1)

    assert (failure.value.kind, failure.value.code) == (Failure.TEMPORARY, "too_slow")


def test_a_compressed_answer_is_not_unpacked() -> None:
    with serving({"/file": a_file(b"\x1f\x8b a bomb", **{"Content-Encoding": "gzip"})}) as server:
        assert got(server.url) == b"\x1f\x8b a bomb"
        assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "raised"), [(404, Gone), (403, Gone), (410, Gone), (500, SendFailed), (503, SendFailed), (429, SendFailed)]
)
def test_what_is_not_there_is_gone_and_what_fails_is_tried_again(status: int, raised: type[Exception]) -> None:
    with serving({"/file": lambda asked: Response(status=status)}) as server, pytest.raises(raised):
        got(server.url)


def test_nobody_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(SendFailed) as failure:
        got(url)

    assert failure.value.kind is Failure.TEMPORARY


def test_three_redirects_are_followed_and_a_circle_is_not() -> None:
    def to(path: str) -> Callable[[Asked], Response]:
        return lambda asked: Response(status=302, headers={"Location": path})

    with serving({"/file": to("/a"), "/a": to("/b"), "/b": to("/c"), "/c": a_file(), "/x": to("/x")}) as server:
        assert got(server.url) == CONTENT
        with pytest.raises(Gone):
            Downloader((server.url,), TIMEOUT).get(f"{server.url}/x", at_most(1))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/file",
        "gopher://127.0.0.1/",
        "//example.com/file",
        "http://",
        "http://example.com:99999/",
        "http://[::1",
        "not an address",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://0.0.0.0/",
        "http://10.0.0.8/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1%25lo]/",
        "http://[fd00::1]/",
        "http://user:password@127.0.0.1/",
    ],
)
def test_addresses_inside_this_network_and_other_schemes_are_not_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)

    with pytest.raises(Gone):
        Downloader(("http://trusted.example",), TIMEOUT).get(url, at_most(1))


def test_a_name_that_leads_to_this_machine_is_not_asked_though_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    with serving({"/file": a_file()}) as server:
        port = server.url.rpartition(":")[2]

        with pytest.raises(Gone):
            Downloader((), TIMEOUT).get(f"http://localhost:{port}/file", at_most(10**6))

        assert server.asked == []


def test_a_redirect_into_this_network_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    with serving({"/file": a_file()}) as inside, serving({}) as trusted:
        trusted.answers["/file"] = lambda asked: Response(status=302, headers={"Location": f"{inside.url}/file"})

        with pytest.raises(Gone):
            got(trusted.url)

        assert inside.asked == []


def test_another_port_of_a_trusted_host_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_proxies(monkeypatch)
    with serving({"/file": a_file()}) as other, serving({}) as trusted, pytest.raises(Gone):
        Downloader((trusted.url,), TIMEOUT).get(f"{other.url}/file", at_most(10**6))


def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


# -- WeCom ---------------------------------------------------------------------------------------------------------------------


class WeCom:
    """gettoken and media/get; `refusals` are answered before the file is."""

    def __init__(self) -> None:
        self.tokens = 0
        self.refusals: list[object] = []

    def token(self, asked: Asked) -> Response:
        self.tokens += 1
        return as_json({"errcode": 0, "access_token": f"T{self.tokens}", "expires_in": 7200})

    def media(self, asked: Asked) -> Response:
        if self.refusals:
            return as_json(self.refusals.pop(0))
        return Response(CONTENT, content_type="image/png", headers={"Content-Disposition": 'attachment; filename="a.exe"'})


@pytest.fixture
def wecom() -> WeCom:
    return WeCom()


@pytest.fixture
def wecom_server(wecom: WeCom) -> Iterator[Server]:
    with serving({"/cgi-bin/gettoken": wecom.token, "/cgi-bin/media/get": wecom.media}) as server:
        yield server


@pytest.fixture
def wecom_media(wecom_server: Server) -> WeComMedia:
    return WeComMedia(WeComApi("ww1", "secret", wecom_server.url, TIMEOUT))


def test_wecom_gives_a_file_for_its_media_id(wecom_media: WeComMedia, wecom_server: Server) -> None:
    assert wecom_media.fetch("MEDIA77", at_most(100_000)) == CONTENT
    assert wecom_server.requests_to("/cgi-bin/media/get")[0].query == {"media_id": "MEDIA77", "access_token": "T1"}


def test_wecoms_refusal_comes_with_http_200_and_is_no_file(wecom: WeCom, wecom_media: WeComMedia) -> None:
    wecom.refusals = [{"errcode": 40007, "errmsg": "invalid media_id"}]

    with pytest.raises(Gone):
        wecom_media.fetch("OLD", at_most(100_000))


def test_a_token_that_ran_out_is_renewed_once(wecom: WeCom, wecom_media: WeComMedia) -> None:
    wecom.refusals = [{"errcode": 42001, "errmsg": "access_token expired"}]

    assert wecom_media.fetch("MEDIA77", at_most(100_000)) == CONTENT
    assert wecom.tokens == 2


@pytest.mark.parametrize(
    ("refusal", "code", "kind"),
    [
        ({"errcode": -1, "errmsg": "busy"}, "-1", Failure.TEMPORARY),
        ({"errcode": 45009, "errmsg": "limit"}, "45009", Failure.TEMPORARY),
        ({"errcode": 60020, "errmsg": "ip"}, "60020", Failure.REFUSED),
        ({"errcode": "what", "errmsg": ""}, "no_errcode", Failure.UNKNOWN),
        ({"errcode": [1]}, "no_errcode", Failure.UNKNOWN),
        (["odd"], "not_json", Failure.UNKNOWN),
    ],
)
def test_other_refusals_of_wecom_keep_their_code(
    wecom: WeCom, wecom_media: WeComMedia, refusal: object, code: str, kind: Failure
) -> None:
    wecom.refusals = [refusal]

    with pytest.raises(SendFailed) as failure:
        wecom_media.fetch("MEDIA77", at_most(100_000))

    assert (failure.value.code, failure.value.kind) == (code, kind)


def test_a_gateway_in_front_of_wecom_that_fails_is_told_apart(wecom_server: Server, wecom_media: WeComMedia) -> None:
    wecom_server.answers["/cgi-bin/media/get"] = lambda asked: Response("<html>", status=502, content_type="text/html")

    with pytest.raises(SendFailed) as failure:
        wecom_media.fetch("MEDIA77", at_most(100_000))

    assert failure.value.code == "http_502"


# -- DingTalk ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def dingtalk_server() -> Iterator[Server]:
    token = {"accessToken": "T1", "expireIn": 7200}
    with serving({"/v1.0/oauth2/accessToken": lambda asked: as_json(token), "/oss/a.file": a_file()}) as server:
        server.answers["/v1.0/robot/messageFiles/download"] = lambda asked: as_json({"downloadUrl": f"{server.url}/oss/a.file"})
        yield server


@pytest.fixture
def dingtalk_media(dingtalk_server: Server) -> DingTalkMedia:
    api = DingTalkApi("ding1", "secret", dingtalk_server.url, dingtalk_server.url, TIMEOUT)
    return DingTalkMedia(api, "robot1", Downloader((dingtalk_server.url,), TIMEOUT))


def test_dingtalk_gives_an_address_for_a_code_and_the_file_there_without_a_token(
    dingtalk_server: Server, dingtalk_media: DingTalkMedia
) -> None:
    assert dingtalk_media.fetch("dc-1", at_most(100_000)) == CONTENT

    asked = dingtalk_server.requests_to("/v1.0/robot/messageFiles/download")[0]
    assert asked.json == {"downloadCode": "dc-1", "robotCode": "robot1"}
    assert "x-acs-dingtalk-access-token" not in dingtalk_server.requests_to("/oss/a.file")[0].headers


def test_a_code_that_dingtalk_does_not_know_is_gone(dingtalk_server: Server, dingtalk_media: DingTalkMedia) -> None:
    no = {"code": "invalidParameter.robotCode.downloadCode", "message": "x", "requestid": "r"}
    dingtalk_server.answers["/v1.0/robot/messageFiles/download"] = lambda asked: as_json(no, 400)

    with pytest.raises(Gone):
        dingtalk_media.fetch("dc-1", at_most(100_000))


@pytest.mark.parametrize(
    "answer", [{}, {"downloadUrl": None}, {"downloadUrl": "file:///etc/passwd"}, {"downloadUrl": "http://10.0.0.1/a"}]
)
def test_an_address_of_dingtalk_that_cannot_be_asked_is_tried_again_later(
    dingtalk_server: Server, dingtalk_media: DingTalkMedia, answer: object
) -> None:
    dingtalk_server.answers["/v1.0/robot/messageFiles/download"] = lambda asked: as_json(answer)

    with pytest.raises(SendFailed) as failure:
        dingtalk_media.fetch("dc-1", at_most(100_000))

    assert failure.value.kind is Failure.TEMPORARY
