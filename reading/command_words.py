# ruff: noqa: E501
"""Word classes of chat commands: a text becomes a short string of symbols that patterns can be read against.

`mark("给阿柳的那条作废，我弄错了人").symbols == "给P的A作废,我弄错了人"`. A capital letter stands for a span of the text
(`SYMBOLS` lists them); everything else is the text itself in lower case and half-width. Politeness and fillers vanish.
Every token knows the span it came from, so whatever is read from the symbols is a verbatim piece of the text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from reading.names import NICKNAME, SURNAMES, TITLED

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
    known = [re.escape(name.lower()) for name in sorted(known_names, key=len, reverse=True) if name]
    words = re.compile("|".join(known)) if known else None
    tokens: list[Token] = []
    position = 0
    while position < len(plain):
        named = words.match(plain, position) if words else None
        found = named or _SPANS.match(plain, position)
        if found is None or found.end() == position:
            tokens.append(Token(plain[position], position, position + 1))
            position += 1
            continue
        kind = "P" if named else str(found.lastgroup)
        if kind == "P":
            at = found.start() + (plain[found.start()] == "@")
            tokens.append(Token("P", _skip_spaces(plain, at), found.end()))
        elif kind == "C":
            tokens.append(Token(":", found.start(), found.start() + 1))
            tokens.append(Token("C", found.start() + 1, found.end()))
        elif kind != "filler":
            tokens.append(Token(kind[0], found.start(), found.end()))
        position = found.end()
    return Marked(text, tuple(_with_metrics(plain, tokens)))


def normalise(text: str) -> str:
    """`text` in lower case and half-width, common dictation slips undone; same length, so positions stay valid."""
    plain = "".join(_HALF_WIDTH.get(char) or _lower(char) for char in text)
    return _SLIPS.sub(lambda found: _SLIP_WORDS[found.group()], plain)


def _lower(char: str) -> str:
    small = char.lower()
    return small if len(small) == 1 else char


def _skip_spaces(text: str, position: int) -> int:
    while text[position] == " ":
        position += 1
    return position


_HALF_WIDTH = {chr(code): chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)} | {
    "。": ".",
    "、": "、",
    "；": ",",
    ";": ",",
    "　": " ",
    "\u00a0": " ",
    "\n": ",",
    "—": "-",
    "－": "-",
    "–": "-",
}
_HALF_WIDTH[";"] = _HALF_WIDTH["；"] = ","

# What dictation and pinyin keyboards make of the words this bot lives on. Only forms that mean nothing else here.
_SLIP_WORDS = {
    wrong: right
    for right, wrongs in {
        "反馈": "反溃 反愧 返馈 反亏 反匮 饭馈 犯馈 回馈",
        "豁免": "货免 获免 霍免 豁勉 活免",
        "免填": "免田 免添 免天 面填",
        "撤回": "彻回 扯回 撤会 测回 澈回",
        "撤销": "撤消 彻销 彻消 撤削",
        "提醒": "题醒 提型 提行 体醒 提省",
        "升级": "升极 生级 声级 升集",
        "逾期": "余期 愈期 于期 逾其",
        "超时": "抄时 超是",
        "截图": "节图 截途 接图",
        "简报": "减报 简抱 检报",
        "周报": "周抱 州报",
        "闭环": "必环 毕环 闭还",
        "异议": "疑义 异意",
        "申诉": "申述 伸诉",
        "催办": "催半 崔办",
        "代办": "带办",
        "补充": "补冲",
        "回复": "回覆 回付 回负",
        "处理": "处里 出理",
        "表扬": "表洋 表样",
        "改派": "该派 改排",
        "附上": "付上",
        "委托": "委拖 尾托",
        "作废": "做废 作费",
        "延后": "沿后 言后",
        "推迟": "推持",
        "催一下": "崔一下 摧一下",
        "催": "摧",
    }.items()
    for wrong in wrongs.split()
}
_SLIPS = re.compile("|".join(sorted(_SLIP_WORDS, key=len, reverse=True)))


def _words(text: str) -> str:
    return "|".join(sorted(text.split(), key=len, reverse=True))


# ── times ────────────────────────────────────────────────────────────────────────────────────────────────
_NUMBER = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十百]+|半|几)"
_WEEK = r"(?:周|星期|礼拜)"
_WEEKDAY = rf"{_WEEK}(?:[一二三四五六七日天末]|[1-7](?!\d))"
_NEAR = r"(?:上上|下下|上|下|这|本|那|每)(?:一)?(?:个)?"
_PART = r"(?:早上|早晨|清晨|上午|中午|正午|下午|午后|傍晚|晚上|夜里|凌晨|半夜|一早|一大早|早班|晚班|夜班|白班|大清早)"
_CLOCK = (
    r"(?:\d{1,2}:\d{2}|(?:\d{1,2}|十[一二]?|[二两三四五六七八九])点(?![建意不说要改原])(?:钟|整|半|一刻|三刻|[零一二三四五]?十?[一二三四五六七八九]?十?五?分|"
    r"\d{1,2}分?)?|一点(?:钟|整|半|\d{1,2}分?|[一二三四五]十分?)|一点(?=前|后|之|左右))"
)
_EVENT = (
    r"(?:(?:下班|上班|开工|收工|交班|交接班|接班|打烊|闭店|开店|开门|关门|散会|晨会|早会|例会|夕会|班会|周会|月会|午休|午饭|晚饭|早饭|中饭|饭|会议|会|收盘|发车|盘点|"
    r"休假回来|出差回来|回来|放假|开会)(?:结束|开始)?(?:之前|以前|前|之后|以后|后|的时候|时)|下班|开完会|散会|忙完这阵|忙完|吃完饭|下了班|盘点完|交完班|下课|月结完)"
)
_DAY = r"(?:大前天|前天|昨天|昨日|昨儿|今天|今日|今儿|明天|明日|明儿|后天|大后天|当天|次日|第二天|隔天|今早|明早|昨晚|今晚|明晚|后晚|前晚|今晨|昨夜|今夜)"
_DATE = (
    rf"(?:(?:\d{{2,4}}年)?(?:\d{{1,2}}|[一二三四五六七八九十]+)月份?(?:(?:\d{{1,2}}|[一二三四五六七八九十]+)[日号])?(?:上旬|中旬|下旬|初|底|末)?|"
    rf"(?:{_NEAR})?(?:\d{{1,2}}|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])[日号](?!线|楼|门|机|库|仓|桌|车|店|台|岗|会|厂|馆|院|柜|那|这|反|的[那反])|"
    r"\d{1,2}[/.]\d{1,2}(?![\d%])|\d{4}-\d{1,2}-\d{1,2}|\d{4}年)"
)
_PERIOD = (
    rf"(?:{_NEAR}{_WEEK}(?:[一二三四五六日天末]|[1-7](?!\d))?|{_NEAR}季度?|{_NEAR}月(?:初|中|底|末|份)?|第?[一二三四1-4]季度|q[1-4]|"
    r"(?:今|去|前|明|本|上|全)年(?:度|初|底|中)?|[上下]半年|[上下]半月|(?:月|年|季)(?:初|中|底|末)|[本当]日|"
    r"(?:双十一|双十二|双11|双12|618|国庆|春节|中秋|五一|十一(?=假期|大促|期间|前|后|长假)|元旦|端午|年货节|开学季|双旦)(?:假期|大促|期间|节)?(?:前|后)?|大促期间|旺季|淡季|节前|节后|年前|年后|"
    rf"(?:最近|近|过去|前|这|头|未来|接下来)(?:的)?(?:这)?{_NUMBER}个?(?:天|日|周|星期|礼拜|月|季度|年)|最近|近期|近来|近日|"
    rf"{_NUMBER}个?(?:天|日|小时|钟头|周|星期|工作日)(?:之内|以内|内)|"
    r"全周|整周|全月|上旬|中旬|下旬|上个班次|本班次|上一期|上期|本期|这期)"
)
_EVERY = rf"(?:每(?:个)?(?:天|日|晚|早|周|月|季度|工作日|星期|礼拜|逢{_WEEKDAY})(?:[一二三四五六日天末](?:和周?[一二三四五六日天末])?)?(?:\d{{1,2}}[号日])?)"
_MOMENT = rf"(?:(?:{_EVERY}|{_DAY}|{_DATE}|{_PERIOD}|{_WEEKDAY})(?:的(?={_PART}|{_CLOCK}))?(?:{_PART})?(?:{_CLOCK})?(?:{_EVENT})?|{_PART}(?:{_CLOCK})?(?:{_EVENT})?|{_CLOCK}|{_EVENT})"
_AFTER = r"(?:之前|以前|(?<!前)前(?![一二三四五六七八九十\d台面后任几两])|之后|以后|后(?![天台来面续勤半])|左右|期间|(?<=[末底])之?内)?"
_TIME = rf"(?:{_MOMENT}{_AFTER}(?:(?:到|至|-|~){_MOMENT}{_AFTER})?)"
_QUANTITY = rf"(?:半个?(?:小时|钟头|钟|天|月|年|日)|{_NUMBER}个?半?(?:小时|钟头|分钟|刻钟|天|周|星期|礼拜|月|工作日|日(?!期|报)|晚上|分(?=后|之后))半?)"

# ── ids ──────────────────────────────────────────────────────────────────────────────────────────────────
_ID = (
    r"(?:(?<![a-z\d])(?!iso|gb|q[1-4]\b|h5|hrbp)[a-z]{1,4}-?\d{2,}(?:-\d+)*(?![\d%])|(?<![a-z\d])[a-z]{1,4}-\d+(?![\d%])|(?<![\d.])\d{3,}(?=号?(?:的)?(?:那|这)?条|号|的?反馈)|"
    r"(?<=编号)\d+|(?<=编号是)\d+|(?<=编号为)\d+|(?<=#)\d+|(?<=反馈)\d+(?=号|$|[^\d条个次分])|(?<![\d.:])\d{2,}(?=号(?:反馈|那条|这条|的那条|记录))|"
    r"(?<=id)\d+|(?<=no\.)\d+|(?<=[撤删改催查回转附]|给|销|除|到|把|废)\d{3,}(?![\d个元块件箱单条次%分天小份人]))"
)

# ── people ───────────────────────────────────────────────────────────────────────────────────────────────
_GIVEN_STOP = "的了是在有我你他她它们不没给对和跟与把被让请由就都也还要会能可说写提记发回处理条那这哪个些什么吗呢吧啊个人家里上下前后来去今明昨周月日天点分报会班组店部案式面间时候据单品本员"
_NOT_NAMES = _words(
    "方案 方式 方面 高温 高层 高峰 高管 周报 周会 周一 周二 周三 周四 周五 周六 周日 周末 时间 金额 安全 安排 程序 单位 白班 平台 平时 任务 任何 全部 全组 全店 全员 "
    "明细 温度 于是 成品 成本 成员 常规 包装 包裹 车间 车队 路线 管理 管路 路上 项目 应该 许可 文件 文档 万一 马上 华东 华南 华北 华中 段落 牛奶 严重 顾客 顾问 "
    "商品 商家 卫生 计划 经理 房间 房东 黄色 解决 解释 马路 水果 石头 金牌 雷同 江苏 江西 温馨 祝贺 祝福 凌晨 幸亏 连续 相关 关于 关注 关闭 后台 后勤 后续 "
    "司机 客户 党员 施工 宣传 广告 广场 查看 查询 那条 计算 公司 容易 从来 车辆 和平 别人 成绩 成功 东西 白天 班组 单子 包子 双方 申请 申诉 申报 全体 全公司 时效 "
    "毛利 毛病 于老 苏打 云端 元旦 阳台 阴天 余额 余下 余款 通知 支付 支持 井然 强调 封面 步骤 喻 谈话 谈判 游戏 权限 花费 花茶 农民 米饭 戴口 戴帽 戴手"
)
_FULL_BEFORE = r"(?:(?<=[给对催向让由请替和跟与、把找问叫夸@])|(?<=提醒)|(?<=通知)|(?<=表扬)|(?<=批评)|(?<=关于)|(?<=针对)|(?<=改派)|(?<=委托)|(?<=授权))"
_FULL_AFTER = r"(?=$|[ ,.:、?!]|的|写|提|记|发|点个|录|加|补|回|处理|跟|代|替|接|那条|这条|和|尽|赶|把|今|明|昨|上周|下周|本周|这周|帮|确认|来|负责|看|做|一|先|再|没|有没有|还|是|在|刚|前天|周)"
_FULL = rf"{_FULL_BEFORE}(?!{_NOT_NAMES})(?:{SURNAMES})[^\W\da-z{_GIVEN_STOP}]{{1,2}}{_FULL_AFTER}"
_AT = rf"@ ?(?:{TITLED}|{NICKNAME}|(?:{SURNAMES})[^\W\da-z{_GIVEN_STOP}]{{1,2}}|(?!所有人|全体|all\b|大家)[a-z][a-z0-9_.]*|(?!所有人|全体|大家)[^\W\d_]{{2,3}}(?=[ ,.:、]|$))"

# ── things ───────────────────────────────────────────────────────────────────────────────────────────────
_RECORD = (
    r"(?:(?:刚才|刚刚|刚)?(?:那|这|上|前|上上|头)(?:一|1|两|几|二|三)?条(?:反馈|记录|回复|消息)?|(?:那|这)(?:个|份|次)(?:反馈|记录|回复)|最[后新近](?:的)?(?:那)?一?条|"
    r"第[一二三四五六七八九十\d]+条|(?:该|此|本|某)条|刚(?:才|刚)?(?:发|写|提|交|录|记|提交|填)的(?:反馈|回复|那条|记录)?(?=$|[^\w]|[撤删改收不发写弄填错有少漏日影场动内]))"
)
_FEEDBACK = (
    r"(?:(?:正向|正面|负面|负向|积极|改进|表扬|改善|行为|即时|书面|口头)(?:类|性)?的?反馈|反馈|表扬(?:信)?|肯定(?=$|[,.:!])|点评|批评|改进(?:意见|建议|项|点)|改善(?:意见|建议)|"
    r"(?<=[条个份提项句点些])改进(?!了|好|完)|(?<=[条个份句])(?:肯定|建议|好评|意见|夸奖|负面|正面|正向)|(?<=提)(?:建议|意见)|鼓励(?=$|[,.:]))"
)
_DIGEST = r"(?:周报(?!销|名|警|备|关|价|废|修)|周简报|简报|小结|周总结|总结(?!会)|汇总(?!表)|月报(?!销|名|警|备)|战报|快报|季报|成绩单|价值报告|周回顾|回顾|月度报告|周度报告|报告单?(?=$))"
_TEAM = (
    r"(?:(?:[甲乙丙丁abc]|[一二三四五六七八九十\d]+号?)(?:班组?|组|店|线|车间|门店|产线|仓)|(?!全部)(?:我们|咱们|咱|全|本|各个?|所有|整个)(?:班组|小组|团队|门店|部门|车间|组|店|班|线|科|区|公司|队|仓|站|部)|"
    r"班组|小组|团队|门店|分店|部门|车间|科室|大区|片区|区域|分公司|子公司|网点|工厂|项目组|事业部|产线|仓库组|全公司|公司里|厂里|组里|店里|班里|队里|部里|组内|店内|手下|下属|组员|队员|团队成员|大家|全员|所有人|"
    r"(?:客服|销售|运营|仓储|物流|生产|质检|品控|研发|测试|采购|财务|市场|直播|售后|配送|门诊|教务|教学|安装|维修|包装|前台|后厨|厨房|收银|设计|行政|人事|培训|电商|外呼|夜班|早班|晚班|白班)(?:一|二|三)?(?:部|组|科|队|中心|线|班)|"
    r"(?:华东|华南|华北|华中|西南|西北|东北|城东|城西|城南|城北|东|南|西|北)(?:区|大区|片区)|(?<=[我这])(?:组|班|店|队)(?![长员次])|(?<=带的)(?:组|班|队|人))"
)
_EVIDENCE = (
    r"(?:截图|截屏|照片|图片|相片|现场图|图(?!书|纸|标)|录音|录像|录屏|视频|链接|网址|单据|凭证|凭据|证据|佐证|附件|小票|聊天记录|通话记录|监控(?:画面|录像)?|回执|扫描件|语音|"
    r"(?:(?:送修|检验|质检|签收|交接|巡检|出库|入库|维修|验收|盘点|派工|送货|退货|退款|装箱|发货|领料|点检|出货|调拨|运|工|面|回|作业|检测|报损|缴费|对账|整改|报修)单)|"
    r"(?:检测|检验|质检|测试|验收|整改|分析|巡检|化验|体检|试验)报告|pdf|excel|xlsx|word|ppt|日志|工单|文件(?!夹|柜))"
)
_OFF_TOPIC = _words(
    "食堂 菜谱 菜单 外卖 奶茶 咖啡 早饭 午饭 晚饭 早餐 午餐 晚餐 夜宵 火锅 烧烤 聚餐 吃饭 吃啥 吃什么 点餐 零食 水果 蛋糕 红烧肉 饮水机 快递 包裹 取件 顺丰 驿站 菜鸟 "
    "请假 年假 调休 病假 事假 产假 婚假 休假申请 考勤 打卡 加班费 补卡 报销 发票 差旅 机票 车票 高铁 火车 飞机 航班 地铁 公交 班车 停车 车位 堵车 打车 加油 油价 "
    "电梯 空调 打印机 打印 复印 投影 网络 wifi 网速 断网 密码 账号 电脑 键盘 鼠标 显示器 手机 充电器 充电 手机号 邮箱 邮件 微信 朋友圈 抖音 快手 淘宝 京东 拼多多 微博 群名 群昵称 昵称 头像 "
    "会议室 会议 开会通知 团建 年会 晚会 体检 消防 演练 培训报名 工牌 门禁 钥匙 工服 制服 工装 宿舍 房租 租房 物业 水电 水费 电费 电灯 马桶 厕所 卫生间 保洁 垃圾 "
    "工资 薪资 奖金 社保 公积金 个税 合同 盖章 公章 离职 入职 招聘 面试 简历 转正 股票 基金 彩票 汇率 房贷 信用卡 贷款 红包 份子 转账 收款码 付款码 欠款 "
    "天气 下雨 下雪 气温 温度 台风 带伞 雨伞 刮风 太阳 防晒 电影 电视 游戏 小说 歌 唱歌 足球 篮球 球赛 比赛 世界杯 健身 跑步 旅游 景点 酒店 笑话 八卦 明星 "
    "孩子 儿子 女儿 老婆 老公 爸 妈 幼儿园 作业 家长会 结婚 婚礼 生日 满月 医院 看病 发烧 感冒 疫苗 吃药 药店 绿萝 花 猫 狗 宠物 "
    "系统升级 系统更新 软件 版本 app 客户端 安装包 驱动 服务器 数据库 代码 bug 接口 vpn 固件 会员 套餐 积分 优惠券 订单 物流单 运单 发货 补货 库房 仓库钥匙 叉车 货车 卡车 司机电话 客户电话 "
    "桌子 椅子 柜子 沙发 窗户 窗帘 门锁 灯泡 插座 水龙头 漏水 停电 停水 跳闸 报修 维修电话 设备科 客服热线 厂家 供应商 采购部 客户那边 甲方 投标 标书 招标 报价单 方案 海报 文案 ppt稿 演讲 "
    "座位 值日 排班 换班 顶班 替班 值班 班表 名片 名单表 通讯录 电话号码 地址 定位 导航 路线 签到 投票 接龙 问卷 报名 考试 成绩查询 驾照 身份证 户口 签证 护照 "
    "密码锁 日程 日历 待产 股价 房价 菜价 利率 税率 概率 功率 心率 频率 翻译 写诗 作诗 讲故事 算命 星座 闹铃 音乐 新闻 热搜"
)
_FILLER = (
    r"(?:麻烦(?:你|您)?|劳烦|劳驾|拜托|一下子|一下下|一下|(?<=[催看查改补记写发删撤说叫等回戳敲录提换加传])下(?!周|个|班|午|星|礼|月|来|去|架|属|单|线|达|载|次|面|发|一)|[吧啊呀哈哦噢嘛呗啦哎诶嗯呃唉哟喔~\s*…！!]+|"
    r"那啥|那个(?![条反回记])|就是说|然后呢|[\U0001F000-\U0001FAFF\u2600-\u27BF\uFE0F\u200d]+|\[[^\]\s]{1,6}\])"
)
_CONTENT = r":(?=[^\d]|\d+[^\d:])(?<!\d:(?=\d)).+"

_SPANS = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "Q": r"[“\"「『‘《][^”\"」』’》]*[”\"」』’》]",
            "filler": _FILLER,
            "C": _CONTENT,
            "N": _ID,
            "P": rf"{_AT}|{TITLED}|{NICKNAME}|{_FULL}",
            "A": _RECORD,
            "W": _DIGEST,
            "T": _TIME,
            "D": _QUANTITY,
            "G": _TEAM,
            "M": _EVIDENCE,
            "F": _FEEDBACK,
            "X": _OFF_TOPIC,
        }.items()
    ),
    re.DOTALL,
)

# ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────
_METRIC_END = re.compile(
    r"(?:(?<![草轻表直坦])率(?![领先真性])|满意度|健康度|完成度|一致性|得分|评分|分数|均分|客单价|均价|销量|销售额|营业额|成交额|流水|gmv|nps|毛利|利润|业绩|产量|产能|单量|人数|条数|次数|笔数|台数|件数|"
    r"(?<=[数件单投诉流播话访咨接通客产存货退销])量|占比|比例|指数|人效|坪效|周转天数|库存天数|周转|天数|总数|数量|评论数|差评数|好评数|投诉数|订单数|[^\W\d_](?<![少多])数(?!据|学|字|码|值|到|一)|时长|"
    r"(?<=[均应理待付复馈答环达接诊餐])时间|时效|工时|成本|损耗|损失金额|金额|转化|复购|动销|好评|差评|投诉(?=多少|几)|现场改进)"
)
_METRIC_STOP = re.compile(
    r"的$|[是查看问我你他她们各每请把给和跟与比有道想要这那哪了吗下到说得个,.?!:、 ]$|现在$|目前$|当前$|最新$|帮忙$|告诉$|显示$|统计$|多少$|怎么$|如何$|全部$|所有$|本人$|自己$|一共$|总共$|平时$|整体$|总体$|全网$"
)
_METRIC_PARTS = frozenset("FMXW")


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
        if before.end != tokens[start].start or _METRIC_STOP.search(plain[: before.end]):
            break
        start -= 1
    return start
