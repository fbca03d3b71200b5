"""Who is asking: the person whose phone opened the page (cookie set by /sandbox/open), or a choice of persons."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from flask import request

from sandbox.company import Person, Platform
from sandbox.world import World

COOKIE = "sandbox_phone"
QUERY_NAME = "sandbox_person"


def asking_person(world: World, platform: Platform) -> Person | None:
    """From `?sandbox_person=KEY`, else from the cookie; None when neither names somebody on this platform."""
    key = request.args.get(QUERY_NAME)
    if key is None:
        cookie_platform, _, key = request.cookies.get(COOKIE, "").partition("|")
        if cookie_platform != platform:
            return None
    person = world.directory.get(key)
    return person if person and person.account(platform) and not person.left else None


def choice_page(world: World, platform: Platform, title: str) -> str:
    """A page that asks as whom to go on, with one link for each person."""
    links = []
    for person in world.directory:
        if person.account(platform) and not person.left:
            address = f"{request.path}?{urlencode([*request.args.items(multi=True), (QUERY_NAME, person.key)])}"
            links.append(f'<li><a href="{escape(address)}">{escape(person.name)} · {escape(person.position)}</a></li>')
    head = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f"{head}<title>{escape(title)}</title><h1>{escape(title)}</h1><p>以谁的身份打开?</p><ul>{''.join(links)}</ul></html>"
