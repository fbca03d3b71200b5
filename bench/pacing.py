"""How much of what the platforms allow does the sender use, and does it ever ask for more?

    python -m bench.pacing --json
    python -m bench.pacing --url postgresql+psycopg://…/… --json

The sandbox, which refuses or swallows what the platforms would, and one `run.py serve` with the default limits of `sending`, except
that WeCom's calls are limited to 30 a second, so that the limit is what holds back. Three queues, one after the other: to DingTalk,
to all of WeCom, and to one member of WeCom, who may get so many in any minute. `used` is what was sent from the first to the last,
against what the limit allows in that time; `refused` counts what the sandbox refused or swallowed for coming too fast, and what was
tried twice.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import yaml

from bench.callbacks import _await_port, _free_port, fresh
from bot.settings import load
from cards.catalog import SorryText
from rules.events import Account, Platform
from rules.feedback import Refusal
from rules.messages import Urgency
from rules.people import Entry
from storage.outbox import Message, State
from storage.unit import Store

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = 60
WECOM_PER_SECOND = 30
_PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Queue:
    """`count` messages, taking turns among so many people; `limit` of them may be sent in any `seconds`."""

    name: str
    platform: Platform
    count: int
    people: int
    limit: int
    seconds: float
    paced: bool

    def allowed(self, elapsed: float) -> float:
        """How many may be sent from the first to the last, `elapsed` seconds later. Paced ones come one by one, others as they like:
        all that a window allows as it begins."""
        windows = elapsed / self.seconds
        return self.limit * windows + 1 if self.paced else self.limit * (int(windows) + 1)


def measure(url: str, seconds: int) -> dict[str, dict[str, float]]:
    """Each queue's figures, by its name."""
    with fresh(url) as database, tempfile.TemporaryDirectory() as name, _sandbox(Path(name)) as sandbox:
        folder, store = Path(name), Store(database)
        config = _config(folder, database, sandbox)
        sending = load(config, _environment()).sending
        with store.begin() as tx:
            tx.people.put([_entry(number) for number in range(2 * PEOPLE)], datetime.now(UTC))
        with _serving(folder, config):
            member = sending.wecom_member_per_minute
            each_second = sending.dingtalk_per_second
            queues = (
                Queue("dingtalk", Platform.DINGTALK, seconds * each_second, PEOPLE, each_second, 1.0, paced=True),
                Queue("wecom", Platform.WECOM, seconds * WECOM_PER_SECOND, PEOPLE, WECOM_PER_SECOND, 1.0, paced=True),
                Queue("wecom_member", Platform.WECOM, 2 * member, 1, member, 60.0, paced=False),
            )
            report = {queue.name: _run(queue, store, sandbox) for queue in queues}
        store.close()
        return report


def _run(queue: Queue, store: Store, sandbox: str) -> dict[str, float]:
    """Queue all of it, wait until it was sent, look."""
    before = _refused(sandbox)
    with store.begin() as tx:
        since = max((message.id for message in tx.outbox.recent(None, 1)), default=0)
        ids = [person.id for person in tx.people.all().values() if person.key.startswith(_key(queue.platform, 0)[0])][: queue.people]
        for number in range(queue.count):
            card = SorryText(Refusal.NOTHING_OPEN)
            tx.outbox.add(card.to(ids[number % queue.people], key=f"{queue.name}:{number}", urgency=Urgency.ANSWER), datetime.now(UTC))
    sent = _await_sent(store, since, queue.count)
    times = sorted(message.sent_at.timestamp() for message in sent if message.sent_at)
    elapsed = times[-1] - times[0]
    return {
        "sent": len(times),
        "seconds": round(elapsed, 1),
        "limit": queue.limit,
        "per": queue.seconds,
        "used": round(len(times) / queue.allowed(elapsed), 3),
        "refused": _refused(sandbox) - before + sum(message.attempts > 1 for message in sent),
    }


