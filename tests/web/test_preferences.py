"""偏好 and the desk: what people set for themselves, and what administrators see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta

import pytest

from handlers.audit import Expected
from rules.budgets import Budget, Per, What
from rules.digests import DigestPolicy, Kind
from rules.manners import MAY_BE_MUTED, Manners, Preferences, Quiet, Why
from rules.messages import Urgency
from storage.rulings import Ruling
from tests.builders import NOON, a_message, at
from tests.web.site import Browser, Company

EVERYTHING = ["reminder", "digest", "nudge"]
ComeIn = Callable[[str], Browser]


def wishes(company: Company, key: str) -> Preferences:
    with company.store.read() as tx:
        return tx.preferences.of(company.people[key].id)


def test_who_never_set_anything_is_treated_as_the_company_decides(company: Company, come_in: ComeIn) -> None:
    company.policy = replace(company.policy, manners=Manners())

    page = come_in("E011").get("/preferences").text

    assert "跟公司一样：21:00 到 08:00" in page
    assert page.count("checked") == 1 + len(EVERYTHING) + 1
    assert "请假代班" not in page, "there is nothing to stand in for"


def test_quiet_hours_of_ones_own_and_what_one_wants_are_kept(company: Company, come_in: ComeIn) -> None:
    browser = come_in("E011")

    done = browser.submit("/preferences", "/preferences", quiet="own", begins="22:30", ends="07:15", rests="yes", wanted=["digest"])

    assert done.location == "/preferences?done=1"
    assert "存好了" in browser.get(done.location).text
    quiet = Quiet(time(22, 30), time(7, 15))
    assert wishes(company, "E011") == Preferences(True, quiet, True, frozenset({Urgency.REMINDER, Urgency.NUDGE}))
    with company.store.read() as tx:
        assert tx.digests.unnamed([company.people["E011"].id]) == {company.people["E011"].id}
    browser.submit("/preferences", "/preferences", quiet="house", rests="house", wanted=EVERYTHING, named="1")
    assert wishes(company, "E011") == Preferences()


def test_no_quiet_hours_at_all_is_a_wish_too(company: Company, come_in: ComeIn) -> None:
    come_in("E011").submit("/preferences", "/preferences", quiet="none", rests="no")

    assert wishes(company, "E011") == Preferences(True, None, False, MAY_BE_MUTED)


@pytest.mark.parametrize(
    "hours", [{"begins": "25:00", "ends": "08:00"}, {"begins": "", "ends": ""}, {"begins": "08:00", "ends": "08:00"}]
)
def test_hours_that_are_none_are_asked_for_again(company: Company, come_in: ComeIn, hours: dict[str, str]) -> None:
    answer = come_in("E011").submit("/preferences", "/preferences", quiet="own", **hours)

    assert answer.status_code == 422
    assert "两个时间不能一样" in answer.text
    assert wishes(company, "E011") == Preferences()


def test_new_wishes_free_what_the_old_ones_held(company: Company, come_in: ComeIn) -> None:
    with company.store.begin() as tx:
        tx.outbox.add(a_message(company.people["E011"].id, "feedback"), NOON)
        message = tx.outbox.by_key("feedback")
        assert message is not None
        until = NOON + timedelta(hours=9)
        tx.outbox.defer(message, until)
        tx.rulings.note(Ruling(message.id, NOON, "hold", Why.QUIET, until))

    come_in("E011").submit("/preferences", "/preferences", quiet="none", wanted=EVERYTHING)

    with company.store.read() as tx:
        freed = tx.outbox.by_key("feedback")
    assert freed is not None
    assert freed.not_before == NOON


def test_without_the_forms_own_word_nothing_is_changed(company: Company, come_in: ComeIn) -> None:
    browser = come_in("E011")

    for path in ("/preferences", "/preferences/stand-in"):
        assert browser.post(path, word="x", quiet="none").status_code == 400
        assert Browser(company).post(path, quiet="none").status_code == 303, "to the login"
    assert wishes(company, "E011") == Preferences()


def test_a_supervisor_names_who_stands_in_and_comes_back(company: Company, come_in: ComeIn) -> None:
    browser, taker = come_in("E010"), company.people["E020"]
    page = browser.get("/preferences").text
    assert "林涛" in page
    assert "孙悦" not in page, "leads nobody"

    browser.submit("/preferences", "/preferences/stand-in", taker=str(taker.id), first="2026-09-16", last="2026-09-18")

    with company.store.read() as tx:
        away = tx.away.of(company.people["E010"].id)
        told = [message.card for message in tx.outbox.recent(None, 5) if message.person == taker.id]
    assert (away.stand_in, away.stand_in_from, away.stand_in_until) == (taker.id, at("2026-09-16 00:00"), at("2026-09-19 00:00"))
    assert told == ["stand_in_text"]
    assert "由 林涛 代你" in browser.get("/preferences").text
    browser.submit("/preferences", "/preferences/stand-in", back="1")
    with company.store.read() as tx:
        assert tx.away.of(company.people["E010"].id).stand_in is None


@pytest.mark.parametrize(
    ("taker", "first", "last", "says"),
    [
        ("", "", "2026-09-18", "由谁代"),
        ("E012", "", "2026-09-18", "由谁代"),
        ("E020", "", "", "推到什么时候"),
        ("E020", "2026-09-18", "2026-09-16", "推到什么时候"),
        ("E020", "", "2026-09-13", "推到什么时候"),
    ],
)
def test_a_stand_in_that_cannot_be_is_refused(company: Company, come_in: ComeIn, taker: str, first: str, last: str, says: str) -> None:
    chosen = str(company.people[taker].id) if taker else ""

    answer = come_in("E010").submit("/preferences", "/preferences/stand-in", taker=chosen, first=first, last=last)

    assert answer.status_code == 422
    assert says in answer.text
    with company.store.read() as tx:
        assert tx.away.of(company.people["E010"].id).stand_in is None


def test_the_desk_shows_budgets_queue_and_reasons_to_administrators_alone(company: Company, come_in: ComeIn) -> None:
    company.policy = replace(
        company.policy,
        administrators=frozenset({"E003"}),
        budgets=(Budget("dingtalk", What.CALLS, 5000, Per.MONTH),),
        digests=DigestPolicy(off=frozenset(Kind)),
    )
    company.site = replace(company.site, expected=Expected(timedelta(seconds=2), 30.0))
    company.given("E010", "E011")
    with company.store.begin() as tx:
        tx.usage.add("dingtalk", "calls", NOON.date(), "1", 4600)
        message = tx.outbox.by_key("feedback:1")
        assert message is not None
        until = NOON + timedelta(hours=9)
        tx.outbox.defer(message, until)
        tx.rulings.note(Ruling(message.id, NOON, "hold", Why.QUIET, until))

    desk = come_in("E003").get("/desk")

    assert desk.status_code == 200
    for told in ("4,600", "5,000", "今天不发，明天再说", "免打扰时间 1 条", f"#{message.id}", "巡检没有发现问题"):
        assert told in desk.text
    for personal in ("刘洋", "没有告知到账时间"):
        assert personal not in desk.text
    other = come_in("E010")
    assert other.get("/desk").status_code == 403
    assert "/desk" not in other.get("/me").text
    assert "/desk" in come_in("E003").get("/me").text
    assert Browser(company).get("/desk").status_code == 303


def test_the_desk_says_what_the_audit_sees(company: Company, come_in: ComeIn) -> None:
    company.policy = replace(company.policy, administrators=frozenset({"E003"}))
    company.site = replace(company.site, expected=Expected(timedelta(seconds=2), 30.0, stream="dingtalk-stream"))
    company.given("E010", "E011")
    company.now = NOON + timedelta(hours=24, seconds=7)

    text = come_in("E003").get("/desk").text

    assert "1 条反馈到点了还没处理" in text
    assert "长连接断着" in text
