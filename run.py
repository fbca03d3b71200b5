#!/usr/bin/env python3
"""Start Sanmiao. Parses arguments and calls the rooms; `python run.py --help` tells what there is."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.app import App
    from bot.settings import Settings

_CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=None,
    help="Your config file; without it the defaults of config.yaml hold.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--verbose", is_flag=True, help="Log every step.")
def main(verbose: bool) -> None:
    """三秒 (Sanmiao): a feedback bot for DingTalk and WeCom.

    \b
    To look at it, with nothing but this folder:   python run.py demo
    To install it:  write a config file, then      python run.py check-config --config my.yaml
                                                   python run.py migrate      --config my.yaml
                                                   python run.py people import people.csv --config my.yaml
                                                   python run.py doctor       --config my.yaml
                                                   python run.py serve        --config my.yaml
    On several machines (PostgreSQL): any number of `web` and `worker` instead of `serve`.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    for noisy in ("apscheduler", "alembic", "waitress", "urllib3", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@main.command()
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path(".demo"), show_default=True, help="Folder that keeps the demo's data."
)
@click.option("--port", type=int, default=8765, show_default=True, help="Port of the page with the phones (0: any free one).")
@click.option("--fresh", is_flag=True, help="Forget what was there and start anew.")
def demo(state: Path, port: int, fresh: bool) -> None:
    """A company on your machine: local DingTalk and WeCom, phones on a web page, and the bot. Needs no account."""
    from bot.demo import run_demo

    sys.exit(run_demo(state, port, fresh=fresh))


@main.command()
@_CONFIG
def serve(config: Path | None) -> None:
    """Everything in one process: web, stream, sender, jobs. Right for one machine."""
    _run(_settings(config), web=True, worker=True)


@main.command()
@_CONFIG
def web(config: Path | None) -> None:
    """Callbacks and pages only. Any number of them; needs a `worker` somewhere."""
    _run(_settings(config), web=True, worker=False)


@main.command()
@_CONFIG
def worker(config: Path | None) -> None:
    """Stream, sender and jobs only. Any number of them on PostgreSQL; one holds the DingTalk stream."""
    _run(_settings(config), web=False, worker=True)


@main.command()
@click.option(
    "--port", type=int, default=8765, show_default=True, help="Port of page, control API and platform APIs (0: any free one)."
)
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path(".sandbox"), show_default=True, help="Folder that keeps its data."
)
@click.option("--company", type=click.Path(path_type=Path, exists=True), default=Path("demo/company.yaml"), show_default=True)
@click.option("--card-spec", type=click.Path(path_type=Path, exists=True), default=Path("cards/platform/dingtalk/template.json"))
@click.option("--agenda-url", default=None, help="Where the bot tells when something falls due next.")
def sandbox(port: int, state: Path, company: Path, card_spec: Path, agenda_url: str | None) -> None:
    """A local DingTalk and WeCom that the real SDKs talk to, without the bot."""
    from sandbox.server import serve as serve_sandbox

    serve_sandbox(port, state, company, card_spec, agenda_url)


@main.command()
@_CONFIG
def migrate(config: Path | None) -> None:
    """Bring the database to the tables of this version."""
    from bot.operate import migrate_database

    click.echo(migrate_database(_settings(config)))


@main.command("check-config")
@_CONFIG
def check_config(config: Path | None) -> None:
    """Read the configuration and say what is wrong with it, with file and line."""
    settings = _settings(config)
    click.echo(f"ok: {', '.join(settings.platforms) or 'no platform enabled'}; {len(settings.roles)} roles; {settings.database_kind}")


@main.command()
@_CONFIG
def doctor(config: Path | None) -> None:
    """Check credentials, callback, directory, database, card template and clock, and say what to do (F2)."""
    from bot.doctor import examine

    findings = examine(_settings(config))
    for finding in findings:
        mark = "ok  " if finding.good else "FAIL" if finding.serious else "note"
        click.echo(f"{mark}  {finding.what}" + ("" if finding.good else f"\n      → {finding.do}"))
    sys.exit(0 if all(finding.good or not finding.serious for finding in findings) else 1)


@main.group()
def people() -> None:
    """Who is who: import a list, sync from the platforms."""


@people.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_CONFIG
def import_people(file: Path, config: Path | None) -> None:
    """Take in people.csv (columns: key, name, department, position, role, supervisor, hrbp, mobile, dingtalk, wecom, left)."""
    from bot.directories import BadList

    with _app(_settings(config)) as app:
        try:
            click.echo(f"{app.directories.take_csv(file)} people")
        except BadList as problem:
            raise click.ClickException(str(problem)) from None


