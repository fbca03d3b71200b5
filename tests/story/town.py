"""A town for stories: the sandbox and the bot as real processes over loopback, people with phones, and a clock that can be moved."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import yaml

from bot.app import build
from bot.settings import load
from storage.unit import Store

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 30.0
SETTLE = 0.8  # long enough for several ticks of the bot's jobs: what was going to happen has happened


class Town:
    """One sandbox and one bot. The bot can be stopped, killed and started again; the town goes on."""

    def __init__(self, folder: Path, database_url: str, company: Mapping[str, Any], people_csv: str, **config: Any) -> None:
        self.folder, self.database_url = folder, database_url
        self._company, self._people_csv, self._config = company, people_csv, config
        self._bot: subprocess.Popen[bytes] | None = None
        self._sandbox: subprocess.Popen[bytes] | None = None
        self._bot_port = free_port()
        self._store = Store(database_url)
        self._http = requests.Session()
        self._http.trust_env = False

    def __enter__(self) -> Town:
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        (self.folder / "company.yaml").write_text(yaml.safe_dump(self._company, allow_unicode=True), "utf-8")
        (self.folder / "people.csv").write_text(self._people_csv, "utf-8")
        state = self.folder / "sandbox"
        spec = ROOT / "cards" / "platform" / "dingtalk" / "template.json"
        arguments = ["--port", "0", "--state", str(state), "--company", str(self.folder / "company.yaml"), "--card-spec", str(spec)]
        sandbox = self._sandbox = self._spawn("sandbox", *arguments, "--agenda-url", f"{self.bot_url}/agenda")
        wait_for(lambda: (state / "sandbox.json").exists() or sandbox.poll() is not None)
        self.sandbox = f"http://127.0.0.1:{json.loads((state / 'sandbox.json').read_text())['port']}"
        self._write_config(state / "clock.json")
        self._import_people()
        self.start_bot()
        self.put("/sandbox/wecom/callback", {"url": f"{self.bot_url}/wecom/callback"})
        wait_for(self.ready)

    def __exit__(self, *error: object) -> None:
        for process in (self._bot, self._sandbox):
            if process is not None:
                process.kill()
                process.wait()
        self._store.close()

    @property
    def bot_url(self) -> str:
        return f"http://127.0.0.1:{self._bot_port}"

    # -- the bot's life --------------------------------------------------------------------------------------------------------

    def start_bot(self) -> None:
        self._bot = self._spawn("serve", "--config", str(self.folder / "config.yaml"))
        wait_for(lambda: self._answers("/healthz"))

    def stop_bot(self, how: int = signal.SIGTERM) -> None:
        assert self._bot is not None
        self._bot.send_signal(how)
        self._bot.wait(10)

    def restart_bot(self) -> None:
        self.stop_bot()
        self.start_bot()
        wait_for(self.ready)

    def ready(self) -> bool:
        """Both sides say so: what the platform pushes before it has taken the stream in is lost, as in life."""
        ours = self._config.get("dingtalk", {})
        streams = ours.get("enabled", True) and ours.get("mode", "stream") == "stream"
        return self._answers("/readyz") and (not streams or bool(self.get("/sandbox/dingtalk/connections")["connections"]))

    def run(self, *arguments: str, fails: bool = False) -> str:
        """A command of run.py with the town's configuration; its output. `fails`: it must end with a failure."""
        command = [sys.executable, str(ROOT / "run.py"), *arguments, "--config", str(self.folder / "config.yaml")]
        done = subprocess.run(command, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout

    def log(self) -> str:
        return (self.folder / "serve.log").read_text("utf-8")

    def store(self) -> Store:
        """The bot's database, to look into."""
        return self._store

    # -- the sandbox's control API ---------------------------------------------------------------------------------------------

    def get(self, path: str, **query: object) -> Any:
        return self._told(self._http.get(self.sandbox + path, params={k: str(v) for k, v in query.items()}, timeout=60))

    def put(self, path: str, body: object) -> Any:
        return self._told(self._http.put(self.sandbox + path, json=body, timeout=60))

    def post(self, path: str, body: object) -> Any:
        return self._told(self._http.post(self.sandbox + path, json=body, timeout=60))

    def forward(self, **by: float) -> None:
        """Move the business clock, and give the bot's jobs time to see it."""
        seconds = by.get("hours", 0) * 3600 + by.get("minutes", 0) * 60 + by.get("seconds", 0)
        self.post("/sandbox/clock", {"advance_seconds": seconds})
        time.sleep(SETTLE)

    def put_clock(self, moment: str) -> None:
        """Set the business clock to an instant in ISO form, and give the bot's jobs time to see it."""
        self.post("/sandbox/clock", {"set": moment})
        time.sleep(SETTLE)

    def freeze(self) -> None:
        self.post("/sandbox/clock", {"freeze": True})

    def phone(self, person: str, platform: str) -> Phone:
        return Phone(self, person, platform)

    # -- below -----------------------------------------------------------------------------------------------------------------

    def _told(self, answer: requests.Response) -> Any:
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer.json()

    def _answers(self, path: str) -> bool:
        assert self._bot is None or self._bot.poll() is None, f"the bot ended:\n{self.log()[-3000:]}"
        try:
            return self._http.get(self.bot_url + path, timeout=5).ok
        except requests.RequestException:
            return False

    def _import_people(self) -> None:
        app = build(load(self.folder / "config.yaml", self.environment()))
        app.directories.take_csv(self.folder / "people.csv")
        app.close()

    def _spawn(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as output:
            command = [sys.executable, str(ROOT / "run.py"), name, *arguments]
            return subprocess.Popen(command, cwd=ROOT, env=self.environment(), stdout=output, stderr=output)

    def environment(self) -> dict[str, str]:
        wecom, dingtalk = self._company["wecom"], self._company["dingtalk"]
        return os.environ | {
            "SANMIAO_WEB_SECRET": "story-secret-story-secret-story-secret",
            "DINGTALK_CLIENT_SECRET": dingtalk["client_secret"],
            "WECOM_SECRET": wecom["secret"],
            "WECOM_TOKEN": wecom["token"],
            "WECOM_AES_KEY": wecom["encoding_aes_key"],
            "DINGTALK_CARD_SECRET": "story-card-secret",
        }

    def _write_config(self, clock_file: Path) -> None:
        wecom, dingtalk = self._company["wecom"], self._company["dingtalk"]
        template = json.loads((ROOT / "cards" / "platform" / "dingtalk" / "template.json").read_text("utf-8"))["template_id"]
        config = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text("utf-8"))
        config |= {
            "database": {"url": self.database_url},
            "web": {"port": self._bot_port, "public_url": self.bot_url},
            "checkins": {"at": ""},
            "groups": [],
            # What a story does not ask for must not come between its messages on a Friday.
            "digests": config.get("digests", {}) | {"leave_out": ["employee", "supervisor", "monday", "group", "leader", "quota"]},
            "people": {"sync_at": "", "fallback_hrbp": "E002"},
            "jobs": {"tick_seconds": 0.1},
            "dingtalk": {
                "enabled": True,
                "client_id": dingtalk["client_id"],
                "card_template_id": template,
                "api_base": self.sandbox,
                "oapi_base": self.sandbox,
                "login_base": self.sandbox,
            },
            "wecom": {
                "enabled": True,
                "corp_id": wecom["corp_id"],
                "agent_id": wecom["agent_id"],
                "api_base": self.sandbox,
                "login_base": self.sandbox,
            },
            "demo": {"clock_file": str(clock_file)},
        }
        for section, values in self._config.items():
            config[section] = config.get(section, {}) | values if isinstance(values, dict) else values
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")


class Phone:
    """One person's phone on one platform: the private chat with the bot."""

    def __init__(self, town: Town, person: str, platform: str) -> None:
        self.town, self.person, self.platform = town, person, platform
        self.chat = f"private-{platform}-{person}"

    def messages(self) -> list[dict[str, Any]]:
        told = self.town.get(f"/sandbox/chats/{self.chat}/messages", person=self.person)
        return [message for message in told["messages"] if message["from"]["kind"] == "bot"]

    def cards(self) -> list[ShownCard]:
        return [ShownCard(self, message["card"]) for message in self.messages() if message["card"]]

    def await_card(self, count: int = 1, has: Callable[[ShownCard], bool] = lambda card: True) -> ShownCard:
        """The newest card, once at least `count` cards that fit are there."""
        wait_for(lambda: len([card for card in self.cards() if has(card)]) >= count)
        return [card for card in self.cards() if has(card)][-1]

    def await_text(self, count: int = 1) -> str:
        """The newest plain message, once there are `count`."""
        wait_for(lambda: len(self.texts()) >= count)
        return self.texts()[-1]

    def texts(self) -> list[str]:
        return [message["text"] for message in self.messages() if not message["card"]]

    def say(self, text: str) -> dict[str, Any]:
        told: dict[str, Any] = self.town.post(f"/sandbox/chats/{self.chat}/messages", {"person": self.person, "text": text})
        outcome: dict[str, Any] = told["outcome"]
        assert outcome["delivered"], outcome
        return outcome


class ShownCard:
    """A card as the phone shows it now."""

    def __init__(self, phone: Phone, card: dict[str, Any]) -> None:
        self.phone, self.raw, self.id = phone, card, str(card["card_id"])

    @property
    def buttons(self) -> list[str]:
        """The actions that can be pressed."""
        return [button["key"] for button in self.raw["buttons"] if not button["disabled"]]

    @property
    def open_boxes(self) -> list[str]:
        """The boxes that can be ticked."""
        boxes = self.raw["checkboxes"]
        return [] if boxes is None or boxes["disabled"] else [option["id"] for option in boxes["options"]]

    @property
    def words(self) -> str:
        """Everything that can be read on it."""
        return json.dumps(self.raw, ensure_ascii=False)

    def tick(self, *ids: str, force: bool = False, by: str | None = None) -> dict[str, Any]:
        """Tick the boxes and submit."""
        return self._tap({"submit": True, "ticked": list(ids)}, force, by)

    def press(self, action: str, *, force: bool = False, by: str | None = None) -> dict[str, Any]:
        return self._tap({"button": action}, force, by)

    def now(self) -> ShownCard:
        """The same card, looked at again."""
        return next(card for card in self.phone.cards() if card.id == self.id)

    def await_change(self, changed: Callable[[ShownCard], bool]) -> ShownCard:
        wait_for(lambda: changed(self.now()))
        return self.now()

    def _tap(self, what: dict[str, Any], force: bool, by: str | None) -> dict[str, Any]:
        body = {"person": by or self.phone.person, "platform": self.phone.platform, "force": force, **what}
        told: dict[str, Any] = self.phone.town.post(f"/sandbox/cards/{self.id}/tap", body)["outcome"]
        return told


def free_port() -> int:
    """A port nobody listens on, below the range from which the system takes ports for outgoing connections: one of those may
    be taken again before the bot gets to bind it."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(condition: Callable[[], bool], patience: float = _PATIENCE) -> None:
    """Look until it is so. What does not come at all fails the test; how long it takes is no test."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.03)
