"""Card data in, platform-neutral card out: one YAML template for each card of the catalog, every word of it in `cards/templates/`.

How a template becomes a card:
1. The data are validated into the dataclass of `cards/catalog.py`; its fields are all that the template sees.
2. Jinja2 renders the template to YAML with numbered holes: a value must pass through `tojson` (anything else is refused) and is kept
   aside, so that nothing people typed is ever read as YAML, and cards that differ in values only are read once.
3. The YAML is read, the holes are filled, and all is validated into `layout.Card`; an unknown key is an error, so that a misspelt one
   cannot hide.

Whoever rewords a template gets errors with file and line, and never with the text of a feedback in them.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache, lru_cache
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError, pass_context
from jinja2.runtime import Context
from pydantic import TypeAdapter, ValidationError

from cards import filters, words
from cards.catalog import CATALOG, CardData, RecordCard
from cards.layout import Card
from rules.feedback import Answer

_SUFFIX = ".yaml.j2"
_ORIGIN = "  # @"  # ends each rendered line: "  # @who_card.yaml.j2:3", a YAML comment that tells where the line comes from
_ACTION = re.compile(r'action: (?:\{\{ \(")?([a-z]+)')
_HOLE = "\ue000"  # begins a hole; from the private-use area: in no template and no keyboard
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it: 10 times faster


class CannotCompose(Exception):
    """A template is broken, or the data do not fit it. The message names file and line (or the field), and quotes no data."""


def compose(template: str, data: Mapping[str, Any]) -> Card:
    """Draw the card `template` (a key of `catalog.CATALOG`) from its fields as JSON values. Raises CannotCompose."""
    return draw(_catalogued(template, data))


def draw(shown: CardData) -> Card:
    """The same from a card of the catalog. Raises CannotCompose."""
    name = shown.template() + _SUFFIX
    values: list[object] = []
    rendered = _render(name, {_HOLE: values} | {field.name: getattr(shown, field.name) for field in fields(shown)})
    try:
        card = _card_adapter().validate_python(_filled(_read(name, rendered), values))
    except ValidationError as error:
        place = _node_at(_node(rendered), error.errors(include_url=False)[0]["loc"]).start_mark
        raise CannotCompose(f"cards/templates/{_origin(rendered, place) or name}: {_problems(error)}") from None
    return replace(card, page=shown.page) if isinstance(shown, RecordCard) and shown.page else card


@cache
def actions() -> frozenset[str]:
    """Every action that a button or a submit of some template can send, up to the colon: `pick` stands for `pick:17`.

    Templates write an action as `action: word` or as `action: {{ ("word:" ~ value) | tojson }}`.
    """
    sources = (path.read_text("utf-8") for path in words.TEMPLATES.glob(f"*{_SUFFIX}"))
    return frozenset(action for source in sources for action in _ACTION.findall(source))


def _catalogued(template: str, data: Mapping[str, Any]) -> CardData:
    if template not in CATALOG:
        raise CannotCompose(f"{template}: no such card in cards/catalog.py")
    try:
        return CATALOG[template].from_data(data)
    except ValidationError as error:
        raise CannotCompose(f"{template}: {_problems(error)}") from None


def _render(name: str, values: Mapping[str, Any]) -> str:
    try:
        return _environment().get_template(name).render(values)
    except TemplateSyntaxError as error:
        raise CannotCompose(f"cards/templates/{error.name or name}:{error.lineno}: {error.message}") from None
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CannotCompose(f"cards/templates/{_raised_in(error) or name}: {error}") from None


@lru_cache(maxsize=1024)
def _read(name: str, rendered: str) -> object:
    """The card with its holes, as plain data. Not to be changed: it is shared."""
    try:
        told = yaml.load(rendered, _Loader)  # noqa: S506 - either of two safe loaders
    except yaml.MarkedYAMLError as error:
        raise CannotCompose(f"cards/templates/{_origin(rendered, error.problem_mark) or name}: {error.problem}") from None
    if not isinstance(told, dict):
        raise CannotCompose(f"cards/templates/{name}: a template is a list of keys: title, summary, lines, …")
    return told


def _filled(told: object, values: list[object]) -> object:
    match told:
        case dict():
            return {key: _filled(value, values) for key, value in told.items()}
        case list():
            return [_filled(value, values) for value in told]
        case str() if told.startswith(_HOLE):
            return values[int(told[1:])]
    return told


def _node(rendered: str) -> yaml.Node:
    node = yaml.compose(rendered, _Loader)
    assert node is not None, "it was read before"
    return node


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=_OriginLoader(words.TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - the output is YAML, not HTML; `_hole` guards it
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,  # or the line after an include would join the comment that ends it
        auto_reload=False,
        finalize=_hole,
    )
    environment.globals["Answer"] = Answer
    environment.filters |= {
        "tojson": filters.to_json,
        "fill": filters.fill,
        "local_time": filters.local_time,
        "local_day": filters.local_day,
        "duration": filters.duration,
        "yuan": filters.yuan,
        "share": filters.share,
        "clip": filters.clip,
        "word": words.word,
        "example": words.example,
    }
    return environment


@cache
def _card_adapter() -> TypeAdapter[Card]:
    return TypeAdapter(Card)


@pass_context
def _hole(context: Context, value: object) -> str:
    """What stands in the YAML for a value that a template puts out."""
    if not isinstance(value, filters.Value):
        raise TypeError("a value is put out without | tojson")
    values = context[_HOLE]
    values.append(value.value)
    return f'"{_HOLE}{len(values) - 1}"'


class _OriginLoader(FileSystemLoader):
    """Adds to each line of a template, as a YAML comment, where it stands, so that errors in the rendered YAML can name it."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, uptodate = super().get_source(environment, template)
        lines = (
            line if not line.strip() or line.lstrip().startswith(("{%", "{#")) else f"{line}{_ORIGIN}{template}:{number}"
            for number, line in enumerate(source.splitlines(), start=1)
        )
        return "\n".join(lines) + "\n", path, uptodate


def _origin(rendered: str, mark: yaml.Mark | None) -> str:
    """The template line behind a place in the rendered YAML, as "file:line"; empty when it cannot be told."""
    told = [line.partition(_ORIGIN)[2] for line in rendered.split("\n")[: mark.line + 1 if mark else 0]]
    return next((origin for origin in reversed(told) if origin), "")


def _raised_in(error: BaseException) -> str:
    """The innermost template line in the traceback, as "file:line"; empty when no template is in it."""
    here = f"{words.TEMPLATES}/"
    frames = (frame for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename.startswith(here))
    return next((f"{frame.filename.removeprefix(here)}:{frame.lineno}" for frame in frames), "")


def _node_at(node: yaml.Node, place: tuple[int | str, ...]) -> yaml.Node:
    """The deepest node on the way to `place`, pydantic's path to a value."""
    for step in place:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node


def _problems(error: ValidationError) -> str:
    """What pydantic found, without the values: they may be personal text."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'card'}: {problem['msg']}" for problem in found)
