"""What people do in WeCom: write, send a picture, open the app, tap a card. Each becomes a callback to the bot.

Source: [doc 90239] messages, [doc 90240] events, [doc 90376/96468] template_card_event.
"""

from __future__ import annotations

import random
from typing import Any

from sandbox.chats import Chat, Message
from sandbox.company import Person
from sandbox.media import keep_media, sniff
from sandbox.neutral import Neutral
from sandbox.outcome import Outcome, not_sent
from sandbox.store import Doc
from sandbox.tap import NotOnTheCard, Tap, UnknownCard
from sandbox.wecom import cards, messages
from sandbox.wecom.api import Refused
from sandbox.wecom.callback import deliver
from sandbox.wecom.passive import replacement_card
from sandbox.world import World


def say(world: World, chat: Chat, person: Person, text: str) -> tuple[Message, Outcome]:
    """A text. Groups never reach a self-built application: app chats are push-only."""
    message = world.chats.add(Message(chat=chat.id, sender=person.key, kind="text", text=text))
    if chat.kind == "group":
        return message, not_sent("a WeCom application does not hear groups")
    return message, deliver_to_app(world, person, {"MsgType": "text", "Content": text, "MsgId": _msg_id(message)})


def send_picture(world: World, chat: Chat, person: Person, content: bytes, name: str) -> tuple[Message, Outcome]:
    """A picture; anything that is no picture is a file, which does not reach the application."""
    is_picture = sniff(content).startswith("image/")
    media_id = keep_media(world, content, "image" if is_picture else "file", name)
    known = {"media": media_id, "file_name": name}
    kind = "image" if is_picture else "file"
    message = world.chats.add(Message(chat=chat.id, sender=person.key, kind=kind, text="", content=known))
    if chat.kind == "group":
        return message, not_sent("a WeCom application does not hear groups")
    if not is_picture and not world.switches.on("wecom.files_reach_the_app"):
        return message, not_sent("a WeCom application is not told of files")
    event: Doc = {
        "MsgType": kind,
        "PicUrl": f"{world.base_url}/sandbox/media/{media_id}",
        "MediaId": media_id,
        "MsgId": _msg_id(message),
    }
    return message, deliver_to_app(world, person, event)


def enter(world: World, person: Person) -> Outcome:
    """The person opens the application's chat."""
    return deliver_to_app(world, person, {"MsgType": "event", "Event": "enter_agent", "EventKey": ""})


def tap(world: World, task_id: str, person: Person, wanted: Tap) -> Outcome:
    """Press on a card. Raises UnknownCard when nobody has such a card, NotOnTheCard when the phone does not show it."""
    copies = world.chats.of_card(f"wecom|{task_id}")
    if not copies:
        raise UnknownCard(task_id)
    chat = world.chats.private("wecom", person).id
    own = [copy for copy in copies if copy.chat == chat]
    copy = (own or copies)[-1]
    card = copy.raw["template_card"]
    shown = cards.show_card(card, task_id, copy.content)
    if not wanted.force:
        _check_shown(world, shown, wanted, bool(own), recalled=copy.recalled)
    ticked = wanted.ticked if wanted.ticked is not None else _checked(shown)
    selects = {select["key"]: select["selected"] for select in shown["selects"]} | wanted.selects
    if own:
        copy = world.chats.alter(copy, content=copy.content | {"ticked": ticked if card.get("checkbox") else None, "selected": selects})
    event = _tap_event(card, task_id, wanted, ticked, selects)
    event["ResponseCode"] = messages.new_code(world, copy.content["msgid"], tapper=person.key)
    return deliver_to_app(world, person, event, copy if own else None)


def show(message: Message) -> Neutral | Any | None:
    """The card of a message in the control API's shape."""
    card = message.raw.get("template_card")
    return cards.show_card(card, message.content.get("task_id"), message.content) if card else None


def deliver_to_app(world: World, person: Person, event: Doc, copy: Message | None = None) -> Outcome:
    """Add the common head and deliver; a passive reply is applied to that person's chat (and the tapped card)."""
    account = person.wecom
    if account is None or not account.visible or person.left:
        return not_sent("the person is outside the application's visible range")
    app = world.company.wecom
    head: Doc = {"ToUserName": app.corp_id, "FromUserName": account.userid, "CreateTime": int(world.clock.now().timestamp())}
    agent: Doc = {"AgentID": app.agent_id}
    selected = {"SelectedItems": event.pop("SelectedItems")} if "SelectedItems" in event else {}
    code = event.get("ResponseCode")
    return deliver(world, head | event | agent | selected, lambda reply: _apply_reply(world, person, reply, copy, code))


def _check_shown(world: World, shown: Neutral, wanted: Tap, is_own: bool, *, recalled: bool) -> None:
    if not is_own:
        raise NotOnTheCard("this person was not sent the card")
    if recalled:
        raise NotOnTheCard("the message was recalled")
    if wanted.submit:
        if shown["submit"] is None:
            raise NotOnTheCard("the card has nothing to submit")
        _check_ticks(world, shown, wanted)
    elif wanted.menu is not None:
        if wanted.menu not in [item["key"] for item in shown["menu"]]:
            raise NotOnTheCard(f"the card's menu has no {wanted.menu!r}")
    elif wanted.button not in [each["key"] for each in shown["buttons"] if each["key"] and not each["disabled"]]:
        raise NotOnTheCard(f"the card has no button {wanted.button!r}")
    for select in shown["selects"]:
        chosen = wanted.selects.get(select["key"])
        if chosen is not None and chosen not in [option["id"] for option in select["options"]]:
            raise NotOnTheCard(f"{select['key']} has no option {chosen!r}")


