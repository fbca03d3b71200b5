"""The Monday brief's picture: drawn, put into the platform of its reader, and only then his message is queued (B3).

Claim one, draw and upload it outside any transaction, queue the message. A claim whose holder died, or whose upload failed, is taken up
again when its lease has run out; after some tries the message goes without its picture.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping

from bot.background import Background
from bot.channel import SendFailed
from bot.clock import UtcNow
from cards.catalog import MondayBrief
from cards.picture import draw
from handlers import digests
from handlers.context import Context
from rules.events import Platform
from rules.policy import Policy
from storage.digests import Digest
from storage.unit import Store

log = logging.getLogger("sanmiao.pictures")

Upload = Callable[[bytes], str]  # takes a PNG, gives the platform's handle; raises SendFailed

_POLL_SECONDS = 1.0
_LEASE_SECONDS = 45.0
_TRIES = 3


class Pictures:
    """A thread that draws. `committed` is called when messages may wait."""

    def __init__(
        self, store: Store, policy: Policy, utc_now: UtcNow, uploads: Mapping[Platform, Upload], committed: Callable[[], None]
    ) -> None:
        self._store, self._policy, self._now, self._uploads, self._committed = store, policy, utc_now, uploads, committed
        self._thread = Background("pictures", self.draw_next, _POLL_SECONDS)

    def start(self) -> None:
        """Draw in the background."""
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Finish what is under way, as far as `timeout` seconds allow."""
        self._thread.stop(timeout)

    def draw_next(self) -> bool:
        """Deal with the next brief. False when none waits."""
        owner = uuid.uuid4().hex
        with self._store.begin() as tx:
            brief = tx.digests.claim_picture(owner, _LEASE_SECONDS)
            to = tx.people.address(brief.person, self._uploads) if brief and brief.person is not None else None
        if brief is None:
            return False
        picture = self._uploaded(brief, to.platform) if to else None
        if picture is None and to is not None and brief.attempts + 1 < _TRIES:
            return True  # its lease runs out, and somebody tries again
        with self._store.begin() as tx:
            if tx.digests.picture_done(brief.id, owner):
                digests.send_brief(Context(tx, self._now(), self._policy), brief, picture)
        self._committed()
        return True

    def _uploaded(self, brief: Digest, platform: Platform) -> str | None:
        try:
            handle = self._uploads[platform](draw(MondayBrief.from_data(brief.data or {})))
        except SendFailed as failure:
            log.warning("no picture id=%d attempts=%d kind=%s code=%s", brief.id, brief.attempts + 1, failure.kind, failure.code)
            return None
        except Exception:  # a picture that cannot be drawn must not keep the words back
            log.exception("no picture id=%d", brief.id)
            return None
        return f"{platform}:{handle}"
