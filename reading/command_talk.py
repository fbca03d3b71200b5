"""Talk between people: a text that is said to a colleague or tells what others did, and so asks the bot for nothing.

A command has the form of one: it tells, asks or requests. “领导昨天批评了小吴” holds the word of a command, but its doer is somebody
else and the thing is done; “小刘你昨天的快递我帮你拿了” is said to 小刘. Only forms are judged here, never the matter.
"""

import re
from functools import lru_cache

from reading.command_words import Marked
from reading.word_lists import any_of, tight, word_lists

# A colleague is called by name and then spoken to: 小刘你…, 小刘，你…; the bot is 你 only when nobody is called.
_SPOKEN_TO = re.compile(r"@?P[,、:]?你(?!们?的?[AFN])")
_SPOKEN_TO_MANY = re.compile(r"(?:[^,.?!]{0,4})你们(?!机器人|系统)")
# Whoever asks, requests, speaks of himself or points at a record may want something.
_ASKING = re.compile(
    r"[ANQ?]|F(?![了过])|别|不[用要催必]|先不|停|暂|我|咱|请|帮|替|让|叫|谁|哪|几|多少|怎|咋|什么|啥|能|可以|该|要|值得"
    r"|记一|写一|发一|提一|吗|么$|没$|没有$"
)
_DONE = re.compile(r"[了过](?!没|吗|么)")


@lru_cache(maxsize=1)
def _others_did() -> re.Pattern[str]:
    lists = word_lists("command_words.txt")
    return re.compile(
        tight(rf"""
            (?: T | 刚才? | 听说 | 好像 )* @?
            (?: P | {any_of([*lists["them"], *lists["boss"]])} ) (?: 们 | 那边 | 家 )?
            (?! [的那这AFN,:、] )
            (?: T | [也都又刚就才还] | 已经 )* (?: F(?=[了过]) | [^TAFN,.:、的] )
        """)
    )


def is_between_people(marked: Marked) -> bool:
    """Whether `marked` speaks to a colleague, or only tells what somebody else has done."""
    symbols = marked.symbols
    if _SPOKEN_TO.match(symbols) or _SPOKEN_TO_MANY.match(symbols):
        return True
    told = _others_did().match(symbols)
    return told is not None and _DONE.search(symbols, told.end() - 1) is not None and _ASKING.search(symbols) is None
