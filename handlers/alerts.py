"""What administrators hear of, in the chat that the configuration names or each by himself. No personal text, no secrets."""

from __future__ import annotations

from cards.catalog import AdminAlert
from cards.words import phrase
from handlers.context import Context
from rules.messages import GroupChat, PersonId


def tell_administrators(ctx: Context, what: str, key: str, *, code: str, count: int = 0) -> None:
    """Tell them once (`key`). `what` names two phrases of `cards/templates/_words.yaml`: alert_<what> says what is so, alert_<what>_do
    what to do; `count` stands for {n} in them."""
    card = AdminAlert(phrase(f"alert_{what}").format(n=count), code, phrase(f"alert_{what}_do").format(n=count))
    for to in _whom(ctx):
        who = to if isinstance(to, int) else f"{to.platform}:{to.chat_id}"
        ctx.tx.outbox.add(card.to(to, key=f"alert:{key}:{who}"[:160]), ctx.now)


def _whom(ctx: Context) -> tuple[PersonId | GroupChat, ...]:
    if ctx.policy.admin_chat is not None:
        return (ctx.policy.admin_chat,)
    people = (ctx.tx.people.by_key(key) for key in sorted(ctx.policy.administrators))
    return tuple(person.id for person in people if person is not None and person.active)
