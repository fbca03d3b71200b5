"""Signs: what in a statement speaks for or against an action, an impact or a scene.

Each sign is a short name with one meaning, so that a verdict can be explained and a weight be read. Signs
only observe; how much each counts is in data/gate_weights.json.
"""

import re
from collections.abc import Iterator, Sequence

from reading.spans import Word
from reading.statements import Statement, Subject
from reading.text import han_count

ACTS = ("act", "act1")
CONSEQUENCES = ("loss", "gain")
_NEAR = 4


def action_signs(row: Sequence[Statement], index: int) -> list[str]:
    """What speaks for and against statement `index` telling of something this person visibly did or left undone."""
    statement = row[index]
    acts = list(_act_signs(statement))
    if statement.subject is Subject.OTHERS:
        acts = ["others_" + sign for sign in acts]
    return [*_subject_signs(statement), *acts, *_judging_signs(statement), *_place_signs(row, index)]


def impact_signs(row: Sequence[Statement], index: int) -> list[str]:
    """What speaks for and against statement `index` telling of a concrete consequence."""
    statement = row[index]
    told = [*_consequence_signs(statement), *_figure_signs(statement)]
    if statement.has("maybe"):
        told = ["maybe_" + sign for sign in told]
    return [
        *_subject_signs(statement),
        *told,
        *_judging_signs(statement),
        *_own_doing_signs(statement),
        *_place_signs(row, index),
        *_context_signs(row, index),
    ]


def _subject_signs(statement: Statement) -> Iterator[str]:
    yield f"subject_{statement.subject.value}" + ("_inherited" if statement.inherited else "")


_HANDLING = re.compile(r"[把将](?!握|关|控|手|得|要|会|好关|住关|不住|不好|不严)")
_RESULT_COMPLEMENT = re.compile(r"[\u4e00-\u9fff](?:完|好|错|反|漏|串|成|进|到|出|上|下|回|掉|开|走|满|齐|遍|住|断)了?")
_NOMINAL_TAIL = re.compile(r"(?:的时候|时|那天|那次|那会儿?|会|前|后|之前|之后|中|过程中|期间|当天|当晚|高峰|方面)$")
_VERB_DEGREE = re.compile(r"[\u4e00-\u9fff]得(?:很|不|比较|非常|特别|太|挺|真|十分|相当|有点|越来越|[\u4e00-\u9fff]{2,4}$)")
_ORDER = re.compile(r"先.{1,14}(?:再|后|又|然后)|一边.{1,8}一边|又.{1,8}又|边.{1,6}边")
_RELATIVE_CHARGE = re.compile(
    r"(?:你|您|你们)(?:负责|带|管|分管|当班|值班|接手|经手|手里|手上|手下|名下|这边|那边|这条|那条|这块|的班|的组|那个时段|那片)"
)
_ORDERING = re.compile(r"^(?:以后|今后|下次|下回|请|记得|务必|要|必须|别|不要|不许|麻烦)")
_ABSTRACT_HANDLING = re.compile(r"把.{0,8}(?:做好|抓|放在心上|当回事|当成|当家|做到|做实|落到|放在第一|搞好|管好|带好|处理好)")


