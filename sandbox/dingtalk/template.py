"""The bot's card template: which variables it has, how it looks on a phone, what a tap on it sends.

The template is built by hand in DingTalk's editor; the file given by --card-spec describes it. This is the only file
that knows it: variables `title`, `body` (markdown), `has_form`, `form` (fields as JSON), `form_status`, `form_btn_text`,
`submit_action`, `has_buttons`, `buttons` (loopArray of {text, action, style}), `status`.
Source: [doc instructions-for-filling-in-api-card-data] values are strings; [doc form-variables] the Form component.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sandbox.neutral import Neutral, blank_card, button, with_tappable
from sandbox.store import Doc
from sandbox.tap import NotOnTheCard, Tap

Variables = dict[str, str]
SPEC_TYPES = Literal["string", "number", "boolean", "markdown", "form", "loopArray", "object"]
LONG_VALUE, LONGEST_KEY = 1024, 100
CHOICES = {"MULTI_CHECKBOX_GROUP": "multi", "CHECKBOX_GROUP": "single"}
FIELD_TYPES = {
    "TEXT", "TEXT_AREA", "NUMBER", "TEXT_ARRAY", "SELECT", "MULTI_SELECT", "DATE", "TIME", "DATETIME", "CHECKBOX", "SWITCH",
    *CHOICES,
}  # fmt: skip
STYLES = {"primary": "primary", "blue": "primary", "danger": "danger", "red": "danger", "grey": "grey", "gray": "grey"}
# Templates of the SDK's helper classes [src dingtalk_stream]; their variables are not checked.
PUBLIC_TEMPLATES = {
    "589420e2-c1e2-46ef-a5ed-b8728e654da9.schema",
    "1366a1eb-bc54-4859-ac88-517c56a9acb1.schema",
    "382e4302-551d-4880-bf29-a30acfab2e71.schema",
    "7f538f6d-ebb7-4533-a9ac-61a32da094cf.schema",
    "d28e2ac5-fb34-4d93-94bc-cf5c580c2d4f.schema",
}


class Variable(BaseModel):
    """One variable of the template."""

    model_config = ConfigDict(extra="allow")

    name: str
    type: SPEC_TYPES
    private: bool = False
    required: bool = False
    max_bytes: int | None = None
    values: tuple[str, ...] | None = None


class CardSpec(BaseModel):
    """The file given by --card-spec. A template id with `<` is a placeholder: the id is given by DingTalk's editor."""

    model_config = ConfigDict(extra="allow")

    template_id: str
    variables: tuple[Variable, ...]

    def is_of(self, template_id: str) -> bool:
        """Whether cards of this template id have these variables."""
        return template_id not in PUBLIC_TEMPLATES and ("<" in self.template_id or self.template_id == template_id)

    def variable(self, name: str) -> Variable | None:
        """By name."""
        return next((each for each in self.variables if each.name == name), None)


def read_spec(path: Path) -> CardSpec:
    """The template description. Raises pydantic.ValidationError."""
    return CardSpec.model_validate_json(path.read_text(encoding="utf-8"))


def check_variables(spec: CardSpec | None, values: object, *, private: bool) -> tuple[list[str], list[str], list[str]]:
    """(errors, unknown variables, long values) of one cardParamMap."""
    if not isinstance(values, dict):
        return ["cardParamMap is a map of strings"], [], []
    errors, unknown, long = [], [], []
    for name, value in values.items():
        if not isinstance(value, str):
            errors.append(f"cardParamMap.{name} is a {type(value).__name__}; all values are strings")
            continue
        size = len(value.encode())
        if len(name.encode()) > LONGEST_KEY:
            errors.append(f"the name {name[:20]}… is longer than {LONGEST_KEY} bytes")
        if size > LONG_VALUE:
            long.append(f"cardParamMap.{name} has {size} bytes; the page says 1 KB")
        variable = spec.variable(name) if spec else None
        if spec and variable is None:
            unknown.append(f"the template has no variable {name}")
        elif variable:
            errors += _check_value(variable, value, size, private)
    return errors, unknown, long


