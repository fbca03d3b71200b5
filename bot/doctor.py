"""What an administrator asks before the first start and when something is odd (F2): each finding says what is so and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot.app import App, build
from bot.channel import SendFailed
from bot.settings import Settings
from handlers import retention
from handlers.context import Context
from rules.events import Platform
from rules.weeks import SHANGHAI
from storage.blobs import Unreachable
from storage.migrations import is_current
from storage.outbox import State


@dataclass(frozen=True)
class Finding:
    """`what` was looked at and how it stands; `do` is what to do when it is not good. What is not `serious` can wait."""

    good: bool
    what: str
    do: str = ""
    serious: bool = True


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at everything that must fit together. Reads only; asks each platform for its directory."""
    app = build(settings)
    try:
        database = _database(app)
        return (
            *_platforms(app),
            database,
            *((*_people(app), *_backlog(app), _forgotten(app)) if database.good else ()),
            _evidence(app),
            *_calendar(app),
            *_public(settings),
            *_cards(settings),
        )
    finally:
        app.close()


def _platforms(app: App) -> Iterator[Finding]:
    if not app.settings.platforms:
        yield Finding(False, "platforms: none enabled", "set dingtalk.enabled or wecom.enabled to true")
    for platform in app.settings.platforms:
        try:
            directory = app.directories.read(platform)
        except SendFailed as failure:
            yield Finding(False, f"{platform}: {failure.code}", failure.text)
        else:
            yield Finding(bool(directory.members), f"{platform}: sees {len(directory.members)} people", _RANGE)


_RANGE = "widen the app's visible range in the admin console to everybody who takes part"


def _database(app: App) -> Finding:
    try:
        current = is_current(app.store.engine)
    except SQLAlchemyError as error:
        return Finding(
            False,
            f"database: does not answer ({type(error).__name__})",
            "check database.url; if it is new, run `python run.py migrate`",
        )
    return Finding(current, f"database: {app.settings.database_kind}", "run `python run.py migrate`")


def _people(app: App) -> Iterator[Finding]:
    with app.store.read() as tx:
        people = [person for person in tx.people.all().values() if person.active]
        supervisors = tx.people.supervisors()
    yield Finding(bool(people), f"people: {len(people)}", "run `python run.py people import people.csv` or `people sync`")
    yield Finding(bool(supervisors), f"people: {len(supervisors)} supervisors", "name supervisors in people.csv or in the directory")
    reports = [person for person in people if person.supervisor is not None]
    alone = sum(1 for person in reports if person.hrbp is None)
    good = alone == 0 or bool(app.settings.people.fallback_hrbp)
    yield Finding(good, f"people: {alone} without an HRBP", "fill the hrbp column, or set people.fallback_hrbp")
    without = sorted({person.role or person.position or "(no role)" for person in reports if person.role not in app.settings.roles})
    covered = any(person.role in app.settings.roles for person in reports)
    what = f"roles: {len(without)} without a behaviour library" + (
        f" ({', '.join(without)}): no check-in cards about them" if without else ""
    )
    yield Finding(covered, what, "describe at least one role under roles:, as in demo/config.yaml")


def _backlog(app: App) -> Iterator[Finding]:
    late = app.now() - timedelta(minutes=5)
    with app.store.read() as tx:
        overdue, counts = tx.loops.overdue(late), tx.outbox.counts()
        stuck = tx.outbox.stuck(3 * app.settings.sending.timeout_seconds)
    yield Finding(not overdue, f"loops: {overdue} overdue by more than 5 minutes", "start a worker, and read its log")
    yield Finding(not stuck, f"outbox: {stuck} messages stuck in sending", "start a worker; they are taken up again by themselves")
    unsent = counts.get(State.FAILED, 0) + counts.get(State.UNSURE, 0)
    yield Finding(not unsent, f"outbox: {unsent} failed or unsure", "see `python run.py outbox --state failed` or unsure; then --retry")


def _forgotten(app: App) -> Finding:
    with app.store.read() as tx:
        late = retention.overdue(Context(tx, app.now(), app.policy), timedelta(days=2))
    kept = app.policy.retention
    told = "; ".join(f"{what} goes back {age.days} days, {kept[what].days} are configured" for what, age in late.items())
    what = f"retention: {told or 'nothing is older than configured'}"
    return Finding(not late, what, "start a worker: each night from 03:00 it forgets what has had its time", serious=False)


def _evidence(app: App) -> Finding:
    s3 = app.settings.s3
    where = f"s3 bucket {s3.bucket}" if s3.enabled else app.settings.evidence.folder
    try:
        app.blobs.check()
    except Unreachable as away:
        return Finding(
            False, f"evidence: {where}: {away}", "check s3 in the configuration" if s3.enabled else "make evidence.folder writable"
        )
    return Finding(True, f"evidence: {where}")


def _calendar(app: App) -> Iterator[Finding]:
    this = app.now().astimezone(SHANGHAI).year
    calendar = app.policy.calendar()
    unknown = [str(year) for year in (this, this + 1) if not calendar.published(year)]
    what = f"calendar: {' and '.join(unknown)} not published" if unknown else f"calendar: knows {this} and {this + 1}"
    yield Finding(not unknown, what, _ARRANGEMENT, serious=not calendar.published(this))


_ARRANGEMENT = (
    "until then weekends and statutory days count, and cards say so; the arrangement comes out in November: "
    "update the package `holidays`, or write it into calendar.file"
)


def _public(settings: Settings) -> Iterator[Finding]:
    needed = settings.wecom.enabled or settings.dingtalk.mode == "http" or not settings.dingtalk.card_template_id
    public: Any = settings.web.public_url
    local = "//127." in public or "//localhost" in public
    sandbox = "//127." in settings.wecom.api_base or "//127." in settings.dingtalk.api_base
    good = not (needed and local) or sandbox
    yield Finding(good, f"web: reached as {public}", "set web.public_url to the address that phones and the platform can open")


def _cards(settings: Settings) -> Iterator[Finding]:
    if Platform.DINGTALK in settings.platforms:
        yield Finding(
            bool(settings.dingtalk.card_template_id),
            "dingtalk: card template",
            "build the template once (docs/dingtalk-card-template.md) and set dingtalk.card_template_id; till then cards are pages",
        )