def _act_signs(statement: Statement) -> Iterator[str]:
    words, text = statement.words, statement.text
    acts = [i for i, word in enumerate(words) if word.has(*ACTS) and not _is_nominal(words, i)]
    strong = [i for i in acts if words[i].has("act")]
    if strong:
        yield "act_word"
        yield "act_word_by_" + statement.subject.value
    elif acts:
        yield "act_character"
        yield "act_character_by_" + statement.subject.value
    if len(acts) >= 2:
        yield "several_acts"
    if any(word.has(*ACTS) for word in words) and not acts:
        yield "act_only_as_noun"
    if any(_negated(words, i) for i in acts):
        yield "act_left_undone"
    if any(words[i].has("act") and words[i].has(*CONSEQUENCES) for i in acts) and len(acts) == 1:
        yield "act_may_be_consequence"
    if _HANDLING.search(text):
        yield "handling_abstract" if _ABSTRACT_HANDLING.search(text) else "handling"
    if _ORDER.search(text) and acts:
        yield "acts_in_order"
    if acts and any(word.has("adv") for word in words[: acts[-1]]):
        yield "adverb_before_act"
    if acts and any(word.has("count", "times", "one", "quote") for word in words[acts[0] :]):
        yield "act_with_counted_object"
    if acts and any(word.has("noact") for word in words[acts[0] :]):
        yield "act_with_thing"
    if re.search(r"[\u4e00-\u9fff](?:了|着|过)", text):
        yield "aspect"
    if not acts and _RESULT_COMPLEMENT.search(text):
        yield "result_complement"
    if statement.has("neg") and not acts:
        yield "something_left_undone"
    if statement.has("habit"):
        yield "habit"
    if re.search(r"会(?:把|在|给|先|跟|用|主动|提前|蹲|[\u4e00-\u9fff])", text) and statement.subject is Subject.EMPLOYEE:
        yield "wont_to"
    if _RELATIVE_CHARGE.search(text):
        yield "in_charge_of"
    if _ORDERING.search(text):
        yield "order_given"
    if _NOMINAL_TAIL.search(text):
        yield "occasion_only"
    if statement.has("latin") and not acts:
        yield "latin_word"


_NOMINAL_AFTER = re.compile(
    "^(?:的?时候|时$|那天|那次|会$|前$|后$|之前|之后|高峰|人员|方式|方面|能力|意识|流程|工作|情况|问题|过程|率|费|单|员|师傅)"
)


def _is_nominal(words: Sequence[Word], index: int) -> bool:
    word = words[index]
    rest = "".join(w.text for w in words[index + 1 :])
    if _NOMINAL_AFTER.match(rest) or rest.startswith("、") or (index and words[index - 1].text == "、" and not rest):
        return True
    if word.has("occasion") and index + 1 < len(words) and words[index + 1].has("employee", "time"):
        return True
    return word.has("occasion") and (not rest or (index > 0 and words[index - 1].text in ("的", "次", "场")))


def _negated(words: Sequence[Word], index: int) -> bool:
    return any(word.has("neg") for word in words[max(0, index - _NEAR) : index])


def _consequence_signs(statement: Statement) -> Iterator[str]:
    words = statement.words
    for kind in CONSEQUENCES:
        places = [i for i, word in enumerate(words) if word.has(kind) and not _describes(words, i)]
        if not places:
            continue
        negated = any(_negated(words, i) for i in places)
        yield f"{kind}_averted" if negated else kind
        yield f"{kind}_{statement.subject.value}"
        if all(words[i].has("act") for i in places):
            yield f"{kind}_may_be_act"
        if all(words[i].has("change") for i in places):
            yield f"{kind}_only_change"
        if statement.has("quantity"):
            yield f"{kind}_with_figure"
        if all(words[i].has("mind", "eval", "emotion", "vague", "plain") for i in places):
            yield f"{kind}_vague"
    text = statement.text
    if re.search(
        r"没有?(?:任何|再?[\u4e00-\u9fff]{1,3}过)?(?:一|人|出现|发生|让|再)|一[\u4e00-\u9fff]{1,4}都没|一[\u4e00-\u9fff]没|没一[\u4e00-\u9fff]|无一|零[\u4e00-\u9fff]",
        text,
    ):
        yield "none_at_all"
    if statement.subject is Subject.THING and statement.has("neg") and not statement.has(*CONSEQUENCES, *ACTS):
        yield "thing_did_not_happen"
    if re.search(r"[\u4e00-\u9fff](?:坏|断|破|碎|烂|裂|穿|丢|废|死|伤|糊|焦|黄|翻|化|漏|塌|垮|混|乱|湿|脏|空)了", text):
        yield "broke"
    if re.search(r"(?:造成|产生|带来|引起|导致).{0,10}(?:影响|后果|损失|麻烦|困扰|压力)$", text) and not statement.has("quantity"):
        yield "empty_consequence"
    if re.search(r"(?:不用|不必|省去|免去|省得|少跑|少走|少等)", text):
        yield "spared"
    if re.search(r"(?:赶上|赶在|准时|准点|按时|按期|如期|照常|正常|一次过|一次通过|一趟)", text):
        yield "in_time"
    if statement.subject is Subject.OTHERS:
        if statement.has("act", "act1"):
            yield "others_act"
        if statement.has("quantity"):
            yield "others_figure"
    if re.search(r"(?:被|遭|挨)(?!你|表扬)", text):
        yield "suffered"
    if re.search(r"[全都要又还]退(?![货款休役])|退(?:了|掉|给)", text):
        yield "given_back"
    if re.search(r"(?:要求|只好|不得不|被迫|当场|改主意|专门来|不肯|不愿|再也不|不再)", text):
        yield "forced_or_decided"
    if re.search(r"[\u4e00-\u9fff]不(?:了|上|下|到|出|成|开|动|清|着)", text):
        yield "cannot"
    if re.search(r"(?:只好|只能|不得不|重新|又.{0,4}一遍|白[\u4e00-\u9fff])", text):
        yield "redo"
    if re.search(r"(?:等了|等到|等在|排了|站了|跑了一趟|多等|干等|堵了)", text):
        yield "waited"


