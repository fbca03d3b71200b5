"""The self-audit: what it finds, whom it tells, and that its heart stops with the first finding."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.audit import Auditor
from bot.settings import Audit
from handlers.audit import Expected, findings
from handlers.context import Context
from rules.audit import Finding, Wrong
from rules.digests import DigestPolicy, Kind
from rules.messages import GroupChat
from rules.policy import Policy
from rules.weeks import week_of
from rules.worktime import Calendar
from storage.unit import Store
from tests.builders import NOON, a_company, a_message, a_policy, an_open_record, at

EXPECTED = Expected(timedelta(seconds=2), 30.0, "stream")
NO_DIGESTS = DigestPolicy(off=frozenset(Kind))
POLICY = replace(a_policy(), administrators=frozenset({"E003", "nobody"}), digests=NO_DIGESTS)


@dataclass
class Watch:
    """An auditor with two clocks that stand still until they are moved."""

    store: Store
    heartbeat: Path
    now: datetime = NOON
    seconds: float = 0.0
    deaf: bool = False
    policy: Policy = POLICY
    url: str = ""
    woken: list[None] = field(default_factory=list)

    def auditor(self) -> Auditor:
        settings = Audit(every_minutes=5, chat=None, heartbeat_file=str(self.heartbeat), heartbeat_url=self.url)
        return Auditor(
            self.store,
            self.policy,
            lambda: self.now,
            settings,
            replace(EXPECTED, stream=None),
            deaf=lambda: self.deaf,
            committed=lambda: self.woken.append(None),
            elapsed=lambda: self.seconds,
        )

    def alerts(self) -> list[str]:
        with self.store.read() as tx:
            return [str(message.data["what"]) for message in tx.outbox.recent(None, 20) if message.card == "admin_alert"][::-1]


@pytest.fixture
def watch(store: Store, tmp_path: Path) -> Watch:
    with store.begin() as tx:
        a_company(tx)
    return Watch(store, tmp_path / "heartbeat")


def found(store: Store, now: datetime, policy: Policy = POLICY) -> tuple[Finding, ...]:
    with store.read() as tx:
        return findings(Context(tx, now, policy), EXPECTED)


def test_a_stage_is_overdue_after_three_ticks_and_not_before(watch: Watch) -> None:
    with watch.store.begin() as tx:
        tx.leases.hold("stream", "me", 60)
        people = [person.id for person in tx.people.all().values()]
        an_open_record(tx, people[0], people[1], NOON)
    due = NOON + timedelta(hours=24)

    assert found(watch.store, due + timedelta(seconds=6)) == ()
    assert found(watch.store, due + timedelta(seconds=7)) == (Finding(Wrong.OVERDUE, 1),)


def test_a_message_in_sending_past_two_leases_is_stuck(watch: Watch) -> None:
    with watch.store.begin() as tx:
        tx.leases.hold("stream", "me", 60)
        for number, lease in enumerate((-31.0, -29.0, 30.0)):
            tx.outbox.add(a_message(GroupChat("wecom", f"group {number}"), f"{number}"), NOON)
            message = tx.outbox.by_key(f"{number}")
            assert message is not None
            tx.outbox.claim(message, "somebody", lease)

    assert found(watch.store, NOON) == (Finding(Wrong.STUCK, 1),)


def test_a_stream_that_nobody_holds_is_silent(watch: Watch) -> None:
    assert found(watch.store, NOON) == (Finding(Wrong.SILENT, 1),)
    with watch.store.begin() as tx:
        tx.leases.hold("stream", "me", -1)
    assert found(watch.store, NOON) == (Finding(Wrong.SILENT, 1),)
    with watch.store.begin() as tx:
        tx.leases.hold("stream", "me", 60)
    assert found(watch.store, NOON) == ()


def test_digests_are_missed_an_hour_after_they_were_due(watch: Watch) -> None:
    policy = replace(POLICY, digests=DigestPolicy(off=frozenset(Kind) - {Kind.EMPLOYEE}), calendar=Calendar)
    friday = at("2026-09-18 17:00")
    with watch.store.begin() as tx:
        tx.leases.hold("stream", "me", 60)

    assert found(watch.store, friday + timedelta(minutes=59), policy) == ()
    assert found(watch.store, friday + timedelta(minutes=60), policy) == (Finding(Wrong.NO_DIGEST, 1),)
    with watch.store.begin() as tx:
        round = tx.digests.next_round([(week_of(friday), Kind.EMPLOYEE)])
        assert round is not None
        tx.digests.finish(round, friday)
    assert found(watch.store, friday + timedelta(minutes=60), policy) == ()


def test_the_heart_beats_while_nothing_is_wrong(watch: Watch) -> None:
    auditor = watch.auditor()

    auditor.tick()
    assert not watch.heartbeat.exists(), "not before it has looked"
    watch.seconds = 6.0
    auditor.tick()
    assert watch.heartbeat.read_text() == f"{NOON.isoformat()}\n"
    watch.now, watch.seconds = NOON + timedelta(minutes=5), 305.9
    auditor.tick()
    assert watch.heartbeat.read_text() == f"{NOON.isoformat()}\n"
    watch.seconds = 306.0
    auditor.tick()
    assert watch.heartbeat.read_text() == f"{watch.now.isoformat()}\n"
    assert watch.alerts() == []


def test_what_is_found_twice_is_told_once_a_day_and_the_heart_stops(watch: Watch) -> None:
    auditor = watch.auditor()
    watch.deaf, watch.seconds = True, 6.0

    auditor.tick()
    assert watch.alerts() == [], "it may be over in a moment"
    for _ in range(3):
        watch.seconds += 300
        auditor.tick()

    assert watch.alerts() == ["钉钉的长连接没人守着"]
    assert watch.woken
    assert not watch.heartbeat.exists()
    watch.deaf = False
    watch.seconds += 300
    auditor.tick()
    assert watch.heartbeat.exists()


def test_what_is_over_at_the_second_look_is_not_told(watch: Watch) -> None:
    auditor = watch.auditor()
    watch.deaf, watch.seconds = True, 6.0
    auditor.tick()

    watch.deaf, watch.seconds = False, 12.0
    auditor.tick()

    assert watch.alerts() == []
    assert watch.heartbeat.exists()


def test_the_admin_chat_hears_instead_of_everybody_by_himself(watch: Watch) -> None:
    watch.policy = replace(POLICY, admin_chat=GroupChat("dingtalk", "admins"))
    auditor = watch.auditor()
    watch.deaf = True
    for watch.seconds in (6.0, 12.0):
        auditor.tick()

    with watch.store.read() as tx:
        assert [message.to for message in tx.outbox.recent(None, 5)] == [GroupChat("dingtalk", "admins")]


def test_the_heartbeat_calls_its_url_and_survives_a_dead_one(watch: Watch) -> None:
    heard = threading.Event()

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.set()
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Quietly."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.handle_request, daemon=True).start()
    watch.url = f"http://127.0.0.1:{server.server_port}/beat"
    auditor = watch.auditor()
    watch.seconds = 6.0
    auditor.tick()
    server.server_close()
    assert heard.wait(10)

    watch.seconds = 400.0
    auditor.tick()

    assert watch.alerts() == []
