"""The vectors are those of the platform notes, §5."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dingtalk.signature import card_sign, check, open_event, robot_sign, seal_success
from bot.envelope import Seal
from bot.errors import BadRequest, Unauthorised

SIGNED_AT = "1700000000000"
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
SEAL = Seal("tok123", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", ("dingdemoapp",))
ENCRYPTED = "gdMKu9O/zqaXEdvZuG7STyGuL8FGmV33/GSBBCBMt9cMlIt9gJrknLEBJZTAlN2P3VNt5PDP4axrfKrnvG84TQ=="


def test_the_published_signatures() -> None:
    assert robot_sign(SIGNED_AT, "demo-app-secret") == "35L+VaeC+auo+F48xgwE2nbemVgZgGadfVKR4DtTTo4="
    assert card_sign(SIGNED_AT, "demo-api-secret") == "Tbu6B8hjlisXhGjLBLBRK3nPLxHD61eCusWJ12GKMWU="


def test_the_published_envelope_opens() -> None:
    body = json.dumps({"encrypt": ENCRYPTED}).encode()

    assert open_event(body, "1dbc0deef0d82428fc850b9e6c2767214fd193e1", SIGNED_AT, "nonceA", SEAL) == b"success"


def test_our_success_is_what_the_platform_can_open() -> None:
    answer = seal_success(SIGNED_AT, "nonceB", SEAL)

    assert set(answer) == {"msg_signature", "timeStamp", "nonce", "encrypt"}
    assert SEAL.open(answer["encrypt"], answer["msg_signature"], answer["timeStamp"], answer["nonce"]) == b"success"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=1), -timedelta(hours=1)])
def test_a_signature_holds_for_an_hour_either_way(late: timedelta) -> None:
    check("sign", "sign", SIGNED_AT, NOW + late)


@pytest.mark.parametrize("late", [timedelta(hours=1, seconds=1), -timedelta(hours=1, seconds=1), timedelta(days=400)])
def test_an_old_signature_opens_no_door(late: timedelta) -> None:
    with pytest.raises(Unauthorised):
        check("sign", "sign", SIGNED_AT, NOW + late)


@pytest.mark.parametrize(
    ("given_sign", "timestamp"), [("", SIGNED_AT), ("sigm", SIGNED_AT), ("sign", ""), ("sign", "soon"), ("sign", "9" * 30)]
)
def test_a_wrong_signature_or_timestamp_opens_no_door(given_sign: str, timestamp: str) -> None:
    with pytest.raises(Unauthorised):
        check("sign", given_sign, timestamp, NOW)


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_header_is_judged_without_breaking(given_sign: str, timestamp: str) -> None:
    with pytest.raises(Unauthorised):
        check(robot_sign(timestamp, "secret"), given_sign, timestamp, NOW)


@given(st.binary(max_size=200))
def test_any_body_of_an_event_is_judged_without_breaking(body: bytes) -> None:
    for candidate in (body, b'{"encrypt":"' + body + b'"}', b'{"encrypt":"\\ud800"}'):
        with pytest.raises((BadRequest, Unauthorised)):
            open_event(candidate, "0" * 40, SIGNED_AT, "n", SEAL)
