"""A week ends, on both platforms and both databases: everybody gets exactly his digests once, whatever restarts in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from rules.digests import Kind
from rules.weeks import Week
from tests.story.conftest import SIDES, Side
from tests.story.town import ROOT, Phone, Town, wait_for

# An ordinary week in Shanghai: Wednesday to Monday.
WEDNESDAY, THURSDAY, FRIDAY, MONDAY = (datetime(2027, 3, day, hour, tzinfo=UTC) for day, hour in ((10, 2), (11, 7), (12, 9), (15, 1)))
WEEK, NEXT = Week(2027, 10), Week(2027, 11)


@pytest.fixture
def weekly(tmp_path: Path, database_url: str) -> Iterator[Town]:
    company = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = (ROOT / "demo" / "people.csv").read_text("utf-8")
    groups = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text("utf-8"))["groups"]
    with Town(tmp_path, database_url, company, people, digests={"leave_out": []}, groups=groups) as town:
        town.post("/sandbox/clock", {"freeze": True})
        yield town


def be_at(town: Town, moment: datetime) -> None:
    town.post("/sandbox/clock", {"set": moment.isoformat()})


def finished(town: Town, week: Week, *kinds: Kind) -> None:
    """Wait until these rounds are done and what they said has left."""

    def done() -> bool:
        with town.store().read() as tx:
            counts = tx.outbox.counts()
            return set(kinds) <= tx.digests.finished(week) and not counts.get("due") and not counts.get("sending")

    wait_for(done)


def saying(phone: Phone, words: str) -> list[str]:
    """The cards on a phone that say this."""
    return [card.words for card in phone.cards() if words in card.words]


def improve(town: Town, side: Side) -> None:
    """The supervisor ticks, the subject improves and says how many."""
    boss, subject = town.phone(side.supervisor, side.platform), town.phone(side.subject, side.platform)
    boss.say(side.subject_name)
    boss.await_card(has=lambda card: bool(card.open_boxes)).tick(side.bad)
    subject.await_card(has=lambda card: "improved" in card.buttons).press("improved")
    subject.say({"dingtalk": "先听完再复述，少寄回 3 次", "wecom": "讲完就报剩余件数，当场加了 6 单"}[side.platform])
    subject.await_text()


def test_a_week_ends_and_everybody_gets_his_own_once(weekly: Town, side: Side) -> None:
    town = weekly
    be_at(town, WEDNESDAY)
    improve(town, side)
    boss, subject, hr = (town.phone(key, side.platform) for key in (side.supervisor, side.subject, side.hrbp))
    amount = {"dingtalk": "= ¥240", "wecom": "= ¥270"}[side.platform]

    be_at(town, THURSDAY)
    finished(town, WEEK, Kind.QUOTA)
    assert len(saying(boss, "这周还差 1 条反馈")) == 1
    town.restart_bot()
    be_at(town, FRIDAY)
    finished(town, WEEK, Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.GROUP, Kind.LEADER)
    town.restart_bot()
    town.forward(hours=2)
    finished(town, WEEK, Kind.LEADER)

    assert len(saying(subject, amount)) == 1
    assert len(saying(boss, "促成 1 次现场改进")) == 1
    assert len(saying(hr, "你负责的人这周 1 条反馈")) == 1
    assert saying(town.phone(side.colleague, side.platform), "这周") == [], "nothing happened, nothing is said"
    be_at(town, MONDAY)
    finished(town, NEXT, Kind.MONDAY)
    wait_for(lambda: bool(saying(subject, "上周你做成 1 件事")))  # its picture is drawn first
    town.restart_bot()
    briefs = saying(subject, "上周你做成 1 件事")
    assert len(briefs) == 1
    assert amount in briefs[0], "the same numbers as on Friday"
    with town.store().read() as tx:
        assert not tx.outbox.counts().get("failed")


def test_the_brief_brings_its_picture(weekly: Town, side: Side) -> None:
    town = weekly
    be_at(town, WEDNESDAY)
    improve(town, side)
    be_at(town, FRIDAY)
    finished(town, WEEK, Kind.LEADER)

    be_at(town, MONDAY)

    subject = town.phone(side.subject, side.platform)
    brief = subject.await_card(has=lambda card: "上周你做成 1 件事" in card.words)
    if side.platform == "dingtalk":
        assert "![上周你做成 1 件事" in brief.raw["body_markdown"]
    else:
        wait_for(lambda: any(message["kind"] == "image" for message in subject.messages()))


def test_a_figure_is_contested_with_one_tap_and_settled_by_the_hrbp(weekly: Town, side: Side) -> None:
    town = weekly
    be_at(town, WEDNESDAY)
    improve(town, side)
    be_at(town, FRIDAY)
    subject, hr = town.phone(side.subject, side.platform), town.phone(side.hrbp, side.platform)
    digest = subject.await_card(has=lambda card: any(action.startswith("contest:") for action in card.buttons))

    digest.press(next(action for action in digest.buttons if action.startswith("contest:")))
    asked = hr.await_card(has=lambda card: "strike" in card.buttons)
    asked.press("strike")

    asked.await_change(lambda card: not card.buttons)
    digest.await_change(lambda card: "请 HRBP 核对" in card.words)
    wait_for(lambda: any("划掉" in message["text"] for message in subject.messages()))


def test_an_administrator_looks_at_a_digest_and_sends_it_again(weekly: Town) -> None:
    town, side = weekly, SIDES["dingtalk"]
    be_at(town, WEDNESDAY)
    improve(town, side)

    early = town.run("digest", "preview", "--person", side.subject, "--week", str(WEEK))
    with town.store().read() as tx:
        assert tx.ledger.sum(None, WEEK).low_fen == 0, "a preview books nothing"
    town.run("digest", "send", "--person", side.subject, "--week", str(WEEK), fails=True)
    be_at(town, FRIDAY)
    finished(town, WEEK, Kind.LEADER)
    town.run("digest", "send", "--person", side.subject, "--week", str(WEEK))

    assert "= ¥240" in early
    wait_for(lambda: len(saying(town.phone(side.subject, side.platform), "= ¥240")) == 2)
    town.run("digest", "preview", "--person", "nobody", fails=True)
    town.run("digest", "preview", "--person", side.subject, "--week", "2027-W60", fails=True)


def test_nothing_leaves_twice_when_the_bot_was_down_on_friday(weekly: Town) -> None:
    town = weekly
    be_at(town, WEDNESDAY)
    town.stop_bot()
    be_at(town, FRIDAY)
    town.start_bot()
    finished(town, WEEK, Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.GROUP, Kind.LEADER)
    town.forward(hours=1)
    town.restart_bot()
    finished(town, WEEK, Kind.LEADER)

    boss = town.phone("E010", "dingtalk")
    assert len(saying(boss, "你这周还没写过反馈")) == 1


ALL_FRIDAYS = (Kind.EMPLOYEE, Kind.SUPERVISOR, Kind.GROUP, Kind.LEADER)


def test_the_weeks_around_guoqing_end_when_people_stop_working(weekly: Town) -> None:
    """1 to 7 October 2026 are off, Saturday 10 October is worked: one week ends on a Wednesday, the next begins on a Thursday and ends
    on a Saturday. Both have three workdays, so one feedback is owed in each."""
    town, side = weekly, SIDES["wecom"]
    before, after = Week(2026, 40), Week(2026, 41)
    boss, subject, hr = (town.phone(key, side.platform) for key in (side.supervisor, side.subject, side.hrbp))
    finished(town, before)  # the greetings have left: the clock goes back
    town.put_clock("2026-09-28T10:00:00+08:00")
    improve(town, side)

    town.put_clock("2026-09-29T15:00:00+08:00")
    finished(town, before, Kind.QUOTA)
    assert saying(boss, "这周还差") == [], "one is enough in a short week"
    town.put_clock("2026-09-30T16:59:59+08:00")
    assert saying(subject, "这周你做成了") == []
    town.forward(seconds=1)
    finished(town, before, *ALL_FRIDAYS)
    town.put_clock("2026-10-05T10:00:00+08:00")
    town.restart_bot()
    town.put_clock("2026-10-08T08:59:59+08:00")

    assert len(saying(subject, "= ¥270")) == 1, "nothing in the holidays"
    assert len(saying(hr, "你负责的人这周 1 条反馈")) == 1
    town.forward(seconds=1)
    finished(town, after, Kind.MONDAY)
    wait_for(lambda: bool(saying(subject, "上周你做成 1 件事")))
    town.put_clock("2026-10-09T15:00:00+08:00")
    finished(town, after, Kind.QUOTA)
    assert len(saying(boss, "这周还差 1 条反馈")) == 1, "the last workday but one is a Friday"
    town.put_clock("2026-10-10T17:00:00+08:00")
    finished(town, after, *ALL_FRIDAYS)
    assert len(saying(boss, "你这周还没写过反馈")) == 1, "on the make-up Saturday itself"
    assert len(saying(subject, "= ¥270")) == 2, "Friday's and the brief's, and no third"


def test_the_week_of_new_year_ends_on_new_years_eve(weekly: Town) -> None:
    """1 January 2027 is a Friday and off by law, also while the year's make-up days are not published."""
    town, side = weekly, SIDES["dingtalk"]
    old, new = Week(2026, 53), Week(2027, 1)
    boss, subject = town.phone(side.supervisor, side.platform), town.phone(side.subject, side.platform)
    town.put_clock("2026-12-30T10:00:00+08:00")
    improve(town, side)

    town.put_clock("2026-12-30T15:00:00+08:00")
    finished(town, old, Kind.QUOTA)
    assert len(saying(boss, "这周还差 1 条反馈")) == 1, "four workdays, two owed"
    town.put_clock("2026-12-31T17:00:00+08:00")
    finished(town, old, *ALL_FRIDAYS)
    assert len(saying(subject, "= ¥240")) == 1
    town.put_clock("2027-01-02T10:00:00+08:00")
    town.restart_bot()
    town.put_clock("2027-01-04T09:00:00+08:00")
    finished(town, new, Kind.MONDAY)
    wait_for(lambda: bool(saying(subject, "上周你做成 1 件事")))

    assert "= ¥240" in saying(subject, "上周你做成 1 件事")[0]
    assert len(saying(boss, "促成 1 次现场改进")) == 1
