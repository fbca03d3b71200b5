"""The pages in a real browser, as large as a phone: nothing hidden, nothing unreadable, all of it without a mouse and without scripts.

With SCREENSHOTS=<folder> each page is kept there as page-<name>.png, and as wide as a desk as page-<name>-1280.png.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
import yaml
from playwright.sync_api import Browser, Page, ViewportSize, expect

from bot.app import App, build
from bot.clock import utc_now
from bot.server import WebServer
from bot.settings import load
from cards.compose import compose
from handlers import feedback, forms
from handlers.context import Context
from handlers.logins import link
from rules.feedback import Answer, Kind, State
from rules.people import Entry, Person
from rules.weeks import week_of
from storage.feedback import Draft
from storage.unit import Store
from tests.cards.examples import EXAMPLES
from tests.cards.test_page import PAGES, WEB
from tests.page.audit import complaints
from tests.story.town import free_port
from tests.web import test_digests as ledger

SMALL: ViewportSize = {"width": 390, "height": 844}
LARGE: ViewportSize = {"width": 1280, "height": 800}
SHOTS = os.environ.get("SCREENSHOTS")
MOST_BYTES = 60_000
WORDY = "客户在电话里先问了退货时效又问了运费由谁承担" * 8

STAFF = (
    Entry("E010", "王芳", "客服部", (), position="客服主管", hrbp="E003"),
    Entry("E003", "赵敏", "人力资源部", (), position="HRBP"),
    Entry("E011", "刘洋", "客服部", (), position="客服专员", role="客服", supervisor="E010", hrbp="E003"),
    Entry("E012", "刘洋", "客服二部", (), position="客服专员", role="客服", supervisor="E010", hrbp="E003"),
    Entry("E013", "欧阳娜娜·阿依古丽·买买提", "客服部", (), role="客服", supervisor="E010", hrbp="E003"),
    Entry("E014", "新同事", "客服部", (), role="客服", hrbp="E003"),
)
TOLD = (
    ("E011", Kind.IMPROVE, "上午那通退货来电", "没有告诉客户几天到账就挂了电话", "客户次日又来电催问了两次", 50),
    ("E011", Kind.PRAISE, "昨天下午的投诉工单", "先安抚再核实订单，二十分钟内给了方案", "客户撤回了投诉", 20),
    ("E012", Kind.IMPROVE, "早班交接", WORDY, WORDY, 3),
)


@dataclass(frozen=True)
class Served:
    """The bot's own web server with a small company on it."""

    app: App
    people: dict[str, Person]

    @property
    def url(self) -> str:
        return self.app.settings.web.public_url

    def link(self, key: str, next: str) -> str:
        told = self.app.dispatcher.run(lambda ctx: link(ctx, self.people[key].id, next))
        assert told is not None
        return told


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[Served]:
    port = free_port()
    config = {
        "database": {"url": sqlite_url},
        "web": {"port": port, "public_url": f"http://127.0.0.1:{port}", "threads": 2},
        "evidence": {"folder": str(tmp_path / "evidence")},
        "people": {"administrators": ["E003"]},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    app = build(load(tmp_path / "config.yaml", {"SANMIAO_WEB_SECRET": "s" * 32}))
    with app.store.begin() as tx:
        tx.people.put(STAFF, app.now())
        people = {person.key: person for person in tx.people.all().values()}
    for told in TOLD:
        app.dispatcher.run(partial(_give, people=people, told=told))
    server = WebServer(app)
    server.start()
    yield Served(app, people)
    server.stop()
    app.close()


def _give(ctx: Context, people: dict[str, Person], told: tuple[str, Kind, str, str, str, int]) -> None:
    subject, kind, scene, action, impact, hours = told
    at: datetime = ctx.now - timedelta(hours=hours)
    author = people["E010"]
    then = replace(ctx, now=at)
    id = ctx.tx.feedback.open_draft(Draft(author.id, people[subject].id, "", (), at, at, "page"))
    draft = replace(ctx.tx.feedback.get(id), kind=kind, scene=scene, action=action, impact=impact)
    feedback.open_record(then, replace(draft, state=State.OPEN, given_at=at), author)
    if kind is Kind.PRAISE:
        forms.answer(ctx, people[subject], id, Answer.IMPROVED, "后来把这套说法写进了话术库", None)


# What can be reached, each by its place: of radio buttons the browser stops at one of a group, the chosen or else the first.
_CAN_BE_REACHED = """
() => {
  const stops = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")];
  stops.forEach((stop, at) => stop.dataset.at = at);
  const stands_for_its_group = (radio) => {
    const group = stops.filter((stop) => stop.type === "radio" && stop.name === radio.name);
    return (group.find((each) => each.checked) ?? group[0]) === radio;
  };
  return stops.filter((stop) => stop.checkVisibility() && (stop.type !== "radio" || stands_for_its_group(stop)))
    .map((stop) => stop.dataset.at);
}
"""
_REACHED = """
() => {
  const here = document.activeElement, bar = document.querySelector("nav");
  const covered = !bar.contains(here) && here.getBoundingClientRect().bottom > bar.getBoundingClientRect().top + 1;
  return {at: here.dataset.at ?? "none", what: here.outerHTML.slice(0, 80), covered};
}
"""
OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, served: Served) -> Iterator[OpenPage]:
    """Comes in by a link and stands on the page. What the page's rules of content forbid fails the test."""
    contexts, wrong = [], list[str]()

    def open_it(key: str, path: str, colours: Literal["light", "dark"] = "light") -> Page:
        context = browser.new_context(viewport=SMALL, has_touch=True, color_scheme=colours, java_script_enabled=True, locale="zh-CN")
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: wrong.append(line.text) if "Failed to load" not in line.text else None)
        page.goto(served.link(key, path))
        page.get_by_role("button", name="打开我的页面").click()
        expect(page.locator("nav")).to_be_visible()
        page.wait_for_load_state()  # its style sheet too: what lies where is asked of the script
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert wrong == []


