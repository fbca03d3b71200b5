"""A small company on a real database, and the two gestures people make: pressing a card and typing a sentence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import pytest

from cards.compose import compose
from cards.layout import Card
from handlers.context import Context
from handlers.dispatch import Dispatcher
from rules.events import Account, CardAction, ChatMessage, Platform
from rules.feedback import Behaviour, Kind
from rules.loops import Stage, StepKind
from rules.messages import GroupChat
from rules.people import Entry
from rules.policy import Checkins, Group, Library, Policy
from storage.outbox import Message, State
from storage.unit import Store

NOON = datetime(2026, 9, 14, 3, 0, tzinfo=UTC)  # a Monday, 11:00 in Shanghai

POLICY = Policy(
    plan=tuple(
        Stage(timedelta(hours=after), kind)
        for after, kind in ((24, StepKind.REMIND), (48, StepKind.REMIND), (72, StepKind.ESCALATE), (96, StepKind.ESCALATE))
    ),
    checkin_expires=timedelta(hours=48),
    extension=timedelta(hours=24),
    words_within=timedelta(minutes=10),
    libraries={
        "客服": Library(
            ("上午的退货来电", "下午的投诉工单"),
            (
                Behaviour("calm", "先安抚再核实订单", Kind.PRAISE, "客户没有升级投诉"),
                Behaviour("cut_in", "客户没说完就打断", Kind.IMPROVE, "客户要求换人接听"),
            ),
        )
    },
    checkins=Checkins(time(10, 30), time(18, 0), frozenset(range(1, 6))),
    fallback_hrbp="head",
    groups=(Group("客服部", GroupChat("dingtalk", "cid-1")),),
)

PEOPLE = (
    ("boss", "王芳", "", None),
    ("li", "李雷", "客服", "boss"),
    ("sun", "孙悦", "客服", "boss"),
    ("wang1", "王磊", "客服", "boss"),
    ("wang2", "王磊", "客服", "other"),
    ("other", "林涛", "", None),
    ("hr", "赵敏", "", "head"),
    ("head", "陈静", "", None),
)


@dataclass
class World:
    """The company, its database and its clock. `dingtalk` answers a press in the response, so `shown` is what the presser sees."""

    store: Store
    now: datetime = NOON
    policy: Policy = POLICY
    shown: Card | None = None
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.store, self.policy, lambda: self.now, frozenset({Platform.DINGTALK}), lambda: None)
        entries = [
            Entry(key, name, "客服部", (Account(Platform.DINGTALK, key),), role=role, supervisor=above, hrbp="hr")
            for key, name, role, above in PEOPLE
        ]
        with self.store.begin() as tx:
            tx.people.put(entries, self.now)
            self.ids = {person.key: person.id for person in tx.people.all().values()}

    def say(self, who: str, text: str, group: str | None = None) -> None:
        event = ChatMessage(f"m{next(self._ids)}", Account(Platform.DINGTALK, who), text, group)
        self.dispatcher.handle(event)

    def press(self, who: str, card: Message, action: str, *ticks: str, event_id: str | None = None) -> Card | None:
        id = event_id or f"p{next(self._ids)}"
        self.shown = self.dispatcher.handle(CardAction(id, Account(Platform.DINGTALK, who), card.card_id, action, ticks))
        return self.shown

    def deliver(self) -> list[Message]:
        """Send everything that is due, as the sender would; the messages, oldest first."""
        sent: list[Message] = []
        while True:
            with self.store.begin() as tx:
                message = tx.outbox.next_due(self.now)
                if message is None:
                    return sent
                to = message.to or tx.people.address(message.person or 0, list(Platform))
                assert to is not None
                tx.outbox.claim(message, "test", 30)
                tx.outbox.draw(message, to, {"repeatable": True})
                tx.outbox.mark_sent(message, "test", f"id-{message.id}", None, self.now)
                sent.append(message)

    def to(self, who: str, template: str | None = None) -> list[Message]:
        """Everything ever queued for this person that was not cancelled, newest first."""
        with self.store.read() as tx:
            rows = tx.outbox.recent(None, 200)
        mine = [row for row in rows if row.person == self.ids[who] and row.state is not State.CANCELLED]
        return [row for row in mine if template is None or row.card == template]

    def text(self, message: Message) -> Card:
        return compose(message.card, message.data)

    def tick(self, work: Callable[[Context], bool]) -> int:
        done = 0
        while True:
            with self.store.begin() as tx:
                if not work(Context(tx, self.now, self.policy)):
                    return done
            done += 1

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)

    def checkin(self, who: str = "boss", about: str = "李雷") -> Message:
        self.say(who, about)
        self.deliver()
        return self.to(who, "checkin_card")[0]

    def given(self, *ticks: str) -> Message:
        """A feedback about 李雷 on his phone."""
        self.press("boss", self.checkin(), "give", *(ticks or ("calm",)))
        self.deliver()
        return self.to("li", "feedback_card")[0]


@pytest.fixture
def world(store: Store) -> World:
    return World(store)
