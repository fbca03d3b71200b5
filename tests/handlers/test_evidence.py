"""A picture in the chat: where it goes, what is said, what the cards show."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import evidence, feedback
from handlers.context import Context
from handlers.evidence import Claim
from rules.events import Account, ChatMessage, Platform
from rules.evidence import Evidence, EvidencePolicy, MediaKind, Problem, Progress, Wanted
from rules.feedback import Kind, State
from storage.evidence import Kept
from storage.unit import Store
from tests.handlers.conftest import POLICY, World

KEPT = Kept(MediaKind.IMAGE, "image/png", "b" * 64, "c" * 64, 1234, 800, 600)
VIDEO = Kept(MediaKind.VIDEO, "video/mp4", "d" * 64, None, 99_000)
_ids = itertools.count()


def send_picture(world: World, who: str, text: str = "", group: str | None = None, id: str | None = None) -> None:
    event = ChatMessage(id or f"pic{next(_ids)}", Account(Platform.DINGTALK, who), text, group, media=f"code-{next(_ids)}")
    world.dispatcher.handle(event)


def fetched(world: World, outcome: Kept | Problem = KEPT) -> Evidence | None:
    """The fetcher's work on the next picture, without a network."""
    with world.store.begin() as tx:
        item = tx.evidence.claim_next("w", 60)
        if item is None:
            return None
        ctx, claim = Context(tx, world.now, world.policy), Claim(item, "w")
        if isinstance(outcome, Kept):
            evidence.stored(ctx, claim, outcome)
        else:
            evidence.failed(ctx, claim, outcome)
        return tx.evidence.get(item.id)


def said_to(world: World, who: str) -> str:
    world.deliver()
    newest = world.to(who)[0]
    return world.text(newest).title


def now_shown(world: World, who: str, template: str) -> str:
    """The newest state of this person's card of that kind, as text."""
    world.deliver()
    card = world.text(world.to(who, template)[0])
    return "\n".join([card.title, *(f"{line.label} {line.text}" for line in card.lines), card.status])


def history(world: World, id: int = 1) -> list[str]:
    with world.store.read() as tx:
        return [entry.what for entry in tx.history.of(f"feedback:{id}")]


def with_policy(store: Store, **changes: Wanted) -> World:
    wanted = {Kind.PRAISE: Wanted.OPTIONAL, Kind.IMPROVE: Wanted.OPTIONAL} | {Kind(name): value for name, value in changes.items()}
    return World(store, policy=replace(POLICY, evidence=EvidencePolicy(wanted=wanted)))


def test_a_picture_after_the_submission_shows_on_both_peoples_cards(world: World) -> None:
    world.given("cut_in")
    world.forward(minutes=3)

    send_picture(world, "boss")

    assert "李雷" in said_to(world, "boss")
    assert fetched(world) is not None
    assert "截图 1 张" in now_shown(world, "boss", "checkin_done")
    assert "截图 1 张" in now_shown(world, "li", "feedback_card")
    assert history(world) == ["offered", "given", "picture_sent", "picture_stored"]


def test_a_picture_before_the_submission_is_on_the_card_that_goes_out(world: World) -> None:
    card = world.checkin()
    send_picture(world, "boss")
    fetched(world)

    shown = world.press("boss", card, "give", "calm")

    assert shown is not None
    assert ("截图", "1 张") in [(line.label, line.text) for line in shown.lines]
    assert "截图 1 张" in now_shown(world, "li", "feedback_card")


def test_a_draft_is_not_redrawn_while_somebody_ticks_it(world: World) -> None:
    world.checkin()
    send_picture(world, "boss")
    world.deliver()

    fetched(world)

    assert world.deliver() == []


def test_a_picture_before_the_card_waits_for_it(world: World) -> None:
    send_picture(world, "boss")
    assert "10 分钟" in said_to(world, "boss")
    world.forward(minutes=9)

    card = world.checkin()
    world.press("boss", card, "give", "calm")
    fetched(world)

    assert "截图 1 张" in now_shown(world, "boss", "checkin_done")
    assert history(world) == ["offered", "given", "picture_sent", "picture_stored"]


def test_a_picture_too_long_before_the_card_belongs_to_nothing(world: World) -> None:
    send_picture(world, "boss")
    world.forward(minutes=11)

    world.press("boss", world.checkin(), "give", "calm")
    kept = fetched(world)

    assert kept is not None
    assert kept.feedback is None
    assert "picture_sent" not in history(world)


def test_a_feedback_on_its_way_leaves_with_the_picture(world: World) -> None:
    world.press("boss", world.checkin(), "give", "calm")
    send_picture(world, "boss")

    fetched(world)

    assert len(world.to("li", "feedback_card")) == 1
    assert "截图 1 张" in now_shown(world, "li", "feedback_card")


def test_a_picture_from_somebody_whose_feedback_waits_is_his_answer(world: World) -> None:
    world.given("cut_in")
    world.forward(hours=25)

    send_picture(world, "li")

    assert "已改进" in said_to(world, "li")
    with world.store.read() as tx:
        assert tx.feedback.get(1).state is State.IMPROVED
        loop = tx.loops.get(1)
        assert loop is not None
        assert loop.due_at is None
    fetched(world)
    assert "截图 1 张" in now_shown(world, "li", "feedback_answered")
    assert "截图 1 张" in now_shown(world, "boss", "checkin_done")


def test_the_sentence_after_an_answer_by_picture_says_what_was_improved(world: World) -> None:
    world.given("cut_in")
    send_picture(world, "li")

    world.say("li", "改成先听完再说")

    with world.store.read() as tx:
        words = [entry.words for entry in tx.history.of("feedback:1") if entry.what == "explained"]
    assert words == ["改成先听完再说"]


