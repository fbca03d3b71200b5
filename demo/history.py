"""A fortnight of believable history: the same handlers that serve real people run with the clock of back then.

Not a dump of rows, so it cannot drift from what the bot does. What was sent back then is not sent again; what still waits for an answer
is, and each supervisor finds a fresh check-in card on his phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import App, build
from bot.settings import Settings
from handlers import feedback, loops
from handlers.context import Context, Press
from rules.events import Account, CardAction, Platform
from rules.people import Person
from storage.migrations import upgrade
from storage.unit import Tx


@dataclass(frozen=True)
class Episode:
    """`author` gave `subject` the boxes `ticks` so many days and hours ago; after `answered_hours` the subject said `answer`."""

    author: str
    subject: str
    days: int
    hours: float
    ticks: tuple[str, ...]
    answer: str | None
    answered_hours: float = 0.0
    words: str = ""


EPISODES: Sequence[Episode] = (
    Episode("E010", "E011", 13, 2, ("calm_first", "full_note"), "acknowledged", 1.5),
    Episode("E010", "E012", 12, 5, ("no_eta",), "improved", 20, "以后挂电话前都报一遍到账日"),
    Episode("E010", "E013", 11, 3, ("swap_offer",), "acknowledged", 3),
    Episode("E010", "E011", 9, 1, ("cut_in",), "improved", 6, "先听完再复述一遍客户的问题"),
    Episode("E010", "E013", 8, 4, ("full_note",), "acknowledged", 30),
    Episode("E010", "E012", 6, 2, ("calm_first", "swap_offer"), "acknowledged", 2),
    Episode("E010", "E011", 5, 6, ("swap_offer",), "acknowledged", 0.5),
    Episode("E010", "E013", 4, 1, ("no_eta",), "disputed", 10, "系统当时没有显示到账时间"),
    Episode("E010", "E012", 2, 3, ("full_note",), "acknowledged", 5),
    Episode("E020", "E021", 13, 1, ("price_anchor",), "acknowledged", 0.4),
    Episode("E020", "E022", 12, 2, ("missed_close",), "improved", 26, "每讲完一款就报剩余件数"),
    Episode("E020", "E024", 10, 4, ("size_chart", "answer_live"), "acknowledged", 8),
    Episode("E020", "E023", 9, 2, ("off_script",), "improved", 12, "把售后承诺写进提词卡第一行"),
    Episode("E020", "E021", 7, 3, ("answer_live",), "acknowledged", 1),
    Episode("E020", "E022", 6, 5, ("price_anchor", "missed_close"), "acknowledged", 40),
    Episode("E020", "E024", 3, 2, ("size_chart",), "acknowledged", 2),
    Episode("E010", "E011", 1, 4, ("cut_in",), "improved", 2, "先听完再复述一遍客户的问题，少寄回 3 次"),
    Episode("E010", "E012", 1, 6, ("swap_offer",), "acknowledged", 1),
    Episode("E020", "E021", 1, 5, ("missed_close",), "improved", 1.5, "每讲完一款就报剩余件数，当场加了 6 单"),
    Episode("E020", "E022", 1, 3, ("answer_live",), "acknowledged", 2),
    Episode("E010", "E013", 0, 22, ("calm_first",), None),
    Episode("E020", "E022", 0, 21, ("off_script",), None),
)


def found(settings: Settings, people: Path) -> bool:
    """Make the tables and take in the people. False when the database has people: the demo goes on where it ended."""
    app = build(settings)
    try:
        upgrade(app.store.engine)
        with app.store.read() as tx:
            if tx.people.all():
                return False
        app.directories.take_csv(people)
        return True
    finally:
        app.close()


def relive(settings: Settings) -> None:
    """Fill a company that was just founded with its fortnight, in one transaction: a bot may be running on it already."""
    app = build(settings)
    try:
        with app.store.begin() as tx:
            _relive(app, tx)
    finally:
        app.close()


def _relive(app: App, tx: Tx) -> None:
    now, policy = app.now(), app.policy
    by_key = {person.key: person for person in tx.people.all().values()}
    for episode in EPISODES:
        author, subject = by_key[episode.author], by_key[episode.subject]
        then = now - timedelta(days=episode.days, hours=episode.hours)
        record = _give(Context(tx, then, policy), author, subject, episode.ticks)
        if episode.answer:
            _answer(Context(tx, then + timedelta(hours=episode.answered_hours), policy), record, subject, episode)
            _forget_messages(tx, record, now)
    for supervisor, report in (("E010", "E011"), ("E020", "E021")):
        feedback.open_checkin(Context(tx, now, policy), by_key[supervisor], by_key[report])


def _give(ctx: Context, author: Person, subject: Person, ticks: tuple[str, ...]) -> int:
    opened = feedback.open_checkin(ctx, author, subject)
    assert opened is not None, f"no library for {subject.role}"
    feedback.give(_press(ctx, f"checkin:{opened}", author, "give", ticks), ctx)
    _cancel(ctx.tx, f"checkin:{opened}", ctx.now)
    return opened


def _answer(ctx: Context, record: int, subject: Person, episode: Episode) -> None:
    assert episode.answer is not None
    loops.answer(_press(ctx, f"feedback:{record}", subject, episode.answer), ctx)
    if episode.words:
        loops.explain(ctx, subject, episode.words)


def _press(ctx: Context, key: str, by: Person, action: str, ticks: tuple[str, ...] = ()) -> Press:
    card = ctx.tx.outbox.by_key(key)
    assert card is not None, key
    return Press(CardAction(f"history:{key}:{action}", Account(Platform.DINGTALK, by.key), card.card_id, action, ticks), by, card)


def _forget_messages(tx: Tx, record: int, now: datetime) -> None:
    for message in tx.outbox.about(f"feedback:{record}"):
        tx.outbox.cancel(message, now)


def _cancel(tx: Tx, key: str, now: datetime) -> None:
    message = tx.outbox.by_key(key)
    assert message is not None
    tx.outbox.cancel(message, now)
