from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bot.sandbox import Sandbox, running


@pytest.fixture(scope="session")
def started_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started_sandbox: Sandbox) -> Sandbox:
    """The sandbox as new: no messages, faults or connections from an earlier test."""
    started_sandbox.ask("POST", "reset")
    return started_sandbox