LOOKS = {
    "me": ("E010", "/me", "写给别人的"),
    "open": ("E011", "/open", "等了"),
    "open-empty": ("E013", "/open", "都回应过了"),
    "record": ("E011", "/records/1", "想说一句"),
    "record-answered": ("E010", "/records/2", "话术库"),
    "record-long": ("E012", "/records/3", "先问了退货时效"),
    "team": ("E010", "/team", "没提到的人"),
    "team-hrbp": ("E003", "/team", "你负责的人"),
    "write": ("E010", "/write", "写给谁"),
    "me-empty": ("E014", "/me", "还没有人给你写反馈"),
    "no-team": ("E014", "/team", "带团队"),
    "preferences": ("E010", "/preferences", "免打扰时间"),
    "desk": ("E003", "/desk", "平台额度"),
    "week": ("E011", "/week/{week}", "群里的周报"),
    "week-empty": ("E014", "/week/{week}", "最后一个工作日下班前"),
    "no-record": ("E014", "/records/1", "没有这条记录"),
}


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", LOOKS)
def test_a_page_can_be_read_and_touched_on_a_phone(open_page: OpenPage, name: str, colours: Literal["light", "dark"]) -> None:
    key, path, words = LOOKS[name]

    page = open_page(key, path.format(week=week_of(utc_now())), colours)

    expect(page.get_by_text(words).first).to_be_visible()
    assert complaints(page) == []
    _keep(page, name, colours)


@pytest.mark.parametrize("name", ["open", "record", "write", "preferences", "desk", "week"])
def test_the_tab_key_reaches_everything_in_order_and_the_bar_covers_none_of_it(open_page: OpenPage, name: str) -> None:
    key, path, _ = LOOKS[name]
    page = open_page(key, path.format(week=week_of(utc_now())))
    wanted: list[str] = page.evaluate(_CAN_BE_REACHED)

    reached, covered = list[str](), list[str]()
    while len(reached) < len(wanted):
        page.keyboard.press("Tab")
        told = page.evaluate(_REACHED)
        covered += [told["what"]] if told["covered"] else []
        if reached[-1:] != [told["at"]]:  # a field for a time has several stops of its own
            reached.append(told["at"])

    assert reached == wanted
    assert covered == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_pages_before_the_login_can_be_read_and_touched(
    browser: Browser, served: Served, colours: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport=SMALL, color_scheme=colours)

    for name, url in (("enter", served.link("E011", "/me")), ("login", f"{served.url}/login"), ("link-used", f"{served.url}/in/x")):
        page.goto(url)
        assert complaints(page) == []
        _keep(page, name, colours)
    page.close()


