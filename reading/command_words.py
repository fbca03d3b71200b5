"""Word classes of chat commands: a text becomes a short string of symbols that patterns can be read against.

`mark("给阿柳的那条作废，我弄错了人").symbols == "给P的A作废,我弄错了人"`. A capital letter stands for a span of the text
(`SYMBOLS` lists them); everything else is the text itself in lower case and half-width. Politeness and fillers vanish.
Every token knows the span it came from, so whatever is read from the symbols is a verbatim piece of the text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

from reading.command_times import QUANTITY, TIME
from reading.name_forms import COMMON_SURNAME, NICKNAME, SURNAME, TITLED
from reading.word_lists import any_of, tight, word_lists

SYMBOLS = {
    "P": "a person",
    "T": "a time or period",
    "D": "a quantity of time",
    "N": "a feedback id",
    "A": "a record pointed at: 那条, 上一条",
    "F": "feedback as a thing: 反馈, 表扬",
    "W": "a digest: 周报, 简报, 小结",
    "G": "a team, shop or department",
    "M": "evidence: 截图, 录音, 检验单",
    "R": "a metric",
    "X": "a thing this bot has nothing to do with: 快递, 会议室",
    "Q": "quoted words",
    "C": "what follows a colon",
}


@dataclass(frozen=True)
class Token:
    """One symbol and the span `text[start:end]` it stands for; `symbol` is a capital of SYMBOLS or the character itself."""

    symbol: str
    start: int
    end: int


@dataclass(frozen=True)
class Marked:
    """A text and its tokens, in text order, without overlap; fillers have no token."""

    text: str
    tokens: tuple[Token, ...]

    @cached_property
    def symbols(self) -> str:
        """One character per token."""
        return "".join(token.symbol for token in self.tokens)

    def spell(self, index: int) -> str:
        """The piece of text the token at `index` stands for."""
        token = self.tokens[index]
        return self.text[token.start : token.end]

    def between(self, start: int, end: int) -> str:
        """The piece of text from token `start` up to, not including, token `end`; "" for an empty range."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end] if start < end else ""


def mark(text: str, known_names: Iterable[str] = ()) -> Marked:
    """Tokens of `text`. `known_names` are full names of the directory, recognised wherever they stand."""
    plain = normalise(text)
    named = _any_name(tuple(known_names))
    spans = _spans()
    tokens: list[Token] = []
    position = 0
    while position < len(plain):
        name = named.match(plain, position) if named else None
        found = name or spans.match(plain, position)
        if found is None:
            tokens.append(Token(plain[position], position, position + 1))
            position += 1
        else:
            kind = "P" if name else str(found.lastgroup)
            position = _take(kind, found, tokens)
    return Marked(text, tuple(_with_metrics(plain, tokens)))


def _take(kind: str, found: re.Match[str], tokens: list[Token]) -> int:
    """Add the token for `found`; the position to go on from."""
    if kind == "colon":
        tokens.append(Token(":", found.start(), found.start() + 1))
        if not any(token.symbol in "PAN" for token in tokens):
            return found.start() + 1
        # 给小方记一条：… What follows an address is dictated, not asked.
        tokens.append(Token("C", found.start() + 1, found.end()))
    elif kind == "P":
        said = found.group().lstrip("@ ")
        tokens.append(Token("P", found.end() - len(said), found.end()))
    elif kind != "filler":
        tokens.append(Token(kind, found.start(), found.end()))
    return found.end()


@lru_cache(maxsize=4)
def _any_name(names: tuple[str, ...]) -> re.Pattern[str] | None:
    longest_first = [re.escape(normalise(name)) for name in sorted(names, key=len, reverse=True) if len(name) > 1]
    return re.compile("|".join(longest_first)) if longest_first else None


def normalise(text: str) -> str:
    """`text` in lower case and half-width, common dictation slips undone; same length, so positions stay valid."""
    plain = "".join(_HALF_WIDTH.get(char) or _lower(char) for char in text)
    return _SLIPS.sub(lambda found: _SLIP_WORDS[found.group()], plain)


def _lower(char: str) -> str:
    small = char.lower()
    return small if len(small) == 1 else char


_LISTS = word_lists("command_things.txt")

