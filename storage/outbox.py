"""Messages that leave: added with their cause in one transaction, claimed one at a time, sent outside any.

States: due → sending → sent | due (retry) | failed | unsure; cancelled (moot before it left), expired, dropped (no longer possible, or
not wanted), merged (another message says it too).
A row in `sending` whose lease has run out belonged to a process that died: if the platform recognises a repeat it is sent again,
the same bytes; if not it becomes `unsure`, because a second reminder is worse than one that perhaps arrived.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal_column, or_, select, union_all, update

from rules.events import Account, Platform
from rules.messages import GroupChat, Outgoing, PersonId, Urgency
from storage.columns import UtcDateTime, db_now
from storage.tables import in_state, outbox, rulings
from storage.upsert import new_row
from storage.work import Prepared, Work


class State(StrEnum):
    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNSURE = "unsure"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DROPPED = "dropped"
    MERGED = "merged"


_UNFINISHED = (State.DUE.value, State.SENDING.value)
# Who waits longer than this for a retry stands out of the way of what comes after him.
_IN_ORDER_SECONDS = 15.0
_LOOKED_AT = 16


@dataclass(frozen=True)
class Message:
    """A row of the outbox. `to` is where it goes once that is settled (at the first claim). `changes` is the row whose card this
    one changes. `payload` is what was drawn; None before the first attempt, and after the last."""

    id: int
    key: str
    card_id: str
    changes: int | None
    person: PersonId | None
    to: Account | GroupChat | None
    card: str
    data: Mapping[str, Any]
    about: str | None
    urgency: Urgency
    state: State
    not_before: datetime
    expires: datetime | None
    attempts: int
    payload: Mapping[str, Any] | None
    handle: str | None
    sent_at: datetime | None
    error_code: str | None
    error_text: str | None

    @property
    def forgotten(self) -> bool:
        """Whether its words are gone (`storage/retention.py`): its card neither changes any more nor can it be pressed."""
        return not self.data


_BY_CARD = Prepared(select(outbox).where(outbox.c.card_id == bindparam("card_id")))
_GET = Prepared(select(outbox).where(outbox.c.id == bindparam("id")))
_LIVE = or_(*(outbox.c.state == state for state in (*_UNFINISHED, State.SENT.value)))
_ABOUT = Prepared(select(outbox).where(outbox.c.about == bindparam("about"), outbox.c.changes.is_(None), _LIVE).order_by(outbox.c.id))
_SUPERSEDED = (
    update(outbox)
    .where(outbox.c.changes == bindparam("target"), outbox.c.state == State.DUE.value, outbox.c.payload.is_(None))
    .values(state=State.CANCELLED.value)
)
_SUPERSEDE, _SUPERSEDE_AND_TELL = Prepared(_SUPERSEDED), _SUPERSEDED.returning(outbox.c.handle)


def _next_due(among: Callable[[ColumnElement[bool]], ColumnElement[bool]]) -> Select[Any]:
    """Built once: every look of a sender runs it, and building costs as much as running. `among` narrows what is due."""
    now = bindparam("now", type_=UtcDateTime)
    earlier, changed = outbox.alias("earlier"), outbox.alias("changed")
    due = and_(
        in_state(outbox, *_UNFINISHED),
        outbox.c.not_before <= now,
        or_(outbox.c.retry_at.is_(None), outbox.c.retry_at <= db_now()),
        or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= db_now()),
    )
    in_order = ~exists().where(
        earlier.c.person == outbox.c.person,
        earlier.c.id < outbox.c.id,
        earlier.c.changes.is_(None),
        in_state(earlier, *_UNFINISHED),
        earlier.c.not_before <= now,
        or_(earlier.c.retry_at.is_(None), earlier.c.retry_at <= db_now() + _IN_ORDER_SECONDS),
    )
    after_its_card = ~exists().where(changed.c.id == outbox.c.changes, in_state(changed, *_UNFINISHED))
    ready = select(outbox).where(among(due), due, in_order, after_its_card)
    # `+ 0`: SQLite would else walk the index by class, past all that is held, where the index by time ends at once.
    first = ready.order_by(outbox.c.urgency + 0, outbox.c.not_before, outbox.c.id).limit(1)
    return first.with_for_update(skip_locked=True, of=outbox)


def _first_of_each_class(due: ColumnElement[bool]) -> ColumnElement[bool]:
    """The few of each class that have been due for longest, straight from an index: with 100,000 due, asking all of them who comes
    first takes 0.2 s for each message."""
    oldest = (
        select(outbox.c.id)
        .where(due, outbox.c.urgency == literal_column(str(int(urgency))))
        .order_by(outbox.c.not_before, outbox.c.id)
        .limit(_LOOKED_AT)
        .subquery()
        for urgency in Urgency
    )
    return outbox.c.id.in_(union_all(*(select(few.c.id) for few in oldest)))


_NEXT_DUE, _NEXT_DUE_OF_ALL = _next_due(_first_of_each_class), _next_due(lambda due: due)


class OutboxTable:
    def __init__(self, work: Work) -> None:
        self._work = work
        self._ahead: dict[str, Any] = {}
        self._unchanged: int | None = None  # a card of which no change was queued yet

    def foreseen(self, row: Any, *, changed: bool) -> None:
        """`by_card` will be asked for this card, as the next thing about it; `changed`: whether there is any change of it."""
        self._ahead[row.card_id] = row
        self._unchanged = None if changed else row.id

    # -- written by handlers ---------------------------------------------------------------------------------------------------

    def add(self, message: Outgoing, now: datetime) -> None:
        """Queue a message, unless one with its key is there already."""
        row = _row(message, now)
        self._work.later(new_row(outbox, tuple(row)), row)

    def add_all(self, messages: Sequence[Outgoing], now: datetime) -> None:
        """Queue many messages at once, each unless one with its key is there already."""
        rows = [_row(message, now) for message in messages]
        if rows:
            self._work.run_all(new_row(outbox, tuple(rows[0])), rows)

    def change(self, target: Message, card: str, data: Mapping[str, Any], now: datetime, handle: str | None = None) -> None:
        """Queue a change of a card that was sent. An older change of it that has not left is dropped: the last state wins, but a
        fresh `handle` it carried is kept. A card that has not left yet simply leaves as what it is to become."""
        if target.state is State.DUE and target.payload is None and self.reword(target, card, data):
            return
        if target.id == self._unchanged:
            self._unchanged = None
        elif handle is None:
            older = self._work.execute(_SUPERSEDE_AND_TELL, {"target": target.id}).scalars()
            handle = next((kept for kept in older if kept), None)
        else:
            self._work.later(_SUPERSEDE, {"target": target.id})
        card_id = uuid.uuid4().hex
        row = {
            "key": f"change:{target.id}:{card_id}",
            "card_id": card_id,
            "changes": target.id,
            "person": target.person,
            "platform": target.to.platform if target.to else None,
            "address": target.to.user_id if isinstance(target.to, Account) else None,
            "grouped": False,
            "card": card,
            "data": data,
            "about": target.about,
            "urgency": int(Urgency.ANSWER),
            "state": State.DUE.value,
            "created_at": now,
            "not_before": now,
            "attempts": 0,
            "handle": handle,
        }
        self._work.later(new_row(outbox, tuple(row)), row)

    def replace(self, key: str, data: Mapping[str, Any], not_before: datetime) -> bool:
        """Say something else, at another time, in a message that has not left. False when it has."""
        waiting = (outbox.c.key == key) & (outbox.c.state == State.DUE.value) & outbox.c.payload.is_(None)
        return self._work.execute(update(outbox).where(waiting).values(data=data, not_before=not_before)).rowcount == 1

    def reword(self, message: Message, card: str, data: Mapping[str, Any]) -> bool:
        """A message that has not left says something else. False when it has."""
        waiting = (outbox.c.id == message.id) & (outbox.c.state == State.DUE.value) & outbox.c.payload.is_(None)
        return self._work.execute(update(outbox).where(waiting).values(card=card, data=data)).rowcount == 1

    def cancel(self, message: Message, now: datetime) -> bool:
        """What has become moot is not sent. False when it has left or is about to."""
        this = (outbox.c.id == message.id) & (outbox.c.state == State.DUE.value)
        return self._work.execute(update(outbox).where(this).values(state=State.CANCELLED.value, payload=None)).rowcount == 1

    def cancel_for(self, person: PersonId) -> int:
        """Somebody left: nothing more goes to him. The number of messages cancelled."""
        this = (outbox.c.person == person) & (outbox.c.state == State.DUE.value)
        return self._work.execute(update(outbox).where(this).values(state=State.CANCELLED.value, payload=None)).rowcount

    def by_card(self, card_id: str) -> Message | None:
        """The message whose card has this id."""
        row = self._ahead.pop(card_id, None) or self._work.row(_BY_CARD, card_id=card_id)
        return _message(row) if row else None

    def by_key(self, key: str) -> Message | None:
        """The message with this idempotency key."""
        row = self._work.execute(select(outbox).where(outbox.c.key == key)).one_or_none()
        return _message(row) if row else None

    def about(self, about: str) -> tuple[Message, ...]:
        """Every new message with this cause that was sent, is being sent or waits, oldest first; changes are left out."""
        return tuple(_message(row) for row in self._work.rows(_ABOUT, about=about))

    # -- written by the sender -------------------------------------------------------------------------------------------------

    def next_due(self, now: datetime) -> Message | None:
        """The next message to send, locked against other senders: due by the business clock, not held back by a retry or somebody
        else's lease, and with no earlier unfinished message to the same person (people read in order). What waits long, by manners or
        for a retry, holds up nothing but the changes of its own card."""
        for query in (_NEXT_DUE, _NEXT_DUE_OF_ALL):  # the second when all the first looked at wait for each other, or nothing is due
            row = self._work.execute(query, {"now": now}).one_or_none()
            if row is not None:
                return _message(row)
        return None

    def claim(self, message: Message, owner: str, lease_seconds: float) -> None:
        """Mark it as being sent by `owner`, before it is. An owner is one claim of one sender: a later claim has another name."""
        self._set(
            message,
            state=State.SENDING.value,
            owner=owner,
            lease_until=db_now() + lease_seconds,
            retry_at=None,
            attempts=outbox.c.attempts + 1,
        )

    def draw(self, message: Message, to: Account | GroupChat, payload: Mapping[str, Any]) -> None:
        """Keep what will be sent, and to whom: a retry sends the same bytes."""
        self._set(message, platform=str(to.platform), address=_address(to), payload=payload)

    def take_handle(self, id: int) -> str | None:
        """The handle of a sent card, which thereby is spent."""
        handle: str | None = self._work.execute(select(outbox.c.handle).where(outbox.c.id == id)).scalar_one()
        self._work.execute(update(outbox).where(outbox.c.id == id).values(handle=None))
        return handle

    def mark_sent(self, message: Message, owner: str, message_id: str, handle: str | None, now: datetime) -> None:
        """The platform took it. What was drawn is not needed any more: it may hold a link that lets somebody in."""
        done = {"state": State.SENT.value, "message_id": message_id, "sent_at": now, "lease_until": None, "payload": None}
        self._set(message, owner, **(done if message.changes else done | {"handle": handle}))

    def retry_in(self, message: Message, owner: str, seconds: float, code: str, text: str) -> None:
        """Not taken; try again after `seconds` of real time."""
        again = {"state": State.DUE.value, "retry_at": db_now() + seconds, "lease_until": None}
        self._set(message, owner, **again, error_code=code, error_text=text)

    def hold(self, message: Message, seconds: float) -> None:
        """A rate limit is full: look again after `seconds`. Not an attempt."""
        self._set(message, retry_at=db_now() + seconds)

    def defer(self, message: Message, until: datetime) -> None:
        """It is not the time for it: look again at `until` of the business clock. Not an attempt."""
        self._set(message, not_before=until)

    def merge(self, ids: Collection[int]) -> int:
        """These are said by another message. How many were still waiting."""
        waiting = outbox.c.id.in_(ids) & (outbox.c.state == State.DUE.value)
        return self._work.execute(update(outbox).where(waiting).values(state=State.MERGED.value)).rowcount

    def end(
        self, message: Message, state: State, code: str, text: str = "", *, owner: str | None = None, keep_payload: bool = False
    ) -> None:
        """It will not be sent: failed, unsure, expired or dropped, and why. `owner` is who tried, None when nobody did. With
        `keep_payload` a `requeue` sends the same bytes, else it is drawn anew."""
        drawn = {} if keep_payload else {"payload": None}
        self._set(message, owner, state=state.value, error_code=code, error_text=text, lease_until=None, **drawn)

    # -- asked by manners ------------------------------------------------------------------------------------------------------

    def waiting_for(self, person: PersonId, urgency: Urgency, now: datetime) -> tuple[Message, ...]:
        """New messages of this class that are due to this person and were not tried yet, oldest first."""
        query = select(outbox).where(
            outbox.c.person == person,
            in_state(outbox, *_UNFINISHED),
            outbox.c.state == State.DUE.value,
            outbox.c.urgency == int(urgency),
            outbox.c.changes.is_(None),
            outbox.c.payload.is_(None),
            outbox.c.not_before <= now,
        )
        return tuple(_message(row) for row in self._work.execute(query.order_by(outbox.c.id)))

    def told(self, message: Message) -> tuple[datetime, ...]:
        """When this person was told of the same thing (`about`) in its class before `message`, oldest first."""
        at = func.coalesce(outbox.c.sent_at, outbox.c.not_before, type_=UtcDateTime)
        query = select(at).where(
            outbox.c.about == message.about,
            outbox.c.urgency == int(message.urgency),
            outbox.c.person == message.person,
            outbox.c.id < message.id,
            outbox.c.changes.is_(None),
            outbox.c.state.in_([State.SENT.value, State.MERGED.value]),
        )
        return tuple(sorted(self._work.execute(query).scalars()))

    def sent_since(self, person: PersonId, urgency: Urgency, since: datetime) -> int:
        """How many new messages of this class the person got since then."""
        query = select(func.count()).where(
            outbox.c.person == person,
            in_state(outbox, State.SENT),
            outbox.c.sent_at >= since,
            outbox.c.urgency == int(urgency),
            outbox.c.changes.is_(None),
        )
        return int(self._work.execute(query).scalar_one())

    def release(self, person: PersonId, now: datetime) -> int:
        """What manners hold for this person is looked at again now: his wishes have changed. How many."""
        ruled = exists().where(rulings.c.message == outbox.c.id, rulings.c.what == "hold", rulings.c.until == outbox.c.not_before)
        held = (outbox.c.person == person) & in_state(outbox, *_UNFINISHED) & (outbox.c.not_before > now) & ruled
        return self._work.execute(update(outbox).where(held).values(not_before=now)).rowcount

    # -- read by people --------------------------------------------------------------------------------------------------------

    def get(self, id: int) -> Message | None:
        """One message."""
        row = self._work.row(_GET, id=id)
        return _message(row) if row else None

    def recent(self, state: State | None, limit: int) -> tuple[Message, ...]:
        """The newest messages, optionally in one state."""
        query = select(outbox).order_by(outbox.c.id.desc()).limit(limit)
        return tuple(_message(row) for row in self._work.execute(query.where(outbox.c.state == state.value) if state else query))

    def held(self, now: datetime, limit: int) -> tuple[Message, ...]:
        """What waits for its time, the next first."""
        query = select(outbox).where(in_state(outbox, *_UNFINISHED), outbox.c.not_before > now)
        return tuple(_message(row) for row in self._work.execute(query.order_by(outbox.c.not_before, outbox.c.id).limit(limit)))

    def counts(self) -> Mapping[str, int]:
        """How many messages are in each state."""
        rows = self._work.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state))
        return dict(rows.all())

    def stuck(self, lease_seconds: float) -> int:
        """How many have been in sending for longer than two leases."""
        late = (outbox.c.state == State.SENDING.value) & (outbox.c.lease_until < db_now() - lease_seconds)
        return int(self._work.execute(select(func.count()).where(late)).scalar_one())

    def requeue(self, id: int) -> bool:
        """An administrator says: try this failed or unsure message once more."""
        this = (outbox.c.id == id) & outbox.c.state.in_([State.FAILED.value, State.UNSURE.value])
        again = {"state": State.DUE.value, "retry_at": None, "attempts": 0, "error_code": None, "error_text": None}
        return self._work.execute(update(outbox).where(this).values(**again)).rowcount == 1

    def _set(self, message: Message, held_by: str | None = None, **values: Any) -> None:
        this = outbox.c.id == message.id
        # A sender whose lease ran out must not overwrite what its successor noted.
        mine = and_(this, outbox.c.owner == held_by) if held_by else this
        self._work.execute(update(outbox).where(mine).values(**values))


def _row(message: Outgoing, now: datetime) -> dict[str, Any]:
    return {
        "key": message.key,
        "card_id": uuid.uuid4().hex,
        "person": message.to if isinstance(message.to, int) else None,
        "platform": None if isinstance(message.to, int) else str(message.to.platform),
        "address": None if isinstance(message.to, int) else _address(message.to),
        "grouped": isinstance(message.to, GroupChat),
        "card": message.card,
        "data": message.data,
        "about": message.about,
        "urgency": int(message.urgency),
        "state": State.DUE.value,
        "created_at": now,
        "not_before": message.not_before or now,
        "expires": message.expires,
        "attempts": 0,
    }


def _address(to: Account | GroupChat) -> str:
    return to.user_id if isinstance(to, Account) else to.chat_id


def _message(row: Any) -> Message:
    to: Account | GroupChat | None = None
    if row.address is not None:
        to = GroupChat(row.platform, row.address) if row.grouped else Account(Platform(row.platform), row.address)
    return Message(
        id=row.id,
        key=row.key,
        card_id=row.card_id,
        changes=row.changes,
        person=row.person,
        to=to,
        card=row.card,
        data=row.data,
        about=row.about,
        urgency=Urgency(row.urgency),
        state=State(row.state),
        not_before=row.not_before,
        expires=row.expires,
        attempts=row.attempts,
        payload=row.payload,
        handle=row.handle,
        sent_at=row.sent_at,
        error_code=row.error_code,
        error_text=row.error_text,
    )
