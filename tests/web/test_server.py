"""The bot's whole web server: what it has open to somebody without a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import yaml
from flask import Flask
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from bot.app import build
from bot.server import flask_app
from bot.settings import load

# Login, links that prove themselves, health, and what a page needs to look like one.
OPEN = {
    "/in/<token>",
    "/login",
    "/login/<platform>",
    "/login/<platform>/back",
    "/c/<token>",
    "/e/<token>",
    "/healthz",
    "/readyz",
    "/static/<path:filename>",
}
LEADS_ON = {"/", "/out"}


@pytest.fixture
def server(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    config = {"database": {"url": sqlite_url}, "evidence": {"folder": str(tmp_path / "evidence")}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    app = build(load(tmp_path / "config.yaml", {"SANMIAO_WEB_SECRET": "s" * 32}))
    yield flask_app(app)
    app.close()


def test_whatever_is_not_open_leads_to_the_login(server: Flask) -> None:
    client = server.test_client()

    for rule in server.url_map.iter_rules():
        if rule.rule in OPEN | LEADS_ON:
            continue
        path = rule.rule.replace("<int(max=2147483647):id>", "1").replace("<week>", "2026-W38")
        assert "<" not in path, f"{path}: say here what it is"
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
            answer = client.open(path, method=method)
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/login"), f"{method} {path}"


def test_every_answer_forbids_what_pages_do_not_need(server: Flask) -> None:
    client = server.test_client()

    for path in ("/login", "/in/x", "/me", "/healthz", "/static/sanmiao.css", "/nothing"):
        with client.get(path) as answer:
            headers = answer.headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert "script-src" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_problem_keeps_what_its_headers_say(server: Flask) -> None:
    @server.get("/closed")
    def closed() -> NoReturn:
        raise Unauthorized("with a token", www_authenticate=WWWAuthenticate("bearer"))

    client = server.test_client()

    refused, wrong = client.get("/closed"), client.delete("/healthz")
    assert (refused.status_code, refused.headers["WWW-Authenticate"].lower()) == (401, "bearer")
    assert (wrong.status_code, "GET" in wrong.headers["Allow"]) == (405, True)
    assert {answer.content_type for answer in (refused, wrong)} == {"application/problem+json"}
