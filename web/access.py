"""Links that prove who may open them: signed, about one card, for as long as the card lives."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeSerializer


class Links:
    """Makes and reads the links in messages. `secret` signs them."""

    def __init__(self, public_url: str, secret: str) -> None:
        self._public_url = public_url
        self._signer = URLSafeSerializer(secret, salt="card")

    def card(self, card_id: str) -> str:
        """The link that opens a card as a page; only the card's recipient gets it, in his private chat."""
        return f"{self._public_url}/c/{self._signer.dumps(card_id)}"

    def card_id(self, token: str) -> str | None:
        """The card a link is about; None when the link was not made by us."""
        try:
            card_id = self._signer.loads(token)
        except BadSignature:
            return None
        return card_id if isinstance(card_id, str) and "\x00" not in card_id else None  # which no database looks for
