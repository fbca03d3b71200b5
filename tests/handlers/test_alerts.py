"""What administrators hear of."""

from __future__ import annotations

from dataclasses import replace

from handlers import alerts
from rules.worktime import Calendar
from tests.builders import at
from tests.handlers.conftest import POLICY, World

KNOWN = Calendar(years=frozenset({2026}))


def test_that_next_years_holidays_are_unknown_is_said_once_a_month(world: World) -> None:
    world.policy = replace(POLICY, calendar=lambda: KNOWN, administrators=frozenset({"head"}))
    said = []
    for moment in ("2026-11-30 12:00", "2026-12-01 12:00", "2026-12-20 12:00", "2027-01-02 12:00"):
        world.now = at(moment)
        said.append(world.tick(alerts.miss_holidays_once))

    assert said == [0, 1, 0, 1]
    assert ["2027 年" in card.data["what"] for card in world.to("head", "admin_alert")] == [True, True]
