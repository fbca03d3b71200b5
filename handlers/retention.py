"""What has had its time is forgotten (F6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from handlers.context import Context
from rules.retention import Passing

_AT_ONCE = 200  # rows of one transaction: on SQLite nobody else writes meanwhile


def forget_some(ctx: Context) -> bool:
    """Forget the next few that are older than the policy keeps them. False when nothing is left to forget."""
    return any(ctx.tx.retention.forget(what, ctx.now - kept, _AT_ONCE) for what, kept in ctx.policy.retention.items())


def overdue(ctx: Context, patience: timedelta) -> Mapping[Passing, timedelta]:
    """The age of the oldest of each kind that should have been forgotten longer than `patience` ago."""
    found = {what: ctx.tx.retention.oldest(what) for what in ctx.policy.retention}
    ages = {what: ctx.now - oldest for what, oldest in found.items() if oldest is not None}
    return {what: age for what, age in ages.items() if age > ctx.policy.retention[what] + patience}
