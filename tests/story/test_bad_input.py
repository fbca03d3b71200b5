"""Bad input gets a clear answer and changes nothing."""

from __future__ import annotations

from typing import Any

from storage.outbox import State
from tests.story.conftest import Side
from tests.story.test_core_loop import give
from tests.story.town import Town, wait_for

NOT_FROM_THE_PLATFORM = {"bad_signature": {401, 403}, "wrong_receiver": {401, 403}, "garbage": {400}, "oversized": {400, 413}}


def rows(town: Town) -> dict[str, Any]:
    with town.store().read() as tx:
        history = [entry for n in range(1, 4) for entry in tx.history.of(f"feedback:{n}")]
        return {"feedback": dict(tx.feedback.counts()), "history": len(history), "inbox": sum(tx.inbox.counts().values())}


def failed(town: Town) -> list[tuple[str, int, str | None]]:
    with town.store().read() as tx:
        return [(message.card, message.attempts, message.error_code) for message in tx.outbox.recent(State.FAILED, 10)]


def test_what_is_not_from_the_platform_is_refused_and_nothing_is_stored(town: Town) -> None:
    before = rows(town)

    for variant, statuses in NOT_FROM_THE_PLATFORM.items():
        told = town.post("/sandbox/events/raw", {"platform": "wecom", "variant": variant})
        assert told["status"] in statuses, (variant, told)

    assert rows(town) == before


def test_an_unknown_event_is_acknowledged_kept_and_counted(town: Town) -> None:
    told = town.post("/sandbox/events/raw", {"platform": "wecom", "variant": "unknown_event"})

    assert told["status"] == 200
    with town.store().read() as tx:
        kinds = tx.inbox.counts()
    assert [kind for kind in kinds if kind.startswith("unknown:")], kinds


def test_the_same_delivery_three_times_has_one_effect_and_one_answer(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()
    target = "wecom:callback" if side.platform == "wecom" else "dingtalk:stream"
    town.put("/sandbox/faults", {"target": target, "fault": "duplicate_delivery", "copies": 3, "times": 1})

    card.tick(side.good)

    card.await_change(lambda card: not card.open_boxes)
    town.phone(side.subject, side.platform).await_card()
    town.forward(seconds=1)
    assert len(town.phone(side.subject, side.platform).cards()) == 1
    assert rows(town)["feedback"] == {"open": 1}


def test_somebody_elses_tap_gets_a_sentence_and_changes_nothing(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()

    card.tick(side.good, force=True, by=side.colleague)

    assert town.phone(side.colleague, side.platform).await_text()
    assert card.now().open_boxes, "the owner's card is as it was"
    assert rows(town)["feedback"] == {"draft": 1}


def test_a_stale_second_tap_is_answered_on_the_card(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()
    card.tick(side.good)
    card.await_change(lambda card: not card.open_boxes)

    outcome = card.tick(side.bad, force=True)

    assert outcome["delivered"]
    assert rows(town)["feedback"] == {"open": 1}
    with town.store().read() as tx:
        assert tx.feedback.get(1).ticks == (side.good,)


def test_a_tap_on_an_expired_card_says_so(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()
    town.forward(hours=49)

    card.tick(side.good, force=True)

    card.await_change(lambda card: not card.open_boxes)
    assert rows(town)["feedback"] == {"expired": 1}


def test_a_message_the_platform_refuses_ends_as_failed_with_its_code_and_is_not_repeated(town: Town, side: Side) -> None:
    boss = town.phone(side.supervisor, side.platform)
    boss.say(side.subject_name)
    card = boss.await_card()
    call, refusal, code = {
        "wecom": ("wecom:message/send", "errcode:81013", "81013"),
        "dingtalk": ("dingtalk:POST /v1.0/card/instances/createAndDeliver", "code:param.userIdNotExist", "param.userIdNotExist"),
    }[side.platform]
    town.put("/sandbox/faults", {"target": call, "fault": refusal})

    card.tick(side.good)
    wait_for(lambda: bool(failed(town)))
    town.forward(seconds=3)

    assert failed(town) == [("feedback_card", 1, code)]
    assert code in town.run("outbox", "--state", "failed")


def test_a_fault_of_the_platform_delays_a_message_and_does_not_lose_it(town: Town, side: Side) -> None:
    target = "wecom:message/send" if side.platform == "wecom" else "dingtalk:POST /v1.0/card/instances/createAndDeliver"
    for number, fault in enumerate(("http_500", "token_expired", "malformed_json"), 1):
        town.put("/sandbox/faults", {"target": target, "fault": fault, "times": 1})

        card = give(town, side)

        assert town.get("/sandbox/faults") == {"faults": []}, fault
        assert card.buttons, fault
        assert len(town.phone(side.subject, side.platform).cards()) == number, fault


def test_a_leaver_gets_nothing_and_his_open_feedback_goes_to_the_hrbp(town: Town, side: Side) -> None:
    give(town, side)
    before = len(town.phone(side.subject, side.platform).messages())

    town.put(f"/sandbox/people/{side.subject}", {"left": True})

    escalation = town.phone(side.hrbp, side.platform).await_card()
    assert side.subject_name in escalation.words
    town.forward(hours=30)
    assert len(town.phone(side.subject, side.platform).messages()) == before


def test_logs_hold_no_personal_text_and_no_secret(town: Town, side: Side) -> None:
    give(town, side).press("disputed")
    town.phone(side.subject, side.platform).say("那天的来电不是我接的")
    town.forward(seconds=1)

    log = town.log()
    for word in (side.subject_name, "那天的来电", "王芳", "林涛", "demo-wecom-secret", "demo-dingtalk-secret", "access_token="):
        assert word not in log
