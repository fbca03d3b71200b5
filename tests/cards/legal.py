"""What the platforms accept, written from their pages and not from `cards/limits.py`; every drawn card is held against it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

TEMPLATE = json.loads((Path(__file__).parents[2] / "cards/platform/dingtalk/template.json").read_text("utf-8"))
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def utf8(text: str) -> int:
    """Also shows that the text can be sent at all: a lone surrogate raises."""
    return len(text.encode())


def check_text(text: str, *, least: int = 1, chars: int | None = None, size: int | None = None) -> None:
    assert least <= len(text), "blank"
    assert not _CONTROL.search(text)
    assert chars is None or len(text) <= chars, (len(text), chars)
    assert size is None or utf8(text) <= size, (utf8(text), size)


def check_wecom_message(body: dict[str, Any]) -> None:
    """message/send, wecom.md §5 and §6."""
    assert json.loads(json.dumps(body, ensure_ascii=False).encode()) == body
    assert body.get("enable_duplicate_check", 0) == (body["msgtype"] != "text")
    assert body.get("duplicate_check_interval", 1) <= 14_400
    assert isinstance(body["agentid"], int)
    if body["msgtype"] == "image":
        check_text(body["image"]["media_id"])
        return
    if body["msgtype"] == "text":
        check_text(body["text"]["content"], size=2048)
        assert not re.search(r"<\s*a\b", body["text"]["content"], re.IGNORECASE)
        return
    assert body["msgtype"] == "template_card"
    card = body["template_card"]
    assert re.fullmatch(r"[A-Za-z0-9_\-@]{1,128}", card["task_id"])
    assert "replace_text" not in card
    assert "disable" not in card.get("checkbox", {})
    _check_wecom_card(card)


def check_wecom_replacement(body: dict[str, Any]) -> None:
    """update_template_card, wecom.md §7 mode B."""
    assert json.loads(json.dumps(body, ensure_ascii=False).encode()) == body
    assert set(body) == {"userids", "agentid", "response_code", "template_card"}
    assert "task_id" not in body["template_card"]
    _check_wecom_card(body["template_card"])


def _check_wecom_card(card: dict[str, Any]) -> None:
    common = {"card_type", "task_id", "main_title", "replace_text"}
    check_text(card["main_title"]["title"], chars=36)
    if "desc" in card["main_title"]:
        check_text(card["main_title"]["desc"], chars=44)
    if "replace_text" in card:
        check_text(card["replace_text"], chars=10)
    if card["card_type"] == "vote_interaction":
        assert set(card) <= common | {"checkbox", "submit_button"}
        _check_boxes(card)
    else:
        assert card["card_type"] == "button_interaction"
        assert set(card) <= common | {"quote_area", "sub_title_text", "horizontal_content_list", "button_list", "card_action"}
        if "card_action" in card:
            assert card["card_action"]["type"] == 1
            assert card["card_action"]["url"].startswith("https://")
        _check_buttons(card)


def _check_boxes(card: dict[str, Any]) -> None:
    box = card["checkbox"]
    assert set(box) <= {"question_key", "mode", "option_list", "disable"}
    assert box["mode"] == 1
    options = box["option_list"]
    assert 1 <= len(options) <= 20
    assert len({option["id"] for option in options}) == len(options)
    for option in options:
        check_text(option["id"], size=128)
        check_text(option["text"], chars=17)
        assert isinstance(option["is_checked"], bool)
    check_text(card["submit_button"]["text"], chars=10)
    check_text(card["submit_button"]["key"], size=1024)


def _check_buttons(card: dict[str, Any]) -> None:
    if "sub_title_text" in card:
        assert len(card["sub_title_text"]) <= 160
    if "quote_area" in card:
        assert set(card["quote_area"]) == {"type", "quote_text"}
    facts = card.get("horizontal_content_list", [])
    assert len(facts) <= 6
    for fact in facts:
        check_text(fact["keyname"], chars=5)
        check_text(fact["value"], least=0, chars=30)
    assert 1 <= len(card["button_list"]) <= 6
    keys = [button["key"] for button in card["button_list"] if button["type"] == 0]
    assert len(set(keys)) == len(keys)
    for button in card["button_list"]:
        check_text(button["text"], chars=10)
        if button["type"] == 1:
            assert re.fullmatch(r"https?://[^\s]+", button["url"])
        else:
            check_text(button["key"], size=1024)
        assert button["style"] in (1, 2, 3, 4)


def check_dingtalk_params(values: dict[str, str]) -> None:
    """cardParamMap against the variables of the template."""
    variables = {variable["name"]: variable for variable in TEMPLATE["variables"]}
    assert set(values) == set(variables)
    for name, value in values.items():
        assert isinstance(value, str)
        assert utf8(name) <= 100
        assert utf8(value) <= variables[name]["max_bytes"], name
        _check_type(variables[name], value)
    if values["has_form"] == "true":
        assert values["submit_action"]
        assert values["form_btn_text"]


def _check_type(variable: dict[str, Any], value: str) -> None:
    match variable["type"]:
        case "boolean":
            assert value in ("true", "false")
        case "form":
            form = json.loads(value)
            assert set(form) == {"fields"}
            for field in form["fields"]:
                assert field["type"] == "MULTI_CHECKBOX_GROUP"
                assert field["label"]
                ids = [option["value"] for option in field["options"]]
                assert set(field["defaultValue"]) <= set(ids)
                for option in field["options"]:
                    check_text(option["text"])
        case "loopArray":
            for item in json.loads(value):
                assert set(item) == set(variable["items"])
                check_text(item["text"])
                assert item["action"]
                assert item["style"] in variable["items"]["style"]
        case "string":
            assert value in variable.get("values", [value])
            check_text(value, least=0)
        case _:
            assert variable["type"] == "markdown"
            # Links and pictures of ours; nothing else may be one.
            ours = re.sub(r"!?\[[^\[\]]*\]\((?:https://sanmiao\.example\.com/|@)[\w./-]*\)", "", value)
            assert not re.search(r"[<\[\]`]", ours)


def check_dingtalk_message(body: dict[str, Any]) -> None:
    """oToMessages and groupMessages, dingtalk.md §7.1 to §7.3."""
    assert utf8(body["msgParam"]) <= 15_000
    param = json.loads(body["msgParam"])
    expected = {"sampleText": {"content"}, "sampleActionCard": {"title", "text", "singleTitle", "singleURL"}}
    assert set(param) == expected[body["msgKey"]]
    assert all(isinstance(value, str) and value for value in param.values())
