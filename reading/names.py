# ruff: noqa: E501
"""Who is meant when a chat says 小王, 老李, 王工, 阿强 or @王小丽.

Two questions are answered here. With the directory at hand: whom does this mention mean (`resolve`), and where in a text are
people named (`mentions`). Without it: what looks like a person at all (`NICKNAME`, `TITLED`, for `reading/command_words.py`).

Source: product, A3 "names resolve against the org directory (same name twice → a card to choose from)".
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Known:
    """A person of the directory; `aliases` are names he is also called by, exact."""

    key: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A person a mention may mean. `score` is one of the figures in `_WAYS`; `way` says how it was found."""

    person: Known
    score: float
    way: str


@dataclass(frozen=True)
class Mention:
    """`text[start:end]` names somebody; `matches` is never empty, best first."""

    start: int
    end: int
    matches: tuple[Match, ...]


_WAYS = {
    "full name": 1.0,
    "alias": 1.0,
    "full name and title": 0.95,
    "given name": 0.9,
    "surname form": 0.8,
    "form of the given name": 0.7,
    "sounds like the name": 0.6,
    "sounds nearly like the name": 0.5,
}


def resolve(mention: str, people: Iterable[Known]) -> tuple[Match, ...]:
    """Whom `mention` may mean, best first; () when nobody fits.

    It is ambiguous when the first two have the same score: ask, do not guess. A wrong character is forgiven
    (王晓丽 for 王小丽) only when nothing fits as written and exactly one person sounds the same.
    """
    said = _bare(mention)
    if not said:
        return ()
    everybody = tuple(people)
    found = [Match(person, _WAYS[way], way) for person in everybody if (way := _way(said, person)) is not None]
    found.sort(key=lambda match: -match.score)
    return tuple(found) or _by_sound(said, everybody)


def mentions(text: str, people: Iterable[Known]) -> tuple[Mention, ...]:
    """Where people of the directory are named in `text`, in text order, without overlap; the longest name wins.

    Full names, aliases, given names of two characters, nicknames and titles; a homophone only of a full name of three
    characters or more, of which one is written right.
    """
    everybody = tuple(people)
    index = _index(everybody)
    found: list[Mention] = []
    position = 0
    while position < len(text):
        mention = _mention_at(text, position, everybody, index)
        if mention is None:
            position += 1
        else:
            found.append(mention)
            position = mention.end
    return tuple(found)


# ── how people are called ────────────────────────────────────────────────────────────────────────────────
_COMPOUND_SURNAMES = [
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "宇文",
    "长孙",
    "司徒",
    "夏侯",
    "端木",
    "百里",
    "南宫",
    "独孤",
    "轩辕",
    "太史",
    "申屠",
    "澹台",
    "钟离",
    "呼延",
    "拓跋",
    "闻人",
]
# Without 和 向 从 同 与 由 那 查 代 有 应 全 过 别: as first character of a phrase they are hardly ever surnames.
_SINGLE_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤"
    "滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭"
    "梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫房裘缪干解宗丁宣邓郁杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀羊惠甄曲封芮储靳邴松段富巫乌焦巴弓牧"
    "隗山谷车侯宓蓬郗班仰秋仲伊宫宁仇栾暴甘斜厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰鄂索咸籍赖卓蔺屠蒙池乔阴胥苍双闻莘党翟谭贡劳逄姬申扶堵"
    "冉宰郦雍璩桑桂濮牛寿通边扈燕冀浦尚农温庄晏柴瞿阎充慕连茹习宦艾鱼容古易慎戈廖庾居衡步耿满弘匡文寇广阙东殴沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚简"
    "饶空曾毋沙乜养鞠须丰巢关蒯相荆游竺权盖益桓肖付闫岳覃揭佘候战苟涂蓝占莉植"
)
SURNAMES = "|".join([*_COMPOUND_SURNAMES, f"[{''.join(dict.fromkeys(_SINGLE_SURNAMES))}]"])

_LONG_TITLES = (
    "师傅|组长|班长|店长|主管|经理|主任|总监|老师|部长|科长|队长|站长|处长|院长|校长|厂长|老板|助理|教练|医生|护士长|护士|护师|督导|专员|副总|总裁|董事长|书记|课长|区长|园长|"
    "工程师|主任医师|同学|同志|女士|先生|sir"
)
_SHORT_TITLES = "总(?![结数共是额量汇部价经监体计务裁会表仓包店之有要说得算觉])|工(?![作具资单时位序人厂地艺会程牌号业装服伤种])|姐(?!妹|夫)|哥(?!们)|叔|姨|嫂|董|老(?![师板是])"
_SURNAME_FORMS_STOP = "谢谢|施工|全工|包工|手工|金工|白工|主管经理|班组长|班主任|高老|古老|衰老|养老|安队|车队|连队|领导|广告|宣导|通导|利导|华老|车工|米老|水工|石工|农工|双工|空姐|空哥|党组长|党支部书记"
TITLED = (
    rf"(?<![主])(?<!关(?=于))(?<!对(?=于))(?<!由(?=于))(?!{_SURNAME_FORMS_STOP})(?:{SURNAMES})(?:(?:{_LONG_TITLES})(?!们)|{_SHORT_TITLES})|"
    rf"(?<!\w)(?!高级|安全|项目|商务|金牌|白班|华东|华南|华北|华中|车间|常务|广告|宣传|党|班|任何|施工|单位|水电|设备|计划|石化|连锁|管理|通信)(?:{SURNAMES})[^\W\da-z的了在是给对和跟与区部店组班条]{{1,2}}(?:{_LONG_TITLES})(?!们)"
)

