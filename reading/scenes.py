"""Scene: words by which both sides know which occasion is meant."""

import re
from collections.abc import Iterator, Sequence

from reading.signs import ACTS, HAN, Wording, worded
from reading.statements import Statement
from reading.text import han_count

_UNITS = (
    "次|单|台|位|个|批|票|份|张|场|通|笔|趟|桌|车|件|箱|封|条|版|栋|晚|夜|回|盘|板|柜|罐|锅|班|节|期|户|家|对|组|队|款|堂|顿|天|会儿|会|段"
    "|页|间|套|双|只|头|辆|颗|炉|包|壶|碗|杯|盆|道|轮|波|阵|起|支|根|把|块|两[天个位单台]|三[天个位单台]|[几\\d]天"
)
_THAT_THING = re.compile(
    rf"(?<![你您他她我])(?<!你们)那(?:{_UNITS})(?!时候|意思|样子|种|态度|状态)"
    "|[你您]那(?:通|单|次|份|封|张|场|趟|笔|票)|(?:首|末|头)(?:单|场|批)"
)
_THIS_THING = re.compile("这(?:单|台|批|票|份|张|场|通|笔|趟|桌|车|箱|封|版|栋|炉|次)(?!人|子|们|效率|态度|状态|事情)")
_NUMBER = r"[\d一二三四五六七八九十]+"
_NUMBERED = re.compile(
    r"(?:pr|bug|issue|工单|单号|订单号?|订单尾号|尾号|编号|合同|批号|批次号?|箱号|流水号|运单号?|票号)\s*(?:号|是|为|尾号|:)?\s*[#a-z-]*\d+(?![\d个条项次件起份])"
    rf"|第{_NUMBER}(?:节|课|批|场|期|轮|单|车|柜|炉|次)|{_NUMBER}号?(?:桌|房|床|包间|包厢|卡座)|设计单"
)
_NUMBERED_PLACE = re.compile(rf"{_NUMBER}号(?:梯|楼|机|线|炉|车|柜|仓|库|店|铺|台|门|厅|窗口|工位|会议室)")
_LIKENED = re.compile("是.{0,6}那")  # “你是最亮的那颗星”
_DESCRIBED_KIND = re.compile("(?<![周月天日午晚上早])的那[个些种]")  # “报错的那个页面”: a kind of thing as often as one
_GENERAL_CASE = re.compile(
    f"一{HAN}{{1,4}}(?:就|便)|的时候.{{0,3}}(?:总|都|老|从|常)|凡是|只要.{{1,12}}(?:就|都|便)|遇到.{{1,10}}(?:就|都|总|会)"
    f"|每(?:次|回|天|周|月|个月|班|逢|到|当|一次|一个|单)|每{HAN}{{1,4}}(?:前|后|时)|每{HAN}{{1,9}}都|都会"
    "|(?:从来|总|老|都|常)(?:不|没|会|是|把|要|用|爱|给)"
    "|(?<![之以提])[时前后完](?:都|总)(?![没不是有])|(?:时|前|后|完|候)(?:都|总|就)?会(?:把|先|在|给|用|让|将|等|多|主动)"
)
_NOT_ONE = re.compile(f"一{HAN}{{1,6}}[都也](?:没|不)")  # 一单都没退: not one, which is no habit
_FOR_EACH = re.compile("(?<=[给对把为跟向和将])每")  # 给每位家长都发了: each of them, not each time
_WORDING: Wording = {
    "this_thing": _THIS_THING,
    "numbered_place": _NUMBERED_PLACE,
    "enumerated": re.compile(
        "无论|不论|不管|(?:、.{1,10})+等(?:多|各|工作|方面|项|旺季|重|一系列|活动|环节|任务|场合|节日)|多项工作|各项工作|各类|各种"
    ),
    "credit_or_blame": re.compile("因为|由于|多亏|幸亏"),
    "something_ended": re.compile(rf"(?<!我)了(?=[，。！]|$)|了(?:{HAN}|\d)"),
}
_WONT = re.compile(f"^(?:你|您|[小老阿]{HAN}|{HAN}{{1,2}}(?:师傅|老师|工|姐|哥))(?:都|总|就|还|也|一般)?(?:会|爱|喜欢|习惯|常|总|老)")
_DAY_OF_OCCASION = re.compile("(?:会|展|节|庆|活动|促|营|赛|训|期|假)(?:的|期间)?(?:第[一二三四五六七]天|首日|头[一两三]天|最后一天)")
_AT_AN_OCCASION = re.compile("那天|那次|那回|那晚|那会儿|那阵|现场|当天|当晚|时|会上|课上|前|后")
_NO_TOPIC = ("time", "adv", "plain", "eval", "mind", "employee", "good", "bad", "prep")


