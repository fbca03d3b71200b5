"""A short walk of `bench/fuzz.py`, always the same one; and that it would notice."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sqlalchemy import update

from bench.fuzz import MARK, Desk, Found, check_database, check_log, run
from rules.feedback import State
from storage.tables import feedback


def test_nothing_that_anybody_sends_breaks_anything(database_url: str) -> None:
    counts, rows = run(seed=8, go_on=lambda steps: steps < 250, url=database_url)

    assert counts.total() == 250
    assert rows["message sent"] > 100, "it got somewhere"
    assert sum(count for told, count in rows.items() if told.startswith("record")) >= 3


def test_a_record_without_its_loop_would_be_noticed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, seed=7)
    while not any(told.startswith("record") for told in desk.rows()):
        desk.step()
    check_database(desk)
    with desk.app.store.engine.begin() as connection:
        connection.execute(update(feedback).values(state=State.OPEN.value))

    with pytest.raises(Found, match="record 1"):
        check_database(desk)
    desk.close()


def test_a_word_too_many_in_the_log_would_be_noticed() -> None:
    check_log(["INFO sanmiao.sender sent id=1 card=help_text attempts=1"], [])

    for line in (f"INFO sanmiao.x said {MARK}", "INFO sanmiao.x for 李雷雷", "INFO sanmiao.x token=fuzz-client-secret"):
        with pytest.raises(Found, match="tells too much"):
            check_log([line], [])
    with pytest.raises(Found, match="ERROR"):
        check_log([], [f"{logging.getLevelName(logging.ERROR)} sanmiao.x"])
