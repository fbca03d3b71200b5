"""What must have been sent when, recomputed from a log of what happened (`bench/clock.py`). Imports nothing of the bot.

A log has tuples (now, what, …) in the order of events; `now`, in whole seconds since 1970, is the company's clock, which may jump:
give (loop, subject, stages, working) · answer, withdraw, take, extend, close (loop, by) · left (person) · away (person, stand-in, from,
until) · days (off, worked): the calendar is another from now on · tick: the moment at which everything due is dealt with. Stages are
(hours, whether it escalates), days count from 1 January 1970."""

from bisect import bisect_left
from datetime import date, timedelta
from heapq import heappop, heappush
from typing import Any

LOCAL, DAY, OPENS, LENGTH = 8 * 3600, 86400, 9 * 3600, 9 * 3600
# The State Council's arrangement of 2026, and of 2027 only what is law: spans of MMDD.
OFF = {2026: "0101-0103 0215-0223 0404-0406 0501-0505 0619-0621 0925-0927 1001-1007", 2027: "0101 0205 0208 0405 0609 0915 1001"}
SPANS = [(year, span[:4], span[-4:]) for year, text in OFF.items() for span in text.split()]
MADE_UP = {date(2026, *day) for day in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))}
DAYS = [date(2025, 12, 1) + timedelta(n) for n in range(900)]
FREE = {day for day in DAYS for year, first, last in SPANS if day.year == year and first <= f"{day:%m%d}" <= last}
WORKED = [(day - date(1970, 1, 1)).days for day in DAYS if day in MADE_UP or (day.weekday() < 5 and day not in FREE)]


def after(start: int, hours: int, working: bool, worked: list[int] = WORKED) -> int:
    """The instant so many hours later; of working time, if that is what counts."""
    day, clock = divmod(start + LOCAL, DAY)
    first = bisect_left(worked, day)
    used = min(max(clock - OPENS, 0), LENGTH) if worked[first] == day else 0
    days, rest = divmod(used + hours * 3600 - 1, LENGTH)
    return worked[first + days] * DAY + OPENS + rest + 1 - LOCAL if working else start + hours * 3600


def replay(log: list[tuple[Any, ...]], hrbp: dict[str, str], head: str) -> list[tuple[int, str, str, int, int]]:
    """What must have been sent: (loop, kind, reader, when due, when sent). `hrbp` is each subject's, `head` is above them."""
    loops, queue, sent = dict[int, Any](), list[tuple[int, int]](), list[tuple[int, str, str, int, int]]()
    gone, away, worked = set[str](), dict[str, tuple[str, int, int]](), WORKED

    def stand_in(who: str | None, now: int) -> str | None:
        return away[who][0] if who in away and away[who][1] <= now < away[who][2] else None

    def wait(id: int, stage: int, since: int, hours: int) -> None:
        due = after(since, hours, loops[id]["working"], worked)
        loops[id].update(next=stage, due=due, since=since, hours=hours)
        heappush(queue, (due, id))

    def go(id: int, now: int, ahead: list[tuple[int, int]]) -> None:  # stages that are due, and since when
        stages, chain, subject, first = (loops[id][key] for key in ("stages", "chain", "subject", "first"))
        calls = [step for step in ahead if stages[step[0]][1]]
        (stage, since), whom = (calls or ahead[-1:])[0], subject
        if calls:
            whom = chain[min(stage - first, len(chain) - 1)] if chain else None
            whom = whom if whom not in {*gone, None} else next((w for w in (hrbp[subject], head) if w not in gone), None)
            taker = stand_in(whom, now)
            whom = taker if taker and taker not in gone and taker != subject else whom
        if whom:
            sent.append((id, "escalate" if calls else "remind", whom, since, now))
        loops[id].update(due=None, told=loops[id]["told"] or bool(calls))
        if stage + 1 < len(stages):
            heard = now if calls and now - since > 600 else since
            wait(id, stage + 1, heard, stages[stage + 1][0] - stages[stage][0])

    for now, what, *rest in log:
        while what == "tick" and queue and queue[0][0] <= now:
            at, id = heappop(queue)
            if (loop := loops[id])["due"] == at and loop["state"] == "waiting":
                stages, ahead = loop["stages"], [(loop["next"], at)]
                for n in range(loop["next"] + 1, len(stages)):
                    ahead.append((n, after(ahead[-1][1], stages[n][0] - stages[n - 1][0], loop["working"], worked)))
                go(id, now, [step for step in ahead if step[1] <= now])
        if what == "give":
            id, subject, stages, working = rest
            loops[id] = {"subject": subject, "stages": stages, "working": working, "state": "waiting", "told": False, "taker": None}
            loops[id] |= {"at": now, "first": [calls for _, calls in stages].index(True)}
            loops[id]["chain"] = [who for who in (hrbp[subject], head) if who not in gone]
            wait(id, 0, now, stages[0][0])
        elif what == "away":
            away[rest[0]] = (rest[1], rest[2], rest[3])
        elif what == "days":
            worked = sorted({*worked} - {*rest[0]} | {*rest[1]})
            for id, loop in loops.items():
                if loop["working"] and loop["state"] == "waiting" and loop["due"]:
                    wait(id, loop["next"], loop["since"], loop["hours"])
        elif what == "left":
            gone.add(rest[0])
            for id, loop in loops.items():
                if loop["subject"] == rest[0] and loop["state"] == "waiting" and not loop["told"]:
                    go(id, now, [(loop["first"], now)])
        elif what != "tick" and (loop := loops[rest[0]])["state"] != "ended" and (by := rest[1]) not in gone:
            may = by in (*loop["chain"], loop["taker"]) or by in [stand_in(who, now) for who in loop["chain"]]
            if what == "answer" or (what == "withdraw" and now <= loop["at"] + 600) or (what == "close" and may):
                loop["state"] = "ended"
            elif what == "take" and loop["state"] != "taken" and may:
                loop.update(state="taken", taker=by)
            elif what == "extend" and may:
                loop.update(state="waiting", told=False, taker=None)
                wait(rest[0], loop["first"], now, 24)
    return sent
