"""The golden files: every example card as each platform gets it, to be read in review as a user would.

`python -m tests.cards.goldens --write` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cards import dingtalk, wecom
from cards.catalog import CardData
from cards.compose import compose
from cards.layout import Card
from cards.text import text
from tests.cards.examples import EXAMPLES

FOLDER = Path(__file__).parent.parent / "goldens"
CARD_ID = "0123456789abcdef0123456789abcdef"


def drawn(example: CardData) -> dict[str, Any]:
    """What each platform is sent for it: {platform: body}. A closed card is drawn as the change of an open one."""
    card = compose(example.template(), example.data())
    return {
        "wecom": _in_wecom(card, group=_for_groups(example)),
        "dingtalk": _in_dingtalk(card, group=_for_groups(example)),
        "text": {"text": text(card, 1000).split("\n")},
    }


def _in_wecom(card: Card, *, group: bool) -> dict[str, Any]:
    if group:
        return wecom.group_text(card, "chat1")
    if card.closed:
        return wecom.replacement(card, user_id="wang.xiaoming", agent_id=1000002, response_code="RC-1")
    return wecom.message(card, user_id="wang.xiaoming", agent_id=1000002, card_id=CARD_ID)


def _in_dingtalk(card: Card, *, group: bool) -> dict[str, Any]:
    if group:
        return dingtalk.group_text(card, chat_id="cidDEMO==", robot_code="dingdemo")
    if card.closed:
        return dingtalk.update(card, CARD_ID)
    if not card.interactive:
        return dingtalk.text(card, user_id="emp007", robot_code="dingdemo")
    return dingtalk.delivery(card, user_id="emp007", robot_code="dingdemo", template_id="0000aaaa-demo.schema", card_id=CARD_ID)


def _for_groups(example: CardData) -> bool:
    return example.template().startswith("group_")


def file_of(platform: str, name: str) -> Path:
    return FOLDER / platform / f"{name}.json"


def as_file(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def write() -> None:
    for old in FOLDER.glob("*/*.json"):
        old.unlink()
    for name, example in EXAMPLES.items():
        for platform, body in drawn(example).items():
            file_of(platform, name).parent.mkdir(parents=True, exist_ok=True)
            file_of(platform, name).write_text(as_file(body), "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
