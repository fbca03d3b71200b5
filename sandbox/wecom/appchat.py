"""Group chats of the application: push-only, no template cards. Source: [doc 90245] create, [doc 90248] send."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

from sandbox.chats import Chat, Message
from sandbox.store import Doc
from sandbox.wecom.api import Call, Refused
from sandbox.wecom.texts import TO_GROUPS, check_body, show_body

CHAT_ID = re.compile(r"[0-9A-Za-z]{1,32}")
FEWEST, MOST, LONGEST_NAME = 2, 2000, 50


def create(call: Call) -> Doc:
    """A group with its members; the chat may stay invisible on phones until the first message."""
    _needs_root_range(call)
    members = _keys(call, call.body.get("userlist"))
    if not FEWEST <= len(members) <= MOST:
        raise Refused(86006, f"a chat has {FEWEST} to {MOST} members")
    chat_id = call.body.get("chatid") or secrets.token_hex(16)
    if not isinstance(chat_id, str) or not CHAT_ID.fullmatch(chat_id):
        raise Refused(86220, "chatid is 1 to 32 letters and digits")
    if call.world.chats.group_by_chat_id("wecom", chat_id):
        raise Refused(86215, "chatid exists")
    if call.body.get("owner") and _keys(call, [call.body["owner"]])[0] not in members:
        raise Refused(86216, "the owner is no member")
    name = str(call.body.get("name") or "群聊")[:LONGEST_NAME]
    call.world.chats.keep_group(Chat(f"group-{chat_id}", "group", "wecom", chat_id, name, tuple(members), chat_id))
    return {"chatid": chat_id}


def update(call: Call) -> Doc:
    """New name, more or fewer members."""
    _needs_root_range(call)
    chat = _chat(call, call.body.get("chatid"))
    added, gone = _keys(call, call.body.get("add_user_list") or []), _keys(call, call.body.get("del_user_list") or [])
    members = [key for key in dict.fromkeys([*chat.members, *added]) if key not in gone]
    if not FEWEST <= len(members) <= MOST:
        raise Refused(86006, f"a chat has {FEWEST} to {MOST} members")
    name = str(call.body.get("name") or chat.title)[:LONGEST_NAME]
    call.world.chats.keep_group(replace(chat, title=name, members=tuple(members)))
    return {}


def get(call: Call) -> Doc:
    """Name, owner and members."""
    chat = _chat(call, call.args.get("chatid"))
    users = [userid for key in chat.members if (userid := call.world.directory.userid(key, "wecom"))]
    return {"chat_info": {"chatid": chat.chat_id, "name": chat.title, "owner": users[0] if users else "", "userlist": users}}


def send(call: Call) -> Doc:
    """A message to the group. The answer has no msgid: it cannot be recalled."""
    _needs_root_range(call)
    chat = _chat(call, call.body.get("chatid"))
    check_body(call, TO_GROUPS)
    kind = call.body["msgtype"]
    raw = {"msgtype": kind, kind: call.body[kind]}
    shown_kind, text, content = show_body(raw)
    call.world.chats.add(Message(chat=chat.id, sender=None, kind=shown_kind, text=text, content=content, raw=raw))
    call.world.meters.count("wecom", "messages", len(chat.members))
    return {}


def _needs_root_range(call: Call) -> None:
    if not call.world.switches.on("wecom.range_is_root"):
        raise Refused(60011, "no privilege: the visible range is not the root department")


def _chat(call: Call, chat_id: object) -> Chat:
    if not chat_id:
        raise Refused(40050, "chatid missing")
    chat = call.world.chats.group_by_chat_id("wecom", str(chat_id))
    if chat is None:
        raise Refused(86003, "chatid does not exist")
    if not chat.robot_in:
        raise Refused(86224, "the chat was not created by this application")
    return chat


def _keys(call: Call, users: object) -> list[str]:
    if not isinstance(users, list):
        raise Refused(86220, "a list of userids is needed")
    found = [call.world.directory.reachable("wecom", str(userid)) for userid in users]
    if None in found:
        raise Refused(86216, "a member is invalid or not visible")
    return [person.key for person in found if person]
