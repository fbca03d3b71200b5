"""How DingTalk proves that a request over HTTP is its own: three schemes, one for each kind of callback.

Source: DingTalk open platform, "receive-message", "event-callback-card", "回调加解密"; platform notes dingtalk.md §5.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from bot.dingtalk.decode import read_object
from bot.envelope import Seal
from bot.errors import BadRequest, Unauthorised

# Documented for robot messages. Both signatures cover the time and not the body, so an old one must not open the door for ever.
_FRESH = timedelta(hours=1)


def robot_sign(timestamp: str, client_secret: str) -> str:
    """The header `sign` of a robot message."""
    return _hmac(client_secret, f"{timestamp}\n{client_secret}")


def card_sign(timestamp: str, api_secret: str) -> str:
    """The header `x-ddpaas-signature` of a card callback."""
    return _hmac(api_secret, timestamp)


def check(expected: str, given: str, timestamp: str, now: datetime) -> None:
    """Raises Unauthorised unless `given` is the `expected` signature and `timestamp` (milliseconds) is within an hour of `now`."""
    if not hmac.compare_digest(expected.encode(), given.encode(errors="replace")):
        raise Unauthorised("the signature does not match")
    try:
        signed_at = datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unauthorised("the timestamp is no time") from None
    if abs(now - signed_at) > _FRESH:
        raise Unauthorised("the timestamp is more than an hour away")


def open_event(body: bytes, signature: str, timestamp: str, nonce: str, seal: Seal) -> bytes:
    """The JSON inside an event's envelope. Raises Unauthorised for a wrong signature or receiver, BadRequest when it is unreadable."""
    cipher_text = read_object(body).get("encrypt")
    if not isinstance(cipher_text, str):
        raise BadRequest("the body is no envelope")
    return seal.open(cipher_text, signature, timestamp, nonce)


def seal_success(timestamp: str, nonce: str, seal: Seal) -> dict[str, str]:
    """The answer that counts as taken: the word "success" in an envelope."""
    cipher_text, signature = seal.close(b"success", timestamp, nonce)
    return {"msg_signature": signature, "timeStamp": timestamp, "nonce": nonce, "encrypt": cipher_text}


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message.encode(errors="replace"), hashlib.sha256)).decode()
