from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.channel import Changes, Failure, Letter, SendFailed
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.channel import DingTalkChannel
from cards.layout import Button, Card, Check, Line
from rules.events import Account, Platform
from rules.messages import GroupChat
from tests.bot.server import Server, as_json, serving

CARD_ID = "0123456789abcdef0123456789abcdef"
EMP = Account(Platform.DINGTALK, "emp007")
GROUP = GroupChat("dingtalk", "cidDEMO1==")
BOXES = Card("今日复盘", "今日复盘", checks=(Check("a", "开场白完整"), Check("b", "促单及时")), submit=Button("提交", "give"))
TEXT = Card("没看懂", "没看懂", lines=(Line("可以这样写"),))
PRIVATE, CREATE = "/v1.0/robot/oToMessages/batchSend", "/v1.0/card/instances/createAndDeliver"


@pytest.fixture
def platform() -> Iterator[Server]:
    with serving({"/v1.0/oauth2/accessToken": lambda asked: as_json({"accessToken": "T", "expireIn": 7200})}) as server:
        yield server


def channel_to(platform: Server, template_id: str | None = "0000-demo.schema") -> DingTalkChannel:
    return DingTalkChannel(DingTalkApi("dingdemoapp", "secret", platform.url, platform.url), "dingdemoapp", template_id)


@pytest.fixture
def channel(platform: Server) -> DingTalkChannel:
    return channel_to(platform)


def delivered(**changed: Any) -> dict[str, Any]:
    space = {"spaceType": "IM_ROBOT", "spaceId": "emp007", "success": True, "carrierId": "pqk-1", "errorMsg": "", **changed}
    return {"success": True, "result": {"outTrackId": CARD_ID, "deliverResults": [space]}}


def failure_of(channel: DingTalkChannel, payload: Any) -> SendFailed:
    with pytest.raises(SendFailed) as failure:
        channel.deliver(payload)
    return failure.value


def test_a_card_that_can_be_pressed_is_created_under_our_id(platform: Server, channel: DingTalkChannel) -> None:
    platform.answers[CREATE] = lambda asked: as_json(delivered())
    payload = channel.render(Letter(CARD_ID, EMP), BOXES)

    receipt = channel.deliver(payload)

    body = platform.requests_to(CREATE)[0].json
    assert (body["outTrackId"], body["cardTemplateId"], body["openSpaceId"]) == (
        CARD_ID,
        "0000-demo.schema",
        "dtv1.card//IM_ROBOT.emp007",
    )
    assert (body["callbackType"], body["imRobotOpenDeliverModel"]["robotCode"]) == ("STREAM", "dingdemoapp")
    assert payload["repeatable"] is True
    assert (receipt.message_id, receipt.handle) == ("pqk-1", CARD_ID)


def test_a_card_that_exists_already_was_sent_by_an_earlier_try(platform: Server, channel: DingTalkChannel) -> None:
    platform.answers[CREATE] = lambda asked: as_json({"code": "param.cardAlreadyExist", "message": "exists"}, 400)

    receipt = channel.deliver(channel.render(Letter(CARD_ID, EMP), BOXES))

    assert (receipt.message_id, receipt.handle) == ("", CARD_ID)


@pytest.mark.parametrize(
    "answer",
    [
        delivered(success=False, carrierId="", errorMsg="spaceId is illegal"),
        {"success": True, "result": {"outTrackId": CARD_ID, "deliverResults": []}},
        {"success": True, "result": None},
        {"success": False},
    ],
)
def test_a_card_that_was_created_but_lies_in_no_chat_was_not_sent(
    platform: Server, channel: DingTalkChannel, answer: dict[str, Any]
) -> None:
    platform.answers[CREATE] = lambda asked: as_json(answer)

    failure = failure_of(channel, channel.render(Letter(CARD_ID, EMP), BOXES))

    assert (failure.kind, failure.code) == (Failure.REFUSED, "not_delivered")


