"""WeCom's callbacks come sealed: open them, prove our address to the console, seal what we answer.

Source: WeCom developer centre, "接收消息与事件" (90238, 90930) and "加解密方案说明" (91144); platform notes wecom.md §2 and §3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.envelope import MAX_BODY_BYTES, Seal
from bot.errors import BadRequest

# Read without an XML parser: until the signature fits, the body is a stranger's.
_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")


@dataclass(frozen=True)
class Keys:
    """What the administrator copies from the app's page "接收消息". Raises ValueError when a part cannot be right."""

    corp_id: str
    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)

    def __post_init__(self) -> None:
        self.seal()

    def seal(self) -> Seal:
        """The envelope of a self-built app: its receiver is the enterprise."""
        return Seal(self.token, self.encoding_aes_key, (self.corp_id,))


def open_envelope(body: bytes, signature: str, timestamp: str, nonce: str, keys: Keys) -> bytes:
    """Verify and decrypt a callback; return the inner XML (UTF-8).

    Raises Unauthorised for a wrong signature or receiver, BadRequest for what is too large, no envelope, or cannot be decrypted. The
    timestamp is signed but its age is not judged: a repeated callback is caught by its id, and no page states a limit.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BadRequest("the body is too large")
    found = _ENCRYPT.search(body)
    if found is None:
        raise BadRequest("the body is no envelope")
    return keys.seal().open(found[1].decode(), signature, timestamp, nonce)


def verify_url(signature: str, timestamp: str, nonce: str, echostr: str, keys: Keys) -> bytes:
    """What the console wants to read back when the callback address is saved (URL-decoded `echostr`). Raises as `open_envelope`."""
    return keys.seal().open(echostr, signature, timestamp, nonce)


def seal(message: bytes, timestamp: str, nonce: str, keys: Keys) -> bytes:
    """Wrap an answer (inner XML) as the envelope of a passive reply."""
    cipher_text, signature = keys.seal().close(message, timestamp, nonce)
    return (
        f"<xml><Encrypt><![CDATA[{cipher_text}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ).encode()
