"""DingTalk's JSON becomes an event of ours, whether it came over the stream or over HTTP.

The id recognises a repeated delivery. A robot message has its msgId, an event its eventId. A press has no id of its own, and its
content is no substitute: 关闭 pressed, taken back and pressed again is the same content and a new wish. So the id of a press is its
content plus the delivery it came with: `headers.messageId` on the stream, the signed millisecond over HTTP. Should the platform
repeat a press under a new messageId (its pages do not say), that reads as a second press, which the rules answer with "already
done" and no effect.

Source: DingTalk open platform, "receive-message", "event-callback-card", "interactive-mode"; platform notes dingtalk.md §6, §8.6, §9.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.errors import BadRequest
from rules.events import Account, CardAction, ChatMessage, Event, MemberChange, Platform, UnknownEvent

_LONGEST_ID = 128  # more than any the platform makes; the keys of our answers contain it
_LONGEST_NAME = 128
_LONGEST_KIND = 64
_OVER_QUOTA = "20001"
_GROUP = "2"
_FILES = ("picture", "video", "file")  # what it is, is judged by its bytes
_JOINED_OR_CHANGED = ("user_add_org", "user_modify_org", "user_active_org")
_LEFT = "user_leave_org"

Fields = Mapping[str, Any]


def read_object(raw: str | bytes) -> Fields:
    """The JSON object in `raw`. Raises BadRequest when there is none."""
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequest("the body is not a JSON object")
    return parsed


def robot_message(message: Fields) -> Event:
    """What somebody said to the robot. UnknownEvent for what we do not read: outsiders, voice, files, and messages over the quota."""
    id = _id("msg", _text(message, "msgId"), message)
    by = _named(message, "senderStaffId")
    if str(message.get("errCode", "")) == _OVER_QUOTA:
        return _unknown(id, "over_quota")
    # Absent for people outside the company, and for everybody until the robot's version is published.
    if not by or _from_elsewhere(message):
        return _unknown(id, "sender_outside")
    kind = _text(message, "msgtype")
    text, media = _said(kind, message)
    if kind not in ("text", "richText", *_FILES) or (kind in _FILES and not media):
        return _unknown(id, kind or "untyped")
    group = _named(message, "conversationId") if str(message.get("conversationType")) == _GROUP else None
    if group == "":
        return _unknown(id, "group_unnamed")
    return ChatMessage(id, Account(Platform.DINGTALK, by), text, group, media, tuple(_mentioned(message)))


def press(callback: Fields, delivery: str) -> Event:
    """Somebody pressed a button or submitted the boxes. `delivery` tells one press from the next (see above)."""
    card_id, by = _text(callback, "outTrackId"), _named(callback, "userId")
    # One page of the platform says `value` where all others say `content`, and has `params` one level higher.
    content = _object(callback.get("content") or callback.get("value"))
    private = _object(content.get("cardPrivateData"))
    params = {**_object(content.get("params")), **_object(private.get("params"))}
    action = _text(params, "action") or next(iter(_strings(private.get("actionIds"))), "")
    id = f"press:{_digest([delivery, card_id, by, private.get('actionIds'), params])}"
    if not card_id or not by or not action:
        return _unknown(id, "incomplete_press")
    form = _object(params.get("form"))
    return CardAction(
        id=id,
        by=Account(Platform.DINGTALK, by),
        card_id=card_id,
        action=action,
        ticks=tuple(_strings(form.get("ticks"))),
        fields=_plain_fields({**params, **form}),
    )


def organisation_event(kind: str, event_id: str, details: Fields) -> Event:
    """A change in the company. Over HTTP the keys are written differently than on the stream, so case is ignored."""
    lowered = {name.lower(): value for name, value in details.items()}
    id = _id("event", event_id, details)
    user_ids = tuple(_strings(lowered.get("userid")))
    if kind not in (*_JOINED_OR_CHANGED, _LEFT) or not user_ids:
        return _unknown(id, kind or "untyped")
    return MemberChange(id, Platform.DINGTALK, user_ids, left=kind == _LEFT)


def event_over_http(details: Fields) -> Event:
    """An event as its envelope carries it over HTTP: everything in one flat object."""
    lowered = {name.lower(): value for name, value in details.items()}
    return organisation_event(_text(lowered, "eventtype"), _text(lowered, "eventid"), details)


def _plain_fields(params: Fields) -> dict[str, str]:
    """What else came with a press, as far as it is text or a number."""
    return {
        _clean(name): _clean(str(value)) for name, value in params.items() if name != "action" and isinstance(value, str | int | float)
    }


def _said(kind: str, message: Fields) -> tuple[str, str | None]:
    """(text, handle of the first picture). In a group the text begins with a space where the @-mention of the robot was cut off."""
    content = _object(message.get("content"))
    if kind == "text":
        return _text(_object(message.get("text")), "content"), None
    if kind in _FILES:
        return "", _text(content, "downloadCode") or None
    parts = [_object(part) for part in _list(content.get("richText"))]
    pictures = [_text(part, "downloadCode") for part in parts if _text(part, "type") == "picture"]
    text = "".join(_text(part, "text", strip=False) for part in parts).strip()
    return text, next(filter(None, pictures), None)


def _mentioned(message: Fields) -> Iterable[Account]:
    """The employees that a group message mentions; the robot itself and outsiders are listed without staffId (§6)."""
    staff = (_text(_object(user), "staffId") for user in _list(message.get("atUsers")))
    return (Account(Platform.DINGTALK, user_id) for user_id in staff if user_id)


def _from_elsewhere(message: Fields) -> bool:
    theirs, ours = _text(message, "senderCorpId"), _text(message, "chatbotCorpId")
    return bool(theirs and ours and theirs != ours)


def _unknown(id: str, kind: str) -> UnknownEvent:
    return UnknownEvent(id, Platform.DINGTALK, kind[:_LONGEST_KIND])


def _id(kind: str, value: str, whole: object) -> str:
    candidate = f"{kind}:{value}"
    return candidate if value and len(candidate) <= _LONGEST_ID else f"sha256:{_digest(whole)}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _object(value: object) -> Fields:
    """An object, also when it comes as a string of JSON; empty when it is neither."""
    if isinstance(value, str):
        try:
            return read_object(value)
        except BadRequest:
            return {}
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: object) -> Iterable[str]:
    """The strings and whole numbers of a list (or one alone) as strings, in order."""
    values = value if isinstance(value, list) else [value]
    return (_clean(str(item)) for item in values if isinstance(item, str | int) and not isinstance(item, bool) and item != "")


def _named(fields: Fields, name: str) -> str:
    """The id of a person or a group; empty when there is none, or one so long that nobody can have it."""
    told = _text(fields, name)
    return told if len(told) <= _LONGEST_NAME else ""


def _text(fields: Fields, name: str, *, strip: bool = True) -> str:
    value = fields.get(name)
    text = _clean(value) if isinstance(value, str) else ""
    return text.strip() if strip else text


def _clean(text: str) -> str:
    """JSON can spell what no database stores as text: NUL and half a surrogate pair."""
    return text.replace("\x00", "").encode(errors="ignore").decode()
