"""What looks like a person in a text when no directory is at hand: 小王, 阿强, 老李, 王工, 王小丽经理."""

import re

from reading.word_lists import any_of, tight, word_lists

_LISTS = word_lists("command_things.txt")

_DOUBLE = _LISTS["surname of two characters"]
SURNAME = any_of([*_DOUBLE, *_LISTS["common surname"], *_LISTS["rare surname"]])
COMMON_SURNAME = any_of([*_DOUBLE, *_LISTS["common surname"]])

_TITLE = any_of(_LISTS["title"])
# One character is a title only if it does not begin another word: 总 but not 总结, 工 but not 工作.
_SHORT_TITLE = tight(r"""
    (?: 总(?![结数共是额量汇部价经监体计务裁会表仓包店之有要说得算觉]) | 工(?![作具资单时位序人厂地艺会程牌号业装服伤种])
      | 姐(?![妹夫]) | 哥(?!们) | 叔 | 姨 | 嫂 | 董 )
""")
TITLE_TAIL = re.compile(rf"(?:{_TITLE}|[总工姐哥叔姨嫂董])$")

TITLED = tight(rf"""
    (?: (?<!主) (?<!谢(?=谢)) (?<!关(?=于)) (?<!对(?=于)) (?<!由(?=于)) (?!{any_of(_LISTS["not a titled name"])})
        {SURNAME} (?: {_TITLE}(?!们) | {_SHORT_TITLE} )
      | (?<!\w) (?!{any_of(_LISTS["not a title's name"])})
        {COMMON_SURNAME} [^\W\da-z知醒诉的了在是给对和跟与区部店组班条]{{1,2}} {_TITLE}(?!们) )
""")

NICKNAME = tight(rf"""
    (?: (?: (?<![大最很较缩减多中从太狭矮窄微细弱变一非])小 (?!{any_of(_LISTS["not after 小"])}) [一-鿿]
          | 阿(?![姨拉里胶司婆飘联尔富米巴玛根]) [一-鿿]
          | (?<![古养敬元月偏衰陈年])老 (?!{any_of(_LISTS["not after 老"])}) {SURNAME}
          | 大[刘李张陈赵吴孙胡郭罗宋郑冯董曹魏杨徐朱梁谢韩唐邓许沈曾彭姜邹秦顾侯孟雷汤乔] )
        (?: 师傅|经理|主管|组长|店长|班长|队长|主任|老师|工(?=$|[^\w]|[的和、那写])|姐|哥 )? )
""")


def split(name: str) -> tuple[str, str]:
    """Surname and given name of a Chinese full name; ("", name) for what is none (Lily, 小助手2号)."""
    if not re.fullmatch(r"[一-鿿]{2,4}", name):
        return "", name
    length = 2 if name[:2] in _DOUBLE and len(name) > 2 else 1
    return name[:length], name[length:]
