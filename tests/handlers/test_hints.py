"""An endpoint's reading reaches a draft's card, and nothing but the draft (A4): asked by a job, judged by rules, never in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from bot.hints import Ask, Hints
from rules.events import Account, ChatMessage, Platform
from rules.feedback import State
from rules.people import Entry
from storage.outbox import Message
from storage.unit import Store
from tests.handlers.conftest import POLICY, World
from tests.handlers.test_sentences import actions, card_of, lines, records, shown

OPEN = "孙悦昨天死磕供应商，这批货便宜了3000元"  # of which our rules find the scene
ACTION, IMPACT = "死磕供应商", "这批货便宜了3000元"


@pytest.fixture
def asking(store: Store) -> World:
    return World(store, policy=replace(POLICY, hints=True))


def answered(world: World, ask: Ask) -> int:
    """Everything that waits to be asked is; how many questions."""
    asked = 0

    def counting(text: str, elements: Sequence[str]) -> Mapping[str, str] | None:
        nonlocal asked
        asked += 1
        return ask(text, elements)

    thread = Hints(world.store, world.policy, lambda: world.now, counting, lambda: None)
    while thread.ask_next():
        pass
    return asked


def names_both(text: str, elements: Sequence[str]) -> Mapping[str, str]:
    return {"action": ACTION, "impact": IMPACT}


def test_what_is_open_is_asked_and_the_card_follows_where_it_stands(asking: World) -> None:
    asking.say("boss", OPEN)
    card = card_of(asking)
    assert lines(shown(asking))["动作"] == "还差"

    def ask(text: str, elements: Sequence[str]) -> Mapping[str, str]:
        assert (text, tuple(elements)) == (OPEN, ("action", "impact"))
        return names_both(text, elements)

    assert answered(asking, ask) == 1

    (changed,) = asking.deliver()
    assert changed.changes == card.id
    now = asking.text(changed)
    assert lines(now)["动作"] == f"读自：“{ACTION}”"
    assert lines(now)["场景"].startswith("昨天（9月13日）")
    assert any(action.startswith("send") for action in actions(now))
    asking.press("boss", card, "send:praise")
    (record,) = records(asking)
    assert (record.state, record.action) == (State.OPEN, ACTION)


def test_the_card_keeps_what_was_found_when_it_is_pressed(asking: World) -> None:
    asking.say("boss", OPEN)
    card = card_of(asking)
    answered(asking, names_both)

    after = asking.press("boss", card, "kind:improve")

    assert after is not None
    assert lines(after)["动作"] == f"读自：“{ACTION}”"


def test_a_card_that_has_not_left_leaves_with_it(asking: World) -> None:
    asking.say("boss", OPEN)

    answered(asking, names_both)

    (only,) = asking.deliver()
    assert lines(asking.text(only))["动作"] == f"读自：“{ACTION}”"


def test_on_wecom_a_new_card_takes_its_place_so_that_the_answer_can_still_be_shown(store: Store) -> None:
    world = World(store, policy=replace(POLICY, hints=True))
    with store.begin() as tx:
        boss = Entry("boss", "王芳", "客服部", (Account(Platform.WECOM, "boss"),), hrbp="hr")
        li = Entry("sun", "孙悦", "客服部", (Account(Platform.WECOM, "sun"),), role="客服", supervisor="boss", hrbp="hr")
        tx.people.put([boss, li], world.now)
    world.dispatcher.handle(ChatMessage("w1", Account(Platform.WECOM, "boss"), OPEN))
    first = card_of(world)

    answered(world, names_both)

    sent = world.deliver()
    assert [message.changes for message in sent].count(first.id) == 1, "the old one says that it goes on below"
    newest = card_of(world)
    assert newest.id != first.id
    assert any(action.startswith("send") for action in actions(world.text(newest)))


@pytest.mark.parametrize("named", [None, {}, {"action": "编出来的一件事"}, {"action": "昨天"}, {"verdict": "pass"}])
def test_a_useless_answer_changes_nothing_that_anybody_sees(asking: World, named: Mapping[str, str] | None) -> None:
    asking.say("boss", OPEN)
    asking.deliver()

    assert answered(asking, lambda text, elements: named) == 1

    assert asking.deliver() == []
    assert records(asking)[0].action == ""


def test_who_confirmed_dropped_or_reworded_meanwhile_is_not_talked_over(asking: World) -> None:
    def meanwhile(does: str) -> list[Message]:
        asking.say("boss", OPEN)
        asking.deliver()

        def ask(text: str, elements: Sequence[str]) -> Mapping[str, str] | None:
            asking.say("boss", does)
            asking.deliver()
            return names_both(text, elements)

        answered(asking, ask)
        return asking.deliver()

    assert meanwhile("算了") == []
    assert records(asking)[0].state is State.WITHDRAWN
    assert meanwhile("孙悦昨天漏发了三单，客户退了款") == []
    assert ACTION not in records(asking)[1].action


def test_what_was_found_stays_when_the_author_writes_on(asking: World) -> None:
    asking.say("boss", "给孙悦写条反馈：昨天死磕供应商")
    answered(asking, names_both)
    asking.deliver()

    asking.say("boss", "供应商当场退了300元")

    told = lines(shown(asking))
    assert told["动作"] == f"读自：“{ACTION}”"
    assert "300元" in told["影响"]


def test_the_history_says_which_words_were_pointed_at(asking: World) -> None:
    asking.say("boss", OPEN)
    answered(asking, names_both)

    with asking.store.read() as tx:
        history = tx.history.of(f"feedback:{records(asking)[0].id}")
    pointed_at = [(line.person, line.reason, line.words) for line in history if line.what == "hinted"]
    assert pointed_at == [(None, "action", ACTION), (None, "impact", IMPACT)]


def test_nobody_is_asked_about_what_is_whole_nor_when_it_is_switched_off(world: World, asking: World) -> None:
    world.say("boss", OPEN)
    asking.say("boss", "@李雷 9月12日14:23直播话术漏了促单,当场少了3单")

    assert answered(asking, names_both) == 0
