"""The envelope cipher that both platforms use, written from their pages.

AES-256-CBC, key = base64(EncodingAESKey + "="), IV = the key's first 16 bytes; plain text = 16 random bytes, length of the
message in bytes (4, big-endian), message, receiver id; PKCS#7 to a multiple of 32.
Source: [doc 91144] 加解密方案说明; DingTalk's event page describes the same layout.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


class Undecryptable(Exception):
    """The text is no envelope of this key."""


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """SHA-1 over the four, sorted as strings and joined; lower-case hex."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode()).hexdigest()


def encrypt(message: str, receiver: str, aes_key: str, random16: bytes | None = None) -> str:
    """Base64 of the envelope. `random16` is for test vectors only."""
    body = message.encode()
    plain = (random16 or secrets.token_bytes(16)) + len(body).to_bytes(4, "big") + body + receiver.encode()
    pad = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(aes_key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()


def decrypt(encrypted: str, aes_key: str) -> tuple[str, str]:
    """(message, receiver id). Raises Undecryptable when anything about it is wrong."""
    try:
        sealed = base64.b64decode(encrypted, validate=True)
        decryptor = _cipher(aes_key).decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
        pad = plain[-1]
        if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise Undecryptable("padding")
        plain = plain[:-pad]
        length = int.from_bytes(plain[16:20], "big")
        if len(plain) < 20 + length:
            raise Undecryptable("length")
        return plain[20 : 20 + length].decode(), plain[20 + length :].decode()
    except (binascii.Error, ValueError, IndexError) as error:
        raise Undecryptable(type(error).__name__) from error


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
