"""The commands of run.py as an administrator types them: real processes, a real file, real exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from run import main
from storage.outbox import State
from storage.unit import Store
from tests.builders import NOON, a_message, at

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = tuple(main.commands)
PEOPLE = "key,name,department,supervisor,wecom\nE1,王芳,客服部,,wang.fang\nE2,刘洋,客服部,E1,liu.yang\n"


@dataclass(frozen=True)
class Bot:
    """A folder with a configuration in it, and what happens when a command is run on it."""

    folder: Path

    def run(self, *arguments: str, config: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "run.py"), *arguments, *(["--config", str(self.folder / "my.yaml")] if config else [])]
        environment = {**os.environ, "SANMIAO_WEB_SECRET": "0123456789abcdef" * 2}
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=environment, timeout=60, check=False)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, "utf-8")
        return str(self.folder / name)

    @property
    def store(self) -> Store:
        return Store(f"sqlite:///{self.folder / 'data' / 'bot.sqlite3'}")


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    bot = Bot(tmp_path)
    bot.write("my.yaml", "database:\n  url: sqlite:///data/bot.sqlite3\n")
    return bot


def test_help_teaches_the_way_from_a_look_to_an_installation(bot: Bot) -> None:
    shown = bot.run("--help", config=False)

    assert shown.returncode == 0
    for step in ("run.py demo", "check-config", "migrate", "people import", "doctor", "serve"):
        assert step in shown.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_is_for(command: str) -> None:
    told = main.commands[command].help

    assert told
    assert told[0].isupper()


def test_a_good_configuration_is_summed_up(bot: Bot) -> None:
    shown = bot.run("check-config")

    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "ok: no platform enabled; 0 roles; SQLite\n", "")


def test_a_bad_configuration_stops_every_command_with_file_line_and_key(bot: Bot) -> None:
    path = bot.write("my.yaml", "web:\n  prot: 80\n")

    for command in (["check-config"], ["serve"]):
        shown = bot.run(*command)

        assert shown.returncode == 1
        assert shown.stdout == ""
        assert shown.stderr.startswith(f"Error: {path}:2: web.prot: unknown key")


def test_before_migrate_other_commands_say_what_to_do(bot: Bot) -> None:
    never = bot.run("outbox")
    bot.write("data", "a file where the folder should be")
    unusable = bot.run("outbox")

    assert (never.returncode, unusable.returncode) == (1, 1)
    assert never.stderr.startswith("Error: ")
    assert "run.py migrate" in never.stderr
    assert unusable.stderr.startswith("Error: ")
    assert "Traceback" not in never.stderr + unusable.stderr


def test_from_an_empty_folder_to_people_and_messages(bot: Bot) -> None:
    migrated = bot.run("migrate")
    imported = bot.run("people", "import", bot.write("people.csv", PEOPLE))
    refused = bot.run("people", "import", bot.write("wrong.csv", PEOPLE.replace("刘洋", "")))
    store = bot.store
    with store.begin() as tx:
        people = {person.key: person for person in tx.people.all().values()}
        tx.outbox.add(a_message(people["E2"].id, "hello"), NOON)
        message = tx.outbox.by_key("hello")
        assert message is not None
        tx.outbox.end(message, State.FAILED, "40003", "invalid user")
    overview = bot.run("outbox")
    why = bot.run("outbox", "--why", str(message.id))
    retried = bot.run("outbox", "--retry", str(message.id))
    store.close()

    assert migrated.stdout == "SQLite: tables are those of this version\n"
    assert imported.stdout == "2 people\n"
    assert people["E2"].supervisor == people["E1"].id
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "wrong.csv:3: name is empty" in refused.stderr
    assert "failed=1" in overview.stdout
    assert "40003: invalid user" in overview.stdout
    assert '"state": "failed"' in why.stdout
    assert not {"王芳", "刘洋"} & {overview.stdout, why.stdout}
    assert retried.stdout == "queued again\n"


def test_messages_can_be_asked_for_in_every_state_there_is() -> None:
    asked = next(option for option in main.commands["outbox"].params if option.name == "state")

    assert isinstance(asked.type, click.Choice)
    assert list(asked.type.choices) == list(State)


def test_doctor_names_what_is_wrong_and_what_to_do(bot: Bot) -> None:
    shown = bot.run("doctor")

    assert shown.returncode == 1
    assert "FAIL  platforms: none enabled" in shown.stdout
    assert "run `python run.py migrate`" in shown.stdout


def test_doctor_says_how_far_forgetting_lags_and_where_evidence_cannot_be_kept(bot: Bot) -> None:
    bot.run("migrate")
    with bot.store.begin() as tx:
        tx.inbox.first_time("wecom", "old", "unknown:location", at("2025-01-01 12:00"), raw="<xml/>")
    bot.write("var", "a file where the folder should be")

    shown = bot.run("doctor").stdout

    assert re.search(r"note  retention: inbox goes back \d+ days, 30 are configured", shown)
    assert "start a worker" in shown
    assert re.search(r"FAIL  evidence: .*var/evidence: ", shown)


def test_the_bot_serves_until_it_is_asked_to_stop(bot: Bot) -> None:
    bot.run("migrate")
    bot.write("my.yaml", "database:\n  url: sqlite:///data/bot.sqlite3\nweb:\n  port: 0\n")
    command = [sys.executable, str(ROOT / "run.py"), "serve", "--config", str(bot.folder / "my.yaml")]
    environment = {**os.environ, "SANMIAO_WEB_SECRET": "0123456789abcdef" * 2}

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=bot.folder, env=environment) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        listening = next(line for line in lines if "listening port=" in line)
        process.terminate()
        last = list(lines)[-1]

    assert int(listening.rsplit("=", 1)[1]) > 0
    assert last.endswith("stopped\n")
    assert process.returncode == 0
