"""The one shape in which the control API shows cards of both platforms (schema Card of docs/sandbox-openapi.yaml)."""

from __future__ import annotations

from typing import Any

Neutral = dict[str, Any]


def blank_card() -> Neutral:
    """A card with nothing on it."""
    return {
        "card_id": None,
        "tappable": False,
        "title": "",
        "subtitle": "",
        "source": None,
        "body": [],
        "body_markdown": None,
        "emphasis": None,
        "quote": None,
        "picture": None,
        "url": None,
        "checkboxes": None,
        "fields": [],
        "selects": [],
        "buttons": [],
        "submit": None,
        "menu": [],
        "links": [],
        "state_text": None,
    }


def button(text: str, *, key: str = "", url: str | None = None, style: str = "normal", disabled: bool = False) -> Neutral:
    """A button; one with a URL opens a page and has no key."""
    return {"key": key, "text": text, "style": style, "url": url, "disabled": disabled}


def with_tappable(card: Neutral) -> Neutral:
    """The same card with `tappable` told from what can still be pressed."""
    pressable = any(each["key"] and not each["disabled"] for each in card["buttons"])
    submit = card["submit"] is not None and not card["submit"]["disabled"]
    return {**card, "tappable": bool(card["card_id"]) and (pressable or submit or bool(card["menu"]))}
