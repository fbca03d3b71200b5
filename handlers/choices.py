"""A card with one button per possibility: the first press decides, also when two come at once."""

from __future__ import annotations

from handlers.context import Context, Press

_MOST = 20  # more than any platform shows


def decided(ctx: Context, press: Press, place: int) -> int | None:
    """Decide the card for `place` (from 1). None when this press does; else the place that an earlier press decided for."""
    card = press.card.card_id
    if ctx.tx.runs.first("chosen", card, ctx.now):
        ctx.tx.runs.first(f"chosen:{place}", card, ctx.now)
        return None
    return next(n for n in range(1, _MOST + 1) if ctx.tx.runs.taken(f"chosen:{n}", [card]))
