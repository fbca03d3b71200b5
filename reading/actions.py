"""Action: something a recording would show this person doing or leaving undone."""

import re
from collections.abc import Iterator, Sequence

from reading.signs import (
    ACTS,
    CONSEQUENCES,
    HAN,
    HANDLING,
    OCCASION_ONLY,
    ORDERING,
    Wording,
    acts_told,
    is_denied,
    judging_signs,
    place_signs,
    subject_sign,
    worded,
)
from reading.statements import Statement, Subject

_WORDING: Wording = {
    "aspect": re.compile(f"{HAN}(?:了|着|过)"),
    "slip_complement": re.compile(f"{HAN}(?:错|反|串|漏|混|歪|重|乱)(?:了|成)"),
    "in_charge_of": re.compile(
        "(?:你|您|你们)(?:负责|带|管|分管|当班|值班|接手|经手|手里|手上|手下|名下|这边|那边|这条|那条|这块|的班|的组|那个时段|那片)"
    ),
    "spoke_to": re.compile(f"(?:跟|对|向|和|朝|当着){HAN}{{1,5}}(?:说|讲|喊|骂|吼|数落|保证|承诺)"),
    "on_behalf_of": re.compile(f"(?:替|帮|给|陪|带着?){HAN}{{2,4}}?(?:{HAN}了|{HAN}{{2}}了)"),
    "latin_done": re.compile("[a-z]+(?:了|过|完)"),
    "order_given": ORDERING,
    "occasion_only": OCCASION_ONLY,
}
_ABSTRACT_HANDLING = re.compile("把.{0,8}(?:做好|抓|放在心上|当回事|当成|当家|做到|做实|落到|放在第一|搞好|管好|带好|处理好)")
_IN_ORDER = re.compile("先.{1,14}(?:再|后|又|然后)|一边.{1,8}一边|又.{1,8}又|边.{1,6}边")
_COMPLETED = re.compile(f"{HAN}(?:完|好|错|反|漏|串|成|进|到|出|上|下|回|掉|开|走|满|齐|遍|住|断)了?")
_MADE_OTHERS = re.compile(
    "(?:让|叫|请|教|催|逼|劝)(?:客户|顾客|客人|用户|家长|学生|孩子|他|她|人家|对方|[一-龥]{1,3}(?:自己|先|去|来|把))"
)
_JUDGED = ("eval", "mind", "fault", "vague", "emotion")
_MUCH = 4  # characters
_WONT = re.compile(f"会{HAN}")


def action_signs(row: Sequence[Statement], index: int) -> frozenset[str]:
    """What speaks for and against statement `index` of `row` telling of an action.

    What customers, colleagues or authorities do is no action of this person; their acts get names of their own.
    """
    statement = row[index]
    acts = {*_act_signs(statement), *_form_signs(statement)}
    if statement.subject is Subject.OTHERS:
        acts = {"others_" + sign for sign in acts}
    return frozenset({subject_sign(statement), *acts, *judging_signs(statement), *place_signs(row, index)})


def _act_signs(statement: Statement) -> Iterator[str]:
    """What is known of the acts told."""
    words = statement.words
    acts = acts_told(statement)
    if not acts:
        yield from _signs_without_act(statement)
        return
    kind = "act_word" if any(words[i].has("act") for i in acts) else "act_character"
    yield kind
    yield f"{kind}_by_{statement.subject.value}"
    if len(acts) >= 2:
        yield "several_acts"
    elif words[acts[0]].has("act") and words[acts[0]].has(*CONSEQUENCES):
        yield "act_may_be_consequence"
    if any(is_denied(words, i) for i in acts):
        yield "act_left_undone"
    if _IN_ORDER.search(statement.text):
        yield "acts_in_order"
    if any(word.has("adv") for word in words[: acts[-1]]):
        yield "adverb_before_act"
    if any(word.has("count", "times", "one", "quote") for word in words[acts[0] :]):
        yield "act_with_counted_object"
    if any(word.has("noact") for word in words[acts[0] :]):
        yield "act_with_thing"


def _signs_without_act(statement: Statement) -> Iterator[str]:
    """No act is known; the form may still betray one that stands in no list."""
    if statement.has(*ACTS):
        yield "act_only_as_noun"
    if _COMPLETED.search(statement.text):
        yield "result_complement"
    if statement.has("neg"):
        yield "something_left_undone"
    if statement.has("latin"):
        yield "latin_word"
    if _tells_something_unknown(statement):
        yield "something_unknown"


def _tells_something_unknown(statement: Statement) -> bool:
    """Whether much is said of this person that is neither judgement nor in any list."""
    if statement.subject is not Subject.EMPLOYEE or statement.has(*_JUDGED):
        return False
    return sum(1 for word in statement.words if not word.tags) >= _MUCH


def _form_signs(statement: Statement) -> Iterator[str]:
    text = statement.text
    yield from worded(_WORDING, text)
    if HANDLING.search(text):
        yield "handling_abstract" if _ABSTRACT_HANDLING.search(text) else "handling"
    if statement.has("habit"):
        yield "habit"
    if statement.subject is Subject.EMPLOYEE and _MADE_OTHERS.search(text):
        yield "made_others"
    if statement.subject is Subject.EMPLOYEE and _WONT.search(text):
        yield "wont_to"
