"""The message types other than template cards: what they may contain [doc 90236 / 90248], and what a phone shows."""

from __future__ import annotations

from typing import Any

from sandbox.media import MEDIA
from sandbox.neutral import blank_card, button
from sandbox.store import Doc
from sandbox.wecom.api import Call, Refused
from sandbox.wecom.media import alive
from sandbox.world import World

LONGEST_TEXT, LONGEST_TITLE, LONGEST_DESCRIPTION, LONGEST_URL = 2048, 128, 512, 2048
MOST_ARTICLES = 8
TO_PEOPLE = {"text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown", "template_card"}
TO_GROUPS = TO_PEOPLE - {"template_card"}


def check_body(call: Call, types: set[str] = TO_PEOPLE) -> None:
    """Refuse a wrong body; cut texts where the platform cuts them (in place)."""
    kind = call.body.get("msgtype")
    if kind not in types:
        raise Refused(40008, f"invalid message type {kind!r}")
    part = call.body.get(kind)
    if not isinstance(part, dict) or not part:
        raise Refused(44004 if kind == "text" else 40063, f"{kind} is empty")
    match kind:
        case "text":
            _cut(call, part, "content", LONGEST_TEXT, needed=44004)
        case "markdown":
            _check_markdown(call, part)
        case "textcard":
            _check_textcard(call, part)
        case "news" | "mpnews":
            _check_articles(call, part, kind)
        case "image" | "voice" | "video" | "file":
            _check_media(call.world, part, kind)
            _cut(call, part, "title", LONGEST_TITLE)
            _cut(call, part, "description", LONGEST_DESCRIPTION)
        case _:
            pass


def show_body(raw: Doc) -> tuple[str, str, dict[str, Any]]:
    """(kind, text, content) of the control API for a message that was accepted."""
    kind = raw["msgtype"]
    part = raw[kind]
    match kind:
        case "text" | "markdown":
            return kind, part["content"], {}
        case "textcard":
            return "action_card", part["title"], {"url": part["url"]}
        case "news" | "mpnews":
            return "news", part["articles"][0]["title"], {"articles": [_article(each) for each in part["articles"]]}
        case "template_card":
            title = (part.get("main_title") or {}).get("title") or part.get("sub_title_text") or ""
            return "card", title, {}
        case _:
            return kind, part.get("title") or "", {"media": part["media_id"]}


def show_textcard(raw: Doc) -> dict[str, Any]:
    """A textcard in the control API's card shape; its description may hold <div class> and <br>."""
    part = raw["textcard"]
    more = button(part.get("btntxt") or "详情", url=part["url"], style="primary")
    shown = {"title": part["title"], "body_markdown": part["description"], "url": part["url"], "buttons": [more]}
    return blank_card() | shown


def cut_bytes(text: str, longest: int) -> str:
    """At most `longest` bytes of UTF-8, whole characters."""
    return text.encode()[:longest].decode(errors="ignore")


def _cut(call: Call, part: Doc, name: str, longest: int, needed: int | None = None) -> None:
    text = part.get(name)
    if not text:
        if needed is not None:
            raise Refused(needed, f"{name} is empty")
        return
    if not isinstance(text, str):
        raise Refused(40058, f"{name} is a string")
    if len(text.encode()) > longest:
        call.warn(f"{name} was cut to {longest} bytes")
        part[name] = cut_bytes(text, longest)


def _check_markdown(call: Call, part: Doc) -> None:
    text = part.get("content")
    if not isinstance(text, str) or not text:
        raise Refused(44004, "content is empty")
    if len(text.encode()) > LONGEST_TEXT and call.world.switches.text("wecom.markdown_too_long") == "refuse":
        raise Refused(45002, "content size out of limit")
    _cut(call, part, "content", LONGEST_TEXT)


def _check_textcard(call: Call, part: Doc) -> None:
    _cut(call, part, "title", LONGEST_TITLE, needed=41016)
    _cut(call, part, "description", LONGEST_DESCRIPTION, needed=40063)
    url = part.get("url")
    if not isinstance(url, str) or "://" not in url:
        raise Refused(40058, "textcard.url needs a scheme")
    if len(url.encode()) > LONGEST_URL:
        raise Refused(40039, "url too long")
    if len(part.get("btntxt") or "") > 4:
        call.warn("btntxt has more than 4 characters")


def _check_articles(call: Call, part: Doc, kind: str) -> None:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refused(40063, "articles is empty")
    if len(articles) > MOST_ARTICLES:
        raise Refused(45008, f"more than {MOST_ARTICLES} articles")
    if kind == "news" and call.body.get("safe") == 1:
        raise Refused(40074, "news does not support safe")
    for article in articles:
        _cut(call, article, "title", LONGEST_TITLE, needed=41016)
        _cut(call, article, "description", LONGEST_DESCRIPTION)
        if kind == "news" and not (article.get("url") or article.get("appid")):
            raise Refused(40063, "an article needs url or appid")


def _check_media(world: World, part: Doc, kind: str) -> None:
    media_id = part.get("media_id")
    if not media_id:
        raise Refused(41006, "media_id missing")
    kept = world.store.get(MEDIA, str(media_id))
    if kept is None or not alive(world, kept):
        raise Refused(40007, "invalid media_id")
    if kept["type"] != kind:
        raise Refused(40004, f"the media is a {kept['type']}")


def _article(article: Doc) -> Doc:
    picture = article.get("picurl")
    return {"title": article["title"], "description": article.get("description") or "", "url": article.get("url"), "picture": picture}
