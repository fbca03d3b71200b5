"""What the bot does with talk that is none of its business."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import World


@pytest.mark.parametrize(
    "text",
    ["好的", "谢谢", "反馈表在前台领", "好冷啊今天", "今晚食堂有红烧肉吗", "小乔结婚随多少份子合适", "上周买的绿萝死了一盆", "？。？"],
)
def test_talk_of_other_things_gets_a_short_help_and_leaves_nothing(world: World, text: str) -> None:
    world.say("boss", text)

    assert [message.card for message in world.to("boss")] == ["help_text"]
    with world.store.read() as tx:
        assert tx.feedback.counts() == {}


def test_the_help_comes_once_a_day_for_each(world: World) -> None:
    for _ in range(3):
        world.say("boss", "好冷啊今天")
        world.say("li", "好冷啊今天")
    assert len(world.to("boss")) == len(world.to("li")) == 1

    world.forward(days=1)
    world.say("boss", "好冷啊今天")

    assert len(world.to("boss")) == 2


def test_a_day_is_shanghais_day(world: World) -> None:
    world.forward(hours=12, minutes=59)  # 23:59
    world.say("boss", "好冷啊今天")
    world.forward(minutes=1)
    world.say("boss", "好冷啊今天")

    assert len(world.to("boss")) == 2


def test_in_a_group_such_talk_gets_no_word(world: World) -> None:
    world.say("boss", "好冷啊今天", group="cid-1")

    with world.store.read() as tx:
        assert [row for row in tx.outbox.recent(None, 10) if row.person is None] == []


def test_text_that_no_database_stores_is_read_all_the_same(world: World) -> None:
    world.say("boss", "@李雷 9月12日14:23直播话术漏了促单\x00,当场少了3单\ud800")

    assert [message.card for message in world.to("boss")] == ["sentence_card"]
