"""WeCom's way out: cards and texts to members, changes of cards, texts to group chats.

Source: WeCom developer centre, "发送应用消息" (90236), "更新模版卡片消息" (94888), "应用推送消息" to group chats (90248).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.channel import Changes, Failure, Letter, Receipt, SendFailed
from bot.wecom.api import Answer, WeComApi
from cards import wecom as drawing
from cards.layout import Card
from rules.events import Platform
from rules.messages import GroupChat

_SEND, _CHANGE, _GROUP = "message/send", "message/update_template_card", "appchat/send"


class WeComChannel:
    """One self-built app. Implements `bot.channel.Channel`. `sent` hears of every message that the daily limit counts."""

    platform = Platform.WECOM
    changes = Changes.BY_HANDLE

    def __init__(self, api: WeComApi, agent_id: int, sent: Callable[[], None] = lambda: None) -> None:
        self._api, self._agent_id, self._sent = api, agent_id, sent

    def render(self, letter: Letter, card: Card) -> Mapping[str, Any]:
        """Draw the request. Raises ValueError for a change that WeCom cannot make: of a group message, or without a response code."""
        if isinstance(letter.to, GroupChat):
            if letter.changes:
                raise ValueError("a message in a WeCom group chat cannot be changed")
            # appchat/send has no duplicate check.
            return _payload(_GROUP, drawing.group_text(card, letter.to.chat_id), repeatable=False)
        user_id = letter.to.user_id
        if not letter.changes:
            body = drawing.message(card, user_id=user_id, agent_id=self._agent_id, card_id=letter.card_id)
            return _payload(_SEND, body, repeatable=True)
        if letter.handle is None:
            raise ValueError("a WeCom card cannot be changed without a response code")
        body = drawing.replacement(card, user_id=user_id, agent_id=self._agent_id, response_code=letter.handle)
        # A code works once: a repeat is refused by the platform and changes nothing twice.
        return _payload(_CHANGE, body, repeatable=True)

    def deliver(self, payload: Mapping[str, Any]) -> Receipt:
        """Make the request. Raises SendFailed, also where WeCom answers "ok" but names the recipient as invalid."""
        if payload["call"] == _SEND:
            self._sent()
        answer = self._api.call("post", payload["call"], body=payload["body"])
        refused = _refused(answer)
        if refused & _recipients(payload["body"]):
            raise SendFailed(Failure.REFUSED, "invaliduser", "unknown member, or outside the app's visible range")
        return Receipt(message_id=str(answer.get("msgid") or ""), handle=answer.get("response_code") or None)


def _payload(call: str, body: Mapping[str, Any], *, repeatable: bool) -> Mapping[str, Any]:
    return {"call": call, "body": body, "repeatable": repeatable}


def _recipients(body: Mapping[str, Any]) -> set[str]:
    return _names(body.get("touser")) | _names(body.get("userids"))


def _refused(answer: Answer) -> set[str]:
    return _names(answer.get("invaliduser")) | _names(answer.get("unlicenseduser"))


def _names(users: object) -> set[str]:
    """User ids in lower case (WeCom returns them so), from "a|b" as `send` has it or from a list as the change of a card has it."""
    names = users.split("|") if isinstance(users, str) else users if isinstance(users, list) else []
    return {str(name).lower() for name in names if name}
