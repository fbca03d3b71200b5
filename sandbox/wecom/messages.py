"""message/send, message/update_template_card, message/recall: from the request to what phones show.

Source: [doc 90236] send, [doc 94888] update, [doc 94867] recall, [doc 90454] limits.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.chats import Message
from sandbox.clock import parse_iso, stamp
from sandbox.company import Person
from sandbox.store import Doc
from sandbox.wecom import cards
from sandbox.wecom.api import Call, Refused
from sandbox.wecom.callback import callback_url
from sandbox.wecom.texts import check_body, show_body
from sandbox.world import World

SENDS, SEEN, CODES, TASKS = "wecom_send", "wecom_seen", "wecom_code", "wecom_task"
MOST_USERS, MOST_PARTIES, MOST_TAGS = 1000, 100, 100
CODE_LIFETIME, RECALL_WINDOW = timedelta(hours=72), timedelta(hours=24)
LONGEST_DUPLICATE_INTERVAL, DUPLICATE_INTERVAL = 14400, 1800
SEND_KEYS = {
    "touser", "toparty", "totag", "msgtype", "agentid", "safe", "enable_id_trans", "enable_duplicate_check", "duplicate_check_interval",
}  # fmt: skip


@dataclass(frozen=True)
class Recipients:
    """Who gets it, and who of the named does not exist or may not be seen."""

    people: list[Person]
    invalid_users: list[str]
    invalid_parties: list[str]
    invalid_tags: list[str]


def send(call: Call) -> Doc:
    """To people. Partial failure is errcode 0 with lists; too many to one member in a minute vanish without a word."""
    _check_agent(call)
    repeated = _seen_before(call)
    if repeated is not None:
        return repeated
    recipients = _recipients(call)
    kind = call.body.get("msgtype")
    _warn_unknown_keys(call, str(kind))
    check_body(call)
    if kind == "template_card":
        _check_template_card(call)
    if not recipients.people:
        raise Refused(81013, "user & party & tag all invalid")
    answer = _deliver(call, str(kind), recipients)
    _remember(call, answer)
    return answer


def update(call: Call) -> Doc:
    """Change a card once with a code from its send or from a tap, within 72 h; 60140 afterwards [doc 94888]."""
    world, body = call.world, call.body
    _check_agent(call)
    users = body.get("userids") or []
    if not (users or body.get("partyids") or body.get("tagids") or body.get("atall")):
        raise Refused(82001, "userids, partyids, tagids and atall are all empty")
    if not isinstance(users, list) or not all(isinstance(each, str) for each in users):
        raise Refused(40031, "userids is a list of strings")
    for name, most, errcode in (("userids", MOST_USERS, 40032), ("partyids", MOST_PARTIES, 82002), ("tagids", MOST_TAGS, 82003)):
        if len(body.get(name) or []) > most:
            raise Refused(errcode, f"{name} has more than {most} entries")
    with world.store.transaction():
        code = _usable_code(world, body.get("response_code"))
        copies = world.chats.of_handle(code["msgid"])
        _check_update(call, copies)
        chosen, invalid = _chosen_copies(call, copies, code)
        for copy in chosen:
            change_copy(world, copy, body)
        world.store.put(CODES, body["response_code"], code | {"used": True})
    return {"invaliduser": invalid}


def recall(call: Call) -> Doc:
    """Take a message back from everybody, within 24 h [doc 94867]."""
    world = call.world
    sent = world.store.get(SENDS, str(call.body.get("msgid")))
    if sent is None:
        raise Refused(40058, "msgid is unknown")
    if world.clock.now() - parse_iso(sent["sent_at"]) > RECALL_WINDOW:
        raise Refused(40058, "the message is older than 24 hours")
    for message in world.chats.of_handle(call.body["msgid"]):
        world.chats.alter(message, recalled=True)
    return {}


def change_copy(world: World, copy: Message, change: Doc) -> None:
    """One person's copy: greyed by `button.replace_name`, or replaced by `template_card`; task_id stays."""
    if change.get("template_card"):
        raw = {"msgtype": "template_card", "template_card": change["template_card"]}
        state = {"task_id": copy.content["task_id"], "msgid": copy.content["msgid"]}
        world.chats.alter(copy, raw=raw, content=state, text=show_body(raw)[1])
    else:
        world.chats.alter(copy, content=copy.content | {"greyed": change["button"]["replace_name"]})


