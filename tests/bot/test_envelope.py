from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.envelope import Seal
from bot.errors import BadRequest, Unauthorised

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SEAL = Seal("tok123", AES_KEY, ("dingdemoapp", "dingcorpdemo"))


@given(st.binary(max_size=300))
def test_what_was_closed_can_be_opened(message: bytes) -> None:
    cipher_text, signature = SEAL.close(message, "1700000000000", "nonceA")

    assert SEAL.open(cipher_text, signature, "1700000000000", "nonceA") == message


def test_a_message_for_any_of_our_ids_is_ours() -> None:
    from_corp = Seal("tok123", AES_KEY, ("dingcorpdemo",))
    cipher_text, signature = from_corp.close(b"hello", "1", "n")

    assert SEAL.open(cipher_text, signature, "1", "n") == b"hello"


def test_a_message_for_somebody_else_is_not_opened() -> None:
    stranger = Seal("tok123", AES_KEY, ("dingother",))
    cipher_text, signature = stranger.close(b"hello", "1", "n")

    with pytest.raises(Unauthorised):
        SEAL.open(cipher_text, signature, "1", "n")


def test_any_change_of_the_signed_parts_is_noticed() -> None:
    cipher_text, signature = SEAL.close(b"hello", "1", "n")

    for parts in (
        (cipher_text[:-2] + "A=", signature, "1", "n"),
        (cipher_text, signature.replace(signature[0], "0" if signature[0] != "0" else "1"), "1", "n"),
        (cipher_text, signature, "2", "n"),
        (cipher_text, signature, "1", "m"),
        (cipher_text, "", "1", "n"),
    ):
        with pytest.raises(Unauthorised):
            SEAL.open(*parts)


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"r" * 16 + b"\x00" * 4 + b"dingdemoapp" + b"\x21" * 33,  # padding longer than a block
        b"x" * 31 + b"\x00",  # no padding at all
        b"x" * 30 + b"\x01\x02",  # padding bytes that differ
        b"x" * 19 + b"\x0d" * 13,  # too short for a head
        b"r" * 16 + b"\xff\xff\xff\xff" + b"hi" + b"\x0a" * 10,  # longer than it is
    ],
)
def test_a_well_signed_message_that_makes_no_sense_is_a_bad_request(plain: bytes) -> None:
    cipher_text = base64.b64encode(SEAL._cipher().encrypt(plain)).decode()

    with pytest.raises(BadRequest):
        SEAL.open(cipher_text, SEAL.sign("1", "n", cipher_text), "1", "n")


@given(st.text(), st.text(), st.text(), st.text())
def test_a_stranger_gets_unauthorised_and_nothing_else(cipher_text: str, signature: str, timestamp: str, nonce: str) -> None:
    with pytest.raises(Unauthorised):
        SEAL.open(cipher_text, signature, timestamp, nonce)


@given(st.text(st.characters(exclude_categories=())))
def test_well_signed_rubbish_is_a_bad_request(cipher_text: str) -> None:
    with pytest.raises((BadRequest, Unauthorised)):
        SEAL.open(cipher_text, SEAL.sign("1", "n", cipher_text), "1", "n")


@pytest.mark.parametrize(
    ("token", "key", "receivers"),
    [
        ("", AES_KEY, ("a",)),
        ("t", AES_KEY[:-1], ("a",)),
        ("t", AES_KEY + "H", ("a",)),
        ("t", AES_KEY[:-1] + "=", ("a",)),
        ("t", AES_KEY[:-1] + "\n", ("a",)),
        ("t", AES_KEY, ()),
        ("t", AES_KEY, ("",)),
    ],
)
def test_keys_that_cannot_be_right_are_refused_without_showing_them(token: str, key: str, receivers: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as error:
        Seal(token, key, receivers)

    assert key not in str(error.value)


def test_a_seal_does_not_show_its_secrets() -> None:
    assert "tok123" not in repr(SEAL)
    assert AES_KEY not in repr(SEAL)
