"""How late are the steps of the 72-hour clock in a real process, while people tap?

    python -m bench.lateness --seconds 60 --json
    python -m bench.lateness --url postgresql+psycopg://…/… --json

One `run.py serve` that ticks every two seconds, and over HTTP `--pace` WeCom presses a second that each open a record. Meanwhile steps
fall due, one every tenth of a second. Nothing answers where messages go, so that every send fails and is tried again: the worst company
a clock can keep. Late is when the step was taken, by the history, against when it fell due.
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
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bench import callbacks
from bench.callbacks import fresh
from bot.settings import load
from handlers import feedback
from handlers.context import Context
from rules import feedback as records
from storage.unit import Store

ROOT = Path(__file__).resolve().parent.parent
EVERY = 0.1  # seconds between two steps that fall due
_WARM_UP = 12.0  # seconds from the first step's planning until it is due: the process starts meanwhile


def measure(url: str, seconds: int, pace: int) -> dict[str, float]:
    """Late in seconds: median, p99 and maximum over all steps; `missing` were not taken at all."""
    with fresh(url) as database, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shots = callbacks.prepare(database, "wecom", seconds * pace, folder)
        port = callbacks._free_port()
        config = _config(folder, database, port)
        due = _plan(database, config, int(seconds / EVERY))
        with (folder / "serve.log").open("ab") as log:
            command = [sys.executable, str(ROOT / "run.py"), "serve", "--config", str(config)]
            serve = subprocess.Popen(command, cwd=ROOT, env=os.environ | callbacks._secrets(), stdout=log, stderr=log)
        try:
            callbacks._await_port(port)
            callbacks._fire_apart(port, shots, pace)
            time.sleep(max(0.0, (max(due.values()) - datetime.now(UTC)).total_seconds() + 10))
        finally:
            serve.send_signal(signal.SIGTERM)
            serve.wait(30)
        return _late(database, due)


def _config(folder: Path, url: str, port: int) -> Path:
    path = callbacks._config(folder, url, port)
    config = yaml.safe_load(path.read_text("utf-8"))
    config["dingtalk"] = {"enabled": False}
    config["wecom"]["api_base"] = "http://127.0.0.1:9"
    config["checkins"], config["jobs"] = {"at": ""}, {"tick_seconds": 2}
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return path


def _plan(url: str, config: Path, count: int) -> dict[int, datetime]:
    """Open so many records of a day ago whose first reminder falls due one after the other; when, by record."""
    store, due = Store(url), dict[int, datetime]()
    policy = load(config, {**os.environ, **callbacks._secrets()}).policy()
    first = datetime.now(UTC) + timedelta(seconds=_WARM_UP)
    for number in range(count):
        with store.begin() as tx:
            boss, li = tx.people.by_key("boss"), tx.people.by_key("li")
            assert boss is not None
            assert li is not None
            at = first + timedelta(seconds=number * EVERY)
            ctx = Context(tx, at - policy.plan[0].after, policy)
            id = feedback.open_checkin(ctx, boss, li)
            assert id is not None
            record = tx.feedback.get(id)
            given = records.give(record, [record.offered[0].id], boss.id, ctx.now, subject_left=False)
            assert isinstance(given, records.Accepted)
            due[id] = at
            feedback.open_record(ctx, given.record, boss)
    store.close()
    return due


def _late(url: str, due: dict[int, datetime]) -> dict[str, float]:
    store, late = Store(url), list[float]()
    with store.read() as tx:
        for id, at in due.items():
            late += [(entry.at - at).total_seconds() for entry in tx.history.of(f"feedback:{id}") if entry.what == "remind"]
    store.close()
    late.sort()
    picked = {f"late_p{p}_s": round(late[min(len(late) - 1, len(late) * p // 100)], 2) for p in (50, 99)}
    return {
        "steps": len(due),
        "missing": len(due) - len(late),
        **picked,
        "late_max_s": round(late[-1], 2),
        "early": sum(s < 0 for s in late),
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pace", type=int, default=50)
    parser.add_argument("--url", default="sqlite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report = {"taps_per_s": options.pace, **measure(options.url, options.seconds, options.pace)}
    print(json.dumps(report) if options.json else "\n".join(f"{name:12}{value}" for name, value in report.items()))


if __name__ == "__main__":
    main()
