"""Coming in by a link from the chat, staying for twelve hours, going."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rules.people import Entry
from tests.builders import NOON
from tests.web.site import HOST, Browser, Company, hidden


def test_a_link_opens_the_page_it_was_made_for(company: Company) -> None:
    browser = Browser(company)

    came = browser.enter("E011", "/open")

    assert (came.status_code, came.location) == (303, "/open")
    assert browser.get("/open").status_code == 200


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(company: Company) -> None:
    cookies = [value for name, value in Browser(company).enter("E011").headers if name == "Set-Cookie" and value.startswith("sanmiao=")]

    assert len(cookies) == 1
    for flag in ("HttpOnly", "SameSite=Lax", "Secure", "Max-Age=43200", "Path=/"):
        assert flag in cookies[0]


def test_looking_at_a_link_does_not_use_it_up(company: Company) -> None:
    path, browser = company.link("E011"), Browser(company)

    Browser(company).get(path)  # the chat fetches a preview

    assert browser.submit(path, path).status_code == 303


def test_a_link_works_once(company: Company) -> None:
    path, first, second = company.link("E011"), Browser(company), Browser(company)
    word = hidden(second.get(path).text)["word"]
    assert first.submit(path, path).status_code == 303

    again = second.post(path, word=word)

    assert again.status_code == 410
    assert "不能用了" in again.text
    assert second.get("/me").location == "/login?next=/me"


def test_a_link_works_for_fifteen_minutes(company: Company) -> None:
    early, late = company.link("E011"), company.link("E011")

    company.now = NOON + timedelta(minutes=14, seconds=59)
    assert Browser(company).submit(early, early).status_code == 303
    company.now = NOON + timedelta(minutes=15)
    assert Browser(company).get(late).status_code == 410


def test_a_link_is_used_in_the_browser_that_opened_it(company: Company) -> None:
    path = company.link("E011")
    word = hidden(Browser(company).get(path).text)["word"]

    assert Browser(company).post(path, word=word).status_code == 400
    assert Browser(company).submit(path, path).status_code == 303, "and was not used up by that"


def test_a_made_up_link_opens_nothing(company: Company) -> None:
    path = company.link("E011")

    for bad in (path[:-1], path + "A", "/in/x", "/in/" + "é" * 40):
        assert Browser(company).get(bad).status_code == 410


def test_the_database_does_not_hold_what_opens_a_page(company: Company) -> None:
    token = company.link("E011").rpartition("/")[2]

    with company.store.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT token FROM logins").all()

    assert [len(row.token) for row in rows] == [64]
    assert token not in rows[0].token


def test_a_session_ends_after_twelve_hours(company: Company) -> None:
    browser = Browser(company)
    browser.enter("E011")

    company.now = NOON + timedelta(hours=12)
    assert browser.get("/me").status_code == 200
    company.now = NOON + timedelta(hours=12, seconds=1)
    assert browser.get("/me").location == "/login?next=/me"


def test_a_session_and_a_link_end_when_their_person_leaves(company: Company) -> None:
    browser, link = Browser(company), company.link("E011")
    browser.enter("E011")

    with company.store.begin() as tx:
        tx.people.put([Entry("E011", "刘洋", "客服部", (), left=True)], NOON)

    assert browser.get("/me").location == "/login?next=/me"
    assert Browser(company).get(link).status_code == 410


def test_a_cookie_of_another_secret_or_another_use_is_none(company: Company) -> None:
    browser = Browser(company)
    browser.enter("E011")
    cookie = browser.client.get_cookie("sanmiao", domain="bot.example")
    assert cookie is not None

    stranger = Browser(company)
    for value in (cookie.value[:-2] + "xx", company.links.card("1").rpartition("/")[2], "", "[1,2]"):
        stranger.client.set_cookie("sanmiao", value, domain="bot.example", secure=True)
        assert stranger.get("/me").status_code == 303


def test_going_ends_the_session(company: Company) -> None:
    browser = Browser(company)
    browser.enter("E011")

    assert browser.post("/out", word="made up").status_code == 400
    assert browser.submit("/me", "/out").status_code == 303

    assert browser.get("/me").status_code == 303


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/out", "/me\nX: y", "javascript:alert(1)", "/me?x=1"])
def test_a_login_leads_to_our_own_pages_only(company: Company, next: str) -> None:
    page = Browser(company, company.app(wecom=NoDoor())).get("/login", next=next)

    assert 'href="/login/wecom?next=/me"' in page.text


class NoDoor:
    """A platform's login page that nobody opens."""

    def address(self, back_to: str, state: str) -> str:
        return f"{HOST}/elsewhere?{back_to}{state}"

    def account(self, code: str) -> None:
        return None
