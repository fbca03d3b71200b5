"""One sandbox process, one small bot and one browser for all tests of the page; the sandbox forgets everything between two tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from sandbox.company import read_company
from tests.page.bot import Bot, running_bot

ROOT = Path(__file__).parents[2]
COMPANY = Path(__file__).with_name("company.yaml")
TEMPLATE = ROOT / "cards" / "platform" / "dingtalk" / "template.json"
WIDE = (1280, 800)
SMALL = (390, 844)
FRIDAY = "2026-09-11T06:23:00Z"

OpenPage = Callable[..., Page]

expect.set_options(timeout=5_000)


@contextmanager
def sandbox_process(state: Path, port: int = 0, agenda: str = "http://127.0.0.1:9/") -> Iterator[str]:
    """A sandbox in a process of its own; its address. Nobody answers at the default agenda."""
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(state), "--company", str(COMPANY)]
    command += ["--card-spec", str(TEMPLATE), "--agenda-url", agenda]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


@pytest.fixture(scope="session")
def running(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Bot, str]]:
    """(address of the sandbox, the bot, address of the bot); asks for the browser first, so that without one nothing is started."""
    state = tmp_path_factory.mktemp("sandbox")
    with running_bot(read_company(COMPANY)) as (bot, own_url), sandbox_process(state, agenda=f"{own_url}/agenda") as url:
        bot.api = url
        yield url, bot, own_url


@pytest.fixture
def sandbox(running: tuple[str, Bot, str]) -> str:
    """The address of a sandbox in which nothing has happened, on a Friday afternoon."""
    url, bot, own_url = running
    post(url, "reset")
    bot.taps.clear()
    bot.said.clear()
    bot.on_tap = lambda _: None
    bot.next_due = None
    bot.register(own_url)
    post(url, "clock", {"set": FRIDAY})
    return url


@pytest.fixture
def bot(sandbox: str, running: tuple[str, Bot, str]) -> Bot:
    return running[1]


@pytest.fixture
def open_page(browser: Browser, sandbox: str) -> Iterator[OpenPage]:
    """Opens the page and waits until phones stand on it. An error in the page's code fails the test."""
    contexts = []
    errors: list[str] = []

    def open_it(size: tuple[int, int] = WIDE, phones: str = "", colours: Literal["light", "dark"] = "light") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=size == SMALL, reduced_motion="reduce", color_scheme=colours
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console", lambda line: errors.append(line.text) if line.type == "error" and "Failed to load" not in line.text else None
        )
        page.goto(f"{sandbox}/#{phones}")
        expect(page.locator(".phone .header").first).to_be_visible()
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []


def post(url: str, path: str, body: object = None) -> None:
    answer = requests.post(f"{url}/sandbox/{path}", json=body or {}, timeout=10)
    assert answer.ok, answer.text