_HALF_WIDTH = {chr(code): chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
_HALF_WIDTH |= {"。": ".", "；": ",", ";": ",", "\n": ",", "　": " ", "\u00a0": " ", "—": "-", "–": "-"}
_SLIP_WORDS = dict(pair.split("→") for pair in _LISTS["dictation"])
_SLIPS = re.compile(any_of(_SLIP_WORDS))

_FILLER = tight(r"""
    (?: 麻烦[你您]? | 劳烦 | 劳驾 | 拜托 | 一下[子下]? | 那啥 | 那个(?![条反回记]) | 就是说 | 然后呢
      | (?<=[催看查改补记写发删撤说叫等回戳敲录提换加传])下(?![周个班午星礼月来去架属单线达载次面发一])
      | [吧啊呀哈哦噢嘛呗啦哎诶嗯呃唉哟喔~\s*…！!]+
      | [\U0001F000-\U0001FAFF\u2600-\u27BF\uFE0F\u200d]+ | \[[^\]\s]{1,6}\] )
""")
_CONTENT = tight(r":(?=[^\d]|\d+[^\d:])(?<!\d:(?=\d)).+")

_ID = tight(r"""
    (?: (?<![a-z\d])(?!iso|gb|q[1-4]\b|h5|hrbp)[a-z]{1,4}-?\d{2,}(?:-\d+)*(?![\d%])
      | (?<![a-z\d])[a-z]{1,4}-\d+(?![\d%])
      | (?<![\d.])\d{3,}(?=号|的?[那这]?条|的?反馈)
      | (?<![\d.:])\d{2,}(?=号(?:反馈|那条|这条|的那条|记录))
      | (?: (?<=编号) | (?<=编号[是为]) | (?<=\#) | (?<=id) | (?<=no\.) ) \d+
      | (?<=反馈)\d+(?=号|$|[^\d条个次分])
      | (?<=[撤删改催查回转附给销除到把废])\d{3,}(?![\d个元块件箱单条次%分天小份人]) )
""")

# A full name without a directory: only where somebody must stand, and before what is done to or by him.
_GIVEN = tight(r"""
    [^\W\da-z的了是在有我你他她它们不没给对和跟与把被让请由就都也还要会能可说写提记发回处理条那这哪个些什么吗呢吧啊人家里上下前后来去
    今明昨周月日天点分报班组店部案式面间时候据单品本员]{1,2}
""")
_FULL_NAME = tight(rf"""
    (?: (?<=[给对催向让由请替和跟与、把找问叫夸@]) | (?<=提醒|通知|表扬|批评|关于|针对|改派|委托|授权) )
    (?!{any_of(_LISTS["not a name"])}) {COMMON_SURNAME}{_GIVEN}
    (?= $ | [\x20,.:、?!] | 的|写|提|记|发|点个|录|加|补|回|处理|跟|代|替|接|那条|这条|和|尽|赶|把|今|明|昨|上周|下周|本周|这周|帮
      |确认|来|负责|看|做|一|先|再|没|有没有|还|是|在|刚|前天|周 )
""")
_EVERYBODY = r"(?!所有人|全体|all\b|大家)"
_AT = tight(rf"""
    @\x20? (?: {TITLED} | {NICKNAME} | {SURNAME}{_GIVEN} | {_EVERYBODY}[a-z][a-z0-9_.]* | {_EVERYBODY}[^\W\d_]{{2,3}}(?=[\x20,.:、]|$) )
""")

_RECORD = tight(r"""
    (?: (?:刚[才刚]?)?(?:那|这|上上|上|前|头)[一1两几二三]?条(?:反馈|记录|回复|消息)?
      | [那这][个份次](?:反馈|记录|回复) | 最[后新近]的?那?一?条 | 第[一二三四五六七八九十\d]+条 | [该此本某]条
      | 刚[才刚]?(?:提交|发|写|提|交|录|记|填)的(?:反馈|回复|那条|记录)?(?=$|[^\w]|[撤删改收不发写弄填错有少漏日影场动内]) )
""")
_FEEDBACK = tight(rf"""
    (?: {any_of(_LISTS["kind of feedback"])}[类性]?的?反馈 | {any_of(_LISTS["feedback"])} | (?:肯定|鼓励)(?=$|[,.:!])
      | (?<=[条个份提项句点些])改进(?![了好完]) | (?<=[条个份句])(?:肯定|建议|好评|意见|夸奖|[负正]面|正向) | (?<=提)(?:建议|意见) )
""")
_DIGEST = tight(rf"""
    (?: {any_of(_LISTS["digest"])} | 周报(?![销名警备关价废修]) | 总结(?!会) | 汇总(?!表) | 月报(?![销名警备]) | 报告单?(?=$) )
""")
_TEAM = tight(rf"""
    (?: (?:[甲乙丙丁abc]|[一二三四五六七八九十\d]+号?)(?:班组?|组|店|线|车间|门店|产线|仓)
      | (?!全部)(?:我们|咱们|咱|全|本|各个?|所有|整个)(?:班组|小组|团队|门店|部门|车间|公司|[组店班线科区队仓站部])
      | {any_of(_LISTS["team"])} | {any_of(_LISTS["trade"])}[一二三]?(?:中心|[部组科队线班])
      | {any_of(_LISTS["region"])}(?:大区|片区|区)
      | (?<=[我这])[组班店队](?![长员次]) | (?<=带的)[组班队人] )
""")
_EVIDENCE = tight(rf"""
    (?: {any_of(_LISTS["evidence"])} | 图(?![书纸标]) | (?:{any_of(_LISTS["slip of paper"])}|工)单
      | {any_of(_LISTS["report"])}报告 | 文件(?![夹柜]) )
""")


@cache
def _spans() -> re.Pattern[str]:
    """Put together at the first sentence: it takes longer than all else here, and many a process never hears one."""
    return re.compile(
        "|".join(
            f"(?P<{name}>{pattern})"
            for name, pattern in {
                "Q": r"[“\"「『‘《][^”\"」』’》]*[”\"」』’》]",
                "filler": _FILLER,
                "colon": _CONTENT,
                "N": _ID,
                "P": rf"{_AT}|{TITLED}|{NICKNAME}|{_FULL_NAME}",
                "A": _RECORD,
                "W": _DIGEST,
                "T": TIME,
                "D": QUANTITY,
                "G": _TEAM,
                "M": _EVIDENCE,
                "F": _FEEDBACK,
                "X": any_of(_LISTS["off topic"]),
            }.items()
        ),
        re.DOTALL,
    )


_METRIC_END = re.compile(
    tight(rf"""
        (?: (?<![草轻表直坦])率(?![领先真性]) | {any_of(_LISTS["metric"])} | (?:转化|复购|动销|好评|差评|现场改进)(?:率|次?数|量)?
          | (?<=[数件单投诉流播话访咨接通客产存货退销])量 | [^\W\d_](?<![少多])数(?![据学字码值到一])
          | (?<=[均应理待付复馈答环达接诊餐])时间 | 投诉(?=多少|几) )
    """)
)
_METRIC_BREAK = re.compile(
    rf"(?:的|[是查看问我你他她们各每请把给和跟与比有道想要这那哪了吗下到说得个,.?!:、\x20]|{any_of(_LISTS['not in a metric'])})$"
)
_METRIC_PARTS = frozenset("FMXWR")


def _with_metrics(plain: str, tokens: list[Token]) -> list[Token]:
    """`tokens` with each metric name, its modifiers included (平均|响应|时长), folded into one R."""
    result: list[Token] = []
    index = 0
    ends = [found.end() for found in _METRIC_END.finditer(plain)]
    for token in tokens:
        result.append(token)
        while index < len(ends) and ends[index] < token.end:
            index += 1
        if index < len(ends) and ends[index] == token.end and token.symbol not in "PTDNAQCG":
            start = _metric_start(plain, result)
            if result[-1].end - result[start].start > 1:
                result[start:] = [Token("R", result[start].start, token.end)]
    return result


def _metric_start(plain: str, tokens: list[Token]) -> int:
    start = len(tokens) - 1
    while start > 0 and len(tokens) - start < 9:
        before = tokens[start - 1]
        if before.symbol.isupper() and before.symbol not in _METRIC_PARTS:
            break
        if before.end != tokens[start].start or _METRIC_BREAK.search(plain[: before.end]):
            break
        start -= 1
    return start
