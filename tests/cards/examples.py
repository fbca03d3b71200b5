"""Every card with believable data, for the goldens and the shared tests. A card may have several: `card` and `card.case`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any

from cards.catalog import (
    AdminAlert,
    AnswerNoted,
    Attached,
    Candidate,
    CardData,
    CheckinCard,
    CheckinClosed,
    CheckinDone,
    Choice,
    ChoiceCard,
    DisputeCard,
    EmptiedText,
    EscalationBundle,
    EscalationCard,
    EscalationLine,
    EscalationList,
    EscalationReasons,
    EscalationSettled,
    Expected,
    FeedbackAnswered,
    FeedbackCard,
    FeedbackClosed,
    ForecastText,
    GroupHint,
    GroupLater,
    GroupWelcome,
    GuideText,
    Heard,
    HelpText,
    MyWeek,
    NoteText,
    Option,
    PendingText,
    PictureFailed,
    PictureNoted,
    Piece,
    Recipient,
    ReminderCard,
    SentenceCard,
    SentenceClosed,
    SentenceDone,
    SeveralDone,
    SorryText,
    StandInText,
    TeamWeek,
    VagueText,
    Waiting,
    WhoCard,
)
from rules.commands import Figures, Note, Purpose, Speaker
from rules.escalations import Outcome
from rules.evidence import Part, Problem
from rules.feedback import Answer, Kind, Refusal, State
from rules.loops import Cause, CloseReason
from rules.sentences import Element, Ended, LeftOut, Whom
from tests.cards.digests import DIGESTS


def at(local: str) -> datetime:
    """ "2026-09-12 14:23" in Shanghai as aware UTC."""
    return datetime.fromisoformat(local).replace(tzinfo=timezone(timedelta(hours=8))).astimezone(UTC)


LIVE = (
    Option("pushed_order", "讲完卖点马上促单", Kind.PRAISE),
    Option("sizes_answered", "主动报尺码，弹幕都回了", Kind.PRAISE),
    Option("missed_push", "直播话术漏了促单", Kind.IMPROVE),
    Option("wrong_stock", "报错库存没有当场更正", Kind.IMPROVE),
)
OCCASION = "下午场直播"
PRAISE: Mapping[str, Any] = {
    "author_name": "陈静",
    "kind": Kind.PRAISE,
    "scene": "退货客户来电",
    "action": "先核对订单再给方案，没让客户重复说",
    "impact": "客户当场撤回退货",
}
IMPROVE: Mapping[str, Any] = {
    "author_name": "陈静",
    "kind": Kind.IMPROVE,
    "scene": OCCASION,
    "action": "直播话术漏了促单；报错库存没有当场更正",
    "impact": "当场少成交约 3 单；客户下单后被退款，店铺评分受影响",
}
ESCALATED = EscalationCard(
    "王小明",
    "陈静",
    "直播一组",
    Kind.IMPROVE,
    OCCASION,
    "直播话术漏了促单；报错库存没有当场更正",
    at("2026-09-12 14:23"),
    Cause.NO_ANSWER,
)
UNANSWERED = (
    EscalationLine(118, "王小明", "直播话术漏了促单", at("2026-09-12 14:23")),
    EscalationLine(121, "王小明", "没有告知到账时间", at("2026-09-12 14:31")),
    EscalationLine(122, "欧阳静怡", "先安抚再核实订单", at("2026-09-12 14:40")),
    EscalationLine(130, "李雷", "打断客户", at("2026-09-12 14:52")),
)
SETTLED = EscalationSettled("王小明", "陈静", OCCASION, at("2026-09-15 16:40"))
WANGS = (Candidate(17, "王小明", "直播一组"), Candidate(23, "王小明", "华东大区客户服务二部 组长"), Candidate(31, "王晓敏", "仓储"))
TOLD = SentenceCard(
    "王小明",
    Kind.IMPROVE,
    Piece("昨天 14:23 直播（9月11日）", "昨天 14:23 直播"),
    Piece("话术漏了促单", "话术漏了促单"),
    Piece("当场少了 3 单", "当场少了 3 单"),
    "电商",
    may_keep=True,
)
SENT = SentenceDone("王小明", Kind.IMPROVE, "昨天 14:23 直播（9月11日）", "话术漏了促单", "当场少了 3 单", at("2026-09-12 14:23"))
LI_WAITS = Recipient("李雷", State.OPEN)
WANG_SAID, LEFT_ALONE = Recipient("王小明", State.IMPROVED), Recipient("欧阳静怡", State.CLOSED)
TO_SEVERAL = SeveralDone(
    (Recipient("王小明", State.OPEN), LI_WAITS),
    Kind.IMPROVE,
    "昨天 14:23 直播（9月11日）",
    "话术漏了促单",
    "当场少了 3 单",
    at("2026-09-12 14:23"),
    waiting=2,
)
CHOICES = (
    Choice(118, "王小明", "话术漏了促单", at("2026-09-12 14:23")),
    Choice(121, "王小明", "先核对订单再给方案，没让客户重复说", at("2026-09-11 10:05")),
)
LATE = (
    Waiting("王小明", "话术漏了促单", timedelta(hours=75)),
    Waiting("李雷", "交班没有写待办，下一班重查了两小时", timedelta(hours=30)),
)
MONDAY, SUNDAY = date(2026, 9, 7), date(2026, 9, 13)

PAGE = "https://sanmiao.example.com/records/7"

EXAMPLES: Mapping[str, CardData] = {
    "checkin_card": CheckinCard("王小明", OCCASION, LIVE),
    "checkin_card.nothing_ticked": CheckinCard("王小明", OCCASION, LIVE, Refusal.NOTHING_TICKED),
    "checkin_done": CheckinDone("王小明", OCCASION, LIVE, ("missed_push", "wrong_stock"), at("2026-09-12 14:23"), page=PAGE),
    "checkin_done.answered": CheckinDone(
        "王小明", OCCASION, LIVE, ("missed_push",), at("2026-09-12 14:23"), Answer.IMPROVED, at("2026-09-12 16:40")
    ),
    "checkin_done.again": CheckinDone("王小明", OCCASION, LIVE, ("missed_push",), at("2026-09-12 14:23"), notice=Refusal.ALREADY_GIVEN),
    "checkin_done.pictured": CheckinDone(
        "王小明", OCCASION, LIVE, ("missed_push",), at("2026-09-12 14:23"), attached=Attached(pictures=1, videos=1)
    ),
    "checkin_done.picture_missing": CheckinDone(
        "王小明", OCCASION, LIVE, ("missed_push",), at("2026-09-12 14:23"), attached=Attached(missing=True)
    ),
    "checkin_done.answered_picture_missing": CheckinDone(
        "王小明",
        OCCASION,
        LIVE,
        ("missed_push",),
        at("2026-09-12 14:23"),
        Answer.IMPROVED,
        at("2026-09-12 16:40"),
        attached=Attached(missing=True),
    ),
    "checkin_closed": CheckinClosed("王小明", OCCASION, LIVE, Refusal.EXPIRED),
    "checkin_closed.left": CheckinClosed("王小明", OCCASION, LIVE, Refusal.SUBJECT_LEFT),
    "feedback_card": FeedbackCard(**IMPROVE, occurred_at=at("2026-09-12 14:10"), due_at=at("2026-09-15 14:23"), page=PAGE),
    "feedback_card.provisional": FeedbackCard(**IMPROVE, occurred_at=None, due_at=at("2027-01-05 14:23"), provisional=True),
    "feedback_card.pictured": FeedbackCard(
        **IMPROVE, occurred_at=at("2026-09-12 14:10"), due_at=at("2026-09-15 14:23"), attached=Attached(pictures=2)
    ),
    "feedback_card.praise": FeedbackCard(**PRAISE, occurred_at=at("2026-09-11 10:05"), due_at=at("2026-09-14 10:30")),
    "reminder_card": ReminderCard(**IMPROVE, opened_at=at("2026-09-12 14:23"), due_at=at("2026-09-15 14:23")),
    "reminder_card.nudged": ReminderCard(**IMPROVE, opened_at=at("2026-09-12 14:23"), due_at=at("2026-09-15 14:23"), nudged_by="李敏"),
    "reminder_card.heard": ReminderCard(**IMPROVE, opened_at=at("2026-09-12 14:23"), due_at=None),
    "reminder_card.pictured": ReminderCard(
        **IMPROVE, opened_at=at("2026-09-12 14:23"), due_at=at("2026-09-15 14:23"), attached=Attached(pictures=1)
    ),
    "feedback_answered.pictured": FeedbackAnswered(
        **IMPROVE, answer=Answer.IMPROVED, answered_at=at("2026-09-12 16:40"), attached=Attached(pictures=1)
    ),
    "feedback_answered": FeedbackAnswered(**IMPROVE, answer=Answer.ACKNOWLEDGED, answered_at=at("2026-09-12 16:40"), page=PAGE),
    "feedback_answered.improved": FeedbackAnswered(
        **IMPROVE, answer=Answer.IMPROVED, answered_at=at("2026-09-12 16:40"), asks_words=True
    ),
    "feedback_answered.disputed": FeedbackAnswered(
        **IMPROVE, answer=Answer.DISPUTED, answered_at=at("2026-09-12 16:40"), asks_words=True
    ),
    "feedback_answered.noted": FeedbackAnswered(**IMPROVE, answer=Answer.IMPROVED, answered_at=at("2026-09-12 16:40")),
    "feedback_answered.again": FeedbackAnswered(
        **IMPROVE, answer=Answer.IMPROVED, answered_at=at("2026-09-12 16:40"), notice=Refusal.ALREADY_ANSWERED
    ),
    "feedback_closed": FeedbackClosed("陈静", Kind.IMPROVE, OCCASION, "直播话术漏了促单", False, at("2026-09-15 16:40")),
    "feedback_closed.withdrawn": FeedbackClosed("陈静", Kind.IMPROVE, OCCASION, "直播话术漏了促单", True, at("2026-09-12 14:30")),
    "answer_noted": AnswerNoted(Answer.IMPROVED),
    "answer_noted.disputed": AnswerNoted(Answer.DISPUTED),
    "picture_noted": PictureNoted(Part.GIVEN, "王小明"),
    "picture_noted.draft": PictureNoted(Part.DRAFT, "王小明"),
    "picture_noted.answers": PictureNoted(Part.ANSWERS, "陈静"),
    "picture_noted.answered": PictureNoted(Part.ANSWERED, "陈静"),
    "picture_noted.loose": PictureNoted(None, wait_minutes=10),
    "picture_failed": PictureFailed(Problem.NOT_A_PICTURE),
    "picture_failed.too_large": PictureFailed(Problem.TOO_LARGE),
    "picture_failed.broken": PictureFailed(Problem.BROKEN),
    "picture_failed.not_fetched": PictureFailed(Problem.NOT_FETCHED),
    "picture_failed.not_kept": PictureFailed(Problem.NOT_KEPT),
    "dispute_card": DisputeCard(
        "王小明", "陈静", OCCASION, "直播话术漏了促单", "那一段平台在卡顿，促单说了两遍没播出去", at("2026-09-12 16:44"), page=PAGE
    ),
    "dispute_card.silent": DisputeCard("王小明", "陈静", OCCASION, "直播话术漏了促单", None, at("2026-09-12 17:10")),
    "escalation_card": replace(ESCALATED, page=PAGE),
    "escalation_card.pictured": replace(ESCALATED, attached=Attached(pictures=1)),
    "escalation_card.nudged": replace(ESCALATED, nudged_at=at("2026-09-15 15:02"), notice=Refusal.NUDGED_JUST_NOW),
    "escalation_card.taken": replace(ESCALATED, taken_at=at("2026-09-15 15:20"), taken_by="李敏"),
    "escalation_card.silent": replace(ESCALATED, cause=Cause.HRBP_SILENT),
    "escalation_card.left": replace(ESCALATED, cause=Cause.SUBJECT_LEFT),
    "escalation_card.away": replace(ESCALATED, away_until=at("2026-09-21 18:00")),
    "escalation_card.of": replace(ESCALATED, of=118, nudged_at=at("2026-09-15 15:02")),
    "escalation_bundle": EscalationBundle(UNANSWERED[:3], left=3, notice_name="王小明"),
    "escalation_bundle.moved": EscalationBundle(
        (replace(UNANSWERED[0], outcome=Outcome.ANSWERED, settled=True), replace(UNANSWERED[1], outcome=Outcome.NUDGED)),
        left=1,
        notice_name="王小明",
    ),
    "escalation_bundle.paged": EscalationBundle(
        UNANSWERED, left=8, first=6, next_page=0, notice=Refusal.NUDGED_JUST_NOW, notice_name="王小明"
    ),
    "escalation_bundle.done": EscalationBundle(
        tuple(replace(line, outcome=Outcome.CLOSED, settled=True) for line in UNANSWERED[:2]), notice_name="王小明"
    ),
    "forecast_text": ForecastText(
        7,
        date(2026, 10, 8),
        (
            Expected("王小明", "直播话术漏了促单", at("2026-10-02 14:23")),
            Expected("李雷", "打断客户", at("2026-10-08 09:40")),
        ),
        more=3,
    ),
    "forecast_text.provisional": ForecastText(
        3, date(2027, 1, 4), (Expected("李雷", "打断客户", at("2027-01-04 09:40")),), provisional=True
    ),
    "escalation_reasons.of": EscalationReasons("王小明", "陈静", OCCASION, tuple(CloseReason), of=118),
    "escalation_reasons": EscalationReasons("王小明", "陈静", OCCASION, tuple(CloseReason)),
    "escalation_settled": replace(SETTLED, answer=Answer.ACKNOWLEDGED),
    "escalation_settled.closed": replace(SETTLED, close_reason=CloseReason.TALKED, closed_by="李敏"),
    "escalation_settled.extended": replace(SETTLED, extended_until=at("2026-09-16 16:40")),
    "escalation_settled.withdrawn": replace(SETTLED, withdrawn=True),
    "escalation_settled.again": replace(SETTLED, close_reason=CloseReason.TALKED, closed_by="李敏", notice=Refusal.ALREADY_SETTLED),
    "who_card": WhoCard("小王", WANGS),
    "who_card.chosen": WhoCard("小王", WANGS, chosen="王小明"),
    "who_card.nobody": WhoCard("", WANGS, asks=Whom.NOBODY, sentence="昨天直播话术漏了促单，当场少了 3 单"),
    "who_card.several": WhoCard("", WANGS, asks=Whom.SEVERAL),
    "sentence_card": TOLD,
    "sentence_card.kind_open": replace(TOLD, kind=None),
    "sentence_card.no_impact": replace(TOLD, impact=None),
    "sentence_card.asked_more": replace(TOLD, impact=None, asked_more=True),
    "sentence_card.empty": replace(TOLD, kind=None, scene=None, action=None, impact=None, judges=True),
    "sentence_card.no_note": replace(TOLD, scene=None, action=None, industry="", may_keep=False),
    "sentence_card.choose": replace(TOLD, kind=None, notice=Refusal.CHOOSE_KIND),
    "sentence_card.several": replace(TOLD, subject_name="王小明、李雷、欧阳静怡", several=True),
    "sentence_card.left_out": replace(
        TOLD,
        subject_name="王小明、李雷",
        several=True,
        impact=None,
        left_out=(
            LeftOut("林涛", Refusal.NOT_YOUR_REPORT),
            LeftOut("小陆", Refusal.NO_SUCH_NAME),
            LeftOut("王芳", Refusal.YOURSELF),
            LeftOut("孙悦", Refusal.SUBJECT_LEFT),
            LeftOut("何静", Refusal.TOO_MANY),
        ),
    ),
    "several_done": TO_SEVERAL,
    "several_done.answered": replace(TO_SEVERAL, recipients=(WANG_SAID, LI_WAITS, LEFT_ALONE), waiting=1),
    "several_done.settled": replace(TO_SEVERAL, recipients=(WANG_SAID, replace(LI_WAITS, state=State.DISPUTED)), waiting=0),
    "several_done.again": replace(TO_SEVERAL, notice=Refusal.ALREADY_GIVEN),
    "several_done.picture_missing": replace(TO_SEVERAL, attached=Attached(missing=True)),
    "sentence_done": replace(SENT, page=PAGE),
    "sentence_done.answered": replace(SENT, answer=Answer.IMPROVED, answered_at=at("2026-09-12 16:40")),
    "sentence_done.again": replace(SENT, notice=Refusal.ALREADY_GIVEN),
    "sentence_done.picture_missing": replace(SENT, attached=Attached(missing=True)),
    **{f"sentence_closed.{ended.value}": SentenceClosed("王小明", ended) for ended in Ended},
    "vague_text": VagueText("客服"),
    "emptied_text": EmptiedText("王小明", (Element.ACTION,), "客服", may_insist=True),
    "emptied_text.all": EmptiedText("王小明", tuple(Element)),
    "choice_card": ChoiceCard(Purpose.WITHDRAW, CHOICES),
    "choice_card.answer": ChoiceCard(Purpose.IMPROVED, CHOICES, words="以后先报库存"),
    "choice_card.chosen": ChoiceCard(Purpose.REMIND, CHOICES, chosen=2),
    **{f"note_text.{note.value}": NoteText(note, "王小明", at("2026-09-14 09:30")) for note in Note},
    "my_week": MyWeek(
        MONDAY,
        SUNDAY,
        Figures(2, 1, 2, 1, 1),
        None,
        (
            Heard("陈静", Kind.IMPROVE, "话术漏了促单", Answer.IMPROVED),
            Heard("陈静", Kind.PRAISE, "先核对订单再给方案，没让客户重复说", None),
        ),
    ),
    "my_week.supervisor": MyWeek(MONDAY, SUNDAY, Figures(0, 0, 0, 0, 0), Figures(2, 1, 3, 1, 0), ()),
    "team_week": TeamWeek(MONDAY, SUNDAY, 5, Figures(2, 1, 1, 1, 2), LATE, 0, ("孙悦", "王磊"), 0),
    "team_week.empty": TeamWeek(MONDAY, SUNDAY, 5, Figures(0, 0, 0, 0, 0), (), 0, ("孙悦", "王磊"), 3),
    "team_week.everybody": TeamWeek(MONDAY, SUNDAY, 2, Figures(2, 0, 2, 0, 0), (), 0, (), 0),
    "pending_text": PendingText((Waiting("陈静", "话术漏了促单", timedelta(hours=5)),), 0, LATE, 4),
    "pending_text.one": PendingText((), 0, LATE[:1], 0, "王小明"),
    "pending_text.nothing": PendingText((), 0, (), 0),
    "pending_text.nobody": PendingText((), 0, (), 0, "王小明"),
    "escalation_list": EscalationList(LATE, 3),
    **{f"guide_text.{speaker.value}": GuideText(speaker, "王小明") for speaker in Speaker},
    "stand_in_text": StandInText("陈静", at("2026-09-14 09:00"), at("2026-09-16 23:59")),
    "feedback_card.told": FeedbackCard(
        **IMPROVE, occurred_at=None, due_at=at("2026-09-15 14:23"), added=("那一段平台在卡顿，后半场补上了",)
    ),
    "help_text": HelpText(True, "王小明"),
    "help_text.employee": HelpText(False),
    "sorry_text": SorryText(Refusal.NO_SUCH_NAME, "王晓鸣"),
    "sorry_text.no_report": SorryText(Refusal.NOT_YOUR_REPORT, "王小明"),
    "group_hint": GroupHint("陈静"),
    "group_welcome": GroupWelcome("直播一组"),
    **DIGESTS,
    "group_later": GroupLater(),
    "admin_alert": AdminAlert("有 3 条消息没发出去", "60020", "把服务器出口 IP 加进企业微信的可信 IP 名单"),
}

HOSTILE = {
    "quotes": "他说\"好\"，她说'不'；\\ 反斜杠 ” 引号 「」",
    "newlines": "第一行\r\n第二行\n\n  - title: 冒充\u2028第三行\u0085第四行",
    "template": "{{ config }} {% raw %} {name} {0} %s ${HOME} {#",
    "markup": ']]> <a href="http://evil.example">点我</a> <script>alert(1)</script> [点我](http://evil.example) **粗** # @x',
    "emoji": "👩🏽‍💻👍🏻🇨🇳️⃣" * 40,
    "long": "促单" * 2_500,
    "right_to_left": "\u202e倒过来\u202c \u2067שלום\u2069 \u200fمرحبا",
    "control": "\x00\x07\x1b[31m红\x7f\ufeff\ud800",
}


def hostile(card: CardData, text: str) -> CardData:
    """`card` with `text` in every free-text field; ids, enumerations, instants, numbers and our own addresses stay."""
    changed: CardData = _with_text(card, text)
    return changed


def _with_text(value: Any, text: str) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(_with_text(item, text) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"id", "ticks", "page", "picture"}  # nothing that people type
        return replace(value, **{f.name: _with_text(getattr(value, f.name), text) for f in fields(value) if f.name not in kept})
    return value
