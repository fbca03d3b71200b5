"""The pages as people reach them: by a link from the chat, and through each platform's own login page."""

from __future__ import annotations

import re

import pytest
import requests

from tests.story.conftest import SIDES, Side
from tests.story.test_core_loop import give
from tests.story.town import Phone, Town

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Browser:
    """The in-app browser of somebody's phone."""

    def __init__(self, town: Town) -> None:
        self.town, self.http = town, requests.Session()
        self.http.trust_env = False

    def open(self, url: str, phone: Phone | None = None) -> requests.Response:
        """Open a link, in the platform's own browser when it stands in a chat."""
        if phone is None:
            return self.http.get(url, timeout=10)
        query = {"person": phone.person, "platform": phone.platform, "url": url}
        return self.http.get(f"{self.town.sandbox}/sandbox/open", params=query, timeout=10)

    def submit(self, page: requests.Response, path: str, **fields: str) -> requests.Response:
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
        return self.http.post(self.town.bot_url + path, data=hidden | fields, timeout=10)


def address(page: requests.Response) -> str:
    """Without the fragment, which WeCom's login demands and browsers carry on."""
    return page.url.partition("#")[0]


def test_the_help_in_the_chat_opens_the_page_once(town: Town, side: Side) -> None:
    phone, browser = town.phone(side.subject, side.platform), Browser(town)
    give(town, side, side.bad)

    phone.say("帮助")
    told = phone.await_text()
    link = re.search(r"http://\S+/in/[\w-]+", told)
    assert link is not None, told
    page = browser.open(link[0], phone)
    entered = browser.submit(page, link[0].removeprefix(town.bot_url))

    assert address(entered) == f"{town.bot_url}/me"
    assert "写给你" in entered.text
    assert Browser(town).open(link[0]).status_code == 410
    assert address(browser.open(link[0])) == f"{town.bot_url}/me", "who is in already goes on"


def test_an_answer_on_the_page_turns_the_card_in_the_chat(town: Town, side: Side) -> None:
    card, browser = give(town, side, side.bad), Browser(town)
    page = browser.open(f"{town.bot_url}/login/{side.platform}?next=/open", town.phone(side.subject, side.platform))
    assert address(page) == f"{town.bot_url}/open", "the code is gone from the address"

    browser.submit(page, "/records/1/answer", answer="acknowledged")

    card.await_change(lambda card: "acknowledged" not in card.buttons)


def test_the_pages_know_a_person_by_either_platform_and_nobody_else(town: Town) -> None:
    for side in SIDES.values():
        browser = Browser(town)
        came = browser.open(f"{town.bot_url}/login/{side.platform}", town.phone(side.supervisor, side.platform))
        assert address(came) == f"{town.bot_url}/me"
        assert "写反馈" in came.text
        spent = next(answer for answer in came.history if "/back?" in answer.url).url
        assert Browser(town).open(spent).status_code == 400, "another browser"
        assert browser.open(spent).status_code == 400, "the same once more"


def test_a_form_on_the_page_reaches_the_subject_in_his_chat(town: Town, side: Side) -> None:
    browser, phone = Browser(town), town.phone(side.subject, side.platform)
    page = browser.open(f"{town.bot_url}/login/{side.platform}?next=/write", town.phone(side.supervisor, side.platform))
    subject = re.search(rf'<option value="(\d+)">{side.subject_name}', page.text)
    assert subject is not None
    told = {"scene": "上午那通退货来电", "action": "没有告诉客户几天到账就挂了电话", "impact": "客户次日又来电催问了两次"}
    when = re.search(r'name="when" value="([^"]+)"', page.text)
    assert when is not None

    done = browser.submit(page, "/write", subject=subject[1], kind="improve", when=when[1], **told)

    assert "已经发出" in done.text
    assert told["action"] in phone.await_card().words
