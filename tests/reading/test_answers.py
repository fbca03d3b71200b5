"""What somebody means who answers in his own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading import answers
from rules.feedback import Answer


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("收到", Answer.ACKNOWLEDGED),
        ("好的，收到", Answer.ACKNOWLEDGED),
        ("已阅，接受，我会照着改。", Answer.ACKNOWLEDGED),
        ("同意，本周内改完操作卡", Answer.ACKNOWLEDGED),
        ("没有异议，谢谢", Answer.ACKNOWLEDGED),
        ("还没改好，明天弄", Answer.ACKNOWLEDGED),
        ("已改进，以后先报库存", Answer.IMPROVED),
        ("已经换了新的罗拉，您可以来看", Answer.IMPROVED),
        ("改好了", Answer.IMPROVED),
        ("有异议，那天是系统派的车", Answer.DISPUTED),
        ("我有不同意见", Answer.DISPUTED),
        ("这不是我做的", Answer.DISPUTED),
        ("不同意，与事实不符", Answer.DISPUTED),
    ],
)
def test_an_answer_is_understood(text: str, what: Answer) -> None:
    assert answers.meant(text) is what


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("收到", None),
        ("谢谢！", None),
        ("已改进，以后先报库存", "以后先报库存"),
        ("有异议 不是我接的", "不是我接的"),
        ("谢谢组长，我以后先报库存", "谢谢组长，我以后先报库存"),
    ],
)
def test_the_words_beside_the_answer_are_kept(text: str, words: str | None) -> None:
    assert answers.own_words(text) == words


@given(st.text())
def test_any_text_is_some_answer(text: str) -> None:
    assert answers.meant(text) in Answer
    assert answers.own_words(text) != ""