def test_what_is_missing_stands_next_to_its_field_and_is_read_with_it(open_page: OpenPage) -> None:
    page = open_page("E010", "/write")
    page.get_by_label("动作").fill("态度不认真")

    page.get_by_role("button", name="发出").click()

    expect(page.get_by_role("alert")).to_contain_text("补上红字的地方")
    field = page.get_by_label("动作")
    expect(field).to_have_value("态度不认真")
    expect(field).to_have_attribute("aria-invalid", "true")
    described = page.locator(f"#{field.get_attribute('aria-describedby')}")
    expect(described).to_contain_text("当时做了什么？")
    assert complaints(page) == []
    _keep(page, "write-lacking", "light")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_what_the_gate_turns_back_is_kept_as_a_note_with_the_keyboard(
    open_page: OpenPage, served: Served, colours: Literal["light", "dark"]
) -> None:
    page = open_page("E010", "/write", colours)
    page.get_by_label("写给谁").select_option(label="刘洋（客服二部 客服专员）")
    page.get_by_label("改进").check()
    page.get_by_label("动作").fill("态度不认真")
    page.get_by_label("动作").press("Tab")
    page.get_by_role("button", name="发出").press("Enter")
    assert complaints(page) == []
    page.get_by_role("button", name="仍要记下").scroll_into_view_if_needed()
    _keep(page, "write-keep", colours)

    page.get_by_role("button", name="发出").press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("记下了")
    expect(page.get_by_text("备注，只有你看得到")).to_be_visible()
    assert complaints(page) == []
    _keep(page, "note", colours)
    page.get_by_role("link", name="我的一周").click()
    expect(page.get_by_text("关于刘洋")).to_be_visible()
    assert complaints(page) == []
    with served.app.store.read() as tx:
        assert tx.feedback.get(4).state is State.NOTE


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_week_with_figures_can_be_read_and_touched(
    browser: Browser, sqlite_url: str, tmp_path: Path, colours: Literal["light", "dark"]
) -> None:
    store = Store(sqlite_url)
    company = ledger.a_company_with_rates(store, tmp_path)
    ledger.told(company, "少寄回 23 次退货")
    ledger.ticked(company)
    ledger.friday(company)
    inside, path = ledger.browser(company, "E011"), f"/week/{ledger.W38}"
    page = browser.new_page(viewport=SMALL, color_scheme=colours)

    before = inside.get(path).text
    inside.submit(path, f"{path}/contest", entry="1")
    contested = inside.get(f"{path}?done=1").text
    wrong = [*_judged(page, before), *_judged(page, contested)]

    page.close()
    store.close()
    assert "¥1,840" in before
    assert contested != before
    assert wrong == []


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_card_that_asks_for_something_can_be_read_and_touched_as_a_page(
    browser: Browser, colours: Literal["light", "dark"]
) -> None:
    page, found = browser.new_page(viewport=SMALL, color_scheme=colours), dict[str, list[str]]()

    for name, example in EXAMPLES.items():
        card = compose(example.template(), example.data())
        if card.interactive:
            html = PAGES.get_template("card.html").render(card=card, post_url="/c/t0ken", nonce="0f3a", whole="查看全部")
            found[name] = _judged(page, html)

    page.close()
    assert len(found) > 10
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_feedback_is_written_with_the_keyboard_alone(open_page: OpenPage, served: Served) -> None:
    page = open_page("E010", "/write")
    page.get_by_label("写给谁").focus()

    page.keyboard.type("新")  # nobody of his: the choice stays
    page.get_by_label("写给谁").select_option(label="刘洋（客服二部 客服专员）")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_label("场景").focus()
    for text in ("上午那通退货来电", "先核对订单再答复退款时间", "客户撤回了投诉"):
        page.keyboard.insert_text(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("已经发出")
    with served.app.store.read() as tx:
        assert tx.feedback.get(4).subject == served.people["E012"].id


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_an_author_takes_back_what_he_gave_in_two_taps_and_all_three_forms_can_be_read(
    open_page: OpenPage, served: Served, colours: Literal["light", "dark"]
) -> None:
    page = open_page("E010", "/records/1", colours)
    for title in ("改内容", "撤回这条", "补充一句"):
        page.get_by_text(title, exact=True).click()
    assert complaints(page) == []
    _keep(page, "record-author", colours)

    page.get_by_role("button", name="确认撤回").click()

    expect(page.get_by_role("status")).to_contain_text("撤回了")
    assert complaints(page) == []
    with served.app.store.read() as tx:
        assert tx.feedback.get(1).state is State.WITHDRAWN


def test_an_answer_is_one_tap_on_the_list(open_page: OpenPage, served: Served) -> None:
    page = open_page("E011", "/open")

    page.get_by_role("button", name="收到").click()

    expect(page.get_by_role("status")).to_contain_text("已经告诉对方了")
    expect(page.get_by_text("都回应过了")).to_be_visible()
    with served.app.store.read() as tx:
        assert tx.feedback.get(1).state is State.ACKNOWLEDGED


def test_the_first_view_weighs_little_and_runs_no_script(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport=SMALL, java_script_enabled=False)
    page = context.new_page()
    page.goto(served.link("E010", "/team"))
    sizes: list[int] = []
    page.on(
        "requestfinished",
        lambda request: sizes.append(sum(request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))),
    )

    page.get_by_role("button", name="打开我的页面").click()
    expect(page.get_by_text("没提到的人")).to_be_visible()

    context.close()
    assert 0 < sum(sizes) <= MOST_BYTES


def _judged(page: Page, html: str) -> list[str]:
    """What is wrong with a page that was drawn without a server."""
    style = (WEB / "static" / "sanmiao.css").read_text("utf-8")
    page.set_content(html.replace("</head>", f"<style>{style}</style></head>"))
    return complaints(page)


def _keep(page: Page, name: str, colours: str) -> None:
    """What is in the window: the bar of links stands where the eye sees it."""
    if SHOTS:
        name = f"page-{name}{'-dark' if colours == 'dark' else ''}"
        page.screenshot(path=Path(SHOTS) / f"{name}.png")
        page.set_viewport_size(LARGE)
        page.screenshot(path=Path(SHOTS) / f"{name}-1280.png")
        page.set_viewport_size(SMALL)
