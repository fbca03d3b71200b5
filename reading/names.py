"""Who is meant when a chat says 小王, 老李, 王工, 阿强 or @王小丽.

With the directory at hand: whom does a mention mean (`resolve`), and where in a text are people named (`mentions`). What looks
like a person without it stands in `reading/name_forms.py`.

Source: product, A3 "names resolve against the org directory (same name twice → a card to choose from)".
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from reading.name_forms import NICKNAME, TITLE_TAIL, TITLED, split
from reading.word_lists import word_lists


@dataclass(frozen=True)
class Known:
    """A person of the directory; `aliases` are names he is also called by, exact."""

    key: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A person a mention may mean. `score` is one of the figures in `_WAYS`; `way` says how it was found."""

    person: Known
    score: float
    way: str


@dataclass(frozen=True)
class Mention:
    """`text[start:end]` names somebody; `matches` is never empty, best first."""

    start: int
    end: int
    matches: tuple[Match, ...]


_WAYS = {
    "full name": 1.0,
    "alias": 1.0,
    "full name and title": 0.95,
    "given name": 0.9,
    "surname form": 0.8,
    "form of the given name": 0.7,
    "sounds like the name": 0.6,
    "sounds nearly like the name": 0.5,
}


def resolve(mention: str, people: Iterable[Known]) -> tuple[Match, ...]:
    """Whom `mention` may mean, best first; () when nobody fits.

    It is ambiguous when the first two have the same score: ask, do not guess. A wrong character is forgiven
    (王晓丽 for 王小丽) only when nothing fits as written and exactly one person sounds the same.
    The directory is indexed once; pass the same people again and only the look-up is paid.
    """
    return _resolve(_bare(mention), _directory(tuple(people)))


def mentions(text: str, people: Iterable[Known]) -> tuple[Mention, ...]:
    """Where people of the directory are named in `text`, in text order, without overlap; the longest name wins.

    Full names, aliases, given names of two characters, nicknames and titles; a homophone only of a full name of three
    characters or more, of which one is written right.
    """
    directory = _directory(tuple(people))
    found: list[Mention] = []
    position = 0
    while position < len(text):
        mention = _mention_at(text, position, directory)
        if mention is None:
            position += 1
        else:
            found.append(mention)
            position = mention.end
    return tuple(found)


_TOGETHER = re.compile(r"[\s@＠]*(?:[、,，&/]|和|跟|与|及|还有|以及)?[\s@＠]*")


def rows(text: str, found: Sequence[Mention]) -> tuple[tuple[Mention, ...], ...]:
    """The mentions of `text`, those that are named in one breath (小王和小李, @小王 @小李) in one row."""
    result: list[tuple[Mention, ...]] = []
    for mention in found:
        if result and _TOGETHER.fullmatch(text[result[-1][-1].end : mention.start]):
            result[-1] = (*result[-1], mention)
        else:
            result.append((mention,))
    return tuple(result)


def _bare(mention: str) -> str:
    return re.sub(r"[\s@＠·]", "", mention).lower()


# ── how people are called ────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class _Directory:
    """What everybody is called. `titled` holds what is a call only with a title after it: 王 (工), 强 (哥)."""

    called: dict[str, tuple[Match, ...]]
    titled: dict[str, tuple[Match, ...]]
    by_sound: dict[str, tuple[Known, ...]]
    by_rough_sound: dict[str, tuple[Known, ...]]
    name_lengths: tuple[int, ...]


@lru_cache(maxsize=4)
def _directory(people: tuple[Known, ...]) -> _Directory:
    named = [(person, *split(_bare(person.name))) for person in people]
    return _Directory(
        called=_by_call(((person, call, way) for person, surname, given in named for call, way in _calls(person, surname, given))),
        titled=_by_call(((person, call, way) for person, surname, given in named for call, way in _titled_calls(surname, given))),
        by_sound=_by_pronunciation(((person, part) for person, _, given in named for part in (person.name, given)), _sound),
        by_rough_sound=_by_pronunciation(((person, person.name) for person in people if len(person.name) > 2), _rough_sound),
        name_lengths=tuple(
            sorted({len(name) for person, _, given in named for name in (person.name, given, *person.aliases)}, reverse=True)
        ),
    )


def _calls(person: Known, surname: str, given: str) -> Iterator[tuple[str, str]]:
    """What a person is called, and how that fits him."""
    yield _bare(person.name), "full name"
    for alias in person.aliases:
        yield _bare(alias), "alias"
    if not surname:
        return
    if len(given) > 1:
        yield given, "given name"
    for prefix in "小老大阿":
        yield prefix + surname, "surname form"
    for prefix in "阿小老":
        for char in given:
            yield prefix + char, "form of the given name"
    yield given[-1] * 2, "form of the given name"


def _titled_calls(surname: str, given: str) -> Iterator[tuple[str, str]]:
    """What stands before a title: 王 in 王经理, 强 in 强哥, and the full name."""
    if surname:
        yield surname + given, "full name and title"
        yield surname, "surname form"
        yield given, "given name"
        yield given[-1], "form of the given name"
        for prefix in "小老大":
            yield prefix + surname, "surname form"


