"""The ledger of what the platforms let us spend, counted by several processes."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

from bot.meter import Meter
from handlers.budgets import standings, tell_of_saving
from handlers.context import Context
from rules.budgets import Budget, Per, What
from rules.events import Platform
from rules.manners import Degree, Manners, Why
from rules.messages import GroupChat, Urgency
from rules.policy import Group, Policy
from storage.unit import Store
from tests.bot.test_sender import Office, Wire
from tests.builders import NOON, a_company, a_policy

SCARCE = replace(
    a_policy(),
    administrators=frozenset({"E003"}),
    budgets=(Budget("dingtalk", What.CALLS, 100, Per.MONTH), Budget("wecom", What.SENDS, 2, Per.DAY, per_head=True)),
    groups=(Group("客服部", GroupChat("dingtalk", "cid1")),),
    manners=Manners(quiet=None, rest=frozenset(), work=frozenset()),
)


def meter(store: Store, policy: Policy = SCARCE) -> Meter:
    return Meter(store, policy, lambda: NOON)


def spent(store: Store, policy: Policy = SCARCE) -> list[tuple[int, int]]:
    with store.read() as tx:
        return [(stand.spent, stand.limit) for stand in standings(Context(tx, NOON, policy))]


def test_processes_and_threads_count_together(store: Store) -> None:
    with store.begin() as tx:
        a_company(tx)
    meters = [meter(store) for _ in range(3)]

    def count(one: Meter) -> None:
        for _ in range(10):
            one.count(Platform.DINGTALK, What.CALLS)
            one.write_down()

    threads = [threading.Thread(target=count, args=(one,)) for one in meters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meters[0].count(Platform.WECOM, What.SENDS)
    meters[0].write_down()

    assert spent(store) == [(30, 100), (1, 10)]


def test_what_could_not_be_written_is_written_later(store: Store) -> None:
    broken = Store("sqlite:////nowhere/at/all.sqlite3")
    one = Meter(broken, SCARCE, lambda: NOON)
    one.count(Platform.DINGTALK, What.CALLS)
    try:
        one.write_down()
    except Exception:
        one._store = store
    one.write_down()
    broken.close()

    assert spent(store)[0] == (1, 100)


def test_another_months_spending_is_not_this_months(store: Store) -> None:
    with store.begin() as tx:
        tx.usage.add("dingtalk", "calls", date(2026, 8, 31), "1", 99)
        tx.usage.add("dingtalk", "calls", date(2026, 9, 1), "1", 3)

    assert spent(store)[0] == (3, 100)


def test_a_scarce_budget_holds_digests_and_lets_escalations_through(store: Store) -> None:
    wire = Wire()
    with store.begin() as tx:
        people = {key: person.id for key, person in a_company(tx).items()}
        tx.usage.add("wecom", "sends", date(2026, 9, 14), "1", 9)
    office = Office(store, people, (wire,), NOON, policy=SCARCE)
    office.degree = meter(store).degree
    for urgency in (Urgency.ESCALATION, Urgency.NORMAL, Urgency.DIGEST, Urgency.NUDGE):
        office.add(urgency.name, urgency=urgency)

    office.send_all()

    assert len(wire.taken) == 2
    with store.read() as tx:
        ruled = tx.rulings.of(office.message("DIGEST").id)
    assert [ruling.why for ruling in ruled] == [Why.BUDGET]


def test_administrators_hear_of_saving_once_a_day_and_the_group_when_it_is_its_turn(store: Store) -> None:
    with store.begin() as tx:
        a_company(tx)
        tx.usage.add("dingtalk", "calls", date(2026, 9, 14), "1", 60)  # at this pace 139 by the end of the month

    for now in (NOON, NOON + timedelta(hours=1), NOON + timedelta(days=1)):
        with store.begin() as tx:
            assert not tell_of_saving(Context(tx, now, SCARCE))

    with store.read() as tx:
        queued = [(message.card, message.not_before) for message in tx.outbox.recent(None, 10)][::-1]
    assert [card for card, _ in queued] == ["admin_alert", "group_later"] * 2
    with store.read() as tx:
        assert meter(store).degree(tx, Platform.DINGTALK, Urgency.DIGEST) is Degree.GROUP
        assert meter(store).degree(tx, Platform.WECOM, Urgency.DIGEST) is Degree.FREELY
