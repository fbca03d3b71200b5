"""Talk between people: a text that is said to a colleague, tells what others did or only supposes something, and so asks the bot for
nothing.

A command has the form of one: it tells, asks or requests. “领导昨天批评了小吴” holds the word of a command, but its doer is somebody
else and the thing is done; “小刘你昨天的快递我帮你拿了” is said to 小刘. Only forms are judged here, never the matter; the one list of
matters ([affairs] in data/command_things.txt) is where somebody is and what befalls him, which is not what he did at work.
"""

import re
from functools import lru_cache

from reading.command_words import Marked, normalise
from reading.sentence import Kind, Sentence
from reading.word_lists import any_of, tight, word_lists

# A colleague is called by name and then spoken to: 小刘你…, 小刘，你…; the bot is 你 only when nobody is called.
_SPOKEN_TO = re.compile(r"@?P[,、:]?你(?!们?的?[AFN])")
_SPOKEN_TO_MANY = re.compile(r"(?:[^,.?!]{0,4})你们(?!机器人|系统)")
_CALLED_TO_MANY = re.compile(r"(?:大家|各位|同事们|兄弟们|姐妹们)(?:[把先快别停听,，]|注意|记得|赶紧|都[别把先])")
# Whoever asks, requests, speaks of himself or points at a record may want something.
_ASKING = re.compile(
    r"[ANQ?]|F(?![了过])|别|不[用要催必]|先不|停|暂|我|咱|请|帮|替|让|叫|谁|哪|几|多少|怎|咋|什么|啥|能|可以|该|要|值得"
    r"|记一|写一|发一|提一|吗|么$|没$|没有$"
)
_DONE = re.compile(r"[了过](?!没|吗|么)")
_QUESTION = re.compile(r"[?谁哪几怎咋啥]|多少|什么|是不是|能不能|吗|么|[没呢]$|没有$|为何|如何")
# 我可没催过他, 没人跟我说过: nobody asks for what he says was never done.
_DENIAL = re.compile(r"(?:我|没人|谁都|从来)[^,.?!]{0,4}没[^,.?!]{0,8}过|没人[^,.?!]{0,8}过|.*我就(?:随便)?(?:问问|看看|聊聊|说说)$")
# 如果老谢肯帮忙，这事早成了: only supposed, unless something is to be done then.
_SUPPOSED = re.compile(
    r"(?:[TP,]|我[想看]|你说)*(?:要是|如果|假如|假设|万一|哪怕|早知道|倘若|就算|即使|即便|要不(?!是)|换成|换了|真希望|幸好)"
)
_TO_BE_DONE = re.compile(r"[AFNW]|催|提醒|撤|删|改|转|推|叫|怎|会不会|吗|\?")
# 客户说“…”, 墙上贴着“…”, 他回我一句“…”: words of others, not ours to act on.
_CITES = re.compile(
    r"(?![给对帮请我把记夸替])[^,.?!:AFN]{1,10}"
    r"(?:说|写着?|回我?|问|道|喊|贴着|原文|原话是?|那句|发来|标题[就是用]*|签名是)(?:的是|一句)?:?[QC]"
)
_FIGURE_TOLD = re.compile(r"(?!我|咱|请|帮)[^,?]*R[^,?]{0,8}了(?:[^,?]{0,4})[.!]?$")  # 昨天单量破了记录


@lru_cache(maxsize=1)
def _others_did() -> re.Pattern[str]:
    lists = word_lists("command_words.txt")
    return re.compile(
        tight(rf"""
            (?: T | 刚才? | 听说 | 好像 | 隔壁 | 对面 | 楼上 | 楼下 | 别的 | 其他 )* @?
            (?: P | {any_of([*lists["them"], *lists["boss"]])} ) (?: 们 | 那边 | 家 )?
            (?! [的那这AFN,:、] )
            (?: T | [也都又刚就才还] | 已经 )* (?: F(?=[了过]) | [^TAFN,.:、的] )
        """)
    )


def is_between_people(marked: Marked) -> bool:
    """Whether `marked` speaks to a colleague, quotes somebody, denies something, or only tells what somebody else has done."""
    symbols = marked.symbols
    if _SPOKEN_TO.match(symbols) or _SPOKEN_TO_MANY.match(symbols) or _CALLED_TO_MANY.match(marked.text) or _CITES.match(symbols):
        return True
    if _SUPPOSED.match(symbols) and not _TO_BE_DONE.search(symbols):
        return True
    if _FIGURE_TOLD.match(symbols) and not _QUESTION.search(symbols):
        return True
    if _DENIAL.match(symbols) and not _QUESTION.search(symbols):
        return True
    told = _others_did().match(symbols)
    if told is None or _DONE.search(symbols, told.end() - 1) is None:
        return False
    return _ASKING.search(symbols) is None or (symbols[: told.end()].startswith(("隔壁", "对面")) and not _QUESTION.search(symbols))


