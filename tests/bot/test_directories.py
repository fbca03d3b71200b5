"""people.csv: taken in whole, or refused with every problem and its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest

from bot.channel import Failure, SendFailed
from bot.directories import BadList, Directories, read_csv
from rules.directory import Directory, Member
from rules.events import Account, Platform
from storage.unit import Store
from tests.builders import NOON, a_company, a_policy, at

HEAD = "key,name,department,position,role,supervisor,hrbp,mobile,dingtalk,wecom,left\n"

Write = Callable[[str], Path]


@pytest.fixture
def csv_file(tmp_path: Path) -> Write:
    def write(rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
        path = tmp_path / "people.csv"
        path.write_text(head + rows, encoding)
        return path

    return write


def test_a_list_is_taken_in_and_told_how_many(store: Store, csv_file: Write) -> None:
    told: list[str] = []
    directories = Directories(store, a_policy(), lambda: NOON, {}, None, lambda: told.append("committed"))

    count = directories.take_csv(csv_file("E1,王芳,客服部,主管,,,,,wang_fang,,\nE2,刘洋,客服部,,客服,E1,,,,Liu.Yang,no\n"))

    with store.read() as tx:
        people = {person.key: person for person in tx.people.all().values()}
        accounts = tx.people.accounts()
    assert count == 2
    assert people["E2"].supervisor == people["E1"].id
    assert set(accounts) == {Account(Platform.DINGTALK, "wang_fang"), Account(Platform.WECOM, "liu.yang")}
    assert told == ["committed"]


def test_a_list_with_a_problem_changes_nothing(store: Store, csv_file: Write) -> None:
    directories = Directories(store, a_policy(), lambda: NOON, {}, None, lambda: None)

    with pytest.raises(BadList):
        directories.take_csv(csv_file("E1,王芳,客服部,,,,,,,,\nE2,,客服部,,,,,,,,\n"))

    with store.read() as tx:
        assert tx.people.all() == {}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("E1,王芳,,,,,,,,,\n", ["2: department is empty"]),
        (
            "E1,王芳,客服部,,,,,,,,\nE1,刘洋,客服部,,,,,,,,\n",
            ["2: this key stands in several lines", "3: this key stands in several lines"],
        ),
        ("E1,王芳,客服部,,,E7,,,,,\n", ["2: supervisor is a key that no line has"]),
        ("E1,王芳,客服部,,,,E7,,,,\n", ["2: hrbp is a key that no line has"]),
        ("E1,王芳,客服部,,,,,,,,maybe\n", ["2: left is yes, no or empty"]),
        ("E1,王芳,客服部,,,,,,,,,one too many\n", ["2: more cells than the first line has columns"]),
        ("", [" no people in it; the first line names the columns key, name, department"]),
        ('E1,"王\n芳",客服部,,,,,,,,\nE2,,客服部,,,,,,,,\n', ["4: name is empty"]),
        (
            "E1,王芳,客服部,,,,,,wang,,\nE2,刘洋,客服部,,,,,,wang,,\n",
            ["2: this dingtalk account stands in several lines", "3: this dingtalk account stands in several lines"],
        ),
    ],
)
def test_a_problem_is_told_with_its_line_and_without_names(csv_file: Write, rows: str, said: list[str]) -> None:
    path = csv_file(rows)

    with pytest.raises(BadList) as problem:
        read_csv(path)

    lines = str(problem.value).splitlines()
    assert len(lines) == len(said)
    for line, expected in zip(lines, said, strict=True):
        assert line.startswith(f"{path}:{expected}")
        assert not {"王芳", "刘洋"} & set(line)


def test_all_problems_are_told_at_once(csv_file: Write) -> None:
    with pytest.raises(BadList) as problem:
        read_csv(csv_file("E1,,客服部,,,E9,,,,,\nE2,刘洋,,,,,,,,,\n"))

    assert [line.rsplit(":", 2)[1] for line in str(problem.value).splitlines()] == ["2", "2", "3"]


def test_an_unknown_column_is_told_with_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("key,name,department,boss\nE1,王芳,客服部,E2\n", "utf-8")

    with pytest.raises(BadList, match="unknown column 'boss'; known are key, name, department, position"):
        read_csv(path)


def test_a_file_that_excel_saved_as_utf8_is_fine_and_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"

    path.write_text(HEAD + "E1,王芳,客服部,,,,,,,,\n", "utf-8-sig")
    assert [entry.name for entry in read_csv(path)] == ["王芳"]

    path.write_text(HEAD + "E1,王芳,客服部,,,,,,,,\n", "gbk")
    with pytest.raises(BadList, match="not UTF-8; in Excel save as"):
        read_csv(path)


def test_a_directory_is_read_once_a_night_by_all_processes_together(database_url: str) -> None:
    asked: list[str] = []

    def fetch() -> Directory:
        asked.append("dingtalk")
        return _directory(("wang_fang", "王芳"))

    now = at("2026-09-15 03:09")
    stores = [Store(database_url), Store(database_url)]
    processes = [Directories(store, a_policy(), lambda: now, {Platform.DINGTALK: fetch}, time(3, 10), lambda: None) for store in stores]

    for moment in ("2026-09-15 03:09", "2026-09-15 03:10", "2026-09-15 23:00", "2026-09-16 03:10"):
        now = at(moment)
        for process in processes:
            process.nightly()
    for store in stores:
        store.close()

    assert len(asked) == 2


def test_a_platform_that_does_not_answer_does_not_keep_the_other_from_being_read(store: Store) -> None:
    def fails() -> Directory:
        raise SendFailed(Failure.TEMPORARY, "-1", "system busy")

    def answers() -> Directory:
        return _directory(("sun.yue", "孙悦"))

    fetchers = {Platform.DINGTALK: fails, Platform.WECOM: answers}
    Directories(store, a_policy(), lambda: NOON, fetchers, time(3, 10), lambda: None).nightly()

    with store.read() as tx:
        assert set(tx.people.accounts()) == {Account(Platform.WECOM, "sun.yue")}


def test_two_members_with_one_job_number_do_not_break_the_sync(store: Store) -> None:
    members = tuple(Member(user_id, name, (), job_number="7") for user_id, name in (("a", "甲"), ("b", "乙")))
    fetchers = {Platform.DINGTALK: lambda: Directory({}, members)}

    Directories(store, a_policy(), lambda: NOON, fetchers, None, lambda: None).sync(Platform.DINGTALK)

    with store.read() as tx:
        assert sorted(person.name for person in tx.people.all().values()) == ["乙", "甲"]


def test_dingtalk_ids_that_differ_in_case_are_two_people(store: Store) -> None:
    fetchers = {Platform.DINGTALK: lambda: _directory(("Ab", "甲"), ("ab", "乙"))}

    Directories(store, a_policy(), lambda: NOON, fetchers, None, lambda: None).sync(Platform.DINGTALK)

    with store.read() as tx:
        assert sorted(person.name for person in tx.people.all().values()) == ["乙", "甲"]


def test_a_known_company_is_not_doubled_by_its_directory(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
    everybody = (("liu_yang", "刘洋"), ("zhou_lan", "周岚"), ("zhao_min", "赵敏"), ("wang_fang", "王芳"))
    fetchers = {Platform.DINGTALK: lambda: _directory(*everybody)}

    sync = Directories(store, a_policy(), lambda: NOON, fetchers, None, lambda: None).sync(Platform.DINGTALK)

    with store.read() as tx:
        assert set(tx.people.all()) == {person.id for person in people.values()}
    assert sync == (4, 0)


def _directory(*members: tuple[str, str]) -> Directory:
    """A directory without departments: user ids and names."""
    return Directory({}, tuple(Member(user_id, name, ()) for user_id, name in members))