_DESCRIBED = re.compile(
    "^(?:的|问题|原因|流程|规则|单(?!了)|件(?!了)|区|款|率|通知|电话|表|方案|政策|口径|话术|清单|登记|记录|申请|那)"
)


def _describes(words: Sequence[Word], index: int) -> bool:
    """Whether a word of consequence only describes something: 退费问题, 把退货的三单."""
    if words[index].has("occasion") and _is_nominal(words, index):
        return True
    if _DESCRIBED.match("".join(w.text for w in words[index + 1 : index + 3])):
        return True
    handled = next((i for i, word in enumerate(words) if word.text in ("把", "将")), None)
    return handled is not None and handled < index and any(word.has(*ACTS) for word in words[index + 1 :])


def _figure_signs(statement: Statement) -> Iterator[str]:
    words = statement.words
    figures = [
        i for i, word in enumerate(words) if word.has("quantity", "times") or (word.has("one") and i and words[i - 1].has("change"))
    ]
    kinds = {tag for i in figures for tag in words[i].tags} - {"quantity"}
    for kind in sorted(kinds & {"money", "amount", "percent", "duration", "count", "times"}):
        yield f"figure_{kind}"
    if any(words[j].has("change") for i in figures for j in range(max(0, i - 4), i)):
        yield "change_by_figure"
        yield "change_by_figure_" + statement.subject.value
    if figures and statement.has("metric"):
        yield "metric_with_figure"
    if statement.has("metric") and statement.has("change"):
        yield "metric_changed"
    if figures and re.search(
        "比|从.{1,10}(?:到|至|降|升|涨|缩|减|提)|平均|高于|低于|超过|多出|只有|只剩|每[\u4e00-\u9fff]", statement.text
    ):
        yield "compared"
    if figures and han_count(statement.text) <= 6 and not statement.has(*ACTS):
        yield "bare_figure"
    if len(words) == 1:
        yield "single_word"
    if figures and re.search(r"(?:多|少|白|早|晚|提前|推后|延后|只|仅|才)[\u4e00-\u9fff]{1,2}[了出掉]?[^，]{0,3}", statement.text):
        yield "more_or_less"
    ranked = re.search("垫底|倒数|最[高低多少快慢]|领先|落后|榜首|末位|第[一二三四五六七八九十]|前[三五十]", statement.text)
    if ranked and (statement.has("metric") or re.search("全(?:店|组|站|区|国|市|公司|校|网|厂|省|部门|场|队|班)", statement.text)):
        yield "ranked"
    if any(word.has("duration") for word in words) and re.search(
        r"[\u4e00-\u9fff]了(?:[多近整快]|将近|大概)?[\d一二两三四五六七八九十半几]", statement.text
    ):
        yield "took_time"
        yield "took_time_" + statement.subject.value + ("_inherited" if statement.inherited else "")
    if statement.has("score"):
        yield "score"
        if statement.has("change"):
            yield "score_changed"
    if re.search("(?:做了|干了|从业|工作|入职|驾龄|教龄|工龄|到现在|已经)[^,]{0,4}年", statement.text):
        yield "tenure"
    if statement.has("ordinal"):
        yield "rank_or_number"