def test_a_picture_after_the_answer_belongs_to_the_answered_record(world: World) -> None:
    card = world.given("cut_in")
    world.press("li", card, "improved")
    world.forward(minutes=5)

    send_picture(world, "li")

    assert "王芳" in said_to(world, "li")
    with world.store.read() as tx:
        assert [item.feedback for item in tx.evidence.of(1)] == [1]
    assert history(world).count("answered") == 1


def test_text_and_picture_in_one_message_are_both_understood(world: World) -> None:
    world.given("cut_in")

    send_picture(world, "li", text="有异议，当时线路断了")

    with world.store.read() as tx:
        assert tx.feedback.get(1).state is State.DISPUTED
        assert len(tx.evidence.of(1)) == 1


def test_the_same_delivery_three_times_is_one_picture(world: World) -> None:
    world.given()

    for _ in range(3):
        send_picture(world, "boss", id="once")

    with world.store.read() as tx:
        assert len(tx.evidence.of(1)) == 1


def test_without_a_record_an_employees_picture_is_not_kept_and_he_hears_so(world: World) -> None:
    send_picture(world, "li")

    assert world.to("li")[0].card == "sorry_text"
    assert fetched(world) is None


def test_a_picture_in_a_group_is_not_taken_and_the_answer_comes_in_private(world: World) -> None:
    world.given()

    send_picture(world, "boss", group="cid-1")

    assert "私聊" in said_to(world, "boss")
    assert fetched(world) is None


@pytest.mark.parametrize("problem", list(Problem))
def test_what_cannot_be_kept_is_told_to_its_sender_once_and_changes_no_card(world: World, problem: Problem) -> None:
    world.given()
    send_picture(world, "boss")
    world.deliver()

    item = fetched(world, problem)

    assert item is not None
    assert item.state is Progress.FAILED
    assert [message.card for message in world.to("boss")].count("picture_failed") == 1
    assert "没有附上" in world.text(world.to("boss", "picture_failed")[0]).title
    assert "截图 1" not in now_shown(world, "boss", "checkin_done")
    assert history(world)[-1] == "picture_failed"


def test_a_video_is_counted_apart(world: World) -> None:
    world.given()
    send_picture(world, "boss")
    send_picture(world, "boss")

    fetched(world, KEPT)
    fetched(world, VIDEO)

    shown = now_shown(world, "boss", "checkin_done")
    assert "截图 1 张" in shown
    assert "视频 1 个" in shown


def test_a_missing_screenshot_is_said_on_the_authors_card_only_until_it_comes(store: Store) -> None:
    world = with_policy(store, improve=Wanted.REQUIRED)
    shown = world.press("boss", world.checkin(), "give", "cut_in")

    assert shown is not None
    assert "还差一张截图" in shown.status
    assert "picture_missing" in history(world)
    assert "截图" not in now_shown(world, "li", "feedback_card")
    world.forward(hours=20)
    send_picture(world, "boss")
    fetched(world)
    assert "还差" not in now_shown(world, "boss", "checkin_done")
    assert "截图 1 张" in now_shown(world, "li", "feedback_card")


def test_a_screenshot_that_could_not_be_kept_is_missing_again(store: Store) -> None:
    world = with_policy(store, improve=Wanted.REQUIRED)
    card = world.checkin()
    send_picture(world, "boss")
    shown = world.press("boss", card, "give", "cut_in")
    assert shown is not None
    assert "还差" not in shown.status

    fetched(world, Problem.NOT_A_PICTURE)

    assert "还差一张截图" in now_shown(world, "boss", "checkin_done")


def test_praise_misses_nothing_where_only_improvement_needs_a_screenshot(store: Store) -> None:
    world = with_policy(store, improve=Wanted.REQUIRED)

    shown = world.press("boss", world.checkin(), "give", "calm")

    assert shown is not None
    assert "截图" not in shown.status
    assert "picture_missing" not in history(world)


def test_a_kind_that_wants_no_pictures_gets_none(store: Store) -> None:
    world = with_policy(store, praise=Wanted.NONE)
    card = world.checkin()
    send_picture(world, "boss")

    world.press("boss", card, "give", "calm")
    send_picture(world, "boss")

    with world.store.read() as tx:
        assert tx.evidence.of(1) == ()
    assert "不用配截图" in said_to(world, "boss")


def test_a_file_from_a_page_is_on_the_cards_at_once(world: World) -> None:
    world.given()

    with world.store.begin() as tx:
        evidence.uploaded(Context(tx, world.now, world.policy), 1, world.ids["boss"], KEPT)

    assert "截图 1 张" in now_shown(world, "li", "feedback_card")


def test_the_reminder_and_the_escalation_show_it_too(world: World) -> None:
    from handlers import loops

    world.given("cut_in")
    send_picture(world, "boss")
    fetched(world)

    world.forward(hours=24)
    world.tick(loops.advance_one)
    assert "截图 1 张" in now_shown(world, "li", "reminder_card")
    world.forward(hours=48)
    world.tick(loops.advance_one)
    assert "截图 1 张" in now_shown(world, "hr", "escalation_card")


def test_a_picture_for_a_card_that_then_ran_out_changes_nothing(world: World) -> None:
    world.checkin()
    send_picture(world, "boss")
    world.forward(hours=48)
    world.tick(feedback.expire_one)
    world.deliver()

    fetched(world)

    with world.store.begin() as tx:
        assert tx.evidence.forget_moot(world.now + timedelta(seconds=1)) == 1
    assert world.to("li") == []