# ── what a supervisor says of his people and means for nobody's record ─────────────────────────────────────────────────────
_WISHED = re.compile(r"[^,.?!]*(?:就好了|该多好)[.!,]?$|等我|我倒?希望")
# 小夏把门关一下, 你先去吃饭, 发我一份, 明天你主持: something is to be done; what was done has 了, 过, 没.
_WANTED = re.compile(
    r"[发给还帮告叫让][我咱你]|麻烦|拜托|记得|(?<![记夸扬评说馈])一下(?!子)"
    r"|明[天早晚]|后天|下周|下个?月|待会|等会"
)
_WANTED_OF_YOU = re.compile(r"你(?:们?[再快先去来看听帮别找等问给跟让把将]|也|赶紧|记得)")  # unless it says when that was
_TOLD_TO_DO = re.compile(r"@?P[,、]?你(?:们?[再快先去来看听帮别找等]|赶紧|记得)")
# Said to him whatever has happened: 你到了跟我说一声, 你要不要一起拼车.
_SAID_TO_HIM = re.compile(
    r"P,[^,.?!]*我[来去在]|告诉我|跟我说|说一声|[叫喊]我|给我看|[发还]我(?![们了])|替我|[问找]你|你[俩们]|你的?(?:车|手机|快递|包)|(?:你|P,?)(?:要不要|能不能|是不是|有没有|好不好)"
)
_HAPPENED = re.compile(r"[了过着没未忘漏误错]|得[很太不]|一直|老是?|总是?|每次|经常")
# News that neither judges nor tells of a lapse: of 100 feedbacks of that kind 92 are as likely acts as this, of 100 pieces of news 30.
_PLAINLY_DONE = 0.9
_LONGEST_NEWS = 18  # characters, a name and a time being one each
_FORBIDDEN = re.compile(r"别[^,.!]*")
_LAPSE = re.compile(r"[没未忘漏误错]|不(?![在来]|舒服)|少(?![年女数])|迟到|(?:夸|表扬|批评|记)(?:一下|[夸:])?P")
_OF_MYSELF = re.compile(r"我们?(?!看[到见]|发现|注意|听|觉得|想|要|给|这边|组|的)")


@lru_cache(maxsize=1)
def _affairs() -> re.Pattern[str]:
    """Where somebody is and what befalls him: the whole of a clause about going somewhere, or a word for it anywhere."""
    words = any_of(word_lists("command_things.txt")["affairs"])
    went = r"(?:^|(?<=[PT,也又就都刚才还经]))(?:去|到|回|来|飞|飞往|搬|调)[^,.了]{0,9}(?:了|过|$)(?=[,.]|又?走了|$)"
    return re.compile(rf"{words}|{went}|[去回]了?一?趟|(?:还|正)?在(?:开会|路上|忙|睡)")


def is_no_report(marked: Marked, told: Sentence) -> bool:
    """Whether a supervisor who names somebody says nothing for a record of his: he asks for something, asks something, supposes,
    speaks of himself, or tells where somebody is. What tells of an action and of what it led to is turned away only when it is plainly
    said to somebody, and what passes the gate never."""
    if told.complete:
        return False
    text = _with_symbols(marked, "P")
    if _TOLD_TO_DO.match(text) and not _happened(_first_clause(text)):
        return True
    if told.action.present and told.impact.present and _happened(text):
        return False
    if told.impact.present is False and _SAID_TO_HIM.search(text):
        return True
    if _SUPPOSED.match(text) or _WISHED.match(text) or _OF_MYSELF.match(text) or _CITES.match(marked.symbols):
        return True
    if _QUESTION.search(_last_clause(text)) or _is_wanted(text, _WANTED):
        return True
    if not told.scene.present and _is_wanted(text, _WANTED_OF_YOU):
        return True
    if _LAPSE.search(text):
        return False
    return _is_doubtful_news(text, told) or _is_an_affair(_with_symbols(marked, "PT"))


def _is_an_affair(text: str) -> bool:
    """Whether a text, short as such news is, tells where somebody is or what befell him."""
    return _affairs().search(text) is not None and len(text) <= _LONGEST_NEWS and "把" not in text


def _is_doubtful_news(text: str, told: Sentence) -> bool:
    """Whether an action is all that is told, nothing says whether it was good or bad, and it may be none."""
    neutral = told.action.present and not told.impact.present and told.kind is Kind.UNCLEAR
    return neutral and told.doing < _PLAINLY_DONE and "你" not in text and not text.startswith("@")


def _is_wanted(text: str, wanted: re.Pattern[str]) -> bool:
    """Whether something is asked for in a clause that tells of nothing done."""
    clauses = re.split(r"[,.!]", text)
    return any(wanted.search(clause) and not _happened(clause) for clause in clauses)


def _happened(clause: str) -> bool:
    """Whether a clause tells of something done or left undone; 别催我了 does not."""
    return _HAPPENED.search(_FORBIDDEN.sub("", clause)) is not None


def _first_clause(text: str) -> str:
    return re.split(r"[,.!]", text.replace("P,", "P", 1))[0]


def _last_clause(text: str) -> str:
    return re.split(r"[,.!]", text.rstrip(",.!"))[-1]


def _with_symbols(marked: Marked, which: str) -> str:
    """The text, half-width, with `which` symbols in their places (P: people, T: times) and everything else spelt, 一下 as well."""
    plain, result, position = normalise(marked.text), "", 0
    for token in marked.tokens:
        if token.symbol in which:
            result += plain[position : token.start] + token.symbol
            position = token.end
    return result + plain[position:]
