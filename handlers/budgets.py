"""How the platforms' budgets stand, and who is told when we begin to save on one."""

from __future__ import annotations

from cards.catalog import GroupLater
from handlers.alerts import tell_administrators
from handlers.context import Context
from rules import budgets
from rules.budgets import Standing
from rules.manners import Degree
from rules.messages import Urgency
from rules.weeks import SHANGHAI

_SAVED_ON = (Urgency.NUDGE, Urgency.DIGEST, Urgency.REMINDER)


def standings(ctx: Context) -> tuple[Standing, ...]:
    """Every budget as it stands now, in the order of the configuration."""
    heads = ctx.tx.people.count() if any(budget.per_head for budget in ctx.policy.budgets) else 0
    stands = []
    for budget in ctx.policy.budgets:
        spent = ctx.tx.usage.spent(*budgets.period(budget.per, ctx.now))
        stands.append(budgets.standing(budget, heads, spent.get((budget.platform, budget.what), 0), ctx.calendar, ctx.now))
    return tuple(stands)


def degrees(stands: tuple[Standing, ...], platform: str) -> dict[Urgency, Degree]:
    """How hard we save on each class on this platform, as its budgets stand."""
    its = tuple(stand for stand in stands if stand.budget.platform == platform)
    return {urgency: budgets.degree(urgency, its) for urgency in _SAVED_ON}


def tell_of_saving(ctx: Context) -> bool:
    """Say once a day for each platform and step that we save: to the administrators, and to its groups where the step wants it.
    False: there is nothing (more) to be done."""
    stands, day = standings(ctx), ctx.now.astimezone(SHANGHAI).date()
    for platform in sorted({stand.budget.platform for stand in stands}):
        hardest = max(degrees(stands, platform).values())
        if hardest is Degree.FREELY or not ctx.tx.runs.first("saving", f"{platform}:{day}:{hardest.name}", ctx.now):
            continue
        tell_administrators(ctx, "saving", f"saving:{platform}:{day}:{hardest.name}", code=f"{platform}:{hardest.name.lower()}")
        if hardest is Degree.GROUP:
            for group in ctx.policy.groups:
                if group.chat.platform == platform:
                    key = f"later:{platform}:{group.chat.chat_id}:{day}"
                    ctx.tx.outbox.add(GroupLater().to(group.chat, key=key), ctx.now)
    return False
