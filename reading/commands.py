"""What somebody wants from the bot: a typed or dictated text becomes one of sixteen intents with its slots.

A text is first turned into symbols (`reading/command_words.py`), then read against a table of cues: a pattern, its strength,
and how much unexplained talk its clause may hold. The strongest cue wins; nothing strong enough means `unknown`. The
last condition is what keeps 提醒大家带伞 or 把灯关了 from being taken for commands: the verb is ours, the object is not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reading.command_cues import CUES, ORDINARY, Cue, Intent
from reading.command_slots import Slots, slots_of
from reading.command_words import Marked, mark


__all__ = ["Command", "Intent", "read"]


@dataclass(frozen=True)
class Command:
    """An intent and its slots, every one a verbatim piece of the text; `why` is the words the intent rests on."""

    intent: Intent
    targets: tuple[str, ...] = ()
    to: str | None = None
    time: str | None = None
    duration: str | None = None
    feedback_id: str | None = None
    metric: str | None = None
    why: str = ""

    @property
    def slots(self) -> dict[str, str | list[str]]:
        """The slots that are filled, as a mapping; a list of names under "targets"."""
        named = {
            "targets": list(self.targets),
            "to": self.to,
            "time": self.time,
            "duration": self.duration,
            "feedback_id": self.feedback_id,
            "metric": self.metric,
        }
        return {key: value for key, value in named.items() if value}


def read(text: str, role: str = "employee", known_names: Iterable[str] = ()) -> Command:
    """The command in `text` as typed by a person with this `role` (supervisor, employee, hrbp).

    `known_names` are full names of the directory; without them a full name is recognised only where one must stand.
    Never raises; a text that asks for nothing this bot does is `Intent.unknown` with no slots.
    """
    marked = mark(text[:_LONGEST], known_names)
    best = max(_hits(marked, role), key=lambda hit: hit.points, default=None)
    if best is None:
        return Command(Intent.unknown)
    intent = best.cue.intent
    slots: Slots = slots_of(intent, marked)
    return Command(intent, *slots, why=marked.between(best.start, best.end))


_LONGEST = 600  # characters; what follows is content, and a text pasted by mistake costs no more than this


@dataclass(frozen=True)
class _Hit:
    cue: Cue
    points: int
    start: int
    end: int


def _hits(marked: Marked, role: str) -> Iterator[_Hit]:
    symbols = marked.symbols
    for cue in CUES:
        if cue.roles and role not in cue.roles:
            continue
        found = cue.pattern.search(symbols)
        if found is None or (cue.unless and cue.unless.search(symbols)):
            continue
        if cue.room is None or _unexplained(symbols, found.start(), found.end()) <= cue.room:
            yield _Hit(cue, cue.points, found.start(), found.end())


def _unexplained(symbols: str, start: int, end: int) -> int:
    """How many characters of the clauses that hold `symbols[start:end]` are neither this bot's words nor grammar.

    A thing of another world (X) counts as three.
    """
    left = max(symbols.rfind(stop, 0, start) for stop in ",.?!:") + 1
    right = min((position for stop in ",.?!:" if (position := symbols.find(stop, end)) >= 0), default=len(symbols))
    rest = ORDINARY.sub("", symbols[left:right])
    return len(re.sub(r"[A-WYZ\W\d_]", "", rest)) + 2 * rest.count("X")
