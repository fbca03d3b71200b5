"""Which of the people, times and numbers in a command are its slots.

A feedback, an answer or a correction holds people and times of its own; they are content, not slots. So each intent reads only
its instruction: what stands before a colon, before 改成, before the sentence that is dictated.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from reading.command_words import Marked


class Intent(StrEnum):
    """What is wanted; `unknown` is talk that is none of the bot's business."""

    give_feedback = "give_feedback"
    reply_feedback = "reply_feedback"
    my_week = "my_week"
    team_week = "team_week"
    pending = "pending"
    remind = "remind"
    snooze = "snooze"
    delegate = "delegate"
    withdraw = "withdraw"
    edit = "edit"
    attach_evidence = "attach_evidence"
    help = "help"
    exempt_status = "exempt_status"
    escalation_list = "escalation_list"
    metric_query = "metric_query"
    unknown = "unknown"


class Slots(NamedTuple):
    """Verbatim pieces of the text, in the order of the fields of `Command`."""

    targets: tuple[str, ...] = ()
    to: str | None = None
    time: str | None = None
    duration: str | None = None
    feedback_id: str | None = None
    metric: str | None = None


def slots_of(intent: Intent, marked: Marked) -> Slots:
    """The slots of `marked`, read as `intent`."""
    symbols = marked.symbols
    taker = _taker(symbols) if intent is Intent.delegate else None
    people = [index for index in _people(intent, symbols) if index != taker]
    return Slots(
        targets=tuple(dict.fromkeys(marked.spell(index) for index in people)),
        to=None if taker is None else marked.spell(taker),
        time=_spell(marked, _time(intent, symbols)),
        duration=_spell(marked, _duration(intent, symbols)),
        feedback_id=_spell(marked, symbols.find("N")),
        metric=_spell(marked, symbols.find("R") if intent is Intent.metric_query else -1),
    )


def _spell(marked: Marked, index: int) -> str | None:
    return marked.spell(index) if index >= 0 else None


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────
_TAKER = (
    r"(?:转给|交给|转交给?|移交给?|改派(?:给|到|为|成)?|派给|转派给?|指派给?|委托给?|托付给?|授权给?|分给|分配给|甩给|换给|改由|交由|转由|转到|委派给?|移给|划给|过给|拨给|安排给?|推给|"
    r"让|由|请|叫|找|托|麻烦|归|换成|改成|就|代理人?[^,.]{0,4}(?:设|是|换|改|为|选|指定|:|就|找|给|由)[^,.P]{0,3}|代办人[^,.P]{0,4}|接手人[^,.P]{0,4})(P)",
    r"(P)(?:来)?(?:暂时|先|帮忙|临时|全权)?(?:代|替我|帮我|接手|接管|接替|接|跟进|跟|负责|来|为|当|做|作|顶|处理)",
    r"(?:设|指定|选|换|给)[^,.P]{0,3}(P)(?!的|那)",
)
_GIVEN_TO = (
    r"(?:给|对|向|跟|关于|针对|夸夸?|夸奖|批评|点赞|点评|对象是?|F)(P(?:[和跟、,及与P]|以及|还有)*)",
    r"^[^P]*?(P(?:(?:[和跟、,及与]|以及|还有)?P)*)",
)
_ANSWERED = (
    r"^[^,.:P]{0,6}(?:回复?|答复|回应|谢谢|感谢|收到|关于|对|针对)(?:给)?(P)",
    r"^[^,.:P]{0,4}(P)(?:[,:]|的?[AF]|T?(?:给|说|写|提|发|指出|批评|讲|的))",
)


def _people(intent: Intent, symbols: str) -> list[int]:
    match intent:
        case Intent.give_feedback:
            return _first_of(_GIVEN_TO, symbols)
        case Intent.reply_feedback:
            return _first_of(_ANSWERED, symbols)
        case Intent.edit:
            return _all_people(symbols[: _content_start(symbols)])
        case _:
            return _all_people(symbols)


def _first_of(patterns: tuple[str, ...], symbols: str) -> list[int]:
    for pattern in patterns:
        found = re.search(pattern, symbols)
        if found:
            return [index for index in range(*found.span(1)) if symbols[index] == "P"]
    return []


def _all_people(symbols: str) -> list[int]:
    """Every person, except one who only names a team (小王组)."""
    return [found.start() for found in re.finditer(r"P(?!的?(?:组|班|队|店|G))", symbols)]


def _taker(symbols: str) -> int | None:
    for pattern in _TAKER:
        found = re.search(pattern, symbols)
        if found:
            return found.start(1)
    return symbols.rfind("P") if "P" in symbols else None


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────
_NEW_WORDS = re.compile(r"改成|改为|换成|更正为|应该是|应为|加上|加一?句|补一?句|补上|补充|[:,]|写成|不是|才对")
_RECORD_TIME = re.compile(r"T(?=[^,.:T]{0,8}[AFNM回])|T(?=[^,.:T]{0,6}(?:发|写|提|记|录|交)(?:的|给))")
_MOVED_TO = re.compile(r"(?:到|改成|改|推|延|缓|等|晚|顺延)(T)|(T)(?=[^,.]{0,3}再)|别[^,.]*,(T)")
_QUIET_ON = re.compile(r"(T)(?=[^,.]{0,4}(?:别|不要|不用|先|提醒|说|看|弄))")
_RECORD_INTENTS = (Intent.withdraw, Intent.edit, Intent.attach_evidence, Intent.reply_feedback)
_TIMELESS = (Intent.give_feedback, Intent.help)
_TIMED = (Intent.snooze, Intent.delegate, Intent.remind)


def _content_start(symbols: str) -> int:
    """Where the words to be put in begin: they are content."""
    found = _NEW_WORDS.search(symbols, 1)
    return found.end() if found else len(symbols)


def _time(intent: Intent, symbols: str) -> int:
    if intent in _TIMELESS:
        return -1
    if intent in _RECORD_INTENTS:
        found = _RECORD_TIME.search(symbols[: _content_start(symbols) + 1])
        return found.start() if found else -1
    if intent is Intent.snooze:
        found = _MOVED_TO.search(symbols) or _QUIET_ON.search(symbols)
        # 老段今天休息，催办停一天: the day tells why, not until when.
        return found.start(found.lastindex or 0) if found else -1 if "D" in symbols else symbols.find("T")
    return symbols.find("T")


def _duration(intent: Intent, symbols: str) -> int:
    if intent not in _TIMED:
        return -1
    found = re.search(r"(?<!超过)(?<!超)(?<!满)(?<!过了)D(?!没|未|内|一次|[^,.]{0,2}没)", symbols)
    return found.start() if found else -1
