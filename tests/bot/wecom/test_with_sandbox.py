"""Both readings of WeCom's pages meet here: ours, and the sandbox's."""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from PIL import Image

from bot.channel import Failure, Letter, SendFailed
from bot.wecom.api import WeComApi
from bot.wecom.channel import WeComChannel
from bot.wecom.crypto import Keys
from bot.wecom.directory import fetch
from bot.wecom.media import WeComMedia
from bot.wecom.webhook import blueprint
from cards.layout import Button, Card, Check, Line, Picture
from cards.picture import draw
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform, UnknownEvent
from tests.bot.sandbox import Sandbox
from tests.bot.server import serving_application
from tests.cards.digests import BRIEFS

WANG = Account(Platform.WECOM, "wang.min")
CHAT = "private-wecom-E1"
BOXES = Card("今日复盘", "今日复盘", checks=(Check("a", "开场白完整"), Check("b", "促单及时")), submit=Button("提交", "give"))
DONE = Card("今日复盘", "今日复盘", checks=(Check("a", "开场白完整", ticked=True),), submit=Button("已提交", "give"), closed=True)
BUTTONS = Card("反馈", "反馈", lines=(Line("话术漏了促单"),), buttons=(Button("收到", "acknowledged"), Button("有异议", "disputed")))
TEXT = Card("没看懂", "没看懂", lines=(Line("可以这样写"),))


@dataclass
class Bot:
    """The edge of the bot towards WeCom, with nothing behind it: events are kept, letters are sent."""

    channel: WeComChannel
    api: WeComApi
    events: list[Event] = field(default_factory=list)

    def send(self, card: Card, to: Account = WANG) -> tuple[str, str | None]:
        """(card id, handle)."""
        card_id = uuid.uuid4().hex
        receipt = self.channel.deliver(self.channel.render(Letter(card_id, to), card))
        return card_id, receipt.handle

    def change(self, card_id: str, handle: str | None, card: Card) -> None:
        self.channel.deliver(self.channel.render(Letter(card_id, WANG, changes=True, handle=handle), card))


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Bot]:
    api = WeComApi("ww00000000000000a1", "wecom-app-secret", sandbox.url, timeout=(1, 2))
    bot = Bot(WeComChannel(api, 1000002), api)
    app = Flask(__name__)
    keys = Keys("ww00000000000000a1", "sandboxToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
    app.register_blueprint(blueprint(keys, lambda event, raw: bot.events.append(event)))
    with serving_application(app) as url:
        sandbox.ask("PUT", "wecom/callback", {"url": f"{url}/wecom/callback"})
        yield bot
        sandbox.ask("PUT", "wecom/callback", {"url": None})


def picture() -> str:
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def test_what_people_write_and_show_arrives(sandbox: Sandbox, bot: Bot) -> None:
    assert sandbox.say(CHAT, "E1", text=" 小李今天促单很及时 ")["status"] == 200
    assert sandbox.say(CHAT, "E1", picture=picture())["status"] == 200

    text, shown = bot.events
    assert isinstance(text, ChatMessage)
    assert (text.by, text.text, text.media) == (WANG, "小李今天促单很及时", None)
    assert isinstance(shown, ChatMessage)
    assert shown.text == ""
    assert shown.media


def test_boxes_are_ticked_submitted_and_turn_into_their_done_state(sandbox: Sandbox, bot: Bot) -> None:
    card_id, _ = bot.send(BOXES)

    assert sandbox.tap(card_id, "wecom", "E1", submit=True, ticked=["a", "b"])["outcome"]["delivered"]
    action = bot.events[-1]
    assert isinstance(action, CardAction)
    assert (action.by, action.card_id, action.action, action.ticks) == (WANG, card_id, "give", ("a", "b"))
    bot.change(card_id, action.handle, DONE)

    card = sandbox.card(card_id, "wecom", "E1")
    assert (card["tappable"], card["checkboxes"]["disabled"]) == (False, True)


def test_a_button_is_pressed_and_nothing_ticked_is_an_empty_submit(sandbox: Sandbox, bot: Bot) -> None:
    buttons, _ = bot.send(BUTTONS)
    boxes, _ = bot.send(BOXES)

    sandbox.tap(buttons, "wecom", "E1", button="disputed")
    sandbox.tap(boxes, "wecom", "E1", submit=True, ticked=[])

    pressed, submitted = bot.events
    assert isinstance(pressed, CardAction)
    assert (pressed.action, pressed.ticks) == ("disputed", ())
    assert isinstance(submitted, CardAction)
    assert (submitted.action, submitted.ticks) == ("give", ())


def test_a_press_delivered_three_times_is_one_event_and_two_presses_are_two(sandbox: Sandbox, bot: Bot) -> None:
    card_id, _ = bot.send(BUTTONS)
    sandbox.fault("wecom:callback", "duplicate_delivery", copies=3)

    sandbox.tap(card_id, "wecom", "E1", button="acknowledged")
    assert len(bot.events) == 3
    assert len({event.id for event in bot.events}) == 1
    sandbox.tap(card_id, "wecom", "E1", button="acknowledged", force=True)

    assert len({event.id for event in bot.events}) == 2


def test_a_code_changes_a_card_once(sandbox: Sandbox, bot: Bot) -> None:
    card_id, handle = bot.send(BUTTONS)
    assert handle
    bot.change(card_id, handle, TEXT)

    with pytest.raises(SendFailed) as failure:
        bot.change(card_id, handle, TEXT)

    assert (failure.value.kind, failure.value.code) == (Failure.SPENT, "60140")
    assert not sandbox.card(card_id, "wecom", "E1")["tappable"]


def test_the_same_letter_twice_is_seen_once(sandbox: Sandbox, bot: Bot) -> None:
    payload = bot.channel.render(Letter(uuid.uuid4().hex, WANG), BUTTONS)
    sandbox.fault("wecom:message/send", "timeout_after_effect", seconds=4)

    with pytest.raises(SendFailed) as failure:
        bot.channel.deliver(payload)
    bot.channel.deliver(payload)

    assert failure.value.kind is Failure.UNKNOWN
    assert len(sandbox.messages(CHAT, "E1")) == 1


@pytest.mark.parametrize("user_id", ["qian.jin", "nobody.here"])
def test_somebody_out_of_sight_is_a_refusal(bot: Bot, user_id: str) -> None:
    with pytest.raises(SendFailed) as failure:
        bot.send(TEXT, Account(Platform.WECOM, user_id))

    assert failure.value.kind is Failure.REFUSED


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("http_500", Failure.UNKNOWN),
        ("drop", Failure.UNKNOWN),
        ("malformed_json", Failure.UNKNOWN),
        ("html_page", Failure.TEMPORARY),
        ("errcode:-1", Failure.TEMPORARY),
        ("errcode:45009", Failure.TEMPORARY),
        ("errcode:60020", Failure.REFUSED),
    ],
)
def test_each_fault_of_the_platform_has_its_kind(sandbox: Sandbox, bot: Bot, fault: str, kind: Failure) -> None:
    bot.send(TEXT)
    sandbox.fault("wecom:message/send", fault)

    with pytest.raises(SendFailed) as failure:
        bot.send(TEXT)

    assert failure.value.kind is kind