@people.command("sync")
@_CONFIG
def sync_people(config: Path | None) -> None:
    """Read the directories of both platforms now."""
    from bot.channel import SendFailed

    with _app(_settings(config)) as app:
        for platform in app.settings.platforms:
            try:
                members, unsure = app.directories.sync(platform)
            except SendFailed as failure:
                raise click.ClickException(f"{platform}: {failure.code} {failure.text}") from None
            click.echo(
                f"{platform}: {members} members"
                + (f", {unsure} names fit several people: add their accounts to people.csv" if unsure else "")
            )


@main.group()
def counts() -> None:
    """What other systems counted: import a list."""


@counts.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_CONFIG
def import_counts(file: Path, config: Path | None) -> None:
    """Take in counted events from a CSV file: columns key, person, rate, at, and if wanted count, record, overlap, system
    (docs/counted-events.md). All of them, or none and what is wrong; the same file twice changes nothing."""
    from bot.counts import BadFile, take_csv

    with _app(_settings(config)) as app:
        try:
            taken = take_csv(app, file)
        except BadFile as problem:
            raise click.ClickException(str(problem)) from None
    click.echo(f"{taken.new} new events, {taken.known} known")


@main.group()
def digest() -> None:
    """The week's messages to one person: look at them before they leave, or send one again."""


_PERSON = click.option("--person", required=True, metavar="KEY", help="Whose: the key (employee number).")
_WEEK = click.option("--week", "week", default=None, metavar="2026-W38", help="The ISO week; without it this one.")


@digest.command()
@_PERSON
@_WEEK
@_CONFIG
def preview(person: str, week: str | None, config: Path | None) -> None:
    """What this person gets that week, as text, as of now. Nothing is stored or sent."""
    from bot.digests import BadRequest, preview_digests

    with _app(_settings(config)) as app:
        try:
            click.echo(preview_digests(app, person, week))
        except BadRequest as problem:
            raise click.ClickException(str(problem)) from None


@digest.command()
@_PERSON
@_WEEK
@click.option("--kind", default="employee", show_default=True, help="employee, supervisor, leader, monday or quota.")
@_CONFIG
def send(person: str, week: str | None, kind: str, config: Path | None) -> None:
    """Send once more what this person got that week. A worker has to be running."""
    from bot.digests import BadRequest, send_again

    with _app(_settings(config)) as app:
        try:
            click.echo(send_again(app, person, week, kind))
        except BadRequest as problem:
            raise click.ClickException(str(problem)) from None


@main.command()
@click.option(
    "--state",
    type=click.Choice(["due", "sending", "sent", "failed", "unsure", "cancelled", "expired", "dropped", "merged"]),
    default=None,
    help="Only messages in this state.",
)
@click.option("--why", "why", type=int, default=None, metavar="ID", help="What happened to one message.")
@click.option("--retry", "retry", type=int, default=None, metavar="ID", help="Try a failed or unsure message once more.")
@click.option("--limit", default=20, show_default=True)
@_CONFIG
def outbox(state: str | None, why: int | None, retry: int | None, limit: int, config: Path | None) -> None:
    """Outgoing messages: how many in each state, the newest, and why one was not sent. No personal text is shown."""
    from bot.operate import explain, overview

    with _app(_settings(config)) as app:
        if retry is not None:
            with app.store.begin() as tx:
                done = tx.outbox.requeue(retry)
            click.echo("queued again" if done else "not failed or unsure: nothing to do")
        elif why is not None:
            click.echo(explain(app, why))
        else:
            click.echo(overview(app, state, limit))


def _settings(config: Path | None) -> Settings:
    from bot.settings import ConfigError, load

    try:
        return load(config)
    except ConfigError as problem:
        raise click.ClickException(str(problem)) from None


@contextmanager
def _app(settings: Settings) -> Iterator[App]:
    """An app for one command: built, checked, closed."""
    from bot.app import build

    app = build(settings)
    try:
        _demand_current(app)
        yield app
    finally:
        app.close()


def _demand_current(app: App) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from storage.migrations import is_current

    try:
        current = is_current(app.store.engine)
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the database does not answer ({type(error).__name__}); check database.url, and if it is new, run `python run.py migrate`"
        ) from None
    if not current:
        raise click.ClickException(
            "the database has other tables than this version; run `python run.py migrate` with the same --config"
        )


def _run(settings: Settings, *, web: bool, worker: bool) -> None:
    """Start what was asked for, wait for Ctrl-C or SIGTERM, stop in order."""
    from bot.operate import Process
    from bot.signals import Stop

    stop = Stop()
    stop.listen()
    with _app(settings) as app:
        process = Process(app, web=web, worker=worker)
        process.start()
        stop.wait()
        process.stop()


if __name__ == "__main__":
    main()