def missing_variables(spec: CardSpec | None, values: Doc) -> list[str]:
    """Required variables that a new card does not bring; an empty one is there."""
    return [each.name for each in spec.variables if each.required and each.name not in values] if spec else []


def show_card(track_id: str, values: Variables) -> Neutral:
    """The card of these variables (private ones already above the public) in the control API's shape."""
    choice, fields, disabled = _form(values)
    has_form = choice is not None or bool(fields)
    buttons = [] if values.get("has_buttons") == "false" else _list(values.get("buttons"))
    submit = {"key": values.get("submit_action", ""), "text": values.get("form_btn_text") or "提交", "disabled": disabled}
    shown = blank_card() | {
        "card_id": track_id,
        "title": values.get("title", ""),
        "body_markdown": values.get("body") or values.get("markdown") or values.get("content") or None,
        "checkboxes": choice,
        "fields": fields,
        "buttons": [_button(each) for each in buttons],
        "submit": submit if has_form else None,
        "state_text": values.get("status") or None,
    }
    return with_tappable(shown)


def tap_content(values: Variables, wanted: Tap) -> Doc:
    """`cardPrivateData` of the callback: action ids and params as the template binds them.

    Raises NotOnTheCard when the phone does not show it or a required field is empty, unless the tap is forced.
    """
    shown = show_card("", values)
    if wanted.submit:
        return {"actionIds": ["form"], "params": {"action": values.get("submit_action", ""), "form": _filled(values, shown, wanted)}}
    if wanted.menu is not None or wanted.button is None:
        raise NotOnTheCard("a DingTalk card has buttons and a form, no menu")
    if not wanted.force and wanted.button not in [each["key"] for each in shown["buttons"] if each["key"] and not each["disabled"]]:
        raise NotOnTheCard(f"the card has no button {wanted.button!r}")
    return {"actionIds": ["button"], "params": {"action": wanted.button}}


def _check_value(variable: Variable, value: str, size: int, private: bool) -> list[str]:
    errors = []
    if private and not variable.private:
        errors.append(f"{variable.name} is a public variable of the template")
    if variable.max_bytes is not None and size > variable.max_bytes:
        errors.append(f"{variable.name} has {size} bytes, the template allows {variable.max_bytes}")
    if variable.values is not None and value not in variable.values:
        errors.append(f"{variable.name} is one of {', '.join(variable.values)}, not {value!r}")
    if not _has_type(variable.type, value):
        errors.append(f"{variable.name} is no {variable.type}")
    return errors


def _has_type(kind: str, value: str) -> bool:
    if kind == "boolean":
        return value in ("true", "false")
    if kind in ("string", "markdown") or value == "":
        return True
    try:
        parsed = json.loads(value)
    except ValueError:
        return False
    if kind == "number":
        return isinstance(parsed, int | float) and not isinstance(parsed, bool)
    if kind == "loopArray":
        return isinstance(parsed, list) and all(isinstance(each, dict) for each in parsed)
    return isinstance(parsed, dict) and (kind != "form" or _is_form(parsed))


def _is_form(form: Doc) -> bool:
    fields = form.get("fields")
    return isinstance(fields, list) and all(
        isinstance(field, dict) and isinstance(field.get("name"), str) and str(field.get("type")) in FIELD_TYPES and _has_options(field)
        for field in fields
    )


def _has_options(field: Doc) -> bool:
    if field["type"] not in {*CHOICES, "SELECT", "MULTI_SELECT"}:
        return True
    options = field.get("options")
    return isinstance(options, list) and all(isinstance(each, dict) and {"value", "text"} <= each.keys() for each in options)


def _form(values: Variables) -> tuple[Neutral | None, list[Neutral], bool]:
    """(the first group of checkboxes, the other visible fields, whether the form is closed)."""
    disabled = values.get("form_status") == "disabled"
    visible = [field for field in _fields(values) if not field.get("hidden")]
    first = next((field for field in visible if field["type"] in CHOICES), None)
    others = [_field(field, disabled) for field in visible if field is not first]
    return (_choice(first, disabled) if first else None), others, disabled


