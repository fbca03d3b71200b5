"""The sandbox's own signature and cipher code against the vectors of the platform notes and against wechatpy."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.enterprise.crypto import WeChatCrypto

from sandbox import cipher
from sandbox.dingtalk.sign import card_sign, robot_sign

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
WECOM_MESSAGE = "<xml><MsgType>text</MsgType><Content>你好</Content></xml>"
WECOM_ENCRYPTED = (
    "Q3stYC6hdFzMh9T8HCvyDNDn6jrpTZY3NrlrOC2quVzHuPiMiN8/CEHrxIEmnwuwr6jCem3df9ezFKDcwBMXdGbh8CDjfv11GK64oyAn+eTZSrYbF2ISTotaNUc3nd+"
    "KKerxnNVQvAo3E8Ytpug/mxpildwh+pb/X/BcnQj1dDk="
)
# The published vector of the WeCom page on encryption [doc 90968]: a URL verification with its plain text.
PUBLISHED_TOKEN, PUBLISHED_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
PUBLISHED_ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="


def test_the_published_vector_of_the_wecom_page_is_opened() -> None:
    assert cipher.signature(PUBLISHED_TOKEN, "1409659589", "263014780", PUBLISHED_ECHO) == "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert cipher.decrypt(PUBLISHED_ECHO, PUBLISHED_KEY) == ("1616140317555161061", "wx5823bf96d3bd56c7")


def test_the_wecom_vector_comes_out_byte_for_byte() -> None:
    encrypted = cipher.encrypt(WECOM_MESSAGE, "ww00000000000000a1", KEY, random16=b"0123456789abcdef")

    assert encrypted == WECOM_ENCRYPTED
    assert cipher.signature("sandboxToken01", "1760000000", "n0nce42", encrypted) == "faeb13a40f6aa683e9dba41ac52ae5ec72719457"
    assert cipher.decrypt(encrypted, KEY) == (WECOM_MESSAGE, "ww00000000000000a1")


def test_the_dingtalk_event_vector_comes_out_byte_for_byte() -> None:
    encrypted = cipher.encrypt("success", "dingdemoapp", KEY, random16=b"R" * 16)

    assert encrypted == "gdMKu9O/zqaXEdvZuG7STyGuL8FGmV33/GSBBCBMt9cMlIt9gJrknLEBJZTAlN2P3VNt5PDP4axrfKrnvG84TQ=="
    assert cipher.signature("tok123", "1700000000000", "nonceA", encrypted) == "1dbc0deef0d82428fc850b9e6c2767214fd193e1"


def test_the_dingtalk_signatures_of_robot_and_card_are_those_of_the_vectors() -> None:
    assert robot_sign("1700000000000", "demo-app-secret") == "35L+VaeC+auo+F48xgwE2nbemVgZgGadfVKR4DtTTo4="
    assert card_sign("1700000000000", "demo-api-secret") == "Tbu6B8hjlisXhGjLBLBRK3nPLxHD61eCusWJ12GKMWU="


@given(st.text(max_size=200))
def test_wechatpy_opens_what_the_sandbox_seals_and_the_other_way_round(message: str) -> None:
    crypto = WeChatCrypto("sandboxToken01", KEY, "ww1")
    sealed = cipher.encrypt(message, "ww1", KEY)
    signed = cipher.signature("sandboxToken01", "1", "n", sealed)

    assert crypto.check_signature(signed, "1", "n", sealed) == message


@pytest.mark.parametrize(
    "broken",
    ["", "AAAA", "no base64!", WECOM_ENCRYPTED[:-8] + "AAAAAAA=", base64.b64encode(bytes(64)).decode()],
)
def test_what_is_no_envelope_is_undecryptable_and_nothing_else(broken: str) -> None:
    with pytest.raises(cipher.Undecryptable):
        cipher.decrypt(broken, KEY)
