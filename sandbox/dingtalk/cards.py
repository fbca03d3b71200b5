"""Interactive cards: create, deliver, update; public and private variables.

Source: [doc create-and-deliver-cards], [doc create-a-card-instance], [doc deliver-card], [doc interactive-card-update-interface],
[doc public-private-and-local-data].
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.chats import Chat, Message, is_for
from sandbox.company import Person
from sandbox.dingtalk import template
from sandbox.dingtalk.api import Call, Refused
from sandbox.dingtalk.hub import DingTalk
from sandbox.media import MEDIA
from sandbox.neutral import Neutral
from sandbox.store import Doc

CARDS, ROUTES = "dingtalk_card", "dingtalk_route"
PICTURE = re.compile(r"!\[[^\]]*\]\((@[^()\s]+)\)")  # in markdown, by its media id
SPACE_PREFIX = "dtv1.card//"
DELIVER_MODELS = {
    "IM_GROUP": "imGroupOpenDeliverModel",
    "IM_ROBOT": "imRobotOpenDeliverModel",
    "IM_SINGLE": "imSingleOpenDeliverModel",
    "ONE_BOX": "topOpenDeliverModel",
}
SPACE_MODELS = {
    "IM_GROUP": "imGroupOpenSpaceModel",
    "IM_ROBOT": "imRobotOpenSpaceModel",
    "IM_SINGLE": "imSingleOpenSpaceModel",
    "ONE_BOX": "topOpenSpaceModel",
}
ILLEGAL = "spaceId is illegal"


@dataclass(frozen=True)
class Space:
    """One place of openSpaceId: IM_ROBOT.userId, IM_GROUP.openConversationId."""

    kind: str
    id: str


def create(call: Call) -> Doc:
    """A card that is nowhere yet; the result is the outTrackId."""
    _create(call)
    return {"success": True, "result": call.body["outTrackId"]}


def create_and_deliver(call: Call) -> Doc:
    """Create, then deliver to every space. HTTP 200 and success do not mean delivered: look into deliverResults."""
    spaces = _spaces(call)
    _check_deliver_models(call, spaces)
    _check_space_models(call, spaces)
    _create(call)
    results = [_deliver_one(call, space) for space in spaces]
    if call.world.switches.on("dingtalk.create_counts_each_space"):
        call.world.meters.count("dingtalk", "metered", len(spaces) - 1)
    return {"success": True, "result": {"outTrackId": call.body["outTrackId"], "deliverResults": results}}


def deliver(call: Call) -> Doc:
    """An existing card to more spaces; the result is a list here."""
    _card(call)
    spaces = _spaces(call)
    _check_deliver_models(call, spaces)
    return {"success": True, "result": [_deliver_one(call, space) for space in spaces]}


def open_spaces(call: Call) -> Doc:
    """PUT /spaces: an existing card may live in more kinds of space."""
    card = _card(call)
    opened = [kind for kind, model in SPACE_MODELS.items() if call.body.get(model)]
    _keep(call.dingtalk, call.body["outTrackId"], card | {"spaces": sorted({*card["spaces"], *opened})})
    return {"success": True, "result": True}


def update(call: Call) -> Doc:
    """New variables. Without the ByKey options everything else is wiped: that is the platform's default."""
    card, body = _card(call), call.body
    public, private = _public(body), body.get("privateData")
    if public is None and not private:
        raise Refused("param.cardDataAndPrivateDataBothEmpty", "cardData and privateData are both empty")
    if call.dingtalk.open_taps[body["outTrackId"]]:
        call.warn("the card is updated while its callback is open; the page forbids that, the two may overtake each other")
    known = _private_by_user(call, private or {}, _id_type(body, card))
    for values, is_private in [(public or {}, False), *((each, True) for each in known.values())]:
        _check_variables(call, card["template_id"], values, private=is_private)
    options = body.get("cardUpdateOptions") or {}
    change_card(call.dingtalk, body["outTrackId"], public, known, options)
    return {"success": True, "result": True}


