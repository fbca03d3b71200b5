"""Chats and what stands in them, in one order over all chats; and the feed of changes that pages and tests wait on."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

from sandbox.clock import Clock, iso, monotonic
from sandbox.company import Company, Directory, Person, Platform
from sandbox.store import Store

READ = "read"
ROBOT_NAME = "三秒"
GROUPS = "group"


@dataclass(frozen=True)
class Message:
    """One message in one chat. `card` and `handle` are the platform's own keys to find it again.

    `sender` is a person key, or None for the bot. `only_for` limits who of a group sees it (DingTalk `recipients`).
    `raw` is what the bot gave to the platform; `content` what the sandbox knows beyond it (see the control API).
    """

    chat: str
    sender: str | None
    kind: str
    text: str
    content: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)
    card: str | None = None
    handle: str | None = None
    only_for: tuple[str, ...] | None = None
    at: str = ""
    updated_at: str | None = None
    recalled: bool = False
    seq: int = 0

    @property
    def id(self) -> str:
        """The id of the control API."""
        return f"m{self.seq}"


@dataclass(frozen=True)
class Chat:
    """A private chat of one person with the bot (`key` is the person's), or a group (`key` is the group's)."""

    id: str
    kind: str
    platform: Platform
    key: str
    title: str
    members: tuple[str, ...]
    chat_id: str
    robot_in: bool = True


class Chats:
    """All chats of both platforms."""

    def __init__(self, company: Company, directory: Directory, store: Store, clock: Clock) -> None:
        self._company, self._directory, self._store, self._clock = company, directory, store, clock
        self._news = threading.Condition()
        self._latest: int = (store.rows("SELECT seq FROM sqlite_sequence WHERE name = 'changes'") or [(0,)])[0][0]
        self._closed = False

    # ---- which chats there are

    def private(self, platform: Platform, person: Person) -> Chat:
        """The chat of a person with the bot."""
        members = (person.key,)
        return Chat(
            f"private-{platform}-{person.key}", "private", platform, person.key, "三秒", members, self._private_id(platform, person)
        )

    def groups(self, platform: Platform) -> list[Chat]:
        """All groups of a platform: the file's, then those the bot created."""
        from_file = [group.model_dump() for group in self._company.groups]
        made = dict(self._store.all(GROUPS))
        docs = [made.pop(doc["key"], doc) for doc in from_file] + list(made.values())
        return [_group(doc) for doc in docs if doc["platform"] == platform]

    def group_by_chat_id(self, platform: Platform, chat_id: str) -> Chat | None:
        """A group by the platform's id; DingTalk's is case-sensitive."""
        return next((group for group in self.groups(platform) if group.chat_id == chat_id), None)

    def keep_group(self, chat: Chat) -> None:
        """A group created or changed through the API."""
        doc = {"key": chat.key, "name": chat.title, "platform": chat.platform, "chat_id": chat.chat_id}
        self._store.put(GROUPS, chat.key, {**doc, "members": list(chat.members), "robot_in": chat.robot_in})
        self.note_change("people")

    def find(self, chat_id: str) -> Chat | None:
        """By id of the control API."""
        kind, _, rest = chat_id.partition("-")
        if kind == "group":
            everywhere = [*self.groups("wecom"), *self.groups("dingtalk")]
            return next((group for group in everywhere if group.key == rest), None)
        platform, _, key = rest.partition("-")
        person = self._directory.get(key)
        if kind != "private" or person is None:
            return None
        if platform == "wecom" and person.wecom:
            return self.private("wecom", person)
        return self.private("dingtalk", person) if platform == "dingtalk" and person.dingtalk else None

    def of_person(self, platform: Platform, person: Person) -> list[Chat]:
        """The private chat first, then the groups the person is in, latest message first."""
        groups = [group for group in self.groups(platform) if person.key in group.members]
        groups.sort(key=lambda group: -self._last_seq(group.id))
        return [self.private(platform, person), *groups]

    # ---- what stands in them

    def add(self, message: Message) -> Message:
        """Put a message at the end; it gets its number and time."""
        with self._store.transaction():
            seq = self._store.run(
                "INSERT INTO messages (chat, card, handle, doc) VALUES (?, ?, ?, '')", message.chat, message.card, message.handle
            )
            message = replace(message, seq=seq, at=message.at or iso(self._clock.now()))
            self._write(message)
        return message

    def alter(self, message: Message, **changes: Any) -> Message:
        """Change a message in its place; the order never changes."""
        with self._store.transaction():
            message = replace(message, **changes, updated_at=iso(self._clock.now()))
            self._write(message)
        return message

    def of_chat(self, chat: str, after: int = 0, limit: int = 500) -> list[Message]:
        """The latest `limit` messages with a number above `after`, oldest first."""
        rows = self._store.rows("SELECT doc FROM messages WHERE chat = ? AND seq > ? ORDER BY seq DESC LIMIT ?", chat, after, limit)
        return [_message(doc) for (doc,) in reversed(rows)]

    def of_card(self, card: str) -> list[Message]:
        """Every copy of a card."""
        return [_message(doc) for (doc,) in self._store.rows("SELECT doc FROM messages WHERE card = ? ORDER BY seq", card)]

    def of_handle(self, handle: str) -> list[Message]:
        """Every message of one send (WeCom msgid, DingTalk processQueryKey)."""
        return [_message(doc) for (doc,) in self._store.rows("SELECT doc FROM messages WHERE handle = ? ORDER BY seq", handle)]

    # ---- who has read what

    def unread(self, chat: Chat, person: str) -> list[Message]:
        """What the person has not seen yet and did not write."""
        after = self.read_up_to(chat.id, person)
        return [each for each in self.of_chat(chat.id, after) if each.sender != person and not each.recalled and is_for(each, person)]

    def read_up_to(self, chat: str, person: str) -> int:
        """The number of the last message read."""
        kept = self._store.get(READ, f"{chat}|{person}")
        return int(kept["seq"]) if kept else 0

    def mark_read(self, chat: Chat, person: str) -> list[Message]:
        """Everything is read now; what was unread before."""
        unread = self.unread(chat, person)
        if unread:
            self._store.put(READ, f"{chat.id}|{person}", {"seq": self._last_seq(chat.id)})
            self.note_change("read", chat.id)
        return unread

    # ---- what is new

    def note_change(self, kind: str, chat: str | None = None, message: str | None = None) -> None:
        """Add to the feed and wake who waits."""
        latest = self._store.run("INSERT INTO changes (kind, chat, message) VALUES (?, ?, ?)", kind, chat, message)
        with self._news:
            self._latest = latest
            self._news.notify_all()

    def changes(self, after: int, wait_seconds: float) -> tuple[int, list[dict[str, Any]]]:
        """What came after change `after`, oldest first; waits when there is nothing. (number to continue with, changes)."""
        deadline = monotonic() + wait_seconds
        with self._news:
            while self._latest <= after and not self._closed and (left := deadline - monotonic()) > 0:
                self._news.wait(left)
        rows = self._store.rows("SELECT n, kind, chat, message FROM changes WHERE n > ? ORDER BY n LIMIT 1000", after)
        found = [{"n": n, "kind": kind, "chat": chat, "message": message} for n, kind, chat, message in rows]
        return (found[-1]["n"] if found else self._latest), found

    @property
    def latest_change(self) -> int:
        """The number of the last change."""
        return self._latest

    def close(self) -> None:
        """Let everybody who waits go."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def _write(self, message: Message) -> None:
        self._store.run("UPDATE messages SET doc = ? WHERE seq = ?", json.dumps(asdict(message), ensure_ascii=False), message.seq)
        self.note_change("message", message.chat, message.id)

    def _last_seq(self, chat: str) -> int:
        return int(self._store.rows("SELECT coalesce(max(seq), 0) FROM messages WHERE chat = ?", chat)[0][0])

    def _private_id(self, platform: Platform, person: Person) -> str:
        account = person.account(platform)
        userid = account.userid if account else person.key
        return userid if platform == "wecom" else dingtalk_private_id(self._company.dingtalk.corp_id, userid)


def dingtalk_private_id(corp_id: str, userid: str) -> str:
    """The conversationId of a private chat: base64-like, with characters that must be encoded in URLs."""
    return "cid" + b64encode(sha256(f"{corp_id}|{userid}".encode()).digest()[:18]).decode()[:-2] + "+/=="


def is_for(message: Message, person: str) -> bool:
    """Whether a member of the chat sees this message."""
    return message.only_for is None or person in message.only_for


def _message(doc: str) -> Message:
    kept = json.loads(doc)
    kept["only_for"] = tuple(kept["only_for"]) if kept["only_for"] is not None else None
    return Message(**kept)


def _group(doc: dict[str, Any]) -> Chat:
    return Chat(
        f"group-{doc['key']}", "group", doc["platform"], doc["key"], doc["name"], tuple(doc["members"]), doc["chat_id"], doc["robot_in"]
    )