def check_replacement(world: World, change: Doc, current: Doc) -> list[str]:
    """Whether an update (by API or passive reply) fits the card it is for; sentences for the engineer.

    Raises Refused. Mode A greys the button of an interactive card, mode B brings a whole card.
    """
    if change.get("template_card") is not None:
        found = cards.check_card(change["template_card"], replacing=True)
        return _judge(world, found)
    name = (change.get("button") or {}).get("replace_name")
    if not isinstance(name, str) or not name:
        raise Refused(40058, "button.replace_name or template_card is needed")
    if current.get("card_type") not in cards.INTERACTIVE:
        raise Refused(40058, f"{current.get('card_type')} has no button to replace")
    return []


def _check_agent(call: Call) -> None:
    agent = call.body.get("agentid")
    if agent is None:
        raise Refused(41011, "agentid missing")
    if isinstance(agent, str) and agent.isdigit():
        call.warn("agentid is a string; the page says integer")
        agent = int(agent)
    if not isinstance(agent, int) or isinstance(agent, bool):
        raise Refused(40056, "invalid agentid")
    if agent != call.world.company.wecom.agent_id:
        raise Refused(301002, "not allow operate another agent with this accesstoken")


def _seen_before(call: Call) -> Doc | None:
    """The answer to a request equal to one inside the interval; nobody sees it twice [doc 90236]."""
    check = call.body.get("enable_duplicate_check", 0)
    interval = call.body.get("duplicate_check_interval", DUPLICATE_INTERVAL)
    if check not in (0, 1):
        raise Refused(40058, "enable_duplicate_check is 0 or 1")
    if not isinstance(interval, int) or not 0 < interval <= LONGEST_DUPLICATE_INTERVAL:
        raise Refused(40058, f"duplicate_check_interval is 1 to {LONGEST_DUPLICATE_INTERVAL} seconds")
    kept = call.world.store.get(SEEN, _fingerprint(call)) if check else None
    if kept is None or call.world.clock.now() - parse_iso(kept["at"]) >= timedelta(seconds=interval):
        return None
    call.warn("the same request as before: not shown again")
    answer: Doc = kept["answer"]
    if not call.world.switches.on("wecom.duplicate_repeats_response_code"):
        answer.pop("response_code", None)
    return answer


def _remember(call: Call, answer: Doc) -> None:
    if call.body.get("enable_duplicate_check"):
        call.world.store.put(SEEN, _fingerprint(call), {"at": stamp(call.world.clock.now()), "answer": answer})


def _fingerprint(call: Call) -> str:
    return hashlib.sha256(call.raw).hexdigest()


def _recipients(call: Call) -> Recipients:
    """Resolve touser, toparty, totag; ids that do not exist or are outside the visible range are invalid, not errors."""
    directory, body = call.world.directory, call.body
    users, parties, tags = (_joined(body, name) for name in ("touser", "toparty", "totag"))
    if not (users or parties or tags):
        raise Refused(82001, "touser, toparty and totag are all empty")
    if users == ["@all"]:
        return Recipients(directory.visible("wecom"), [], [], [])
    if len(users) > MOST_USERS:
        raise Refused(40032, f"touser has more than {MOST_USERS} userids")
    if len(parties) > MOST_PARTIES:
        raise Refused(82002, f"toparty has more than {MOST_PARTIES} departments")
    if len(tags) > MOST_TAGS:
        raise Refused(82003, f"totag has more than {MOST_TAGS} tags")
    people: dict[str, Person] = {}
    invalid = []
    for userid in users:
        person = directory.reachable("wecom", userid)
        if person is None:
            invalid.append(userid.lower())
        else:
            people[person.key] = person
    known = [party for party in parties if party.isdigit() and int(party) in directory.departments]
    for party in known:
        below = directory.subtree(int(party))
        people.update((person.key, person) for person in directory.visible("wecom") if person.department in below)
    return Recipients(list(people.values()), invalid, [party for party in parties if party not in known], tags)


def _joined(body: Doc, name: str) -> list[str]:
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise Refused(40031 if name == "touser" else 40058, f"{name} is one string joined by |")
    return [each for each in value.split("|") if each]


def _warn_unknown_keys(call: Call, kind: str) -> None:
    for name in call.body.keys() - SEND_KEYS - {kind}:
        call.warn(f"{name} is no field of message/send")


def _check_template_card(call: Call) -> None:
    world, card = call.world, call.body["template_card"]
    for text in _judge(world, cards.check_card(card)):
        call.warn(text)
    if cards.takes_callbacks(card) and not callback_url(world):
        raise Refused(int(world.switches.number("wecom.no_callback_errcode")), "a card with callbacks needs a callback URL")
    if card.get("task_id") and world.store.get(TASKS, card["task_id"]):
        raise Refused(int(world.switches.number("wecom.task_id_reused_errcode")), "task_id was used before")


