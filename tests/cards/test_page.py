"""A card as a page: everything of the card is there, nothing that people type becomes markup, and a thumb and a keyboard can use it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cards.compose import compose
from cards.layout import Button, Card
from tests.cards.examples import EXAMPLES, HOSTILE, hostile

WEB = Path(__file__).parents[2] / "web"
PAGES = Environment(loader=FileSystemLoader(WEB / "templates"), autoescape=True, undefined=StrictUndefined)


class Page(HTMLParser):
    """Tags with their attributes, and the text that a person reads."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.source = PAGES.get_template("card.html").render(card=card, post_url="/c/t0ken", nonce="0f3a", whole="查看全部")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


def page_of(name: str) -> Page:
    return Page(compose(EXAMPLES[name].template(), EXAMPLES[name].data()))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_says_all_that_the_card_says(name: str) -> None:
    card = compose(EXAMPLES[name].template(), EXAMPLES[name].data())

    page = Page(card)

    said = [card.title, card.summary, *(line.text for line in card.lines), *(check.text for check in card.checks)]
    assert {text for text in (*said, card.status) if text} <= set(page.texts)


def test_boxes_are_labelled_and_post_their_ids_and_the_action() -> None:
    page = page_of("checkin_card")

    assert [box["value"] for box in page.all("input", type="checkbox", name="ticks")] == [
        "pushed_order",
        "sizes_answered",
        "missed_push",
        "wrong_stock",
    ]
    assert len(page.all("label")) == 4
    assert [button["value"] for button in page.all("button", name="action")] == ["give"]
    assert page.all("form", method="post", action="/c/t0ken")
    assert page.all("input", type="hidden", name="nonce", value="0f3a")


def test_buttons_post_their_actions() -> None:
    assert [button["value"] for button in page_of("feedback_card").all("button", name="action")] == [
        "acknowledged",
        "improved",
        "disputed",
    ]


def test_a_done_card_keeps_the_ticks_and_offers_nothing_to_press() -> None:
    page = page_of("checkin_done")

    assert [box["value"] for box in page.all("input", type="checkbox") if "checked" in box] == ["missed_push", "wrong_stock"]
    assert page.all("fieldset")[0].keys() >= {"disabled"}
    assert not page.all("button")
    assert page.all("p", role="status")


def test_why_a_press_was_refused_is_announced_above_the_boxes() -> None:
    page = page_of("checkin_card.nothing_ticked")

    assert page.all("p", role="alert")
    assert page.texts.index("还没勾呢，勾上你看到的再提交") < page.texts.index("讲完卖点马上促单")


def test_a_button_with_a_url_is_a_link() -> None:
    page = Page(Card("题", "卡", buttons=(Button("详情", url="https://x.example/1"),)))

    assert page.all("a", href="https://x.example/1")
    assert not page.all("button")


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", ["checkin_card", "checkin_done", "feedback_card", "who_card", "sorry_text"])
def test_nothing_that_people_type_becomes_markup(name: str, kind: str) -> None:
    card = hostile(EXAMPLES[name], HOSTILE[kind])

    page = Page(compose(card.template(), card.data()))

    assert [tag for tag, _ in page.tags] == [tag for tag, _ in page_of(name).tags]


def test_the_first_view_is_light_and_asks_nobody_else() -> None:
    page = page_of("feedback_card")

    style = (WEB / "static/sanmiao.css").read_text("utf-8")
    assert len(page.source.encode()) + len(style.encode()) < 60_000
    assert not page.all("script")
    assert "http" not in style
    assert page.all("meta", name="referrer", content="no-referrer")
