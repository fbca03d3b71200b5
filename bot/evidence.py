"""Pictures come in: fetched from the platform, judged, kept, and shown on the record's cards (A5).

Claim one, fetch and judge it outside any transaction, note what came of it. Whoever dies on the way leaves a lease that runs out;
fetching the same file twice keeps it once. What cannot be fetched is tried again, more and more rarely, until the platform's handle
is over; then its sender hears of it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from bot import images
from bot.background import Background
from bot.channel import SendFailed
from bot.clock import UtcNow, utc_now
from bot.downloads import LONGEST_SECONDS, Gone, Media, TooLarge
from bot.images import CannotKeep
from handlers import evidence
from handlers.context import Context
from handlers.evidence import Claim
from rules.events import Platform
from rules.evidence import Evidence, MediaKind, Problem, retry_after
from rules.policy import Policy
from storage.blobs import Blobs, Unreachable
from storage.evidence import Kept
from storage.unit import Store

log = logging.getLogger("sanmiao.evidence")

_POLL_SECONDS = 0.5
# Longer than the longest download and the longest judgement together.
_LEASE_SECONDS = 2 * LONGEST_SECONDS + 60
_KEEP_UNPLACED = timedelta(days=3)
_SPARE_BLOBS = timedelta(days=1)


@dataclass(frozen=True)
class Limits:
    """What we take: bytes of a picture and of a video, pixels of a picture."""

    image_bytes: int
    video_bytes: int
    pixels: int


class Keeper:
    """Judges bytes and keeps the good ones."""

    def __init__(self, blobs: Blobs, limits: Limits) -> None:
        self._blobs, self.limits = blobs, limits

    def most_bytes(self, head: bytes) -> int:
        """How large a file that begins like this may be."""
        video = images.sniff(head) is MediaKind.VIDEO
        return self.limits.video_bytes if video else self.limits.image_bytes

    def keep(self, content: bytes) -> Kept:
        """Keep a picture or video. Raises CannotKeep."""
        head = content[: images.HEAD_BYTES]
        if len(content) > self.most_bytes(head):
            raise CannotKeep(Problem.TOO_LARGE)
        if images.sniff(head) is MediaKind.VIDEO:
            return Kept(MediaKind.VIDEO, images.video_type(head), self._blobs.put(content), None, len(content))
        picture = images.redraw(content, self.limits.pixels)
        return Kept(
            kind=MediaKind.IMAGE,
            media_type=picture.media_type,
            blob=self._blobs.put(picture.content),
            thumbnail=self._blobs.put(picture.thumbnail),
            size_bytes=len(picture.content),
            width=picture.width,
            height=picture.height,
        )

    def kept_or_why_not(self, content: bytes) -> Kept | Problem:
        """The same for somebody who waits for the answer: a store that is away is a reason, too."""
        try:
            return self.keep(content)
        except CannotKeep as no:
            return no.problem
        except Unreachable as away:
            log.warning("not kept store=%s", away)
            return Problem.NOT_KEPT


class Fetcher:
    """A thread that fetches what was sent. `committed` is called when messages may wait."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        utc_now: UtcNow,
        media: Mapping[Platform, Media],
        keeper: Keeper,
        blobs: Blobs,
        committed: Callable[[], None],
    ) -> None:
        self._store, self._policy, self._now = store, policy, utc_now
        self._media, self._keeper, self._blobs, self._committed = media, keeper, blobs, committed
        self._owner = uuid.uuid4().hex[:12]
        self._thread = Background("evidence", self._step, _POLL_SECONDS)
        self.start, self.stop = self._thread.start, self._thread.stop
        self._swept_on: date | None = None

    def fetch_next(self) -> bool:
        """Deal with the next file. False when none is due."""
        with self._store.begin() as tx:
            item = tx.evidence.claim_next(self._owner, _LEASE_SECONDS)
        if item is None:
            return False
        claim = Claim(item, self._owner)
        outcome = self._outcome(item)
        with self._store.begin() as tx:
            ctx = Context(tx, self._now(), self._policy)
            if isinstance(outcome, Kept):
                evidence.stored(ctx, claim, outcome)
            elif outcome is not None:
                evidence.failed(ctx, claim, outcome)
            else:
                tx.evidence.retry_in(item.id, self._owner, retry_after(item.attempts))
        self._committed()
        return True

    def sweep(self) -> int:
        """Forget what belongs to no record, then remove the blobs that nobody refers to; how many."""
        with self._store.begin() as tx:
            tx.evidence.forget_moot(self._now() - _KEEP_UNPLACED)
        # The age of a file is real time, whatever the business clock of a demo says.
        return self._blobs.sweep(utc_now() - _SPARE_BLOBS, self._referenced)

    def _outcome(self, item: Evidence) -> Kept | Problem | None:
        """What came of a file: kept, given up, or None to try again later."""
        media = self._media.get(item.platform) if item.platform else None
        if media is None or self._now() >= item.expires_at:
            return Problem.NOT_FETCHED
        try:
            return self._keeper.keep(media.fetch(item.media, self._keeper.most_bytes))
        except CannotKeep as no:
            log.info("not kept id=%d problem=%s", item.id, no.problem)
            return no.problem
        except TooLarge:
            log.info("not kept id=%d problem=%s", item.id, Problem.TOO_LARGE)
            return Problem.TOO_LARGE
        except Gone as gone:
            log.warning("not fetched id=%d attempts=%d code=%s", item.id, item.attempts, gone)
            return Problem.NOT_FETCHED
        except Unreachable as away:
            log.warning("not kept id=%d attempts=%d store=%s", item.id, item.attempts, away)
        except SendFailed as failure:
            log.warning("not fetched id=%d attempts=%d kind=%s code=%s", item.id, item.attempts, failure.kind, failure.code)
        except Exception:  # a bug in one fetch must not stop the others; the row is tried again
            log.exception("cannot fetch id=%d", item.id)
        return None

    def _referenced(self, names: Collection[str]) -> Collection[str]:
        with self._store.read() as tx:
            return tx.evidence.referenced(names)

    def _step(self) -> bool:
        return self.fetch_next() or self._sweep_daily()

    def _sweep_daily(self) -> bool:
        today = self._now().date()
        if today == self._swept_on:
            return False
        self._swept_on = today
        with self._store.begin() as tx:
            if not tx.runs.first("sweep evidence", today.isoformat(), self._now()):
                return False
        try:
            log.info("swept blobs=%d", self.sweep())
        except Unreachable as away:
            log.warning("not swept, tomorrow again store=%s", away)
        return True