def _judge(world: World, found: cards.Findings) -> list[str]:
    """Raise the first error; give back the rest as sentences. Two switches move surplus and long fields between the two."""
    errors, warnings = list(found.errors), list(found.warnings)
    surplus = [f"{name} is no field of this card type" for name in found.surplus]
    for texts, switch in ((surplus, "wecom.surplus_card_fields"), (found.too_long, "wecom.advised_lengths")):
        if world.switches.text(switch) == "refuse":
            errors += [(cards.BAD_PARAMETER, text) for text in texts]
        else:
            warnings += texts
    if errors:
        errcode, text = errors[0]
        if errcode == cards.BAD_PARAMETER:
            errcode = int(world.switches.number("wecom.bad_card_errcode"))
        raise Refused(errcode, text)
    return warnings


def _deliver(call: Call, kind: str, recipients: Recipients) -> Doc:
    world = call.world
    msgid = secrets.token_urlsafe(24)
    raw = {"msgtype": kind, kind: call.body[kind]}
    card = call.body[kind] if kind == "template_card" else {}
    answer: Doc = {
        "invaliduser": "|".join(recipients.invalid_users),
        "invalidparty": "|".join(recipients.invalid_parties),
        "invalidtag": "|".join(recipients.invalid_tags),
        "msgid": msgid,
    }
    with world.store.transaction():
        for person in recipients.people:
            _put_into_chat(world, person, raw, msgid)
        world.store.put(SENDS, msgid, {"sent_at": stamp(world.clock.now())})
        if card.get("task_id"):
            world.store.put(TASKS, card["task_id"], {"msgid": msgid})
        if cards.takes_callbacks(card):
            answer["response_code"] = new_code(world, msgid, tapper=None)
    return answer


def _put_into_chat(world: World, person: Person, raw: Doc, msgid: str) -> None:
    assert person.wecom is not None
    userid, quotas = person.wecom.userid, world.meters.quotas
    minute = world.meters.within(f"wecom:minute:{userid}", quotas.wecom_per_member_per_minute, 60)
    if not (minute and world.meters.within(f"wecom:hour:{userid}", quotas.wecom_per_member_per_hour, 3600)):
        world.meters.count("wecom", f"drop:{userid}")
        world.ledger.warn("wecom", f"a message to {userid} was dropped without a word: too many in a minute or an hour")
        return
    world.meters.count("wecom", "messages")
    shown_kind, text, content = show_body(raw)
    card = raw.get("template_card") or {}
    if card:
        content = {"task_id": card.get("task_id"), "msgid": msgid}
    chat = world.chats.private("wecom", person).id
    key = f"wecom|{card['task_id']}" if card.get("task_id") else None
    world.chats.add(Message(chat=chat, sender=None, kind=shown_kind, text=text, content=content, raw=raw, card=key, handle=msgid))


def new_code(world: World, msgid: str, tapper: str | None) -> str:
    """A response_code; `tapper` is the person key of the tap it comes from, None for a send."""
    code = secrets.token_urlsafe(24)
    world.store.put(CODES, code, {"msgid": msgid, "at": stamp(world.clock.now()), "used": False, "tapper": tapper})
    return code


def _usable_code(world: World, code: object) -> dict[str, Any]:
    kept = world.store.get(CODES, code) if isinstance(code, str) else None
    if kept is None or kept["used"] or world.clock.now() - parse_iso(kept["at"]) > CODE_LIFETIME:
        raise Refused(60140, "invalid response_code")
    return kept


def _check_update(call: Call, copies: list[Message]) -> None:
    current = copies[-1].raw.get("template_card", {}) if copies else {}
    for text in check_replacement(call.world, call.body, current):
        call.warn(text)


def _chosen_copies(call: Call, copies: list[Message], code: Doc) -> tuple[list[Message], list[str]]:
    """The copies to change, and the named userids that never got the card."""
    world, body = call.world, call.body
    owner = {copy.chat: copy for copy in copies}
    if code["tapper"] and not world.switches.on("wecom.atall_with_tap_code"):
        tapper = world.directory.get(code["tapper"])
        own = world.chats.private("wecom", tapper).id if tapper else ""
        owner = {chat: copy for chat, copy in owner.items() if chat == own}
    if body.get("atall") == 1:
        return list(owner.values()), []
    chosen, invalid = [], []
    for userid in body.get("userids") or []:
        person = world.directory.reachable("wecom", userid)
        copy = owner.get(world.chats.private("wecom", person).id) if person else None
        if copy is None:
            invalid.append(userid.lower())
        else:
            chosen.append(copy)
    for party in body.get("partyids") or []:
        below = world.directory.subtree(party) if party in world.directory.departments else []
        for person in world.directory.visible("wecom"):
            copy = owner.get(world.chats.private("wecom", person).id)
            if person.department in below and copy is not None and copy not in chosen:
                chosen.append(copy)
    return chosen, invalid
