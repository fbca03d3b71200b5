"""The simulated DingTalk as one object: what its modules share beyond the world."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from sandbox.chats import Chat
from sandbox.company import Person, opaque
from sandbox.dingtalk.gateway import Gateway
from sandbox.dingtalk.template import CardSpec
from sandbox.store import Doc
from sandbox.world import CALLBACK_SETTINGS, World


@dataclass(frozen=True)
class DingTalk:
    """`open_taps` counts, by outTrackId, the card callbacks that wait for their answer."""

    world: World
    gateway: Gateway
    spec: CardSpec | None
    open_taps: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def callback(self) -> Doc:
        """How robot messages and events reach the bot: mode, url, event_url, token, encoding_aes_key, owner_key."""
        return self.world.store.get(CALLBACK_SETTINGS, "dingtalk") or {"mode": "stream", "url": None, "event_url": None}

    def union_id(self, person: Person) -> str:
        """The same person's id across apps of one developer."""
        return "uni" + opaque("union", self.world.company.dingtalk.corp_id, person.key)

    def user(self, wanted: str, id_type: int = 1) -> Person | None:
        """By userId (1) or unionId (2); only who is here and visible."""
        directory = self.world.directory
        if id_type == 1:
            return directory.reachable("dingtalk", wanted)
        return next((person for person in directory.visible("dingtalk") if self.union_id(person) == wanted), None)

    def private_chat(self, person: Person) -> Chat:
        """The chat of the person with the robot."""
        return self.world.chats.private("dingtalk", person)
