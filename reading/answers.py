"""What somebody means who answers a feedback in his own words: that it arrived, that he has changed something, or that it is not so."""

import re

from rules.feedback import Answer

_DISPUTED = re.compile(
    "异议|不同意|不认可|不认同|不服|不接受|不属实|不是事实|与事实不符|不符合事实|不准确|不公平|冤枉|申诉|不是我(?:做|干|弄|的)|不是这样|"
    "弄错(?:人|了)|搞错(?:人|了)|记错|误会|不同(?:的)?(?:意见|看法)|没有这回事|没这回事"
)
_IMPROVED = re.compile(
    "已(?:经)?(?:按.{0,8})?(?:改进|改好|改了|改正|整改|换了|换好|更换|修好|补上|补好|处理|解决|更正|调整|落实|做了|完成|重做|优化|纠正)|"
    "改好了|改过来了|改完了|整改完|做好了|补上了|补好了|换好了|弄好了|处理好了|解决了"
)
_NOT_YET = re.compile(
    "(?:还没|尚未|没有|没能|还未|未)(?:.{0,3})(?:改|换|修|补|处理|解决|落实|完成|做)|(?:会|要|准备|打算|争取).{0,6}(?:改好|处理好|解决|补上)"
)
_NO_DISPUTE = re.compile("(?:没有?|无|毫无)(?:任何|什么)?(?:异议|不同意见|意见)")
_TAPPED = (
    (re.compile(r"^(?:好的?|嗯+|ok)?[,，。\s]*(?:收到|知道了|明白了?)[啦哈哦。.!！~\s]*$", re.IGNORECASE), Answer.ACKNOWLEDGED),
    (re.compile(r"^已改进(?P<words>.*)$", re.DOTALL), Answer.IMPROVED),
    (re.compile(r"^(?:我?有异议|不同意|不认可)(?P<words>.*)$", re.DOTALL), Answer.DISPUTED),
)
_JUST_RECEIVED = re.compile(
    r"^(?:(?:好的?|好滴|嗯+|行|可以|ok)[,，。!！~\s]*)?(?:已阅|同意|认可|接受|知道|明白|了解|收到|(?:谢谢|感谢|多谢|谢了)(?:[你您]|主管|组长|领导)?)?"
    r"[了啦哈哦的呢。,，.!！~\s]*$",
    re.IGNORECASE,
)


def bare(text: str) -> Answer | None:
    """The answer whose button `text` spells out (收到, 已改进…, 有异议…); None for anything else."""
    return next((what for pattern, what in _TAPPED if pattern.match(text)), None)


def received(text: str) -> bool:
    """Whether `text` is a courtesy that, with something to answer, says it arrived: 好的, 知道啦, 谢谢您."""
    return bool(text.strip() and _JUST_RECEIVED.match(text))


def meant(text: str) -> Answer:
    """Which answer `text` is. What neither tells of a change nor objects is 收到."""
    tapped = bare(text)
    if tapped is not None:
        return tapped
    if _DISPUTED.search(_NO_DISPUTE.sub("", text)):
        return Answer.DISPUTED
    if _IMPROVED.search(text) and not _NOT_YET.search(text):
        return Answer.IMPROVED
    return Answer.ACKNOWLEDGED


def own_words(text: str) -> str | None:
    """What is left when the bare answer is taken away, for the record; None when nothing more was said."""
    if received(text):
        return None
    found = next((match for pattern, _ in _TAPPED if (match := pattern.match(text))), None)
    words = found.groupdict().get("words", "") if found else text
    return words.strip(" ,，:：。") or None
