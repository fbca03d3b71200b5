"""What happens by itself. The scheduler only ticks; what is due is asked of the database, one item and one transaction at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from bot.clock import UtcNow
from handlers import alerts, budgets, digests, escalations, feedback, groups, loops, value
from handlers.context import Context
from rules.policy import Policy
from storage.unit import Store

log = logging.getLogger("sanmiao.jobs")

Work = Callable[[Context], bool]
_POSTPONE = timedelta(hours=1)
_TOGETHER = 20  # few enough to keep nobody waiting for SQLite's one writer


@dataclass(frozen=True)
class Job:
    """`work` deals with one due item and says False when none is left. After an unexpected error `skip` puts the item aside for an
    hour, so that the others go on; without it the job rests until the next tick. `together` deals with several items in one
    transaction, at most so many, and tells how many; when that fails they are dealt with one by one. What takes long to read is read by
    `ahead`, in a transaction that only reads and that no tap waits for; it answers with the work that is left."""

    name: str
    work: Work
    skip: Callable[[Context, timedelta], None] | None = None
    together: Callable[[Context, int], int] | None = None
    ahead: Callable[[Context], Work] | None = None


JOBS = (
    Job("recount loops", loops.recount_one, loops.leave_one_counted, loops.recount_some),
    Job("advance loops", loops.advance_one, loops.postpone_one, loops.advance_some),
    Job("forecast holidays", escalations.forecast_one),
    Job("miss holidays", alerts.miss_holidays_once),
    Job("expire check-ins", feedback.expire_one, feedback.postpone_expiry),
    Job("offer check-ins", feedback.offer_daily_one),
    Job("welcome groups", groups.welcome_one),
    Job("compose digests", digests.compose_next, digests.skip_one, ahead=digests.read_ahead),
    Job("advance contests", value.advance_contest),
    Job("tell of saving", budgets.tell_of_saving),
)


class Jobs:
    """The tables above, ticking in the background. `committed` is called when messages may wait."""

    def __init__(self, store: Store, policy: Policy, utc_now: UtcNow, committed: Callable[[], None]) -> None:
        self._store, self._policy, self._now, self._committed = store, policy, utc_now, committed
        self._scheduler = BackgroundScheduler(timezone="UTC")

    def start(self, tick_seconds: float, extra: tuple[Callable[[], None], ...] = ()) -> None:
        """Tick from now on. `extra` are ticks that do their own transactions (the directory sync fetches first)."""
        for tick in (self.run_due, *extra):
            self._scheduler.add_job(
                tick, "interval", seconds=tick_seconds, coalesce=True, max_instances=1, misfire_grace_time=None, next_run_time=None
            )
        self._scheduler.start(paused=True)
        for job in self._scheduler.get_jobs():
            job.resume()
        self._scheduler.resume()

    def stop(self) -> None:
        """No more ticks; the one under way ends by itself."""
        self._scheduler.shutdown(wait=False)

    def run_due(self) -> int:
        """Do everything that is due now; the number of items dealt with."""
        return sum(self.run(job) for job in JOBS)

    def run(self, job: Job) -> int:
        """Do everything that is due now of one job; the number of items dealt with."""
        done, more = 0, True
        while more:
            some, more = self._some(job)
            done += some
        if done:
            self._committed()
            log.info("job=%s done=%d", job.name, done)
        return done

    def _some(self, job: Job) -> tuple[int, bool]:
        """Deal with what fits into one transaction, or with one item: how many that were, and whether more may be due."""
        if job.together is not None:
            try:
                with self._store.begin() as tx:
                    done = job.together(Context(tx, self._now(), self._policy), _TOGETHER)
                return done, done == _TOGETHER
            except Exception:  # one of them is bad: which one shows when each is alone
                log.warning("items go one by one job=%s", job.name, exc_info=True)
        one = self._one(job)
        return int(one), one

    def _one(self, job: Job) -> bool:
        try:
            work = self._work(job)
            with self._store.begin() as tx:
                return work(Context(tx, self._now(), self._policy))
        except Exception:  # one bad item must not stop the rest
            log.exception("job failed job=%s", job.name)
        return job.skip is not None and self._skip(job)

    def _work(self, job: Job) -> Work:
        if job.ahead is None:
            return job.work
        with self._store.read() as tx:
            return job.ahead(Context(tx, self._now(), self._policy))

    def _skip(self, job: Job) -> bool:
        assert job.skip is not None
        try:
            with self._store.begin() as tx:
                job.skip(Context(tx, self._now(), self._policy), _POSTPONE)
        except Exception:  # the database is away; the next tick tries again
            log.exception("cannot postpone job=%s", job.name)
            return False
        return True