def _by_call(calls: Iterable[tuple[Known, str, str]]) -> dict[str, tuple[Match, ...]]:
    """Call → who may be meant, best first; a person once, in the way that fits best."""
    best: defaultdict[str, dict[Known, str]] = defaultdict(dict)
    for person, call, way in calls:
        before = best[call].setdefault(person, way)
        if _WAYS[way] > _WAYS[before]:
            best[call][person] = way
    return {
        call: tuple(sorted((Match(person, _WAYS[way], way) for person, way in ways.items()), key=lambda match: -match.score))
        for call, ways in best.items()
        if call
    }


def _resolve(said: str, directory: _Directory) -> tuple[Match, ...]:
    untitled = TITLE_TAIL.sub("", said)
    if matches := directory.called.get(said):
        return matches
    if untitled != said and (matches := directory.titled.get(untitled)):
        return matches
    return _resolve_by_sound(said, directory)


# ── homophones ───────────────────────────────────────────────────────────────────────────────────────────
def _resolve_by_sound(said: str, directory: _Directory) -> tuple[Match, ...]:
    """The one person whose name is pronounced as `said`; () when nobody or more than one is."""
    if len(said) < 2:
        return ()
    for way, people in (
        ("sounds like the name", directory.by_sound.get(_sound(said), ())),
        ("sounds nearly like the name", directory.by_rough_sound.get(_rough_sound(said), ())),
    ):
        if people:
            return (Match(people[0], _WAYS[way], way),) if len(people) == 1 else ()
    return ()


def _by_pronunciation(names: Iterable[tuple[Known, str]], sound: Callable[[str], str]) -> dict[str, tuple[Known, ...]]:
    """Pronunciation → who is called so; names of one character sound like too much else."""
    people: defaultdict[str, dict[Known, None]] = defaultdict(dict)
    for person, name in names:
        if len(name) > 1:
            people[sound(name)][person] = None
    return {heard: tuple(persons) for heard, persons in people.items()}


@lru_cache(maxsize=20_000)
def _sound(word: str) -> str:
    """Toneless pinyin without spaces; Latin letters stay, so "wangxiaoli" sounds like 王小丽."""
    return "".join(_reader()(_bare(word)))


def _rough_sound(word: str) -> str:
    """As `_sound`, with the pairs that southern speakers and their keyboards mix up made equal (zh/z, in/ing)."""
    return re.sub(r"(?<=[aei])ng", "n", re.sub(r"([zcs])h", r"\1", _sound(word)))


@lru_cache(maxsize=1)
def _reader() -> Callable[[str], list[str]]:
    # The phrase dictionary would cost 45 MB and half a second; names are read character by character anyway.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin import lazy_pinyin

    return lazy_pinyin


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────
# Given names that are words: they name a person only after @ or where a person must stand.
_WORDLIKE = frozenset(word_lists("command_things.txt")["given name that is a word"])
_BEFORE_PERSON = re.compile(r"(?:[@给对催让由请替找问叫夸派托权]|提醒|通知|表扬|批评|关于)\s?$")
_AT_NAME = re.compile(r"@ ?([^\s@,.:，。：、]{1,16})")
_BY_NAME = frozenset({"full name", "alias", "given name"})


@cache
def _shapes() -> re.Pattern[str]:
    """Compiled at the first sentence: it takes a while, and many a process never hears one."""
    return re.compile(f"{TITLED}|{NICKNAME}")


def _mention_at(text: str, position: int, directory: _Directory) -> Mention | None:
    return (
        _named_at(text, position, directory)
        or _shape_at(_shapes().match(text, position), 0, directory)
        or _shape_at(_AT_NAME.match(text, position), 1, directory)
        or _homophone_at(text, position, directory)
    )


def _named_at(text: str, position: int, directory: _Directory) -> Mention | None:
    for length in directory.name_lengths:
        said = text[position : position + length].lower()
        fits = 1 < length <= len(text) - position
        matches = directory.called.get(said, ()) if fits else ()
        if not matches or matches[0].way not in _BY_NAME:
            continue
        if said not in _WORDLIKE or _BEFORE_PERSON.search(text[:position]):
            return Mention(position, position + length, matches)
    return None


def _shape_at(found: re.Match[str] | None, group: int, directory: _Directory) -> Mention | None:
    matches = _resolve(_bare(found.group(group)), directory) if found else ()
    return Mention(found.start(group), found.end(group), matches) if found and matches else None


def _homophone_at(text: str, position: int, directory: _Directory) -> Mention | None:
    for length in (4, 3):
        said = text[position : position + length]
        if not re.fullmatch(rf"[一-鿿]{{{length}}}", said):
            continue
        people = directory.by_sound.get(_sound(said), ())
        if len(people) == 1 and len(people[0].name) == length and set(said) & set(people[0].name):
            way = "sounds like the name"
            return Mention(position, position + length, (Match(people[0], _WAYS[way], way),))
    return None
