"""Pictures and videos of a record, shown through links that live ten minutes and belong to one person.

A link is made only for somebody who may see the record, and that is asked once more when it is opened: directories change.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, make_response
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from handlers.visibility import may_see
from rules.evidence import Evidence, MediaKind, Progress
from rules.feedback import Record
from rules.messages import PersonId
from rules.people import Person
from storage.blobs import Blobs, Unreachable
from storage.unit import Store, Tx

log = logging.getLogger("sanmiao.evidence")

LIFE_SECONDS = 600
_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}


@dataclass(frozen=True)
class Shown:
    """One picture or video for a page. `thumbnail` is None for a video; both are links good for ten minutes."""

    url: str
    thumbnail: str | None
    by: PersonId
    sent_at: datetime
    width: int | None
    height: int | None


class PictureLinks:
    """Makes and reads links to pictures. `secret` signs them."""

    def __init__(self, public_url: str, secret: str, utc_now: Callable[[], datetime]) -> None:
        self._public_url, self.now = public_url, utc_now

        class OurClock(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(utc_now().timestamp())

        self._signer = URLSafeTimedSerializer(secret, salt="evidence", signer=OurClock)

    def of(self, tx: Tx, person: Person, record: Record) -> tuple[Shown, ...]:
        """What `person` may see of a record's pictures, oldest first; nothing when the record is not for him."""
        kept = [item for item in tx.evidence.of(record.id) if item.state is Progress.STORED]
        if not kept or not may_see(tx, person, record, self.now()):
            return ()
        return tuple(self._shown(item, person.id) for item in kept)

    def read(self, token: str) -> tuple[int, PersonId, bool]:
        """(evidence, person, whole picture rather than thumbnail). Raises BadSignature, and SignatureExpired after ten minutes."""
        told: Any = self._signer.loads(token, max_age=LIFE_SECONDS)
        evidence, person, whole = told
        return int(evidence), int(person), bool(whole)

    def _shown(self, item: Evidence, person: PersonId) -> Shown:
        thumbnail = self._url(item, person, whole=False) if item.kind is MediaKind.IMAGE else None
        return Shown(self._url(item, person, whole=True), thumbnail, item.by, item.received_at, item.width, item.height)

    def _url(self, item: Evidence, person: PersonId, *, whole: bool) -> str:
        return f"{self._public_url}/e/{self._signer.dumps([item.id, person, whole])}"


def blueprint(store: Store, links: PictureLinks, blobs: Blobs) -> Blueprint:
    """GET /e/<token>: the bytes. 404 for a link that is not ours or no longer for this person, 410 for one that has run out, 503 when
    the store does not answer."""
    pages = Blueprint("evidence", __name__)

    @pages.get("/e/<token>")
    def show(token: str) -> Response:
        try:
            id, person, whole = links.read(token)
        except SignatureExpired:
            abort(410)
        except BadSignature:
            abort(404)
        with store.read() as tx:
            item = _for(tx, id, person, links.now())
        name = (item.blob if whole else item.thumbnail) if item else None
        try:
            content = blobs.get(name) if name else None
        except Unreachable as away:
            log.warning("not shown id=%d store=%s", id, away)
            abort(503)
        if item is None or content is None:
            abort(404)
        return _file(item, content, whole=whole)

    return pages


def _for(tx: Tx, id: int, person: PersonId, now: datetime) -> Evidence | None:
    """The picture, if this person may see it now."""
    item = tx.evidence.get(id)
    who = tx.people.some({person}).get(person)
    if item is None or item.feedback is None or who is None:
        return None
    return item if may_see(tx, who, tx.feedback.get(item.feedback), now) else None


def _file(item: Evidence, content: bytes, *, whole: bool) -> Response:
    media_type = item.media_type if whole else "image/jpeg"
    response = make_response(content)
    response.content_type = media_type
    # What we did not draw ourselves is not shown inside our site, it is saved.
    shown = "attachment" if item.kind is MediaKind.VIDEO else "inline"
    response.headers["Content-Disposition"] = f'{shown}; filename="evidence-{item.id}.{_ENDINGS.get(media_type, "bin")}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = f"private, max-age={LIFE_SECONDS}, immutable"
    return response
