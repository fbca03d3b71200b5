"""The self-audit looks for what should not be, and says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from handlers.alerts import tell_administrators
from handlers.context import Context
from rules import digests
from rules.audit import Finding, Wrong
from rules.weeks import SHANGHAI

_PATIENCE_FOR_DIGESTS = timedelta(hours=1)


@dataclass(frozen=True)
class Expected:
    """What a running bot keeps to: the pause between two ticks, a message's lease, and whether somebody must hold a DingTalk stream
    (its lease by name)."""

    tick: timedelta
    lease_seconds: float
    stream: str | None = None


def findings(ctx: Context, expected: Expected) -> tuple[Finding, ...]:
    """What is wrong now, in the order of `Wrong`; empty when all is well. Reads only."""
    overdue = ctx.tx.loops.overdue(ctx.now - 3 * expected.tick)
    stuck = ctx.tx.outbox.stuck(expected.lease_seconds)
    silent = expected.stream is not None and not ctx.tx.leases.held(expected.stream)
    counted = ((Wrong.OVERDUE, overdue), (Wrong.STUCK, stuck), (Wrong.SILENT, int(silent)), (Wrong.NO_DIGEST, _missing_digests(ctx)))
    return tuple(Finding(what, count) for what, count in counted if count)


def report(ctx: Context, found: Collection[Finding]) -> None:
    """Tell the administrators, of each kind once a day."""
    day = ctx.now.astimezone(SHANGHAI).date()
    for finding in found:
        key = f"audit:{finding.what}:{day}"
        tell_administrators(ctx, finding.what, key, code=f"audit:{finding.what}", count=finding.count)


def _missing_digests(ctx: Context) -> int:
    """How many kinds of digests were due for an hour or more, may still be sent and are not finished."""
    policy, late = ctx.policy.digests, ctx.now - _PATIENCE_FOR_DIGESTS
    wanted = set(digests.open_now(ctx.now, ctx.calendar, policy)) & set(digests.open_now(late, ctx.calendar, policy))
    return sum(kind not in ctx.tx.digests.finished(week) for week, kind in wanted)
