"""Ten real-looking weeks for each kind of digest, from a full one to an empty one: the goldens that HR and engineers read together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from cards.catalog import (
    Candidate,
    CardData,
    ContestAnswer,
    ContestCard,
    Deed,
    EmployeeDigest,
    Figure,
    GroupDigest,
    LeaderDigest,
    MondayBrief,
    PictureMessage,
    Praised,
    QuotaNudge,
    SupervisorDigest,
)
from rules.feedback import Refusal
from rules.value import Grade, Money

MONDAY, SUNDAY = date(2026, 9, 14), date(2026, 9, 20)
PAGE = "https://sanmiao.example.com/week/2026-W38"


def yuan(low: float, high: float | None = None) -> Money:
    return Money(round(low * 100), round((low if high is None else high) * 100))


RETURNS = Figure(1, "退货往返", "23", "次", yuan(80), yuan(1840), Grade.DECLARED)
ORDERS = Figure(2, "当场加单", "6", "单", yuan(45), yuan(270), Grade.MEASURED)
HOURS = Figure(3, "省下工时", "2.5", "小时", yuan(45.5, 60.5), yuan(113.75, 151.25), Grade.ESTIMATED)

CALM = Deed(11, "先安抚再核实订单", "王芳", improved=False)
SWAP = Deed(12, "主动给出换货方案，客户撤回了退货", "王芳", improved=False, figure=RETURNS)
LISTEN = Deed(13, "先听完再复述一遍客户的问题", "王芳", improved=True, about="客户没说完就打断")
SILENT = Deed(17, "", "王芳", improved=True, about="没有告知到账时间")
PUSH = Deed(14, "每讲完一款就报剩余件数", "林涛", improved=True, figure=ORDERS)
COUNTED = Deed(
    None, "退货往返", "", improved=False, figure=replace(RETURNS, entry=0, count="5", amount=yuan(400), grade=Grade.MEASURED)
)
PACK = Deed(15, "打包前先扫码核对，错发的当场换回来", "赵强", improved=False, figure=HOURS)
FIVE_S = Deed(
    16, "换模前把工装按顺序摆好", "周勇", improved=True, figure=replace(HOURS, entry=4, count="1.5", amount=yuan(68.25, 90.75))
)


def employee(praise: int = 0, improve: int = 0, improved: int = 0, waiting: int = 0, *deeds: Deed, **more: object) -> EmployeeDigest:
    made = EmployeeDigest(MONDAY, SUNDAY, praise, improve, improved, waiting, deeds, 0, page=PAGE)
    return replace(made, **more)  # type: ignore[arg-type]  # as the caller names them


EMPLOYEE = (
    employee(2, 1, 1, 0, SWAP, CALM, LISTEN, total=yuan(1840)),
    employee(1, 0, 0, 0, CALM),
    employee(0, 2, 1, 1, PUSH, total=yuan(270)),
    employee(3, 1, 1, 2, SWAP, PUSH, CALM, more=1, total=yuan(2110)),
    employee(1, 1, 1, 0, PACK, FIVE_S, total=yuan(182, 242)),
    employee(0, 1, 0, 1),
    employee(),
    employee(1, 0, 0, 0, SWAP, total=yuan(1760), corrected=yuan(-80)),
    employee(1, 0, 0, 0, SWAP, total=yuan(1840), contested=(1,)),
    employee(
        5, 0, 0, 0, CALM, replace(CALM, what="当场补全工单记录，下一班不用再问客户一遍"), replace(CALM, by="陈静"), more=2, page=""
    ),
    employee(1, 0, 0, 0, COUNTED, CALM, total=yuan(400)),
)

SUPERVISOR = (
    SupervisorDigest(MONDAY, SUNDAY, 3, 2, 3, 2, 0, 3, (), 0, 2, 3, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 4, 4, 2, 0, 2, 6, ("孙悦", "王磊"), 0, 2, 4, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 1, 0, 0, 0, 1, 5, ("刘洋", "孙悦", "王磊", "郑小雨"), 0, 2, 1, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 0, 0, 0, 0, 0, 4, ("何静", "吴迪", "王磊", "郑小雨"), 0, 2, 0, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 8, 5, 7, 4, 1, 12, ("李明", "张伟", "陈晨"), 0, 2, 8, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 2, 1, 1, 1, 0, 3, ("孙悦",), 0, 1, 2, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 1, 1, 1, 0, 0, 1, (), 0, 0, 1, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 2, 0, 2, 2, 0, 4, ("吴迪", "郑小雨"), 0, 2, 2, ""),
    SupervisorDigest(MONDAY, SUNDAY, 12, 9, 10, 3, 2, 30, ("阿依古丽", "欧阳震华", "李小龙"), 14, 2, 12, PAGE),
    SupervisorDigest(MONDAY, SUNDAY, 0, 0, 0, 0, 0, 2, ("赵强", "周勇"), 0, 0, 0, PAGE),
)


def brief(praise: int, improved: int, *deeds: Deed, **more: object) -> MondayBrief:
    made = MondayBrief(MONDAY, SUNDAY, praise, improved, deeds, 0, page=PAGE)
    return replace(made, **more)  # type: ignore[arg-type]  # as the caller names them


BRIEFS = (
    brief(2, 1, SWAP, CALM, LISTEN, total=yuan(1840), picture="dingtalk:@lADPDdemo01"),
    brief(1, 0, CALM, picture="dingtalk:@lADPDdemo02"),
    brief(0, 1, PUSH, total=yuan(270)),
    brief(3, 1, SWAP, PUSH, CALM, more=1, total=yuan(2110), picture="wecom:3a-demo"),
    brief(1, 1, PACK, FIVE_S, total=yuan(182, 242)),
    brief(0, 1, SILENT),
    brief(6, 0, CALM, CALM, CALM, more=3),
    brief(1, 0, SWAP, total=yuan(1760)),
    brief(1, 0, SWAP, total=yuan(12_045.5), picture="dingtalk:@lADPDdemo03"),
    brief(1, 0, CALM, page=""),
)

GROUPS = (
    GroupDigest(
        "客服部",
        MONDAY,
        SUNDAY,
        3,
        (Praised("刘洋", "主动给出换货方案"), Praised("孙悦", "当场补全工单记录"), Praised("王磊", "先安抚再核实订单")),
        0,
        2,
        yuan(1840),
    ),
    GroupDigest("直播一组", MONDAY, SUNDAY, 1, (Praised("何静", "逐条回应弹幕提问"),), 0, 1),
    GroupDigest("直播一组", MONDAY, SUNDAY, 2, (Praised("吴迪", "先讲对比价再报价"),), 1, None),
    GroupDigest("仓储夜班", MONDAY, SUNDAY, 0, (), 0, 3),
    GroupDigest("仓储夜班", MONDAY, SUNDAY, 0, (), 0, 0),
    GroupDigest("仓储夜班", MONDAY, SUNDAY, 0, (), 0, None),
    GroupDigest(
        "总装二线",
        MONDAY,
        SUNDAY,
        9,
        tuple(Praised(n, "换模前把工装按顺序摆好") for n in ("赵强", "周勇", "李明")),
        6,
        4,
        yuan(182, 242),
    ),
    GroupDigest("门店华东区", MONDAY, SUNDAY, 1, (), 1, 0),
    GroupDigest("售后部", MONDAY, SUNDAY, 2, (Praised("陈晨", "把退款进度主动报给客户，当天没有一个人来催"),), 1, 1, yuan(12_045.5)),
    GroupDigest("教研组", MONDAY, SUNDAY, 1, (Praised("阿依古丽", "课后当晚把错题讲解录成了三分钟视频发到群里"),), 0, None),
)


def leader(**told: object) -> LeaderDigest:
    made = LeaderDigest(MONDAY, SUNDAY, False, 7, 9, 6, 8, 6, 3, 7.4, 1, 1, 1, 2, yuan(2110), PAGE)
    return replace(made, **told)  # type: ignore[arg-type]  # as the caller names them


LEADERS = (
    leader(),
    leader(company=True, people=13, given=16, answered=13, total=yuan(2110, 2350), same=107, compared=120),
    leader(given=0, praise=0, answered=0, answered_in_a_day=0, improved=0, hours=None, escalated=0, stuck=0, met=0, total=None),
    leader(answered=9, answered_in_a_day=9, hours=1.25, escalated=0, stuck=0, met=2),
    leader(answered=2, answered_in_a_day=0, hours=58.0, escalated=4, stuck=6, met=0, total=None),
    leader(supervisors=0, met=0, compared=0),
    leader(company=True, people=12_408, given=9_377, answered=8_904, answered_in_a_day=7_001, improved=2_110, supervisors=812, met=640),
    leader(people=1, given=1, praise=0, answered=1, answered_in_a_day=1, improved=1, hours=0.1, total=None, supervisors=1, met=0),
    leader(page=""),
    leader(company=True, people=0, given=0, answered=0, hours=None, supervisors=0, met=0, total=None),
)

NUDGED = (Candidate(12, "王小明", "客服部"), Candidate(13, "王磊", "客服部"), Candidate(11, "刘洋", "客服部"))
NUDGES = (
    QuotaNudge(2, 2, NUDGED),
    QuotaNudge(1, 2, NUDGED, sent=(12,)),
    QuotaNudge(1, 1, NUDGED[:1], notice=Refusal.NO_BEHAVIOURS, about="王小明"),
    QuotaNudge(2, 2, NUDGED[1:]),
    QuotaNudge(2, 2, NUDGED, sent=(12, 13)),
    QuotaNudge(2, 2, NUDGED, sent=(11, 12, 13)),
    QuotaNudge(1, 2, NUDGED[2:]),
    QuotaNudge(5, 5, (Candidate(31, "阿依古丽·买买提", "总装二线"), Candidate(32, "欧阳震华", "总装二线"))),
    QuotaNudge(1, 1, (Candidate(41, "Emma", "教研组"), *NUDGED[:2]), sent=(41,)),
    QuotaNudge(2, 2, NUDGED[:2], sent=(12,), notice=Refusal.NOT_YOUR_REPORT, about="王磊"),
)
CONTESTED = ContestCard("刘洋", SWAP.what, RETURNS, "少寄回 23 次", datetime(2026, 9, 18, 9, 40, tzinfo=UTC))

DIGESTS: Mapping[str, CardData] = {
    **{f"employee_digest.{n}": card for n, card in enumerate(EMPLOYEE)},
    **{f"supervisor_digest.{n}": card for n, card in enumerate(SUPERVISOR)},
    **{f"monday_brief.{n}": card for n, card in enumerate(BRIEFS)},
    **{f"group_digest.{n}": card for n, card in enumerate(GROUPS)},
    **{f"leader_digest.{n}": card for n, card in enumerate(LEADERS)},
    **{f"quota_nudge.{n}": card for n, card in enumerate(NUDGES)},
    "picture_message": PictureMessage("wecom:3a-demo", "上周你做成 4 件事，算下来 ¥2,110"),
    "contest_card": CONTESTED,
    "contest_card.upheld": replace(CONTESTED, struck=False, settled_by="赵敏"),
    "contest_card.struck": replace(CONTESTED, struck=True, settled_by="赵敏"),
    "contest_answer.upheld": ContestAnswer(SWAP.what, yuan(1840), struck=False, by="赵敏"),
    "contest_answer.struck": ContestAnswer(SWAP.what, yuan(1840), struck=True, by="赵敏"),
}
