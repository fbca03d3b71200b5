"""A week's value opened to its rows: only one's own, contested with one tap, counted where a count is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from handlers import counts, digests
from handlers.context import Context
from rules.digests import DigestPolicy
from rules.feedback import Behaviour, Kind, State
from rules.policy import Library
from rules.value import Grade, Money, Rate
from rules.weeks import Week
from storage.feedback import Draft
from storage.unit import Store
from tests.builders import a_policy, at
from tests.web.site import Browser, Company
from web import digests as digest_pages
from web import login

W38 = Week(2026, 38)
RETURN = Rate("return", 1, "退货往返", "次", 8000, 8000, "财务部 李会计", Grade.MEASURED, date(2026, 1, 1), None, ("退货", "寄回"))
BOXES = (Behaviour("swap", "主动给出换货方案", Kind.PRAISE, "少一次退货", "return"), Behaviour("cut_in", "打断", Kind.IMPROVE, "投诉"))


@pytest.fixture
def company(store: Store, tmp_path: Path) -> Company:
    return a_company_with_rates(store, tmp_path)


def a_company_with_rates(store: Store, folder: Path) -> Company:
    policy = replace(a_policy(), libraries={"客服": Library(("来电",), BOXES)}, digests=DigestPolicy(rates=(RETURN,), pictures=False))
    company = Company(store, folder, policy)
    company.now = at("2026-09-15 10:00")
    return company


def browser(company: Company, key: str) -> Browser:
    app = company.app()
    app.register_blueprint(digest_pages.blueprint(company.site))
    inside = Browser(company, app)
    inside.enter(key)
    return inside


def told(company: Company, impact: str) -> int:
    """刘洋 was praised in words; the record."""
    id = company.given("E010", "E011", Kind.PRAISE).id
    with company.store.begin() as tx:
        tx.feedback.apply(replace(tx.feedback.get(id), impact=impact))
    return id


def ticked(company: Company) -> int:
    """刘洋 was praised by a card; the record."""
    boss, subject = company.people["E010"], company.people["E011"]
    with company.store.begin() as tx:
        id = tx.feedback.open_draft(Draft(boss.id, subject.id, "来电", BOXES, company.now, company.now, "card"))
        given = replace(tx.feedback.get(id), state=State.OPEN, kind=Kind.PRAISE, action=BOXES[0].text, impact="少一次退货")
        tx.feedback.apply(replace(given, ticks=("swap",), given_at=company.now))
    return id


def friday(company: Company) -> None:
    company.now = at("2026-09-18 17:00")
    with company.store.begin() as tx:
        while digests.compose_next(Context(tx, company.now, company.policy)):
            pass


def test_every_figure_opens_to_its_count_its_rate_and_its_words(company: Company) -> None:
    record = told(company, "少寄回 23 次退货")
    friday(company)

    page = browser(company, "E011").get(f"/week/{W38}").text

    assert "退货往返 23 次 × ¥80 = <b>¥1,840</b>" in page
    assert "“少寄回 23 次退货”" in page
    assert "财务部 李会计 定的第 1 版" in page
    assert f"/records/{record}" in page
    assert "申报" in page


def test_what_a_system_counted_opens_to_each_event_and_the_system(company: Company) -> None:
    events = [{"key": f"erp-{n}", "person": "E011", "rate": "return", "at": "2026-09-14 16:00", "system": "ERP"} for n in (1, 2)]
    with company.store.begin() as tx:
        assert counts.take_in(Context(tx, company.now, company.policy), events) == counts.Taken(2, 0)
    friday(company)
    mine = browser(company, "E011")

    page = mine.get(f"/week/{W38}").text
    mine.submit(f"/week/{W38}", f"/week/{W38}/contest", entry="2")

    assert page.count("退货往返 1 次 × ¥80 = <b>¥80</b>") == 2
    assert page.count("ERP") == 2
    assert "<b>¥160</b> 这一周合计" in page
    assert "实测" in page
    with company.store.read() as tx:
        assert list(tx.ledger.contests_of([1, 2])) == [2], "each of them is contested by itself"


def test_a_figure_is_contested_with_one_tap_and_once(company: Company) -> None:
    told(company, "少寄回 23 次退货")
    friday(company)
    mine = browser(company, "E011")

    for _ in range(2):
        mine.submit(f"/week/{W38}", f"/week/{W38}/contest", entry="1")

    assert "HRBP 在核对" in mine.get(f"/week/{W38}").text
    with company.store.read() as tx:
        assert len(tx.ledger.contests_of([1])) == 1
        assert [m.card for m in tx.outbox.about("value:1")] == ["contest_card"]


def test_nobody_sees_or_contests_what_is_anothers(company: Company) -> None:
    told(company, "少寄回 23 次退货")
    friday(company)
    other = browser(company, "E012")

    assert "¥1,840" not in other.get(f"/week/{W38}").text
    assert other.submit(f"/week/{W38}", f"/week/{W38}/contest", entry="1").status_code == 422
    with company.store.read() as tx:
        assert tx.ledger.contests_of([1]) == {}


def test_without_a_session_it_leads_to_the_login_and_back(company: Company) -> None:
    app = company.app()
    app.register_blueprint(digest_pages.blueprint(company.site))

    stranger = Browser(company, app)
    answer = stranger.get(f"/week/{W38}")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next=/week/{W38}")
    assert login._page(f"/week/{W38}") == f"/week/{W38}"
    assert login._page("/week/https://evil.example") == "/me"


def test_a_missing_count_is_stated_and_stands_in_the_digest(company: Company) -> None:
    record = ticked(company)
    mine = browser(company, "E011")
    assert "退货往返，一共多少次？" in mine.get(f"/week/{W38}").text

    bad = mine.submit(f"/week/{W38}", f"/week/{W38}/count", record=str(record), count="很多")
    good = mine.submit(f"/week/{W38}", f"/week/{W38}/count", record=str(record), count="2.5")
    friday(company)

    assert (bad.status_code, good.status_code) == (422, 303)
    with company.store.read() as tx:
        assert tx.ledger.sum(None, W38) == Money(20_000, 20_000)


@pytest.mark.parametrize("count", ["0", "-3", "1e9", "nan", "2.0005", "", "９" * 40])
def test_what_is_no_count_changes_nothing(company: Company, count: str) -> None:
    record = ticked(company)

    answer = browser(company, "E011").submit(f"/week/{W38}", f"/week/{W38}/count", record=str(record), count=count)

    assert answer.status_code == 422
    with company.store.read() as tx:
        assert tx.ledger.counts_of([company.people["E011"].id]) == {}


def test_a_form_without_its_word_is_refused(company: Company) -> None:
    assert browser(company, "E011").post(f"/week/{W38}/named", named="0").status_code == 400


def test_who_does_not_want_to_be_named_says_so(company: Company) -> None:
    mine = browser(company, "E011")

    mine.submit(f"/week/{W38}", f"/week/{W38}/named", named="0")

    with company.store.read() as tx:
        assert tx.digests.unnamed([company.people["E011"].id])
    mine.submit(f"/week/{W38}", f"/week/{W38}/named", named="1")
    with company.store.read() as tx:
        assert not tx.digests.unnamed([company.people["E011"].id])


def test_the_picture_is_ones_own(company: Company) -> None:
    told(company, "少寄回 23 次退货")
    friday(company)

    mine, other = (browser(company, key).get(f"/week/{W38}/picture.png") for key in ("E011", "E012"))

    assert (mine.status_code, mine.content_type) == (200, "image/png")
    assert other.status_code == 404


@pytest.mark.parametrize("week", ["2026-W99", "nonsense", "2026-W", "-W1"])
def test_a_week_that_does_not_exist_is_not_found(company: Company, week: str) -> None:
    assert browser(company, "E011").get(f"/week/{week}").status_code == 404
