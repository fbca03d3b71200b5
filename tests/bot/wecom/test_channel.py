from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.channel import Changes, Failure, Letter, SendFailed
from bot.wecom.api import WeComApi
from bot.wecom.channel import WeComChannel
from cards.layout import Button, Card, Check, Line
from rules.events import Account, Platform
from rules.messages import GroupChat
from tests.bot.server import Server, as_json, serving

CARD_ID = "0123456789abcdef0123456789abcdef"
LI_SI = Account(Platform.WECOM, "Li.Si")
BOXES = Card("今日复盘", "今日复盘", checks=(Check("a", "开场白完整"), Check("b", "促单及时")), submit=Button("提交", "give"))
BUTTONS = Card("反馈", "反馈", lines=(Line("话术漏了促单"),), buttons=(Button("收到", "acknowledged"),))
TEXT = Card("没看懂", "没看懂", lines=(Line("可以这样写"),))


@pytest.fixture
def platform() -> Iterator[Server]:
    token = as_json({"errcode": 0, "access_token": "T", "expires_in": 7200})
    with serving({"/cgi-bin/gettoken": lambda asked: token}) as server:
        yield server


@pytest.fixture
def channel(platform: Server) -> WeComChannel:
    return WeComChannel(WeComApi("ww1", "secret", platform.url), 1000002)


@pytest.mark.parametrize(("card", "kind"), [(BOXES, "vote_interaction"), (BUTTONS, "button_interaction")])
def test_a_card_that_can_be_pressed_goes_out_as_a_template_card(channel: WeComChannel, card: Card, kind: str) -> None:
    payload = channel.render(Letter(CARD_ID, LI_SI), card)

    assert (payload["call"], payload["repeatable"]) == ("message/send", True)
    body = payload["body"]
    assert (body["touser"], body["agentid"], body["enable_duplicate_check"]) == ("Li.Si", 1000002, 1)
    assert (body["template_card"]["task_id"], body["template_card"]["card_type"]) == (CARD_ID, kind)


def test_a_plain_card_goes_out_as_a_text_that_may_be_repeated(channel: WeComChannel) -> None:
    payload = channel.render(Letter(CARD_ID, LI_SI), TEXT)

    assert (payload["call"], payload["body"]["msgtype"], payload["repeatable"]) == ("message/send", "text", True)


def test_a_group_message_must_not_be_repeated(channel: WeComChannel) -> None:
    payload = channel.render(Letter(CARD_ID, GroupChat("wecom", "CHAT9")), TEXT)

    assert (payload["call"], payload["body"]["chatid"], payload["repeatable"]) == ("appchat/send", "CHAT9", False)


def test_a_change_spends_the_response_code(channel: WeComChannel) -> None:
    payload = channel.render(Letter(CARD_ID, LI_SI, changes=True, handle="RC-1"), BUTTONS)

    assert payload["call"] == "message/update_template_card"
    assert (payload["body"]["response_code"], payload["body"]["userids"]) == ("RC-1", ["Li.Si"])
    assert channel.changes is Changes.BY_HANDLE


def test_a_change_that_wecom_cannot_make_is_not_drawn(channel: WeComChannel) -> None:
    with pytest.raises(ValueError, match="response code"):
        channel.render(Letter(CARD_ID, LI_SI, changes=True), BUTTONS)
    with pytest.raises(ValueError, match="group"):
        channel.render(Letter(CARD_ID, GroupChat("wecom", "CHAT9"), changes=True, handle="RC-1"), TEXT)


def test_the_receipt_has_the_code_for_the_next_change(platform: Server, channel: WeComChannel) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json(
        {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "MSG-1", "response_code": "RC-1"}
    )

    receipt = channel.deliver(channel.render(Letter(CARD_ID, LI_SI), BOXES))

    assert (receipt.message_id, receipt.handle) == ("MSG-1", "RC-1")


def test_a_text_and_a_group_message_leave_no_handle(platform: Server, channel: WeComChannel) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0, "msgid": "MSG-1"})
    platform.answers["/cgi-bin/appchat/send"] = lambda asked: as_json({"errcode": 0, "errmsg": "ok"})

    text = channel.deliver(channel.render(Letter(CARD_ID, LI_SI), TEXT))
    group = channel.deliver(channel.render(Letter(CARD_ID, GroupChat("wecom", "CHAT9")), TEXT))

    assert (text.message_id, text.handle) == ("MSG-1", None)
    assert (group.message_id, group.handle) == ("", None)


@pytest.mark.parametrize("invalid", ["li.si", "wang.wu|li.si", ["li.si"], "LI.SI"])
def test_ok_with_our_recipient_among_the_invalid_is_a_refusal(platform: Server, channel: WeComChannel, invalid: object) -> None:
    platform.answers["/cgi-bin/message/send"] = lambda asked: as_json({"errcode": 0, "invaliduser": invalid, "msgid": "MSG-1"})
    platform.answers["/cgi-bin/message/update_template_card"] = lambda asked: as_json({"errcode": 0, "invaliduser": invalid})

    for letter in (Letter(CARD_ID, LI_SI), Letter(CARD_ID, LI_SI, changes=True, handle="RC-1")):
        with pytest.raises(SendFailed) as failure:
            channel.deliver(channel.render(letter, BOXES))
        assert (failure.value.kind, failure.value.code) == (Failure.REFUSED, "invaliduser")


def test_a_spent_code_is_told_apart_from_a_refusal(platform: Server, channel: WeComChannel) -> None:
    platform.answers["/cgi-bin/message/update_template_card"] = lambda asked: as_json(
        {"errcode": 60140, "errmsg": "invalid response_code"}
    )

    with pytest.raises(SendFailed) as failure:
        channel.deliver(channel.render(Letter(CARD_ID, LI_SI, changes=True, handle="RC-1"), BOXES))

    assert (failure.value.kind, failure.value.code) == (Failure.SPENT, "60140")
