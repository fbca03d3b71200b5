"""Coming in by a link from the chat, staying for twelve hours, going."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from rules.events import Account, Platform
from rules.people import Entry
from tests.builders import NOON
from tests.web.site import HOST, Browser, Company, hidden
from web.login import LoginFailed


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


def test_a_used_link_leads_whoever_is_in_already_to_his_own_pages(company: Company) -> None:
    path, mine, others = company.link("E011"), Browser(company), Browser(company)
    mine.submit(path, path)
    others.enter("E012")

    assert mine.get(path).location == "/me"
    assert others.get(path).location == "/me"
    assert "孙悦" in others.get("/me").text


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
    page = Browser(company, company.app(wecom=FakeDoor())).get("/login", next=next)

    assert 'href="/login/wecom?next=/me"' in page.text


class FakeDoor:
    """A platform's login page: codes and whose they are. Raises for a code that is not there, as a platform does for one used up."""

    def __init__(self, **codes: Account | None) -> None:
        self.codes = codes
        self.state = ""

    def address(self, back_to: str, state: str) -> str:
        self.state = state
        return f"https://platform.example/?{urlencode({'back': back_to})}"

    def account(self, code: str) -> Account | None:
        if code not in self.codes:
            raise LoginFailed("40029")
        return self.codes.pop(code)


LIU = Account(Platform.WECOM, "LIU.Yang")


def test_the_platforms_login_leads_to_the_page_that_was_asked_for(company: Company) -> None:
    door = FakeDoor(good=LIU)
    browser = Browser(company, company.app(wecom=door))

    away = browser.get("/login/wecom", next="/records/7")
    assert away.location == "https://platform.example/?back=https%3A%2F%2Fbot.example%2Flogin%2Fwecom%2Fback"
    assert re.fullmatch("[A-Za-z0-9]{16,128}", door.state)
    came = browser.get("/login/wecom/back", code="good", state=door.state)

    assert (came.status_code, came.location) == (303, "/records/7")
    assert browser.get("/me").status_code == 200
    assert browser.get("/login/wecom/back", code="good", state=door.state).status_code == 400, "the same once more"


def test_a_login_that_began_in_another_browser_or_long_ago_ends_nowhere(company: Company) -> None:
    door = FakeDoor(good=LIU)
    app = company.app(wecom=door)
    mine, other = Browser(company, app), Browser(company, app)
    mine.get("/login/wecom")

    assert other.get("/login/wecom/back", code="good", state=door.state).status_code == 400
    assert mine.get("/login/wecom/back", code="good", state="").status_code == 400
    company.now = NOON + timedelta(minutes=10, seconds=1)
    assert mine.get("/login/wecom/back", code="good", state=door.state).status_code == 400
    assert "good" in door.codes, "the platform was not asked"


@pytest.mark.parametrize("account", [None, Account(Platform.WECOM, "nobody"), Account(Platform.DINGTALK, "gao_yuan")])
def test_whoever_is_not_in_the_directory_is_told_so_kindly(company: Company, account: Account | None) -> None:
    door = FakeDoor(good=account)
    browser = Browser(company, company.app(wecom=door))
    browser.get("/login/wecom")

    refused = browser.get("/login/wecom/back", code="good", state=door.state)

    assert refused.status_code == 403
    assert "通讯录里还没有你" in refused.text
    assert browser.get("/me").status_code == 303


def test_a_code_that_the_platform_refuses_can_be_tried_again(company: Company) -> None:
    door = FakeDoor()
    browser = Browser(company, company.app(dingtalk=door))
    browser.get("/login/dingtalk")

    refused = browser.get("/login/dingtalk/back", code="spent", state=door.state)

    assert refused.status_code == 502
    assert 'href="/login"' in refused.text


def test_inside_a_client_its_own_login_is_taken_and_elsewhere_there_is_a_choice(company: Company) -> None:
    browser = Browser(company, company.app(wecom=FakeDoor(), dingtalk=FakeDoor()))

    for agent, platform in (("… wxwork/4.1.9 MicroMessenger/7", "wecom"), ("… AliApp(DingTalk/7.6.15)", "dingtalk")):
        page = browser.client.get("/login?next=/open", base_url=HOST, headers={"User-Agent": agent})
        assert page.location == f"/login/{platform}?next=/open"
    page = browser.get("/login", next="/open")
    assert "用企业微信登录" in page.text
    assert "用钉钉登录" in page.text
    assert browser.get("/login/feishu").status_code == 404
    assert Browser(company).get("/login/wecom").status_code == 404, "a platform that is not in use"
