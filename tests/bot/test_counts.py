"""`run.py counts import`: a whole file or nothing, what is wrong with its line, and twice is once; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.app import App, build
from bot.counts import BadFile, take_csv
from bot.settings import load
from handlers.counts import Taken
from tests.builders import a_company

RATE = "{id: return, version: 1, name: 退货往返, unit: 次, fen: 8000, owner: 财务部, grade: measured, valid_from: 2026-01-01}"
HEAD = "key,person,rate,at,count,record,overlap,system\n"


@pytest.fixture
def app(tmp_path: Path, database_url: str) -> Iterator[App]:
    config = tmp_path / "my.yaml"
    rate = yaml.safe_load(RATE)
    config.write_text(yaml.safe_dump({"database": {"url": database_url}, "digests": {"rates": [rate]}}, allow_unicode=True), "utf-8")
    app = build(load(config, {"SANMIAO_WEB_SECRET": "s" * 32}))
    with app.store.begin() as tx:
        a_company(tx)
    yield app
    app.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "returns.csv"


def stored(app: App) -> int:
    with app.store.read() as tx:
        return len(tx.ledger.known([f"event:e{n}" for n in range(2000)]))


def test_a_file_is_taken_in_and_the_same_again_changes_nothing(app: App, file: Path) -> None:
    rows = "".join(f"e{n},E011,return,2026-09-14 10:30,,,,ERP\n" for n in range(1200))
    file.write_text("\ufeff" + HEAD + rows, "utf-8")

    assert take_csv(app, file) == Taken(1200, 0)
    assert take_csv(app, file) == Taken(0, 1200)
    assert stored(app) == 1200


def test_what_is_wrong_is_told_with_its_line_and_nothing_is_taken_in(app: App, file: Path) -> None:
    good = "".join(f"e{n},E011,return,2026-09-14 10:30,,,,\n" for n in range(600))
    file.write_text(HEAD + good + "e700,E999,return,2026-09-14 10:30,,,,\ne701,E011,return,soon,many,,,\n", "utf-8")

    with pytest.raises(BadFile) as told:
        take_csv(app, file)

    lines = str(told.value).splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [[f"{file}:603", "at"], [f"{file}:603", "count"]]
    assert lines[-1] == "nothing was taken in"
    assert stored(app) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column key"),
        ("key,person,rate\n", "no column at"),
        (HEAD.replace("system", "colour"), "an unknown column"),
        ("key,person,rate,at\ne1,E011,return,2026-09-14,5\n", ":2: more cells"),
    ],
    ids=["empty", "no time", "another column", "a cell too many"],
)
def test_a_file_of_another_shape_says_what_is_expected(app: App, file: Path, text: str, told: str) -> None:
    file.write_text(text, "utf-8")

    with pytest.raises(BadFile, match=told):
        take_csv(app, file)


def test_another_encoding_is_told(app: App, file: Path) -> None:
    file.write_bytes((HEAD + "e1,E011,return,2026-09-14,,,,退货登记\n").encode("gbk"))

    with pytest.raises(BadFile, match="CSV UTF-8"):
        take_csv(app, file)
