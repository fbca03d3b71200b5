"""A screenshot sent from a phone: real processes, both platforms, both databases."""

from __future__ import annotations

import base64
import io
from typing import Any

import requests
from PIL import Image

from rules.evidence import Progress
from rules.feedback import State
from storage.unit import Store
from tests.story.conftest import Side
from tests.story.test_core_loop import give
from tests.story.town import Phone, Town, wait_for


def send(phone: Phone, content: bytes, name: str = "screen.png") -> None:
    body: dict[str, Any] = {"person": phone.person, "picture": base64.b64encode(content).decode(), "file_name": name}
    outcome = phone.town.post(f"/sandbox/chats/{phone.chat}/messages", body)["outcome"]
    assert outcome["delivered"], outcome


def a_photo() -> bytes:
    """As a phone takes it: turned by its orientation, with the place in it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


def states(store: Store) -> list[Progress]:
    """`store` is the bot's database."""
    with store.read() as tx:
        return [item.state for item in tx.evidence.of(1)]


def test_a_screenshot_after_the_submission_is_on_the_cards_and_in_the_folder(town: Town, store: Store, side: Side) -> None:
    card = give(town, side)
    boss = town.phone(side.supervisor, side.platform)

    send(boss, a_photo())

    wait_for(lambda: states(store) == [Progress.STORED])
    card.await_change(lambda card: "截图" in card.words and "1 张" in card.words)
    assert side.subject_name in boss.await_text()
    with store.read() as tx:
        item = tx.evidence.of(1)[0]
        story = [entry.what for entry in tx.history.of("feedback:1")]
    assert (item.width, item.height) == (480, 640)
    kept = (town.folder / "var" / "evidence" / str(item.blob)[:2] / str(item.blob)).read_bytes()
    assert not Image.open(io.BytesIO(kept)).getexif()
    assert story == ["offered", "given", "picture_sent", "picture_stored"]
    card.now().press("acknowledged")
    boss.cards()[-1].await_change(lambda card: "1 张" in card.words and "收到" in card.words)


def test_a_screenshot_from_the_subject_is_an_answer(town: Town, store: Store, side: Side) -> None:
    card = give(town, side, side.bad)

    send(town.phone(side.subject, side.platform), a_photo())

    card.await_change(lambda card: "improved" not in card.buttons)
    with store.read() as tx:
        assert tx.feedback.get(1).state is State.IMPROVED


def test_a_broken_picture_is_told_in_the_chat_and_is_on_no_card(town: Town, store: Store, side: Side) -> None:
    give(town, side)
    boss = town.phone(side.supervisor, side.platform)

    send(boss, a_photo()[:400], "good-name.png")

    wait_for(lambda: any("打不开" in text for text in boss.texts()))
    assert states(store) == [Progress.FAILED]
    assert "1 张" not in boss.cards()[-1].words


def test_a_platform_that_fails_is_asked_again(town: Town, store: Store, side: Side) -> None:
    give(town, side)
    call = {"dingtalk": "POST /v1.0/robot/messageFiles/download", "wecom": "media/get"}[side.platform]
    town.put("/sandbox/faults", {"target": f"{side.platform}:{call}", "fault": "http_500", "times": 1})

    send(town.phone(side.supervisor, side.platform), a_photo())

    wait_for(lambda: states(store) == [Progress.STORED])
    with store.read() as tx:
        assert tx.evidence.of(1)[0].attempts == 2


def test_the_page_of_a_card_shows_the_picture_and_the_link_alone_opens_nothing_else(town: Town, store: Store, side: Side) -> None:
    card = give(town, side)
    send(town.phone(side.supervisor, side.platform), a_photo())
    wait_for(lambda: states(store) == [Progress.STORED])
    page = _page_of(town, card.id)

    html = requests.get(page, timeout=10).text
    thumbnail = html.partition('<img src="')[2].partition('"')[0]
    picture = requests.get(thumbnail, timeout=10)

    assert picture.headers["Content-Type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(picture.content)).size) == 320
    assert picture.headers["Cache-Control"].startswith("private")
    refused = requests.get(thumbnail + "x", timeout=10)
    assert refused.status_code == 404


def _page_of(town: Town, card_id: str) -> str:
    from web.access import Links

    secret = town.environment()["SANMIAO_WEB_SECRET"]
    return Links(town.bot_url, secret).card(card_id)
