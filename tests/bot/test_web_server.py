"""The web server ends without dropping what it has begun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from requests.exceptions import ConnectionError as Refused

from bench import callbacks
from bot.app import App, build
from bot.server import WebServer
from bot.settings import load
from tests.story.town import wait_for


@pytest.fixture
def app(tmp_path: Path, sqlite_url: str) -> Iterator[App]:
    config = callbacks._config(tmp_path, sqlite_url, 0)
    app = build(load(config, {**os.environ, **callbacks._secrets()}))
    yield app
    app.close()


def test_a_press_under_way_is_answered_before_the_server_ends(app: App, sqlite_url: str, tmp_path: Path) -> None:
    [shot] = callbacks.prepare(sqlite_url, "wecom", 1, tmp_path)
    server = WebServer(app)
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    requests.get(f"{url}/healthz", timeout=5)

    with ThreadPoolExecutor(2) as others:
        with app.store.begin():  # whoever writes now has to wait
            press = others.submit(requests.post, url + shot.path, shot.body, headers=shot.headers, timeout=10)
            wait_for(lambda: server._server.task_dispatcher.active_count == 1)
            ending = others.submit(server.stop)
        answer = press.result()
        ending.result()

    assert answer.status_code == 200
    with app.store.read() as tx:
        assert tx.feedback.counts() == {"open": 1}
    with pytest.raises(Refused):
        requests.get(f"{url}/healthz", timeout=5)


def test_an_open_connection_does_not_keep_the_server_alive(app: App) -> None:
    server = WebServer(app)
    server.start()

    with requests.Session() as session:
        assert session.get(f"http://127.0.0.1:{server.port}/healthz", timeout=5).ok
        server.stop()
        assert not server._thread.is_alive()
