"""Typed spans: a sentence as a row of words, each with the classes it may stand for.

The classes come from three places: the word lists in data/words.txt, patterns for numbers with their
units, and the mentions of time found by `times`. The longest word wins; what no list knows stays a
single character without a class.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from reading import times

NO_TAGS: frozenset[str] = frozenset()
_LONGEST_WORD = 8

SINGLE_ACTS = frozenset(
    "打发写拍贴装拆换搬抬扛拿放摆挂收送递交倒擦洗扫拖切煮烤炒盛端舀捡扔撕剪缝焊拧敲锤钉钻磨刷喷涂抹量测称数点查看听问说讲喊"
    "叫骂吼教念读抄画记填签盖印传存删改调设开关拉推按插拔锁堵挡围绑捆包裹封套码堆垫铺卸运牵扶抱背蹲跪站坐走跑赶绕守留带领陪"
    "接迎请催派排分合并列标编录导试算核对审批退补垫借还找翻搜选挑拣筛配混搅加减添灌抽吸夹抓握甩摔砸踢踩撞回转约寄投买订取缴"
    "付报劝哄拦挪移腾清晒泡冲烫冻扎缠撒浇喂抠挖做用建备停剃吹敷挤压扣插插掏塞吊架立扯揭掀捏捧提拎吃喝抽睡玩聊递晾叠折"
    "断拷戴穿脱摘系骑爬扑追躲盯闻尝摸碰拽揪拨揉捶驶载驮捎勒拴刻凿描绘译罚扣售卖租招谈唱演播沏兑滤捞瞒骗翻熬炸炖拌腌卷串挖铲剁剥削刮刨蒸焯"
)
_AFTER_SINGLE = frozenset("了过着个完好上下出进回到给成错漏反串一两三四五六七八九十几半清开掉走起在满净光齐遍住断准全乱坏透死够足")
_BEFORE_SINGLE = frozenset("只边始总老爱一没不未别先再就又去来都也才便也并还从")
_NOT_AFTER_SINGLE = frozenset("率费员机器台单表区处室组件品货科房间站店量法者家工厂师长点面题路口会客")

_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞"
    "熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘缪解应宗丁宣邓郁单杭"
    "洪包诸左石崔吉龚程嵇邢裴陆荣翁荀羊甄曲封芮储靳汲松井段富巫乌焦巴牧隗山谷车侯宓蓬全班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景"
    "詹龙叶幸司黎薄印宿白怀蒲台从鄂索咸籍赖卓屠蒙池乔阴胥苍双闻党翟谭劳申扶堵冉雍桑桂牛寿通边燕尚农温庄晏柴瞿阎充慕连茹习艾"
    "鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广东欧沃利蔚越师巩聂勾敖冷辛简饶曾沙养鞠须丰巢关相查后荆红游竺权盖益桓公肖"
    "岳亚兰月豆果冰雪雨晴阳妮娜玲芳静敏丽强磊军洋勇艳杰涛超霞鹏宇浩然琪佳欣悦彤涵萌晓星辉波斌刚健伟峰亮旭志坚莉美英慧娟秀珍"
)
_SHORT_TITLES = (
    "工(?![作厂人单具位序程艺资期件种时伤会])|姐(?!妹)|哥(?!们)|总(?![是会共计之体结])|姨|婶|叔|队|董|导(?![致入出航师])|院|局"
)
_TITLES = "师傅|老师|工程师|经理|主管|主任|店长|班长|组长|同学|同志|教练|大夫|护士长|医生"
_SURNAME = f"[{''.join(sorted(_SURNAMES))}]"
_NAME = re.compile(
    rf"[小老阿大]{_SURNAME}(?!是|学|时|板)|{_SURNAME}(?:[\u4e00-\u9fff]?(?:{_TITLES})|(?:{_SHORT_TITLES}))|@[\w\u4e00-\u9fff]{{1,8}}"
)
_NICKNAME = re.compile(r"[小阿老][\u4e00-\u9fff]")  # any character, where a sentence begins or a time has been named
_AMBIGUOUS = frozenset("都于全方常和时后相从顾车公连能及计查安沙解应水养关游")
_FULL_NAME = re.compile(
    f"[{''.join(sorted(_SURNAMES - _AMBIGUOUS))}][\u4e00-\u9fff]{{1,2}}?(?=昨|前天|今|周|上周|把|将|主动|没|在|同志|[0-9])"
)

_HAN_DIGITS = "零〇一二两三四五六七八九十百千万亿"
_NUMBER = rf"(?:(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:\.\d+)?\s?(?:万|千|百|亿|k|w)?|[{_HAN_DIGITS}半几]+)(?:点[{_HAN_DIGITS}]+)?[多来几余]?"
_MEASURES = (
    "个人|人次|人份|个|件|单|位|人|台|只|条|张|份|箱|盒|袋|瓶|批|通|家|户|间|套|双|支|根|把|块|页|行|笔|桌|车|板|托|吨|斤|公斤|千克|"
    "克|米|厘米|毫米|公分|公里|里|票|柜|层|门|名|组|班|盘|碗|杯|锅|串|部|辆|架|颗|粒|片|枚|封|篇|本|道|节|课时|首|字|句|分|级|项|处|"
    "星|席|床|针|剂|升|毫升|gb|mb|所|座|排|列|卷|桶|罐|捆|包|扇|幅|副|对|款|头|栋|起|例|宗|垄|亩|棵|株|筐|笼|坛|壶|碟|次|遍|趟|回|轮|场|声|下"
)
_TIMES_MEASURES = frozenset(("次", "遍", "趟", "回", "轮", "声", "下", "场"))
_PERCENT = (
    rf"{_NUMBER}\s?(?:%|成(?!了|功|绩|长|品|本|员|立|为|熟)|个?百分点|个?点(?=[^\w]|$)|倍)|百分之{_NUMBER}"
    rf"|[{_HAN_DIGITS}]分之[{_HAN_DIGITS}]|一大半|大半|过半|一多半|一半|减半|翻倍"
)
_MONEY = rf"[¥$]\s?{_NUMBER}|{_NUMBER}个?(?:元|块钱|块(?=[^\w]|$)|毛钱|欧元|美元|美金|港币|日元|rmb)"
_DURATION = (
    rf"{_NUMBER}个?半?多?(?:小时|钟头|分钟|分半钟|秒钟?|天|周(?![一二三四五六日年])|星期(?![一二三四五六日])|礼拜|月(?!\d)|季度|年|工作日"
    r"|毫秒|ms|min|刻钟)[半多]?|半天|半个?小时|半个?钟头|半个?月|半年|半夜|一上午|一下午|一晚上|一整天|大半天|好几天|好久|一夜|一宿"
)
_ORDINAL = r"第[\d一二三四五六七八九十百]+(?:个|次|名|位|天|周|条|版|节|批|期|轮|页|项)?|\d+号[\u4e00-\u9fff]?"
_IDENTIFIER = r"[a-z]{0,6}[-_#]?\d{7,}[a-z\d-]*|(?=[a-z\d-]*\d)(?=[a-z\d-]*[a-z])[a-z\d-]{3,}|#\d+"
_AMOUNT = (
    r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:万|千|百|亿|k|w)?[多来几余]?"
    rf"|[{_HAN_DIGITS}几]*[百千万亿][{_HAN_DIGITS}几]*[多来几余]?"
)
_QUANTITY = re.compile(
    rf"(?P<percent>{_PERCENT})|(?P<money>{_MONEY})|(?P<duration>{_DURATION})|(?P<count>{_NUMBER}(?P<measure>{_MEASURES})(?!号)[半多]?)"
    rf"|(?P<ordinal>{_ORDINAL})|(?P<id>{_IDENTIFIER})|(?P<amount>{_AMOUNT})"
)
_RATE = re.compile(
    "(?!你|您|我|他|她|这|那|的|把|从|和|比|规定|约定|营业|上班|下班|休息|固定|第一|空闲|学习|效)[\u4e00-\u9fff]{2}"
    "(?:率(?!先|领)|时间(?!点|表|段)|时长|周期(?!性)|成本|费用|速度|次数|数量)"
)
_OFFICE = re.compile("(?!你|您|我|他|她|这|那|的|把|人员|动员|成员|全员)[\u4e00-\u9fff]{2}(?:员(?!工)|商(?![量品务场])|专家|经理|主任)")
_WORD_IN_LETTERS = re.compile(r"[a-z][a-z']*")


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its place in the text (offsets, end exclusive) and the classes it may stand for."""

    text: str
    start: int
    end: int
    tags: frozenset[str]

    def has(self, *tags: str) -> bool:
        """Whether it may stand for at least one of `tags`."""
        return not self.tags.isdisjoint(tags)


