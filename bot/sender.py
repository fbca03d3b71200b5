"""The outgoing loop: claim one message, draw it once, send it, note what came of it.

Delivery is at least once for what the platforms can recognise (cards by our id, WeCom by its duplicate check), and at most once for
what they cannot (a DingTalk text): after a crash or a time-out those become `unsure`, for a person to look at. The claim is written
before the network is touched and the outcome after it, each in a short transaction; nothing slow runs inside one.
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.channel import Changes, Channel, Failure, Letter, Receipt, SendFailed
from bot.clock import UtcNow
from cards.compose import compose
from handlers import logins, manners
from handlers.context import Context
from handlers.instead import instead
from rules.events import Account, Platform
from rules.manners import Degree
from rules.messages import GroupChat, Urgency
from rules.policy import Policy
from storage.limits import Rate
from storage.outbox import Message, State
from storage.unit import Store, Tx

log = logging.getLogger("sanmiao.sender")

_BACKOFF_SECONDS = (1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)
_POLL_SECONDS = 0.25
_NO_HANDLE = "no_handle"
_HANDLE_LIVES = timedelta(hours=72)  # WeCom, page 94888; a little late is refused, and comes to the same
_PUT_ASIDE_SECONDS = 1.0


@dataclass(frozen=True)
class Rates:
    """What we allow ourselves, a little under what the platforms allow. `member` are per recipient, the shortest window first; `group`
    is per group chat, None: no such limit."""

    api: Rate
    member: tuple[Rate, ...] = ()
    group: Rate | None = None


@dataclass(frozen=True)
class _Claimed:
    message: Message
    owner: str
    channel: Channel
    payload: Mapping[str, Any]


class Sender:
    """Threads that empty the outbox. `page_url` makes the link that opens a card as a page; `degree` tells how hard a platform's budget
    makes us save on a class of messages."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[Platform, Channel],
        rates: Mapping[Platform, Rates],
        page_url: Callable[[str], str],
        utc_now: UtcNow,
        *,
        lease_seconds: float,
        policy: Policy,
        degree: Callable[[Tx, Platform, Urgency], Degree] = lambda tx, platform, urgency: Degree.FREELY,
    ) -> None:
        self._store, self._channels, self._rates, self._page_url, self._now = store, channels, rates, page_url, utc_now
        self._policy, self._degree = policy, degree
        self._lease = lease_seconds
        self._name = uuid.uuid4().hex[:12]
        self._wake, self._stop = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, threads: int) -> None:
        """Begin to send in the background."""
        self._threads = [threading.Thread(target=self._run, name=f"sender-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something was added: look now, not at the next poll."""
        self._wake.set()

    def stop(self, timeout: float = 2.0) -> None:
        """Finish the messages under way, as far as `timeout` seconds allow."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout)

    def deliver_next(self) -> float | None:
        """Deal with the next message. Seconds until the next look makes sense: 0 at once, None when nothing is due."""
        with self._store.begin() as tx:
            message = tx.outbox.next_due(self._now())
            if message is None:
                return None
            claimed = self._claim(tx, message)
        if isinstance(claimed, float):
            return claimed
        self._send(claimed)
        return 0.0

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                pause = self.deliver_next()
            except Exception:  # the database is away, or a bug: the thread must outlive both
                log.exception("sender could not go on")
                pause = 1.0
            if pause != 0.0:
                self._wake.wait(_POLL_SECONDS if pause is None else min(pause, 1.0))
                self._wake.clear()

    # -- inside the claiming transaction ---------------------------------------------------------------------------------------

    def _claim(self, tx: Tx, message: Message) -> _Claimed | float:
        """What to send; or how long to pause (0: this message came to an end or was put aside)."""
        to = message.to or (tx.people.address(message.person, self._channels) if message.person is not None else None)
        channel = self._channels.get(Platform(to.platform)) if to else None
        ended = self._no_longer(tx, message, to, channel)
        if ended:
            state, code = ended
            _end(tx, message, state, code)
            log.info("not sent id=%d state=%s code=%s", message.id, state, code)
            if code == _NO_HANDLE:
                instead(Context(tx, self._now(), self._policy), message)
            return 0.0
        assert to is not None
        assert channel is not None
        degree = self._degree(tx, channel.platform, message.urgency)
        leaves = manners.leaves(Context(tx, self._now(), self._policy), message, degree)
        if leaves is None:
            return 0.0
        message = leaves
        wait = self._limited(tx, message, to)
        if wait is not None:
            return wait
        payload = message.payload or self._draw(tx, message, to, channel)
        if payload is None:
            return 0.0
        # Of this claim alone: when our lease has run out, another thread of this process may take the row over.
        owner = f"{self._name}:{uuid.uuid4().hex[:8]}"
        tx.outbox.claim(message, owner, self._lease)
        return _Claimed(replace(message, attempts=message.attempts + 1), owner, channel, payload)

    def _no_longer(self, tx: Tx, message: Message, to: Account | GroupChat | None, channel: Channel | None) -> tuple[State, str] | None:
        """Why this message is not to be sent after all."""
        if message.expires is not None and self._now() >= message.expires and message.payload is None:
            return State.EXPIRED, "expired"
        if to is None or channel is None:
            return State.DROPPED, "no_address"
        if message.person is not None and not tx.people.get(message.person).active:
            return State.CANCELLED, "recipient_left"
        if message.state is State.SENDING and message.payload and not message.payload["repeatable"]:
            return State.UNSURE, "sender_died"
        if message.changes is not None and message.payload is None:
            return self._cannot_change(tx, message, channel)
        return None

    def _cannot_change(self, tx: Tx, message: Message, channel: Channel) -> tuple[State, str] | None:
        assert message.changes is not None
        target = tx.outbox.get(message.changes)
        if channel.changes is Changes.NEVER or target is None or target.state is not State.SENT:
            return State.DROPPED, "cannot_change"
        if channel.changes is Changes.BY_HANDLE and not (message.handle or self._still_good(target)):
            return State.DROPPED, _NO_HANDLE
        return None

    def _still_good(self, target: Message) -> bool:
        """Whether the handle that came with the send can be used."""
        return bool(target.handle) and (target.sent_at is None or self._now() < target.sent_at + _HANDLE_LIVES)

    def _limited(self, tx: Tx, message: Message, to: Account | GroupChat) -> float | None:
        """None when it may go now; else how long to pause. What has to wait takes nothing."""
        rates = self._rates[Platform(to.platform)]
        windows = list(_of_recipient(rates, to)) if message.changes is None else []
        wait = max((tx.limits.wait(key, rate) for key, rate in windows), default=0.0)
        if wait:
            tx.outbox.hold(message, wait)
            return 0.0
        wait = tx.limits.pace(_api(to.platform), rates.api)
        if wait > _PUT_ASIDE_SECONDS:
            # The platform asked for a rest: what goes elsewhere must not stand in the queue behind it.
            tx.outbox.hold(message, wait)
            return 0.0
        if wait:
            return wait
        for key, rate in windows:
            tx.limits.take(key, rate)
        return None

    def _draw(self, tx: Tx, message: Message, to: Account | GroupChat, channel: Channel) -> Mapping[str, Any] | None:
        target = tx.outbox.get(message.changes) if message.changes is not None else None
        data = logins.as_it_leaves(Context(tx, self._now(), self._policy), message)
        try:
            card = compose(message.card, data)
            letter = Letter(card_id=target.card_id if target else message.card_id, to=to, changes=target is not None)
            if target and channel.changes is Changes.BY_HANDLE:
                letter = replace(letter, handle=message.handle or tx.outbox.take_handle(target.id))
            if card.interactive:
                letter = replace(letter, page_url=self._page_url(letter.card_id))
            payload = channel.render(letter, card)
        except Exception as error:
            log.exception("cannot draw id=%d card=%s", message.id, message.card)
            _end(tx, message, State.FAILED, "cannot_draw", type(error).__name__)
            return None
        tx.outbox.draw(message, to, payload)
        return payload

    # -- outside any transaction -----------------------------------------------------------------------------------------------

    def _send(self, claimed: _Claimed) -> None:
        message = claimed.message
        try:
            receipt = claimed.channel.deliver(claimed.payload)
        except SendFailed as failure:
            self._failed(message, claimed, failure)
        except Exception as error:
            log.exception("cannot deliver id=%d", message.id)
            self._failed(message, claimed, SendFailed(Failure.UNKNOWN, type(error).__name__, "see the log"))
        else:
            self._sent(message, claimed.owner, receipt)

    def _sent(self, message: Message, owner: str, receipt: Receipt) -> None:
        with self._store.begin() as tx:
            tx.outbox.mark_sent(message, owner, receipt.message_id, receipt.handle, self._now())
        log.info("sent id=%d card=%s attempts=%d", message.id, message.card, message.attempts)

    def _failed(self, message: Message, claimed: _Claimed, failure: SendFailed) -> None:
        log.warning("failed id=%d card=%s kind=%s code=%s", message.id, message.card, failure.kind, failure.code)
        with self._store.begin() as tx:
            if failure.kind is Failure.SPENT and message.attempts > 1:
                tx.outbox.mark_sent(message, claimed.owner, "", None, self._now())
            elif failure.kind in (Failure.REFUSED, Failure.SPENT):
                _end(tx, message, State.FAILED, failure.code, failure.text, claimed.owner)
                if message.changes is not None:
                    instead(Context(tx, self._now(), self._policy), message)
            elif failure.kind is Failure.UNKNOWN and not claimed.payload["repeatable"]:
                _end(tx, message, State.UNSURE, failure.code, failure.text, claimed.owner)
            elif message.attempts > len(_BACKOFF_SECONDS):
                _end(tx, message, State.FAILED, failure.code, f"gave up: {failure.text}", claimed.owner)
            else:
                self._again(tx, message, claimed, failure)

    def _again(self, tx: Tx, message: Message, claimed: _Claimed, failure: SendFailed) -> None:
        seconds = failure.retry_after or _BACKOFF_SECONDS[message.attempts - 1] * random.uniform(0.8, 1.2)
        tx.outbox.retry_in(message, claimed.owner, seconds, failure.code, failure.text)
        if failure.retry_after:
            tx.limits.pause(_api(claimed.channel.platform), min(failure.retry_after, 60.0))


def _end(tx: Tx, message: Message, state: State, code: str, text: str = "", owner: str | None = None) -> None:
    """It will not be sent. What a person may have tried again keeps its bytes, unless they let somebody in."""
    again = state in (State.FAILED, State.UNSURE) and not logins.opens_pages(message)
    tx.outbox.end(message, state, code, text, owner=owner, keep_payload=again)


def _api(platform: str) -> str:
    return f"api:{platform}"


def _of_recipient(rates: Rates, to: Account | GroupChat) -> Iterator[tuple[str, Rate]]:
    if isinstance(to, GroupChat):
        if rates.group is not None:
            yield f"group:{to.platform}:{to.chat_id}", rates.group
        return
    for rate in rates.member:
        yield f"member:{to.platform}:{to.user_id}:{rate.seconds:g}", rate
