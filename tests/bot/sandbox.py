"""The project's sandbox as a process of its own, and a client of its control API: the platforms that the edge meets in these tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

PROJECT = Path(__file__).resolve().parents[2]
CARD_SPEC = PROJECT / "cards/platform/dingtalk/template.json"

COMPANY = """
wecom: {corp_id: ww00000000000000a1, agent_id: 1000002, secret: wecom-app-secret, token: sandboxToken01,
        encoding_aes_key: abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG}
dingtalk: {corp_id: dingcorpdemo, client_id: dingdemoapp, client_secret: demo-app-secret, robot_code: dingdemoapp}
departments:
  - {id: 1, name: 全公司, parent: null}
  - {id: 2, name: 客服部, parent: 1}
people:
  - {key: E0, name: 周岚, department: 1, leader: true, wecom: {userid: zhou.lan}, dingtalk: {userid: "0100"}}
  - {key: E1, name: 王敏, department: 2, supervisor: E0, leader: true, wecom: {userid: wang.min}, dingtalk: {userid: "0101"}}
  - {key: E2, name: 李雷, department: 2, position: 客服, wecom: {userid: Li.Lei}, dingtalk: {userid: "0102"}}
  - {key: E3, name: 钱进, department: 2, wecom: {userid: qian.jin, visible: false}, dingtalk: {userid: "0103", visible: false}}
groups:
  - {key: g1, name: 客服部, platform: dingtalk, chat_id: cidGroup+One/==, members: [E0, E1, E2]}
  - {key: g2, name: 客服群, platform: wecom, chat_id: chatone, members: [E0, E1, E2]}
"""


@dataclass(frozen=True)
class Sandbox:
    """`url` serves both platforms and the control API."""

    url: str

    def ask(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        """One call of the control API; its answer. Raises requests.HTTPError."""
        answer = requests.request(method, f"{self.url}/sandbox/{path}", json=body, params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def say(self, chat: str, person: str, **what: Any) -> Any:
        """A person writes in a chat; what became of it."""
        return self.ask("POST", f"chats/{chat}/messages", {"person": person, **what})["outcome"]

    def tap(self, card_id: str, platform: str, person: str, **what: Any) -> Any:
        """A person presses something on a card; what became of it, and the card then."""
        return self.ask("POST", f"cards/{card_id}/tap", {"person": person, "platform": platform, **what})

    def card(self, card_id: str, platform: str, person: str) -> Any:
        return self.ask("GET", f"cards/{card_id}", person=person, platform=platform)

    def messages(self, chat: str, person: str) -> list[Any]:
        found: list[Any] = self.ask("GET", f"chats/{chat}/messages", person=person)["messages"]
        return found

    def fault(self, target: str, fault: str, **details: Any) -> None:
        self.ask("PUT", "faults", {"target": target, "fault": fault, "times": 1, **details})

    def raw(self, platform: str, variant: str, **details: Any) -> Any:
        return self.ask("POST", "events/raw", {"platform": platform, "variant": variant, **details})


@contextmanager
def running(folder: Path) -> Iterator[Sandbox]:
    """A sandbox with a company of four, and the card template of the project."""
    company = folder / "company.yaml"
    company.write_text(COMPANY, "utf-8")
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--state",
        str(folder / "state"),
        "--company",
        str(company),
        "--card-spec",
        str(CARD_SPEC),
    ]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield Sandbox(f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}")
        finally:
            process.terminate()
            process.wait(10)
