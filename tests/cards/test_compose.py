"""Templates: what they may put out, how they fail, and that no word is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import compose as composing
from cards import words
from cards.catalog import CATALOG
from cards.compose import CannotCompose, compose
from cards.filters import tidy
from rules.feedback import Answer, Kind, Refusal
from rules.loops import Cause, CloseReason
from tests.cards.examples import EXAMPLES

SECRET = "直播话术漏了促单"


@pytest.fixture
def reword(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Replace a template in a copy of the templates, as HR would: reword("sorry_text.yaml.j2", "…")."""
    copy = tmp_path / "templates"
    shutil.copytree(words.TEMPLATES, copy)
    monkeypatch.setattr(words, "TEMPLATES", copy)
    forget()

    def write(name: str, text: str) -> None:
        (copy / name).write_text(text, "utf-8")

    yield write
    forget()


def forget() -> None:
    composing._environment.cache_clear()
    words._words.cache_clear()


def drawing_fails(name: str) -> str:
    example = EXAMPLES[name]
    with pytest.raises(CannotCompose) as failed:
        compose(example.template(), example.data())
    assert SECRET not in str(failed.value)
    return str(failed.value)


@pytest.mark.parametrize("value", [value for kind in (Refusal, Answer, Kind, Cause, CloseReason) for value in kind])
def test_every_value_that_people_see_has_its_words(value: StrEnum) -> None:
    assert words.word(value, "王小明")
    assert "{" not in words.word(value, "王小明")


@pytest.mark.parametrize("name", [name for name, card in EXAMPLES.items() if "notice" in {f.name for f in fields(card)}])
def test_every_refusal_reads_well_on_every_card_that_can_show_one(name: str) -> None:
    for notice in Refusal:
        card = replace(EXAMPLES[name], notice=notice)  # type: ignore[call-arg]  # chosen for having the field

        shown = compose(card.template(), card.data())

        named = ("王小明", "陈静", "小王", "王小明、李雷", "王小明、李雷、欧阳静怡", *(one.name for one in getattr(card, "people", ())))
        assert any(words.word(notice, name) in shown.status for name in named)
        assert "{" not in shown.status


def test_a_card_can_be_reworded_without_touching_code(reword: Callable[[str, str], None]) -> None:
    reword("sorry_text.yaml.j2", "title: {{ reason | word(name) | tojson }}\nsummary: 抱歉\n")

    assert compose("sorry_text", {"reason": "not_yours"}).summary == "抱歉"


def test_text_in_a_feedback_is_never_read_as_a_template_or_as_yaml() -> None:
    data = EXAMPLES["feedback_card"].data() | {"action": '{{ 7 * 7 }}"\n  - {text: 冒充}\n# {% raw %}'}

    lines = compose("feedback_card", data).lines

    assert lines[1].text == '{{ 7 * 7 }}" - {text: 冒充} # {% raw %}'
    assert len(lines) == len(compose("feedback_card", EXAMPLES["feedback_card"].data()).lines)


@given(st.text(min_size=1))
def test_whatever_people_type_stands_on_the_card_tidied(text: str) -> None:
    data = EXAMPLES["feedback_card"].data() | {"action": f"做了{text}"}

    assert compose("feedback_card", data).lines[1].text == tidy(f"做了{text}")


def test_an_unknown_card_is_named() -> None:
    with pytest.raises(CannotCompose, match="no_such_card"):
        compose("no_such_card", {})


def test_wrong_data_name_the_field_and_not_its_value() -> None:
    data = EXAMPLES["feedback_card"].data() | {"kind": SECRET}

    with pytest.raises(CannotCompose, match=r"feedback_card: kind: ") as failed:
        compose("feedback_card", data)

    assert SECRET not in str(failed.value)


def test_a_value_that_is_put_out_raw_is_refused(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", "title: 反馈\nsummary: {{ action }}\n")

    assert drawing_fails("feedback_card") == "cards/templates/feedback_card.yaml.j2:2: a value is put out without | tojson"


def test_a_misspelt_field_is_told_with_its_line(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", "title: 反馈\n\nsummary: {{ acton | tojson }}\n")

    assert drawing_fails("feedback_card").startswith("cards/templates/feedback_card.yaml.j2:3: 'acton' is undefined")


def test_a_hole_without_value_is_told_with_its_line(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", 'title: {{ "{who}的反馈" | fill(name=author_name) | tojson }}\nsummary: 反馈\n')

    assert drawing_fails("feedback_card").startswith("cards/templates/feedback_card.yaml.j2:1: ")


def test_broken_jinja_is_told_with_its_line(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", "title: 反馈\n{% if kind %}\nsummary: 反馈\n")

    assert drawing_fails("feedback_card").startswith("cards/templates/feedback_card.yaml.j2:")


def test_broken_yaml_is_told_with_its_line_after_a_loop(reword: Callable[[str, str], None]) -> None:
    reword(
        "checkin_card.yaml.j2",
        "title: 卡\nsummary: 卡\nlines:\n{% for o in options %}\n  - {text: {{ o.text | tojson }} }\n{% endfor %}\nstatus: a: b\n",
    )

    assert drawing_fails("checkin_card").startswith("cards/templates/checkin_card.yaml.j2:7: ")


def test_broken_yaml_is_told_with_the_file_it_was_included_from(reword: Callable[[str, str], None]) -> None:
    reword("_behaviour.yaml.j2", "  - {label: 场景, text: {{ scene | tojson }} }\n  - {label: 动作 text: ]\n")

    assert drawing_fails("feedback_card").startswith("cards/templates/_behaviour.yaml.j2:2: ")


def test_a_misspelt_key_is_told_with_its_line(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", "title: 反馈\nsummary: 反馈\nlines:\n  - {text: 好}\n  - {txt: {{ action | tojson }} }\n")

    assert drawing_fails("feedback_card").startswith("cards/templates/feedback_card.yaml.j2:5: lines.1.text: ")


def test_boxes_without_submit_are_refused(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", "title: 反馈\nsummary: 反馈\nchecks: [{id: a, text: b}]\n")

    assert "a submit button" in drawing_fails("feedback_card")


def test_a_template_that_yields_nothing_is_refused(reword: Callable[[str, str], None]) -> None:
    reword("feedback_card.yaml.j2", "{# empty #}\n")

    assert drawing_fails("feedback_card").startswith("cards/templates/feedback_card.yaml.j2: ")


def test_missing_words_are_told_with_file_and_key(reword: Callable[[str, str], None]) -> None:
    reword("_words.yaml", "Refusal: {not_yours: 不是你的}\n")

    assert "cards/templates/_words.yaml: Answer has no words for acknowledged" in drawing_fails("feedback_card")


def test_broken_words_are_told_with_file_and_line(reword: Callable[[str, str], None]) -> None:
    reword("_words.yaml", "Answer:\n  acknowledged: 收到\n  improved: a: b\n")

    assert "cards/templates/_words.yaml:3: " in drawing_fails("feedback_card")


def test_all_templates_belong_to_a_card() -> None:
    names = {path.name.removesuffix(".yaml.j2") for path in words.TEMPLATES.glob("*.yaml.j2") if not path.name.startswith("_")}

    assert names == set(CATALOG)
