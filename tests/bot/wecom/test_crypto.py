"""The vector is the one of the platform notes, §3.2."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.errors import BadRequest, Unauthorised
from bot.wecom.crypto import Keys, open_envelope, seal, verify_url

KEYS = Keys("ww00000000000000a1", "sandboxToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
MESSAGE = "<xml><MsgType>text</MsgType><Content>你好</Content></xml>".encode()
ENCRYPTED = (
    "Q3stYC6hdFzMh9T8HCvyDNDn6jrpTZY3NrlrOC2quVzHuPiMiN8/CEHrxIEmnwuwr6jCem3df9ezFKDcwBMXdGbh8CDjfv11GK64oyAn+eTZSrYbF2ISTotaNUc3"
    "nd+KKerxnNVQvAo3E8Ytpug/mxpildwh+pb/X/BcnQj1dDk="
)
SIGNATURE = "faeb13a40f6aa683e9dba41ac52ae5ec72719457"
BODY = (
    f"<xml><AgentID><![CDATA[1000002]]></AgentID><Encrypt><![CDATA[{ENCRYPTED}]]></Encrypt>"
    "<ToUserName><![CDATA[ww00000000000000a1]]></ToUserName></xml>"
).encode()


def test_the_published_envelope_opens() -> None:
    assert open_envelope(BODY, SIGNATURE, "1760000000", "n0nce42", KEYS) == MESSAGE


def test_the_envelope_opens_without_cdata_and_with_space_around_it() -> None:
    body = f"<xml>\n  <Encrypt>\n {ENCRYPTED}\n </Encrypt>\n</xml>".encode()

    assert open_envelope(body, SIGNATURE, "1760000000", "n0nce42", KEYS) == MESSAGE


def test_the_console_reads_back_the_plain_text() -> None:
    assert verify_url(SIGNATURE, "1760000000", "n0nce42", ENCRYPTED, KEYS) == MESSAGE


def test_another_enterprise_cannot_speak_to_us() -> None:
    other = Keys("ww00000000000000b2", KEYS.token, KEYS.encoding_aes_key)

    with pytest.raises(Unauthorised):
        open_envelope(BODY, SIGNATURE, "1760000000", "n0nce42", other)


def test_a_body_above_the_cap_is_not_even_searched() -> None:
    with pytest.raises(BadRequest):
        open_envelope(BODY + b" " * 64 * 1024, SIGNATURE, "1760000000", "n0nce42", KEYS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<xml></xml>",
        b"<xml><Encrypt></Encrypt></xml>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        b"\xff" * 100,
    ],
)
def test_a_body_that_is_no_envelope_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        open_envelope(body, SIGNATURE, "1760000000", "n0nce42", KEYS)


@given(st.binary(max_size=500))
def test_whatever_a_stranger_sends_is_turned_away(body: bytes) -> None:
    with pytest.raises((BadRequest, Unauthorised)):
        open_envelope(b"<Encrypt>" + body + b"</Encrypt>", SIGNATURE, "1760000000", "n0nce42", KEYS)


def test_what_we_seal_the_sdk_of_the_other_side_can_read() -> None:
    body = seal(b"<xml><MsgType>text</MsgType></xml>", "1760000001", "abc123", KEYS)
    their_side = WeChatCrypto(KEYS.token, KEYS.encoding_aes_key, KEYS.corp_id)
    found = re.search(r"<MsgSignature><!\[CDATA\[(\w+)\]\]>", body.decode())
    assert found

    assert their_side.decrypt_message(body, found[1], "1760000001", "abc123") == "<xml><MsgType>text</MsgType></xml>"


def test_keys_are_checked_at_once_and_never_shown() -> None:
    with pytest.raises(ValueError, match="43 letters and digits"):
        Keys("ww1", "token", "tooshort")
    with pytest.raises(ValueError, match="receiver"):
        Keys("", "token", KEYS.encoding_aes_key)
    assert KEYS.token not in repr(KEYS)
    assert KEYS.encoding_aes_key not in repr(KEYS)
