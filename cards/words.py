"""The words that several templates share: `templates/_words.yaml`, one sentence for each value of each enumeration that people see."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

TEMPLATES = Path(__file__).parent / "templates"
_FILE = "_words.yaml"
_EXAMPLES = "_examples.yaml"
_EVERYDAY = "通用"


def word(value: StrEnum, name: str | None = None) -> str:
    """What people read for `value`; `{name}` in it becomes `name`, or a general word when nobody is named.

    Raises LookupError when the file has no words for it, ValueError when the file cannot be read as YAML.
    """
    return _entry(type(value).__name__, value.value).format(name=name or phrase("somebody"))


def phrase(key: str) -> str:
    """A word that belongs to no enumeration, from the section `Phrase`. Raises like `word`."""
    return _entry("Phrase", key)


def example(industry: str, element: str) -> str:
    """What a good `element` (scene, action, impact) reads like in an industry; from everyday work for one we do not know.
    Raises LookupError when the file has none, ValueError when it cannot be read as YAML."""
    try:
        return _words(_EXAMPLES).get(industry, _words(_EXAMPLES)[_EVERYDAY])[element]
    except KeyError:
        raise LookupError(f"cards/templates/{_EXAMPLES}: {industry or _EVERYDAY} has no {element}") from None


def industries() -> frozenset[str]:
    """The industries that have examples of their own."""
    return frozenset(_words(_EXAMPLES)) - {_EVERYDAY}


def _entry(section: str, key: str) -> str:
    try:
        return _words(_FILE)[section][key]
    except KeyError:
        raise LookupError(f"cards/templates/{_FILE}: {section} has no words for {key}") from None


@cache
def _words(file: str) -> Mapping[str, Mapping[str, str]]:
    try:
        loaded: Mapping[str, Mapping[str, str]] = yaml.safe_load((TEMPLATES / file).read_text("utf-8"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"cards/templates/{file}:{line}: {error.problem}") from error
    return loaded
