"""What systems count, read row by row: good rows become events, bad ones say what was expected, and nothing raises."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.counts import FIELDS, Problem, read_events
from tests.builders import NOON, at

ROW = {"key": "crm-4711", "person": "E011", "rate": "return", "at": "2026-09-14T10:30:00+08:00"}


def problems(**changes: object) -> list[tuple[str, str]]:
    _, wrong = read_events([ROW | changes], NOON)
    return [(problem.field, problem.expected) for problem in wrong]


def test_what_is_left_out_has_a_default() -> None:
    ((event,), wrong) = read_events([ROW], NOON)

    assert wrong == ()
    assert (event.count, event.record, event.overlap, event.system) == (Decimal(1), None, "crm-4711", "")
    assert event.at == at("2026-09-14 10:30")


def test_an_empty_cell_of_a_file_is_left_out_and_a_time_without_offset_is_shanghais() -> None:
    row = ROW | {"at": "2026-09-14 10:30", "count": "2.5", "record": "", "overlap": "", "system": "ERP"}
    ((event,), _) = read_events([row], NOON)

    assert (event.at, event.count, event.overlap, event.system) == (at("2026-09-14 10:30"), Decimal("2.5"), "crm-4711", "ERP")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", ""),
        ("key", 4711),
        ("key", "k" * 161),
        ("person", None),
        ("at", "yesterday"),
        ("at", 1_757_817_000),
        ("at", "2026-09-14T12:06:00+08:00"),
        ("count", "0"),
        ("count", "-1"),
        ("count", "2.0005"),
        ("count", "many"),
        ("count", "NaN"),
        ("count", True),
        ("count", 1_000_001),
        ("record", "0"),
        ("record", "12a"),
        ("record", "9" * 5000),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("overlap", "a\0b"),
        ("system", "\ud800"),
        ("system", "s" * 33),
        ("colour", "red"),
    ],
)
def test_a_field_that_cannot_be_right_is_named(field: str, value: object) -> None:
    assert [name for name, _ in problems(**{field: value})] == [field]


def test_clocks_may_differ_by_five_minutes() -> None:
    assert problems(at="2026-09-14T12:05:00+08:00") == []


def test_all_that_is_wrong_is_told_at_once_each_with_its_row() -> None:
    events, wrong = read_events([ROW, {"key": "x"}, ROW | {"count": "no"}], NOON)

    assert len(events) == 1
    assert [(problem.row, problem.field) for problem in wrong] == [(1, "person"), (1, "rate"), (1, "at"), (2, "count")]
    assert wrong[0] == Problem(1, "person", "is missing")


_anything = st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.lists(st.integers(), max_size=2)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*FIELDS, "other"]), _anything), max_size=4))
def test_whatever_comes_each_row_is_an_event_or_has_a_problem(rows: list[dict[str, object]]) -> None:
    events, wrong = read_events(rows, NOON)

    assert len(events) + len({problem.row for problem in wrong}) == len(rows)
