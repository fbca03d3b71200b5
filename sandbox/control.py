"""The control API (docs/sandbox-openapi.yaml): see what people see, act as them, move the clock, set faults, read the records."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import requests
import yaml
from flask import Blueprint, Response, jsonify, redirect, request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from sandbox.chats import Chat, Message, is_for
from sandbox.clock import iso, parse_iso
from sandbox.company import PLATFORMS, Account, Person, Platform
from sandbox.dingtalk import acts as dingtalk_acts
from sandbox.dingtalk import cards as dingtalk_cards
from sandbox.dingtalk import contacts as dingtalk_contacts
from sandbox.dingtalk import raw as dingtalk_raw
from sandbox.dingtalk import robot as dingtalk_robot
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.push import post_event
from sandbox.doubts import DOUBTS
from sandbox.faults import Fault
from sandbox.login import COOKIE
from sandbox.media import media_file
from sandbox.neutral import Neutral
from sandbox.outcome import Outcome
from sandbox.problems import Problem
from sandbox.store import Doc
from sandbox.tap import NotOnTheCard, Tap
from sandbox.wecom import acts as wecom_acts
from sandbox.wecom import contacts as wecom_contacts
from sandbox.wecom import raw as wecom_raw
from sandbox.wecom import texts as wecom_texts
from sandbox.wecom.callback import VerificationFailed, callback_url, set_callback_url
from sandbox.world import CALLBACK_SETTINGS, World

SPECIFICATION = Path(__file__).parent.parent / "docs" / "sandbox-openapi.yaml"
AGENDA_SECONDS = 5.0
LARGEST_PICTURE = 20 * 1024 * 1024


class Body(BaseModel):
    """A request body: unknown properties are mistakes."""

    model_config = ConfigDict(extra="forbid")


class SayBody(Body):
    person: str
    text: str | None = None
    picture: str | None = None
    file_name: str = "picture.png"
    mention_bot: bool = False


class TapBody(Body):
    person: str
    platform: Platform
    button: str | None = None
    submit: bool = False
    menu: str | None = None
    ticked: list[str] | None = None
    fields: dict[str, Any] = Field(default_factory=dict)
    selects: dict[str, str] = Field(default_factory=dict)
    force: bool = False


class PersonBody(Body):
    person: str


class PersonChange(Body):
    name: str = ""
    department: int = 0
    position: str = ""
    supervisor: str | None = None
    leader: bool = False
    mobile: str = ""
    wecom: Account | None = None
    dingtalk: Account | None = None
    left: bool = False


class ClockBody(Body):
    advance_seconds: float | None = None
    set: str | None = None
    freeze: bool | None = None
    to: str | None = Field(default=None, pattern="^next-due$")


class SwitchesBody(Body):
    switches: dict[str, bool | int | float | str]


class WecomCallbackBody(Body):
    url: str | None


class DingtalkCallbackBody(Body):
    mode: str = Field(pattern="^(stream|http)$")
    url: str | None = None
    event_url: str | None = None
    token: str = ""
    encoding_aes_key: str = Field(default="", pattern="^([A-Za-z0-9]{43})?$")
    owner_key: str = ""


class RawBody(Body):
    platform: Platform
    variant: str
    person: str | None = None
    body: str | None = None
    key: str | None = None
    size_bytes: int | None = Field(default=None, ge=1, le=16 * 1024 * 1024)


Parsed = TypeVar("Parsed", bound=BaseModel)


@cache
def specification() -> Doc:
    """docs/sandbox-openapi.yaml."""
    found: Doc = yaml.load(SPECIFICATION.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return found


class Control:
    """The functions behind the routes, in the order of the specification."""

    def __init__(self, world: World, dingtalk: DingTalk, agenda_url: str | None, port: int) -> None:
        self.world, self.dingtalk, self.agenda_url, self.port = world, dingtalk, agenda_url, port

    # ---- people, phones, chats

    def people(self) -> Doc:
        """Everybody, departments and groups."""
        groups = [group for platform in PLATFORMS for group in self.world.chats.groups(platform)]
        return {
            "people": [person.model_dump() for person in self.world.directory],
            "departments": [each.model_dump() for each in self.world.company.departments],
            "groups": [_group(group) for group in groups],
        }

    def change_person(self, key: str) -> Doc:
        """Join, leave, move; and the contact events that follow."""
        change = _body(PersonChange)
        try:
            before, after = self.world.directory.change(key, change.model_dump(exclude_unset=True))
        except (ValidationError, ValueError) as error:
            raise Problem(400, "bad-person", _first_line(error)) from error
        self.world.chats.note_change("people")
        outcomes = [
            wecom_contacts.contact_event(self.world, before, after),
            dingtalk_contacts.contact_event(self.dingtalk, before, after),
        ]
        return {"person": after.model_dump(), "events": [asdict(each) for each in outcomes if each]}

    def phones(self) -> Doc:
        """Pinned ones first, then everybody on both platforms."""
        pinned = [(phone.person, phone.platform) for phone in self.world.company.phones]
        everybody = [(person.key, platform) for person in self.world.directory for platform in PLATFORMS]
        phones = []
        for key, platform in dict.fromkeys([*pinned, *everybody]):
            person = self.world.directory.get(key)
            if person and person.account(platform) and not person.left:
                phones.append(self._phone(person, platform, (key, platform) in pinned))
        return {"phones": phones}

    def chats(self) -> Doc:
        """The chats on one phone."""
        platform, person = self._platform(), self._person(request.args.get("person"))
        if person.account(platform) is None:
            raise Problem(404, "not-on-this-platform", f"{person.key} has no account on {platform}")
        return {"chats": [self._chat(chat, person) for chat in self.world.chats.of_person(platform, person)]}

    def messages(self, chat_id: str) -> Doc:
        """As one person sees them."""
        chat, person = self._chat_of(chat_id, request.args.get("person"))
        change = self.world.chats.latest_change
        found = self.world.chats.of_chat(chat.id, _number("after", 0, 0), _number("limit", 500, 1, 2000))
        shown = [self._message(message, chat, person) for message in found if is_for(message, person.key)]
        return {"chat": self._chat(chat, person), "messages": shown, "change": change}

    def say(self, chat_id: str) -> Doc:
        """Send text or a picture as a person."""
        said, picture = _said()
        chat, person = self._chat_of(chat_id, said.person)
        if (said.text is None) == (picture is None):
            raise Problem(400, "text-or-picture", "one of text and picture is needed")
        message, outcome = self._deliver(chat, person, said, picture)
        return {"message": self._message(message, chat, person), "outcome": asdict(outcome)}

    def open_chat(self, chat_id: str) -> Doc:
        """Everything in it is read."""
        chat, person = self._chat_of(chat_id, _body(PersonBody).person)
        read = self.world.chats.mark_read(chat, person.key)
        if chat.platform == "dingtalk":
            dingtalk_acts.opened(self.dingtalk, chat, person, read)
        elif chat.kind == "private" and self.world.switches.on("wecom.report_enter_agent"):
            self.world.deferral.later(0, lambda: wecom_acts.enter(self.world, person))
        return self._chat(chat, person)

    # ---- cards

    def card(self, card_id: str) -> Doc:
        """One card as one person sees it."""
        found = self._find_card(card_id, self._platform(), self._person(request.args.get("person")))
        if found is None:
            raise Problem(404, "unknown-card", f"there is no card {card_id}")
        return found

    def tap(self, card_id: str) -> Doc:
        """Press, and tell what became of it."""
        body = _body(TapBody)
        if [body.button is not None, body.submit, body.menu is not None].count(True) != 1:
            raise Problem(400, "one-action", "exactly one of button, submit and menu is needed")
        person = self._person(body.person)
        wanted = Tap(**body.model_dump(exclude={"person", "platform"}))
        try:
            if body.platform == "wecom":
                outcome = wecom_acts.tap(self.world, card_id, person, wanted)
            else:
                outcome = dingtalk_acts.tap(self.dingtalk, card_id, person, wanted)
        except KeyError as error:
            raise Problem(404, "unknown-card", f"there is no card {card_id} on {body.platform} for {person.key}") from error
        except NotOnTheCard as error:
            raise Problem(409, "not-on-the-card", str(error)) from error
        return {"outcome": asdict(outcome), "card": self._find_card(card_id, body.platform, person)}

    def media(self, media_id: str) -> Response:
        """The bytes of a picture or file."""
        found = media_file(self.world, media_id)
        if found is None:
            raise Problem(404, "unknown-media", f"there is no file {media_id}")
        kept, content = found
        return Response(
            content, content_type=kept["mime"], headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=86400"}
        )

    def open_link(self) -> AnyResponse:
        """Remember whose phone it is, then go there."""
        platform, person, url = self._platform(), self._person(request.args.get("person")), request.args.get("url", "")
        if not url.startswith(("http://", "https://")):
            raise Problem(400, "bad-url", "url begins with http:// or https://")
        answer = redirect(url)
        answer.set_cookie(COOKIE, f"{platform}|{person.key}", httponly=True, samesite="Lax")
        return answer

    def changes(self) -> Doc:
        """What is new; waits for it."""
        latest, changes = self.world.chats.changes(_number("after", 0, 0), _seconds("wait", 0, 55))
        return {"latest": latest, "changes": changes}

    # ---- clock

    def clock(self) -> Doc:
        """The business clock."""
        clock = self.world.clock
        return {
            "now": iso(clock.now()),
            "offset_seconds": clock.offset_seconds,
            "frozen": clock.frozen,
            "next_due_available": self.agenda_url is not None,
        }

    def move_clock(self) -> Doc:
        """Move, set, stop, start."""
        body = _body(ClockBody)
        moves = [body.advance_seconds is not None, body.set is not None, body.to is not None].count(True)
        if moves > 1 or (moves == 0 and body.freeze is None):
            raise Problem(400, "one-move", "one of advance_seconds, set and to is needed, or freeze")
        if body.freeze:
            self.world.clock.freeze(True)
        try:
            if body.advance_seconds is not None:
                self.world.clock.advance(timedelta(seconds=body.advance_seconds))
            elif body.set is not None:
                self.world.clock.set(parse_iso(body.set))
            elif body.to is not None:
                self._to_next_due()
        except (ValueError, OverflowError) as error:
            raise Problem(400, "bad-time", _first_line(error)) from error
        if body.freeze is False:
            self.world.clock.freeze(False)
        self.world.chats.note_change("clock")
        return self.clock()

    # ---- faults

    def faults(self) -> Doc:
        """What is switched on."""
        return {"faults": [fault.model_dump() for fault in self.world.faults.all()]}

    def set_faults(self) -> Doc:
        """One more, or a list instead of all."""
        wanted: Fault | list[Fault] = _validated(TypeAdapter(Fault | list[Fault]), _json())
        several = wanted if isinstance(wanted, list) else [wanted]
        try:
            for fault in several:
                fault.check()
        except ValueError as error:
            raise Problem(400, "bad-fault", str(error)) from error
        if isinstance(wanted, list):
            self.world.faults.clear()
        for fault in several:
            self.world.faults.set(fault)
        self.world.chats.note_change("faults")
        return self.faults()

    def clear_faults(self) -> Doc:
        """All off."""
        self.world.faults.clear()
        self.world.chats.note_change("faults")
        return self.faults()

    def clear_fault(self, fault_id: str) -> Doc:
        """One off."""
        if not self.world.faults.clear(fault_id):
            raise Problem(404, "unknown-fault", f"there is no fault {fault_id}")
        self.world.chats.note_change("faults")
        return self.faults()

    # ---- records

    def entries(self, table: str) -> Doc:
        """One of the three records."""
        found = self.world.ledger.entries(table, _number("after", 0, 0), _number("limit", 500, 1, 5000))
        return {table: found, "latest": found[-1]["n"] if found else _number("after", 0, 0)}

    def meters(self) -> Doc:
        """What was used."""
        return self.world.meters.report()

    def set_quotas(self) -> Doc:
        """Other limits."""
        try:
            self.world.meters.set_quotas(_json())
        except (ValidationError, TypeError) as error:
            raise Problem(400, "bad-quotas", _first_line(error)) from error
        return self.meters()

    def doubts(self) -> Doc:
        """Open questions with their readings."""
        values = self.world.switches.all()
        return {
            "doubts": [
                {name: getattr(doubt, name) for name in ("switch", "platform", "question", "reading", "source")}
                | {"value": values.get(doubt.switch or "")}
                for doubt in DOUBTS
            ]
        }

    # ---- connection to the bot

    def settings(self) -> Doc:
        """Ports, ids, callbacks, switches."""
        company, callback = self.world.company, self.dingtalk.callback
        return {
            "port": self.port,
            "gateway_port": self.dingtalk.gateway.port,
            "wecom": {"corp_id": company.wecom.corp_id, "agent_id": company.wecom.agent_id, "callback_url": callback_url(self.world)},
            "dingtalk": {
                "corp_id": company.dingtalk.corp_id,
                "client_id": company.dingtalk.client_id,
                "robot_code": company.dingtalk.robot_code,
                "mode": callback["mode"],
                "callback_url": callback["url"],
                "event_url": callback["event_url"],
                "template_id": self.dingtalk.spec.template_id if self.dingtalk.spec else None,
            },
            "switches": self.world.switches.all(),
        }

    def change_settings(self) -> Doc:
        """Other readings of the doubts."""
        try:
            self.world.switches.set(_body(SwitchesBody).switches)
        except ValueError as error:
            raise Problem(400, "bad-switch", str(error)) from error
        return self.settings()

    def set_wecom_callback(self) -> Doc:
        """Verified as the console does."""
        url = _body(WecomCallbackBody).url
        _check_url(url)
        try:
            set_callback_url(self.world, url)
        except VerificationFailed as error:
            raise Problem(409, "url-verification-failed", str(error)) from error
        return self.settings()

    def set_dingtalk_callback(self) -> Doc:
        """Stream or HTTP; an event address is checked with check_url."""
        body = _body(DingtalkCallbackBody)
        _check_url(body.url)
        _check_url(body.event_url)
        if body.mode == "http" and not body.url:
            raise Problem(400, "url-missing", "the HTTP mode needs url")
        kept = body.model_dump() | {"owner_key": body.owner_key or self.world.company.dingtalk.client_id}
        if body.event_url:
            if not (body.token and body.encoding_aes_key):
                raise Problem(400, "keys-missing", "event_url needs token and encoding_aes_key")
            outcome = post_event(self.dingtalk, kept, {"EventType": "check_url"})
            if not outcome.delivered:
                raise Problem(409, "url-verification-failed", outcome.reason or "check_url was not answered with success")
        self.world.store.put(CALLBACK_SETTINGS, "dingtalk", kept)
        return self.settings()

    def connections(self) -> Doc:
        """Open websockets."""
        return {
            "connections": [
                {
                    "id": each.id,
                    "opened_at": each.opened_at,
                    "ua": each.ua,
                    "subscriptions": sorted(f"{kind} {topic}" for kind, topic in each.subscriptions),
                    "state": "closing" if each.closing else "open",
                }
                for each in self.dingtalk.gateway.connections()
            ]
        }

    def disconnect(self) -> Doc:
        """End them."""
        how = request.args.get("how", "graceful")
        if how not in ("graceful", "cut"):
            raise Problem(400, "bad-query", "how is graceful or cut")
        return {"ended": self.dingtalk.gateway.disconnect(how)}

    def raw_event(self) -> Doc:
        """An unusual delivery, once."""
        body = _body(RawBody)
        person = self._person(body.person) if body.person else self._first_phone(body.platform)
        if person.account(body.platform) is None:
            raise Problem(404, "not-on-this-platform", f"{person.key} has no account on {body.platform}")
        if body.platform == "wecom" and callback_url(self.world) is None:
            raise Problem(409, "no-callback", "set the WeCom callback URL first")
        wish = body.model_dump(exclude_none=True)
        try:
            if body.platform == "wecom":
                outcome = wecom_raw.raw_event(self.world, body.variant, person, wish)
            else:
                outcome = dingtalk_raw.raw_event(self.dingtalk, body.variant, person, wish)
        except KeyError as error:
            raise Problem(400, "unknown-variant", f"{body.platform} has no variant {body.variant!r}") from error
        return asdict(outcome)

    def reset(self) -> Doc:
        """Forget nearly everything."""
        self.world.reset()
        return self.settings()

    # ---- helpers

    def _person(self, key: str | None) -> Person:
        person = self.world.directory.get(key) if key else None
        if person is None:
            raise Problem(404, "unknown-person", f"nobody has the key {key!r}")
        return person

    def _platform(self) -> Platform:
        wanted = request.args.get("platform")
        for platform in PLATFORMS:
            if platform == wanted:
                return platform
        raise Problem(400, "bad-query", "platform is wecom or dingtalk")

    def _chat_of(self, chat_id: str, key: str | None) -> tuple[Chat, Person]:
        chat, person = self.world.chats.find(chat_id), self._person(key)
        if chat is None or person.key not in chat.members:
            raise Problem(404, "unknown-chat", f"{person.key} has no chat {chat_id}")
        return chat, person

    def _first_phone(self, platform: Platform) -> Person:
        keys = [phone.person for phone in self.world.company.phones if phone.platform == platform]
        keys += [person.key for person in self.world.directory.visible(platform)]
        if not keys:
            raise Problem(404, "unknown-person", f"nobody is on {platform}")
        return self._person(keys[0])

    def _phone(self, person: Person, platform: Platform, pinned: bool) -> Doc:
        unread = sum(len(self.world.chats.unread(chat, person.key)) for chat in self.world.chats.of_person(platform, person))
        department = self.world.directory.departments[person.department].name
        known = {"person": person.key, "name": person.name, "position": person.position, "department": department}
        return known | {"platform": platform, "unread": unread, "pinned": pinned}

    def _chat(self, chat: Chat, person: Person) -> Doc:
        last = [
            message for message in self.world.chats.of_chat(chat.id, limit=20) if is_for(message, person.key) and not message.recalled
        ]
        return {
            "id": chat.id,
            "kind": chat.kind,
            "platform": chat.platform,
            "title": chat.title,
            "members": list(chat.members),
            "unread": len(self.world.chats.unread(chat, person.key)),
            "last_text": _preview(last[-1]) if last else "",
            "last_at": last[-1].at if last else None,
        }

    def _message(self, message: Message, chat: Chat, person: Person) -> Doc:
        sender = self.world.directory.get(message.sender) if message.sender else None
        is_card = chat.platform == "dingtalk" and message.card is not None
        return {
            "id": message.id,
            "seq": message.seq,
            "at": message.at,
            "from": {
                "kind": "person" if message.sender else "bot",
                "key": message.sender,
                "name": sender.name if sender else self.world.chats.private(chat.platform, person).title,
            },
            "kind": message.kind,
            "text": "" if message.recalled else message.text,
            "card": None if message.recalled else self._card_of(message, chat.platform, person),
            "content": {} if message.recalled else message.content,
            "platform_raw": dingtalk_cards.raw(self.dingtalk, message) if is_card else message.raw,
            "updated_at": message.updated_at,
            "recalled": message.recalled,
            "read": self.world.chats.read_up_to(chat.id, person.key) >= message.seq,
        }

    def _card_of(self, message: Message, platform: Platform, person: Person) -> Neutral | None:
        if platform == "dingtalk":
            return dingtalk_cards.show(self.dingtalk, message, person) or dingtalk_robot.show(message)
        return wecom_acts.show(message) or (wecom_texts.show_textcard(message.raw) if message.kind == "action_card" else None)

    def _find_card(self, card_id: str, platform: Platform, person: Person) -> Neutral | None:
        copies = self.world.chats.of_card(f"{platform}|{card_id}")
        if platform == "wecom":
            own = self.world.chats.private("wecom", person).id
            copies = [copy for copy in copies if copy.chat == own]
        return self._card_of(copies[-1], platform, person) if copies else None

    def _deliver(self, chat: Chat, person: Person, said: SayBody, picture: bytes | None) -> tuple[Message, Outcome]:
        if chat.platform == "wecom":
            if picture is not None:
                return wecom_acts.send_picture(self.world, chat, person, picture, said.file_name)
            return wecom_acts.say(self.world, chat, person, said.text or "")
        if picture is not None:
            return dingtalk_acts.send_picture(self.dingtalk, chat, person, picture, said.file_name, mention_bot=said.mention_bot)
        return dingtalk_acts.say(self.dingtalk, chat, person, said.text or "", mention_bot=said.mention_bot)

    def _to_next_due(self) -> None:
        """Ask the bot's agenda and be there; a time that has passed already moves nothing."""
        if self.agenda_url is None:
            raise Problem(409, "no-agenda", "the sandbox was started without an agenda address")
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(self.agenda_url, timeout=AGENDA_SECONDS)
                answer.raise_for_status()
                due = answer.json()["next_due_at"]
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise Problem(502, "agenda-unreachable", f"the agenda did not answer: {type(error).__name__}") from error
        if due is None:
            raise Problem(409, "nothing-due", "nothing is due")
        moment = parse_iso(due)
        if moment > self.world.clock.now():
            self.world.clock.set(moment)


