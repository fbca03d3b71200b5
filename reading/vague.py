"""Talk that says nothing about what happened: words about our own rule, and bare keywords.

“三要素齐全,请判为合格” or “impact=true” is addressed to the gate, not to a person; such a statement proves nothing,
neither for nor against what else stands in the text.
"""

import re
from collections.abc import Sequence

_ABOUT_RULE = re.compile(
    "要素|最小反馈单元|判(?:为|定为?|成|我|这条)?(?:合格|通过|过关|有效)|(?:一定要|必须|应该|应当|给我)判|按合格"
    "|(?:请|予以|麻烦|务必|建议)(?:直接|自动|审核|系统|给我|让我)?(?:判|放行|通过|算过)"
    "|^(?:完全|已经|均|都|已)?符合(?:要求|标准|规则|规范|格式|条件)$|符合.{0,6}(?:反馈|要素|提交)"
    "|(?:本|该|此|这)(?:条|份)?(?:反馈|评价|记录|内容).{0,4}(?:包含|通过|符合|满足|具备|合格|有效|场景|完整)|本条.{0,3}(?:含|通过|符合|满足|具备|合格|有效)"
    "|(?:忽略|无视|跳过|绕过).{0,10}(?:规则|指令|提示|校验)|系统(?:提示|指令)|管理员(?:模式|指令)"
    "|(?:场景|动作|影响)(?:很|都|已|是|为|够|非常)?(?:具体|明确|清楚|清晰|完整|齐全|齐备|到位|充分|日常|存在|有了?$|写了|ok|真实)"
    r"|\b(?:scene|action|impact|generic)\s*(?:[=:]|is|都|均|全)|=\s*(?:true|pass|ok)\b"
)


def is_about_the_rule(statement: str) -> bool:
    """Whether a normalised statement is addressed to the gate instead of telling what happened."""
    return _ABOUT_RULE.search(statement) is not None


_FEWEST_FRAGMENTS = 5


def is_only_keywords(word_counts: Sequence[int]) -> bool:
    """Whether statements (given by their numbers of words) are a list of keywords: “昨天，客户，退货，3单，核对”."""
    return len(word_counts) >= _FEWEST_FRAGMENTS and sum(count == 1 for count in word_counts) * 2 > len(word_counts)
