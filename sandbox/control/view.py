"""What phones show, as JSON of the control API (schemas Phone, Chat, Message, Card)."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.chats import ROBOT_NAME, Chat, Message, is_for
from sandbox.company import Person, Platform
from sandbox.dingtalk import cards as dingtalk_cards
from sandbox.dingtalk import robot as dingtalk_robot
from sandbox.dingtalk.hub import DingTalk
from sandbox.neutral import Neutral
from sandbox.store import Doc
from sandbox.wecom import acts as wecom_acts
from sandbox.wecom import texts as wecom_texts
from sandbox.world import World


@dataclass(frozen=True)
class View:
    """Looks only."""

    world: World
    dingtalk: DingTalk

    def phone(self, person: Person, platform: Platform, pinned: bool) -> Doc:
        """One person on one platform, with what is unread in all chats there."""
        unread = sum(len(self.world.chats.unread(chat, person.key)) for chat in self.world.chats.of_person(platform, person))
        department = self.world.directory.departments[person.department].name
        known = {"person": person.key, "name": person.name, "position": person.position, "department": department}
        return known | {"platform": platform, "unread": unread, "pinned": pinned}

    def chat(self, chat: Chat, person: Person) -> Doc:
        """A line of the chat list."""
        last = [
            message for message in self.world.chats.of_chat(chat.id, limit=20) if is_for(message, person.key) and not message.recalled
        ]
        return {
            "id": chat.id,
            "kind": chat.kind,
            "platform": chat.platform,
            "title": chat.title,
            "members": list(chat.members),
            "unread": len(self.world.chats.unread(chat, person.key)),
            "last_text": _preview(last[-1]) if last else "",
            "last_at": last[-1].at if last else None,
        }

    def messages(self, found: list[Message], chat: Chat, person: Person) -> list[Doc]:
        """Those of the messages that the person may see, as that person sees them."""
        read_up_to = self.world.chats.read_up_to(chat.id, person.key)
        return [self._message(message, chat, person, read_up_to) for message in found if is_for(message, person.key)]

    def _message(self, message: Message, chat: Chat, person: Person, read_up_to: int) -> Doc:
        sender = self.world.directory.get(message.sender) if message.sender else None
        is_card = chat.platform == "dingtalk" and message.card is not None
        return {
            "id": message.id,
            "seq": message.seq,
            "at": message.at,
            "from": {
                "kind": "person" if message.sender else "bot",
                "key": message.sender,
                "name": sender.name if sender else ROBOT_NAME,
            },
            "kind": message.kind,
            "text": "" if message.recalled else message.text,
            "card": None if message.recalled else self._card_of(message, chat.platform, person),
            "content": {} if message.recalled else message.content,
            "platform_raw": dingtalk_cards.raw(self.dingtalk, message) if is_card else message.raw,
            "updated_at": message.updated_at,
            "recalled": message.recalled,
            "read": read_up_to >= message.seq,
        }

    def _card_of(self, message: Message, platform: Platform, person: Person) -> Neutral | None:
        if platform == "dingtalk":
            return dingtalk_cards.show(self.dingtalk, message, person) or dingtalk_robot.show(message)
        return wecom_acts.show(message) or (wecom_texts.show_textcard(message.raw) if message.kind == "action_card" else None)

    def card(self, card_id: str, platform: Platform, person: Person) -> Neutral | None:
        """A card by its platform id; None when there is none (WeCom: in that person's chat)."""
        copies = self.world.chats.of_card(f"{platform}|{card_id}")
        if platform == "wecom":
            own = self.world.chats.private("wecom", person).id
            copies = [copy for copy in copies if copy.chat == own]
        return self._card_of(copies[-1], platform, person) if copies else None


def group_shown(group: Chat) -> Doc:
    """A group in the words of the company file."""
    members = list(group.members)
    known = {"key": group.key, "name": group.title, "platform": group.platform, "chat_id": group.chat_id}
    return known | {"members": members, "robot_in": group.robot_in}


def _preview(message: Message) -> str:
    names = {"image": "[图片]", "file": "[文件]", "voice": "[语音]", "video": "[视频]"}
    text = message.content.get("preview") or message.text or names.get(message.kind, "")
    return " ".join(str(text).split())[:60]
