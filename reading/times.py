"""Mentions of time in a sentence about something that has happened: where they stand and how fine they are.

A mention is not yet a moment: `resolve` turns it into one, looking back from a given now.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
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
    "年货节|\\d{2,3}大促|跨年|小年|腊八|重阳节?"
)
_DAY = "|".join(
    (
        rf"(?:20\d\d年|今年|去年)?{_MONTH_NUM}月{_DAY_NUM}[日号]?(?!%)",
        r"(?:20\d\d[-/.])?(?<![\d.])(?:1[0-2]|0?[1-9])[-/](?:3[01]|[12]\d|0?[1-9])(?![\d%./-])",
        r"(?<![\d.])(?:1[0-2]|0?[1-9])\.(?:3[01]|[12]\d|0?[1-9])(?=[日号晚早夜那]|上午|下午|中午|凌晨|当天)",
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
_PART_OF_TODAY = re.compile(_PARTS)


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
        mentions.append(TimeMention(start, end, text[start:end], _grain(match, opening=not text[:start].strip())))
    return mentions


def _grain(match: re.Match[str], *, opening: bool) -> Grain:
    """A part of a day that opens the text (“上午盘点…”) is today's; elsewhere it may be any day's."""
    if match["period"]:
        return Grain.PERIOD
    if match["part"]:
        return Grain.DAY if opening and _PART_OF_TODAY.match(match[0]) else Grain.PART
    return Grain.DAY


_RELATIVE_DAYS = {"大前": 3, "前": 2, "昨": 1, "今": 0}
_RELATIVE = re.compile("(大前|前|昨|今)(?:天|日|儿个?|晚|夜|早|晨)")
_WEEKDAY = re.compile("(上上|上|这|本)?个?(?:周|星期|礼拜)([一二三四五六日天末])")
_MONTH_DAY = re.compile(rf"(?:(20\d\d)年|(今|去)年)?({_MONTH_NUM})月({_DAY_NUM})")
_NUMERIC = re.compile(r"(?:(20\d\d)[-/.])?(\d{1,2})[-/.](\d{1,2})")
_DAY_OF_MONTH = re.compile(rf"(上)?(?:个?月|这个?月|本月|当月)?({_DAY_NUM})[日号]")
_CLOCK_TIME = re.compile(rf"(\d{{1,2}}):(\d\d)|({_NUM})点(半|一刻|三刻|{_NUM})?")
_JUST_NOW = ("刚才", "刚刚", "方才", "适才", "就刚才", "刚")
_HOURS = (
    ("凌晨", 2),
    ("清晨|清早|一早|早", 8),
    ("上午|晌午", 10),
    ("中午", 12),
    ("午后|下午", 15),
    ("傍晚|黄昏", 18),
    ("半夜|深夜", 0),
    ("晚|夜", 20),
)
_AFTERNOON = re.compile("下午|午后|傍晚|黄昏|晚|夜")


def resolve(mention: TimeMention, now: datetime, zone: tzinfo) -> datetime | None:
    """The moment (aware UTC) a mention of a past day speaks of, seen from `now`; never later than `now`.

    A day without an hour is taken at noon in `zone`. None for periods, feasts and impossible dates: they name no
    single moment. 周三 is the latest Wednesday that is not in the future; 9月12日 likewise of the year.
    """
    here = now.astimezone(zone)
    if mention.words in _JUST_NOW:
        return here.astimezone(UTC)
    day = _day(mention.words, here.date())
    if day is None:
        return None
    hour, minute = _hour(mention.words)
    moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return min(moment, here).astimezone(UTC)


def _day(words: str, today: date) -> date | None:
    if match := _RELATIVE.match(words):
        return today - timedelta(days=_RELATIVE_DAYS[match[1]])
    if match := _WEEKDAY.match(words):
        return _weekday(match[1] or "", match[2], today)
    try:
        if match := _MONTH_DAY.match(words):
            year = int(match[1]) if match[1] else today.year - (match[2] == "去")
            return _not_later(date(year, number(match[3]), number(match[4])), today, fixed=bool(match[1] or match[2]))
        if match := _NUMERIC.match(words):
            year = int(match[1]) if match[1] else today.year
            return _not_later(date(year, int(match[2]), int(match[3])), today, fixed=bool(match[1]))
        if match := _DAY_OF_MONTH.match(words):
            day = number(match[2])
            this = today.replace(day=day) if not match[1] and day <= today.day else None
            return this or (today.replace(day=1) - timedelta(days=1)).replace(day=day)
    except ValueError:
        return None
    return today if _PART_OF_TODAY.match(words) or _CLOCK_TIME.match(words) else None


def _weekday(week: str, name: str, today: date) -> date:
    index = {"日": 6, "天": 6, "末": 5}.get(name, "一二三四五六".find(name))
    monday = today - timedelta(days=today.weekday())
    if week in ("上", "上上"):
        return monday - timedelta(weeks=len(week)) + timedelta(days=index)
    day = monday + timedelta(days=index)
    return day if day <= today else day - timedelta(weeks=1)


def _not_later(day: date, today: date, *, fixed: bool) -> date:
    return day if fixed or day <= today else day.replace(year=day.year - 1)


def _hour(words: str) -> tuple[int, int]:
    afternoon = _AFTERNOON.search(words) is not None
    if match := _CLOCK_TIME.search(words):
        hour = int(match[1]) if match[1] else number(match[3])
        minute = int(match[2]) if match[2] else {"半": 30, "一刻": 15, "三刻": 45}.get(match[4] or "", number(match[4] or ""))
        late_night = re.search("半夜|深夜|夜里|凌晨", words) is not None and hour < 6
        return (hour + 12 if afternoon and hour < 12 and not late_night else hour) % 24, minute % 60
    return next((hour for part, hour in _HOURS if re.search(part, words)), 12), 0


def number(digits: str) -> int:
    """A number of two digits as written in Arabic or Chinese (十二, 廿 is not known); 0 when there is none."""
    if digits.isdecimal():
        return int(digits)
    tens, ten, ones = digits.partition("十")
    high = (_NUMERALS.find(tens) if tens else 1) * 10 if ten else 0
    low = _NUMERALS.find((ones if ten else tens).replace("两", "二")) if (ones if ten else tens) else 0
    return high + max(low, 0)


_NUMERALS = "零一二三四五六七八九"