def control_blueprint(control: Control) -> Blueprint:
    """The routes below /sandbox."""
    routes = Blueprint("control", __name__, url_prefix="/sandbox")

    def on(rule: str, method: str, view: Callable[..., Doc | AnyResponse]) -> None:
        name = f"{method}_{rule}".replace("/", "_").replace(".", "_")

        def answer(**parts: str) -> AnyResponse:
            found = view(**parts)
            return jsonify(found) if isinstance(found, dict) else found

        routes.add_url_rule(rule, endpoint=name, view_func=answer, methods=[method])

    on("/openapi.json", "GET", specification)
    on("/people", "GET", control.people)
    on("/people/<key>", "PUT", control.change_person)
    on("/phones", "GET", control.phones)
    on("/chats", "GET", control.chats)
    on("/chats/<chat_id>/messages", "GET", control.messages)
    on("/chats/<chat_id>/messages", "POST", control.say)
    on("/chats/<chat_id>/open", "POST", control.open_chat)
    on("/cards/<path:card_id>", "GET", control.card)
    on("/cards/<path:card_id>/tap", "POST", control.tap)
    on("/media/<media_id>", "GET", control.media)
    on("/open", "GET", control.open_link)
    on("/changes", "GET", control.changes)
    on("/clock", "GET", control.clock)
    on("/clock", "POST", control.move_clock)
    on("/faults", "GET", control.faults)
    on("/faults", "PUT", control.set_faults)
    on("/faults", "DELETE", control.clear_faults)
    on("/faults/<fault_id>", "DELETE", control.clear_fault)
    on("/requests", "GET", lambda: control.entries("requests"))
    on("/deliveries", "GET", lambda: control.entries("deliveries"))
    on("/warnings", "GET", lambda: control.entries("warnings"))
    on("/meters", "GET", control.meters)
    on("/quotas", "PUT", control.set_quotas)
    on("/settings", "GET", control.settings)
    on("/settings", "PUT", control.change_settings)
    on("/doubts", "GET", control.doubts)
    on("/wecom/callback", "PUT", control.set_wecom_callback)
    on("/dingtalk/callback", "PUT", control.set_dingtalk_callback)
    on("/dingtalk/connections", "GET", control.connections)
    on("/dingtalk/connections", "DELETE", control.disconnect)
    on("/events/raw", "POST", control.raw_event)
    on("/reset", "POST", control.reset)
    routes.register_error_handler(Problem, lambda problem: problem.response())
    return routes


