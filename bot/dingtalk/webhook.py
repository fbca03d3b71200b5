"""DingTalk over HTTP, where the stream is not wanted: robot messages, presses of cards, and events of the company."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, jsonify, request

from bot.dingtalk import decode, signature
from bot.envelope import MAX_BODY_BYTES, Seal
from bot.errors import BadRequest, Unauthorised
from cards import dingtalk as drawing
from cards.layout import Card
from rules.events import Event

_CHECK_URL = "check_url"


def blueprint(
    handle: Callable[[Event, str], Card | None],
    now: Callable[[], datetime],
    *,
    client_secret: str,
    card_secret: str | None = None,
    seal: Seal | None = None,
) -> Blueprint:
    """Routes that call `handle(event, raw)`, which must have committed when it returns; `raw` is the (decrypted) JSON.

    `now` is aware UTC. `card_secret` is the apiSecret under which the card callback was registered, `seal` the keys of the event
    subscription (receivers: the app key; older consoles use the corp id); without one its route answers 404.

    Answers: 200 once handled; 401 for what is not from DingTalk or not for us; 400 for what cannot be read, 413 when it is too
    large. An error of `handle` rises and becomes 500. The Card that `handle` returns for a press becomes the answer to that press.
    """
    routes = Blueprint("dingtalk", __name__)

    @routes.before_request
    def limit() -> None:
        request.max_content_length = MAX_BODY_BYTES

    @routes.post("/dingtalk/robot")
    def robot() -> Response:
        timestamp, sign = request.headers.get("timestamp", ""), request.headers.get("sign", "")
        signature.check(signature.robot_sign(timestamp, client_secret), sign, timestamp, now())
        raw = request.get_data(cache=False)
        handle(decode.robot_message(decode.read_object(raw)), _readable(raw))
        return jsonify({"msgtype": "empty"})

    if card_secret:

        @routes.post("/dingtalk/card")
        def card() -> Response:
            timestamp = request.headers.get("x-ddpaas-signature-timestamp", "")
            sign = request.headers.get("x-ddpaas-signature", "")
            signature.check(signature.card_sign(timestamp, card_secret), sign, timestamp, now())
            raw = request.get_data(cache=False)
            shown = handle(decode.press(decode.read_object(raw), delivery=timestamp), _readable(raw))
            return jsonify(drawing.answer(shown) if shown else {})

    if seal:

        @routes.post("/dingtalk/events")
        def events() -> Response:
            query = request.args
            sign = query.get("signature") or query.get("msg_signature") or ""
            timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
            raw = signature.open_event(request.get_data(cache=False), sign, timestamp, nonce, seal)
            details = decode.read_object(raw)
            if details.get("EventType") != _CHECK_URL:
                handle(decode.event_over_http(details), _readable(raw))
            return jsonify(signature.seal_success(timestamp, nonce, seal))

    @routes.errorhandler(Unauthorised)
    def unauthorised(error: Unauthorised) -> Response:
        return Response(status=401)

    @routes.errorhandler(BadRequest)
    def bad_request(error: BadRequest) -> Response:
        return Response(status=400)

    return routes


def _readable(raw: bytes) -> str:
    return raw.decode(errors="replace")
