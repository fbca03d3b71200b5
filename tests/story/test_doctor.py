"""What an administrator is told before the first start."""

from __future__ import annotations

from tests.story.town import Town


def test_the_doctor_finds_a_working_town_well(town: Town) -> None:
    told = town.run("doctor")

    for part in (
        "dingtalk: sees",
        "wecom: sees",
        "database:",
        "people:",
        "roles:",
        "loops: 0 overdue",
        "outbox: 0 failed",
        "retention: nothing",
    ):
        assert part in told
    # Whether the arrangement of the year in which this runs is known depends on the year.
    assert not [line for line in told.splitlines() if line.startswith("FAIL") and "calendar:" not in line]


def test_the_doctor_says_which_secret_the_platform_refuses(town: Town) -> None:
    town.put("/sandbox/faults", {"target": "wecom:gettoken", "fault": "errcode:40001"})

    told = town.run("doctor", fails=True)

    assert "FAIL  wecom: 40001" in told
    assert "wecom.secret" in told
