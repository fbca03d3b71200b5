from __future__ import annotations

import logging
import os
from datetime import date, time
from pathlib import Path

import pytest

from bot.calendar import FollowedCalendar, public_calendar
from bot.settings import ConfigError, load
from rules.weeks import Week

NINE, SIX = time(9), time(18)


def followed(path: Path) -> FollowedCalendar:
    return FollowedCalendar(path, NINE, SIX)


def written(path: Path, text: str) -> Path:
    """Replace the file as an editor does, so that the change shows even within one tick of the file system's clock."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    os.replace(fresh, path)
    return path


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as problem:
        followed(written(tmp_path / "days.yaml", text))
    return str(problem.value).replace(f"{tmp_path}/", "")


def test_the_published_year_has_its_holidays_and_its_make_up_days() -> None:
    """国办发明电: 国庆 2026 is 1 to 7 October, with 20 September (Sunday) and 10 October (Saturday) worked."""
    known = public_calendar(NINE, SIX)

    assert known.published(2026)
    assert not any(known.is_workday(date(2026, 10, day)) for day in range(1, 8))
    assert known.is_workday(date(2026, 9, 20))
    assert known.is_workday(date(2026, 10, 10))
    assert known.workdays(Week(2026, 8)) == ()  # 春节: 15 to 23 February
    assert date(2026, 2, 28) in known.workdays(Week(2026, 9))


def test_a_year_without_arrangement_has_its_statutory_days_and_weekends_and_is_not_published() -> None:
    known = public_calendar(NINE, SIX)

    assert not known.published(2040)
    assert not known.is_workday(date(2040, 10, 1))
    assert known.is_workday(date(2040, 10, 4))  # perhaps moved to it, but nobody has said so
    assert not known.is_workday(date(2040, 10, 6))  # a Saturday


def test_the_company_can_describe_a_year_before_the_package_does(tmp_path: Path) -> None:
    text = "holidays:\n  - 2040-10-01..2040-10-07\nworkdays: [2040-09-29]\npublished: [2040]\n"
    known = followed(written(tmp_path / "days.yaml", text))()

    assert known.published(2040)
    assert not any(known.is_workday(date(2040, 10, day)) for day in range(1, 8))
    assert known.is_workday(date(2040, 9, 29))


def test_the_company_can_work_on_a_holiday_and_rest_on_a_make_up_day(tmp_path: Path) -> None:
    known = followed(written(tmp_path / "days.yaml", "holidays: [2026-10-10]\nworkdays: [2026-10-07]\n"))()

    assert not known.is_workday(date(2026, 10, 10))
    assert known.is_workday(date(2026, 10, 7))


def test_a_changed_file_is_read_without_a_restart(tmp_path: Path) -> None:
    path = written(tmp_path / "days.yaml", "")
    calendar = followed(path)
    before = calendar().is_workday(date(2026, 11, 2))

    written(path, "holidays: [2026-11-02]")

    assert before
    assert not calendar().is_workday(date(2026, 11, 2))


@pytest.mark.parametrize("broken", ["holidays: [2026-13-01]", "holidays: [", None])
def test_while_the_file_is_wrong_the_last_good_one_stays_in_force_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str | None
) -> None:
    path = written(tmp_path / "days.yaml", "holidays: [2026-11-02]")
    calendar = followed(path)

    if broken is None:
        path.unlink()
    else:
        written(path, broken)
    with caplog.at_level(logging.ERROR):
        asked = [calendar().is_workday(date(2026, 11, 2)) for _ in range(3)]

    assert asked == [False, False, False]
    assert calendar.problem is not None
    assert str(path) in calendar.problem
    assert len(caplog.records) == 1  # once for each change, not at each look


def test_a_file_put_right_is_believed_again(tmp_path: Path) -> None:
    path = written(tmp_path / "days.yaml", "")
    calendar = followed(path)
    written(path, "holidays: 3")
    calendar()

    written(path, "holidays: [2026-11-02]")

    assert not calendar().is_workday(date(2026, 11, 2))
    assert calendar.problem is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# 2027\nholidays:\n  - 2027-02-05\n  - 2027-02-30\n", "days.yaml:4: holidays.1: `2027-02-30`: a date like"),
        ("holidays: [2027-02-11..2027-02-05]\n", "days.yaml:1: holidays.0: `2027-02-11..2027-02-05`: a span goes forward"),
        ("holidays: [2027-01-01..2028-01-01]\n", "days.yaml:1: holidays.0: `2027-01-01..2028-01-01`: a span goes forward, and over 31"),
        ("holidays: [2027-01-01]\nworkdays: [2027-01-01]\n", "days.yaml:2: workdays: 2027-01-01 is among the holidays, too"),
        ("holidays: 2027-01-01\n", "days.yaml:1: holidays: a list"),
        ("workdays:\n  - from: 2027-01-01\n", "days.yaml:1: workdays: a list"),
        ("published: [27]\n", "days.yaml:1: published.0: `27`: a year from"),
        ("\nholiday: [2027-01-01]\n", "days.yaml:2: holiday: unknown key"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    lines = complaint(tmp_path, "holidays: [tomorrow]\nworkdays: [yesterday]\nyears: [2027]\n").splitlines()

    assert [line.split(": ")[1] for line in lines] == ["holidays.0", "workdays.0", "years"]


def test_a_wrong_file_stops_the_start(tmp_path: Path) -> None:
    written(tmp_path / "days.yaml", "holidays: [someday]")
    own = written(tmp_path / "my.yaml", "calendar:\n  file: days.yaml\n")

    with pytest.raises(ConfigError, match=r"days\.yaml:1: holidays\.0: `someday`"):
        load(own, {"SANMIAO_WEB_SECRET": "s" * 32})


def test_hours_of_work_come_from_the_configuration(tmp_path: Path) -> None:
    own = written(tmp_path / "my.yaml", 'calendar:\n  work_begins: "08:30"\n')
    calendar = load(own, {"SANMIAO_WEB_SECRET": "s" * 32}).policy().calendar()

    assert calendar.begins(date(2026, 9, 14)).isoformat() == "2026-09-14T00:30:00+00:00"


def test_a_day_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    own = written(tmp_path / "my.yaml", 'calendar:\n  work_begins: "19:00"\n')

    with pytest.raises(ConfigError, match=r"my\.yaml:1: calendar: work_begins and work_ends"):
        load(own, {"SANMIAO_WEB_SECRET": "s" * 32})
