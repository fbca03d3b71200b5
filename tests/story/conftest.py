"""A town per story, on both databases. The people are those of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.story.town import ROOT, Town


@dataclass(frozen=True)
class Side:
    """The same roles on either platform."""

    platform: str
    supervisor: str
    subject: str
    subject_name: str
    colleague: str
    colleague_name: str
    hrbp: str
    good: str
    bad: str


SIDES = {
    "dingtalk": Side("dingtalk", "E010", "E011", "刘洋", "E012", "孙悦", "E003", "calm_first", "cut_in"),
    "wecom": Side("wecom", "E020", "E021", "何静", "E022", "吴迪", "E004", "price_anchor", "missed_close"),
}


@pytest.fixture
def town(tmp_path: Path, database_url: str) -> Iterator[Town]:
    company = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = (ROOT / "demo" / "people.csv").read_text("utf-8")
    with Town(tmp_path, database_url, company, people) as town:
        yield town


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]
