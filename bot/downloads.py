"""Fetching a file that a platform keeps for us: a size that cannot be exceeded, a time that cannot be stretched, and addresses that
lead out of this network only."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from bot.channel import Failure, SendFailed
from bot.transport import NO_ANSWER, new_session, unanswered

LONGEST_SECONDS = 60.0
_CHUNK_BYTES = 64 * 1024
_MOST_REDIRECTS = 3
# A compressed answer could be larger than what comes over the wire.
PLAIN = {"Accept-Encoding": "identity"}

Limit = Callable[[bytes], int]


class Gone(Exception):
    """The platform does not give the file out (any more)."""


class TooLarge(Exception):
    """The file has more bytes than we take."""


class Media(Protocol):
    """Where a platform keeps what people send."""

    def fetch(self, handle: str, limit: Limit) -> bytes:
        """The file of this handle. `limit` says from its first bytes how many it may have. Raises Gone, TooLarge, SendFailed."""


def read(response: requests.Response, limit: Limit, *, longest_seconds: float = LONGEST_SECONDS) -> bytes:
    """The body of a streamed response. Raises TooLarge, and SendFailed when it breaks off or takes too long altogether: a server that
    sends a byte now and then is never idle long enough for a read time-out."""
    deadline = time.monotonic() + longest_seconds
    content = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            content += chunk
            if len(content) > limit(bytes(content[:64])):
                raise TooLarge
            if time.monotonic() > deadline:
                raise SendFailed(Failure.TEMPORARY, "too_slow", "the file did not arrive in time")
    except (HTTPError, OSError):
        raise SendFailed(Failure.TEMPORARY, "broke_off", "the file broke off") from None
    finally:
        response.close()
    told = response.headers.get("Content-Length", "")
    if told.isdecimal() and int(told) != len(content):
        raise SendFailed(Failure.TEMPORARY, "broke_off", "the file broke off")
    return bytes(content)


class Downloader:
    """Plain GETs of addresses that somebody else named, without any of our credentials.

    Only http and https; only to addresses of the public internet, judged before connecting by what the name resolves to, and before
    asking by what was really connected to (a name may resolve differently a moment later). `trusted` are base URLs of ours for
    which that does not hold (a gateway, the sandbox). With a proxy in the environment the proxy resolves names and keeps the
    rules; literal addresses are still judged here.
    """

    def __init__(self, trusted: Collection[str], timeout: tuple[float, float]) -> None:
        self._timeout = timeout
        self._trusting = {_place(url): new_session(url) for url in trusted}
        self._careful = requests.Session()
        for scheme in ("http://", "https://"):
            self._careful.mount(scheme, _PublicOnly())

    def get(self, url: str, limit: Limit) -> bytes:
        """The file at `url`. Raises Gone when there is none or the address is not one to go to, TooLarge, SendFailed."""
        for _ in range(_MOST_REDIRECTS + 1):
            with self._asked(url) as response:
                if not response.is_redirect:
                    _judge(response)
                    return read(response, limit)
                url = urljoin(url, response.headers["Location"])
        raise Gone("too many redirects")

    @contextmanager
    def _asked(self, url: str) -> Iterator[requests.Response]:
        try:
            response = self._session(url).get(
                url, headers=PLAIN, auth=_nobody, stream=True, allow_redirects=False, timeout=self._timeout
            )
        except NotPublic:
            raise Gone("the address is not in the public internet") from None
        except NO_ANSWER as error:
            raise unanswered(error) from None
        except (requests.RequestException, ValueError):
            raise Gone("the address cannot be asked") from None
        with response:
            yield response

    def _session(self, url: str) -> requests.Session:
        if urlsplit(url).scheme not in ("http", "https"):
            raise Gone("neither http nor https")
        if _place(url) in self._trusting:
            return self._trusting[_place(url)]
        if not _public(urlsplit(url).hostname or ""):
            raise NotPublic
        return self._careful


class NotPublic(requests.RequestException):
    """The name led to an address of this or another private network."""


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials: without this requests would look for some in a .netrc."""
    return request


def _judge(response: requests.Response) -> None:
    status = response.status_code
    if status in (408, 429) or status >= 500:
        raise SendFailed(Failure.TEMPORARY, f"http_{status}", "the file's server failed")
    if status != 200:
        raise Gone(f"http_{status}")


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _public(host: str) -> bool:
    """Whether an address is in the public internet. A name is not judged here, but when it has been connected to."""
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    inner = getattr(ip, "ipv4_mapped", None) or ip
    return inner.is_global and not inner.is_multicast


class _Refused(HTTPError):
    """As `NotPublic`, on its way through urllib3."""


def _check_name(host: str, port: int | None) -> None:
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return  # connecting fails alike, and says so
    if not all(map(_public, addresses)):
        raise _Refused


def _checked(connected: socket.socket) -> socket.socket:
    if not _public(str(connected.getpeername()[0])):
        connected.close()
        raise _Refused
    return connected


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        _check_name(self.host, self.port)
        return _checked(super()._new_conn())


class _PublicSecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        _check_name(self.host, self.port)
        return _checked(super()._new_conn())


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicSecurePool(HTTPSConnectionPool):
    ConnectionCls = _PublicSecureConnection


class _PublicOnly(HTTPAdapter):
    """Connects to public addresses only, whatever a name resolves to, before a byte of the request is sent."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicSecurePool}

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return super().send(*args, **kwargs)
        except _Refused:
            raise NotPublic from None
