"""WeCom's callback address: GET proves it to the console, POST brings messages, presses and changes of the directory."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from bot.envelope import MAX_BODY_BYTES
from bot.errors import BadRequest, Unauthorised
from bot.wecom import crypto
from bot.wecom.decode import to_event
from rules.events import Event


def blueprint(keys: crypto.Keys, handle: Callable[[Event, str], object]) -> Blueprint:
    """Routes that call `handle(event, raw)`, which must have committed when it returns; `raw` is the decrypted XML.

    Answers: an empty 200 once handled; 401 for what is not from WeCom or not for us; 400 for what cannot be read, 413 when it is too
    large. An error of `handle` rises and becomes 500, which makes the platform send again. A card is never changed through the
    response: WeCom would change it for the one who pressed only, and nobody could tell whether it did (90241).
    """
    routes = Blueprint("wecom", __name__)

    @routes.get("/wecom/callback")
    def verify() -> Response:
        plain = crypto.verify_url(*_signed(), request.args.get("echostr", ""), keys)
        return Response(plain, content_type="text/plain; charset=utf-8")

    @routes.post("/wecom/callback")
    def receive() -> Response:
        request.max_content_length = MAX_BODY_BYTES
        xml = crypto.open_envelope(request.get_data(cache=False), *_signed(), keys)
        handle(to_event(xml), xml.decode(errors="replace"))
        return Response(status=200)

    @routes.errorhandler(Unauthorised)
    def unauthorised(error: Unauthorised) -> Response:
        return Response(status=401)

    @routes.errorhandler(BadRequest)
    def bad_request(error: BadRequest) -> Response:
        return Response(status=400)

    return routes


def _signed() -> tuple[str, str, str]:
    query = request.args
    return query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", "")
