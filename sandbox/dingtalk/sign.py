"""DingTalk's signatures. Source: [doc receive-message] robot, [doc event-callback-card] cards; events use sandbox.cipher."""

from __future__ import annotations

import base64
import hashlib
import hmac


def robot_sign(timestamp_ms: str, app_secret: str) -> str:
    """Header `sign` of a robot message over HTTP: HMAC-SHA256 over timestamp, newline, secret; base64."""
    return _hmac(app_secret, f"{timestamp_ms}\n{app_secret}")


def card_sign(timestamp_ms: str, api_secret: str) -> str:
    """Header `x-ddpaas-signature` of a card callback over HTTP: HMAC-SHA256 over the timestamp; base64."""
    return _hmac(api_secret, timestamp_ms)


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()
