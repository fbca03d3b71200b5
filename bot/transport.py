"""HTTP as the platforms' API clients need it: a session that stays quiet, and what a call without a readable answer means."""

from __future__ import annotations

import ipaddress
import logging
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from bot.channel import Failure, SendFailed

_POOL_SIZE = 16

# Of the rest of requests' errors each is a bug of the caller (a broken URL, a bad header): those may rise.
NO_ANSWER = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)


def new_session(base_url: str) -> requests.Session:
    """A pooled session. Proxies of the environment are not used for a server on this machine (the sandbox)."""
    # At DEBUG urllib3 writes request lines, and both platforms carry tokens and secrets in the query.
    logging.getLogger("urllib3").setLevel(logging.INFO)
    session = requests.Session()
    session.trust_env = not is_loopback(base_url)
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=_POOL_SIZE))
    return session


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unanswered(error: requests.RequestException) -> SendFailed:
    """Judge a call that brought no answer: TEMPORARY when the request cannot have left, UNKNOWN when it may have been done.

    The error's own text is dropped: it quotes the URL, and with it the access token.
    """
    if _never_left(error):
        return SendFailed(Failure.TEMPORARY, "connect", "the platform could not be reached")
    return SendFailed(Failure.UNKNOWN, "no_answer", "the request left but no answer came back")


def unreadable(body: bytes, retry_after: float | None = None) -> SendFailed:
    """Judge an answer that is not JSON. A page in HTML comes from a guard in front of the platform, which did nothing; anything else
    may be the mutilated answer to something done."""
    if body.lstrip()[:1] == b"<":
        return SendFailed(Failure.TEMPORARY, "html", "a page instead of an answer: blocked, or a proxy in between", retry_after)
    return SendFailed(Failure.UNKNOWN, "not_json", "the answer is not JSON")


def _never_left(error: requests.RequestException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
