"""Mentions of time in a sentence about something that has happened: where they stand and how fine they are.

A mention is not yet a moment: `resolve` turns it into one, looking back from a given now.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Grain(StrEnum):
    """How fine a mention is."""

    DAY = "day"  # a day or finer: 昨天, 周三, 9月12日14:23, 刚才
    PART = "part"  # a part of a day that is not said to be today: 下午, 晚高峰, 周末
    PERIOD = "period"  # longer than a day: 上周, 这个月, 三季度


@dataclass(frozen=True)
class TimeMention:
    """Words that name a time; `start` and `end` are offsets into the text read."""

    start: int
    end: int
    words: str
    grain: Grain


_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN = "[零〇一二两三四五六七八九十]"
_NUM = rf"(?:\d{{1,2}}|{_HAN}{{1,3}})"
_MONTH_NUM = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY_NUM = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二十[一二三四五六七八九]?|十[一二三四五六七八九]?|[一二三四五六七八九])"
_PARTS = "凌晨|清晨|清早|一早|大早上|早上|早晨|上午|晌午|中午|午后|下午|傍晚|黄昏|晚上|晚间|夜里|夜间|半夜|深夜|大半夜"
_CLOCK = rf"(?:(?:[01]?\d|2[0-4])[:：][0-5]\d(?:[:：][0-5]\d)?|{_NUM}点(?:半|钟|多|来钟|一刻|三刻|{_NUM}分?)?(?!位|建|意|要|心|头|原))"
_TAIL = rf"(?:的?(?:{_PARTS}|早|晚|夜))?(?:的?{_CLOCK})?"
_FEAST = (
    "元旦|春节|除夕|大年初[一二三四五六七]|年三十|元宵节?|清明节?|五一|劳动节|端午节?|中秋节?|国庆节?|十一长假|教师节|"
    "儿童节|六一|妇女节|三八节|母亲节|父亲节|情人节|七夕|平安夜|圣诞节?|双十一|双11|双十二|双12|618|6\\.18|11\\.11|黑五|"
    "年货节|跨年|小年|腊八|重阳节?|店庆|周年庆"
)
_DAY = "|".join(
    (
        rf"(?:20\d\d年|今年|去年)?{_MONTH_NUM}月{_DAY_NUM}[日号]?(?!%)",
        r"(?:20\d\d[-/.])?(?<![\d.])(?:1[0-2]|0?[1-9])[-/](?:3[01]|[12]\d|0?[1-9])(?![\d%./-])",
        rf"(?:上个?月|这个?月|本月|当月){_DAY_NUM}[日号]",
        rf"(?<![\d第]){_DAY_NUM}[日号](?=那|这|当|早|上午|中|下午|晚|凌|夜|白班|,|，|你|小|老|阿|给|在|去|的|盘|开|发)",
        "大前天|前天|昨天|今天|昨日|今日|前日|昨儿个?|今儿个?|前儿",
        "前晚|昨晚|今晚|昨夜|今夜|当晚上|今早|今晨|昨早|今天一早",
        "刚才|刚刚|方才|适才|就刚才|刚",
        r"(?<!每)(?<!每个)(?:上上|上|这|本)?个?(?:周|星期|礼拜)[一二三四五六日天末](?!年)",
        rf"(?:{_FEAST})(?:当天|那天|当晚|那晚|前夜|前一天|前夕|第[一二三四五六七]天|后第[一二三四五六七]天|期间|假期|晚上)?",
        rf"(?:{_PARTS}){_CLOCK}",
        r"(?<![\d:])(?:[01]?\d|2[0-4])[:：][0-5]\d(?![\d:])",
    )
)
_PART = "|".join(
    (
        _PARTS,
        rf"{_NUM}点(?:半|钟|多|来钟|一刻|三刻|{_NUM}分)?(?!位|建|意|要|心|头|原|货|单|名|数)",
        "早高峰|晚高峰|午高峰|早市|午市|晚市|周末|早班|中班|晚班|夜班|白班",
    )
)
_PERIOD = "|".join(
    (
        rf"(?:今年|去年|前年|20\d\d年)(?:{_MONTH_NUM}月|上半年|下半年|年初|年底|年中)?(?:初|中旬|底|末|上旬|下旬)?",
        r"(?:上上|上|这|本)个?(?:周|星期|礼拜)(?:初|末)?",
        r"(?:上上|上|这|本|当)个?月(?:初|中旬|底|末|上旬|下旬)?",
        r"(?:上|这|本)个?季度?度|(?:第?[一二三四1-4])季度|q[1-4]|上半年|下半年|年初|年中|年底|岁末|月初|月底|月末|月中",
        rf"(?<![\d.]){_MONTH_NUM}月份?(?:初|中旬|底|末|上旬|下旬)?(?!\d)",
        "前阵子|前段时间|前些天|前几天|前两天|上次|上回|上一次|这次|这回|本次|学期|本学期|这学期|上学期|寒假|暑假|旺季|淡季",
    )
)
_MENTION = re.compile(rf"(?P<day>(?:{_DAY}){_TAIL})|(?P<period>{_PERIOD})|(?P<part>{_PART})")
_WIDENING = ("每", "每个", "各", "逢")
_DESTINATION = ("到", "至", "推迟到", "拖到", "等到", "延到", "改到", "提到", "直到", "给到")
_NOT_A_TIME = ("刚好", "刚开始", "刚性", "刚来", "刚入", "刚毕", "刚需")
_WEEKEND = re.compile(r"周末|星期末|礼拜末")


def find(text: str) -> list[TimeMention]:
    """All mentions of a past time in normalised text, in order, not overlapping.

    Left out: repeated times (每周五) and times that are where something was moved to (推迟到今天下午).
    """
    mentions = []
    for match in _MENTION.finditer(text):
        start, end = match.span()
        while end > start and text[end - 1] in "的 ":
            end -= 1
        before = text[max(0, start - 3) : start]
        if before.endswith(_WIDENING) or before.endswith(_DESTINATION):
            continue
        if text.startswith(_NOT_A_TIME, start) and text[start:end] == "刚":
            continue
        mentions.append(TimeMention(start, end, text[start:end], _grain(match, text[start:end])))
    return mentions


def _grain(match: re.Match[str], words: str) -> Grain:
    if match["period"]:
        return Grain.PERIOD
    if match["part"] or words in ("周末", "这周末", "本周末"):
        return Grain.PART
    return Grain.DAY
