"""Times that lie ahead (明天上午, 下周一, 半小时) and weeks that are asked about (上周): the time slots of commands.

What has happened is read by `reading/times.py`; here nothing is looked for, the words are known to name a time.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from reading.text import normalise
from reading.times import number


@dataclass(frozen=True)
class Ahead:
    """A day that is not over, local; `clock` is None when no time of day was named."""

    day: date
    clock: time | None = None


_DAYS = {"大后": 3, "后": 2, "明": 1, "次": 1, "今": 0}
_DAY = re.compile("(大后|后|明|次|今)(?:天|日|儿|早|晚|晨|夜)")
_WEEKDAY = re.compile("(下下|下|这|本)?个?(?:周|星期|礼拜)([一二三四五六日天末])")
_WEEK = re.compile("(下下|下|这|本)个?(?:周|星期|礼拜)")
_MONTH_DAY = re.compile(r"(\d{1,2}|[一二三四五六七八九十]{1,2})(?:月|[/-])(\d{1,2}|[一二三四五六七八九十]{1,3})")
_DAY_OF_MONTH = re.compile(r"(\d{1,2}|[一二三四五六七八九十]{1,3})[号日]")
_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})|(\d{1,2}|[零一二两三四五六七八九十]{1,3})点(半|一刻|三刻|(?:\d{1,2}|[零一二三四五六七八九十]{1,3})分?)?"
)
_MINUTES = {"半": 30, "一刻": 15, "三刻": 45}
_PARTS = (
    (re.compile("凌晨"), time(6)),
    (re.compile("早|晨"), time(9)),
    (re.compile("上午"), time(10)),
    (re.compile("中午"), time(12)),
    (re.compile("下班"), time(18)),
    (re.compile("下午|午后"), time(14)),
    (re.compile("傍晚"), time(18)),
    (re.compile("晚|夜"), time(20)),
)
_AFTERNOON = re.compile("下午|午后|傍晚|晚|夜")
_AMOUNT = re.compile(r"(半|\d+(?:\.\d+)?|[一二两三四五六七八九十]{1,3})(?:个)?(半)?(小时|钟头|分钟|刻钟|天|日|周|星期|礼拜|月)(半)?")
_UNITS = {
    "小时": timedelta(hours=1),
    "钟头": timedelta(hours=1),
    "分钟": timedelta(minutes=1),
    "刻钟": timedelta(minutes=15),
    "天": timedelta(days=1),
    "日": timedelta(days=1),
    "周": timedelta(weeks=1),
    "星期": timedelta(weeks=1),
    "礼拜": timedelta(weeks=1),
    "月": timedelta(days=30),
}


def ahead(words: str, now: datetime, zone: tzinfo) -> Ahead | None:
    """The day (and time of day) ahead of `now` that `words` name in `zone`; None when they name none.

    周五 is the coming Friday, today included; 3点 is the next one of the clock, in the afternoon when the morning's is over.
    """
    here = now.astimezone(zone)
    even = normalise(words)
    day = _day(even, here.date())
    clock = _clock(even)
    if day is None and clock is None:
        return None
    if day is not None:
        return Ahead(day, clock) if day >= here.date() else None
    assert clock is not None
    if clock <= here.time() and clock.hour < 12 and not re.search("早|晨|上午", even):
        clock = clock.replace(hour=clock.hour + 12)
    return Ahead(here.date() if clock > here.time() else here.date() + timedelta(days=1), clock)


def length(words: str) -> timedelta | None:
    """How long 半小时, 两天 or 一个半小时 is; None for anything else."""
    found = _AMOUNT.search(normalise(words))
    if found is None:
        return None
    amount = 0.5 if found[1] == "半" else _number(found[1])
    half = 0.5 if found[2] or found[4] else 0.0
    span = min(amount + half, 10_000) * _UNITS[found[3]]
    return span or None


def weeks_back(words: str) -> int | None:
    """0 for 本周, 1 for 上周, 2 for 上上周; None for what names no week."""
    found = re.search("(上上|上|这|本)个?(?:周|星期|礼拜)", normalise(words))
    return {"这": 0, "本": 0, "上": 1, "上上": 2}[found[1]] if found else None


def _day(words: str, today: date) -> date | None:
    if match := _DAY.search(words):
        return today + timedelta(days=_DAYS[match[1]])
    if match := _WEEKDAY.search(words):
        return _weekday(match[1] or "", match[2], today)
    if match := _WEEK.search(words):
        return _weekday(match[1], "一" if match[1].startswith("下") else "五", today)
    try:
        if match := _MONTH_DAY.search(words):
            day = date(today.year, number(match[1]), number(match[2]))
            return day if day >= today else day.replace(year=today.year + 1)
        if match := _DAY_OF_MONTH.search(words):
            return _day_of_month(number(match[1]), today)
    except ValueError:
        return None
    return None


def _weekday(week: str, name: str, today: date) -> date:
    index = {"日": 6, "天": 6, "末": 5}.get(name, "一二三四五六".find(name))
    monday = today - timedelta(days=today.weekday())
    if week.startswith("下"):
        return monday + timedelta(weeks=len(week), days=index)
    day = monday + timedelta(days=index)
    return day if day >= today or week else day + timedelta(weeks=1)


def _day_of_month(number_of_day: int, today: date) -> date:
    if number_of_day >= today.day:
        return today.replace(day=number_of_day)
    return (today.replace(day=1) + timedelta(days=32)).replace(day=number_of_day)


def _clock(words: str) -> time | None:
    if match := _CLOCK.search(words):
        hour = int(match[1]) if match[1] else number(match[3])
        said = match[4] or ""
        minute = int(match[2]) if match[2] else _MINUTES.get(said, number(said.removesuffix("分")))
        if _AFTERNOON.search(words) and hour < 12:
            hour += 12
        return time(hour % 24, minute) if minute < 60 and hour <= 24 else None
    return next((clock for part, clock in _PARTS if part.search(words)), None)


def _number(digits: str) -> float:
    return float(digits) if digits[0].isdecimal() else float(number(digits))
