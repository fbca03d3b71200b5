"""Signs: what speaks for or against an element, as short names with one meaning each.

A verdict can be explained by them and a weight be read. Signs only observe; how much each counts stands in
data/gate_weights.json. Here are those that several elements share; `actions`, `impacts`, `scenes` and `praise`
have their own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from reading.spans import Word
from reading.statements import Statement, Subject
from reading.text import han_count

ACTS = ("act", "act1")
CONSEQUENCES = ("loss", "gain")
HAN = "[\u4e00-\u9fff]"
Wording = Mapping[str, re.Pattern[str]]

HANDLING = re.compile("[把将](?!握|关|控|手|得|要|会|好关|住关|不住|不好|不严)")  # 把字句, but not 把握, 把关, 把不住
ORDERING = re.compile("^(?:以后|今后|下次|下回|请|记得|务必|要|必须|别|不要|不许|麻烦)")
OCCASION_ONLY = re.compile("(?:的时候|时|那天|那次|那会儿?|会|前|后|之前|之后|中|过程中|期间|当天|当晚|高峰|方面)$")

_NEAR = 4  # words between a "not" and what it denies
_AS_A_NOUN = re.compile(
    "^(?:的?时候|时$|那天|那次|会$|前$|后$|之前|之后|高峰|人员|方式|方面|能力|意识|流程|工作|情况|问题|过程|率|费|单|员|师傅)"
)
_JUDGING_TAGS = ("eval", "mind", "fault", "vague", "emotion", "empty_impact", "hypo", "maybe")
_JUDGING: Wording = {
    "how_well": re.compile(
        f"{HAN}得(?:很|不|比较|非常|特别|太|挺|真|十分|相当|有点|越来越|{HAN}{{2,4}}$)"
        "|(?:最|很|太|挺|非常|特别)(?:快|慢|好|多|少|高|低|早|晚|稳|准|齐|差|强|棒)$"
    ),
    "you_are": re.compile(f"^[^\u4e00-\u9fff]*(?:你|您|[小老阿]{HAN})(?:就|真|才|可)?是"),
    "not_managed": re.compile("没.{0,4}(?:住|好|够|透|稳|准|牢|严|细|全|到位|及时|跟上|周到)$"),
    "listing": re.compile("、.*、|无论|不论|不管|多项|各项"),
    "degree": re.compile("很|太|挺|真|非常|特别|比较|不够|有点|十分|相当|最|越来越|更"),
}
_YOU_AND_FOUR = re.compile(f"[^\u4e00-\u9fff]*你{HAN}{{4}}")


def worded(wording: Wording, text: str) -> Iterator[str]:
    """The names in `wording` whose pattern occurs in `text`."""
    return (sign for sign, pattern in wording.items() if pattern.search(text))


def subject_sign(statement: Statement) -> str:
    """Of whom the statement speaks, and whether that was said or taken over."""
    return f"subject_{statement.subject.value}" + ("_inherited" if statement.inherited else "")


def judging_signs(statement: Statement) -> Iterator[str]:
    """Evaluation, feelings, orders and guesses: what is said about a doing instead of the doing."""
    text = statement.text
    yield from (tag for tag in _JUDGING_TAGS if statement.has(tag))
    yield from worded(_JUDGING, text)
    if statement.subject is Subject.EMPLOYEE and not statement.inherited and _YOU_AND_FOUR.fullmatch(text):
        yield "you_and_four_characters"
    if han_count(text) == 4 and len(text) == 4 and not statement.has(*ACTS, *CONSEQUENCES, "employee", "cust"):
        yield "four_characters"


def place_signs(row: Sequence[Statement], index: int) -> Iterator[str]:
    """Where the statement stands and how long it is."""
    if index == 0:
        yield "first"
    elif index == len(row) - 1:
        yield "last"
    length = han_count(row[index].text)
    yield "short" if length <= 4 else "middling" if length <= 9 else "long"


def acts_told(statement: Statement) -> list[int]:
    """Where in the statement's words an act is told, not merely named."""
    words = statement.words
    return [i for i, word in enumerate(words) if word.has(*ACTS) and not is_named_only(words, i)]


def is_named_only(words: Sequence[Word], index: int) -> bool:
    """Whether a verb stands as a noun: 盘点的时候, 开店、闭店, 那次抽检."""
    word = words[index]
    before = words[index - 1].text if index else ""
    rest = "".join(w.text for w in words[index + 1 :])
    if _AS_A_NOUN.match(rest) or rest.startswith("、") or (before == "、" and not rest):
        return True
    if not word.has("occasion"):
        return False
    return not rest or before in ("的", "次", "场") or words[index + 1].has("employee", "time")


def is_denied(words: Sequence[Word], index: int) -> bool:
    """Whether a "not" stands shortly before the word."""
    return any(word.has("neg") for word in words[max(0, index - _NEAR) : index])
