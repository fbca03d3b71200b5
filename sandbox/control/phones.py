"""The control API's acting half: see what people see, and write, tap and read as them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import Response, redirect, request
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from sandbox.chats import Chat, Message
from sandbox.company import PLATFORMS, Person
from sandbox.control.bodies import PersonBody, PersonChange, SayBody, TapBody, body_of, first_line, message_body, number_of, seconds_of
from sandbox.control.finding import chat_of, person_of, platform_of
from sandbox.control.view import View, group_shown
from sandbox.dingtalk import acts as dingtalk_acts
from sandbox.dingtalk import contacts as dingtalk_contacts
from sandbox.dingtalk.hub import DingTalk
from sandbox.login import COOKIE
from sandbox.media import media_file
from sandbox.outcome import Outcome
from sandbox.problems import Problem
from sandbox.store import Doc
from sandbox.tap import NotOnTheCard, Tap, UnknownCard
from sandbox.wecom import acts as wecom_acts
from sandbox.wecom import contacts as wecom_contacts
from sandbox.world import World


@dataclass(frozen=True)
class Phones:
    """The functions behind the routes of people, chats and cards, in the order of the specification."""

    world: World
    dingtalk: DingTalk
    view: View

    def people(self) -> Doc:
        """Everybody, departments and groups."""
        groups = [group for platform in PLATFORMS for group in self.world.chats.groups(platform)]
        return {
            "people": [person.model_dump() for person in self.world.directory],
            "departments": [each.model_dump() for each in self.world.company.departments],
            "groups": [group_shown(group) for group in groups],
        }

    def change_person(self, key: str) -> Doc:
        """Join, leave, move; and the contact events that follow."""
        change = body_of(PersonChange)
        try:
            before, after = self.world.directory.change(key, change.model_dump(exclude_unset=True))
        except (ValidationError, ValueError) as error:
            raise Problem(400, "bad-person", first_line(error)) from error
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
                phones.append(self.view.phone(person, platform, (key, platform) in pinned))
        return {"phones": phones}

    def chats(self) -> Doc:
        """The chats on one phone."""
        platform, person = platform_of(), person_of(self.world, request.args.get("person"))
        if person.account(platform) is None:
            raise Problem(404, "not-on-this-platform", f"{person.key} has no account on {platform}")
        return {"chats": [self.view.chat(chat, person) for chat in self.world.chats.of_person(platform, person)]}

    def messages(self, chat_id: str) -> Doc:
        """As one person sees them."""
        chat, person = chat_of(self.world, chat_id, request.args.get("person"))
        change = self.world.chats.latest_change
        found = self.world.chats.of_chat(chat.id, number_of("after", 0, 0), number_of("limit", 500, 1, 2000))
        return {"chat": self.view.chat(chat, person), "messages": self.view.messages(found, chat, person), "change": change}

    def say(self, chat_id: str) -> Doc:
        """Send text or a picture as a person."""
        said, picture = message_body()
        chat, person = chat_of(self.world, chat_id, said.person)
        if (said.text is None) == (picture is None):
            raise Problem(400, "text-or-picture", "one of text and picture is needed")
        message, outcome = self._deliver(chat, person, said, picture)
        return {"message": self.view.messages([message], chat, person)[0], "outcome": asdict(outcome)}

    def open_chat(self, chat_id: str) -> Doc:
        """Everything in it is read."""
        chat, person = chat_of(self.world, chat_id, body_of(PersonBody).person)
        read = self.world.chats.mark_read(chat, person.key)
        if chat.platform == "dingtalk":
            dingtalk_acts.opened(self.dingtalk, chat, person, read)
        elif chat.kind == "private" and self.world.switches.on("wecom.report_enter_agent"):
            self.world.deferral.later(0, lambda: wecom_acts.enter(self.world, person))
        return self.view.chat(chat, person)

    def card(self, card_id: str) -> Doc:
        """One card as one person sees it."""
        found = self.view.card(card_id, platform_of(), person_of(self.world, request.args.get("person")))
        if found is None:
            raise Problem(404, "unknown-card", f"there is no card {card_id}")
        return found

    def tap(self, card_id: str) -> Doc:
        """Press, and tell what became of it."""
        body = body_of(TapBody)
        if [body.button is not None, body.submit, body.menu is not None].count(True) != 1:
            raise Problem(400, "one-action", "exactly one of button, submit and menu is needed")
        person = person_of(self.world, body.person)
        wanted = Tap(**body.model_dump(exclude={"person", "platform"}))
        try:
            if body.platform == "wecom":
                outcome = wecom_acts.tap(self.world, card_id, person, wanted)
            else:
                outcome = dingtalk_acts.tap(self.dingtalk, card_id, person, wanted)
        except UnknownCard as error:
            raise Problem(404, "unknown-card", f"there is no card {card_id} on {body.platform} for {person.key}") from error
        except NotOnTheCard as error:
            raise Problem(409, "not-on-the-card", str(error)) from error
        return {"outcome": asdict(outcome), "card": self.view.card(card_id, body.platform, person)}

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
        platform, person, url = platform_of(), person_of(self.world, request.args.get("person")), request.args.get("url", "")
        if not url.startswith(("http://", "https://")):
            raise Problem(400, "bad-url", "url begins with http:// or https://")
        answer = redirect(url)
        answer.set_cookie(COOKIE, f"{platform}|{person.key}", httponly=True, samesite="Lax")
        return answer

    def changes(self) -> Doc:
        """What is new; waits for it."""
        latest, changes = self.world.chats.changes(number_of("after", 0, 0), seconds_of("wait", 0, 55))
        return {"latest": latest, "changes": changes}

    def _deliver(self, chat: Chat, person: Person, said: SayBody, picture: bytes | None) -> tuple[Message, Outcome]:
        if chat.platform == "wecom":
            if picture is not None:
                return wecom_acts.send_picture(self.world, chat, person, picture, said.file_name)
            return wecom_acts.say(self.world, chat, person, said.text or "")
        if picture is not None:
            return dingtalk_acts.send_picture(self.dingtalk, chat, person, picture, said.file_name, mention_bot=said.mention_bot)
        return dingtalk_acts.say(self.dingtalk, chat, person, said.text or "", mention_bot=said.mention_bot)