def _await_sent(store: Store, since: int, count: int) -> list[Message]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with store.read() as tx:
            ours = [message for message in tx.outbox.recent(None, count) if message.id > since]
        if all(message.state is State.SENT for message in ours):
            return ours
        assert time.monotonic() < deadline, "not all was sent"
        time.sleep(1)


def _refused(sandbox: str) -> int:
    meters = requests.get(f"{sandbox}/sandbox/meters", timeout=30).json()
    return int(meters["dingtalk"]["qps_refusals"] + sum(meters["wecom"]["silent_drops"].values()))


# -- the company ---------------------------------------------------------------------------------------------------------------------


def _key(platform: Platform, number: int) -> str:
    return f"{platform.value[0]}{number:03}"


def _entry(number: int) -> Entry:
    platform = (Platform.DINGTALK, Platform.WECOM)[number % 2]
    key = _key(platform, number // 2)
    return Entry(key, "李雷", "客服部", (Account(platform, key),))


def _company() -> dict[str, Any]:
    company: dict[str, Any] = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    entries = [_entry(number) for number in range(2 * PEOPLE)]
    people = [
        {"key": entry.key, "name": entry.name, "department": 4, entry.accounts[0].platform.value: {"userid": entry.key}}
        for entry in entries
    ]
    return company | {"people": people, "groups": [], "phones": []}


# -- the processes -------------------------------------------------------------------------------------------------------------------


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    company = folder / "company.yaml"
    company.write_text(yaml.safe_dump(_company(), allow_unicode=True), "utf-8")
    with _process(folder, "sandbox", "--port", "0", "--state", str(folder / "state"), "--company", str(company)):
        told, deadline = folder / "state" / "sandbox.json", time.monotonic() + 60
        while not told.exists():
            assert time.monotonic() < deadline, (folder / "sandbox.log").read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{json.loads(told.read_text())['port']}"


@contextmanager
def _serving(folder: Path, config: Path) -> Iterator[None]:
    with _process(folder, "serve", "--config", str(config)):
        _await_port(int(yaml.safe_load(config.read_text("utf-8"))["web"]["port"]))
        time.sleep(2)
        yield


@contextmanager
def _process(folder: Path, name: str, *arguments: str) -> Iterator[None]:
    with (folder / f"{name}.log").open("ab") as log:
        command = [sys.executable, str(ROOT / "run.py"), name, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _config(folder: Path, database: str, sandbox: str) -> Path:
    company, port = _company(), _free_port()
    dingtalk = {"enabled": True, "client_id": company["dingtalk"]["client_id"]}
    wecom = {"enabled": True, "corp_id": company["wecom"]["corp_id"], "agent_id": company["wecom"]["agent_id"]}
    config = {
        "database": {"url": database},
        "web": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
        "dingtalk": dingtalk | {"api_base": sandbox, "oapi_base": sandbox, "login_base": sandbox},
        "wecom": wecom | {"api_base": sandbox, "login_base": sandbox},
        "people": {"sync_at": ""},
        "sending": {"wecom_per_second": WECOM_PER_SECOND},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return path


def _environment() -> dict[str, str]:
    company = _company()
    return os.environ | {
        "SANMIAO_WEB_SECRET": "bench-secret-bench-secret-bench-secret",
        "DINGTALK_CLIENT_SECRET": company["dingtalk"]["client_secret"],
        "WECOM_SECRET": company["wecom"]["secret"],
        "WECOM_TOKEN": company["wecom"]["token"],
        "WECOM_AES_KEY": company["wecom"]["encoding_aes_key"],
    }


def main() -> None:
    """Parse, measure, print; exit code 1 when anything came too fast."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=25, help="how long each platform's queue is at its limit")
    parser.add_argument("--url", default="sqlite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = measure(options.url, options.seconds)
    print(json.dumps(report) if options.json else "\n".join(f"{name:14}{figures}" for name, figures in report.items()))
    sys.exit(any(figures["refused"] for figures in report.values()))


if __name__ == "__main__":
    main()
