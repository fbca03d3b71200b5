"""People, platforms and chats by what a request names; a Problem when there is none."""

from __future__ import annotations

from flask import request

from sandbox.chats import Chat
from sandbox.company import PLATFORMS, Person, Platform
from sandbox.problems import Problem
from sandbox.world import World


def person_of(world: World, key: str | None) -> Person:
    """By key. Raises Problem 404."""
    person = world.directory.get(key) if key else None
    if person is None:
        raise Problem(404, "unknown-person", f"nobody has the key {key!r}")
    return person


def platform_of() -> Platform:
    """The query's platform. Raises Problem 400."""
    wanted = request.args.get("platform")
    for platform in PLATFORMS:
        if platform == wanted:
            return platform
    raise Problem(400, "bad-query", "platform is wecom or dingtalk")


def chat_of(world: World, chat_id: str, key: str | None) -> tuple[Chat, Person]:
    """A chat and one of its members. Raises Problem 404."""
    chat, person = world.chats.find(chat_id), person_of(world, key)
    if chat is None or person.key not in chat.members:
        raise Problem(404, "unknown-chat", f"{person.key} has no chat {chat_id}")
    return chat, person


def first_phone(world: World, platform: Platform) -> Person:
    """Whose phone of that platform the page shows first. Raises Problem 404 when nobody is there."""
    keys = [phone.person for phone in world.company.phones if phone.platform == platform]
    keys += [person.key for person in world.directory.visible(platform)]
    if not keys:
        raise Problem(404, "unknown-person", f"nobody is on {platform}")
    return person_of(world, keys[0])
