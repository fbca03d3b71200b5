"""Does anything that anybody may send us break something? The real app on a real database: callbacks of both platforms, cards, pages,
pictures, in random order, many of them bent (`bench/mutations.py`), while the clock moves, jobs run, cards are drawn and "sent",
digests and their pictures are made, and what has had its time is forgotten.

After every step: no answer of the 5xx kind, nothing logged as an error, and no log line with a name, a secret or anybody's words in it.
Every so often, and at the end: what the database holds makes sense. The same seed and number of steps is the same run.

    python -m bench.fuzz [--seconds 300 | --steps 500] [--seed 1] [--postgres]
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import logging
import random
import tempfile
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click
import yaml
from flask import Response
from PIL import Image
from sqlalchemy import text

from bench import mutations
from bench.callbacks import postgres
from bot.app import App, build
from bot.channel import Channel, Receipt
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.channel import DingTalkChannel
from bot.downloads import Gone, Limit, TooLarge
from bot.envelope import Seal
from bot.evidence import Fetcher
from bot.pictures import Pictures
from bot.sender import Rates, Sender
from bot.server import flask_app
from bot.settings import load
from bot.wecom.api import WeComApi
from bot.wecom.channel import WeComChannel
from cards.compose import compose
from rules.events import Account, Platform
from rules.evidence import Progress
from rules.feedback import Answer, State
from rules.people import Entry, Person
from rules.weeks import SHANGHAI, week_of
from storage.limits import Rate
from storage.migrations import upgrade
from storage.outbox import State as Sent
from web.sessions import Sessions

ROOT = Path(__file__).resolve().parent.parent
CORP, AGENT, TOKEN, KEY = "ww5a6d696164656d6f31", 1000002, "fuzzToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SECRETS = {
    "SANMIAO_WEB_SECRET": "fuzz-web-secret-fuzz-web-secret-fuzz",
    "DINGTALK_CLIENT_SECRET": "fuzz-client-secret",
    "FUZZ_CARD_SECRET": "fuzz-card-secret",
    "FUZZ_COUNTS_TOKEN": "fuzz-counts-token-fuzz-counts-token",
    "WECOM_SECRET": "fuzz-wecom-secret",
    "WECOM_TOKEN": TOKEN,
    "WECOM_AES_KEY": KEY,
}
MARK = "暗号"  # in everything that people write here; must stand in no log
PEOPLE = (
    ("hr", "赵小敏", "", None),
    ("boss", "王芳芳", "", None),
    ("li", "李雷雷", "客服", "boss"),
    ("sun", "孙悦悦", "客服", "boss"),
    ("sun2", "孙悦悦", "客服", "boss"),
    ("other", "林涛涛", "", None),
    ("he", "何静静", "主播", "other"),
)
FEEDBACK = (
    "@李雷雷 9月12日14:23直播话术漏了促单,当场少了3单",
    "孙悦悦昨天接退货电话先安抚再核实了订单，客户撤回了退货",
    "李雷雷态度认真、潜力突出",
    "李雷雷",
    "何静静",
    "反馈 何静静",
    "给李雷雷：昨天晚班漏扫了三箱，补货晚了两天",
    "@李雷雷 @孙悦悦 昨天晚班漏扫了三箱，补货晚了两天",
    "客户撤回了投诉",
)
COMMANDS = (
    "发出",
    "算了",
    "收到",
    "已改进：把话术写进了卡片",
    "有异议，当时不是我",
    "我这周的反馈",
    "团队周报",
    "还有哪些没回",
    "催一下李雷雷",
    "两小时后再提醒我",
    "我请假三天，找林涛涛代办",
    "我回来了",
    "撤回上一条",
    "把刚发的那条改成：少了5单",
    "怎么用",
    "已升级的有哪些",
    "免填豁免还差多少",
)
PAGES = ("/", "/me", "/open", "/team", "/write", "/preferences", "/desk", "/login", "/in/x", "/healthz", "/login/wecom/back")
CHECK_EVERY = 200
_NEVER_GIVEN = (State.DRAFT, State.EXPIRED, State.NOTE)


class Found(AssertionError):
    """Something broke; the message says what, and the step that did it."""


class Nowhere:
    """A platform that takes everything: what is drawn is drawn by the real channel, and leaves for nowhere."""

    def __init__(self, drawing: Channel) -> None:
        self.platform, self.changes, self.render = drawing.platform, drawing.changes, drawing.render
        self._sent = 0

    def deliver(self, payload: Mapping[str, Any]) -> Receipt:
        json.dumps(payload)
        self._sent += 1
        return Receipt(f"M{self._sent}", f"code-{self._sent}")


class Shelf:
    """Where people's pictures lie: bent ones, good ones, and some that are gone."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def fetch(self, handle: str, limit: Limit) -> bytes:
        if self._rng.random() < 0.1:
            raise Gone("expired")
        content = a_picture(self._rng)
        if len(content) > limit(content[:64]):
            raise TooLarge
        return content


