"""The directory comes in: people join, change and leave (A9)."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.context import Context
from handlers.loops import hand_over_for
from rules.directory import Directory
from rules.events import MemberChange, Platform
from rules.messages import PersonId
from rules.people import Entry, account_of, match


def take_list(ctx: Context, entries: Iterable[Entry]) -> tuple[PersonId, ...]:
    """Take in a list that names people by key (people.csv); who left by it."""
    return _after_leaving(ctx, ctx.tx.people.put(entries, ctx.now))


def take_directory(ctx: Context, platform: Platform, directory: Directory) -> tuple[str, ...]:
    """Take in what a platform's directory says now; the names that fit several people and were not merged."""
    matched = match(platform, directory, tuple(ctx.tx.people.all().values()), ctx.tx.people.accounts())
    left = ctx.tx.people.put(matched.entries, ctx.now)
    gone = ctx.tx.people.drop_accounts(matched.gone, ctx.now)
    _after_leaving(ctx, (*left, *gone))
    return matched.unsure


def changed(event: MemberChange, ctx: Context) -> None:
    """The platform says that somebody left: he gets nothing more from this moment. Other changes wait for the next full sync."""
    if event.left:
        gone = [account_of(event.platform, user_id) for user_id in event.user_ids]
        _after_leaving(ctx, ctx.tx.people.drop_accounts(gone, ctx.now))


def _after_leaving(ctx: Context, left: tuple[PersonId, ...]) -> tuple[PersonId, ...]:
    for person in left:
        hand_over_for(ctx, person)
    return left
