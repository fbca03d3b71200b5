"""Impact: a concrete consequence for business, customers, colleagues, cost, quality, time or safety."""

import re
from collections.abc import Iterator, Sequence

from reading.signs import (
    ACTS,
    CONSEQUENCES,
    HAN,
    HANDLING,
    OCCASION_ONLY,
    Wording,
    is_denied,
    is_named_only,
    judging_signs,
    place_signs,
    subject_sign,
    worded,
)
from reading.spans import Word
from reading.statements import Statement, Subject
from reading.text import han_count

_FIGURES = ("money", "amount", "percent", "duration", "count", "times")
_CONSEQUENCE_WORDING: Wording = {
    "none_at_all": re.compile(
        f"没有?(?:任何|再?{HAN}{{1,3}}过)?(?:一|人|出现|发生|让|再)|一{HAN}{{1,6}}都没|一{HAN}没|没一{HAN}|无一|零{HAN}"
    ),
    "none_of_them": re.compile(f"没有?{HAN}{{1,4}}一[单件条箱台桌户票例起道辆页家位批盒袋本人]"),
    "cost_more": re.compile(rf"多{HAN}{{1,2}}了.{{0,2}}[\d一二两三四五六七八九十半几].{{0,2}}(?:小时|分钟|天|公里|里|趟|元|块)"),
    "settled_at_once": re.compile(f"当场就?{HAN}|就把.{{1,5}}[结付签订交]了"),
    "broke": re.compile(f"(?:[^点说打看识揭]破|[^打]断|{HAN}(?:坏|碎|烂|裂|穿|丢|废|死|伤|糊|焦|黄|翻|化|漏|塌|垮|混|乱|湿|脏|空))了"),
    "spared": re.compile("不用|不必|省去|免去|省得|少跑|少走|少等"),
    "in_time": re.compile("赶上|赶在|准时|准点|按时|按期|如期|照常|正常|一次过|一次通过|一趟"),
    "suffered": re.compile("(?:被|遭|挨)(?!你|表扬)"),
    "given_back": re.compile("[全都要又还]退(?![货款休役])|退(?:了|掉|给)"),
    "forced_or_decided": re.compile("要求|只好|不得不|被迫|当场|改主意|专门来|不肯|不愿|再也不|不再"),
    "cannot": re.compile(f"{HAN}不(?:了|上|下|到|出|成|开|动|清|着)"),
    "redo": re.compile(f"只好|只能|不得不|重新|又.{{0,4}}一遍|白{HAN}"),
    "waited": re.compile("等了|等到|等在|排了|站了|跑了一趟|多等|干等|堵了"),
}
_OTHERS_WORDING: Wording = {
    "others_did": re.compile(f"{HAN}了"),
    "others_demand": re.compile("要(?:求|道歉|退|赔|换|说法|讨|告|走)|哭着|吵着|闹着|不肯|不让|不愿"),
    "others_came": re.compile("闹到|[来去]闹|冲到|找上门|找到(?:校长|经理|领导|总部|店长)|[转掉扭]头|发火|投诉到"),
}
_EMPTY_CONSEQUENCE = re.compile("(?:造成|产生|带来|引起|导致).{0,10}(?:影响|后果|损失|麻烦|困扰|压力)$")
_DESCRIBED = re.compile(
    "^(?:的|问题|原因|流程|规则|单(?!了)|件(?!了)|区|款|率|通知|电话|表|方案|政策|口径|话术|清单|登记|记录|申请|那)"
)
_COMPARED = re.compile(f"比|从.{{1,10}}(?:到|至|降|升|涨|缩|减|提)|平均|高于|低于|超过|多出|只有|只剩|每{HAN}")
_MORE_OR_LESS = re.compile(f"(?:多|少|白|早|晚|提前|推后|延后|只|仅|才){HAN}")
_RANKED = re.compile("垫底|倒数|最[高低多少快慢]|领先|落后|榜首|末位|第[一二三四五六七八九十]|前[三五十]")
_AMONG_ALL = re.compile("全(?:店|组|站|区|国|市|公司|校|网|厂|省|部门|场|队|班)")
_TOOK_TIME = re.compile(rf"{HAN}了(?:[多近整快]|将近|大概)?[\d一二两三四五六七八九十半几]")
_SCORED = re.compile(r"给你\d|总分|得分|满分")
_TENURE = re.compile("(?:做了|干了|从业|工作|入职|驾龄|教龄|工龄|到现在|已经)[^,]{0,4}年")


def impact_signs(row: Sequence[Statement], index: int) -> frozenset[str]:
    """What speaks for and against statement `index` of `row` telling of an impact. What only may come is named apart."""
    statement = row[index]
    told = {*consequence_signs(statement), *_figure_signs(statement), *_standing_signs(statement)}
    if statement.has("maybe"):
        told = {"maybe_" + sign for sign in told}
    around = {*_own_doing_signs(statement), *place_signs(row, index), *_context_signs(row, index)}
    return frozenset({subject_sign(statement), *told, *judging_signs(statement), *around})


def consequence_begins(statement: Statement) -> int | None:
    """Offset at which a consequence begins after an act in the same statement; None when it cannot be cut in two."""
    words = statement.words
    acts = [i for i, word in enumerate(words) if word.has(*ACTS) and not word.has(*CONSEQUENCES)]
    if not acts:
        return None
    for i in range(acts[0] + 2, len(words)):
        if words[i].start - statement.start >= 4 and _opens_consequence(words, i):
            return words[i].start
    return None


