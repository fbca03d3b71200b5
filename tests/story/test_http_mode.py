"""DingTalk without a stream: robot messages and presses come by signed HTTP, and everything else is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.story.conftest import SIDES
from tests.story.town import ROOT, Town


@pytest.fixture
def town(tmp_path: Path, database_url: str) -> Iterator[Town]:
    company = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = (ROOT / "demo" / "people.csv").read_text("utf-8")
    http = {"mode": "http", "card_api_secret": "${DINGTALK_CARD_SECRET}"}
    with Town(tmp_path, database_url, company, people, dingtalk=http) as town:
        town.put("/sandbox/dingtalk/callback", {"mode": "http", "url": f"{town.bot_url}/dingtalk/robot"})
        yield town


def test_a_name_two_taps_and_an_answer_over_http(town: Town) -> None:
    side = SIDES["dingtalk"]
    boss, subject = town.phone(side.supervisor, "dingtalk"), town.phone(side.subject, "dingtalk")

    boss.say(side.subject_name)
    card = boss.await_card()
    outcome = card.tick(side.good)
    feedback = subject.await_card()
    feedback.press("acknowledged")

    assert outcome["delivered"]
    assert outcome["changed"], "the answer to the press carried the done card"
    card.await_change(lambda card: "收到" in card.words)
    assert "stream started" not in town.log()
