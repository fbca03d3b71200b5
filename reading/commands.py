"""What somebody wants from the bot: a typed or dictated text becomes one of sixteen intents with its slots.

Three steps: the text becomes symbols, people and times and things marked (`reading/command_words.py`); the symbols show signs
(`reading/command_signs.py`); each sign speaks for or against intents with the weight it has in data/command_weights.json. The
highest sum wins; when it does not stand clearly above `unknown`, nothing was asked. One thing is wanted without being asked for: a
supervisor who tells what somebody did gives feedback, and that the gate can tell (`reading/sentence.py`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from reading import command_talk, sentence
from reading.command_signs import signs
from reading.command_slots import Intent, slots_of
from reading.command_talk import is_between_people
from reading.command_words import Marked, mark

__all__ = ["Command", "Intent", "Weights", "decide", "read"]

Weights = Mapping[str, Mapping[Intent, float]]

# Acting on talk that was none of the bot's business is worse than asking again. What is made of the bot's own words alone
# (怎么用, 改一下) is hardly anybody else's business.
MARGIN = 1.5
NOTHING_FOREIGN = "foreign characters 0"

# Without one of these kinds of words an intent is not even considered, whatever the sums say.
NEEDS: Mapping[Intent, frozenset[str]] = {
    intent: frozenset(kinds.split())
    for intent, kinds in {
        Intent.give_feedback: "P F praise",
        Intent.reply_feedback: "accept promise dispute explain thanks answered yes",
        Intent.my_week: "W F value received",
        Intent.team_week: "W F value received ours",
        Intent.pending: "pending not_yet answered due",
        Intent.remind: "nudge remind_me",
        Intent.snooze: "later vague_later again dont ping",
        Intent.delegate: "hand_over stand_in",
        Intent.withdraw: "withdraw",
        Intent.edit: "edit add_words mistake",
        Intent.attach_evidence: "M attach",
        Intent.help: "how why what may rule bot which",
        Intent.exempt_status: "exempt qualify",
        Intent.escalation_list: "escalated",
        Intent.metric_query: "R compare which",
    }.items()
}
LONGEST = 400  # characters; what follows is content


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
    marked = mark(text[:LONGEST], known_names)
    seen = signs(marked, role)
    intent, speaking = decide(seen, weights())
    if intent is Intent.unknown or _only_talks(marked, intent, role):
        return _told_without_asking(marked, role) or Command(Intent.unknown)
    start, end = seen[speaking]
    return Command(intent, *slots_of(intent, marked), why=marked.between(start, end))


_WRITE_IT = re.compile(r"[AFN]|记[一下个条]|[写提发录]|夸|表扬|批评|赞|反馈")


def _only_talks(marked: Marked, intent: Intent, role: str) -> bool:
    """Whether the words of a command are not meant for the bot."""
    if intent is not Intent.give_feedback:
        return is_between_people(marked)
    if is_between_people(marked):
        return not _reports(marked, role)
    return _WRITE_IT.search(marked.symbols) is None and command_talk.is_no_report(marked, sentence.read(marked.text))


def is_no_report(text: str, known_names: Iterable[str] = ()) -> bool:
    """Whether a text that names somebody tells nothing for a record of his, whatever it tells (`reading/command_talk.py`)."""
    marked = mark(text[:LONGEST], known_names)
    return command_talk.is_no_report(marked, sentence.read(marked.text))


def _reports(marked: Marked, role: str) -> bool:
    """Whether a supervisor tells of an occasion or of what followed: news of a colleague is a feedback then, whatever its form."""
    told = sentence.read(marked.text)
    return role != "employee" and (told.scene.present or told.impact.present) and not command_talk.is_no_report(marked, told)


# A figure says that something came of it, also where the gate does not see what.
_COUNTED = re.compile(r"\d+(?:\.\d+)?[元块万单件箱台个次分秒天人份%公吨米户家页条]")
# What may stand before the one who is named: 昨天, 记一下, 夸夸.
_NAMES_SOMEBODY = re.compile(r"(?:[T,:F]|记|夸|表扬|批评|说|给)*@?P")


def _told_without_asking(marked: Marked, role: str) -> Command | None:
    """A supervisor names somebody and tells what he did, no more: “@小王 14:23直播话术漏了促单，当场少了3单” (product, A3)."""
    if role == "employee" or not _NAMES_SOMEBODY.match(marked.symbols):
        return None
    told = sentence.read(marked.text)
    counted = told.scene.span if _COUNTED.search(marked.symbols) else None
    span = told.action.span or told.impact.span or counted
    if span is None or not _reports(marked, role):
        return None
    return Command(Intent.give_feedback, *slots_of(Intent.give_feedback, marked), why=marked.text[span.start : span.end])


def decide(seen: Mapping[str, tuple[int, int]], table: Weights) -> tuple[Intent, str]:
    """The intent with the highest sum, and the sign with a place in the text that speaks loudest for it."""
    sums = {intent: 0.0 for intent in Intent if intent not in NEEDS or not NEEDS[intent].isdisjoint(seen)}
    for sign in seen:
        for intent, weight in table.get(sign, {}).items():
            if intent in sums:
                sums[intent] += weight
    if NOTHING_FOREIGN not in seen:
        sums[Intent.unknown] += MARGIN
    best = max(sums, key=lambda intent: sums[intent])
    loudest = max(seen, key=lambda sign: (seen[sign][1] > 0, table.get(sign, {}).get(best, 0.0)))
    return best, loudest


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The table of weights: sign → intent → weight, positive for, negative against."""
    table = json.loads(files("reading").joinpath("data/command_weights.json").read_text(encoding="utf-8"))
    return {sign: {Intent(intent): weight for intent, weight in row.items()} for sign, row in table.items()}
