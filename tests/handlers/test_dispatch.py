"""What every event goes through, whatever it is about."""

from __future__ import annotations

from cards.compose import actions
from handlers.dispatch import ROUTES, Dispatcher
from rules.events import Account, CardAction, ChatMessage, Platform, UnknownEvent
from storage.unit import Store
from tests.builders import NOON, a_company, a_message, a_policy
from tests.handlers.conftest import World


def test_every_action_of_every_template_has_a_route_and_every_route_an_action() -> None:
    assert set(actions()) == {action for routes in ROUTES.values() for action in routes}


def test_an_unknown_event_is_kept_raw_and_counted(world: World) -> None:
    world.dispatcher.handle(UnknownEvent("u1", Platform.WECOM, "enter_agent"), "<xml/>")

    with world.store.read() as tx:
        assert tx.inbox.counts() == {"unknown:enter_agent": 1}


def test_a_stranger_is_told_once_a_day_that_he_is_not_known(world: World) -> None:
    for n in range(3):
        world.dispatcher.handle(ChatMessage(f"s{n}", Account(Platform.DINGTALK, "nobody"), "你好"))

    with world.store.read() as tx:
        told = tx.outbox.recent(None, 10)
    assert [(message.card, message.person, message.to) for message in told] == [
        ("sorry_text", None, Account(Platform.DINGTALK, "nobody"))
    ]


def test_the_longest_ids_that_come_in_fit_into_what_is_kept(database_url: str) -> None:
    store = Store(database_url)
    dispatcher = Dispatcher(store, a_policy(), lambda: NOON, frozenset(), lambda: None)
    with store.begin() as tx:
        people = a_company(tx)
        tx.outbox.add(a_message(people["E012"].id, "card"), NOON)
        card = tx.outbox.by_key("card")
    assert card is not None

    for n, who in enumerate(("u" * 128, "sun.yue")):
        dispatcher.handle(ChatMessage(f"{n}" * 128, Account(Platform.WECOM, who), "帮助"))
        dispatcher.handle(ChatMessage(f"{n + 2}" * 128, Account(Platform.WECOM, who), "孙悦", group="g" * 128))
        dispatcher.handle(CardAction(f"{n + 4}" * 128, Account(Platform.WECOM, who), card.card_id, "x" * 4000, (), handle="c" * 512))

    with store.read() as tx:
        assert sum(tx.inbox.counts().values()) == 6
    store.close()


def test_a_press_on_a_card_we_never_sent_gets_a_sentence(world: World) -> None:
    world.dispatcher.handle(CardAction("x1", Account(Platform.DINGTALK, "boss"), "0" * 32, "give", ("calm",)))

    assert [message.card for message in world.to("boss")] == ["sorry_text"]


def test_on_a_platform_that_takes_no_answer_the_changed_card_is_queued_with_the_presss_handle(world: World) -> None:
    card = world.checkin()
    wecom = CardAction("w1", Account(Platform.DINGTALK, "boss"), card.card_id, "give", ("calm",), handle="code-7")
    world.dispatcher._in_response = frozenset()

    assert world.dispatcher.handle(wecom) is None

    change = next(message for message in world.to("boss") if message.changes == card.id)
    assert (change.card, change.handle) == ("checkin_done", "code-7")


def test_in_a_group_the_bot_says_one_line_and_goes_on_in_private(world: World) -> None:
    world.say("boss", "李雷", group="cid-1")

    with world.store.read() as tx:
        rows = tx.outbox.recent(None, 10)
    assert {row.card for row in rows} == {"group_hint", "checkin_card"}
    hint = next(row for row in rows if row.card == "group_hint")
    assert "李雷" not in world.text(hint).title + world.text(hint).summary


def test_help_comes_with_an_example_of_ones_own_people(world: World) -> None:
    world.say("boss", "你好呀")
    world.say("li", "你好呀")

    assert world.to("boss")[0].data == {"supervisor": True, "example_name": "李雷"}
    assert world.to("li")[0].data == {"supervisor": False, "example_name": None}