def _judging_signs(statement: Statement) -> Iterator[str]:
    text = statement.text
    for tag in ("eval", "mind", "fault", "vague", "emotion", "empty_impact", "hypo", "maybe"):
        if statement.has(tag):
            yield tag
    if _VERB_DEGREE.search(text) or re.search("(?:最|很|太|挺|非常|特别)(?:快|慢|好|多|少|高|低|早|晚|稳|准|齐|差|强|棒)$", text):
        yield "how_well"
    if han_count(text) == 4 and len(text) == 4 and not statement.has(*ACTS, *CONSEQUENCES, "employee", "cust"):
        yield "four_characters"
    if text.count("、") >= 2 or re.search("无论|不论|不管|多项|各项", text):
        yield "listing"
    if re.search(r"(?:很|太|挺|真|非常|特别|比较|不够|有点|十分|相当|最|越来越|更加?)", text):
        yield "degree"


def _own_doing_signs(statement: Statement) -> Iterator[str]:
    if statement.subject is Subject.EMPLOYEE and statement.has(*ACTS):
        yield "own_act"
        if statement.has("quantity", "times"):
            yield "own_act_counted"
    if _HANDLING.search(statement.text):
        yield "handling"
    if _NOMINAL_TAIL.search(statement.text):
        yield "occasion_only"
    if statement.has("time_day", "time_part") and statement.text.startswith(statement.words[0].text) and statement.words[0].has("time"):
        yield "begins_with_time"


def _place_signs(row: Sequence[Statement], index: int) -> Iterator[str]:
    if index == 0:
        yield "first"
    if index == len(row) - 1 and index > 0:
        yield "last"
    length = han_count(row[index].text)
    yield "short" if length <= 4 else "middling" if length <= 9 else "long"


def _context_signs(row: Sequence[Statement], index: int) -> Iterator[str]:
    before = row[:index]
    if any(s.subject is Subject.EMPLOYEE and s.has(*ACTS) for s in before):
        yield "after_own_act"
    if row[index].inherited and any(_negated(row[index].words, i) for i, w in enumerate(row[index].words) if w.has(*ACTS)):
        yield "did_not_come_to_it" if before and "也" not in row[index].text else "also_left_undone"
    if row[index].has("link"):
        yield "result_word"
    if any(s.has("hypo") for s in row[max(0, index - 1) : index]):
        yield "after_hypothesis"