@lru_cache(maxsize=1)
def lexicon() -> dict[str, frozenset[str]]:
    """The word lists of data/words.txt as word → classes. Raises ValueError for a word outside any class."""
    classes: dict[str, set[str]] = {}
    heading = ""
    for line in files("reading").joinpath("data/words.txt").read_text(encoding="utf-8").splitlines():
        content = line.split("# ", 1)[0].strip()
        if not content:
            continue
        if content.startswith("["):
            heading = content.strip("[]")
            continue
        if not heading:
            raise ValueError("reading/data/words.txt: words stand before the first [heading]")
        for word in content.split():
            classes.setdefault(word.lower(), set()).add(heading)
    return {word: frozenset(tags) for word, tags in classes.items()}


def words(text: str) -> list[Word]:
    """Cut normalised text into words, left to right, the longest first; blanks are dropped."""
    found: list[Word] = []
    mentions = {mention.start: mention for mention in times.find(text)}
    quotes = quoted(text)
    position = 0
    while position < len(text):
        if position in mentions:
            mention = mentions[position]
            word = Word(mention.words, position, mention.end, frozenset(("time", "time_" + mention.grain.value)))
        elif position in quotes:
            word = Word(text[position : quotes[position]], position, quotes[position], frozenset(("quote",)))
        else:
            word = _word_at(text, position)
        if word.text.strip():
            found.append(word)
        position = word.end
    return [_with_single_act(found, index) for index in range(len(found))]


