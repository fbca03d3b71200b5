"""How long does a company's Friday take? People with ten feedbacks each in one week: every digest composed, its value booked, its
message queued, by one worker process as the jobs do it.

The database is made first (not measured); the measured part runs in a process of its own, so that its peak memory is its own.

    python -m bench.digests --people 100000 [--url postgresql+psycopg://…] [--json]

`--histories N` instead: N random histories of the value ledger against an independent recomputation (tests/rules/test_value.py).
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

import click
from sqlalchemy import func, insert, select

from bot.settings import load
from handlers import digests
from handlers.context import Context
from rules.digests import DigestPolicy, Kind
from rules.feedback import Kind as FeedbackKind
from rules.feedback import State
from rules.policy import Policy
from rules.value import Grade, Rate
from storage.migrations import upgrade
from storage.tables import digests as digest_rows
from storage.tables import feedback, history, ledger, outbox, people
from storage.unit import Store

FRIDAY = datetime(2026, 9, 11, 9, 0, tzinfo=UTC)  # 17:00 in Shanghai, an ordinary week
TEAM, HRBP_OF, PER_PERSON, BATCH = 10, 500, 10, 20_000
RATES = (
    Rate("return", 1, "退货往返", "次", 8000, 8000, "财务部", Grade.MEASURED, date(2026, 1, 1), None, ("退货", "寄回")),
    Rate("hour", 1, "省下工时", "小时", 4500, 6000, "财务部", Grade.ESTIMATED, date(2026, 1, 1), None, ("省",)),
)


@dataclass(frozen=True)
class Friday:
    """What a run took: `seconds` for composing and queuing everything, of them `cpu_seconds` of the processor (the rest is waiting for
    the disk, or for others on the machine), `peak_mb` of the process that did it. Of the transactions that write, for which a tap waits
    on SQLite: the median, the 99th percentile and the longest."""

    people: int
    feedback: int
    seconds: float
    cpu_seconds: float
    median_ms: int
    p99_ms: int
    longest_ms: int
    peak_mb: float
    digests: int
    messages: int
    entries: int


@click.command()
@click.option("--people", "count", default=10_000, show_default=True)
@click.option("--url", default=None, help="A migrated, empty database; without it a new SQLite file.")
@click.option("--histories", default=0, help="Check the value ledger with so many random histories instead.")
@click.option("--json", "as_json", is_flag=True)
def main(count: int, url: str | None, histories: int, as_json: bool) -> None:
    """Measure a Friday, or check the ledger."""
    if histories:
        told: Mapping[str, Any] = _check(histories)
    else:
        with tempfile.TemporaryDirectory() as folder:
            told = vars(measure(count, url or f"sqlite:///{folder}/digests.sqlite3"))
    click.echo(json.dumps(told) if as_json else "\n".join(f"{name:<10} {value}" for name, value in told.items()))


def measure(count: int, url: str) -> Friday:
    """Fill the database with a company and its week, then compose it in another process."""
    store = Store(url)
    upgrade(store.engine)
    _fill(store, count)
    store.close()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_compose, args=(url, theirs))
    worker.start()
    seconds, cpu_seconds, writing, peak_mb = ours.recv()
    worker.join()
    store = Store(url)
    with store.engine.connect() as connection:
        digest_count, messages, entries = (
            int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in (digest_rows, outbox, ledger)
        )
    store.close()
    return Friday(
        count,
        count * PER_PERSON,
        round(seconds, 2),
        round(cpu_seconds, 2),
        _ms(writing, 0.5),
        _ms(writing, 0.99),
        _ms(writing, 1),
        round(peak_mb, 1),
        digest_count,
        messages,
        entries,
    )


def _compose(url: str, answer: Connection) -> None:
    policy, store = _policy(), Store(url)
    gc.freeze()  # as in a running process
    begun, begun_cpu, writing = time.perf_counter(), time.process_time(), []
    while True:
        with store.read() as tx:
            keep = digests.read_ahead(Context(tx, FRIDAY, policy))
        part = time.perf_counter()
        with store.begin() as tx:
            if not keep(Context(tx, FRIDAY, policy)):
                break
        writing.append(time.perf_counter() - part)
    took = time.perf_counter() - begun, time.process_time() - begun_cpu, sorted(writing)
    store.close()
    answer.send((*took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _ms(seconds: Sequence[float], share: float) -> int:
    """The one of these sorted times that so many of them do not exceed, in milliseconds."""
    return round(seconds[int(share * (len(seconds) - 1))] * 1000)


def _policy() -> Policy:
    from dataclasses import replace

    defaults = load(None, {"SANMIAO_WEB_SECRET": "b" * 32}).policy()
    friday = DigestPolicy(rates=RATES, leaders=("E1",), off=frozenset({Kind.MONDAY, Kind.QUOTA}))
    return replace(defaults, digests=friday, pages_url="https://sanmiao.example.com")


def _fill(store: Store, count: int) -> None:
    """One company: teams of ten, an HRBP for five hundred; ten feedbacks about everybody, a tenth of them with a number in words."""
    with store.engine.begin() as connection:
        for rows in _batches(_person(id) for id in range(1, count + 1)):
            connection.execute(insert(people), rows)
    dice = random.Random(7)
    with store.engine.begin() as connection:
        for rows in _batches(_record(id, count, dice) for id in range(1, count * PER_PERSON + 1)):
            connection.execute(insert(feedback), rows)
            told = [_explanation(row) for row in rows if row["state"] == State.IMPROVED.value]
            if told:
                connection.execute(insert(history), told)


def _person(id: int) -> dict[str, Any]:
    leader = 1 + (id - 1) // TEAM * TEAM
    above = leader if leader != id else (1 if id != 1 else None)
    hrbp = 1 + (id - 1) // HRBP_OF * HRBP_OF
    return {
        "id": id,
        "key": f"E{id}",
        "name": f"员工{id}",
        "department": f"部门{leader}",
        "position": "",
        "role": "客服",
        "mobile": "",
        "supervisor": above,
        "hrbp": hrbp,
    }


def _record(id: int, count: int, dice: random.Random) -> dict[str, Any]:
    subject = 1 + (id - 1) // PER_PERSON
    leader = 1 + (subject - 1) // TEAM * TEAM
    given = FRIDAY - timedelta(seconds=dice.randrange(60, 6 * 86_400))
    worded = dice.random() < 0.1
    praise = dice.random() < 0.6
    state = dice.choice((State.OPEN, State.ACKNOWLEDGED, State.ACKNOWLEDGED)) if praise else dice.choice((State.IMPROVED, State.OPEN))
    return {
        "id": id,
        "version": 2,
        "source": "chat" if worded else "card",
        "state": state.value,
        "author": leader if leader != subject else 1,
        "subject": subject,
        "kind": (FeedbackKind.PRAISE if praise else FeedbackKind.IMPROVE).value,
        "occasion": "上午的退货来电",
        "scene": "上午的退货来电",
        "action": "先安抚再核实订单",
        "impact": f"少寄回 {dice.randint(1, 9)} 次退货" if worded else "客户没有升级投诉",
        "offered": [],
        "ticks": [],
        "occurred_at": given,
        "created_at": given - timedelta(minutes=5),
        "expires_at": given + timedelta(days=2),
        "given_at": given,
        "answered_at": min(FRIDAY - timedelta(seconds=1), given + timedelta(hours=dice.randint(1, 40)))
        if state is not State.OPEN
        else None,
    }


def _explanation(row: Mapping[str, Any]) -> dict[str, Any]:
    words = f"先听完再复述一遍，省了 {row['id'] % 5 + 1} 小时" if row["id"] % 4 == 0 else "先听完再复述一遍"
    about = f"feedback:{row['id']}"
    return {
        "about": about,
        "at": row["answered_at"],
        "person": row["subject"],
        "what": "explained",
        "reason": "improved",
        "words": words,
    }


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _check(histories: int) -> Mapping[str, Any]:
    from tests.rules.test_value import check_history

    begun = time.perf_counter()
    for seed in range(histories):
        check_history(seed)
    return {"histories": histories, "mismatches": 0, "seconds": round(time.perf_counter() - begun, 1)}


if __name__ == "__main__":
    main()