class Ears(logging.Handler):
    """Everything that is logged since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        self.lines.append(line)
        if record.levelno >= logging.ERROR:
            self.errors.append(line)

    def heard(self) -> tuple[list[str], list[str]]:
        told = self.lines, self.errors
        self.lines, self.errors = [], []
        return told


class Desk:
    """The app, its people, and what a step may do to it. `counts` says how often each kind of step was answered how."""

    def __init__(self, folder: Path, seed: int, url: str | None = None) -> None:
        self.rng = random.Random(seed)
        self._clock, self._offset = folder / "clock.json", 0.0
        self.forward(0)
        self.app = _app(folder, self._clock, url or f"sqlite:///{folder}/fuzz.sqlite3")
        self.client = flask_app(self.app).test_client()
        self.counts: Counter[str] = Counter()
        self._seal = Seal(TOKEN, KEY, (CORP,))
        self._sessions = Sessions(SECRETS["SANMIAO_WEB_SECRET"], self.app.now, secure=False)
        entries = [
            Entry(key, name, "客服部", tuple(Account(p, key) for p in Platform), role=role, supervisor=above, hrbp="hr")
            for key, name, role, above in PEOPLE
        ]
        with self.app.store.begin() as tx:
            tx.people.put(entries, self.app.now())
            self.people: Mapping[str, Person] = {person.key: person for person in tx.people.all().values()}
        self._sender = Sender(
            self.app.store, _channels(), _rates(), self.app.links.card, self.app.now, lease_seconds=30, policy=self.app.policy
        )
        media = dict.fromkeys(Platform, Shelf(self.rng))
        self._fetcher = Fetcher(self.app.store, self.app.policy, self.app.now, media, self.app.keeper, self.app.blobs, lambda: None)
        uploads = {platform: lambda png: f"picture-{len(png)}" for platform in Platform}
        self._drawing = Pictures(self.app.store, self.app.policy, self.app.now, uploads, lambda: None)

    def close(self) -> None:
        self.app.close()

    def step(self) -> str:
        """One thing that happens; what it was and how it was answered."""
        acts = (
            (self.wecom_says, 5),
            (self.wecom_press, 5),
            (self.wecom_noise, 2),
            (self.member_change, 1),
            (self.dingtalk_says, 5),
            (self.dingtalk_press, 5),
            (self.dingtalk_noise, 2),
            (self.card_page, 3),
            (self.page, 4),
            (self.form, 7),
            (self.picture, 1),
            (self.counted, 1),
            (self.time_passes, 1),
        )
        act = self.rng.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
        told = f"{act.__name__} {act()}"
        self.counts[told] += 1
        while self._sender.deliver_next() == 0.0:
            pass
        return told

    # -- WeCom -----------------------------------------------------------------------------------------------------------------

    def wecom_says(self) -> str:
        who = self._somebody()
        picture = self.rng.random() < 0.15
        body = {"MsgType": "image", "MediaId": f"m{self.rng.random()}"} if picture else {"MsgType": "text", "Content": self._words()}
        return self._wecom({"FromUserName": who, "MsgId": str(self.rng.randrange(10**9)), **body})

    def wecom_press(self) -> str:
        card_id, who, action, ticks = self._a_press(Platform.WECOM)
        options = {"OptionId": list(ticks)}
        return self._wecom(
            {
                "FromUserName": who,
                "MsgType": "event",
                "Event": "template_card_event",
                "EventKey": action,
                "TaskId": card_id,
                "CardType": "vote_interaction",
                "ResponseCode": f"R{self.rng.random()}",
                "SelectedItems": {"SelectedItem": {"QuestionKey": "ticks", "OptionIds": options}},
            }
        )

    def member_change(self) -> str:
        change = self.rng.choice(("update_user", "create_user", "update_user", "delete_user"))
        user = self.rng.choice(("he", "nobody", "sun2")) if change == "delete_user" else self._somebody()
        return self._wecom({"MsgType": "event", "Event": "change_contact", "ChangeType": change, "UserID": user})

    def wecom_noise(self) -> str:
        path, body = self._sealed(
            _xml({"MsgType": "text", "FromUserName": "boss", "Content": self._words()}).encode("utf-8", "replace")
        )
        return self._post(path, mutations.raw(self.rng, body), {"Content-Type": "text/xml"})

    def _wecom(self, fields: dict[str, Any]) -> str:
        fields = {"ToUserName": CORP, "CreateTime": "1760000200", "AgentID": str(AGENT), **fields}
        bent = mutations.value(self.rng, fields) if self.rng.random() < 0.4 else fields
        xml = _xml(bent).encode("utf-8", "replace")
        path, body = self._sealed(mutations.raw(self.rng, xml) if self.rng.random() < 0.1 else xml)
        return self._post(path, body, {"Content-Type": "text/xml"})

    def _sealed(self, xml: bytes) -> tuple[str, bytes]:
        stamp, nonce = str(int(self.app.now().timestamp())), str(self.rng.randrange(10**9))
        cipher, signature = self._seal.close(xml, stamp, nonce)
        body = f"<xml><ToUserName>{CORP}</ToUserName><AgentID>{AGENT}</AgentID><Encrypt>{cipher}</Encrypt></xml>".encode()
        return f"/wecom/callback?msg_signature={signature}&timestamp={stamp}&nonce={nonce}", body

    # -- DingTalk --------------------------------------------------------------------------------------------------------------

    def dingtalk_says(self) -> str:
        who, words = self._somebody(), self._words()
        message: dict[str, Any] = {
            "msgId": f"msg{self.rng.random()}",
            "senderStaffId": who,
            "conversationType": self.rng.choice("1112"),
            "conversationId": "cid1",
            "msgtype": "text",
            "text": {"content": words},
            "atUsers": [{"staffId": self._somebody()} for _ in range(self.rng.choice((0, 0, 1, 2)))],
        }
        if self.rng.random() < 0.2:
            pieces = [{"text": words}, {"type": "picture", "downloadCode": f"d{self.rng.random()}"}]
            message |= {"msgtype": "richText", "content": {"richText": pieces}}
        return self._robot(json.dumps(self._perhaps_bent(message)).encode())

    def dingtalk_press(self) -> str:
        card_id, who, action, ticks = self._a_press(Platform.DINGTALK)
        private = {"actionIds": ["form"], "params": {"action": action, "form": {"ticks": list(ticks)}}}
        content: Any = self._perhaps_bent({"cardPrivateData": private})
        body = {"type": "actionCallback", "outTrackId": card_id, "userId": who, "content": json.dumps(content)}
        return self._card(json.dumps(self._perhaps_bent(body)).encode())

    def dingtalk_noise(self) -> str:
        body = mutations.raw(self.rng, json.dumps({"msgId": "x", "senderStaffId": "boss", "text": {"content": self._words()}}).encode())
        return self._robot(body) if self.rng.random() < 0.5 else self._card(body)

    def _robot(self, body: bytes) -> str:
        stamp = str(int(self.app.now().timestamp() * 1000))
        secret = SECRETS["DINGTALK_CLIENT_SECRET"]
        return self._post("/dingtalk/robot", body, {"timestamp": stamp, "sign": _hmac(secret, f"{stamp}\n{secret}")})

    def _card(self, body: bytes) -> str:
        stamp = str(int(self.app.now().timestamp() * 1000))
        sign = _hmac(SECRETS["FUZZ_CARD_SECRET"], stamp)
        headers = {"x-ddpaas-signature-timestamp": stamp, "x-ddpaas-signature": sign}
        return self._post("/dingtalk/card", body, headers)

    # -- pages and pictures ----------------------------------------------------------------------------------------------------

    def card_page(self) -> str:
        """A card as a page, looked at or pressed."""
        card_id, _, action, ticks = self._a_press(self.rng.choice(list(Platform)))
        link = self._perhaps_bent_path(self.app.links.card(_as_utf8(card_id)))
        if self.rng.random() < 0.5:
            return self._answered(self.client.get(link))
        form = {"action": _as_utf8(action), "ticks": list(ticks), "nonce": str(self.rng.random())}
        return self._answered(self.client.post(link, data=form))

    def page(self) -> str:
        id, week = self._record(), self._week()
        paths = (f"/records/{id}", f"/write?about={self.rng.randrange(9)}", f"/week/{week}", f"/week/{week}/picture.png", *PAGES)
        path = self.rng.choice(paths)
        if self.rng.random() < 0.3:
            path += f"{'&' if '?' in path else '?'}{self.rng.choice(('back', 'about', 'done', 'next', 'code'))}={_quoted(self._odd())}"
        self._come_in(self._somebody())
        return self._answered(self.client.get(self._perhaps_bent_path(path)))

    def form(self) -> str:
        """A form of the pages, as a browser sends it, or nearly."""
        id = self._record()
        who = self._somebody() if self.rng.random() < 0.4 else self._concerned(id)
        word = self._come_in(who)
        subject = self.people[self.rng.choice(("li", "sun", "sun2", *self.people))].id
        record, week, today = f"/records/{id}", f"/week/{self._week()}", self.app.now().astimezone(SHANGHAI).date()
        forms: tuple[tuple[str, dict[str, Any]], ...] = (
            (
                "/write",
                {
                    "key": f"k{self.rng.randrange(40)}",
                    "subject": str(subject),
                    "kind": self.rng.choice(("praise", "improve")),
                    "scene": f"{MARK}上午那通退货来电",
                    "action": "先核对订单再答复退款时间",
                    "impact": "客户撤回了投诉",
                    "when": self.app.now().astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
                    **self.rng.choice(({}, {}, {"impact": "影响恶劣", "keep": "1"})),
                },
            ),
            (f"{record}/answer", {"answer": self.rng.choice(list(Answer)), "words": self._words()}),
            (f"{record}/pictures", {}),
            (f"{record}/edit", {"scene": self._words(), "action": "先核对订单再答复退款时间", "impact": f"{MARK}客户撤回了投诉"}),
            (f"{record}/withdraw", {}),
            (f"{record}/words", {"key": f"w{self.rng.randrange(40)}", "addition": self._words()}),
            (
                "/preferences",
                {
                    "quiet": self.rng.choice(("house", "own", "none")),
                    "begins": "22:00",
                    "ends": self.rng.choice(("07:30", "22:00", "")),
                    "rests": self.rng.choice(("yes", "no", "")),
                    "wanted": self.rng.choice(("reminder", "digest", "nudge")),
                },
            ),
            ("/preferences/stand-in", {"taker": str(subject), "first": str(today), "last": str(today + timedelta(days=2))}),
            ("/preferences/stand-in", {"back": "1"}),
            (f"{week}/contest", {"entry": str(self.rng.randrange(30))}),
            (f"{week}/count", {"record": str(id), "count": self.rng.choice(("3", "2.5", "0", "-1"))}),
            (f"{week}/named", {"named": self.rng.choice("01")}),
            ("/out", {}),
            ("/in/x", {}),
        )
        path, fields = self.rng.choices(forms, (8, 6, 3, 3, 1, 2, 1, 1, 1, 2, 3, 1, 0.4, 0.4))[0]
        fields = {"word": word, **fields}
        if self.rng.random() < 0.4:
            fields[self.rng.choice(list(fields))] = self._odd()
        data: dict[str, Any] = {name: _as_utf8(str(each)) for name, each in fields.items()}
        if self.rng.random() < 0.5:
            data["picture"] = (io.BytesIO(a_picture(self.rng)), self.rng.choice(("a.png", "../../x", "很.jpg", "")))
        return self._answered(self.client.post(path, data=data, content_type="multipart/form-data"))

    def picture(self) -> str:
        """What was sent is fetched; then a link to a picture is opened, perhaps a bent one."""
        while self._fetcher.fetch_next():
            pass
        with self.app.store.read() as tx:
            who = self.people[self.rng.choice(self.people_keys)]
            records = [record for id in self.records()[-60:] if (record := tx.feedback.find(id)) and tx.evidence.of(id)]
            shown = [each for record in records for each in self.app.pictures.of(tx, tx.people.get(who.id), record)]
        if not shown:
            return "none"
        return self._answered(self.client.get(self._perhaps_bent_path(self.rng.choice(shown).url)))

    def counted(self) -> str:
        """Another system tells what it counted."""
        event = {
            "key": f"{MARK}{self.rng.randrange(60)}",
            "person": self._somebody(),
            "rate": self.rng.choice(("return_saved", "order_added", "hour_saved")),
            "at": (self.app.now() - timedelta(hours=self.rng.randrange(200))).isoformat(),
            "count": self.rng.choice((1, 2.5, "3")),
            **self.rng.choice(({}, {"record": self._record()}, {"overlap": f"{MARK}same"}, {"system": "ERP"})),
        }
        body = json.dumps(self._perhaps_bent([event] * self.rng.choice((1, 1, 2)))).encode()
        headers = {"Authorization": f"Bearer {SECRETS['FUZZ_COUNTS_TOKEN']}"}
        headers |= {"Idempotency-Key": f"k{self.rng.randrange(30)}"} if self.rng.random() < 0.3 else {}
        bent = mutations.raw(self.rng, body) if self.rng.random() < 0.1 else body
        return self._post("/api/counts", bent, headers | {"Content-Type": "application/json"})

    # -- time ------------------------------------------------------------------------------------------------------------------

    def time_passes(self) -> str:
        self.forward(self.rng.choice((*[60] * 6, *[600] * 4, *[3600] * 3, 6 * 3600, 24 * 3600)))
        self.app.jobs.run_due()
        while self._drawing.draw_next():
            pass
        self.app.forgetter.tick()
        self.app.auditor.tick()
        return "on"

    def forward(self, seconds: float) -> None:
        """Move the business clock."""
        self._offset += seconds
        partial = self._clock.with_suffix(".new")
        partial.write_text(json.dumps({"offset_seconds": self._offset, "frozen_at": None}), "utf-8")
        partial.replace(self._clock)

    def records(self) -> list[int]:
        """The ids of all records there are, oldest first."""
        with self.app.store.engine.connect() as connection:
            return list(connection.execute(text("SELECT id FROM feedback ORDER BY id")).scalars())

    def rows(self) -> Counter[str]:
        """How many records and messages there are in each state."""
        with self.app.store.read() as tx:
            tables = {"record": tx.feedback.counts(), "message": tx.outbox.counts()}
        return Counter({f"{table} {state}": count for table, counts in tables.items() for state, count in counts.items()})

    # -- below -----------------------------------------------------------------------------------------------------------------

    def _somebody(self) -> str:
        return self.rng.choice((*self.people_keys, *["boss"] * 8, *["other", "li"] * 2, "stranger"))

    def _record(self) -> int:
        """One of the newer records, or perhaps none."""
        known = self.records()[-60:]
        return self.rng.choice(known) if known and self.rng.random() < 0.9 else self.rng.randrange(10**6)

    def _concerned(self, id: int) -> str:
        """The author or the subject of a record."""
        with self.app.store.read() as tx:
            record = tx.feedback.find(id)
        keys = {person.id: key for key, person in self.people.items()}
        return self.rng.choice((keys[record.author], keys[record.subject])) if record else "boss"

    def _week(self) -> str:
        return str(week_of(self.app.now()).back(self.rng.choice((0, 0, 1, 1, 2, -1))))

    people_keys = tuple(key for key, *_ in PEOPLE)

    def _words(self) -> str:
        said = self.rng.choice(self.rng.choice((FEEDBACK, COMMANDS)))
        said = mutations.text(self.rng, said) if self.rng.random() < 0.4 else said
        return f"{said}{MARK}" if self.rng.random() < 0.3 else said

    def _odd(self) -> str:
        return mutations.text(self.rng, self.rng.choice((*FEEDBACK, *COMMANDS, "1", "2026-09-14T11:00", "praise", "improved")))

    def _perhaps_bent_path(self, url: str) -> str:
        path = url.removeprefix(self.app.settings.web.public_url)
        return "/" + _quoted(mutations.text(self.rng, path).lstrip("/")) if self.rng.random() < 0.15 else path

    def _perhaps_bent(self, value: Any) -> Any:
        return mutations.value(self.rng, value) if self.rng.random() < 0.3 else value

    def _a_press(self, platform: Platform) -> tuple[str, str, str, Collection[str]]:
        """(card, presser, action, ticks): mostly of a card that was sent, by whom it was sent to."""
        with self.app.store.read() as tx:
            sent = [m for m in tx.outbox.recent(Sent.SENT, 60) if m.changes is None and m.to and m.to.platform == platform]
        asking = [message for message in sent if compose(message.card, message.data).interactive]
        message = self.rng.choice(asking or sent or [None])
        keys = {person.id: key for key, person in self.people.items()}
        who = keys.get(message.person or 0, "boss") if message and self.rng.random() < 0.9 else self._somebody()
        actions = [
            "give",
            "send:improve",
            "send:praise",
            "kind:praise",
            "more",
            "keep",
            "drop",
            "pick:3",
            "pick:4",
            "choose:1",
            "nudge",
        ]
        actions += ["take", "extend", "close", "close:talked", "back", "contest:1", "uphold", "strike", "checkin:3", "page:1"]
        about = self._record()
        actions += [
            *(f"{verb}:{about}" for verb in ("open", "nudge", "take", "extend", "close")),
            f"close:{about}:moved",
            *Answer,
            self._odd(),
        ]
        if message:
            actions += [b.action for b in compose(message.card, message.data).buttons] * 6
        ticks = self.rng.sample(("calm_first", "cut_in", "no_eta", "price_anchor", "?"), self.rng.randint(0, 3))
        return message.card_id if message and self.rng.random() < 0.95 else self._odd(), who, self.rng.choice(actions), ticks

    def _come_in(self, key: str) -> str:
        """A session of this person (a stranger has none); the word that his forms must bring."""
        self.client.delete_cookie("sanmiao")
        if key not in self.people:
            return "none"
        response = Response()
        self._sessions.begin(response, self.people[key].id)
        cookie = response.headers.getlist("Set-Cookie")[0].partition(";")[0].partition("=")[2]
        self.client.set_cookie("sanmiao", cookie)
        with self.client.application.test_request_context(headers={"Cookie": f"sanmiao={cookie}"}) as context:
            session = self._sessions.of(context.request)
        assert session is not None
        return session.word if self.rng.random() < 0.95 else "wrong"

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> str:
        return self._answered(self.client.post(path, data=body, headers=dict(headers)))

    def _answered(self, response: Any) -> str:
        with response:
            if response.status_code >= 500:
                raise Found(f"answered {response.status_code}")
            return str(response.status_code)


# -- what must hold ------------------------------------------------------------------------------------------------------------------


def check_log(lines: list[str], errors: list[str]) -> None:
    """Raises Found for an error that was logged, and for a line that tells what people wrote, who they are, or a secret."""
    if errors:
        raise Found(f"logged: {errors[0]}")
    private = (MARK, *(name for _, name, *_ in PEOPLE), *SECRETS.values())
    for line in lines:
        if any(words in line for words in private):
            raise Found(f"a log line tells too much: {line[:200]}")


def check_database(desk: Desk) -> None:
    """Raises Found when rows contradict each other."""
    wrong: list[str] = []
    with desk.app.store.read() as tx:
        for id in desk.records():
            record, loop, history = tx.feedback.get(id), tx.loops.get(id), tx.history.of(f"feedback:{id}")
            given = record.given_at is not None
            if given and not (record.scene and record.action and record.impact and record.kind):
                wrong.append(f"record {id} was given without one of its elements")
            if given != (loop is not None) or (given is (record.state in _NEVER_GIVEN) and record.state is not State.WITHDRAWN):
                wrong.append(f"record {id} is {record.state}, given {given}, with a loop {loop is not None}")
            if (record.state.value in set(Answer)) != (record.answered_at is not None):
                wrong.append(f"record {id} is {record.state}, answered at {record.answered_at}")
            if given and [entry.what for entry in history].count("given") != 1:
                wrong.append(f"record {id} was given more or less than once")
            stored = [item for item in tx.evidence.of(id) if item.state is Progress.STORED]
            wrong += [f"evidence {item.id} has no bytes" for item in stored if desk.app.blobs.get(item.blob or "") is None]
        failed = [(message.card, message.error_code) for message in tx.outbox.recent(Sent.FAILED, 10)]
    if desk.app.store.is_sqlite:  # which does not promise as much as PostgreSQL
        with desk.app.store.engine.connect() as connection:
            orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
            broken = connection.execute(text("PRAGMA integrity_check")).scalar_one()
        wrong += [f"rows without their parents: {orphans[:3]}"] * bool(orphans)
        wrong += [f"integrity: {broken}"] * (broken != "ok")
    wrong += [f"messages that could not be drawn or sent: {failed}"] * bool(failed)
    if wrong:
        raise Found("; ".join(wrong[:5]))


def run(seed: int, go_on: Callable[[int], bool], url: str | None = None) -> tuple[Counter[str], Counter[str]]:
    """Steps while `go_on(steps done)`; how often each kind was answered how, and what is in the database then. `url` is an empty
    PostgreSQL database; None: SQLite. Raises Found."""
    root, ears = logging.getLogger(), Ears()
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder), seed, url)
        level = root.level
        root.addHandler(ears)
        root.setLevel(logging.INFO)
        steps, told = 0, "the start"
        try:
            while go_on(steps):
                steps += 1
                told = desk.step()
                check_log(*ears.heard())
                if steps % CHECK_EVERY == 0:
                    check_database(desk)
            check_database(desk)
            return desk.counts, desk.rows()
        except Exception as error:
            _, errors = ears.heard()
            raise Found(f"seed {seed}, step {steps} (after {told}): {error!r}\n" + "\n".join(errors)) from error
        finally:
            root.removeHandler(ears)
            root.setLevel(level)
            desk.close()


def a_picture(rng: random.Random) -> bytes:
    """A small picture, good or bent, or something that only calls itself one."""
    out = io.BytesIO()
    size = rng.randint(1, 60), rng.randint(1, 60)
    Image.new(rng.choice(("RGB", "L", "P")), size, rng.randrange(256)).save(out, rng.choice(("PNG", "GIF", "BMP", "WEBP", "TIFF")))
    good = out.getvalue()
    return rng.choice((good, good, mutations.raw(rng, good), mutations.raw(rng, good), rng.randbytes(80), b""))


def _app(folder: Path, clock: Path, url: str) -> App:
    config = yaml.safe_load((ROOT / "demo" / "config.yaml").read_text("utf-8"))
    config |= {
        "database": {"url": url},
        "web": {"public_url": "http://127.0.0.1:9"},
        "people": {"fallback_hrbp": "hr", "sync_at": "", "administrators": ["hr"]},
        "retention": {"inbox_days": 3, "outbox_days": 30, "drafts_days": 7, "rulings_days": 1, "usage_days": 62},
        "groups": [
            {"name": "客服部", "platform": platform.value, "chat_id": f"chat-{platform}", "leader": "boss"} for platform in Platform
        ],
        "dingtalk": {"enabled": True, "client_id": "fuzz", "card_template_id": "t.schema", "mode": "http"},
        "wecom": {"enabled": True, "corp_id": CORP, "agent_id": AGENT},
        "evidence": {"folder": str(folder / "evidence")},
        "demo": {"clock_file": str(clock)},
    }
    config["digests"] |= {"leaders": ["hr"], "counts_token": "${FUZZ_COUNTS_TOKEN}"}
    config["dingtalk"]["card_api_secret"] = "${FUZZ_CARD_SECRET}"
    (folder / "fuzz.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    app = build(load(folder / "fuzz.yaml", SECRETS))
    upgrade(app.store.engine)
    return app


def _channels() -> Mapping[Platform, Channel]:
    nobody, patience = "http://127.0.0.1:9", (0.1, 0.1)
    dingtalk = DingTalkChannel(DingTalkApi("fuzz", "x", nobody, nobody, patience), "fuzz", "t.schema", "sanmiao")
    wecom = WeComChannel(WeComApi(CORP, "x", nobody, patience), AGENT)
    return {Platform.DINGTALK: Nowhere(dingtalk), Platform.WECOM: Nowhere(wecom)}


def _rates() -> Mapping[Platform, Rates]:
    return dict.fromkeys(Platform, Rates(Rate(2_000_000, 1.0)))


def _as_utf8(words: str) -> str:
    """As a browser sends it: half a surrogate pair becomes a question mark."""
    return words.encode("utf-8", "replace").decode()


def _quoted(words: str) -> str:
    return urllib.parse.quote(words, safe="/?=&", errors="replace")


def _xml(fields: Any) -> str:
    return f"<xml>{_elements(fields)}</xml>"


def _elements(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(
            f"<{name or 'x'}>{_elements(each)}</{name or 'x'}>"
            for name, many in value.items()
            for each in (many if isinstance(many, list) else [many])
        )
    return escape("" if value is None else str(value), {"\x00": ""})


def _hmac(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


@click.command()
@click.option("--seconds", default=300.0, show_default=True, help="How long.")
@click.option("--steps", default=0, help="How many steps instead.")
@click.option("--seed", default=1, show_default=True)
@click.option("--postgres", "on_postgres", is_flag=True, help="On a PostgreSQL of this run's own instead of SQLite.")
def main(seconds: float, steps: int, seed: int, on_postgres: bool) -> None:
    """Throw things at the bot until something breaks."""
    began = time.monotonic()
    go_on: Callable[[int], bool] = (lambda done: done < steps) if steps else (lambda done: time.monotonic() - began < seconds)
    try:
        with postgres() if on_postgres else nullcontext() as url:
            counts, rows = run(seed, go_on, url)
    except Found as found:
        raise click.ClickException(str(found)) from None
    lasted = timedelta(seconds=round(time.monotonic() - began))
    for told, count in (*sorted(counts.items()), *sorted(rows.items())):
        click.echo(f"{count:>7}  {told}")
    click.echo(f"seed {seed}: {counts.total()} steps in {lasted}, nothing broke")


if __name__ == "__main__":
    main()
