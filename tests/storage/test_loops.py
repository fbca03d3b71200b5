"""The clocks of open records on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from rules.worktime import Counting
from storage.unit import Store
from tests.builders import NOON, PLAN, a_company, a_draft, a_loop


def test_which_hours_a_plan_counts_is_remembered(store: Store) -> None:
    plan = tuple(replace(stage, counting=Counting.WORKING) for stage in PLAN)
    with store.begin() as tx:
        people = a_company(tx)
        id = tx.feedback.open_draft(a_draft(people["E010"].id, people["E011"].id))
        tx.loops.open(a_loop(id, plan=plan))

    with store.read() as tx:
        loop = tx.loops.get(id)

    assert loop is not None
    assert loop.plan == plan


def test_a_plan_from_before_there_was_a_choice_counts_all_hours(store: Store) -> None:
    with store.begin() as tx:
        people = a_company(tx)
        id = tx.feedback.open_draft(a_draft(people["E010"].id, people["E011"].id))
        tx.loops.open(a_loop(id))
    old = [{"after_s": stage.after.total_seconds(), "kind": stage.kind.value} for stage in PLAN]
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE loops SET plan = :plan"), {"plan": json.dumps(old)})

    with store.read() as tx:
        loop = tx.loops.next_due(NOON + timedelta(hours=24))

    assert loop is not None
    assert loop.plan == PLAN
