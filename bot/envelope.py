"""The sealed envelope of callbacks: one scheme, which WeCom wraps in XML and DingTalk (events over HTTP) in JSON.

    signature  = sha1 of the sorted strings token, timestamp, nonce, cipher text
    plain text = 16 random bytes, 4-byte big-endian length, message, receiver id; padded to a multiple of 32 bytes
    cipher     = AES-256-CBC, key = base64 of the 43 configured characters, IV = its first 16 bytes

Source: WeCom "加解密方案说明" (90968, 91144) and DingTalk "回调加解密"; platform notes wecom.md §3.2, dingtalk.md §5.2.
The cipher is wechatpy's; its envelope code is not used: it parses before it checks, compares signatures byte by byte, leaves
the padding unchecked and leaks a dozen kinds of error.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct
from dataclasses import dataclass, field

from wechatpy.enterprise.crypto import PrpCrypto

from bot.errors import BadRequest, Unauthorised

MAX_BODY_BYTES = 64 * 1024

_BLOCK = 32
_HEAD = 16 + 4


@dataclass(frozen=True)
class Seal:
    """What both sides know. `receivers` are the ids that may stand at the end of a message to us; we seal with the first.

    Raises ValueError when a part cannot be right; the text names the part, never its value.
    """

    token: str = field(repr=False)
    encoding_aes_key: str = field(repr=False)
    receivers: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.token:
            raise ValueError("token is empty")
        if not re.fullmatch(r"[A-Za-z0-9]{43}", self.encoding_aes_key):
            raise ValueError("encoding_aes_key must be exactly 43 letters and digits")
        if not self.receivers or not all(self.receivers):
            raise ValueError("the receiver id is empty")

    def sign(self, timestamp: str, nonce: str, cipher_text: str) -> str:
        """40 lower-case hex digits."""
        parts = sorted(part.encode(errors="replace") for part in (self.token, timestamp, nonce, cipher_text))
        return hashlib.sha1(b"".join(parts)).hexdigest()  # noqa: S324 - the platforms sign with SHA-1

    def open(self, cipher_text: str, signature: str, timestamp: str, nonce: str) -> bytes:
        """The message. Raises Unauthorised for a wrong signature or receiver, BadRequest when it cannot be decrypted."""
        if not hmac.compare_digest(self.sign(timestamp, nonce, cipher_text).encode(), signature.encode(errors="replace")):
            raise Unauthorised("the signature does not match")
        message, receiver = _unpack(self._decrypt(cipher_text))
        if receiver not in {name.encode() for name in self.receivers}:
            raise Unauthorised("the message is for another receiver")
        return message

    def close(self, message: bytes, timestamp: str, nonce: str) -> tuple[str, str]:
        """(cipher text, signature) of a message from us."""
        plain = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + self.receivers[0].encode()
        padding = _BLOCK - len(plain) % _BLOCK
        cipher_text = base64.b64encode(self._cipher().encrypt(plain + bytes([padding]) * padding)).decode()
        return cipher_text, self.sign(timestamp, nonce, cipher_text)

    def _decrypt(self, cipher_text: str) -> bytes:
        try:
            plain: bytes = self._cipher().decrypt(base64.b64decode(cipher_text, validate=True))
        except (binascii.Error, ValueError):
            raise BadRequest("the message cannot be decrypted") from None
        return plain

    def _cipher(self) -> PrpCrypto:
        return PrpCrypto(base64.b64decode(self.encoding_aes_key + "=")).cipher


def _unpack(plain: bytes) -> tuple[bytes, bytes]:
    """(message, receiver id) of a decrypted plain text. Raises BadRequest when padding or length is wrong."""
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise BadRequest("the padding of the message is wrong")
    content = plain[:-padding]
    if len(content) < _HEAD:
        raise BadRequest("the message is too short")
    end = _HEAD + int.from_bytes(content[16:_HEAD], "big")
    if end > len(content):
        raise BadRequest("the message is shorter than it says")
    return content[_HEAD:end], content[end:]
