"""One event, one transaction: seen before? whose is it? which handler? what is the answer?

The answer to a press is kept as card data in the inbox, so that a second delivery is answered like the first. Platforms that take the
answer in their response get it drawn; for the others it is a change of the card in the outbox, in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from cards.catalog import (
    CATALOG,
    CardData,
    CheckinCard,
    ChoiceCard,
    ContestCard,
    EmployeeDigest,
    EscalationBundle,
    EscalationCard,
    FeedbackCard,
    QuotaNudge,
    ReminderCard,
    SentenceCard,
    SorryText,
    WhoCard,
)
from cards.compose import draw
from cards.layout import Card
from handlers import commands, escalations, feedback, loops, people, quota, sentences, talk, value
from handlers.context import Context, Press, Reply, Talk
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform, UnknownEvent, platform_of
from rules.feedback import Answer, Refusal
from rules.messages import Urgency
from rules.policy import Policy
from storage.conflict import Conflict
from storage.unit import Store, Tx

log = logging.getLogger("sanmiao.dispatch")

T = TypeVar("T")

_Handler = Callable[[Press, Context], Reply]
_ANSWERS: Mapping[str, _Handler] = {answer.value: loops.answer for answer in Answer}

# Card that was sent → action (the part before the colon) → what happens. A test holds this against the actions of all templates.
ROUTES: Mapping[str, Mapping[str, _Handler]] = {
    CheckinCard.template(): {"give": feedback.give},
    WhoCard.template(): {"pick": sentences.picked},
    SentenceCard.template(): {
        "send": sentences.send,
        "kind": sentences.change_kind,
        "more": sentences.more,
        "keep": sentences.keep,
        "drop": sentences.drop,
    },
    ChoiceCard.template(): {"choose": commands.chosen},
    FeedbackCard.template(): _ANSWERS,
    ReminderCard.template(): _ANSWERS,
    EscalationCard.template(): {
        "nudge": loops.nudge,
        "take": loops.take,
        "extend": loops.extend,
        "close": loops.close,
        "back": loops.back,
    },
    EscalationBundle.template(): {
        "open": escalations.on_bundle(escalations.open_one),
        "page": escalations.turn_page,
        "nudge": escalations.on_bundle(loops.nudge),
        "take": escalations.on_bundle(loops.take),
        "extend": escalations.on_bundle(loops.extend),
        "close": escalations.on_bundle(loops.close),
        "back": escalations.on_bundle(loops.back),
    },
    EmployeeDigest.template(): {"contest": value.contest},
    QuotaNudge.template(): {"checkin": quota.checkin},
    ContestCard.template(): {"uphold": value.uphold, "strike": value.strike},
}
_TRIES = 3


class Dispatcher:
    """`in_response` are the platforms whose response to a press carries the new card; `committed` is called when messages may wait,
    `heard` for every event that came in."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        utc_now: Callable[[], datetime],
        in_response: frozenset[Platform],
        committed: Callable[[], None],
        heard: Callable[[Platform], None] = lambda platform: None,
    ) -> None:
        self._store, self._policy, self._now = store, policy, utc_now
        self._in_response, self._committed, self._heard = in_response, committed, heard

    def handle(self, event: Event, raw: str | None = None) -> Card | None:
        """Act on an event once. The card that the pressed card becomes, where the platform wants it in the response.

        Raises whatever the database raises: the edge answers with a failure then, and the platform delivers again.
        """
        self._heard(platform_of(event))
        now = self._now()
        shown = self._in_one_transaction(lambda tx: self._once(tx, event, raw, now))
        self._committed()
        if shown is None or platform_of(event) not in self._in_response:
            return None
        return draw(shown)

    def run(self, act: Callable[[Context], T]) -> T:
        """Do what a page was asked for, in one transaction, again after a conflict. `act` is a handler; what it returned."""
        now = self._now()
        done = self._in_one_transaction(lambda tx: act(Context(tx, now, self._policy)))
        self._committed()
        return done

    def _in_one_transaction(self, act: Callable[[Tx], T]) -> T:
        for attempt in range(1, _TRIES + 1):
            try:
                with self._store.begin() as tx:
                    return act(tx)
            except Conflict:
                if attempt == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def _once(self, tx: Tx, event: Event, raw: str | None, now: datetime) -> CardData | None:
        platform, kind = platform_of(event), kind_of(event)
        if not tx.inbox.first_time(platform, event.id, kind, now, raw if isinstance(event, UnknownEvent) else None):
            return _kept(tx.inbox.answer(platform, event.id))
        shown = self._act(Context(tx, now, self._policy), event)
        if shown is not None and platform in self._in_response:
            tx.inbox.keep_answer(platform, event.id, {"card": shown.template(), "data": shown.data()})
        return shown

    def _act(self, ctx: Context, event: Event) -> CardData | None:
        match event:
            case CardAction():
                return self._press(ctx, event)
            case ChatMessage():
                self._talk(ctx, event)
            case MemberChange():
                people.changed(event, ctx)
            case UnknownEvent():
                log.info("unknown event kind=%s", event.kind)
        return None

    def _press(self, ctx: Context, event: CardAction) -> CardData | None:
        ctx.tx.foresee(event.card_id, event.by)
        card, by = ctx.tx.outbox.by_card(event.card_id), ctx.tx.people.find(event.by, ctx.now)
        if by is None:
            _turn_away(ctx, event.by)
            return None
        if card is not None and card.person != by.id:
            _say(ctx, event, by.id, SorryText(Refusal.NOT_YOURS))
            return None
        if card is not None and card.forgotten:
            _say(ctx, event, by.id, SorryText(Refusal.EXPIRED))
            return None
        route = ROUTES.get(card.card, {}).get(event.action.partition(":")[0]) if card else None
        if card is None or route is None:
            _say(ctx, event, by.id, SorryText(Refusal.UNKNOWN_CARD))
            return None
        reply = route(Press(event, by, card), ctx)
        if reply.says is not None:
            _say(ctx, event, by.id, reply.says)
        if reply.shows is not None and event.by.platform not in self._in_response:
            ctx.tx.outbox.change(card, reply.shows.template(), reply.shows.data(), ctx.now, event.handle)
        return reply.shows

    def _talk(self, ctx: Context, event: ChatMessage) -> None:
        by = ctx.tx.people.find(event.by, ctx.now)
        if by is None:
            _turn_away(ctx, event.by)
            return
        reply = talk.said(Talk(event, by), ctx)
        if reply.says is not None:
            _say(ctx, event, by.id, reply.says)


def kind_of(event: Event) -> str:
    """The kind under which an event is counted."""
    match event:
        case CardAction():
            return f"press:{event.action.partition(':')[0]}"[:64]
        case ChatMessage():
            return "message"
        case MemberChange():
            return "member"
        case UnknownEvent():
            return f"unknown:{event.kind}"[:64]


def _say(ctx: Context, event: CardAction | ChatMessage, person: int, card: CardData) -> None:
    key = f"say:{event.by.platform}:{event.id}"
    ctx.tx.outbox.add(card.to(person, key=key, urgency=Urgency.ANSWER), ctx.now)


def _turn_away(ctx: Context, stranger: Account) -> None:
    """Somebody who is not in the directory: told once a day."""
    key = f"stranger:{stranger.platform}:{stranger.user_id}:{ctx.now:%Y-%m-%d}"
    ctx.tx.outbox.add(SorryText(Refusal.UNKNOWN_PERSON).to(stranger, key=key, urgency=Urgency.ANSWER), ctx.now)


def _kept(answer: Mapping[str, object] | None) -> CardData | None:
    if answer is None:
        return None
    data = answer["data"]
    assert isinstance(data, Mapping)
    return CATALOG[str(answer["card"])].from_data(data)
