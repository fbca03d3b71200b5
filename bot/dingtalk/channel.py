"""DingTalk's way out: interactive cards and texts to people, changes of cards, texts to groups.

Source: DingTalk open platform, "create-and-deliver-cards", "robot-message-type"; platform notes dingtalk.md §7 and §8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.channel import Changes, Failure, Letter, Receipt, SendFailed
from bot.dingtalk.api import Answer, DingTalkApi
from cards import dingtalk as drawing
from cards.layout import Card
from rules.events import Platform
from rules.messages import GroupChat

_CARD = "/v1.0/card/instances/createAndDeliver"
_CHANGE = "/v1.0/card/instances"
_PRIVATE = "/v1.0/robot/oToMessages/batchSend"
_GROUP = "/v1.0/robot/groupMessages/send"

_EXISTS = "param.cardAlreadyExist"
_FLOW_CONTROL_SECONDS = 60.0


class DingTalkChannel:
    """One app and its robot. Without `template_id` what can be pressed is sent as a link to its page, and cannot be changed afterwards.

    With `route_key` presses come by HTTP (`register_presses`), without by stream. Implements `bot.channel.Channel`.
    """

    platform = Platform.DINGTALK

    def __init__(self, api: DingTalkApi, robot_code: str, template_id: str | None = None, route_key: str | None = None) -> None:
        self._api = api
        self._route_key = route_key
        self._robot_code = robot_code
        self._template_id = template_id
        self.changes = Changes.BY_CARD if template_id else Changes.NEVER

    def render(self, letter: Letter, card: Card) -> Mapping[str, Any]:
        """Draw the request. Raises ValueError for a change that cannot be made, and for a link card without its page."""
        robot = self._robot_code
        if letter.changes:
            if self.changes is Changes.NEVER or isinstance(letter.to, GroupChat):
                raise ValueError("a DingTalk message that is no card cannot be changed")
            return _payload("put", _CHANGE, drawing.update(card, letter.card_id), repeatable=True)
        if isinstance(letter.to, GroupChat):
            body = drawing.group_text(card, chat_id=letter.to.chat_id, robot_code=robot)
            return _payload("post", _GROUP, body, repeatable=False)
        user_id = letter.to.user_id
        if not card.interactive or (card.closed and not self._template_id):
            return _payload("post", _PRIVATE, drawing.text(card, user_id=user_id, robot_code=robot), repeatable=False)
        if self._template_id:
            body = drawing.delivery(
                card,
                user_id=user_id,
                robot_code=robot,
                template_id=self._template_id,
                card_id=letter.card_id,
                route_key=self._route_key,
            )
            return _payload("post", _CARD, body, repeatable=True)
        if letter.page_url is None:
            raise ValueError("without a card template a DingTalk card needs its page")
        body = drawing.action_card(card, letter.page_url, user_id=user_id, robot_code=robot)
        return _payload("post", _PRIVATE, body, repeatable=False)

    def deliver(self, payload: Mapping[str, Any]) -> Receipt:
        """Make the request. Raises SendFailed, also where DingTalk answers 200 and names the recipient among those left out."""
        body = payload["body"]
        try:
            answer = self._api.call(payload["method"], payload["call"], body=body)
        except SendFailed as failure:
            if payload["call"] == _CARD and failure.code == _EXISTS:
                return Receipt(message_id="", handle=body["outTrackId"])  # an earlier try arrived; its answer was lost
            raise
        return _receipt(payload["call"], body, answer)


def register_presses(api: DingTalkApi, route_key: str, url: str, secret: str) -> None:
    """Tell DingTalk where presses of cards with this route key go, signed with `secret`. Saying it again changes nothing.
    Raises SendFailed. Source: dingtalk.md §5.3."""
    body = {"callbackRouteKey": route_key, "callbackUrl": url, "apiSecret": secret, "forceUpdate": True}
    api.call("post", "/v1.0/card/callbacks/register", body=body)


def _payload(method: str, call: str, body: Mapping[str, Any], *, repeatable: bool) -> Mapping[str, Any]:
    return {"method": method, "call": call, "body": body, "repeatable": repeatable}


def _receipt(call: str, body: Mapping[str, Any], answer: Answer) -> Receipt:
    if call == _CARD:
        return _delivered(body, answer)
    if call == _CHANGE:
        if not answer.get("success"):
            raise SendFailed(Failure.REFUSED, "not_changed", "the card was not changed")
        return Receipt(message_id="", handle=body["outTrackId"])
    _check_lists(answer)
    return Receipt(message_id=str(answer.get("processQueryKey") or ""))


def _delivered(body: Mapping[str, Any], answer: Answer) -> Receipt:
    """The card exists, but whether it lies in the chat stands in each space's own result."""
    result = answer.get("result")
    spaces = result.get("deliverResults") if isinstance(result, dict) else None
    if not answer.get("success") or not spaces or not all(space.get("success") for space in spaces):
        raise SendFailed(
            Failure.REFUSED, "not_delivered", "the card was created but not delivered: unknown user, or no access to the robot"
        )
    return Receipt(message_id=str(spaces[0].get("carrierId") or ""), handle=body["outTrackId"])


def _check_lists(answer: Answer) -> None:
    """A message goes to one recipient, so a list with anybody in it means that nobody got it."""
    if answer.get("flowControlledStaffIdList"):
        raise SendFailed(Failure.TEMPORARY, "flow_controlled", "too many messages to this person", _FLOW_CONTROL_SECONDS)
    for name in ("invalidStaffIdList", "filteredStaffIdList"):
        if answer.get(name):
            raise SendFailed(Failure.REFUSED, name, "the user is unknown, or outside the robot's visible range")
