"""`run.py demo`: a sandbox and a bot as processes of their own, joined, with a company and its history in them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import requests
import segno
import yaml

from bot.settings import load
from bot.signals import Stop
from demo.history import found, relive

log = logging.getLogger("sanmiao.demo")

_ROOT = Path(__file__).resolve().parent.parent
_COMPANY = _ROOT / "demo" / "company.yaml"
_CARD_SPEC = _ROOT / "cards" / "platform" / "dingtalk" / "template.json"
_PATIENCE_SECONDS = 30.0


class DemoFailed(Exception):
    """The demo cannot start; the text says why."""


def run_demo(state: Path, port: int, *, fresh: bool) -> int:
    """Start everything, print where the page is, wait for Ctrl-C or SIGTERM, end everything. The exit code.

    `state` keeps the demo's data: a second start goes on where the first ended. When ready, `state/endpoints.json` tells any outside
    client how to join.
    """
    stop = Stop()
    stop.listen()
    state = state.resolve()
    if fresh and state.exists():
        shutil.rmtree(state)
    state.mkdir(parents=True, exist_ok=True)
    (state / "endpoints.json").unlink(missing_ok=True)
    demo = _Demo(state, port)
    try:
        demo.start(stop)
        _announce(demo)
        return demo.watch(stop)
    except DemoFailed as problem:
        click.echo(f"The demo could not start: {problem}", err=True)
        return 1
    finally:
        demo.stop()


class _Demo:
    def __init__(self, state: Path, port: int) -> None:
        self._state, self._asked_port = state, port
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self.endpoints: Mapping[str, Any] = {}

    def start(self, stop: Stop) -> None:
        page_port, bot_port = self._asked_port or _free_port(), _free_port()
        sandbox_url, bot_url = f"http://127.0.0.1:{page_port}", f"http://127.0.0.1:{bot_port}"
        sandbox_state = self._state / "sandbox"
        (sandbox_state / "sandbox.json").unlink(missing_ok=True)
        arguments = ["--port", str(page_port), "--state", str(sandbox_state), "--company", str(_COMPANY)]
        self._spawn("sandbox", [*arguments, "--card-spec", str(_CARD_SPEC), "--agenda-url", f"{bot_url}/agenda"])
        config = self._write_config(bot_port, sandbox_url, sandbox_state / "clock.json")
        settings = load(config, self._environment())
        new = found(settings, _ROOT / "demo" / "people.csv")
        self._spawn("serve", ["--config", str(config)])  # its imports take as long as all that follows
        self._await("sandbox", (sandbox_state / "sandbox.json").exists, stop)
        if new:
            relive(settings)
        self._await_ready(f"{bot_url}/healthz", stop)
        self._connect(sandbox_url, bot_url)
        self._await_ready(f"{bot_url}/readyz", stop)
        self.endpoints = _endpoints(sandbox_url, bot_url)
        _write_whole(self._state / "endpoints.json", json.dumps(self.endpoints, ensure_ascii=False, indent=2))

    def watch(self, stop: Stop) -> int:
        """Wait until somebody wants to stop, or one of the two dies."""
        while not stop.wait(0.3):
            for name, child in self._children.items():
                if child.poll() is not None:
                    click.echo(f"{name} ended unexpectedly; its log is {self._log(name)}", err=True)
                    return 1
        return 0

    def stop(self) -> None:
        """End both within 5 seconds: asked first, then made to."""
        for child in self._children.values():
            child.terminate()
        deadline = time.monotonic() + 4.0
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _spawn(self, name: str, arguments: list[str]) -> None:
        command = [sys.executable, str(_ROOT / "run.py"), name, *arguments]
        with self._log(name).open("ab") as output:
            environment = {**os.environ, **self._environment()}
            # A session of their own: Ctrl-C in the terminal reaches us alone, and we end them in order.
            self._children[name] = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=_ROOT, env=environment, start_new_session=True
            )

    def _log(self, name: str) -> Path:
        return self._state / f"{name}.log"

    def _environment(self) -> dict[str, str]:
        company = yaml.safe_load(_COMPANY.read_text("utf-8"))
        return {
            "SANMIAO_WEB_SECRET": self._web_secret(),
            "DINGTALK_CLIENT_SECRET": company["dingtalk"]["client_secret"],
            "WECOM_SECRET": company["wecom"]["secret"],
            "WECOM_TOKEN": company["wecom"]["token"],
            "WECOM_AES_KEY": company["wecom"]["encoding_aes_key"],
        }

    def _web_secret(self) -> str:
        path = self._state / "web.secret"
        if not path.exists():
            _write_whole(path, secrets.token_hex(32))
            path.chmod(0o600)
        return path.read_text("utf-8")

    def _write_config(self, bot_port: int, sandbox_url: str, clock_file: Path) -> Path:
        company = yaml.safe_load(_COMPANY.read_text("utf-8"))
        config = yaml.safe_load((_ROOT / "demo" / "config.yaml").read_text("utf-8"))
        template = json.loads(_CARD_SPEC.read_text("utf-8"))["template_id"]
        config |= {
            # An outside database (PostgreSQL, say) takes the place of the file when it is named.
            "database": {"url": os.environ.get("SANMIAO_DEMO_DATABASE", f"sqlite:///{self._state / 'sanmiao.sqlite3'}")},
            "web": {"port": bot_port, "public_url": f"http://127.0.0.1:{bot_port}"},
            "dingtalk": {
                "enabled": True,
                "client_id": company["dingtalk"]["client_id"],
                "card_template_id": template,
                "api_base": sandbox_url,
                "oapi_base": sandbox_url,
                "login_base": sandbox_url,
            },
            "wecom": {
                "enabled": True,
                "corp_id": company["wecom"]["corp_id"],
                "agent_id": company["wecom"]["agent_id"],
                "api_base": sandbox_url,
                "login_base": sandbox_url,
            },
            "demo": {"clock_file": str(clock_file)},
        }
        path = self._state / "config.yaml"
        _write_whole(path, yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
        return path

    def _connect(self, sandbox_url: str, bot_url: str) -> None:
        """Tell the sandbox where the bot is, as an administrator does in the consoles; WeCom verifies the URL for real."""
        answer = requests.put(f"{sandbox_url}/sandbox/wecom/callback", json={"url": f"{bot_url}/wecom/callback"}, timeout=10)
        if not answer.ok:
            raise DemoFailed(f"the sandbox does not accept the bot's callback address ({answer.status_code}); see {self._log('serve')}")

    def _await_ready(self, url: str, stop: Stop) -> None:
        self._await("serve", lambda: _answers(url), stop)

    def _await(self, name: str, ready: Callable[[], bool], stop: Stop) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready():
            if stop.wait(0):
                raise DemoFailed("stopped")
            if self._children[name].poll() is not None or time.monotonic() > deadline:
                raise DemoFailed(f"{name} did not come up; its log is {self._log(name)}\n{_tail(self._log(name))}")
            time.sleep(0.03)


def _endpoints(sandbox_url: str, bot_url: str) -> Mapping[str, Any]:
    company = yaml.safe_load(_COMPANY.read_text("utf-8"))
    wecom, dingtalk = company["wecom"], company["dingtalk"]
    return {
        "page": f"{sandbox_url}/",
        "sandbox": sandbox_url,
        "bot": bot_url,
        "wecom": {
            "api_base": sandbox_url,
            "corp_id": wecom["corp_id"],
            "agent_id": wecom["agent_id"],
            "secret": wecom["secret"],
            "callback_url": f"{bot_url}/wecom/callback",
            "token": wecom["token"],
            "encoding_aes_key": wecom["encoding_aes_key"],
        },
        "dingtalk": {
            "api_base": sandbox_url,
            "oapi_base": sandbox_url,
            "client_id": dingtalk["client_id"],
            "client_secret": dingtalk["client_secret"],
            "robot_code": dingtalk["robot_code"],
            "callback_url": f"{bot_url}/dingtalk/robot",
        },
    }


def _announce(demo: _Demo) -> None:
    page = demo.endpoints["page"]
    click.echo(f"\n  三秒 is running. Open  {page}  in a browser. Ctrl-C ends it.\n")
    if sys.stdout.isatty():
        segno.make(page, micro=False).terminal(compact=True)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


def _free_port() -> int:
    """A port nobody listens on, below the range from which the system takes ports for outgoing connections."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _write_whole(path: Path, text: str) -> None:
    """Never half a file: whoever sees it, sees all of it."""
    partial = path.with_suffix(path.suffix + ".new")
    partial.write_text(text, "utf-8")
    partial.replace(path)


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text("utf-8", errors="replace").splitlines()[-lines:])
