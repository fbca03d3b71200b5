"""A card as a page: what platforms or set-ups that cannot draw it open with one tap. The boxes and buttons are the same."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from cards.compose import draw
from cards.layout import Card
from cards.words import phrase
from handlers.context import Context
from handlers.views import now_shown
from rules.events import Account, CardAction, Event
from storage.outbox import Message
from storage.unit import Store, Tx
from web.access import Links
from web.evidence import PictureLinks, Shown


def blueprint(
    store: Store, links: Links, pictures: PictureLinks, handle: Callable[[Event], Card | None], context: Callable[..., Context]
) -> Blueprint:
    """GET shows the card as it is now, POST presses it. The signed link is the proof of who presses: it is never shown to
    anybody but the card's recipient, and it is the CSRF token of its own form."""
    pages = Blueprint("cards", __name__, template_folder="templates", static_folder="static", static_url_path="/static")

    @pages.get("/c/<token>")
    def show(token: str) -> Response:
        message = _message(token)
        with store.read() as tx:
            shown = now_shown(context(tx), message)
        return _page(token, message, draw(shown))

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
        return _page(token, message, card) if card else show(token)

    def _page(token: str, message: Message, card: Card) -> Response:
        with store.read() as tx:
            attached = _pictures(tx, message, pictures)
        post_url = url_for("cards.press", token=token)
        page = render_template(
            "card.html", card=card, pictures=attached, post_url=post_url, nonce=secrets.token_hex(8), whole=phrase("page")
        )
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
            left = message is not None and message.person is not None and not tx.people.get(message.person).active
        if message is None or left or message.forgotten or not isinstance(message.to, Account):
            abort(404)
        return message

    return pages


def _pictures(tx: Tx, message: Message, links: PictureLinks) -> tuple[Shown, ...]:
    """The pictures of the record that a card is about, as its recipient may see them."""
    if message.person is None or not (message.about or "").startswith("feedback:"):
        return ()
    record = tx.feedback.get(int(str(message.about).removeprefix("feedback:")))
    return links.of(tx, tx.people.get(message.person), record)
