"""Small believable things for tests: a moment, a company, a draft, a loop, a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cards.catalog import SorryText
from rules.events import Account, Platform
from rules.feedback import Behaviour, Kind, Refusal
from rules.loops import Loop, LoopState, Plan, Stage, StepKind
from rules.messages import GroupChat, Outgoing, PersonId, Urgency
from rules.people import Entry, Person
from rules.policy import Checkins, Library, Policy
from storage.feedback import Draft
from storage.unit import Tx

SHANGHAI = ZoneInfo("Asia/Shanghai")

PLAN: Plan = (
    Stage(timedelta(hours=24), StepKind.REMIND),
    Stage(timedelta(hours=48), StepKind.REMIND),
    Stage(timedelta(hours=72), StepKind.ESCALATE),
    Stage(timedelta(hours=96), StepKind.ESCALATE),
)

BEHAVIOURS = (
    Behaviour("calm_first", "先安抚再核实订单", Kind.PRAISE, "客户没有升级投诉"),
    Behaviour("no_eta", "没有告知到账时间", Kind.IMPROVE, "客户次日又来电催问"),
)


def at(local: str) -> datetime:
    """`at("2026-09-12 14:23")` is that minute in Shanghai, as aware UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)


NOON = at("2026-09-14 12:00")  # a Monday

COMPANY = (
    Entry("E001", "周岚", "总经办", (Account(Platform.DINGTALK, "zhou_lan"),), position="总经理"),
    Entry("E003", "赵敏", "人力资源部", (Account(Platform.DINGTALK, "zhao_min"),), position="HRBP", supervisor="E001"),
    Entry("E010", "王芳", "客服部", (Account(Platform.DINGTALK, "wang_fang"),), position="客服主管", supervisor="E001", hrbp="E003"),
    Entry(
        "E011",
        "刘洋",
        "客服部",
        (Account(Platform.DINGTALK, "liu_yang"), Account(Platform.WECOM, "liu.yang")),
        role="客服",
        supervisor="E010",
        hrbp="E003",
    ),
    Entry("E012", "孙悦", "客服部", (Account(Platform.WECOM, "sun.yue"),), role="客服", supervisor="E010", hrbp="E003"),
)


def a_policy() -> Policy:
    """The defaults of config.yaml, with a behaviour library for 客服."""
    return Policy(
        plan=PLAN,
        checkin_expires=timedelta(hours=48),
        extension=timedelta(hours=24),
        words_within=timedelta(minutes=10),
        libraries={"客服": Library(("上午的退货来电",), BEHAVIOURS)},
        checkins=Checkins(time(10, 30), time(18, 0), frozenset(range(1, 6))),
        fallback_hrbp="E003",
    )


def a_company(tx: Tx, now: datetime = NOON) -> dict[str, Person]:
    """Store five people (`COMPANY`); them by key. E010 leads E011 and E012, E003 is their HRBP, E011 is on both platforms."""
    tx.people.put(COMPANY, now)
    return {person.key: person for person in tx.people.all().values()}


def a_draft(author: PersonId, subject: PersonId, now: datetime = NOON) -> Draft:
    """A check-in that is about to be offered and ends in two days."""
    return Draft(author, subject, "上午的退货来电", BEHAVIOURS, now, now + timedelta(hours=48), "card")


def a_loop(feedback: int, opened_at: datetime = NOON, plan: Plan = PLAN, chain: tuple[PersonId, ...] = ()) -> Loop:
    """The running clock of a record that was just submitted."""
    return Loop(feedback, 0, LoopState.WAITING, opened_at, plan, 0, opened_at + plan[0].after, chain)


def an_open_record(tx: Tx, author: PersonId, subject: PersonId, now: datetime = NOON) -> int:
    """A draft with its loop running; the record's id."""
    id = tx.feedback.open_draft(a_draft(author, subject, now))
    tx.loops.open(a_loop(id, now))
    return id


def a_message(to: PersonId | GroupChat | Account, key: str, **changes: object) -> Outgoing:
    """A short text. `changes` are other fields of Outgoing."""
    sorry = SorryText(Refusal.NOTHING_OPEN)
    message = Outgoing(to, sorry.template(), sorry.data(), key, urgency=Urgency.NORMAL)
    return replace(message, **changes)  # type: ignore[arg-type]  # as the caller names them
