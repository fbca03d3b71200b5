"""Template cards: what a card may contain, and what a phone shows of it.

Source: [doc 90236] message/send, the table of every card type; where the page is silent see doubts.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.neutral import Neutral, blank_card, button, with_tappable

Card = dict[str, Any]

INTERACTIVE = {"button_interaction", "vote_interaction", "multiple_interaction"}
BAD_PARAMETER, EMPTY, NO_TITLE, URL_TOO_LONG, BAD_TYPE = 40058, 40063, 41016, 40039, 40008
TASK_ID = re.compile(r"[A-Za-z0-9_\-@]+")

# Which field a card type documents [doc 90236].
FIELDS = {
    "text_notice": {
        "source", "action_menu", "main_title", "quote_area", "emphasis_content", "sub_title_text",
        "horizontal_content_list", "jump_list", "card_action",
    },
    "news_notice": {
        "source", "action_menu", "main_title", "quote_area", "vertical_content_list", "horizontal_content_list",
        "jump_list", "card_action", "card_image", "image_text_area",
    },
    "button_interaction": {
        "source", "action_menu", "main_title", "quote_area", "sub_title_text", "horizontal_content_list",
        "card_action", "button_selection", "button_list",
    },
    "vote_interaction": {"source", "main_title", "checkbox", "submit_button"},
    "multiple_interaction": {"source", "main_title", "select_list", "submit_button"},
}  # fmt: skip
REQUIRED = {
    "text_notice": ("card_action",),
    "news_notice": ("main_title", "card_action"),
    "button_interaction": ("main_title", "button_list"),
    "vote_interaction": ("main_title", "checkbox", "submit_button"),
    "multiple_interaction": ("main_title", "select_list", "submit_button"),
}
# Lists with their greatest length; the least is 0 for the optional ones and 1 for what a tap needs.
COUNTS = {
    "horizontal_content_list": (0, 6),
    "vertical_content_list": (0, 4),
    "jump_list": (0, 3),
    "button_list": (1, 6),
    "select_list": (1, 3),
}
MOST_MENU_ITEMS, MOST_VOTE_OPTIONS, MOST_SELECT_OPTIONS = 3, 20, 10
LONGEST_KEY, LONGEST_OPTION_ID, LONGEST_TASK_ID, LONGEST_URL = 1024, 128, 128, 1024
# Longer texts are shown cut; characters, not bytes.
ADVISED = {
    "source.desc": 20, "main_title.title": 36, "main_title.desc": 44, "emphasis_content.title": 14, "emphasis_content.desc": 22,
    "sub_title_text": 160, "horizontal_content_list.keyname": 5, "horizontal_content_list.value": 30,
    "vertical_content_list.title": 38, "vertical_content_list.desc": 160, "jump_list.title": 18, "button_list.text": 10,
    "submit_button.text": 10, "select_list.title": 13, "option_list.text": 17,
}  # fmt: skip


@dataclass
class Findings:
    """What is wrong with a card. `errors` are (errcode, text), the first one is answered; `warnings` are not."""

    errors: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)

    def wrong(self, text: str, errcode: int = BAD_PARAMETER) -> None:
        """Something the platform refuses."""
        self.errors.append((errcode, text))


def takes_callbacks(card: Card) -> bool:
    """Whether the card can send an event: these get a response_code and can be updated [doc 94945]."""
    return card.get("card_type") in INTERACTIVE or bool(card.get("action_menu"))


def check_card(card: object, *, replacing: bool = False) -> Findings:
    """Everything the page says about a card.

    `replacing`: the card of an update, which has no task_id and may carry replace_text and disable flags [doc 94888].
    """
    found = Findings()
    if not isinstance(card, dict) or not card:
        found.wrong("template_card is missing", EMPTY)
        return found
    kind = card.get("card_type")
    if not isinstance(kind, str) or kind not in FIELDS:
        found.wrong(f"card_type {kind!r} is unknown")
        return found
    _check_fields(card, kind, replacing, found)
    _check_text(card.get("replace_text"), "replace_text", found)
    _check_task_id(card, kind, replacing, found)
    for name, check in _CHECKS.items():
        value = card.get(name)
        if value is None:
            continue
        if name != "sub_title_text" and not isinstance(value, list if name in COUNTS else dict):
            found.wrong(f"{name} is {'a list' if name in COUNTS else 'an object'}")
            continue
        check(value, found)
    if kind in ("text_notice", "news_notice"):
        _check_card_action_is_there(card, found)
    return found


def _check_fields(card: Card, kind: str, replacing: bool, found: Findings) -> None:
    always = {"card_type", "task_id", "replace_text"} if replacing else {"card_type", "task_id"}
    found.surplus += [name for name in card if name not in FIELDS[kind] | always]
    for name in REQUIRED[kind]:
        if not card.get(name):
            found.wrong(f"{kind} needs {name}", EMPTY)
    main_title = card.get("main_title")
    title = main_title.get("title") if isinstance(main_title, dict) else None
    if kind == "text_notice" and not title and not card.get("sub_title_text"):
        found.wrong("text_notice needs main_title.title or sub_title_text", NO_TITLE)
    elif kind != "text_notice" and not title:
        found.wrong(f"{kind} needs main_title.title", NO_TITLE)
    if kind == "news_notice" and not card.get("card_image") and not card.get("image_text_area"):
        found.wrong("news_notice needs card_image or image_text_area", EMPTY)
    for name, (least, most) in COUNTS.items():
        items = card.get(name)
        if isinstance(items, list) and len(_objects(items)) != len(items):
            found.wrong(f"{name} is a list of objects")
        elif isinstance(items, list) and not least <= len(items) <= most:
            found.wrong(f"{name} has {len(items)} entries, {least} to {most} are allowed")


def _check_task_id(card: Card, kind: str, replacing: bool, found: Findings) -> None:
    task_id = card.get("task_id")
    if task_id is None:
        if not replacing and takes_callbacks(card):
            found.wrong(f"{kind} needs task_id", EMPTY)
        return
    if not isinstance(task_id, str) or not TASK_ID.fullmatch(task_id) or len(task_id.encode()) > LONGEST_TASK_ID:
        found.wrong(f"task_id is 1 to {LONGEST_TASK_ID} bytes of letters, digits, _ - @")


def _check_card_action_is_there(card: Card, found: Findings) -> None:
    action = card.get("card_action")
    if isinstance(action, dict) and action.get("type") not in (1, 2):
        found.wrong("card_action.type is 1 or 2 on a notice card")


def _check_text(value: object, name: str, found: Findings, *, needed: bool = False) -> None:
    if value is None or value == "":
        if needed:
            found.wrong(f"{name} is missing", EMPTY)
        return
    if not isinstance(value, str):
        found.wrong(f"{name} is a string, not {type(value).__name__}")
    elif len(value) > ADVISED.get(name, len(value)):
        found.too_long.append(f"{name} has {len(value)} characters, {ADVISED[name]} are shown")


def _check_key(value: object, name: str, found: Findings, longest: int = LONGEST_KEY) -> None:
    if not isinstance(value, str) or not value:
        found.wrong(f"{name} is a string that is not empty", EMPTY)
    elif len(value.encode()) > longest:
        found.wrong(f"{name} is longer than {longest} bytes")


def _check_unique(values: list[Any], name: str, found: Findings) -> None:
    if len(values) != len({str(value) for value in values}):
        found.wrong(f"{name} is used twice")


def _check_one_of(value: object, allowed: tuple[Any, ...], name: str, found: Findings) -> None:
    if value is not None and value not in allowed:
        found.wrong(f"{name} is one of {allowed}, not {value!r}")


def _check_url(value: object, name: str, found: Findings) -> None:
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        found.wrong(f"{name} is a URL with its scheme")
    elif len(value.encode()) > LONGEST_URL:
        found.wrong(f"{name} is longer than {LONGEST_URL} bytes", URL_TOO_LONG)


def _check_jump(value: Card, name: str, types: tuple[int, ...], found: Findings) -> None:
    """The type that says where a tap leads: 0 nowhere, 1 a URL, 2 a mini program."""
    _check_one_of(value.get("type"), types, f"{name}.type", found)
    if value.get("type") == 1:
        _check_url(value.get("url"), f"{name}.url", found)
    if value.get("type") == 2 and not value.get("appid"):
        found.wrong(f"{name}.appid is missing", EMPTY)


def _check_source(source: Card, found: Findings) -> None:
    _check_text(source.get("desc"), "source.desc", found)
    _check_text(source.get("icon_url"), "source.icon_url", found)
    _check_one_of(source.get("desc_color"), (0, 1, 2, 3), "source.desc_color", found)


def _check_menu(menu: Card, found: Findings) -> None:
    items = menu.get("action_list")
    if not isinstance(items, list) or not 1 <= len(_objects(items)) == len(items) <= MOST_MENU_ITEMS:
        found.wrong(f"action_menu.action_list has 1 to {MOST_MENU_ITEMS} entries, all of them objects")
        return
    for item in _objects(items):
        _check_text(item.get("text"), "action_list.text", found, needed=True)
        _check_key(item.get("key"), "action_list.key", found)
    _check_unique([item.get("key") for item in _objects(items)], "action_list.key", found)


def _check_main_title(title: Card, found: Findings) -> None:
    _check_text(title.get("title"), "main_title.title", found)
    _check_text(title.get("desc"), "main_title.desc", found)


def _check_quote(quote: Card, found: Findings) -> None:
    _check_jump(quote, "quote_area", (0, 1, 2), found)
    _check_text(quote.get("title"), "quote_area.title", found)
    _check_text(quote.get("quote_text"), "quote_area.quote_text", found)


def _check_emphasis(emphasis: Card, found: Findings) -> None:
    _check_text(emphasis.get("title"), "emphasis_content.title", found)
    _check_text(emphasis.get("desc"), "emphasis_content.desc", found)


def _check_horizontal(items: list[Card], found: Findings) -> None:
    for item in _objects(items):
        _check_text(item.get("keyname"), "horizontal_content_list.keyname", found, needed=True)
        _check_text(item.get("value"), "horizontal_content_list.value", found)
        _check_one_of(item.get("type"), (0, 1, 2, 3), "horizontal_content_list.type", found)
        if item.get("type") == 1:
            _check_url(item.get("url"), "horizontal_content_list.url", found)
        if item.get("type") == 2 and not item.get("media_id"):
            found.wrong("horizontal_content_list.media_id is missing", EMPTY)
        if item.get("type") == 3 and not item.get("userid"):
            found.wrong("horizontal_content_list.userid is missing", EMPTY)


def _check_vertical(items: list[Card], found: Findings) -> None:
    for item in _objects(items):
        _check_text(item.get("title"), "vertical_content_list.title", found, needed=True)
        _check_text(item.get("desc"), "vertical_content_list.desc", found)


def _check_jumps(items: list[Card], found: Findings) -> None:
    for item in _objects(items):
        _check_text(item.get("title"), "jump_list.title", found, needed=True)
        _check_jump(item, "jump_list", (0, 1, 2), found)


def _check_buttons(items: list[Card], found: Findings) -> None:
    keys = []
    for item in _objects(items):
        _check_text(item.get("text"), "button_list.text", found, needed=True)
        _check_one_of(item.get("type"), (0, 1), "button_list.type", found)
        _check_one_of(item.get("style"), (1, 2, 3, 4), "button_list.style", found)
        if item.get("type", 0) == 1:
            _check_url(item.get("url"), "button_list.url", found)
        else:
            _check_key(item.get("key"), "button_list.key", found)
            keys.append(item.get("key"))
    _check_unique(keys, "button_list.key", found)


def _check_options(options: object, name: str, most: int, found: Findings) -> None:
    if not isinstance(options, list) or not 1 <= len(_objects(options)) == len(options) <= most:
        found.wrong(f"{name} has 1 to {most} entries, all of them objects")
        return
    for option in _objects(options):
        _check_key(option.get("id"), f"{name}.id", found, LONGEST_OPTION_ID)
        _check_text(option.get("text"), "option_list.text", found, needed=True)
    _check_unique([option.get("id") for option in _objects(options)], f"{name}.id", found)


def _check_checkbox(box: Card, found: Findings) -> None:
    _check_key(box.get("question_key"), "checkbox.question_key", found)
    _check_one_of(box.get("mode"), (0, 1), "checkbox.mode", found)
    options = box.get("option_list")
    _check_options(options, "checkbox.option_list", MOST_VOTE_OPTIONS, found)
    for option in _objects(options):
        if not isinstance(option.get("is_checked", False), bool):
            found.wrong("checkbox.option_list.is_checked is true or false")
    if box.get("mode", 0) == 0 and sum(bool(option.get("is_checked")) for option in _objects(options)) > 1:
        found.wrong("a single-choice checkbox has at most one option checked")


def _check_select(select: Card, name: str, found: Findings) -> None:
    _check_key(select.get("question_key"), f"{name}.question_key", found)
    _check_text(select.get("title"), f"{name}.title", found)
    _check_options(select.get("option_list"), f"{name}.option_list", MOST_SELECT_OPTIONS, found)


def _check_selects(selects: list[Card], found: Findings) -> None:
    for select in _objects(selects):
        _check_select(select, "select_list", found)
    _check_unique([select.get("question_key") for select in _objects(selects)], "select_list.question_key", found)


def _check_submit(submit: Card, found: Findings) -> None:
    _check_text(submit.get("text"), "submit_button.text", found)
    _check_key(submit.get("key"), "submit_button.key", found)


def _check_picture(picture: Card, found: Findings) -> None:
    _check_url(picture.get("url"), "card_image.url", found)
    ratio = picture.get("aspect_ratio", 1.3)
    if not isinstance(ratio, int | float) or not 1.3 <= ratio < 2.25:
        found.wrong("card_image.aspect_ratio is between 1.3 and 2.25")


def _check_picture_text(area: Card, found: Findings) -> None:
    _check_url(area.get("image_url"), "image_text_area.image_url", found)
    _check_jump(area, "image_text_area", (0, 1, 2), found)


def _objects(items: object) -> list[Card]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


_CHECKS: dict[str, Callable[[Any, Findings], None]] = {
    "source": _check_source,
    "action_menu": _check_menu,
    "main_title": _check_main_title,
    "quote_area": _check_quote,
    "emphasis_content": _check_emphasis,
    "sub_title_text": lambda text, found: _check_text(text, "sub_title_text", found),
    "horizontal_content_list": _check_horizontal,
    "vertical_content_list": _check_vertical,
    "jump_list": _check_jumps,
    "card_action": lambda action, found: _check_jump(action, "card_action", (0, 1, 2), found),
    "card_image": _check_picture,
    "image_text_area": _check_picture_text,
    "button_list": _check_buttons,
    "button_selection": lambda select, found: _check_select(select, "button_selection", found),
    "checkbox": _check_checkbox,
    "select_list": _check_selects,
    "submit_button": _check_submit,
}

# ---- what a phone shows

STYLES = {1: "primary", 2: "danger", 3: "normal", 4: "grey"}


def show_card(card: Card, task_id: str | None, state: dict[str, Any]) -> Neutral:
    """The card in the control API's shape.

    `state`: `greyed` (text of the greyed button or None), `ticked` (option ids the person submitted, or None),
    `selected` (drop-down key to option id).
    """
    greyed: str | None = state.get("greyed") or card.get("replace_text")
    title = card.get("main_title") or {}
    shown = blank_card() | {
        "card_id": task_id,
        "title": title.get("title") or "",
        "subtitle": title.get("desc") or "",
        "source": _shown_source(card.get("source")),
        "body": _shown_body(card),
        "emphasis": _shown_emphasis(card.get("emphasis_content")),
        "quote": _shown_quote(card.get("quote_area")),
        "picture": (card.get("card_image") or {}).get("url") or (card.get("image_text_area") or {}).get("image_url"),
        "url": (card.get("card_action") or {}).get("url"),
        "checkboxes": _shown_checkbox(card.get("checkbox"), state.get("ticked"), bool(greyed)),
        "selects": _shown_selects(card, state.get("selected") or {}, bool(greyed)),
        "buttons": _shown_buttons(card.get("button_list") or [], bool(greyed)),
        "submit": _shown_submit(card.get("submit_button"), bool(greyed)),
        "menu": [{"key": item["key"], "text": item["text"]} for item in (card.get("action_menu") or {}).get("action_list", [])],
        "links": [{"text": item["title"], "url": item["url"]} for item in card.get("jump_list") or [] if item.get("url")],
        "state_text": greyed,
    }
    return with_tappable(shown)


def _shown_source(source: Card | None) -> Neutral | None:
    if not source:
        return None
    return {"text": source.get("desc") or "", "icon_url": source.get("icon_url"), "color": source.get("desc_color") or 0}


def _shown_body(card: Card) -> list[Neutral]:
    area = card.get("image_text_area") or {}
    texts = [text for text in (card.get("sub_title_text"), area.get("title"), area.get("desc")) if text]
    lines: list[Neutral] = [{"text": text} for text in texts]
    for item in card.get("horizontal_content_list") or []:
        line = {"label": item.get("keyname") or "", "value": item.get("value") or ""}
        lines.append(line | ({"url": item["url"]} if item.get("url") else {}))
    lines += [{"label": item.get("title") or "", "value": item.get("desc") or ""} for item in card.get("vertical_content_list") or []]
    return lines


def _shown_emphasis(emphasis: Card | None) -> Neutral | None:
    return {"title": emphasis.get("title") or "", "text": emphasis.get("desc") or ""} if emphasis else None


def _shown_quote(quote: Card | None) -> Neutral | None:
    if not quote:
        return None
    return {"title": quote.get("title") or "", "text": quote.get("quote_text") or "", "url": quote.get("url")}


def _shown_checkbox(box: Card | None, ticked: list[str] | None, greyed: bool) -> Neutral | None:
    if not box:
        return None
    options = [
        {
            "id": str(option["id"]),
            "text": option["text"],
            "checked": option["id"] in ticked if ticked is not None else bool(option.get("is_checked")),
        }
        for option in box["option_list"]
    ]
    mode = "multi" if box.get("mode", 0) == 1 else "single"
    return {"key": box["question_key"], "label": "", "mode": mode, "options": options, "disabled": greyed or bool(box.get("disable"))}


def _shown_selects(card: Card, selected: dict[str, str], greyed: bool) -> list[Neutral]:
    selects = [*(card.get("select_list") or []), *([card["button_selection"]] if card.get("button_selection") else [])]
    return [
        {
            "key": select["question_key"],
            "title": select.get("title") or "",
            "selected": selected.get(select["question_key"]) or _preselected(select),
            "options": [{"id": option["id"], "text": option["text"]} for option in select["option_list"]],
            "disabled": greyed or bool(select.get("disable")),
        }
        for select in selects
    ]


def _preselected(select: Card) -> str:
    ids = [str(option["id"]) for option in select["option_list"]]
    chosen = select.get("selected_id")
    return chosen if chosen in ids else ids[0]


def _shown_buttons(buttons: list[Card], greyed: bool) -> list[Neutral]:
    shown = []
    for each in buttons:
        if each.get("type", 0) == 1:
            shown.append(button(each["text"], url=each["url"], style=STYLES[each.get("style") or 1]))
        elif not greyed:
            shown.append(button(each["text"], key=each["key"], style=STYLES[each.get("style") or 1]))
    return shown


def _shown_submit(submit: Card | None, greyed: bool) -> Neutral | None:
    return {"key": submit["key"], "text": submit.get("text") or "提交", "disabled": False} if submit and not greyed else None
