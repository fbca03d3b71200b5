"""Manners as people notice them: nights and weekends, and what an administrator is told. Real processes, both platforms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from tests.story.conftest import Side
from tests.story.test_core_loop import give, hrbp
from tests.story.town import ROOT, Town, wait_for

HOUSE = {
    "quiet_from": "21:00",
    "quiet_until": "08:00",
    "rest_days": ["escalation", "reminder", "digest", "nudge"],
    "working_hours": ["reminder", "nudge"],
    "pause_hours": [12, 24],
}
MONDAY_EVENING = "2026-09-14T22:00:00+08:00"


@pytest.fixture
def polite(tmp_path: Path, database_url: str) -> Iterator[Town]:
    """A town with quiet hours, on a Monday evening, and an auditor that looks all the time."""
    company = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = (ROOT / "demo" / "people.csv").read_text("utf-8")
    config = {
        "manners": HOUSE,
        "people": {"administrators": ["E001"]},
        "audit": {"every_minutes": 0.01, "heartbeat_file": str(tmp_path / "heartbeat")},
    }
    with Town(tmp_path, database_url, company, people, **config) as town:
        town.post("/sandbox/clock", {"set": MONDAY_EVENING})
        town.freeze()
        yield town


def test_what_is_given_at_night_arrives_in_the_morning(polite: Town, side: Side) -> None:
    boss, subject = polite.phone(side.supervisor, side.platform), polite.phone(side.subject, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card(has=lambda card: bool(card.open_boxes))
    card.tick(side.good)
    card.await_change(lambda card: not card.open_boxes)

    polite.forward(hours=9, minutes=59)
    assert subject.cards() == []
    why = _why(polite)
    polite.forward(minutes=1)

    subject.await_card()
    assert (why["state"], why["manners"][-1]["why"]) == ("due", "quiet_hours")
    assert why["manners"][-1]["until"] == "2026-09-15T00:00:00+00:00"


def test_a_weekend_is_kept_free_and_the_clock_runs_on(polite: Town, side: Side) -> None:
    polite.forward(hours=12 + 48)  # Thursday morning, 10:00
    give(polite, side)
    subject, hr = polite.phone(side.subject, side.platform), hrbp(polite, side)
    polite.forward(hours=24)
    subject.await_card(2)

    polite.forward(hours=48)  # Sunday, 10:00: the second reminder was due on Saturday, the escalation now
    assert (len(subject.cards()), hr.cards()) == (2, [])
    polite.forward(hours=22)  # Monday, 08:00

    hr.await_card()


def test_who_answers_over_night_is_not_reminded_in_the_morning(polite: Town, side: Side) -> None:
    polite.forward(hours=21)  # Tuesday, 19:00
    card = give(polite, side)
    polite.forward(hours=24)  # Wednesday, 19:00: the reminder waits for Thursday, 09:00
    card.now().press("acknowledged")

    polite.forward(hours=20)

    assert len(polite.phone(side.subject, side.platform).cards()) == 1
    assert polite.run("outbox", "--state", "cancelled").count("reminder_card") == 1


def test_an_administrator_hears_of_what_is_stuck_and_the_heart_stops(polite: Town) -> None:
    polite.forward(hours=12)  # Tuesday, 10:00
    heartbeat = polite.folder / "heartbeat"
    wait_for(heartbeat.exists)
    give(polite, SIDE)

    with polite.store().engine.begin() as connection:  # a plan that nobody can read is never advanced
        connection.execute(text("UPDATE loops SET plan = '[{}]'"))
    polite.forward(hours=25)

    assert "1 条反馈到点了还没处理" in polite.phone("E001", "dingtalk").await_text()
    told = heartbeat.read_text()
    polite.forward(minutes=10)
    assert heartbeat.read_text() == told


SIDE = Side("dingtalk", "E010", "E011", "刘洋", "E012", "孙悦", "E003", "calm_first", "cut_in")


def _why(town: Town) -> dict[str, Any]:
    """What `run.py outbox --why` tells of the feedback card."""
    with town.store().read() as tx:
        message = tx.outbox.by_key("feedback:1")
    assert message is not None
    told: dict[str, Any] = json.loads(town.run("outbox", "--why", str(message.id)))
    return told
