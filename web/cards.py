"""A card as a page: what platforms or set-ups that cannot draw it open with one tap. The boxes and buttons are the same."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from cards.compose import compose
from cards.layout import Card
from handlers.context import Context
from handlers.views import now_shown
from rules.events import Account, CardAction, Event
from storage.outbox import Message
from storage.unit import Store
from web.access import Links


def blueprint(store: Store, links: Links, handle: Callable[[Event], Card | None], context: Callable[..., Context]) -> Blueprint:
    """GET shows the card as it is now, POST presses it. The signed link is the proof of who presses: it is never shown to
    anybody but the card's recipient, and it is the CSRF token of its own form."""
    pages = Blueprint("cards", __name__, template_folder="templates", static_folder="static", static_url_path="/static")

    @pages.get("/c/<token>")
    def show(token: str) -> Response:
        message = _message(token)
        with store.read() as tx:
            shown = now_shown(context(tx), message)
        return _page(token, compose(shown.template(), shown.data()))

    @pages.post("/c/<token>")
    def press(token: str) -> Response:
        message = _message(token)
        assert isinstance(message.to, Account)
        event = CardAction(
            id=f"page:{message.card_id}:{request.form.get('nonce', '')[:32]}",
            by=message.to,
            card_id=message.card_id,
            action=request.form.get("action", "")[:64],
            ticks=tuple(request.form.getlist("ticks"))[:20],
        )
        card = handle(event)
        return _page(token, card) if card else show(token)

    def _page(token: str, card: Card) -> Response:
        page = render_template("card.html", card=card, post_url=url_for("cards.press", token=token), nonce=secrets.token_hex(8))
        response = make_response(page)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _message(token: str) -> Message:
        card_id = links.card_id(token)
        if card_id is None:
            abort(404)
        with store.read() as tx:
            message = tx.outbox.by_card(card_id)
        if message is None or not isinstance(message.to, Account):
            abort(404)
        return message

    return pages
