"""What administrators hear of, in the chat that the configuration names or each by himself. No personal text, no secrets."""

from __future__ import annotations

from cards.catalog import AdminAlert
from cards.words import phrase
from handlers.context import Context
from rules.messages import GroupChat, PersonId
from rules.worktime import unknown_year


def tell_administrators(ctx: Context, what: str, key: str, *, code: str, count: int = 0) -> None:
    """Tell them once (`key`). `what` names two phrases of `cards/templates/_words.yaml`: alert_<what> says what is so, alert_<what>_do
    what to do; `count` stands for {n} in them."""
    card = AdminAlert(phrase(f"alert_{what}").format(n=count), code, phrase(f"alert_{what}_do").format(n=count))
    for to in _whom(ctx):
        who = to if isinstance(to, int) else f"{to.platform}:{to.chat_id}"
        ctx.tx.outbox.add(card.to(to, key=f"alert:{key}:{who}"[:160]), ctx.now)


def miss_holidays_once(ctx: Context) -> bool:
    """Tell them, once a month, that nobody has told us the holidays of a year that we count by. False when there is nothing to say."""
    year = unknown_year(ctx.calendar, ctx.now)
    if year is None or not ctx.tx.runs.first("unknown year", f"{year}:{ctx.now:%Y-%m}", ctx.now):
        return False
    tell_administrators(ctx, "unknown_year", f"unknown-year:{year}:{ctx.now:%Y-%m}", code=f"calendar:{year}", count=year)
    return True


def _whom(ctx: Context) -> tuple[PersonId | GroupChat, ...]:
    if ctx.policy.admin_chat is not None:
        return (ctx.policy.admin_chat,)
    people = (ctx.tx.people.by_key(key) for key in sorted(ctx.policy.administrators))
    return tuple(person.id for person in people if person is not None and person.active)