def register_callback(call: Call) -> Doc:
    """Where HTTP card callbacks of a route key go."""
    body = call.body
    for name in ("callbackRouteKey", "callbackUrl"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refused("param.invalid", f"{name} is mandatory")
    known = call.world.store.get(ROUTES, body["callbackRouteKey"])
    if known and not body.get("forceUpdate"):
        raise Refused("param.callbackRouteKeyExist", "callbackRouteKey exists", 500)
    secret = body.get("apiSecret") or (known or {}).get("secret") or secrets.token_hex(16)
    call.world.store.put(ROUTES, body["callbackRouteKey"], {"url": body["callbackUrl"], "secret": secret})
    return {"success": True, "result": {"callbackUrl": body["callbackUrl"], "apiSecret": secret}}


def change_card(dingtalk: DingTalk, track_id: str, public: Doc | None, private: dict[str, Doc], options: Doc) -> None:
    """Apply new variables (checked before) and show them everywhere. `private` is by userId."""
    world = dingtalk.world
    with world.store.transaction():
        card = world.store.get(CARDS, track_id)
        assert card is not None
        if public is not None:
            card["public"] = {**(card["public"] if options.get("updateCardDataByKey") else {}), **public}
        for userid, values in private.items():
            before = card["private"].get(userid, {}) if options.get("updatePrivateDataByKey") else {}
            card["private"][userid] = {**before, **values}
        _keep(dingtalk, track_id, card)
        for message in world.chats.of_card(f"dingtalk|{track_id}"):
            world.chats.alter(message, text=_summary(card, message.text))


def values_for(card: Doc, userid: str | None) -> dict[str, str]:
    """The variables as one person sees them: private ones above the public."""
    return {**card["public"], **card["private"].get(userid or "", {})}


def show(dingtalk: DingTalk, message: Message, person: Person | None) -> Neutral | None:
    """The card of a message in the control API's shape, for one person; None when the message is no card."""
    if message.card is None:
        return None
    track_id = message.card.partition("|")[2]
    card = dingtalk.world.store.get(CARDS, track_id)
    userid = person.dingtalk.userid if person and person.dingtalk else None
    return template.show_card(track_id, values_for(card, userid)) if card else None


def raw(dingtalk: DingTalk, message: Message) -> Doc:
    """What the platform holds of the card now."""
    card = dingtalk.world.store.get(CARDS, (message.card or "").partition("|")[2]) or {}
    return {
        **message.raw,
        "cardTemplateId": card.get("template_id"),
        "cardData": card.get("public"),
        "privateData": card.get("private"),
    }


def holds(dingtalk: DingTalk, track_id: str, person: Person) -> Message | None:
    """The copy of a card that this person has on the phone."""
    world = dingtalk.world
    for message in reversed(world.chats.of_card(f"dingtalk|{track_id}")):
        chat = world.chats.find(message.chat)
        if chat and person.key in chat.members and is_for(message, person.key):
            return message
    return None


def judge_variables(dingtalk: DingTalk, template_id: str, values: object, *, private: bool) -> tuple[list[str], list[str]]:
    """(errors, warnings) of one cardParamMap, as the switches say."""
    spec = dingtalk.spec if dingtalk.spec and dingtalk.spec.is_of(template_id) else None
    errors, unknown, long = template.check_variables(spec, values, private=private)
    warnings: list[str] = []
    for texts, switch in ((unknown, "dingtalk.unknown_variables"), (long, "dingtalk.long_values")):
        (errors if dingtalk.world.switches.text(switch) == "refuse" else warnings).extend(texts)
    shots = [shot for value in values.values() for shot in PICTURE.findall(str(value))] if isinstance(values, dict) else []
    errors += [f"the picture {shot} was never uploaded" for shot in shots if dingtalk.world.store.get(MEDIA, shot) is None]
    return errors, warnings


def _create(call: Call) -> None:
    body, world = call.body, call.world
    track_id, template_id = (
        _text(body, "outTrackId", "param.outTrackIdEmpty"),
        _text(body, "cardTemplateId", "param.cardTemplateIdEmpty"),
    )
    _check_template(call, template_id)
    public = _public(body)
    if public is None:
        raise Refused("param.cardPublicDataEmpty", "cardData.cardParamMap is empty")
    id_type = _id_type(body, {"user_id_type": 1})
    _check_callback(call)
    _check_variables(call, template_id, public, private=False)
    private = _private_by_user(call, body.get("privateData") or {}, id_type)
    for values in private.values():
        _check_variables(call, template_id, values, private=True)
    if call.dingtalk.spec and call.dingtalk.spec.is_of(template_id):
        missing = template.missing_variables(call.dingtalk.spec, public)
        if missing:
            raise Refused("param.invalid", f"the template needs the variable {missing[0]}")
    with world.store.transaction():
        if world.store.get(CARDS, track_id):
            raise Refused("param.cardAlreadyExist", "outTrackId exists")
        card = {
            "template_id": template_id,
            "public": public,
            "private": private,
            "callback_type": body.get("callbackType"),
            "route_key": body.get("callbackRouteKey"),
            "user_id_type": id_type,
            "spaces": [kind for kind, model in SPACE_MODELS.items() if body.get(model)],
        }
        _keep(call.dingtalk, track_id, card)


def _check_template(call: Call, template_id: str) -> None:
    spec = call.dingtalk.spec
    known = template_id in template.PUBLIC_TEMPLATES or (spec.is_of(template_id) if spec else True)
    if not template_id.endswith(".schema") or not known:
        raise Refused("param.templateNotExist", "the template does not exist")
    if not call.world.switches.on("dingtalk.template_published"):
        raise Refused("param.templateUnpublished", "the template is not published")


def _check_callback(call: Call) -> None:
    kind, key = call.body.get("callbackType"), call.body.get("callbackRouteKey")
    if kind is None:
        call.warn("callbackType is missing: a tap on this card is told to nobody")
    elif kind not in ("STREAM", "HTTP"):
        raise Refused("param.invalid", "callbackType is STREAM or HTTP")
    elif kind == "HTTP" and not (isinstance(key, str) and call.world.store.get(ROUTES, key)):
        raise Refused("param.invalid", "callbackRouteKey is not registered")


def _check_variables(call: Call, template_id: str, values: object, *, private: bool) -> None:
    errors, warnings = judge_variables(call.dingtalk, template_id, values, private=private)
    if errors:
        raise Refused("param.invalid", errors[0])
    for text in warnings:
        call.warn(text)


def _public(body: Doc) -> Any:
    data = body.get("cardData")
    if data is not None and not isinstance(data, dict):
        raise Refused("param.invalid", "cardData is an object")
    return data.get("cardParamMap") if data else None


def _private_by_user(call: Call, private: object, id_type: int) -> dict[str, Any]:
    """privateData by userId, whatever id type the call uses."""
    if not isinstance(private, dict):
        raise Refused("param.invalid", "privateData is a map")
    found = {}
    for wanted, part in private.items():
        person = call.dingtalk.user(wanted, id_type)
        if person is None or person.dingtalk is None:
            raise Refused("param.userIdNotExist", f"user {wanted} does not exist")
        if not isinstance(part, dict) or "cardParamMap" not in part:
            raise Refused("param.invalid", "privateData is a map of {cardParamMap}")
        found[person.dingtalk.userid] = part["cardParamMap"]
    return found


def _spaces(call: Call) -> list[Space]:
    text = call.body.get("openSpaceId")
    if not text:
        raise Refused("param.openSpaceIdEmpty", "openSpaceId is empty")
    if not isinstance(text, str) or not text.startswith(SPACE_PREFIX):
        raise Refused("param.openSpaceIdInvalid", f"openSpaceId begins with {SPACE_PREFIX}")
    spaces = [Space(kind, rest) for kind, _, rest in (part.partition(".") for part in text.removeprefix(SPACE_PREFIX).split(";"))]
    if any(space.kind not in DELIVER_MODELS or not space.id for space in spaces):
        raise Refused("param.openSpaceIdInvalid", "a space is TYPE.id; the prefix stands once")
    return spaces


def _check_deliver_models(call: Call, spaces: list[Space]) -> None:
    for kind in {space.kind for space in spaces}:
        model = call.body.get(DELIVER_MODELS[kind])
        if not model:
            raise Refused("param.openDeliverModelEmpty", f"{DELIVER_MODELS[kind]} is empty")
        if not isinstance(model, dict) or (kind == "IM_GROUP" and not model.get("robotCode")):
            raise Refused("param.openDeliverModelError", f"{DELIVER_MODELS[kind]} needs robotCode")
        if kind == "IM_ROBOT" and not model.get("robotCode") and not call.world.switches.on("dingtalk.robot_code_may_be_missing"):
            raise Refused("param.openDeliverModelError", f"{DELIVER_MODELS[kind]} needs robotCode")


def _check_space_models(call: Call, spaces: list[Space]) -> None:
    for kind in {space.kind for space in spaces}:
        model = call.body.get(SPACE_MODELS[kind])
        needs_forward = kind in ("IM_GROUP", "IM_ROBOT", "IM_SINGLE")
        if not isinstance(model, dict) or (needs_forward and not isinstance(model.get("supportForward"), bool)):
            raise Refused("param.openSpaceModelInvalid", f"{SPACE_MODELS[kind]} needs supportForward")


def _deliver_one(call: Call, space: Space) -> Doc:
    """One entry of deliverResults."""
    card = _card(call)
    model = call.body[DELIVER_MODELS[space.kind]]
    target = _target(call, card, space, model)
    if isinstance(target, str):
        return {"spaceType": space.kind, "spaceId": space.id, "success": False, "carrierId": "", "errorMsg": target}
    carrier = secrets.token_urlsafe(24)
    space_model = call.body.get(SPACE_MODELS[space.kind]) or {}
    preview = (space_model.get("lastMessageI18n") or {}).get("ZH_CN") or ""
    users = [call.dingtalk.user(each, card["user_id_type"]) for each in model.get("recipients") or []]
    mentions = [person.key for each in model.get("atUserIds") or {} if (person := call.dingtalk.user(each, card["user_id_type"]))]
    call.world.chats.add(
        Message(
            chat=target.id,
            sender=None,
            kind="card",
            text=preview or _summary(card, ""),
            content={"mentions": mentions, "preview": preview},
            raw={"outTrackId": call.body["outTrackId"]},
            card=f"dingtalk|{call.body['outTrackId']}",
            handle=carrier,
            only_for=tuple(user.key for user in users if user) or None,
        )
    )
    return {"spaceType": space.kind, "spaceId": space.id, "success": True, "carrierId": carrier, "errorMsg": ""}


def _target(call: Call, card: Doc, space: Space, model: Doc) -> Chat | str:
    """The chat of a space, or why it cannot be delivered there."""
    robot = call.world.company.dingtalk.robot_code
    if model.get("robotCode", robot) != robot:
        return "robot permission check failed"
    if space.kind not in card["spaces"]:
        return "the card was not opened for this space"
    if space.kind == "IM_ROBOT":
        person = call.dingtalk.user(space.id, _id_type(call.body, card))
        return call.dingtalk.private_chat(person) if person else ILLEGAL
    if space.kind == "IM_SINGLE":
        return "IM_SINGLE is for cool apps"
    group = call.world.chats.group_by_chat_id("dingtalk", space.id)
    if group is None:
        return ILLEGAL
    return group if group.robot_in else "robot not in the group"


def _card(call: Call) -> Doc:
    track_id = _text(call.body, "outTrackId", "param.outTrackIdEmpty")
    card = call.world.store.get(CARDS, track_id)
    if card is None:
        raise Refused("param.cardNotExist", "the card does not exist")
    return card


def _id_type(body: Doc, card: Doc) -> int:
    """What the user ids of a call are; by default what they were when the card was made."""
    id_type: int = body.get("userIdType") or card["user_id_type"]
    if id_type not in (1, 2):
        raise Refused("param.invalid", "userIdType is 1 (userId) or 2 (unionId)")
    return id_type


def _keep(dingtalk: DingTalk, track_id: str, card: Doc) -> None:
    dingtalk.world.store.put(CARDS, track_id, card)


def _summary(card: Doc, before: str) -> str:
    return card["public"].get("title") or before


def _text(body: Doc, name: str, code: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(code, f"{name} is empty")
    return value
