"""WeCom's XML becomes an event of ours.

The id recognises a repeated delivery: a message has its MsgId, a press its ResponseCode (one per press), everything else the hash
of its XML. The documented pair of sender and second is not enough: two events within one second collide.

Source: WeCom developer centre, "消息格式" (90239) and "事件格式" (90240, 90376).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

import xmltodict

from bot.errors import BadRequest
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform, UnknownEvent

_LONGEST_ID = 128  # more than any the platform makes; the keys of our answers contain it
_LONGEST_NAME = 128
_LONGEST_CODE = 512
_LONGEST_KIND = 64
_STATUS_LEFT = "5"

Fields = Mapping[str, Any]


def to_event(xml: bytes) -> Event:
    """What happened. Authentic but not understood or incomplete is UnknownEvent. Raises BadRequest when it is not WeCom's XML."""
    fields = _parse(xml)
    fallback = f"sha256:{hashlib.sha256(xml).hexdigest()}"
    kind = _text(fields, "MsgType")
    if kind == "event":
        kind = _text(fields, "Event")
    decoded = _DECODERS[kind](fields, fallback) if kind in _DECODERS else None
    return decoded or UnknownEvent(fallback, Platform.WECOM, (kind or "untyped")[:_LONGEST_KIND])


def _parse(xml: bytes) -> Fields:
    try:
        # Entities are refused by xmltodict; the lists are forced because one option would come as a string, several as a list.
        document = xmltodict.parse(xml, encoding="utf-8", disable_entities=True, force_list=("SelectedItem", "OptionId"))
    except (ExpatError, ValueError):
        raise BadRequest("the message is not XML") from None
    fields = document.get("xml")
    if not isinstance(fields, dict):
        raise BadRequest("the message is not WeCom's XML")
    return fields


def _message(fields: Fields, fallback: str) -> ChatMessage | None:
    by = _sender(fields)
    return None if by is None else ChatMessage(_id("msg", _text(fields, "MsgId"), fallback), by, _text(fields, "Content"))


def _picture(fields: Fields, fallback: str) -> ChatMessage | None:
    by, media = _sender(fields), _text(fields, "MediaId")
    if by is None or not media:
        return None
    return ChatMessage(_id("msg", _text(fields, "MsgId"), fallback), by, "", media=media)


def _press(fields: Fields, fallback: str) -> CardAction | None:
    by, card_id, action = _sender(fields), _text(fields, "TaskId"), _text(fields, "EventKey")
    if by is None or not card_id or not action:
        return None
    handle = _text(fields, "ResponseCode")
    selected = dict(_selected(fields))
    voted = _text(fields, "CardType") == "vote_interaction"
    return CardAction(
        id=_id("press", handle, fallback),
        by=by,
        card_id=card_id,
        action=action,
        ticks=tuple(option for options in selected.values() for option in options) if voted else (),
        fields={} if voted else {question: options[0] for question, options in selected.items() if options},
        handle=handle if 0 < len(handle) <= _LONGEST_CODE else None,
    )


def _member_change(fields: Fields, fallback: str) -> MemberChange | None:
    change, user_id = _text(fields, "ChangeType"), _text(fields, "UserID")
    if change not in ("create_user", "update_user", "delete_user") or not user_id:
        return None
    renamed = _text(fields, "NewUserID")
    left = change == "delete_user" or _text(fields, "Status") == _STATUS_LEFT
    return MemberChange(fallback, Platform.WECOM, tuple(filter(None, (user_id, renamed))), left)


_DECODERS = {
    "text": _message,
    "image": _picture,
    "video": _picture,
    "template_card_event": _press,
    "change_contact": _member_change,
}


def _sender(fields: Fields) -> Account | None:
    user_id = _text(fields, "FromUserName")
    return Account(Platform.WECOM, user_id) if 0 < len(user_id) <= _LONGEST_NAME else None


def _selected(fields: Fields) -> Iterable[tuple[str, tuple[str, ...]]]:
    """(question, option ids) for each question of the card, as submitted."""
    for item in _items(fields.get("SelectedItems"), "SelectedItem"):
        if isinstance(item, dict):
            options = _items(item.get("OptionIds"), "OptionId")
            yield _text(item, "QuestionKey"), tuple(option for option in options if isinstance(option, str))


def _items(parent: object, name: str) -> list[Any]:
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, list) else []


def _text(fields: Fields, name: str) -> str:
    """The element's text without surrounding space; empty when it is absent, empty, repeated or not plain text."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _id(kind: str, value: str, fallback: str) -> str:
    candidate = f"{kind}:{value}"
    return candidate if value and len(candidate) <= _LONGEST_ID else fallback
