"""Who is meant when a chat says 小王, 老李, 王工, 阿强 or @王小丽.

With the directory at hand: whom does a mention mean (`resolve`), and where in a text are people named (`mentions`). What looks
like a person without it stands in `reading/name_forms.py`.

Source: product, A3 "names resolve against the org directory (same name twice → a card to choose from)".
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

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
    """
    said = _bare(mention)
    if not said:
        return ()
    everybody = tuple(people)
    found = [Match(person, _WAYS[way], way) for person in everybody if (way := _way(said, person)) is not None]
    found.sort(key=lambda match: -match.score)
    return tuple(found) or _by_sound(said, everybody)


def mentions(text: str, people: Iterable[Known]) -> tuple[Mention, ...]:
    """Where people of the directory are named in `text`, in text order, without overlap; the longest name wins.

    Full names, aliases, given names of two characters, nicknames and titles; a homophone only of a full name of three
    characters or more, of which one is written right.
    """
    everybody = tuple(people)
    index = _index(everybody)
    found: list[Mention] = []
    position = 0
    while position < len(text):
        mention = _mention_at(text, position, everybody, index)
        if mention is None:
            position += 1
        else:
            found.append(mention)
            position = mention.end
    return tuple(found)


_AT_NAME = re.compile(r"@ ?([^\s@,.:，。：、]{1,16})")
_SHAPES = re.compile(f"{TITLED}|{NICKNAME}")


def _bare(mention: str) -> str:
    return re.sub(r"[\s@＠·]", "", mention).lower()


def _way(said: str, person: Known) -> str | None:
    """How `said` fits `person` as written, or None."""
    name = _bare(person.name)
    if said == name:
        return "full name"
    if any(said == _bare(alias) for alias in person.aliases):
        return "alias"
    surname, given = split(name)
    untitled = TITLE_TAIL.sub("", said)
    if untitled == name:
        return "full name and title"
    if len(given) > 1 and untitled == given:
        return "given name"
    if surname and said in _surname_forms(surname, said):
        return "surname form"
    if surname and untitled in _given_forms(given):
        return "form of the given name"
    return None


def _surname_forms(surname: str, said: str) -> set[str]:
    """小王, 老王, 小王师傅; 王工, 王经理 with the title that was said."""
    title = TITLE_TAIL.search(said)
    forms = {f"{prefix}{surname}" for prefix in "小老大阿"}
    if title:
        forms |= {f"{form}{title.group()}" for form in [*forms, surname]}
    return forms


def _given_forms(given: str) -> set[str]:
    """阿强, 小强, 老强, 强强, 强 (before 哥 or 姐) for 王志强."""
    last = given[-1]
    forms = {f"{prefix}{char}" for prefix in "阿小老" for char in given}
    return forms | {last * 2, last}


# ── homophones ───────────────────────────────────────────────────────────────────────────────────────────
def _by_sound(said: str, people: tuple[Known, ...]) -> tuple[Match, ...]:
    """The one person whose name is pronounced as `said`; () when nobody or more than one is."""
    for way, sound in (("sounds like the name", _sound), ("sounds nearly like the name", _rough_sound)):
        heard = sound(said)
        fitting = [person for person in people if heard in _sounds(person.name, sound is _rough_sound)]
        if fitting:
            return (Match(fitting[0], _WAYS[way], way),) if len(fitting) == 1 and len(said) > 1 else ()
    return ()


@lru_cache(maxsize=20_000)
def _sounds(name: str, rough: bool) -> frozenset[str]:
    """Pronunciations of the full name and of a given name of two characters."""
    sound = _rough_sound if rough else _sound
    given = split(name)[1]
    return frozenset(sound(part) for part in {name, given} if len(part) > 1 + (rough and part == given))


@lru_cache(maxsize=20_000)
def _sound(word: str) -> str:
    """Toneless pinyin without spaces; Latin letters stay, so "wangxiaoli" sounds like 王小丽."""
    return "".join(_reader()(_bare(word)))


def _rough_sound(word: str) -> str:
    """As `_sound`, with the pairs that southern speakers and their keyboards mix up made equal (zh/z, in/ing)."""
    return re.sub(r"(?<=[aei])ng", "n", re.sub(r"([zcs])h", r"\1", _sound(word)))


@lru_cache(maxsize=1)
def _reader():  # type: ignore[no-untyped-def]
    # The phrase dictionary would cost 45 MB and half a second; names are read character by character anyway.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin import lazy_pinyin

    return lazy_pinyin


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────
# Given names that are words: they name a person only after @ or where a person must stand.
_WORDLIKE = frozenset(word_lists("command_things.txt")["given name that is a word"])
_BEFORE_PERSON = re.compile(r"(?:[@给对催让由请替找问叫夸派托权]|提醒|通知|表扬|批评|关于)\s?$")


@dataclass(frozen=True)
class _Index:
    names: dict[str, tuple[Known, ...]]
    lengths: tuple[int, ...]
    sounds: dict[str, tuple[Known, ...]]


@lru_cache(maxsize=4)
def _index(people: tuple[Known, ...]) -> _Index:
    names: defaultdict[str, list[Known]] = defaultdict(list)
    for person in people:
        for name in {person.name, split(person.name)[1], *person.aliases}:
            if len(name) > 1:
                names[_bare(name)].append(person)
    return _Index(
        {name: tuple(known) for name, known in names.items()},
        tuple(sorted({len(name) for name in names}, reverse=True)),
        _sound_index(people),
    )


def _sound_index(people: tuple[Known, ...]) -> dict[str, tuple[Known, ...]]:
    by_sound: defaultdict[str, list[Known]] = defaultdict(list)
    for person in people:
        if len(person.name) > 2 and split(person.name)[0]:
            by_sound[_sound(person.name)].append(person)
    return {sound: tuple(known) for sound, known in by_sound.items()}


def _mention_at(text: str, position: int, people: tuple[Known, ...], index: _Index) -> Mention | None:
    for length in index.lengths:
        said = text[position : position + length].lower()
        if said in index.names and (said not in _WORDLIKE or _BEFORE_PERSON.search(text[:position])):
            return Mention(position, position + length, resolve(said, index.names[said]))
    shape = _SHAPES.match(text, position)
    if shape and (matches := resolve(shape.group(), people)):
        return Mention(shape.start(), shape.end(), matches)
    at = _AT_NAME.match(text, position)
    if at and (matches := resolve(at.group(1), people)):
        return Mention(at.start(1), at.end(1), matches)
    return _homophone_at(text, position, index)


def _homophone_at(text: str, position: int, index: _Index) -> Mention | None:
    for length in (4, 3):
        said = text[position : position + length]
        if not re.fullmatch(rf"[一-鿿]{{{length}}}", said):
            continue
        people = index.sounds.get(_sound(said), ())
        if len(people) == 1 and set(said) & set(people[0].name):
            way = "sounds like the name"
            return Mention(position, position + length, (Match(people[0], _WAYS[way], way),))
    return None