_NO_SMALL = (
    "时 组 结 程序 区 店 票 心 事 孩 学 说 吃 费 数 偷 计 于 型 批 件 车 狗 猫 卖部 卖 黑板 贴士 助手 助理 秘书 红书 红花 红包 姐 朋友 伙 哥 妹 弟 龙虾 米粥 米手机 样 料 范围 石头 方块 "
    "方面 金额 马虎 高峰 高潮 成本 项目 部分 部件 班 路 雨 雪 视频 问题 错 改 幅 额 修 量 窍门 技巧 便宜 便 声 步 人 厂 字 型 包 盒 瓶 袋 号 杯 碗 桌 门 屏 图 标 长假 长 细节 灶 炒 工具 工 "
    "城 镇 巷 河 狼 熊猫 喇叭 推车 半 菜 面 节 点 众 鬼 丑 看 气 巧 白鼠 米椒 麦 麻烦 病 灯 球 鸟 鱼 牛 视 故障 毛病 失误 疏忽 变化 调整 段视频 段录音 段话 提示 目标 群 会 活动 游戏 赚 吵 伤 型化 周报 周末 众 "
    "件货 规模 册子 本子 家伙 仙女 公主 可爱 太阳 月饼 蛋糕 表 条 张 份 个 题 试 测 升 降 涨 跌 幅度 夜灯 单 客户 客 商户 商家 商 区间 组长 队 队长 主管 领导 老板 经理 老师"
)
_NO_OLD = "师 板 公 家 客 款 年 时 房子 房东 路 毛病 白干 黄牛 干妈 马识 古 山 城 边 生 城区 车间 车 单子 单 安排 常 明显 平 实 通 高 华 成 强 计 任务 古董 机 油 水 花 路线 方法 方案 文件 文档 系统 石 米 麻烦 满 充"
_CHILD = "|".join(sorted(set(_NO_SMALL.split()), key=len, reverse=True))
_AGED = "|".join(sorted(set(_NO_OLD.split()), key=len, reverse=True))
_TAIL = r"(?:师傅|经理|主管|组长|店长|班长|队长|主任|老师|工(?=$|[^\w]|[的和、那写])|姐|哥)?"
NICKNAME = (
    rf"(?:(?<![大最很较缩减多中从太狭矮窄微细弱变一非])小(?!{_CHILD})[一-鿿](?!{{}})|"
    r"阿(?![姨拉里胶司婆飘联尔富米巴玛根])[一-鿿]|"
    rf"(?<![古养敬元月偏衰陈年])老(?!{_AGED})(?:{SURNAMES})|"
    rf"大[刘李张陈赵吴孙胡郭罗宋郑冯董曹魏杨徐朱梁谢韩唐邓许沈曾彭姜邹秦顾侯孟雷汤乔]){_TAIL}"
).replace("(?!{})", "")

_TITLE_TAIL = re.compile(rf"(?:{_LONG_TITLES}|总|工|姐|哥|叔|姨|嫂|董)$")
_AT_NAME = re.compile(r"@ ?([^\s@,.:，。：、]{1,16})")
_SHAPES = re.compile(f"{TITLED}|{NICKNAME}")


def split(name: str) -> tuple[str, str]:
    """Surname and given name of a Chinese full name; ("", name) for what is none (Lily, 小助手2号)."""
    if not re.fullmatch(r"[一-鿿]{2,4}", name):
        return "", name
    length = 2 if name[:2] in _COMPOUND_SURNAMES and len(name) > 2 else 1
    return name[:length], name[length:]


def _bare(mention: str) -> str:
    return re.sub(r"[\s@＠·]", "", mention).lower()


def _way(said: str, person: Known) -> str | None:
    """How `said` fits `person` as written, or None."""
    name = _bare(person.name)
    if said == name:
        return "full name"
    if any(said == _bare(alias) for alias in person.aliases):
        return "alias"
    surname, given = split(name)
    untitled = _TITLE_TAIL.sub("", said)
    if untitled == name:
        return "full name and title"
    if len(given) > 1 and untitled == given:
        return "given name"
    if surname and said in _surname_forms(surname, said):
        return "surname form"
    if surname and untitled in _given_forms(given):
        return "form of the given name"
    return None


def _surname_forms(surname: str, said: str) -> set[str]:
    """小王, 老王, 小王师傅; 王工, 王经理 with the title that was said."""
    title = _TITLE_TAIL.search(said)
    forms = {f"{prefix}{surname}" for prefix in "小老大阿"}
    if title:
        forms |= {f"{form}{title.group()}" for form in [*forms, surname]}
    return forms