_QUOTE = re.compile(r"“[^”]{0,40}”|「[^」]{0,40}」|\"[^\"]{0,40}\"|《[^》]{0,40}》|【[^】]{0,40}】|‘[^’]{0,40}’")


def quoted(text: str) -> dict[int, int]:
    """Where quoted words begin and end: what is quoted was written somewhere, it is not the author's claim."""
    return {match.start(): match.end() for match in _QUOTE.finditer(text)}


def _word_at(text: str, position: int) -> Word:
    known = _known_at(text, position)
    rate = _RATE.match(text, position)
    if rate is not None and (known is None or rate.end() > known.end):
        return Word(rate[0], position, rate.end(), frozenset(("metric",)))
    office = _OFFICE.match(text, position)
    if office is not None and known is None:
        return Word(office[0], position, office.end(), frozenset(("cust",)))
    quantity = _quantity_at(text, position)
    if quantity is not None and (known is None or quantity.end > known.end):
        return quantity
    if known is not None and len(known.text) > 1:
        return known
    name = _NAME.match(text, position)
    if name is None and (position == 0 or text[position - 1] in "，,。;； "):
        name = _FULL_NAME.match(text, position)
    if name is None and _may_open_with_name(text, position):
        name = _NICKNAME.match(text, position)
    if name is not None:
        return Word(name[0], position, name.end(), frozenset(("name", "employee")))
    if text[position] in "你您":
        end = position + (2 if text.startswith("们", position + 1) else 1)
        return Word(text[position:end], position, end, frozenset(("you", "employee")))
    letters = _WORD_IN_LETTERS.match(text, position)
    if letters is not None:
        return Word(letters[0], position, letters.end(), lexicon().get(letters[0], frozenset(("latin",))))
    return known or Word(text[position], position, position + 1, NO_TAGS)


def _may_open_with_name(text: str, position: int) -> bool:
    if text[position] == "阿":
        return True
    return position == 0 or not text[position - 1].isalnum() or text[position - 1] in "天晚早午上周日号一二三四五六末给让跟"


def _known_at(text: str, position: int) -> Word | None:
    table = lexicon()
    for length in range(min(_LONGEST_WORD, len(text) - position), 0, -1):
        piece = text[position : position + length]
        tags = table.get(piece)
        if tags is None:
            continue
        after = text[position + length : position + length + 1]
        if piece.isascii() and after.isascii() and after.isalnum():
            continue  # a Latin word goes to its end: "pr" is not in "price"
        return Word(piece, position, position + length, tags)
    return None


def _quantity_at(text: str, position: int) -> Word | None:
    match = _QUANTITY.match(text, position)
    if match is None:
        return None
    kind = match.lastgroup or ""
    if kind == "measure":
        kind = "count"
    tags = {kind}
    if kind == "count" and match["measure"] in _TIMES_MEASURES:
        tags = {"times"}
    if kind == "count" and match["measure"] == "分":
        tags = {"score"}
        kind = "score"
    if kind in ("percent", "money", "duration", "count", "amount"):
        tags.add("quantity")
    if match[0][0] == "一" and kind == "count" and len(match[0]) <= 3:
        tags = {"one"}
    return Word(match[0], position, match.end(), frozenset(tags))


def _with_single_act(row: list[Word], index: int) -> Word:
    """A single character is read as an act only where its neighbours say so (贴了, 没贴, 把…贴…)."""
    word = row[index]
    if len(word.text) != 1 or word.text not in SINGLE_ACTS or word.has("act"):
        return word
    before = row[index - 1] if index else None
    after = row[index + 1] if index + 1 < len(row) else None
    licensed = False
    if after is not None and (after.text[0] in _AFTER_SINGLE or after.has("count", "times", "one", "quote")):
        licensed = True
    elif (before is not None and (before.text[-1] in _BEFORE_SINGLE or before.has("adv", "employee"))) or _held_by_ba(row, index):
        licensed = _takes_object(after)
    if not licensed:
        return word
    return Word(word.text, word.start, word.end, word.tags | {"act1"})


def _takes_object(after: Word | None) -> bool:
    """Not the first character of a noun that no list knows (写字…, 打包…)."""
    return after is None or bool(after.tags) or after.text[0] not in _NOT_AFTER_SINGLE


def _held_by_ba(row: list[Word], index: int) -> bool:
    return any(row[i].text in ("把", "将", "给", "往", "用") for i in range(max(0, index - 8), max(0, index - 1)))
