"""Is the 72-hour clock right? Companies live through two years; an oracle that knows none of our code recomputes what they were sent.

    python -m bench.clock --loops 1000000 --seed 7 --json
    python -m bench.clock --loops 20000 --seed 7 --url postgresql+psycopg://…/…    (databases are made and dropped there)

Real handlers on the real storage, two of everything as in two processes. Random: answers, retractions, rewordings, what HRBPs do,
leavers, leave with a stand-in, changed policies, both ways of counting hours, a calendar that changes; deliveries that come twice, late
and out of order; clocks that jump; outages; and a crash between any two statements, before or after a commit, after which the other
process goes on. Each company has a database of its own, so that they run side by side. On SQLite nothing waits for the disk
(`synchronous=OFF`: a killed process loses nothing by that, only a power cut would). Messages are marked as sent without a network:
`tests/story` has that part.

Reported: `lost` and `duplicates` (steps that the oracle has and the bot has not, and the other way round), `early` (before they were
due), `oracle_mismatches` (loops with a step of another kind, to another reader or at another time), and how late steps were by the
company's clock. That is counted from when they were due or, for those that fell due in an outage or were jumped over, from its end.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import multiprocessing
import os
import random
import sqlite3
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from sqlalchemy import event as hooks
from sqlalchemy import text

from bench import clock_oracle
from bench.callbacks import fresh
from bot.calendar import public_calendar
from handlers import changes, feedback, loops
from handlers.context import Context
from handlers.dispatch import Dispatcher
from rules import away
from rules.events import Account, CardAction, MemberChange, Platform
from rules.feedback import Behaviour, Kind
from rules.loops import Plan, Stage, StepKind
from rules.people import Entry
from rules.policy import Checkins, Library, Policy
from rules.worktime import Counting
from storage.unit import Store, Tx

COMPANY = 1000  # loops of one company
BEGIN, YEARS = datetime(2026, 1, 5, tzinfo=UTC), timedelta(days=2 * 365 - 30)
BY_WORK = 0.4  # the share of policies that count working hours
TICK = 2  # seconds, as jobs.tick_seconds
SUBJECTS = [f"s{n}" for n in range(24)]
HRBP = {subject: f"hr{n % 2}" for n, subject in enumerate(SUBJECTS)}
PLANS: tuple[tuple[tuple[int, bool], ...], ...] = (  # stages: hours, and whether it escalates
    ((24, False), (48, False), (72, True), (96, True)),
    ((8, False), (24, True), (48, True)),
    ((12, False), (36, True), (40, True), (90, True)),
    ((48, True),),
)
LIBRARY = Library(
    ("上午的来电",), (Behaviour("calm", "先安抚", Kind.PRAISE, "没有投诉"), Behaviour("cut", "打断", Kind.IMPROVE, "换人"))
)
CALENDAR = public_calendar(clock_time(9), clock_time(18))
_1970 = date(1970, 1, 1).toordinal()


class Crash(Exception):
    """The process dies here."""


class Fuse:
    """Blows at a random statement or commit. `commits` tells whether a commit that it blew at took effect."""

    def __init__(self, dice: random.Random, mean: float) -> None:
        self._dice, self._mean = dice, mean
        self.blown, self._armed = 0, False
        self._left = self._length()

    def __enter__(self) -> None:
        self._armed = True

    def __exit__(self, *what: object) -> None:
        self._armed = False

    def burn(self) -> None:
        """One statement more. Raises Crash when it was the last."""
        if not self._armed:
            return
        self._left -= 1
        if self._left <= 0:
            self._left = self._length()
            self.blown += 1
            raise Crash

    def _length(self) -> int:
        return 1 + int(self._dice.expovariate(1 / self._mean))


def fused(store: Store, fuse: Fuse) -> None:
    """Let the fuse burn at every statement and around every commit of this store, whoever speaks to the driver."""

    class Cursor(sqlite3.Cursor):
        def execute(self, *args: Any) -> Any:
            fuse.burn()
            return super().execute(*args)

    class Connection(sqlite3.Connection):
        def cursor(self, *args: Any) -> Any:
            return super().cursor(Cursor)

        def execute(self, *args: Any) -> Any:
            fuse.burn()
            return super().execute(*args)

        def commit(self) -> None:
            fuse.burn()
            super().commit()
            fuse.burn()

    @hooks.listens_for(store.engine, "do_connect")
    def _connect(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
        if dialect.name == "sqlite":
            options["factory"] = Connection
            return
        import psycopg

        class PgCursor(psycopg.Cursor[Any]):
            def execute(self, *args: Any, **options: Any) -> Any:
                fuse.burn()
                return super().execute(*args, **options)

        options["cursor_factory"] = PgCursor

    if store.is_sqlite:

        @hooks.listens_for(store.engine, "connect")
        def _fast(connection: Any, record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")


@dataclass
class Company:
    """One company's two years: what will happen (a queue by true time), its clock, and the log for the oracle. Seconds since 1970."""

    dice: random.Random
    stores: tuple[Store, Store]
    fuse: Fuse
    count: int
    log: list[tuple[Any, ...]] = field(default_factory=list)
    outages: list[tuple[int, int]] = field(default_factory=list)  # by the company's clock: nothing could be done in between

    def __post_init__(self) -> None:
        self._sequence, self._events = itertools.count(), itertools.count()
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self.at = int(BEGIN.timestamp())  # true time
        self.offset = 0  # of the company's clock
        self._up_at, self._threads = 0, None if self.stores[0].is_sqlite else ThreadPoolExecutor(2)
        self._phase = self.dice.randrange(TICK)
        self.plan, self.working = PLANS[0], self.dice.random() < BY_WORK
        self.gone, self.calendar = set[str](), CALENDAR
        self._serve()
        self._hire()
        self._imagine()

    # -- what will happen ----------------------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        people = [
            Entry("boss", "王芳", "客服部", (Account(Platform.DINGTALK, "boss"),)),
            _hr("head", None),
            _hr("hr0", "head"),
            _hr("hr1", "head"),
        ]
        people += [
            Entry(s, "李雷", "客服部", (Account(Platform.DINGTALK, s),), role="客服", supervisor="boss", hrbp=HRBP[s]) for s in SUBJECTS
        ]
        with self.stores[0].begin() as tx:
            tx.people.put(people, self.now)
            self.ids = {person.key: person.id for person in tx.people.all().values()}
        self.keys = {id: key for key, id in self.ids.items()}

    def _imagine(self) -> None:
        dice, span, start = self.dice, int(YEARS.total_seconds()), 0
        for number in range(self.count):
            # In bursts, as people write: half of them within minutes of another.
            start = dice.randrange(span) if number % 2 == 0 else min(span, start + dice.randrange(3600))
            self._later(self.at + start, self._give)
        for _ in range(6):
            self._later(self.at + dice.randrange(span), self._change_policy)
        for _ in range(8):
            self._later(self.at + dice.randrange(span), self._outage)
            self._later(self.at + dice.randrange(span), self._jump)
            self._later(self.at + dice.randrange(span), self._go_away)
            self._later(self.at + dice.randrange(span), self._change_days)
        for person in (*dice.sample(SUBJECTS, 4), *(["hr0"] if dice.random() < 0.4 else [])):
            self._later(self.at + dice.randrange(span), lambda person=person: self._leave(person))  # type: ignore[misc]

    def live(self) -> None:
        """Until nothing is left to happen and no step is due."""
        while (tick := self._next_tick()) is not None or self._queue:
            if tick is not None and (not self._queue or tick <= self._queue[0][0]):
                self.at = max(self.at, tick)
                self._tick()
                self._send()
            else:
                at, _, act = heapq.heappop(self._queue)
                self.at = max(self.at, at)
                act()

    # -- the clock -----------------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The company's clock."""
        return datetime.fromtimestamp(self.at + self.offset, UTC)

    def _later(self, at: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at, next(self._sequence), act))

    def _next_tick(self) -> int | None:
        """When, by true time, a process looks next and finds something due."""
        with self.stores[0].read() as tx:
            due = tx.loops.next_due_at()
        if due is None:
            return None
        wanted = max(math.ceil(due.timestamp()) - self.offset, self._up_at, self.at)
        return wanted + (self._phase - wanted) % TICK

    def _tick(self) -> None:
        self._note("tick")
        self._do(loops.advance_some)

    def _do(self, work: Callable[[Context, int], int]) -> None:
        if self._threads:
            list(self._threads.map(lambda store: self._do_all(work, store), self.stores))
        else:
            self._do_all(work, self.dice.choice(self.stores))

    def _do_all(self, work: Callable[[Context, int], int], store: Store) -> None:
        """Deal with everything that is due, several in a transaction, as `bot.jobs` does. After a crash the other goes on."""
        policy = self.policy
        while True:
            try:
                with self.fuse, store.begin() as tx:
                    if not work(Context(tx, self.now, policy), self.dice.choice((1, 3, 20))):
                        return
            except Crash:
                store = self.dice.choice(self.stores)

    # -- what happens --------------------------------------------------------------------------------------------------------------

    def _give(self) -> None:
        subject = self.dice.choice([subject for subject in SUBJECTS if subject not in self.gone])
        id = self._run(
            lambda ctx: feedback.open_checkin(ctx, ctx.tx.people.get(self.ids["boss"]), ctx.tx.people.get(self.ids[subject]))
        )
        assert id is not None
        self._note("give", id, subject, self.plan, self.working)
        self._press("boss", id, "checkin_card", "give", ("calm",))
        self._send()
        fates = (("answer", 0.55), ("late", 0.2), ("withdraw", 0.05), ("silent", 0.2))
        fate = self.dice.choices([name for name, _ in fates], [weight for _, weight in fates])[0]
        hours = self.dice.uniform(0, 90) if fate == "answer" else self.dice.uniform(60, 400)
        if fate in ("answer", "late"):
            self._later(self.at + int(hours * 3600), lambda: self._answer(subject, id))
        if fate == "withdraw":
            self._later(self.at + self.dice.randrange(900), lambda: self._withdraw(id))
        if fate != "answer":
            if self.dice.random() < 0.1:
                self._later(self.at + self.dice.randrange(1200), lambda: self._reword(id))
            for _ in range(self.dice.randrange(3)):
                delay = self.dice.uniform(40, 250) * 3600
                self._later(self.at + int(delay), lambda: self._hrbp_acts(id))

    def _answer(self, subject: str, id: int) -> None:
        self._note("answer", id, subject)
        self._press(subject, id, "feedback_card", self.dice.choice(("acknowledged", "improved", "disputed")))

    def _withdraw(self, id: int) -> None:
        self._note("withdraw", id, "boss")
        act = changes.withdraw
        self._run(lambda ctx: act(ctx, ctx.tx.people.get(self.ids["boss"]), ctx.tx.feedback.get(id)))

    def _reword(self, id: int) -> None:
        """Moves no clock."""
        act = changes.edit
        self._run(lambda ctx: act(ctx, ctx.tx.people.get(self.ids["boss"]), ctx.tx.feedback.get(id), "动作改成先复述再核实订单"))

    def _hrbp_acts(self, id: int) -> None:
        self._send()
        with self.stores[0].read() as tx:
            cards = [tx.outbox.get(message) for message in tx.escalations.messages_about(id)]
        sent = [card for card in cards if card and card.sent_at and card.person and self.keys[card.person] not in self.gone]
        sent = [card for card in sent if card.card in ("escalation_card", "escalation_bundle")]
        if not sent:
            return
        card, verb = self.dice.choice(sent), self.dice.choice(("nudge", "take", "extend", "close", "close"))
        assert card.person is not None
        of, reason = f":{id}" if card.card == "escalation_bundle" else "", ":talked" if verb == "close" else ""
        by = self.keys[card.person]
        if verb != "nudge":
            self._note(verb, id, by)
        self._deliver(CardAction(self._event(), Account(Platform.DINGTALK, by), card.card_id, f"{verb}{of}{reason}"))
        if self.dice.random() < 0.5:
            self._later(self.at + self.dice.randrange(100 * 3600), lambda: self._hrbp_acts(id))

    def _leave(self, person: str) -> None:
        self.gone.add(person)
        self._note("left", person)
        self._deliver(MemberChange(self._event(), Platform.DINGTALK, (person,), left=True))

    def _go_away(self) -> None:
        who, taker = self.dice.sample(["hr0", "hr1", "head"], 2)
        begins = self.at + self.offset + self.dice.randrange(3 * 86400)
        ends = begins + self.dice.randrange(14 * 86400)
        self._note("away", who, taker, begins, ends)
        span = [datetime.fromtimestamp(edge, UTC) for edge in (begins, ends)]
        self._run(lambda ctx: ctx.tx.away.put(away.appoint(ctx.tx.away.of(self.ids[who]), self.ids[taker], span[0], span[1])))

    def _change_policy(self) -> None:
        self.plan, self.working = self.dice.choice(PLANS), self.dice.random() < BY_WORK
        self._serve()

    def _change_days(self) -> None:
        """Some days around now are off after all, and others are worked; whoever is up reads that at once."""
        if self.at < self._up_at:
            self._later(self._up_at, self._change_days)
            return
        today, dice = (self.now + timedelta(hours=8)).date(), self.dice
        first = today + timedelta(dice.randrange(-3, 12))
        off = {first + timedelta(n) for n in range(dice.randrange(1, 6))}
        worked = {today + timedelta(dice.randrange(-3, 20)) for _ in range(dice.randrange(4))} - off
        known = self.calendar
        self.calendar = replace(known, holidays=known.holidays - worked | off, makeup=known.makeup - off | worked)
        self._note("days", *([day.toordinal() - _1970 for day in days] for days in (off, worked)))
        self.outages.append((self.at + self.offset, self.at + self.offset))  # what falls due in the past by this could not be done
        self._do(loops.recount_some)

    def _outage(self) -> None:
        length = int(self.dice.choice((60, 900, 7200, 60 * 3600)) * self.dice.uniform(0.2, 2))
        self.outages.append((self.at + self.offset, self.at + self.offset + length))
        self._up_at = max(self._up_at, self.at + length)

    def _jump(self) -> None:
        before = self.at + self.offset
        self.offset += self.dice.choice((-7200, -300, -2, 2, 600, 30_000))
        self.outages.append((before, max(self.at, self._up_at) + self.offset))  # an outage that it falls into ends at another time

    # -- through the front door ----------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """As configured at the moment."""
        counting = Counting.WORKING if self.working else Counting.CALENDAR
        plan: Plan = tuple(
            Stage(timedelta(hours=hours), StepKind.ESCALATE if calls else StepKind.REMIND, counting) for hours, calls in self.plan
        )
        day = timedelta(days=1)
        checkins = Checkins(None, clock_time(18), frozenset())
        made = Policy(plan, 2 * day, day, timedelta(minutes=10), {"客服": LIBRARY}, checkins, None, calendar=lambda: self.calendar)
        return replace(made, merge_within=timedelta(minutes=30))

    def _serve(self) -> None:
        """Both processes start with the policy of now."""
        self._dispatchers = [
            Dispatcher(store, self.policy, lambda: self.now, frozenset({Platform.DINGTALK}), lambda: None) for store in self.stores
        ]

    def _press(self, who: str, id: int, template: str, action: str, ticks: tuple[str, ...] = ()) -> None:
        with self.stores[0].read() as tx:
            card = next((message for message in tx.outbox.about(f"feedback:{id}") if message.card == template), None)
        if card is not None:
            self._deliver(CardAction(self._event(), Account(Platform.DINGTALK, who), card.card_id, action, ticks))

    def _deliver(self, event: CardAction | MemberChange) -> None:
        """Once, or again after a crash as platforms do; some come twice, later, after other things have happened."""
        self._until_done(lambda door: door.handle(event))
        if self.dice.random() < 0.2:
            self._later(self.at + int(self.dice.expovariate(1 / 3600)), lambda: self._until_done(lambda door: door.handle(event)))

    def _run(self, act: Callable[[Context], Any]) -> Any:
        """A form or a job that is done once."""
        return self.dice.choice(self._dispatchers).run(act)

    def _until_done(self, act: Callable[[Dispatcher], Any]) -> None:
        while True:
            try:
                with self.fuse:
                    act(self.dice.choice(self._dispatchers))
                return
            except Crash:
                continue

    def _event(self) -> str:
        return f"e{next(self._events)}"

    def _send(self) -> None:
        """What is due reaches its reader, as the sender would note it."""
        with self.stores[0].engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                now = self.now if self._threads else self.now.replace(tzinfo=None).isoformat(" ", "microseconds")
                connection.execute(_SENT, {"now": now})

    def _note(self, what: str, *rest: Any) -> None:
        self.log.append((self.at + self.offset, what, *rest))