def _check_ticks(world: World, shown: Neutral, wanted: Tap) -> None:
    box = shown["checkboxes"]
    if box is None:
        if wanted.ticked:
            raise NotOnTheCard("the card has no checkboxes")
        return
    ids = [option["id"] for option in box["options"]]
    ticked = wanted.ticked if wanted.ticked is not None else _checked(shown)
    unknown = [each for each in ticked if each not in ids]
    if unknown:
        raise NotOnTheCard(f"the card has no option {unknown[0]!r}")
    if box["mode"] == "single" and len(ticked) != 1:
        raise NotOnTheCard("exactly one option of a single choice can be ticked")
    if not ticked and world.switches.text("wecom.empty_multi_vote") == "blocked":
        raise NotOnTheCard("nothing is ticked")


def _checked(shown: Neutral) -> list[str]:
    box = shown["checkboxes"]
    return [option["id"] for option in box["options"] if option["checked"]] if box else []


def _tap_event(card: Doc, task_id: str, wanted: Tap, ticked: list[str], selects: dict[str, str]) -> Doc:
    event: Doc = {"MsgType": "event", "Event": "template_card_event", "TaskId": task_id, "CardType": card["card_type"]}
    if wanted.menu is not None:
        return event | {"Event": "template_card_menu_event", "EventKey": wanted.menu}
    event["EventKey"] = (card.get("submit_button") or {}).get("key", "") if wanted.submit else wanted.button
    items = [_selected(card["checkbox"]["question_key"], ticked)] if card.get("checkbox") else []
    items += [_selected(key, [chosen]) for key, chosen in selects.items()]
    return event | ({"SelectedItems": {"SelectedItem": items}} if items else {})


def _selected(question: str, option_ids: list[str]) -> Doc:
    return {"QuestionKey": question, "OptionIds": {"OptionId": option_ids}}


def _apply_reply(world: World, person: Person, reply: Doc, copy: Message | None, code: str | None) -> str | None:
    """Do what the passive reply says, for the one who tapped or wrote; why not, or None [doc 90241]."""
    chat, kind = world.chats.private("wecom", person).id, reply.get("MsgType")
    match kind:
        case "text":
            text = first_2048_bytes(str(reply.get("Content") or ""))
            world.chats.add(Message(chat=chat, sender=None, kind="text", text=text, raw=reply))
        case "image" | "voice" | "video":
            part = reply.get(kind.capitalize()) or {}
            content = {"media": part.get("MediaId")}
            world.chats.add(Message(chat=chat, sender=None, kind=kind, text=part.get("Title") or "", content=content, raw=reply))
        case "news":
            articles = _articles(reply)
            text = articles[0]["title"] if articles else ""
            world.chats.add(Message(chat=chat, sender=None, kind="news", text=text, content={"articles": articles}, raw=reply))
        case "update_button" | "update_template_card":
            return _apply_card_reply(world, reply, copy, code)
        case _:
            return f"a passive reply of type {kind!r} is not known"
    return None


def _apply_card_reply(world: World, reply: Doc, copy: Message | None, code: str | None) -> str | None:
    if copy is None:
        return "a card reply is an answer to a tap on one's own card"
    current = world.chats.of_card(copy.card or "")
    copy = next(each for each in current if each.seq == copy.seq)
    if reply["MsgType"] == "update_button":
        change: Doc = {"button": {"replace_name": (reply.get("Button") or {}).get("ReplaceName")}}
    else:
        change = {"template_card": replacement_card(reply.get("TemplateCard") or {})}
    try:
        warnings = messages.check_replacement(world, change, copy.raw["template_card"])
    except Refused as refused:
        return f"the card reply was not used: {refused.text}"
    for text in warnings:
        world.ledger.warn("wecom", f"passive reply: {text}")
    messages.change_copy(world, copy, change)
    if code and world.switches.on("wecom.passive_update_consumes_code"):
        world.store.put(messages.CODES, code, (world.store.get(messages.CODES, code) or {}) | {"used": True})
    return None


def first_2048_bytes(text: str) -> str:
    """A passive text is cut at 2048 bytes [doc 90241]."""
    return text.encode()[:2048].decode(errors="ignore")


def _articles(reply: Doc) -> list[Doc]:
    items = (reply.get("Articles") or {}).get("item") or []
    items = items if isinstance(items, list) else [items]
    names = {"title": "Title", "description": "Description", "url": "Url", "picture": "PicUrl"}
    return [{name: item.get(tag) or "" for name, tag in names.items()} for item in items]


def _msg_id(message: Message) -> str:
    """A 64-bit id that does not grow by one, so that nobody counts on it."""
    return str((message.seq << 20) + random.Random(message.seq).getrandbits(20) + (7 << 58))
