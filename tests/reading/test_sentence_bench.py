"""The bench measures what it says, on rows whose figures can be counted by hand."""

import json
from pathlib import Path

import pytest

from bench.gate import Row, Verdict, by_length_and_digit, figures, load
from bench.train_gate import Example, train
from reading import model

PASSES = Row("a", scene=True, action=True, impact=True)
FAILS = Row("b", scene=True, action=False, impact=True)
ALL = Verdict(scene=True, action=True, impact=True)
NONE = Verdict(scene=False, action=False, impact=False)


def test_false_pass_and_false_reject_are_shares_of_the_failing_and_the_passing() -> None:
    found = figures([PASSES, PASSES, FAILS, FAILS, FAILS, FAILS], [ALL, NONE, ALL, NONE, NONE, NONE])

    assert (found["n"], found["false_pass"], found["false_reject"]) == (6, 0.25, 0.5)
    assert found["pass_f1"] == pytest.approx(0.5)
    assert found["scene_f1"] == pytest.approx(2 * 2 / (2 * 2 + 4))


def test_rows_without_kind_or_industry_are_read_and_a_broken_one_is_named(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.jsonl", tmp_path / "broken.jsonl"
    good.write_text(json.dumps({"text": "t", "scene": True, "action": False, "impact": False}) + "\n\n", encoding="utf-8")
    broken.write_text('{"text": "t"}\n', encoding="utf-8")

    assert load(good) == [Row("t", scene=True, action=False, impact=False)]
    with pytest.raises(ValueError, match=r"broken.jsonl, line 1"):
        load(broken)


def test_the_baseline_wants_thirty_characters_and_a_digit() -> None:
    assert by_length_and_digit("字" * 29 + "1") == ALL
    assert by_length_and_digit("字" * 30) == by_length_and_digit("1") == NONE


def test_training_finds_which_statement_makes_the_element() -> None:
    examples = [
        *[Example([frozenset({"act"}), frozenset({"noise"})], present=True) for _ in range(10)],
        *[Example([frozenset({"noise"})], present=False) for _ in range(10)],
    ]

    weights = train(examples)

    assert model.likelihood({"act"}, weights) > 0.9
    assert model.likelihood({"noise"}, weights) < 0.1


def test_every_stored_weight_belongs_to_an_element_and_is_finite() -> None:
    table = model.table()

    assert set(table) == {"scene", "action", "impact", "praise"}
    assert all(abs(weight) < 10 for weights in table.values() for weight in weights.values())