# The first condition is that of the partial index.
_SENT = text(
    "UPDATE outbox SET state = 'sent', sent_at = :now WHERE state IN ('due', 'sending') AND state = 'due' AND not_before <= :now"
)


def _hr(key: str, above: str | None) -> Entry:
    return Entry(key, "赵敏", "人力资源部", (Account(Platform.DINGTALK, key),), supervisor=above)


# -- the verdict ---------------------------------------------------------------------------------------------------------------------

Step = tuple[int, str, str, int]  # loop, kind, reader, when


def steps_taken(tx: Tx, keys: dict[int, str]) -> list[Step]:
    """Every reminder and escalation that the bot queued, by the rows it left."""
    work: Any = tx.loops._work
    reminders = work.execute(text("SELECT key, person, created_at FROM outbox WHERE card = 'reminder_card' AND key LIKE 'loop:%'"))
    escalations = work.execute(text("SELECT feedback, reader, at FROM escalations"))
    return [
        *((int(row.key.split(":")[1]), "remind", keys[row.person], _seconds(row.created_at)) for row in reminders),
        *((row.feedback, "escalate", keys[row.reader], _seconds(row.at)) for row in escalations),
    ]


def _seconds(stored: Any) -> int:
    at = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


@dataclass
class Verdict:
    """What came out; `late` counts steps by whole seconds."""

    loops: int = 0
    steps: int = 0
    lost: int = 0
    early: int = 0
    duplicates: int = 0
    oracle_mismatches: int = 0
    crashes: int = 0
    late: Counter[int] = field(default_factory=Counter)

    def add(self, other: Verdict) -> None:
        """Both together."""
        for name in ("loops", "steps", "lost", "early", "duplicates", "oracle_mismatches", "crashes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.late.update(other.late)

    @property
    def failures(self) -> int:
        """How much was wrong."""
        return self.lost + self.early + self.duplicates + self.oracle_mismatches

    def report(self) -> dict[str, Any]:
        """For people and programs."""
        late = sorted(self.late.elements())
        shown = {f"late_p{p}_s": late[min(len(late) - 1, len(late) * p // 100)] if late else None for p in (50, 99)}
        numbers = {name: value for name, value in vars(self).items() if name != "late"}
        return numbers | shown | {"late_max_s": late[-1] if late else None}


def judge(company: Company) -> Verdict:
    """Compare what was sent with what the oracle says must have been, loop by loop."""
    expected = defaultdict(list)
    for loop, kind, reader, due, at in clock_oracle.replay(company.log, HRBP, "head"):
        expected[loop].append((kind, reader, due, at))
    found = defaultdict(list)
    with company.stores[0].read() as tx:
        for loop, kind, reader, at in steps_taken(tx, company.keys):
            found[loop].append((kind, reader, at))
    verdict = Verdict(loops=sum(entry[1] == "give" for entry in company.log), crashes=company.fuse.blown)
    for loop in expected.keys() | found.keys():
        must, did = sorted(expected[loop], key=lambda step: step[3]), sorted(found[loop], key=lambda step: step[2])
        verdict.steps += len(did)
        verdict.lost += max(0, len(must) - len(did))
        verdict.duplicates += max(0, len(did) - len(must))
        verdict.early += sum(step[2] < due for step, (_, _, due, _) in zip(did, must, strict=False))
        verdict.oracle_mismatches += sorted(did) != sorted((kind, reader, at) for kind, reader, _, at in must)
        verdict.late.update(_late(company, due, at) for _, _, due, at in must)
    return verdict


def _late(company: Company, due: int, at: int) -> int:
    """How late, from when it could have been done: outages and jumps that lie between are not counted."""
    since = max([due, *(end for begin, end in company.outages if begin <= at and due < end <= at)])
    return at - since


# -- running it ----------------------------------------------------------------------------------------------------------------------


def run_company(seed: int, count: int, url: str = "sqlite") -> Verdict:
    """One company with `count` loops on a fresh database of this kind ("sqlite", or the URL of a PostgreSQL server)."""
    dice = random.Random(seed)
    with fresh(url) as database, ExitStack() as stack:
        fuse = Fuse(random.Random(f"crashes of {seed}"), mean=600)  # a statement more or less is no other story
        stores = (Store(database, pool=4), Store(database, pool=4))
        for store in stores:
            fused(store, fuse)
            stack.callback(store.close)
        company = Company(dice, stores, fuse, count)
        company.live()
        return judge(company)


def _share(job: tuple[int, int, str]) -> Verdict:
    return run_company(*job)


def run(loops_wanted: int, seed: int, url: str, processes: int) -> Verdict:
    """As many companies as it takes."""
    sizes = [COMPANY] * (loops_wanted // COMPANY) + ([loops_wanted % COMPANY] if loops_wanted % COMPANY else [])
    jobs = [(seed * 1_000_003 + number, size, url) for number, size in enumerate(sizes)]
    total, begun = Verdict(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for number, verdict in enumerate(pool.imap_unordered(_share, jobs), 1):
            total.add(verdict)
            if number % 20 == 0:
                seconds = time.monotonic() - begun
                print(f"{total.loops} loops, {total.failures} wrong, {seconds:.0f} s", file=sys.stderr, flush=True)
    return total


def main() -> None:
    """Parse, run, print; exit code 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", default="sqlite")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    verdict = run(options.loops, options.seed, options.url, options.processes)
    report = verdict.report()
    print(json.dumps(report) if options.json else "\n".join(f"{name:18}{value}" for name, value in report.items()))
    sys.exit(verdict.failures > 0)


if __name__ == "__main__":
    main()