def _opens_consequence(words: Sequence[Word], index: int) -> bool:
    word = words[index]
    if word.has("neg") and any(w.has("loss", "one") for w in words[index + 1 : index + 4]):
        return True
    if word.has(*CONSEQUENCES) and not word.has(*ACTS):
        return True
    return word.has("change") and any(w.has("quantity") for w in words[index + 1 : index + 3])


def consequence_signs(statement: Statement) -> Iterator[str]:
    """Losses, gains and what was averted, by word and by wording."""
    words, text = statement.words, statement.text
    for kind in CONSEQUENCES:
        yield from _kind_signs(kind, statement)
    yield from worded(_CONSEQUENCE_WORDING, text)
    if statement.subject is Subject.THING and statement.has("neg") and not statement.has(*CONSEQUENCES, *ACTS):
        yield "thing_did_not_happen"
    if _EMPTY_CONSEQUENCE.search(text) and not statement.has("quantity"):
        yield "empty_consequence"
    if statement.subject is Subject.OTHERS:
        yield from worded(_OTHERS_WORDING, text)
        if any(word.has(*ACTS) for word in words):
            yield "others_act"
        if statement.has("quantity"):
            yield "others_figure"


def _kind_signs(kind: str, statement: Statement) -> Iterator[str]:
    words = statement.words
    places = [i for i, word in enumerate(words) if word.has(kind) and not _describes(words, i)]
    if not places:
        return
    yield f"{kind}_averted" if any(is_denied(words, i) for i in places) else kind
    yield f"{kind}_{statement.subject.value}"
    if statement.has("quantity"):
        yield f"{kind}_with_figure"
    if all(words[i].has("act") for i in places):
        yield f"{kind}_may_be_act"
    if all(words[i].has("change") for i in places):
        yield f"{kind}_only_change"
    if all(words[i].has("mind", "eval", "emotion", "vague", "plain") for i in places):
        yield f"{kind}_vague"


def _describes(words: Sequence[Word], index: int) -> bool:
    """Whether a word of consequence only describes something: 退费问题, 把退货的三单."""
    if words[index].has("occasion") and is_named_only(words, index):
        return True
    if _DESCRIBED.match("".join(w.text for w in words[index + 1 : index + 3])):
        return True
    handled = next((i for i, word in enumerate(words) if word.text in ("把", "将")), index)
    return handled < index and any(word.has(*ACTS) for word in words[index + 1 :])


def _figure_signs(statement: Statement) -> Iterator[str]:
    """Figures with their units, and whether they are a change of something."""
    words, text = statement.words, statement.text
    figures = [i for i, word in enumerate(words) if word.has("quantity", "times") or _is_small_change(words, i)]
    if statement.has("metric") and statement.has("change"):
        yield "metric_changed" if figures else "metric_changed_untold"
    if not figures:
        return
    yield from (f"figure_{kind}" for kind in _FIGURES if any(words[i].has(kind) for i in figures))
    if any(words[j].has("change") for i in figures for j in range(max(0, i - 4), i)):
        yield "change_by_figure"
        yield f"change_by_figure_{statement.subject.value}"
    if statement.has("metric"):
        yield "metric_with_figure"
    if _COMPARED.search(text):
        yield "compared"
    if _MORE_OR_LESS.search(text):
        yield "more_or_less" + ("_inherited" if statement.inherited else "")
    if han_count(text) <= 6 and not statement.has(*ACTS):
        yield "bare_figure"
    if statement.has("duration") and _TOOK_TIME.search(text):
        yield "took_time"
        yield f"took_time_{statement.subject.value}" + ("_inherited" if statement.inherited else "")


def _is_small_change(words: Sequence[Word], index: int) -> bool:
    """少一筐, 多一单: "one" counts as a figure after a word of change."""
    return words[index].has("one") and index > 0 and words[index - 1].has("change")


def _standing_signs(statement: Statement) -> Iterator[str]:
    """Ranks, scores and years of service: the first may be an impact, the others are decoration."""
    text = statement.text
    if _RANKED.search(text) and (statement.has("metric") or _AMONG_ALL.search(text)):
        yield "ranked"
    if statement.has("score") or _SCORED.search(text):
        yield "score"
        if statement.has("change"):
            yield "score_changed"
    if _TENURE.search(text):
        yield "tenure"
    if statement.has("ordinal"):
        yield "rank_or_number"
    if len(statement.words) == 1:
        yield "single_word"


def _own_doing_signs(statement: Statement) -> Iterator[str]:
    """What the person did himself is not its own consequence."""
    if statement.subject is Subject.EMPLOYEE and statement.has(*ACTS):
        yield "own_act"
        if statement.has("quantity", "times"):
            yield "own_act_counted"
    if HANDLING.search(statement.text):
        yield "others_handling" if statement.subject is Subject.OTHERS else "handling"
    if OCCASION_ONLY.search(statement.text):
        yield "occasion_only"
    if statement.words[0].has("time_day", "time_part"):
        yield "begins_with_time"


def _context_signs(row: Sequence[Statement], index: int) -> Iterator[str]:
    """Consequences follow acts, often with 结果; not so what was left undone as well (也没…)."""
    statement, before = row[index], row[:index]
    words = statement.words
    if any(s.subject is Subject.EMPLOYEE and s.has(*ACTS) for s in before):
        yield "after_own_act"
    if before and words[0].has("neg") and statement.subject is not Subject.OTHERS:
        yield "begins_with_not"
    if statement.inherited and any(is_denied(words, i) for i, word in enumerate(words) if word.has(*ACTS)):
        yield "did_not_come_to_it" if before and "也" not in statement.text else "also_left_undone"
    if statement.has("link"):
        yield "result_word"
    if before and before[-1].has("hypo"):
        yield "after_hypothesis"