def test_a_change_leaves_the_variables_alone_that_it_does_not_name(platform: Server, channel: DingTalkChannel) -> None:
    platform.answers["/v1.0/card/instances"] = lambda asked: as_json({"success": True, "result": True})
    payload = channel.render(Letter(CARD_ID, EMP, changes=True), BOXES)

    receipt = channel.deliver(payload)

    asked = platform.requests_to("/v1.0/card/instances")[0]
    assert (asked.method, asked.json["outTrackId"]) == ("PUT", CARD_ID)
    assert asked.json["cardUpdateOptions"]["updateCardDataByKey"] is True
    assert (payload["repeatable"], receipt.handle, channel.changes) == (True, CARD_ID, Changes.BY_CARD)


def test_a_change_of_a_card_that_does_not_exist_is_a_refusal(platform: Server, channel: DingTalkChannel) -> None:
    platform.answers["/v1.0/card/instances"] = lambda asked: as_json({"code": "param.cardNotExist", "message": "?"}, 400)

    failure = failure_of(channel, channel.render(Letter(CARD_ID, EMP, changes=True), BOXES))

    assert (failure.kind, failure.code) == (Failure.REFUSED, "param.cardNotExist")


def test_a_plain_card_is_a_text_that_must_not_be_repeated(platform: Server, channel: DingTalkChannel) -> None:
    platform.answers[PRIVATE] = lambda asked: as_json(
        {"processQueryKey": "pqk", "invalidStaffIdList": [], "flowControlledStaffIdList": []}
    )
    payload = channel.render(Letter(CARD_ID, EMP), TEXT)

    receipt = channel.deliver(payload)

    body = platform.requests_to(PRIVATE)[0].json
    assert (body["robotCode"], body["userIds"], body["msgKey"]) == ("dingdemoapp", ["emp007"], "sampleText")
    assert isinstance(json.loads(body["msgParam"])["content"], str)
    assert (payload["repeatable"], receipt.message_id, receipt.handle) == (False, "pqk", None)


def test_a_group_gets_text(platform: Server, channel: DingTalkChannel) -> None:
    platform.answers["/v1.0/robot/groupMessages/send"] = lambda asked: as_json({"processQueryKey": "pqk"})
    payload = channel.render(Letter(CARD_ID, GROUP), TEXT)

    assert channel.deliver(payload).message_id == "pqk"
    assert platform.requests_to("/v1.0/robot/groupMessages/send")[0].json["openConversationId"] == "cidDEMO1=="
    assert payload["repeatable"] is False


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"processQueryKey": "pqk", "invalidStaffIdList": ["emp007"]}, Failure.REFUSED, "invalidStaffIdList"),
        ({"processQueryKey": "pqk", "filteredStaffIdList": ["emp007"]}, Failure.REFUSED, "filteredStaffIdList"),
        ({"processQueryKey": "pqk", "flowControlledStaffIdList": ["emp007"]}, Failure.TEMPORARY, "flow_controlled"),
    ],
)
def test_success_with_our_recipient_among_those_left_out_is_a_failure(
    platform: Server, channel: DingTalkChannel, answer: dict[str, Any], kind: Failure, code: str
) -> None:
    platform.answers[PRIVATE] = lambda asked: as_json(answer)

    failure = failure_of(channel, channel.render(Letter(CARD_ID, EMP), TEXT))

    assert (failure.kind, failure.code) == (kind, code)


def test_without_a_template_a_card_becomes_a_link_to_its_page(platform: Server) -> None:
    channel = channel_to(platform, template_id=None)

    payload = channel.render(Letter(CARD_ID, EMP, page_url="https://bot.example.com/c/1"), BOXES)

    assert (payload["call"], payload["body"]["msgKey"], payload["repeatable"]) == (PRIVATE, "sampleActionCard", False)
    assert json.loads(payload["body"]["msgParam"])["singleURL"] == "https://bot.example.com/c/1"
    assert channel.changes is Changes.NEVER


def test_what_cannot_be_drawn_is_said(platform: Server, channel: DingTalkChannel) -> None:
    with pytest.raises(ValueError, match="page"):
        channel_to(platform, template_id=None).render(Letter(CARD_ID, EMP), BOXES)
    with pytest.raises(ValueError, match="cannot be changed"):
        channel_to(platform, template_id=None).render(Letter(CARD_ID, EMP, changes=True), BOXES)
    with pytest.raises(ValueError, match="cannot be changed"):
        channel.render(Letter(CARD_ID, GROUP, changes=True), BOXES)
