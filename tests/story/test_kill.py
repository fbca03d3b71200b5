"""`kill -9` of the bot, thirty times, while three hundred cards are submitted: nothing accepted is lost, nothing done twice."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from bot.clock import utc_now
from bot.settings import load
from handlers import feedback
from handlers.context import Context
from rules.feedback import State
from tests.story.town import ROOT, Town, wait_for

SUPERVISORS, CARDS, KILLS, FINGERS = 30, 10, 30, 4
MOST_BETWEEN = 8  # presses between two kills; 30 times that leaves some for the last
BOXES = ("calm_first", "swap_offer", "full_note", "cut_in", "no_eta")


def a_company() -> tuple[dict[str, Any], str]:
    """Thirty supervisors on WeCom with one report each, and an HRBP."""
    company: dict[str, Any] = yaml.safe_load((ROOT / "demo" / "company.yaml").read_text("utf-8"))
    people = [{"key": "HR", "name": "人事", "department": 1, "position": "HRBP", "supervisor": None, "wecom": {"userid": "hr"}}]
    lines = ["key,name,department,role,supervisor,hrbp,wecom", "HR,人事,三秒示范公司,,,,hr"]
    for n in range(SUPERVISORS):
        for key, name, role, above in ((f"S{n}", f"主管{n}", "", ""), (f"M{n}", f"员工{n}", "客服", f"S{n}")):
            user = key.lower()
            person = {
                "key": key,
                "name": name,
                "department": 1,
                "position": role,
                "supervisor": above or None,
                "wecom": {"userid": user},
            }
            people.append(person)
            lines.append(f"{key},{name},三秒示范公司,{role},{above},HR,{user}")
    return company | {"people": people, "groups": [], "phones": [], "departments": company["departments"][:1]}, "\n".join(lines)


@pytest.mark.timeout(420)
def test_thirty_kills_during_three_hundred_taps_lose_nothing_and_double_nothing(tmp_path: Path, database_url: str) -> None:
    company, people = a_company()
    with Town(tmp_path, database_url, company, people, dingtalk={"enabled": False}) as town:
        # The platform's own limit is no part of this story.
        town.put("/sandbox/quotas", {"wecom_per_member_per_minute": 1000, "wecom_per_member_per_hour": 10000})
        # So that presses come as soon as the bot is back, and every kill meets some.
        town.put("/sandbox/settings", {"switches": {"wecom.retry_spacing_seconds": 0.1}})
        town.stop_bot()
        cards = _offer_all(town)
        town.start_bot()
        wait_for(lambda: _sent(town) >= len(cards), patience=120)

        taps = _tap_all_while_killing(town, cards)

        wait_for(lambda: _nothing_under_way(town), patience=120)
        _check_records(town, taps)
        _check_messages(town)


def _offer_all(town: Town) -> dict[str, tuple[str, str]]:
    """Ten check-in cards on each supervisor's phone: card id → (supervisor, the box he will tick)."""
    policy = load(town.folder / "config.yaml", town.environment()).policy()
    offered = {}
    with town.store().begin() as tx:
        everyone = {person.key: person for person in tx.people.all().values()}
        ctx = Context(tx, utc_now(), policy)
        for n in range(SUPERVISORS * CARDS):
            who = n % SUPERVISORS
            id = feedback.open_checkin(ctx, everyone[f"S{who}"], everyone[f"M{who}"])
            card = tx.outbox.by_key(f"checkin:{id}")
            assert card is not None
            offered[card.card_id] = (f"S{who}", BOXES[n % len(BOXES)])
    return offered


def _tap_all_while_killing(town: Town, cards: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Everybody submits his cards, again and again until the platform says that the bot has it; the bot dies at random."""
    waiting, lock, accepted, taken = list(cards), threading.Lock(), {}, threading.Semaphore(0)
    chance = random.Random(7)
    chance.shuffle(waiting)

    def finger() -> None:
        session = requests.Session()
        while True:
            with lock:
                if not waiting:
                    return
                card = waiting.pop()
            person, box = cards[card]
            body = {"person": person, "platform": "wecom", "submit": True, "ticked": [box], "force": True}
            told = session.post(f"{town.sandbox}/sandbox/cards/{card}/tap", json=body, timeout=90).json()
            if told["outcome"]["delivered"]:
                accepted[card] = box
                taken.release()
            else:
                with lock:
                    waiting.insert(0, card)

    fingers = [threading.Thread(target=finger) for _ in range(FINGERS)]
    for thread in fingers:
        thread.start()
    for _ in range(KILLS):
        for _ in range(chance.randint(1, MOST_BETWEEN)):
            assert taken.acquire(timeout=60), "the bot takes no presses any more"
        time.sleep(chance.uniform(0, 0.02))
        assert any(thread.is_alive() for thread in fingers), "all presses were taken before the last kill"
        town.stop_bot(signal.SIGKILL)
        town.start_bot()
    for thread in fingers:
        thread.join(240)
    assert set(accepted) == set(cards)
    return accepted


def _sent(town: Town) -> int:
    with town.store().read() as tx:
        return tx.outbox.counts().get("sent", 0)


def _nothing_under_way(town: Town) -> bool:
    with town.store().read() as tx:
        counts = tx.outbox.counts()
    return not counts.get("due") and not counts.get("sending")


def _check_records(town: Town, taps: dict[str, str]) -> None:
    with town.store().read() as tx:
        assert tx.feedback.counts() == {State.OPEN: len(taps)}, "no record lost, none twice"
        for card, box in taps.items():
            message = tx.outbox.by_card(card)
            assert message is not None
            id = int((message.about or "").removeprefix("feedback:"))
            assert tx.feedback.get(id).ticks == (box,)
            assert [entry.what for entry in tx.history.of(f"feedback:{id}")] == ["offered", "given"]
        assert set(tx.outbox.counts()) <= {"sent", "cancelled", "dropped"}


def _check_messages(town: Town) -> None:
    """Every subject has each of his cards at least once; what came twice is counted and said."""
    doubles = 0
    for n in range(SUPERVISORS):
        shown = Counter(card.id for card in town.phone(f"M{n}", "wecom").cards())
        assert len(shown) == CARDS, f"M{n} has {len(shown)} of {CARDS} cards"
        doubles += sum(shown.values()) - len(shown)
    print(f"messages that arrived twice: {doubles}")
