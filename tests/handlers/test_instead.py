"""What is said in a message of its own, because the card that it would change cannot change any more."""

from __future__ import annotations

from handlers import changes
from handlers.context import Context
from handlers.instead import instead
from rules.feedback import State
from storage.outbox import Message
from tests.handlers.conftest import POLICY, World


def reworded(world: World, words: str) -> Message:
    """The change of the subject's card that comes of new words for the first record."""
    author = world.ids["boss"]
    world.dispatcher.run(lambda ctx: changes.edit(ctx, ctx.tx.people.get(author), ctx.tx.feedback.get(1), f"动作改成{words}"))
    return next(message for message in world.deliver() if message.changes and message.person == world.ids["li"])


def test_new_words_that_the_card_cannot_take_come_on_a_card_that_is_answered_like_the_first(world: World) -> None:
    card = world.given()
    change = reworded(world, "先复述再核实订单")
    for _ in range(2):
        with world.store.begin() as tx:
            instead(Context(tx, world.now, POLICY), change)

    (again,) = world.deliver()
    assert (again.card, again.data["action"], again.about) == ("feedback_card", "先复述再核实订单", card.about)
    world.press("li", again, "acknowledged")
    with world.store.read() as tx:
        assert tx.feedback.get(1).state is State.ACKNOWLEDGED
    changed = {message.changes: message.card for message in world.deliver() if message.person == world.ids["li"]}
    assert changed == {card.id: "feedback_answered"}