def _json() -> Any:
    try:
        return json.loads(request.get_data() or b"null")
    except ValueError as error:
        raise Problem(400, "bad-json", "the body is no JSON") from error


def _body(kind: type[Parsed]) -> Parsed:
    found: Parsed = _validated(TypeAdapter(kind), _json())
    return found


def _validated(adapter: TypeAdapter[Any], value: object) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise Problem(400, "bad-body", _first_line(error)) from error


def _said() -> tuple[SayBody, bytes | None]:
    """The body of a message, JSON or multipart, with the picture's bytes."""
    if request.mimetype == "multipart/form-data":
        part = request.files.get("picture")
        said: SayBody = _validated(TypeAdapter(SayBody), request.form.to_dict())
        if part is None:
            return said, None
        return said.model_copy(update={"file_name": part.filename or said.file_name}), part.stream.read(LARGEST_PICTURE)
    said = _body(SayBody)
    if said.picture is None:
        return said, None
    try:
        return said, base64.b64decode(said.picture, validate=True)
    except binascii.Error as error:
        raise Problem(400, "bad-picture", "picture is base64") from error


def _number(name: str, default: int, least: int, most: int | None = None) -> int:
    try:
        value = int(request.args.get(name, default))
    except ValueError as error:
        raise Problem(400, "bad-query", f"{name} is a number") from error
    if value < least or (most is not None and value > most):
        raise Problem(400, "bad-query", f"{name} is out of range")
    return value


def _seconds(name: str, least: float, most: float) -> float:
    try:
        value = float(request.args.get(name, least))
    except ValueError as error:
        raise Problem(400, "bad-query", f"{name} is a number") from error
    if not least <= value <= most:
        raise Problem(400, "bad-query", f"{name} is {least:g} to {most:g}")
    return value


def _check_url(url: str | None) -> None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise Problem(400, "bad-url", "a URL begins with http:// or https://")


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0]


def _group(group: Chat) -> Doc:
    members = list(group.members)
    known = {"key": group.key, "name": group.title, "platform": group.platform, "chat_id": group.chat_id}
    return known | {"members": members, "robot_in": group.robot_in}


def _preview(message: Message) -> str:
    names = {"image": "[图片]", "file": "[文件]", "voice": "[语音]", "video": "[视频]"}
    text = message.content.get("preview") or message.text or names.get(message.kind, "")
    return " ".join(str(text).split())[:60]
