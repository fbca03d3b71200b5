"""The company that the pages are tried on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage.unit import Store
from tests.web.site import Browser, Company


@pytest.fixture
def company(store: Store, tmp_path: Path) -> Company:
    return Company(store, tmp_path / "evidence")


@pytest.fixture
def come_in(company: Company) -> Callable[[str], Browser]:
    """A browser in which this person (by key) came in."""

    def enter(key: str) -> Browser:
        browser = Browser(company)
        browser.enter(key)
        return browser

    return enter