_UNITS = (
    "次|单|台|位|个|批|票|份|张|场|通|笔|趟|桌|车|件|箱|封|条|版|栋|晚|夜|回|盘|板|柜|罐|锅|班|节|期|户|家|对|组|队|款|堂|顿|天|会儿|会|段"
    "|页|间|套|双|只|头|辆|颗|炉|包|壶|碗|杯|盆|道|轮|波|阵|起|支|根|把|块|两[天个位单台]|三[天个位单台]|[几\\d]天"
)
_THAT_THING = re.compile(rf"那(?:{_UNITS})(?!时候|意思|样子|种|态度|状态)|[^，。]那(?:{_UNITS})|(?:首|末|头)(?:单|场|批)")
_THIS_THING = re.compile(r"这(?:单|台|批|票|份|张|场|通|笔|趟|桌|车|箱|封|版|栋|炉|次)(?!人|子|们|效率|态度|状态|事情)")
_HAN_NUMBER = r"[\d一二三四五六七八九十]+"
_NUMBERED = re.compile(
    r"(?:pr|bug|issue|工单|单号|订单号?|订单尾号|尾号|编号|合同|批号|批次号?|箱号|流水号|运单号?|票号)\s*(?:号|是|为|尾号|:)?\s*[#a-z-]*\d+"
    rf"|第{_HAN_NUMBER}(?:节|课|批|场|期|轮|单|车|柜|炉|次)"
    rf"|{_HAN_NUMBER}号(?:桌|梯|楼|机|线|炉|车|柜|仓|库|店|铺|房|床|台|门|厅|窗口|工位|包间|包厢|会议室)|设计单"
)
_ENUMERATED = re.compile(
    "无论|不论|不管|(?:、.{1,10})+等(?:多|各|工作|方面|项|旺季|重|一系列|活动|环节|任务|场合|节日)|多项工作|各项工作|各类|各种"
)
_GENERAL_CASE = re.compile(
    "一[\u4e00-\u9fff]{1,4}(?:就|便)|的时候.{0,3}(?:总|都|老|从|常)|凡是|只要.{1,12}(?:就|都|便)|遇到.{1,10}(?:就|都|总|会)"
    "|每(?:次|回|天|周|月|个月|班|逢|到|当|一次|一个|单)|每[\u4e00-\u9fff]{1,4}(?:前|后|时|都)|都会"
    "|(?:从来|总|老|都|常)(?:不|没|会|是|把|要|用|爱|给)"
    "|(?:时|前|后|完|候)(?:都|总|就)?会(?:把|先|在|给|用|让|将|等|多|主动)"
)
_WONT = re.compile(
    "^(?:你|您|[小老阿][\u4e00-\u9fff]|[\u4e00-\u9fff]{1,2}(?:师傅|老师|工|姐|哥))(?:都|总|就|还|也|一般)?(?:会|爱|喜欢|习惯|常|总|老)"
)
_DAY_OF_OCCASION = re.compile("(?:会|展|节|庆|活动|促|营|赛|训|期|假)(?:的|期间)?(?:第[一二三四五六七]天|首日|头[一两三]天|最后一天)")
_OCCASION_OF_DAY = re.compile(r"(?:那天|那次|那回|那晚|那会儿|那阵|现场|当天|当晚|的时候|时候|时|会上|会后|课上|前|后)")


def scene_signs(text: str, row: Sequence[Statement], told: str) -> list[str]:
    """What speaks for and against the text naming one occasion; `told` is what it tells of: "act", "consequence" or ""."""
    return list(_scene_signs(text, row, told))


def _scene_signs(text: str, row: Sequence[Statement], told: str) -> Iterator[str]:
    words = [word for statement in row for word in statement.words]
    times = {tag for word in words for tag in word.tags if tag.startswith("time_")}
    if _DAY_OF_OCCASION.search(text):
        times.add("time_day")
    occasion = any(word.has("occasion") for word in words)
    finest = next((tag for tag in ("time_day", "time_part", "time_period") if tag in times), "time_none")
    happened = told or ("occasion" if occasion else "nothing")
    yield f"{finest}_and_{happened}"
    if occasion:
        yield f"{finest}_with_occasion"
    that = bool(_THAT_THING.search(text))
    numbered = bool(_NUMBERED.search(text))
    if that:
        yield "that_thing_described" if re.search("的那[个些种]", text) else "that_thing"
    if _THIS_THING.search(text):
        yield "this_thing"
    if numbered:
        yield "numbered_thing"
    if occasion:
        yield "occasion"
        if any(word.has("occasion") and not word.has("act") for word in words):
            yield "occasion_proper"
    if row and (row[0].has("occasion") or _OCCASION_OF_DAY.search(row[0].text)) and len(row) > 1:
        yield "opens_with_occasion"
    habit = any(word.has("habit") for word in words) or bool(_GENERAL_CASE.search(text))
    fine = finest == "time_day"
    if habit:
        yield "habit_despite_day" if fine else "habit_despite_thing" if that or numbered else "habit"
    if row and _WONT.search(row[0].text):
        yield "wont_to"
    if _ENUMERATED.search(text):
        yield "enumerated"
    if any(word.has("hypo") for word in words):
        yield "hypothetical"
    if any(re.search("因为|由于|多亏|幸亏", s.text) for s in row):
        yield "credit_or_blame"
    if finest == "time_none" and not that and not numbered and not occasion:
        yield "nothing_to_hold"
    if times and len(times) == 1 and finest == "time_period" and any(word.has("metric") for word in words):
        yield "period_of_a_figure"
    if re.search(r"(?<!我)(?:了)(?=[，。！]|$)|了[\u4e00-\u9fff\d]", text):
        yield "something_ended"
    if not told and any(s.has(*ACTS) and not s.has("eval", "mind", "vague", "fault") for s in row):
        yield "something_done"


