"""Both readings of DingTalk's pages meet here: ours, and the sandbox's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask

from bot.channel import Changes, Failure, Letter, Receipt, SendFailed
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.channel import DingTalkChannel
from bot.dingtalk.directory import fetch
from bot.dingtalk.media import DingTalkMedia
from bot.dingtalk.stream import StreamService
from bot.dingtalk.webhook import blueprint
from bot.downloads import Downloader
from bot.envelope import Seal
from cards.layout import Button, Card, Check, Line, Picture
from cards.picture import draw
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform, UnknownEvent
from rules.messages import GroupChat
from tests.bot.sandbox import Sandbox
from tests.bot.server import serving_application
from tests.cards.digests import BRIEFS

WANG = Account(Platform.DINGTALK, "0101")
CHAT = "private-dingtalk-E1"
BOXES = Card("今日复盘", "今日复盘", checks=(Check("a", "开场白完整"), Check("b", "促单及时")), submit=Button("提交", "give"))
DONE = Card(
    "今日复盘",
    "今日复盘",
    checks=(Check("a", "开场白完整", ticked=True),),
    submit=Button("已提交", "give"),
    status="已提交",
    closed=True,
)
BUTTONS = Card("反馈", "反馈", lines=(Line("话术漏了促单"),), buttons=(Button("收到", "acknowledged"), Button("有异议", "disputed")))
TEXT = Card("没看懂", "没看懂", lines=(Line("可以这样写"),))
PATIENCE = 10.0
SEAL = Seal("eventToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", ("dingdemoapp",))


class Bot:
    """The edge of the bot towards DingTalk, with nothing behind it: events are kept, presses are answered with `answer`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.api = DingTalkApi("dingdemoapp", "demo-app-secret", sandbox.url, sandbox.url, timeout=(1, 2))
        self.channel = DingTalkChannel(self.api, "dingdemoapp", "0000-demo.schema")
        self.events: list[Event] = []
        self.answer: Card | None = None
        self.before: Callable[[], object] = lambda: None

    def handle(self, event: Event, raw: str) -> Card | None:
        self.before()
        self.events.append(event)
        return self.answer if isinstance(event, CardAction) else None

    def send(self, card: Card, to: Account | GroupChat = WANG, **letter: Any) -> tuple[str, Receipt]:
        """(card id, receipt)."""
        card_id = uuid.uuid4().hex
        return card_id, self.channel.deliver(self.channel.render(Letter(card_id, to, **letter), card))


@pytest.fixture
def bot(sandbox: Sandbox) -> Bot:
    return Bot(sandbox)


@pytest.fixture
def stream(sandbox: Sandbox, bot: Bot) -> Iterator[StreamService]:
    sandbox.ask("PUT", "dingtalk/callback", {"mode": "stream"})
    service = StreamService("dingdemoapp", "demo-app-secret", bot.handle, api_base=sandbox.url)
    service.start()
    until(lambda: sandbox.ask("GET", "dingtalk/connections")["connections"])
    yield service
    service.stop()
    until(lambda: not sandbox.ask("GET", "dingtalk/connections")["connections"])


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.usefixtures("stream")
def test_what_people_write_in_private_and_to_the_robot_in_a_group_arrives(sandbox: Sandbox, bot: Bot) -> None:
    assert sandbox.say(CHAT, "E1", text="小李今天促单很及时")["status"] == 200
    assert sandbox.say("group-g1", "E1", text="小李做得好", mention_bot=True)["status"] == 200

    private, group = bot.events
    assert isinstance(private, ChatMessage)
    assert (private.by, private.text, private.group) == (WANG, "小李今天促单很及时", None)
    assert isinstance(group, ChatMessage)
    assert (group.text, group.group) == ("小李做得好", "cidGroup+One/==")


@pytest.mark.usefixtures("stream")
def test_boxes_are_ticked_submitted_and_turn_into_their_done_state_at_once(sandbox: Sandbox, bot: Bot) -> None:
    bot.answer = DONE
    card_id, receipt = bot.send(BOXES)

    tapped = sandbox.tap(card_id, "dingtalk", "E1", submit=True, ticked=["a", "b"])

    assert (tapped["outcome"]["status"], tapped["outcome"]["changed"]) == (200, True)
    action = bot.events[0]
    assert isinstance(action, CardAction)
    assert (action.by, action.card_id, action.action, action.ticks) == (WANG, card_id, "give", ("a", "b"))
    assert not sandbox.card(card_id, "dingtalk", "E1")["tappable"]
    assert receipt.handle == card_id