def _fields(values: Variables) -> list[Doc]:
    form = _json(values.get("form")) if values.get("has_form") != "false" else None
    found = form.get("fields") if isinstance(form, dict) else None
    fields: list[Doc] = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return [field for field in fields if isinstance(field.get("name"), str) and str(field.get("type")) in FIELD_TYPES]


def _options(field: Doc) -> list[Doc]:
    options = field.get("options")
    return (
        [each for each in options if isinstance(each, dict) and {"value", "text"} <= each.keys()] if isinstance(options, list) else []
    )


def _choice(field: Doc, disabled: bool) -> Neutral:
    default = field.get("defaultValue")
    checked = {str(each) for each in (default if isinstance(default, list) else [default]) if each is not None}
    options = [{"id": str(each["value"]), "text": each["text"], "checked": str(each["value"]) in checked} for each in _options(field)]
    closed = disabled or bool(field.get("readOnly"))
    return {
        "key": field["name"],
        "label": field.get("label") or "",
        "mode": CHOICES[field["type"]],
        "options": options,
        "disabled": closed,
    }


def _field(field: Doc, disabled: bool) -> Neutral:
    return {
        "name": field["name"],
        "label": field.get("label") or "",
        "type": field["type"],
        "required": bool(field.get("required")),
        "placeholder": field.get("placeholder") or "",
        "value": field.get("defaultValue"),
        "disabled": disabled or bool(field.get("readOnly")),
        "options": [{"id": str(each["value"]), "text": each["text"]} for each in _options(field)],
    }


def _button(item: Doc) -> Neutral:
    key, url, style = str(item.get("action") or ""), item.get("url"), str(item.get("style") or "")
    closed = str(item.get("disabled", "false")).lower() == "true"
    return button(str(item.get("text") or ""), key="" if url else key, url=url, style=STYLES.get(style, "normal"), disabled=closed)


def _filled(values: Variables, shown: Neutral, wanted: Tap) -> Doc:
    """Field name to value: what was ticked and filled, defaults for the rest, hidden fields as they are."""
    if not wanted.force:
        _check_form(shown, wanted)
    box, filled = shown["checkboxes"], {}
    for field in _fields(values):
        value = wanted.fields.get(field["name"], field.get("defaultValue"))
        if box and field["name"] == box["key"] and wanted.ticked is not None:
            value = _ticked(field, wanted.ticked)
        if field.get("required") and value in (None, "", []) and not wanted.force:
            raise NotOnTheCard(field.get("requiredMsg") or f"{field.get('label') or field['name']} is required")
        if value is not None:
            filled[field["name"]] = value
    return filled


def _check_form(shown: Neutral, wanted: Tap) -> None:
    if shown["submit"] is None or shown["submit"]["disabled"]:
        raise NotOnTheCard("the card has nothing to submit")
    known = [option["id"] for option in shown["checkboxes"]["options"]] if shown["checkboxes"] else []
    strange = [each for each in wanted.ticked or [] if each not in known]
    if strange:
        raise NotOnTheCard(f"the card has no option {strange[0]!r}")
    names = [field["name"] for field in shown["fields"] if not field["disabled"]]
    unknown = [name for name in wanted.fields if name not in names and not (shown["checkboxes"] and name == shown["checkboxes"]["key"])]
    if unknown:
        raise NotOnTheCard(f"the form has no field {unknown[0]!r} to fill")


def _ticked(field: Doc, ticked: list[str]) -> Any:
    by_id = {str(option["value"]): option["value"] for option in _options(field)}
    chosen = [by_id.get(each, each) for each in ticked]
    if CHOICES[field["type"]] == "multi":
        return chosen
    return chosen[0] if chosen else None


def _list(text: str | None) -> list[Doc]:
    parsed = _json(text)
    return [each for each in parsed if isinstance(each, dict)] if isinstance(parsed, list) else []


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