def _given_forms(given: str) -> set[str]:
    """阿强, 小强, 老强, 强强, 强 (before 哥 or 姐) for 王志强."""
    last = given[-1]
    forms = {f"{prefix}{char}" for prefix in "阿小老" for char in given}
    return forms | {last * 2, last}


# ── homophones ───────────────────────────────────────────────────────────────────────────────────────────
def _by_sound(said: str, people: tuple[Known, ...]) -> tuple[Match, ...]:
    """The one person whose name is pronounced as `said`; () when nobody or more than one is."""
    for way, sound in (("sounds like the name", _sound), ("sounds nearly like the name", _rough_sound)):
        heard = sound(said)
        fitting = [person for person in people if heard in _sounds(person.name, sound is _rough_sound)]
        if fitting:
            return (Match(fitting[0], _WAYS[way], way),) if len(fitting) == 1 and len(said) > 1 else ()
    return ()


@lru_cache(maxsize=20_000)
def _sounds(name: str, rough: bool) -> frozenset[str]:
    """Pronunciations of the full name and of a given name of two characters."""
    sound = _rough_sound if rough else _sound
    given = split(name)[1]
    return frozenset(sound(part) for part in {name, given} if len(part) > 1 + (rough and part == given))


@lru_cache(maxsize=20_000)
def _sound(word: str) -> str:
    """Toneless pinyin without spaces; Latin letters stay, so "wangxiaoli" sounds like 王小丽."""
    return "".join(_reader()(_bare(word)))


def _rough_sound(word: str) -> str:
    """As `_sound`, with the pairs that southern speakers and their keyboards mix up made equal (zh/z, in/ing)."""
    return re.sub(r"(?<=[aei])ng", "n", re.sub(r"([zcs])h", r"\1", _sound(word)))


@lru_cache(maxsize=1)
def _reader():  # type: ignore[no-untyped-def]
    # The phrase dictionary would cost 45 MB and half a second; names are read character by character anyway.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin import lazy_pinyin

    return lazy_pinyin


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────
# Given names that are words: they name a person only after @ or where a person must stand.
_WORDLIKE = frozenset(
    [
        "国庆",
        "建国",
        "和平",
        "文明",
        "向阳",
        "光明",
        "阳光",
        "春天",
        "大海",
        "明天",
        "高兴",
        "平安",
        "健康",
        "欢乐",
        "美丽",
        "幸福",
        "朝阳",
        "黎明",
        "海洋",
        "建设",
        "胜利",
        "前进",
        "永远",
        "成功",
        "立春",
        "清明",
        "中秋",
        "元旦",
        "新年",
        "可以",
        "如意",
        "晨会",
        "天天",
        "思想",
        "安全",
    ]
)
_BEFORE_PERSON = re.compile(r"(?:[@给对催让由请替找问叫夸派托权]|提醒|通知|表扬|批评|关于)\s?$")


@dataclass(frozen=True)
class _Index:
    names: dict[str, tuple[Known, ...]]
    lengths: tuple[int, ...]
    sounds: dict[str, tuple[Known, ...]]


@lru_cache(maxsize=4)
def _index(people: tuple[Known, ...]) -> _Index:
    names: defaultdict[str, list[Known]] = defaultdict(list)
    for person in people:
        for name in {person.name, split(person.name)[1], *person.aliases}:
            if len(name) > 1:
                names[_bare(name)].append(person)
    return _Index(
        {name: tuple(known) for name, known in names.items()},
        tuple(sorted({len(name) for name in names}, reverse=True)),
        _sound_index(people),
    )


def _sound_index(people: tuple[Known, ...]) -> dict[str, tuple[Known, ...]]:
    by_sound: defaultdict[str, list[Known]] = defaultdict(list)
    for person in people:
        if len(person.name) > 2 and split(person.name)[0]:
            by_sound[_sound(person.name)].append(person)
    return {sound: tuple(known) for sound, known in by_sound.items()}


def _mention_at(text: str, position: int, people: tuple[Known, ...], index: _Index) -> Mention | None:
    for length in index.lengths:
        said = text[position : position + length].lower()
        if said in index.names and (said not in _WORDLIKE or _BEFORE_PERSON.search(text[:position])):
            return Mention(position, position + length, resolve(said, index.names[said]))
    shape = _SHAPES.match(text, position)
    if shape and (matches := resolve(shape.group(), people)):
        return Mention(shape.start(), shape.end(), matches)
    at = _AT_NAME.match(text, position)
    if at and (matches := resolve(at.group(1), people)):
        return Mention(at.start(1), at.end(1), matches)
    return _homophone_at(text, position, index)


def _homophone_at(text: str, position: int, index: _Index) -> Mention | None:
    for length in (4, 3):
        said = text[position : position + length]
        if not re.fullmatch(rf"[一-鿿]{{{length}}}", said):
            continue
        people = index.sounds.get(_sound(said), ())
        if len(people) == 1 and set(said) & set(people[0].name):
            way = "sounds like the name"
            return Mention(position, position + length, (Match(people[0], _WAYS[way], way),))
    return None
