"""The words that several templates share: `templates/_words.yaml`, one sentence for each value of each enumeration that people see."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

TEMPLATES = Path(__file__).parent / "templates"
_FILE = "_words.yaml"


def word(value: StrEnum, name: str | None = None) -> str:
    """What people read for `value`; `{name}` in it becomes `name`, or a general word when nobody is named.

    Raises LookupError when the file has no words for it, ValueError when the file cannot be read as YAML.
    """
    return _entry(type(value).__name__, value.value).format(name=name or phrase("somebody"))


def phrase(key: str) -> str:
    """A word that belongs to no enumeration, from the section `Phrase`. Raises like `word`."""
    return _entry("Phrase", key)


def _entry(section: str, key: str) -> str:
    try:
        return _words()[section][key]
    except KeyError:
        raise LookupError(f"cards/templates/{_FILE}: {section} has no words for {key}") from None


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    try:
        loaded: Mapping[str, Mapping[str, str]] = yaml.safe_load((TEMPLATES / _FILE).read_text("utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"cards/templates/{_FILE}:{line}: {error.problem}") from error
    return loaded
