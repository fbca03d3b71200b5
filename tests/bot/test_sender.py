"""What becomes of a message, whatever the platform says and whenever the sender dies."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import sender as sender_module
from bot.channel import Changes, Failure, Letter, Receipt, SendFailed
from bot.sender import Rates, Sender
from cards.catalog import CardData, CheckinCard, CheckinDone, EscalationSettled, GuideText, Option
from cards.layout import Card
from rules.commands import Speaker
from rules.events import Account, Platform
from rules.feedback import Kind
from rules.manners import Degree
from rules.messages import GroupChat, Urgency
from rules.people import Entry
from rules.policy import Policy
from storage.limits import Rate
from storage.logins import Login
from storage.outbox import Message, State
from storage.unit import Store, Tx
from tests.builders import COMPANY, NOON, a_company, a_message, a_policy

FREELY = Rate(100_000, 1.0)
REFUSED = SendFailed(Failure.REFUSED, "40003", "invalid user")
BUSY = SendFailed(Failure.TEMPORARY, "-1", "system busy")
TIMEOUT = SendFailed(Failure.UNKNOWN, "timeout", "no answer")
SPENT = SendFailed(Failure.SPENT, "60140", "response code used")
AGAIN = -1.0  # seconds of hold: over already


class ProcessDied(BaseException):
    """What no `except Exception` sees, as a kill -9 is not seen."""


@dataclass
class Wire:
    """A platform's way out that keeps what passes and answers as told: `answers` are used up in order, then it takes everything."""

    platform: Platform = Platform.WECOM
    changes: Changes = Changes.BY_CARD
    repeatable: bool = True
    handle: str | None = None
    answers: list[BaseException | Callable[[], None]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    tried: list[Mapping[str, Any]] = field(default_factory=list)
    taken: list[Mapping[str, Any]] = field(default_factory=list)

    def render(self, letter: Letter, card: Card) -> Mapping[str, Any]:
        self.letters.append(letter)
        self.cards.append(card)
        to = letter.to.user_id if isinstance(letter.to, Account) else letter.to.chat_id
        return {"repeatable": self.repeatable, "to": to, "title": card.title, "summary": card.summary, "drawn": len(self.letters)}

    def deliver(self, payload: Mapping[str, Any]) -> Receipt:
        self.tried.append(payload)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        if answer is not None:
            answer()
        self.taken.append(payload)
        return Receipt(f"m-{len(self.taken)}", self.handle)


@dataclass
class Office:
    """A bot's outbox with people in it, and what leaves it."""

    store: Store
    people: Mapping[str, int]
    wires: tuple[Wire, ...]
    now: datetime = NOON
    lease_seconds: float = 60.0
    policy: Policy = field(default_factory=a_policy)
    degree: Callable[[Tx, Platform, Urgency], Degree] = lambda tx, platform, urgency: Degree.FREELY
    rates: Mapping[Platform, Rates] = field(default_factory=lambda: defaultdict(lambda: Rates(FREELY)))

    def sender(self) -> Sender:
        channels = {wire.platform: wire for wire in self.wires}
        return Sender(
            self.store,
            channels,
            self.rates,
            "https://bot/c/{}".format,
            lambda: self.now,
            lease_seconds=self.lease_seconds,
            policy=self.policy,
            degree=self.degree,
        )

    def add(self, key: str, to: str | Account | GroupChat = "E012", **changes: object) -> None:
        with self.store.begin() as tx:
            tx.outbox.add(a_message(self.people[to] if isinstance(to, str) else to, key, **changes), self.now)

    def send_all(self) -> None:
        """Until nothing is due any more."""
        sender = self.sender()
        while sender.deliver_next() is not None:
            pass

    def again(self, key: str) -> None:
        """The pause before the next try is over."""
        with self.store.begin() as tx:
            tx.outbox.hold(self.message(key), AGAIN)

    def message(self, key: str) -> Message:
        with self.store.read() as tx:
            message = tx.outbox.by_key(key)
        assert message is not None
        return message


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def office(store: Store, wire: Wire) -> Office:
    with store.begin() as tx:
        people = {key: person.id for key, person in a_company(tx).items()}
    return Office(store, people, (wire,))


def test_what_is_due_is_sent_once_and_noted(office: Office, wire: Wire) -> None:
    office.add("hello")

    office.send_all()

    assert [payload["to"] for payload in wire.taken] == ["sun.yue"]
    sent = office.message("hello")
    assert (sent.state, sent.attempts, sent.sent_at, sent.to) == (State.SENT, 1, NOON, Account(Platform.WECOM, "sun.yue"))


def test_the_claim_is_written_before_the_network_is_touched(office: Office, wire: Wire) -> None:
    seen: list[Message] = []
    wire.answers = [lambda: seen.append(office.message("hello"))]
    office.add("hello")

    office.send_all()

    assert (seen[0].state, seen[0].attempts, seen[0].payload) == (State.SENDING, 1, wire.taken[0])


@pytest.mark.parametrize("answer", [None, REFUSED, TIMEOUT])
def test_a_login_link_is_made_as_the_message_leaves_and_stays_nowhere(office: Office, wire: Wire, answer: SendFailed | None) -> None:
    wire.repeatable, wire.answers = False, [answer] if answer else []
    office.policy = replace(office.policy, pages_url="https://bot")
    guide = GuideText(Speaker.EMPLOYEE, page="/me").to(office.people["E012"], key="guide", urgency=Urgency.ANSWER)
    with office.store.begin() as tx:
        tx.outbox.add(guide, office.now)

    office.send_all()

    said = " ".join(line.text for line in wire.cards[0].lines)
    link = re.search(r"https://bot/in/(\S+)", said)
    assert link is not None
    ended = office.message("guide")
    assert (ended.payload, ended.data["page"]) == (None, "/me")
    with office.store.begin() as tx:
        assert tx.logins.spend(link[1], office.now) == Login(office.people["E012"], "/me")


def test_a_message_that_failed_keeps_its_bytes_for_another_try_and_one_that_was_taken_does_not(office: Office, wire: Wire) -> None:
    wire.answers = [REFUSED]
    office.add("failed")
    office.add("taken")

    office.send_all()

    assert office.message("failed").payload == wire.tried[0]
    assert office.message("taken").payload is None


def test_what_the_platform_refuses_is_failed_with_its_code_and_never_tried_again(office: Office, wire: Wire) -> None:
    wire.answers = [REFUSED]
    office.add("hello")

    office.send_all()
    office.again("hello")
    office.send_all()

    failed = office.message("hello")
    assert (failed.state, failed.error_code, failed.error_text) == (State.FAILED, "40003", "invalid user")
    assert len(wire.tried) == 1


@pytest.mark.parametrize("problem", [BUSY, TIMEOUT, RuntimeError("a bug in the channel")])
def test_a_card_is_tried_again_with_the_same_bytes(office: Office, wire: Wire, problem: Exception) -> None:
    wire.answers = [problem]
    office.add("hello")

    office.send_all()
    waits = office.message("hello")
    office.again("hello")
    office.send_all()

    assert waits.state is State.DUE
    assert waits.error_code in {"-1", "timeout", "RuntimeError"}
    assert wire.tried[0] == wire.tried[1]
    assert len(wire.letters) == 1
    assert office.message("hello").state is State.SENT


def test_a_pause_lies_between_two_tries(office: Office, wire: Wire) -> None:
    wire.answers = [BUSY]
    office.add("hello")

    office.send_all()

    assert len(wire.tried) == 1
    assert office.sender().deliver_next() is None


@pytest.mark.parametrize("problem", [TIMEOUT, RuntimeError("a bug in the channel")])
def test_a_text_that_perhaps_arrived_is_not_repeated(office: Office, wire: Wire, problem: Exception) -> None:
    wire.repeatable, wire.answers = False, [problem]
    office.add("hello")

    office.send_all()
    office.again("hello")
    office.send_all()

    assert office.message("hello").state is State.UNSURE
    assert len(wire.tried) == 1


def test_a_text_that_surely_did_not_arrive_is_tried_again(office: Office, wire: Wire) -> None:
    wire.repeatable, wire.answers = False, [BUSY]
    office.add("hello")

    office.send_all()
    office.again("hello")
    office.send_all()

    assert office.message("hello").state is State.SENT


def test_a_platform_that_stays_busy_is_given_up_on(office: Office, wire: Wire) -> None:
    tries = len(sender_module._BACKOFF_SECONDS) + 1
    wire.answers = [BUSY] * (tries + 1)
    office.add("hello")

    for _ in range(tries + 1):
        office.send_all()
        office.again("hello")

    given_up = office.message("hello")
    assert (given_up.state, given_up.error_code, given_up.error_text) == (State.FAILED, "-1", "gave up: system busy")
    assert len(wire.tried) == tries


def test_a_platform_that_says_too_fast_rests_and_does_not_hold_up_the_other(office: Office, wire: Wire) -> None:
    dingtalk = Wire(Platform.DINGTALK, answers=[SendFailed(Failure.TEMPORARY, "Throttling", "too fast", retry_after=30.0)])
    office.wires = (dingtalk, wire)
    for key in ("first", "second"):
        office.add(key, GroupChat("dingtalk", key), urgency=Urgency.ANSWER)
    office.add("other platform", "E012")

    office.send_all()

    assert len(dingtalk.tried) == 1
    assert len(wire.taken) == 1
    assert (office.message("second").state, office.message("second").attempts) == (State.DUE, 0)


def test_a_members_limit_holds_his_messages_and_nobody_elses(office: Office, wire: Wire) -> None:
    office.rates = {Platform.WECOM: Rates(FREELY, member=(Rate(2, 3600.0),))}
    for number in range(3):
        office.add(f"{number}", "E012")
    office.add("other", "E011")

    office.send_all()

    assert [payload["to"] for payload in wire.taken] == ["sun.yue", "sun.yue", "liu.yang"]
    assert (office.message("2").state, office.message("2").attempts) == (State.DUE, 0)


def test_a_member_has_a_longer_window_too_and_a_group_its_own(office: Office, wire: Wire) -> None:
    hour = Rate(1, 3600.0)
    office.rates = {Platform.WECOM: Rates(FREELY, member=(FREELY, hour), group=hour)}
    for number in range(2):
        office.add(f"member {number}", "E012")
        office.add(f"group {number}", GroupChat("wecom", "team"))

    office.send_all()

    assert sorted(payload["to"] for payload in wire.taken) == ["sun.yue", "team"]


def test_a_platforms_limit_tells_how_long_to_wait(office: Office, wire: Wire) -> None:
    office.rates = {Platform.WECOM: Rates(Rate(3, 2.0))}
    office.add("now", "E011")
    office.add("in a second", "E012")
    sender = office.sender()

    first, wait = sender.deliver_next(), sender.deliver_next()

    assert first == 0.0
    assert wait is not None
    assert 0 < wait <= 1.0
    assert office.message("in a second").attempts == 0


def test_what_is_not_said_in_time_is_not_said(office: Office, wire: Wire) -> None:
    office.add("daily card", expires=NOON + timedelta(hours=1))

    office.now = NOON + timedelta(hours=1)
    office.send_all()

    assert office.message("daily card").state is State.EXPIRED
    assert wire.tried == []


def test_a_leaver_gets_nothing_more_even_if_it_was_drawn(office: Office, wire: Wire) -> None:
    wire.answers = [BUSY]
    office.add("hello")
    office.send_all()
    leaving = next(entry for entry in COMPANY if entry.key == "E012")

    with office.store.begin() as tx:
        tx.people.put([Entry(leaving.key, leaving.name, leaving.department, leaving.accounts, left=True)], NOON)
    office.again("hello")
    office.send_all()

    assert (office.message("hello").state, office.message("hello").error_code) == (State.CANCELLED, "recipient_left")
    assert len(wire.tried) == 1


def test_who_is_on_no_platform_of_ours_is_not_written_to(office: Office, wire: Wire) -> None:
    office.add("only on DingTalk", "E010")
    office.add("a group of DingTalk", GroupChat("dingtalk", "team"))

    office.send_all()

    assert [office.message(key).state for key in ("only on DingTalk", "a group of DingTalk")] == [State.DROPPED] * 2
    assert wire.tried == []


def test_a_card_that_cannot_be_drawn_fails_alone(office: Office, wire: Wire) -> None:
    office.add("broken", "E011", data={"nonsense": True})
    office.add("whole", "E012")

    office.send_all()

    assert (office.message("broken").state, office.message("broken").error_code) == (State.FAILED, "cannot_draw")
    assert office.message("whole").state is State.SENT


def test_only_a_card_that_can_be_pressed_has_a_page(office: Office, wire: Wire) -> None:
    card = CheckinCard("刘洋", "上午的来电", (Option("calm", "先安抚客户", Kind.PRAISE), Option("cut_in", "打断客户", Kind.IMPROVE)))
    office.add("text")
    office.add("card", card=card.template(), data=card.data())

    office.send_all()

    assert [letter.page_url for letter in wire.letters] == [None, f"https://bot/c/{office.message('card').card_id}"]


def test_a_card_is_changed_by_its_own_id(office: Office, wire: Wire) -> None:
    office.add("card")
    office.send_all()

    _change(office, "card")
    office.send_all()

    assert [letter.changes for letter in wire.letters] == [False, True]
    assert wire.letters[1].card_id == wire.letters[0].card_id


def test_a_handle_serves_one_change_and_the_freshest_is_used_first(office: Office, wire: Wire) -> None:
    wire.changes, wire.handle = Changes.BY_HANDLE, "from sending"
    office.add("card")
    office.send_all()
    wire.handle = None

    for handle in ("from a press", None, None):
        _change(office, "card", handle)
        office.send_all()

    assert [letter.handle for letter in wire.letters] == [None, "from a press", "from sending"]
    assert _states(office) == {"sent": 3, "dropped": 1}


WITHDRAWN = EscalationSettled("李雷", "王芳", "上午的来电", NOON, withdrawn=True)
ON_ITS_WAY = CheckinDone("李雷", "上午的来电", (), (), NOON)


@pytest.mark.parametrize("hours", [1, 73])
def test_who_would_be_misled_by_a_card_that_cannot_change_any_more_is_written_to_once(office: Office, wire: Wire, hours: int) -> None:
    wire.changes, wire.handle = Changes.BY_HANDLE, "from sending" if hours == 73 else None
    office.add("card")
    office.send_all()
    office.now += timedelta(hours=hours)

    for shown in (ON_ITS_WAY, WITHDRAWN):
        _show(office, "card", shown)
        office.send_all()

    assert _states(office) == {"sent": 2, "dropped": 2}
    assert [letter.changes for letter in wire.letters] == [False, False]
    assert "撤回" in wire.taken[-1]["summary"]


def test_a_code_that_the_platform_finds_too_old_leads_to_a_message_as_well(office: Office, wire: Wire) -> None:
    wire.changes, wire.handle = Changes.BY_HANDLE, "from sending"
    office.add("card")
    office.send_all()
    wire.answers = [SPENT]

    _show(office, "card", WITHDRAWN)
    office.send_all()

    assert _states(office) == {"sent": 2, "failed": 1}


def test_what_cannot_be_changed_stays_as_it_is(office: Office, wire: Wire) -> None:
    wire.changes = Changes.NEVER
    office.add("card")
    office.send_all()

    _change(office, "card")
    office.send_all()

    assert _states(office) == {"sent": 1, "dropped": 1}
    assert len(wire.tried) == 1


def test_a_card_that_never_arrived_is_not_changed(office: Office, wire: Wire) -> None:
    wire.answers = [BUSY, REFUSED]
    office.add("card")
    office.send_all()
    _change(office, "card")
    office.again("card")

    office.send_all()

    assert _states(office) == {"failed": 1, "dropped": 1}


def test_a_card_that_has_not_left_leaves_as_what_it_has_become(office: Office, wire: Wire) -> None:
    office.add("card")
    _change(office, "card")

    office.send_all()

    assert len(wire.taken) == 1
    assert _states(office) == {"sent": 1}


def test_what_a_dead_sender_was_sending_is_sent_again_byte_for_byte(office: Office, wire: Wire) -> None:
    office.lease_seconds = 0.0
    wire.answers = [ProcessDied()]
    office.add("hello")

    with pytest.raises(ProcessDied):
        office.sender().deliver_next()
    office.send_all()

    assert wire.tried[0] == wire.tried[1]
    assert (office.message("hello").state, office.message("hello").attempts) == (State.SENT, 2)


def test_a_text_that_a_dead_sender_perhaps_sent_is_left_to_a_person(office: Office, wire: Wire) -> None:
    office.lease_seconds, wire.repeatable = 0.0, False
    wire.answers = [ProcessDied()]
    office.add("hello")

    with pytest.raises(ProcessDied):
        office.sender().deliver_next()
    office.send_all()

    assert (office.message("hello").state, office.message("hello").error_code) == (State.UNSURE, "sender_died")
    assert len(wire.tried) == 1


def test_a_code_that_a_dead_sender_spent_means_that_it_was_sent(office: Office, wire: Wire) -> None:
    office.lease_seconds = 0.0
    wire.answers = [ProcessDied(), SPENT]
    office.add("hello")

    with pytest.raises(ProcessDied):
        office.sender().deliver_next()
    office.send_all()

    assert office.message("hello").state is State.SENT


def test_a_code_that_somebody_else_spent_is_a_refusal(office: Office, wire: Wire) -> None:
    wire.answers = [SPENT]
    office.add("hello")

    office.send_all()

    assert (office.message("hello").state, office.message("hello").error_code) == (State.FAILED, "60140")


@pytest.mark.parametrize("late", [REFUSED, BUSY, TIMEOUT])
def test_a_slow_senders_late_failure_does_not_undo_what_another_sent(office: Office, wire: Wire, late: SendFailed) -> None:
    office.lease_seconds = 0.0
    slow = office.sender()

    def overtaken() -> None:
        slow.deliver_next()  # another thread of the same process takes it over and succeeds
        raise late

    wire.answers = [overtaken]
    office.add("hello")

    slow.deliver_next()

    sent = office.message("hello")
    assert (sent.state, sent.attempts, sent.error_code) == (State.SENT, 2, None)


def test_each_person_reads_in_order_from_two_processes_of_two_senders(office: Office, wire: Wire) -> None:
    keys = [(number, who) for number in range(12) for who in ("E011", "E012")]
    office.rates = {Platform.WECOM: Rates(FREELY)}
    for number, who in keys:
        office.add(f"{who}:{number}", who, data={"reason": "no_such_name", "name": f"{number}"})
    wire.answers = [lambda: time.sleep(random.uniform(0, 0.004))] * len(keys)
    other = Office(Store(office.store.engine.url.render_as_string(hide_password=False)), office.people, (wire,), rates=office.rates)
    senders = [office.sender(), other.sender()]

    for sender in senders:
        sender.start(2)
    _until(lambda: len(wire.taken) == len(keys))
    for sender in senders:
        sender.stop()
    other.store.close()

    for account in ("liu.yang", "sun.yue"):
        titles = [payload["title"] for payload in wire.taken if payload["to"] == account]
        assert [int("".join(filter(str.isdigit, title))) for title in titles] == list(range(12))


def test_whoever_adds_a_message_need_not_wait_for_the_next_poll(office: Office, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_module, "_POLL_SECONDS", 3600.0)
    sender = office.sender()
    sender.start(1)

    office.add("one")
    sender.wake()
    _until(lambda: len(wire.taken) == 1)
    office.add("two")
    sender.wake()
    _until(lambda: len(wire.taken) == 2)
    sender.stop()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sender-")]


def _show(office: Office, key: str, shown: CardData) -> None:
    """Queue that the card of this message becomes `shown`."""
    with office.store.begin() as tx:
        target = tx.outbox.by_key(key)
        assert target is not None
        tx.outbox.change(target, shown.template(), shown.data(), office.now)


def _change(office: Office, key: str, handle: str | None = None) -> None:
    same = a_message(0, "")
    with office.store.begin() as tx:
        tx.outbox.change(office.message(key), same.card, same.data, NOON, handle)


def _states(office: Office) -> Mapping[str, int]:
    with office.store.read() as tx:
        return tx.outbox.counts()


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
