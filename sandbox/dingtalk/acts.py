"""What people do in DingTalk: write, send a picture, open a chat, tap a card. Each is told to the bot.

Source: [doc receive-message] robot messages, [doc event-callback-card] taps.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

from sandbox.chats import Chat, Message
from sandbox.company import Person, opaque
from sandbox.dingtalk import cards, robot, template
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.push import push_event, push_robot_message, push_tap
from sandbox.media import keep_media, sniff
from sandbox.outcome import Outcome, not_sent
from sandbox.store import Doc
from sandbox.tap import NotOnTheCard, Tap, UnknownCard


def say(dingtalk: DingTalk, chat: Chat, person: Person, text: str, *, mention_bot: bool) -> tuple[Message, Outcome]:
    """A text. From a group only what mentions the robot arrives, without the mention and with a space before it."""
    content = {"mentions_bot": mention_bot}
    message = dingtalk.world.chats.add(Message(chat=chat.id, sender=person.key, kind="text", text=text, content=content))
    unheard = _unheard(chat, mention_bot)
    if unheard:
        return message, not_sent(unheard)
    said = f" {text}" if chat.kind == "group" else text
    return message, _tell(dingtalk, chat, person, message, {"msgtype": "text", "text": {"content": said}})


def send_picture(
    dingtalk: DingTalk, chat: Chat, person: Person, content: bytes, name: str, *, mention_bot: bool
) -> tuple[Message, Outcome]:
    """A picture, or a file when it is none. In a group a picture comes as richText with the mention, a file not at all."""
    is_picture = sniff(content).startswith("image/")
    media_id = keep_media(dingtalk.world, content, "image" if is_picture else "file", name)
    kind = "image" if is_picture else "file"
    known = {"media": media_id, "file_name": name, "mentions_bot": mention_bot}
    message = dingtalk.world.chats.add(Message(chat=chat.id, sender=person.key, kind=kind, text="", content=known))
    unheard = _unheard(chat, mention_bot) or ("files cannot be received in groups" if chat.kind == "group" and not is_picture else None)
    if unheard:
        return message, not_sent(unheard)
    code = robot.new_download_code(dingtalk, media_id)
    if chat.kind == "group":
        body: Doc = {"msgtype": "richText", "content": {"richText": [{"text": " "}, {"type": "picture", "downloadCode": code}]}}
    elif is_picture:
        broken = robot.new_download_code(dingtalk, media_id, broken=True)
        body = {"msgtype": "picture", "content": {"downloadCode": code, "pictureDownloadCode": broken}}
    else:
        body = {"msgtype": "file", "content": {"downloadCode": code, "fileName": name, "fileId": media_id[:12], "spaceId": "1"}}
    return message, _tell(dingtalk, chat, person, message, body)


def opened(dingtalk: DingTalk, chat: Chat, person: Person, read: list[Message]) -> None:
    """robot_msg_read for every message of the robot that was unread, when events are subscribed."""
    if person.dingtalk is None or not dingtalk.gateway.has_listener("EVENT", "*"):
        return
    for handle in {message.handle for message in read if message.handle and message.sender is None}:
        event = {
            "userId": person.dingtalk.userid,
            "unionId": dingtalk.union_id(person),
            "robotCode": dingtalk.world.company.dingtalk.robot_code,
            "openConversationId": chat.chat_id,
            "processQueryKey": handle,
            "operatTime": dingtalk.world.clock.epoch_ms(),
        }
        dingtalk.world.deferral.later(0, partial(push_event, dingtalk, "robot_msg_read", event))


def tap(dingtalk: DingTalk, track_id: str, person: Person, wanted: Tap) -> Outcome:
    """Press on a card. Raises UnknownCard when there is no such card, NotOnTheCard when the phone does not show it."""
    world = dingtalk.world
    card = world.store.get(cards.CARDS, track_id)
    if card is None or person.dingtalk is None:
        raise UnknownCard(track_id)
    copy = cards.holds(dingtalk, track_id, person)
    if not wanted.force and (copy is None or copy.recalled):
        raise NotOnTheCard("this person does not have the card")
    content = template.tap_content(cards.values_for(card, person.dingtalk.userid), wanted)
    if card["callback_type"] is None:
        return not_sent("the card was made without callbackType: nobody is told")
    chat = world.chats.find(copy.chat) if copy else None
    data = _tap_data(dingtalk, card, track_id, person, chat or dingtalk.private_chat(person), content)
    route = world.store.get(cards.ROUTES, card["route_key"]) if card["callback_type"] == "HTTP" else None
    with dingtalk.lock:
        dingtalk.open_taps[track_id] += 1
    changed: list[bool] = []
    try:
        outcome = push_tap(
            dingtalk, data, route, lambda answer, wrapped: _use_answer(dingtalk, track_id, person, answer, wrapped, changed)
        )
    finally:
        with dingtalk.lock:
            dingtalk.open_taps[track_id] -= 1
    return replace(outcome, changed=bool(changed))


def robot_message(dingtalk: DingTalk, chat: Chat, person: Person, msg_id: str, body: Doc) -> Doc:
    """The data of an incoming robot message; `body` brings msgtype and its content."""
    world, app = dingtalk.world, dingtalk.world.company.dingtalk
    webhook, ends = robot.new_session(dingtalk, chat)
    account = person.dingtalk
    assert account is not None
    robot_id = f"$:LWCP_v1:${opaque('robot', app.robot_code)}"
    data: Doc = {
        "conversationId": chat.chat_id,
        "conversationType": "2" if chat.kind == "group" else "1",
        "msgId": msg_id,
        "createAt": world.clock.epoch_ms(),
        "senderId": f"$:LWCP_v1:${opaque('sender', account.userid)}",
        "senderNick": person.name,
        "senderCorpId": app.corp_id,
        "chatbotCorpId": app.corp_id,
        "chatbotUserId": robot_id,
        "robotCode": app.robot_code,
        "isAdmin": False,
        "senderPlatform": "Android",
        "sessionWebhook": webhook,
        "sessionWebhookExpiredTime": ends,
    }
    if world.switches.on("dingtalk.robot_published"):
        data["senderStaffId"] = account.userid
    if chat.kind == "group":
        data |= {"conversationTitle": chat.title, "isInAtList": True, "atUsers": [{"dingtalkId": robot_id}]}
    return data | body


def _unheard(chat: Chat, mention_bot: bool) -> str | None:
    if chat.kind == "private":
        return None
    if not chat.robot_in:
        return "the robot is not in the group"
    return None if mention_bot else "a robot hears only what mentions it"


def _tell(dingtalk: DingTalk, chat: Chat, person: Person, message: Message, body: Doc) -> Outcome:
    if person.dingtalk is None or not person.dingtalk.visible or person.left:
        return not_sent("the person is outside the application's visible range")
    data = robot_message(dingtalk, chat, person, f"msg{opaque(message.id, message.at)}==", body)
    return push_robot_message(dingtalk, data, lambda reply: robot.put_webhook_message(dingtalk, chat, reply))


def _tap_data(dingtalk: DingTalk, card: Doc, track_id: str, person: Person, chat: Chat, content: Doc) -> Doc:
    assert person.dingtalk is not None
    switches, id_type = dingtalk.world.switches, card["user_id_type"]
    name = "value" if switches.on("dingtalk.tap_uses_value") else "content"
    data: Doc = {
        "type": "actionCallback",
        "outTrackId": track_id,
        "corpId": dingtalk.world.company.dingtalk.corp_id,
        "userId": person.dingtalk.userid if id_type == 1 else dingtalk.union_id(person),
        name: json.dumps({"cardPrivateData": content}, ensure_ascii=False),
    }
    if switches.on("dingtalk.tap_names_space"):
        data |= {"userIdType": id_type, "spaceType": "IM", "spaceId": chat.chat_id, "extension": "{}"}
    return data


def _use_answer(dingtalk: DingTalk, track_id: str, person: Person, answer: Any, wrapped: bool, changed: list[bool]) -> str | None:
    """Apply the answer to the card; `userPrivateData` belongs to the one who tapped. Why it was not used, or None."""
    if wrapped:
        answer = answer.get("response") if isinstance(answer, dict) else None
    if not answer:
        return None
    problem = _answer_problem(dingtalk, track_id, answer)
    if problem:
        dingtalk.world.ledger.warn("dingtalk", f"the answer to a tap was not used: {problem}")
        return problem
    public = answer["cardData"].get("cardParamMap") if answer.get("cardData") else None
    own = answer["userPrivateData"].get("cardParamMap") if answer.get("userPrivateData") else None
    if public is None and own is None:
        return None
    assert person.dingtalk is not None
    private = {person.dingtalk.userid: own} if own is not None else {}
    cards.change_card(dingtalk, track_id, public, private, answer.get("cardUpdateOptions") or {})
    changed.append(True)
    return None


def _answer_problem(dingtalk: DingTalk, track_id: str, answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return "the answer is no object"
    card = dingtalk.world.store.get(cards.CARDS, track_id)
    if "privateData" in answer:
        dingtalk.world.ledger.warn("dingtalk", "the answer to a tap has privateData; the platform reads userPrivateData")
    for name, private in (("cardData", False), ("userPrivateData", True)):
        part = answer.get(name)
        if not part or card is None:
            continue
        if not isinstance(part, dict) or "cardParamMap" not in part:
            return f"{name} has no cardParamMap"
        errors, warnings = cards.judge_variables(dingtalk, card["template_id"], part["cardParamMap"], private=private)
        if errors:
            return errors[0]
        for text in warnings:
            dingtalk.world.ledger.warn("dingtalk", f"answer to a tap: {text}")
    return None
