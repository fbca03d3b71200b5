"""A YAML file that a person wrote, as values with the line of each, so that what is wrong can be said with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class ConfigError(Exception):
    """The file cannot be used. The text is for the administrator: one problem a line, each with file, line and key."""


@dataclass(frozen=True)
class YamlFile:
    """`values` by key; `lines` has the line of each key path, an element of a list under its index ("0")."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[tuple[str, ...], int]


def read(path: Path, loader: type[yaml.SafeLoader] | type[yaml.BaseLoader] = yaml.SafeLoader) -> YamlFile:
    """Read the file; with `yaml.BaseLoader` every scalar is a text. Raises ConfigError when it is not a list of keys."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8; save it as UTF-8 text") from None
    try:
        node = yaml.compose(text, Loader=loader)
        values = yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: not valid YAML ({getattr(error, 'problem', None) or 'syntax error'})") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: expected `key: value` lines at the top level")
    return YamlFile(path, _with_text_keys(values), dict(_lines(node)))


def located(source: YamlFile, key: tuple[str, ...], problem: str) -> str:
    """`file:line: key: problem`; the line is that of the key, or of the nearest section above it that the file has."""
    known = next((key[:end] for end in range(len(key), 0, -1) if key[:end] in source.lines), None)
    where = f"{source.path}:{source.lines[known]}" if known else str(source.path)
    return f"{where}: {'.'.join(key)}: {problem}" if key else f"{where}: {problem}"


def _with_text_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    """YAML reads `80:` as a number; a key is a text."""
    return {str(key): _with_text_keys(value) if isinstance(value, dict) else value for key, value in values.items()}


def _lines(node: yaml.Node | None, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, str(key.value))
            yield path, key.start_mark.line + 1
            yield from _lines(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            path = (*at, str(index))
            yield path, value.start_mark.line + 1
            yield from _lines(value, path)
