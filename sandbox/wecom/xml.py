"""The XML of callbacks and passive replies."""

from __future__ import annotations

from typing import Any

import xmltodict


class BadXml(Exception):
    """The text is no <xml> document."""


def write_xml(fields: dict[str, Any]) -> str:
    """An <xml> document: strings as CDATA, numbers plain, lists as repeated elements, dicts nested; None left out."""
    return f"<xml>{_inner(fields)}</xml>"


def read_xml(text: str | bytes) -> dict[str, Any]:
    """The fields of an <xml> document; texts are strings. Raises BadXml."""
    try:
        parsed = xmltodict.parse(text)
    except Exception as error:
        raise BadXml(str(error)) from error
    root = parsed.get("xml") if isinstance(parsed, dict) else None
    if not isinstance(root, dict):
        raise BadXml("no <xml> element with fields")
    return root


def _inner(fields: dict[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, dict):
        return f"<{name}>{_inner(value)}</{name}>"
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    safe = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>"
