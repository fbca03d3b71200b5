"""The clock through 国庆 with its make-up days, and through New Year, when next year's holidays may not be published (A6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.story.conftest import SIDES
from tests.story.test_core_loop import give, hrbp
from tests.story.town import ROOT, Town

# 24, 48 and 72 hours as three days of work, nine hours each.
BY_WORK = {"hours": "working", "plan": [{"after_hours": 9, "do": "remind"}, {"after_hours": 27, "do": "escalate"}]}


@pytest.fixture
def working_town(tmp_path: Path, database_url: str) -> Iterator[Town]:
    """A company that counts working hours and closes from 24 December until 27 December 2040, which is published by nobody else."""
    company = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = (ROOT / "demo" / "people.csv").read_text("utf-8")
    (tmp_path / "days.yaml").write_text("holidays:\n  - 2040-12-24..2040-12-27\n", "utf-8")
    with Town(tmp_path, database_url, company, people, loop=BY_WORK, calendar={"file": "days.yaml"}) as town:
        town.freeze()
        yield town


def test_by_working_hours_a_feedback_of_30_september_is_escalated_on_the_make_up_saturday(working_town: Town) -> None:
    """30 September 2026 is a Wednesday; 1 to 7 October are off, Saturday 10 October is worked: 15:00 on 8, 9 and 10 October."""
    town, side = working_town, SIDES["wecom"]
    town.put_clock("2026-09-30T15:00:00+08:00")
    card = give(town, side)
    hr, subject = hrbp(town, side), town.phone(side.subject, side.platform)

    assert "10月10日 周六 15:00" in card.words, "the due time stands on the card"
    town.put_clock("2026-10-08T14:59:59+08:00")
    assert len(subject.cards()) == 1
    town.forward(seconds=1)
    subject.await_card(2)
    town.put_clock("2026-10-10T14:59:59+08:00")
    assert hr.cards() == []
    town.forward(seconds=1)

    assert side.subject_name in hr.await_card().words


def test_before_the_holiday_the_hrbp_hears_what_will_fall_due(working_town: Town) -> None:
    town, side = working_town, SIDES["dingtalk"]
    town.put_clock("2026-09-28T16:00:00+08:00")
    give(town, side)

    town.put_clock("2026-09-30T16:00:00+08:00")

    told = hrbp(town, side).await_text()
    assert "要放 7 天假了" in told
    assert "10月8日 周四 16:00" in told


def test_over_new_year_what_is_not_published_is_said_and_days_of_ones_own_count(working_town: Town) -> None:
    """31 December 2040 is a Monday, the day after is off by law: 15:00 on 2, 3 and 4 January, as far as one can know."""
    town, side = working_town, SIDES["wecom"]
    town.put_clock("2040-12-31T15:00:00+08:00")
    card = give(town, side)

    assert "1月4日 周五 15:00（暂按周末规则）" in card.words
    (town.folder / "days.yaml").write_text("holidays:\n  - 2041-01-02..2041-01-06\npublished: [2040, 2041]\n", "utf-8")
    later = give(town, side)

    assert "1月9日 周三 15:00" in later.words, "the file was read again without a restart"
    assert "暂按周末规则" not in later.words
    hr = hrbp(town, side)
    town.put_clock("2041-01-09T14:59:59+08:00")
    assert hr.cards() == [], "the first one's time was counted anew"
    town.forward(seconds=1)
    hr.await_card()


def test_by_calendar_hours_a_holiday_changes_nothing(town: Town) -> None:
    side = SIDES["wecom"]
    town.freeze()
    town.put_clock("2026-09-30T15:00:00+08:00")
    give(town, side)

    town.put_clock("2026-10-03T14:59:59+08:00")
    assert hrbp(town, side).cards() == []
    town.forward(seconds=1)

    hrbp(town, side).await_card()
