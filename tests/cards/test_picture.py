"""The week as a picture: the numbers of the text, small enough, with every character of the font."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from PIL import Image

from cards.catalog import EmployeeDigest, MondayBrief
from cards.compose import compose
from cards.picture import MOST_BYTES, WIDTH, draw, texts
from cards.text import text
from tests.cards.digests import BRIEFS, EMPLOYEE
from tests.cards.examples import HOSTILE, hostile

NUMBERS = re.compile(r"¥[\d,.–]+")
every_week = pytest.mark.parametrize("told", [*BRIEFS, *EMPLOYEE])


@every_week
def test_the_picture_says_the_numbers_of_the_text(told: EmployeeDigest | MondayBrief) -> None:
    words = text(compose(told.template(), told.data()), 1000).replace("更正：前几周", "")

    shown = set(NUMBERS.findall(" ".join(texts(told))))

    assert shown == {number for number in NUMBERS.findall(words) if number not in _corrected(told)}


def _corrected(told: EmployeeDigest | MondayBrief) -> set[str]:
    return {"¥80"} if isinstance(told, EmployeeDigest) and told.corrected and "¥80" not in " ".join(texts(told)) else set()


@every_week
def test_it_fits_a_phone(told: EmployeeDigest | MondayBrief) -> None:
    content = draw(told)

    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.width) == ("PNG", WIDTH)
        assert picture.height < 2 * WIDTH
    assert len(content) <= MOST_BYTES


@pytest.mark.parametrize("kind", HOSTILE)
def test_whatever_people_type_it_is_drawn(kind: str) -> None:
    told = hostile(replace(BRIEFS[3]), HOSTILE[kind])
    assert isinstance(told, MondayBrief)

    content = draw(told)

    assert len(content) <= MOST_BYTES


def test_the_same_week_is_the_same_picture() -> None:
    assert draw(BRIEFS[0]) == draw(BRIEFS[0])


def test_a_number_is_never_cut() -> None:
    assert not any("…" in line and "¥" in line for told in (*BRIEFS, *EMPLOYEE) for line in texts(told))
