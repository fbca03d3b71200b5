"""The control API's other half: clock, faults, records, quotas, switches, and how the bot is connected."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

import requests
from flask import request
from pydantic import TypeAdapter, ValidationError

from sandbox.clock import iso, parse_iso
from sandbox.control.bodies import (
    ClockBody,
    DingtalkCallbackBody,
    RawBody,
    SwitchesBody,
    WecomCallbackBody,
    body_of,
    check_url,
    first_line,
    json_body,
    number_of,
    validated,
)
from sandbox.control.finding import first_phone, person_of
from sandbox.dingtalk import raw as dingtalk_raw
from sandbox.dingtalk.hub import DingTalk
from sandbox.dingtalk.push import post_event
from sandbox.doubts import DOUBTS
from sandbox.faults import Fault
from sandbox.problems import Problem
from sandbox.store import Doc
from sandbox.wecom import raw as wecom_raw
from sandbox.wecom.callback import VerificationFailed, callback_url, set_callback_url
from sandbox.world import CALLBACK_SETTINGS, World

AGENDA_SECONDS = 5.0


@dataclass(frozen=True)
class Backstage:
    """The functions behind the routes of clock, faults, records and connection, in the order of the specification."""

    world: World
    dingtalk: DingTalk
    agenda_url: str | None
    port: int

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
        body = body_of(ClockBody)
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
                self._to_next(body.to)
        except (ValueError, OverflowError) as error:
            raise Problem(400, "bad-time", first_line(error)) from error
        if body.freeze is False:
            self.world.clock.freeze(False)
        self.world.chats.note_change("clock")
        return self.clock()

    def faults(self) -> Doc:
        """What is switched on."""
        return {"faults": [fault.model_dump() for fault in self.world.faults.all()]}

    def set_faults(self) -> Doc:
        """One more, or a list instead of all."""
        wanted: Fault | list[Fault] = validated(TypeAdapter(Fault | list[Fault]), json_body())
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

    def entries(self, table: str) -> Doc:
        """One of the three records."""
        after = number_of("after", 0, 0) if "after" in request.args else None
        found = self.world.ledger.entries(table, after, number_of("limit", 500, 1, 5000))
        return {table: found, "latest": found[-1]["n"] if found else after or 0}

    def meters(self) -> Doc:
        """What was used."""
        return self.world.meters.report()

    def set_quotas(self) -> Doc:
        """Other limits."""
        try:
            self.world.meters.set_quotas(json_body())
        except (ValidationError, TypeError) as error:
            raise Problem(400, "bad-quotas", first_line(error)) from error
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
            self.world.switches.set(body_of(SwitchesBody).switches)
        except ValueError as error:
            raise Problem(400, "bad-switch", str(error)) from error
        return self.settings()

    def set_wecom_callback(self) -> Doc:
        """Verified as the console does."""
        url = body_of(WecomCallbackBody).url
        check_url(url)
        try:
            set_callback_url(self.world, url)
        except VerificationFailed as error:
            raise Problem(409, "url-verification-failed", str(error)) from error
        return self.settings()

    def set_dingtalk_callback(self) -> Doc:
        """Stream or HTTP; an event address is checked with check_url."""
        body = body_of(DingtalkCallbackBody)
        check_url(body.url)
        check_url(body.event_url)
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
        body = body_of(RawBody)
        person = person_of(self.world, body.person) if body.person else first_phone(self.world, body.platform)
        if person.account(body.platform) is None:
            raise Problem(404, "not-on-this-platform", f"{person.key} has no account on {body.platform}")
        if body.platform == "wecom" and callback_url(self.world) is None:
            raise Problem(409, "no-callback", "set the WeCom callback URL first")
        wish = body.model_dump(exclude_none=True)
        variants = wecom_raw.VARIANTS if body.platform == "wecom" else dingtalk_raw.VARIANTS
        if body.variant not in variants:
            raise Problem(400, "unknown-variant", f"{body.platform} has no variant {body.variant!r}")
        if body.platform == "wecom":
            return asdict(wecom_raw.raw_event(self.world, body.variant, person, wish))
        return asdict(dingtalk_raw.raw_event(self.dingtalk, body.variant, person, wish))

    def reset(self) -> Doc:
        """Forget nearly everything."""
        self.world.reset()
        return self.settings()

    def _to_next(self, what: str) -> None:
        """Ask the bot's agenda for what is due ("next-due") or for the week's digests ("next-digest"), and be there; a time that has
        passed already moves nothing."""
        if self.agenda_url is None:
            raise Problem(409, "no-agenda", "the sandbox was started without an agenda address")
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(self.agenda_url, timeout=AGENDA_SECONDS)
                answer.raise_for_status()
                due = answer.json().get(what.replace("-", "_") + "_at")
        except (requests.RequestException, ValueError, AttributeError) as error:
            raise Problem(502, "agenda-unreachable", f"the agenda did not answer: {type(error).__name__}") from error
        if due is None:
            raise Problem(409, "nothing-due", "nothing is due")
        moment = parse_iso(due)
        if moment > self.world.clock.now():
            self.world.clock.set(moment)
