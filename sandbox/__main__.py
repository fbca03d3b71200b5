"""python -m sandbox: starts the sandbox and prints one JSON line with its ports when it answers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from sandbox.server import Info, serve

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--port", default=0, show_default=True, help="HTTP port; 0 lets the system choose.")
@click.option("--state", required=True, type=FOLDER, help="Folder for everything that is remembered.")
@click.option("--company", required=True, type=FILE, help="YAML file with people and keys.")
@click.option("--card-spec", type=FILE, help="Variables of the bot's DingTalk card template.")
@click.option("--agenda-url", help="Where the bot says when something is due next.")
def main(port: int, state: Path, company: Path, card_spec: Path | None, agenda_url: str | None) -> None:
    """A local DingTalk and WeCom on 127.0.0.1, with phones on a page."""
    serve(port, state, company, card_spec, agenda_url, ready=_say)


def _say(info: Info) -> None:
    click.echo(json.dumps(asdict(info)))


if __name__ == "__main__":
    main()
