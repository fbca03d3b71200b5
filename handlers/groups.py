"""Groups the bot may write to (B4): they are named in config; the bot introduces itself once."""

from __future__ import annotations

from cards.catalog import GroupWelcome
from handlers.context import Context


def welcome_one(ctx: Context) -> bool:
    """Introduce the bot in the next group that has not met it. False when all have."""
    for group in ctx.policy.groups:
        if ctx.tx.runs.first("welcome", f"{group.chat.platform}:{group.chat.chat_id}"[:64], ctx.now):
            key = f"welcome:{group.chat.platform}:{group.chat.chat_id}"
            ctx.tx.outbox.add(GroupWelcome(group.name).to(group.chat, key=key), ctx.now)
            return True
    return False