def scene_signs(text: str, row: Sequence[Statement], told: str) -> frozenset[str]:
    """What speaks for and against `text` (normalised) naming one occasion.

    `told` is what the text tells of: "act", "consequence" or "" for neither. A day alone is no scene: something must
    have happened on it.
    """
    return frozenset({*_time_signs(text, row, told), *_thing_signs(text, row), *_habit_signs(text, row), *worded(_WORDING, text)})


def thing_named(text: str) -> tuple[int, int] | None:
    """Where the text points at one thing (那单, 8号桌, PR 88), as (start, end)."""
    matches = (pattern.search(text) for pattern in (_THAT_THING, _NUMBERED, _THIS_THING, _NUMBERED_PLACE))
    return next((match.span() for match in matches if match), None)


def _finest_time(text: str, row: Sequence[Statement]) -> str:
    """The tag of the finest time mentioned, or "time_none"."""
    if _DAY_OF_OCCASION.search(text):
        return "time_day"
    return next((tag for tag in ("time_day", "time_part", "time_period") if any(s.has(tag) for s in row)), "time_none")


def _time_signs(text: str, row: Sequence[Statement], told: str) -> Iterator[str]:
    finest = _finest_time(text, row)
    occasion = any(s.has("occasion") for s in row)
    if told == "act" and thing_named(text) is not None:
        yield "act_on_a_thing"
    yield f"{finest}_and_{told or ('occasion' if occasion else 'nothing')}"
    if occasion:
        yield f"{finest}_with_occasion"
    if row and finest != "time_none" and _has_topic(row[0]):
        yield f"{finest}_with_topic"
        if _is_of_time(row[0]):
            yield "occasion_of_time"
    if finest == "time_period" and any(s.has("metric") for s in row):
        yield "period_of_a_figure"
    if not told and any(s.has(*ACTS) and not s.has("eval", "mind", "vague", "fault") for s in row):
        yield "something_done"


def _has_topic(opening: Statement) -> bool:
    """Whether the opening names something besides a time: “昨天的验收会”, “周四跟台”."""
    if not opening.has("time") or opening.has("employee"):
        return False
    return sum(han_count(word.text) for word in opening.words if not word.has(*_NO_TOPIC)) >= 2


def _is_of_time(opening: Statement) -> bool:
    """“昨天的…”: the topic belongs to the time."""
    words = opening.words
    return len(words) > 2 and words[0].has("time") and words[1].text == "的"


def _thing_signs(text: str, row: Sequence[Statement]) -> Iterator[str]:
    that = bool(_THAT_THING.search(text)) and not _LIKENED.search(text)
    numbered = bool(_NUMBERED.search(text))
    occasions = [word for statement in row for word in statement.words if word.has("occasion")]
    if that:
        described = _DESCRIBED_KIND.search(text) and _finest_time(text, row) == "time_none"
        yield "that_thing_described" if described else "that_thing"
    if numbered:
        yield "numbered_thing"
    if occasions:
        yield "occasion"
    if any(not word.has("act") for word in occasions):
        yield "occasion_proper"
    if len(row) > 1 and (row[0].has("occasion") or _AT_AN_OCCASION.search(row[0].text)):
        yield "opens_with_occasion"
    if not that and not numbered and not occasions and _finest_time(text, row) == "time_none":
        yield "nothing_to_hold"


def _habit_signs(text: str, row: Sequence[Statement]) -> Iterator[str]:
    if any(s.has("habit") for s in row) or _GENERAL_CASE.search(_FOR_EACH.sub("", _NOT_ONE.sub("", text))):
        yield "habit_despite_day" if _finest_time(text, row) == "time_day" else "habit"
    if row and _WONT.search(row[0].text):
        yield "wont_to"
    if any(s.has("hypo") for s in row):
        yield "hypothetical"