def test_a_token_that_the_platform_takes_back_is_renewed_in_passing(sandbox: Sandbox, bot: Bot) -> None:
    bot.send(TEXT)
    sandbox.fault("wecom:message/send", "token_expired")

    bot.send(BUTTONS)

    assert len(sandbox.messages(CHAT, "E1")) == 2


@pytest.mark.parametrize(
    ("variant", "status"),
    [
        ("garbage", 400),
        ("oversized", 413),
        ("bad_signature", 401),
        ("wrong_receiver", 401),
        ("empty", 400),
        ("bad_padding", 400),
        ("malformed_xml", 400),
        ("wrong_method", 405),
    ],
)
def test_unusual_bodies_are_answered_and_nothing_is_handled(sandbox: Sandbox, bot: Bot, variant: str, status: int) -> None:
    assert sandbox.raw("wecom", variant)["status"] == status
    assert bot.events == []


@pytest.mark.parametrize("variant", ["unknown_event", "enter_agent", "subscribe", "menu_click"])
def test_events_we_do_not_act_on_are_taken_and_kept(sandbox: Sandbox, bot: Bot, variant: str) -> None:
    assert sandbox.raw("wecom", variant)["status"] == 200
    assert isinstance(bot.events[0], UnknownEvent)


def test_two_events_in_one_second_are_two(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.raw("wecom", "two_in_one_second")

    assert len({event.id for event in bot.events}) == 2


def test_the_directory_is_who_can_be_seen_and_changes_are_told(sandbox: Sandbox, bot: Bot) -> None:
    directory = fetch(bot.api)

    members = {member.user_id: member for member in directory.members}
    assert set(members) == {"zhou.lan", "wang.min", "Li.Lei"}
    assert [department.name for department in directory.departments.values()] == ["全公司", "客服部"]
    assert (members["wang.min"].leader, members["Li.Lei"].leader, members["Li.Lei"].position) == ("zhou.lan", "wang.min", "客服")
    sandbox.ask("PUT", "people/E2", {"left": True})
    change = bot.events[-1]
    assert isinstance(change, MemberChange)
    assert (change.user_ids, change.left) == (("Li.Lei",), True)
    assert "Li.Lei" not in {member.user_id for member in fetch(bot.api).members}


def test_a_picture_of_ours_is_put_in_and_shown_in_the_chat(sandbox: Sandbox, bot: Bot) -> None:
    handle = WeComMedia(bot.api).put(draw(BRIEFS[0]))

    bot.send(Card("上周", "上周", picture=Picture(f"wecom:{handle}", "上周你做成 3 件事")))

    message = sandbox.messages(CHAT, "E1")[-1]
    assert (message["kind"], message["content"]["media"]) == ("image", handle)


def test_a_picture_that_was_never_put_in_is_refused(bot: Bot) -> None:
    with pytest.raises(SendFailed) as refused:
        bot.send(Card("上周", "上周", picture=Picture("wecom:unknown", "上周")))

    assert (refused.value.kind, refused.value.code) == (Failure.REFUSED, "40007")


def test_what_is_no_picture_is_not_taken(bot: Bot) -> None:
    with pytest.raises(SendFailed) as refused:
        WeComMedia(bot.api).put(b"no picture at all")

    assert refused.value.kind is Failure.REFUSED