_SLIP = re.compile("[漏错误忘少]|[\u4e00-\u9fff](?:错|反|串|漏|丢|坏)")


def praise_signs(row: Sequence[Statement]) -> list[str]:
    """What speaks for the author wanting the same again (praise), and against it (he wants a change)."""
    found = []
    for statement in row:
        told = [sign for sign in _consequence_signs(statement) if sign in _TELLING_CONSEQUENCES]
        found += told
        if statement is row[-1]:
            found += ["ends_with_" + sign for sign in told]
        found += [tag for tag in ("good", "bad", "fault", "emotion", "empty_impact", "hypo", "habit", "maybe") if statement.has(tag)]
        found += _manner_signs(statement)
    return found


_UNDOING = re.compile("就(?!好|行|能|会|全|都|没)|一直|还在|只[\u4e00-\u9fff]|也不|都不|看都|头都|直接|随手|随便")
_CAREFUL = re.compile(
    "先.{1,14}再|逐|挨个|一个个|主动|提前|当场|马上|立刻|顺手|亲自|连夜|单独|专门|发现.{2,}|都会|会先|会把|总会|全部|每.{1,6}都"
)


def _manner_signs(statement: Statement) -> Iterator[str]:
    words = statement.words
    acts = [i for i, word in enumerate(words) if word.has(*ACTS) and not _is_nominal(words, i)]
    own = statement.subject is Subject.EMPLOYEE
    if any(_SLIP.search(words[i].text) for i in acts) or re.search("成了|错了|反了|串了|漏了", statement.text):
        yield "slip"
    if own and statement.has("neg"):
        yield "own_act_undone"
    if own and acts and not statement.has("neg"):
        yield "own_act"
    if own and statement.inherited and acts:
        yield "own_act_continued"
    if _CAREFUL.search(statement.text):
        yield "careful"
    if _UNDOING.search(statement.text):
        yield "careless"
    if _ORDERING.search(statement.text):
        yield "order_given"


_TELLING_CONSEQUENCES = frozenset(
    (
        "loss",
        "loss_averted",
        "gain",
        "gain_averted",
        "none_at_all",
        "spared",
        "in_time",
        "suffered",
        "broke",
        "redo",
        "cannot",
        "given_back",
    )
)


def thing_named(text: str) -> tuple[int, int] | None:
    """Where the text points at one thing (那单, 8号桌, PR 88), as (start, end)."""
    match = _THAT_THING.search(text) or _NUMBERED.search(text) or _THIS_THING.search(text)
    return match.span() if match else None


def consequence_begins(statement: Statement) -> int | None:
    """Offset at which a consequence begins after an act in the same statement; None when it cannot be cut in two."""
    words = statement.words
    acts = [i for i, word in enumerate(words) if word.has(*ACTS) and not word.has(*CONSEQUENCES)]
    if not acts:
        return None
    for i in range(acts[0] + 2, len(words)):
        begins = words[i].has("neg") and any(w.has("loss", "one") for w in words[i + 1 : i + 4])
        begins = begins or (words[i].has(*CONSEQUENCES) and not words[i].has(*ACTS))
        begins = begins or (words[i].has("change") and i + 1 < len(words) and any(w.has("quantity") for w in words[i + 1 : i + 3]))
        if begins and words[i].start - statement.start >= 4:
            return words[i].start
    return None
