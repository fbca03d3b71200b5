"""What `run.py digest` does: show what a person gets in a week, and send it once more."""

from __future__ import annotations

from bot.app import App
from cards.compose import compose
from cards.text import text
from handlers import digests
from handlers.context import Context
from rules.digests import Kind
from rules.people import Person
from rules.weeks import Week, week_of
from storage.digests import whom
from storage.unit import Tx

_LONGEST_LINE = 1000
_PERSONAL = (Kind.MONDAY, Kind.QUOTA, Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.LEADER)


class BadRequest(Exception):
    """What was asked for does not exist; the text says why."""


class _TakeBack(Exception):
    """A preview leaves nothing behind."""


def preview_digests(app: App, person: str, week: str | None) -> str:
    """Everything this person (by key) gets in a week ("2026-W38"; None: this one), as text: what was composed, else what would be now.
    Raises BadRequest. Nothing is stored: composing books the value ledger, so it runs in a transaction that is rolled back."""
    shown: list[str] = []
    try:
        with app.store.begin() as tx:
            ctx = Context(tx, app.now(), app.policy)
            one, when = _person(tx, person), _week(app, week)
            shown = [f"[{kind}]\n{told}" for kind in _PERSONAL if (told := _told(ctx, one, when, kind))]
            raise _TakeBack
    except _TakeBack:
        return "\n\n".join(shown) or "nothing: an empty week, and the configuration is silent about those"


def send_again(app: App, person: str, week: str | None, kind: str) -> str:
    """Queue a digest once more; a sentence about it. Raises BadRequest."""
    if kind not in set(_PERSONAL):
        raise BadRequest(f"no kind {kind!r}; one of {', '.join(_PERSONAL)}")
    with app.store.begin() as tx:
        ctx = Context(tx, app.now(), app.policy)
        when = _week(app, week)
        if not digests.resend(ctx, _person(tx, person), when, Kind(kind)):
            raise BadRequest(f"{person} got no {kind} digest in {when}; `run.py digest preview` shows what there is")
    return f"queued: {kind} digest of {when} to {person}"


def _told(ctx: Context, person: Person, week: Week, kind: Kind) -> str | None:
    kept = ctx.tx.digests.of(whom(person.id), week, kind)
    if kept is None:
        wanted = _recipients(ctx, kind)
        composed = digests.compose(ctx, kind, week, [person.id])[0].card if wanted is None or person.id in wanted else None
        return _as_text(composed.template(), composed.data()) if composed else None
    return _as_text(kept.card, dict(kept.data or {})) if kept.card else None


def _recipients(ctx: Context, kind: Kind) -> frozenset[int] | None:
    """Who gets a kind; None: everybody."""
    everybody = 2**31 - 1
    if kind in (Kind.SUPERVISOR, Kind.QUOTA):
        return frozenset(ctx.tx.digests.supervisors(0, everybody))
    if kind is Kind.LEADER:
        named = (ctx.tx.people.by_key(key) for key in ctx.policy.digests.leaders)
        return frozenset(ctx.tx.digests.hrbps(0, everybody)) | {person.id for person in named if person}
    return None


def _as_text(card: str, data: dict[str, object]) -> str:
    return text(compose(card, data), _LONGEST_LINE)


def _person(tx: Tx, key: str) -> Person:
    person = tx.people.by_key(key)
    if person is None:
        raise BadRequest(f"nobody has the key {key!r}")
    return person


def _week(app: App, week: str | None) -> Week:
    try:
        return Week.read(week) if week else week_of(app.now())
    except ValueError:
        raise BadRequest(f"{week!r} is no ISO week like 2026-W38") from None
