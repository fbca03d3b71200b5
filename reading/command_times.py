"""How commands name a time (周五下班前, 每周一早上, 上个月) and a quantity of time (半小时, 两天): patterns for the spans, no values.

The spans are kept as they were said; what moment they mean is `reading/times.py`'s business. 现在, 等会儿, 晚点, 尽快 name no time.
"""

from reading.word_lists import any_of, tight, word_lists

_LISTS = word_lists("command_things.txt")

_DIGIT = "[一二三四五六七八九]"
_NUMBER = tight(r"(?: \d+(?:\.\d+)? | [一二两三四五六七八九十百]+ | 半 | 几 )")
_WEEK = "(?:周|星期|礼拜)"
_DAY_OF_WEEK = r"(?:[一二三四五六七日天末]|[1-7](?!\d))"
_NEAR = "(?:上上|下下|上|下|这|本|那|每)一?个?"
_PART_OF_DAY = tight(rf"(?: {any_of(_LISTS['part of day'])} | [早晚夜白中]班(?![组次长]) )")
_DAY = any_of(_LISTS["day"])
_BEFORE = r"(?:之前|以前|(?<!前)前(?![一二三四五六七八九十\d台面后任几两]))"
_AFTER = "(?:之后|以后|后(?![天台来面续勤半]))"

_CLOCK = tight(rf"""
    (?: \d{{1,2}}:\d{{2}}
      | (?:\d{{1,2}}|二?十{_DIGIT}?|[二两三四五六七八九]) 点(?![建意不说要改原])
        (?: 钟 | 整 | 半 | [一三]刻 | (?:[二三四五]?十{_DIGIT}?|零?{_DIGIT})分 | \d{{1,2}}分? )?
      | 一点 (?: 钟 | 整 | 半 | \d{{1,2}}分? | [一二三四五]十分? | (?=前|后|之|左右) ) )
""")
_EVENT = tight(rf"""
    (?: {any_of(_LISTS["event"])} (?:结束|开始)? (?: {_BEFORE} | {_AFTER} | 的时候 | 时 ) | {any_of(_LISTS["event by itself"])} )
""")
_DATE = tight(rf"""
    (?: (?:\d{{2,4}}年)? (?:\d{{1,2}}|{_DIGIT}|十[一二]?)月份? (?: (?:\d{{1,2}}|[一二三四五六七八九十]+)[日号] )?
        (?:[上中下]旬|[初底末])?
      | (?:{_NEAR})? (?:\d{{1,2}}|[一二三]?十{_DIGIT}?|{_DIGIT})[日号] (?![线楼门机库仓桌车店台岗会厂馆院柜那这反]|的[那反])
      | \d{{1,2}}[/.]\d{{1,2}}(?![\d%]) | \d{{4}}-\d{{1,2}}-\d{{1,2}} | \d{{4}}年 )
""")
_PERIOD = tight(rf"""
    (?: {_NEAR}{_WEEK}{_DAY_OF_WEEK}? | {_NEAR}季度? | {_NEAR}月[初中底末份]? | 第?[一二三四1-4]季度 | q[1-4]
      | [今去前明本上全]年[度初底中]? | [上下]半[年月] | [月年季][初中底末] | [本当]日
      | (?: {any_of(_LISTS["festival"])} | 十一(?=假期|大促|期间|前|后|长假) ) (?:假期|大促|期间|节)? [前后]?
      | (?:最近|近|过去|前|这|头|未来|接下来)的?这?{_NUMBER}个?(?:天|日|周|星期|礼拜|月|季度|年)
      | {_NUMBER}个?(?:天|日|小时|钟头|周|星期|工作日)(?:之|以)?内
      | {any_of(_LISTS["period"])} )
""")
_EVERY = tight(r"""
    (?: 每个? (?: 天|日|晚|早|周|月|季度|工作日|星期|礼拜 )
        (?: [一二三四五六日天末](?:和周?[一二三四五六日天末])? )? (?: \d{1,2}[号日] | 最后一天 | 第一天 | 月?[初末底] )? )
""")
_MOMENT = tight(rf"""
    (?: (?: {_EVERY} | {_DAY} | {_DATE} | {_PERIOD} | {_WEEK}{_DAY_OF_WEEK} ) (?:的(?={_PART_OF_DAY}|{_CLOCK}))?
        {_PART_OF_DAY}? {_CLOCK}? {_EVENT}?
      | {_PART_OF_DAY} {_CLOCK}? {_EVENT}? | {_CLOCK} | {_EVENT} )
    (?: {_BEFORE} | {_AFTER} | 左右 | 期间 | (?<=[末底])之?内 )?
""")

TIME = tight(rf"(?: {_MOMENT} (?: 起?(?:到|至|-|~){_MOMENT} )? )")
QUANTITY = tight(rf"""
    (?: 半个?(?:小时|钟头|钟|天|月|年|日)
      | {_NUMBER}个?半? (?: 小时|钟头|分钟|刻钟|天|周|星期|礼拜|月|工作日|日(?![期报])|晚上|分(?=后|之后) ) 半? )
""")
