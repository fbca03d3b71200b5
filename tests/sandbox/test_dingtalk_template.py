"""The one file that knows the bot's card template: no variable breaks it, and a phone sends only what it shows."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from sandbox.dingtalk.template import check_variables, missing_variables, read_spec, show_card, tap_content
from sandbox.tap import NotOnTheCard, Tap
from tests.sandbox.conftest import CARD_SPEC, button_variables, form_variables

SPEC = read_spec(CARD_SPEC)
LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["MULTI_CHECKBOX_GROUP", "TEXT", "name"])
NAMES = st.sampled_from(["fields", "name", "type", "options", "value", "text", "action", "required", "hidden", "defaultValue"])
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=12)
FIELD = st.fixed_dictionaries(
    {"name": LEAF, "type": LEAF}, optional={"options": JSON, "defaultValue": JSON, "required": JSON, "hidden": JSON}
)
FORMS = JSON | st.fixed_dictionaries({"fields": st.lists(FIELD, max_size=3)})


@given(FORMS, JSON, st.sampled_from(["normal", "disabled", "x"]))
def test_no_form_and_no_button_list_breaks_the_phone(form: object, buttons: object, status: str) -> None:
    values = {"title": "t", "form": json.dumps(form), "buttons": json.dumps(buttons), "form_status": status}

    check_variables(SPEC, values, private=False)
    shown = show_card("c", values)

    with suppress(NotOnTheCard):
        tap_content(values, Tap(submit=True, ticked=[]))
    assert shown["card_id"] == "c"


def test_a_button_without_the_flag_is_hidden() -> None:
    assert show_card("c", button_variables(has_buttons="false"))["buttons"] == []
    assert show_card("c", form_variables(has_form="false"))["submit"] is None


def test_names_types_and_sizes_are_held_against_the_spec() -> None:
    errors, unknown, long = check_variables(SPEC, {"title": "t", "body": "x" * 1025, "has_form": "1", "other": ""}, private=False)

    assert errors == ["body has 1025 bytes, the template allows 1024", "has_form is no boolean"]
    assert unknown == ["the template has no variable other"]
    assert long == ["cardParamMap.body has 1025 bytes; the page says 1 KB"]
    assert missing_variables(SPEC, {"body": ""}) == ["title"]
    assert missing_variables(SPEC, {"title": ""}) == []