@pytest.mark.usefixtures("stream")
def test_the_same_button_pressed_twice_is_two_events(sandbox: Sandbox, bot: Bot) -> None:
    card_id, _ = bot.send(BUTTONS)

    for _ in range(2):
        sandbox.tap(card_id, "dingtalk", "E1", button="disputed")

    assert [event.action for event in bot.events if isinstance(event, CardAction)] == ["disputed", "disputed"]
    assert len({event.id for event in bot.events}) == 2


@pytest.mark.usefixtures("stream")
def test_a_message_delivered_three_times_is_one_event(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.fault("dingtalk:stream", "duplicate_delivery", copies=3)

    sandbox.say(CHAT, "E1", text="小李今天促单很及时")

    until(lambda: len(bot.events) == 3)
    assert len({event.id for event in bot.events}) == 1


@pytest.mark.usefixtures("stream")
def test_a_press_that_failed_shows_as_failed_on_the_phone(sandbox: Sandbox, bot: Bot) -> None:
    card_id, _ = bot.send(BUTTONS)

    def break_down() -> None:
        raise RuntimeError("the database is away")

    bot.before = break_down
    outcome = sandbox.tap(card_id, "dingtalk", "E1", button="acknowledged")["outcome"]

    assert (outcome["status"], outcome["delivered"], outcome["changed"]) == (500, False, False)


def test_a_change_later_reaches_the_card_as_often_as_wanted(sandbox: Sandbox, bot: Bot) -> None:
    card_id, _ = bot.send(BUTTONS)

    for card in (BOXES, DONE):
        bot.channel.deliver(bot.channel.render(Letter(card_id, WANG, changes=True), card))

    assert not sandbox.card(card_id, "dingtalk", "E1")["tappable"]
    assert bot.channel.changes is Changes.BY_CARD


def test_the_same_card_twice_is_seen_once(sandbox: Sandbox, bot: Bot) -> None:
    payload = bot.channel.render(Letter(uuid.uuid4().hex, WANG), BUTTONS)
    bot.send(TEXT)
    sandbox.fault("dingtalk:POST /v1.0/card/instances/createAndDeliver", "timeout_after_effect", seconds=4)

    with pytest.raises(SendFailed) as failure:
        bot.channel.deliver(payload)
    bot.channel.deliver(payload)

    assert failure.value.kind is Failure.UNKNOWN
    assert len(sandbox.messages(CHAT, "E1")) == 2


def test_texts_reach_people_and_groups_and_a_card_without_template_becomes_a_link(sandbox: Sandbox, bot: Bot) -> None:
    bot.send(TEXT)
    bot.send(TEXT, GroupChat("dingtalk", "cidGroup+One/=="))
    bot.channel = DingTalkChannel(bot.api, "dingdemoapp")
    bot.send(BOXES, page_url="https://bot.example.com/c/1")

    assert [message["kind"] for message in sandbox.messages(CHAT, "E1")] == ["text", "action_card"]
    assert [message["kind"] for message in sandbox.messages("group-g1", "E1")] == ["text"]


@pytest.mark.parametrize("card", [TEXT, BUTTONS])
@pytest.mark.parametrize("user_id", ["0103", "nobody"])
def test_somebody_out_of_sight_is_a_refusal(bot: Bot, user_id: str, card: Card) -> None:
    with pytest.raises(SendFailed) as failure:
        bot.send(card, Account(Platform.DINGTALK, user_id))

    assert failure.value.kind is Failure.REFUSED


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("http_500", Failure.UNKNOWN),
        ("drop", Failure.UNKNOWN),
        ("malformed_json", Failure.UNKNOWN),
        ("html_page", Failure.TEMPORARY),
        ("code:Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", Failure.TEMPORARY),
        ("code:Forbidden.AccessDenied.ApiCountLimitForOrg", Failure.REFUSED),
        ("over_quota", Failure.REFUSED),
    ],
)
def test_each_fault_of_the_platform_has_its_kind(sandbox: Sandbox, bot: Bot, fault: str, kind: Failure) -> None:
    bot.send(BUTTONS)
    sandbox.fault("dingtalk:POST /v1.0/card/instances/createAndDeliver", fault)

    with pytest.raises(SendFailed) as failure:
        bot.send(BUTTONS)

    assert failure.value.kind is kind


def test_a_token_that_the_platform_takes_back_is_renewed_in_passing(sandbox: Sandbox, bot: Bot) -> None:
    bot.send(TEXT)
    sandbox.fault("dingtalk:POST /v1.0/robot/oToMessages/batchSend", "token_expired")

    bot.send(TEXT)

    assert len(sandbox.messages(CHAT, "E1")) == 2


