"""What a tick costs with a million open loops, ten of which are due, and whether it grows with what is open.

    python -m bench.due --open 1000000 --json
    python -m bench.due --open 1000000 --url postgresql+psycopg://…/… --json

`look_ms` is the question whether anything is due, which every tick of every process asks; `tick_ms` a whole tick of `bot.jobs` that
finds ten loops and takes each of them a step further, with the commit on the disk; both are medians. `grows` compares the look with
that at a hundredth of the open loops.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bench.callbacks import fresh
from bench.clock import CALENDAR, PLANS
from bot.jobs import JOBS, Jobs
from handlers import loops
from handlers.context import Context
from rules.events import Account, Platform
from rules.loops import Stage, StepKind
from rules.people import Entry
from rules.policy import Checkins, Policy
from storage.unit import Store

DUE = 10
ADVANCE = next(job for job in JOBS if job.work is loops.advance_one)
NOW = datetime(2026, 9, 14, 3, 0, tzinfo=UTC)
PLAN = tuple(Stage(timedelta(hours=hours), StepKind.ESCALATE if calls else StepKind.REMIND) for hours, calls in PLANS[0])
POLICY = Policy(
    PLAN,
    timedelta(days=2),
    timedelta(days=1),
    timedelta(minutes=10),
    {},
    Checkins(None, NOW.time(), frozenset()),
    None,
    calendar=lambda: CALENDAR,
)
ROWS = {
    "feedback": {"id": "i", "version": "0", "state": "'open'", "author": ":boss", "subject": ":li", "kind": "'improve'"}
    | {"occasion": "''", "scene": "'上午的来电'", "action": "'打断客户'", "impact": "'客户要求换人'", "source": "'card'"}
    | {"offered": "'[]'", "ticks": "'[]'", "occurred_at": "then", "created_at": "then", "expires_at": "then", "given_at": "then"},
    "loops": {"feedback": "i", "version": "0", "state": "'waiting'", "opened_at": "then", "plan": "plan", "chain": "chain"}
    | {"steps_taken": "0", "round": "0", "due_at": "due"},
}
_SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT {} FROM n",
    "postgresql": "SELECT {} FROM generate_series(1, :count) AS n(i)",
}
_CASTS = {
    "sqlite": {name: f":{name}" for name in ("then", "plan", "chain")},
    "postgresql": {"then": "CAST(:then AS timestamptz)", "plan": "CAST(:plan AS json)", "chain": "CAST(:chain AS json)"},
}
_LATER = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', :due, (i * 0.05) || ' seconds') || '000'",
    "postgresql": "CAST(:due AS timestamptz) + i * interval '0.05 second'",
}


def fill(store: Store, count: int) -> None:
    """`count` unanswered records, opened one after the other over the day before; none is due within the next hour."""
    people = [
        Entry("boss", "王芳", "客服部", (Account(Platform.DINGTALK, "boss"),)),
        Entry("li", "李雷", "客服部", (Account(Platform.DINGTALK, "li"),), role="客服", supervisor="boss", hrbp="hr"),
        Entry("hr", "赵敏", "人力资源部", (Account(Platform.DINGTALK, "hr"),)),
    ]
    with store.begin() as tx:
        tx.people.put(people, NOW)
        ids = {person.key: person.id for person in tx.people.all().values()}
    kind = store.engine.dialect.name
    plan = [{"after_s": stage.after.total_seconds(), "kind": stage.kind.value, "hours": stage.counting.value} for stage in PLAN]
    bound = {
        "count": count,
        "boss": ids["boss"],
        "li": ids["li"],
        "plan": json.dumps(plan),
        "chain": json.dumps([ids["hr"]]),
        "then": _stored(NOW - timedelta(hours=20), kind),
        "due": _stored(NOW + timedelta(hours=1), kind),
    }
    with store.engine.begin() as connection:
        for table, row in ROWS.items():
            values = [(_CASTS[kind] | {"due": _LATER[kind]}).get(value, value) for value in row.values()]
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) " + _SERIES[kind].format(", ".join(values))), bound)
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def make_due(store: Store, turn: int) -> None:
    """Ten that were not due before fall due now."""
    with store.begin() as tx:
        for number in range(DUE):
            loop = tx.loops.get(turn * DUE + number + 1)
            assert loop is not None
            tx.loops.apply(replace(loop, due_at=NOW - timedelta(seconds=number)))


def measure(url: str, count: int, rounds: int) -> dict[str, float]:
    """Medians in milliseconds with `count` open loops."""
    with fresh(url) as database:
        store = Store(database)
        fill(store, count)

        def look() -> None:
            with store.begin() as tx:
                assert not loops.advance_one(Context(tx, NOW - timedelta(days=1), POLICY))

        jobs = Jobs(store, POLICY, lambda: NOW, lambda: None)

        def tick() -> None:
            assert jobs.run(ADVANCE) == DUE

        looks = [_timed(look) for _ in range(rounds * 20)]
        ticks = []
        for number in range(rounds):
            make_due(store, number)
            ticks.append(_timed(tick))
        store.close()
    return {"look_ms": round(statistics.median(looks), 3), "tick_ms": round(statistics.median(ticks), 3)}


def _timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def _stored(at: datetime, kind: str) -> Any:
    return at if kind == "postgresql" else at.replace(tzinfo=None).isoformat(" ", "microseconds")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", type=int, default=1_000_000)
    parser.add_argument("--url", default="sqlite")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    few = measure(options.url, max(1000, options.open // 100), options.rounds)
    many = measure(options.url, options.open, options.rounds)
    report = {"open": options.open, "due": DUE, **many, "grows": round(many["look_ms"] / few["look_ms"], 2)}
    print(json.dumps(report) if options.json else "\n".join(f"{name:10}{value}" for name, value in report.items()))


if __name__ == "__main__":
    main()
