"""Word lists kept as text under reading/data: one list per [heading], words separated by blanks, # begins a remark."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=8)
def word_lists(name: str) -> Mapping[str, tuple[str, ...]]:
    """Heading → its words, in the order of data/`name`. Raises FileNotFoundError for an unknown name."""
    lists: dict[str, list[str]] = {}
    for line in files("reading").joinpath("data", name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = lists.setdefault(line.strip("[] "), [])
        elif line.strip() and not line.startswith("# "):
            current.extend(line.split())
    return {heading: tuple(dict.fromkeys(words)) for heading, words in lists.items()}


def any_of(words: Iterable[str]) -> str:
    """A pattern that matches one of `words`, the longest that fits."""
    return f"(?:{'|'.join(sorted(words, key=len, reverse=True))})"


def tight(pattern: str) -> str:
    """`pattern` without the blanks and line breaks it is laid out with."""
    return "".join(pattern.split())