@pytest.mark.parametrize("how", ["graceful", "cut"])
def test_a_lost_connection_comes_back_by_itself(sandbox: Sandbox, bot: Bot, stream: StreamService, how: str) -> None:
    before = sandbox.ask("GET", "dingtalk/connections")["connections"]

    sandbox.ask("DELETE", "dingtalk/connections", how=how)
    until(lambda: any(each not in before for each in sandbox.ask("GET", "dingtalk/connections")["connections"]))
    until(stream.alive)
    until(lambda: sandbox.say(CHAT, "E1", text="还在吗")["status"] == 200)

    assert isinstance(bot.events[-1], ChatMessage)


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize(
    ("variant", "kind"),
    [
        ("unknown_event", UnknownEvent),
        ("over_quota", UnknownEvent),
        ("missing_fields", UnknownEvent),
        ("empty", UnknownEvent),
        ("unknown_card", CardAction),
        ("value_instead_of_content", CardAction),
    ],
)
def test_unusual_frames_are_acknowledged(sandbox: Sandbox, bot: Bot, variant: str, kind: type[Event]) -> None:
    assert sandbox.raw("dingtalk", variant)["status"] == 200
    assert [type(event) for event in bot.events] == [kind]


@pytest.mark.usefixtures("stream")
def test_a_frame_that_is_no_json_ends_nothing(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.raw("dingtalk", "not_json")
    assert sandbox.raw("dingtalk", "garbage")["status"] == 400

    assert sandbox.say(CHAT, "E1", text="还在吗")["status"] == 200
    assert len(bot.events) == 1


@pytest.mark.usefixtures("stream")
def test_the_directory_is_who_can_be_seen_and_changes_are_told(sandbox: Sandbox, bot: Bot) -> None:
    directory = fetch(bot.api)

    members = {member.user_id: member for member in directory.members}
    assert set(members) >= {"0100", "0101", "0102"}
    assert (members["0101"].leader, members["0102"].leader, members["0102"].position) == ("0100", "0101", "客服")
    sandbox.ask("PUT", "people/E2", {"left": True})
    until(lambda: bot.events)
    change = bot.events[0]
    assert isinstance(change, MemberChange)
    assert (change.user_ids, change.left) == (("0102",), True)
    assert "0102" not in {member.user_id for member in fetch(bot.api).members}


@pytest.fixture
def over_http(sandbox: Sandbox, bot: Bot) -> Iterator[None]:
    def now() -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the sandbox runs at real time here

    app = Flask(__name__)
    app.register_blueprint(blueprint(bot.handle, now, client_secret="demo-app-secret", seal=SEAL))
    with serving_application(app) as url:
        setting = {"url": f"{url}/dingtalk/robot", "event_url": f"{url}/dingtalk/events"}
        keys = {"token": SEAL.token, "encoding_aes_key": SEAL.encoding_aes_key}
        sandbox.ask("PUT", "dingtalk/callback", {"mode": "http", **setting, **keys})
        yield
        sandbox.ask("PUT", "dingtalk/callback", {"mode": "stream"})


@pytest.mark.usefixtures("over_http")
def test_messages_and_events_come_over_http_as_well(sandbox: Sandbox, bot: Bot) -> None:
    assert sandbox.say(CHAT, "E1", text="小李今天促单很及时")["status"] == 200
    sandbox.ask("PUT", "people/E2", {"position": "组长"})

    said, changed = bot.events
    assert isinstance(said, ChatMessage)
    assert (said.by, said.text) == (WANG, "小李今天促单很及时")
    assert isinstance(changed, MemberChange)
    assert changed.user_ids == ("0102",)


@pytest.mark.usefixtures("over_http")
@pytest.mark.parametrize(
    ("variant", "status"), [("bad_signature", 401), ("stale_timestamp", 401), ("not_json", 400), ("garbage", 400), ("oversized", 413)]
)
def test_unusual_requests_are_answered_and_nothing_is_handled(sandbox: Sandbox, bot: Bot, variant: str, status: int) -> None:
    assert sandbox.raw("dingtalk", variant)["status"] == status
    assert bot.events == []


def test_a_picture_of_ours_is_put_in_and_stands_on_the_card(sandbox: Sandbox, bot: Bot) -> None:
    handle = DingTalkMedia(bot.api, "dingdemoapp", Downloader((), (1, 2))).put(draw(BRIEFS[0]))

    card_id, _ = bot.send(replace(BUTTONS, picture=Picture(f"dingtalk:{handle}", "上周你做成 3 件事")))

    assert f"![上周你做成 3 件事]({handle})" in sandbox.card(card_id, "dingtalk", "E1")["body_markdown"]
    assert requests.get(f"{sandbox.url}/sandbox/media/{handle.removeprefix('@')}", timeout=5).headers["Content-Type"] == "image/png"


def test_a_picture_that_was_never_put_in_is_refused(bot: Bot) -> None:
    with pytest.raises(SendFailed):
        bot.send(replace(BUTTONS, picture=Picture("dingtalk:@unknown", "上周")))
