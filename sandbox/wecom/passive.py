"""The card of a passive update_template_card: CamelCase XML back into the JSON card.

The page gives headings only [doc 90241]; the element names are taken as the JSON names without underscores and with
capitals, lists as repeated elements [mem]. See doubts.py.
"""

from __future__ import annotations

from typing import Any

from sandbox.store import Doc

LISTS = {
    "horizontal_content_list", "vertical_content_list", "jump_list", "button_list", "select_list", "option_list", "action_list",
}  # fmt: skip
NUMBERS = {"type", "style", "desc_color", "mode", "aspect_ratio"}
BOOLEANS = {"is_checked", "disable"}
NAMES = (
    LISTS | NUMBERS | BOOLEANS
    | {
        "card_type", "source", "icon_url", "desc", "action_menu", "text", "key", "task_id", "main_title", "title", "quote_area",
        "url", "appid", "pagepath", "quote_text", "emphasis_content", "sub_title_text", "keyname", "value", "media_id", "userid",
        "card_action", "card_image", "image_text_area", "image_url", "button_selection", "question_key", "selected_id", "id",
        "checkbox", "submit_button", "replace_text",
    }
)  # fmt: skip
BY_TAG = {name.replace("_", ""): name for name in NAMES}


def replacement_card(fields: Doc) -> Doc:
    """The JSON card of the XML fields; unknown elements keep their name and are then refused as surplus."""
    return {name: _value(name, value) for name, value in ((BY_TAG.get(tag.lower(), tag), value) for tag, value in fields.items())}


def _value(name: str, value: Any) -> Any:
    if name in LISTS:
        items = value if isinstance(value, list) else [value]
        return [replacement_card(item) for item in items if isinstance(item, dict)]
    if isinstance(value, dict):
        return replacement_card(value)
    if name in BOOLEANS:
        return str(value).lower() in ("1", "true")
    if name in NUMBERS and value is not None:
        return float(value) if "." in str(value) else int(value)
    return value or ""
