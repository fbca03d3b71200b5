"""DingTalk: a card as the variables of the one card template, and the request bodies around them. Pure; the network is `bot/dingtalk`.

The template is built by hand once per organisation (docs/dingtalk-card-template.md); `cards/platform/dingtalk/template.json` is what
it must accept. All values are strings; objects and lists travel as JSON inside them (platforms/dingtalk.md §8.1).

Our cards lie in the private chat of one person, so everything is public data of the card: a private value would hide every later
public one from that person, and an update long after the press (the subject has answered) must reach the same variables.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cards.filters import clip
from cards.layout import Button, Card, Line
from cards.limits import DINGTALK, DINGTALK_ACTION_TITLE, DINGTALK_FORM, DINGTALK_SUMMARY, DINGTALK_TEXT, DINGTALK_VALUE, fit, shrink
from cards.text import text as plain
from cards.words import phrase

_ALT = 60  # characters
FIELD = "ticks"  # the form's one field; comes back as params.form.ticks
_BY_KEY = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}  # the default overwrites all variables (§8.4)
_AT_LINE_START = str.maketrans("#>+-=", "＃＞＋－＝")
_ANYWHERE = str.maketrans("<*`~[]", "＜＊｀～［］")


def params(card: Card) -> dict[str, str]:
    """cardParamMap: every variable of the template, so that nothing of an earlier card is left over after an update by key."""
    fitted = fit(card, DINGTALK)
    return {
        "title": fitted.title,
        "body": _body(fitted),
        "has_form": _bool(bool(fitted.checks)),
        "form": _form(fitted),
        "form_status": "disabled" if fitted.closed else "normal",
        "form_btn_text": fitted.submit.text if fitted.submit else "",
        "submit_action": fitted.submit.action if fitted.submit else "",
        "has_buttons": _bool(bool(_open_buttons(fitted))),
        "buttons": _button_list(fitted),
        "status": DINGTALK_VALUE.cut(fitted.status),
    }


def delivery(
    card: Card, *, user_id: str, robot_code: str, template_id: str, card_id: str, route_key: str | None = None
) -> dict[str, Any]:
    """The whole body of createAndDeliver into the private chat with the robot (§8.2). `card_id` is the outTrackId: a repeat is
    refused as `param.cardAlreadyExist`, which means sent. Presses come by stream, or by HTTP to where
    `route_key` was registered (§5.3)."""
    callback = {"callbackType": "HTTP", "callbackRouteKey": route_key} if route_key else {"callbackType": "STREAM"}
    summary = DINGTALK_SUMMARY.cut(card.summary)
    return {
        "cardTemplateId": template_id,
        "outTrackId": card_id,
        **callback,
        "userIdType": 1,
        "cardData": {"cardParamMap": params(card)},
        "openSpaceId": f"dtv1.card//IM_ROBOT.{user_id}",
        "imRobotOpenSpaceModel": {
            "supportForward": False,
            "lastMessageI18n": {"ZH_CN": summary},
            "notification": {"alertContent": summary, "notificationOff": False},
        },
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": robot_code},
    }


def update(card: Card, card_id: str) -> dict[str, Any]:
    """The whole body of PUT /v1.0/card/instances (§8.4)."""
    return {"outTrackId": card_id, "userIdType": 1, **answer(card)}


def answer(card: Card) -> dict[str, Any]:
    """What answers a press: the card after it (§8.6)."""
    return {"cardUpdateOptions": _BY_KEY, "cardData": {"cardParamMap": params(card)}}


def text(card: Card, *, user_id: str, robot_code: str) -> dict[str, Any]:
    """The whole body of robot/oToMessages/batchSend: the card as plain text to one person (§7.1)."""
    return {"robotCode": robot_code, "userIds": [user_id], **_sample_text(card)}


def group_text(card: Card, *, chat_id: str, robot_code: str) -> dict[str, Any]:
    """The whole body of robot/groupMessages/send: the card as plain text into a group (§7.2)."""
    return {"robotCode": robot_code, "openConversationId": chat_id, **_sample_text(card)}


def action_card(card: Card, url: str, *, user_id: str, robot_code: str) -> dict[str, Any]:
    """The whole body of robot/oToMessages/batchSend for an open card while no template id is configured: what it says, and one button
    that opens the same card as a page at `url` (§7.3). Such a message cannot be changed later: send a closed card as `text`."""
    boxes = (Line(f"☐ {check.text}") for check in card.checks)
    said = [*card.lines, *boxes, *([Line(card.status)] if card.status else [])]
    title = _safe(DINGTALK_SUMMARY.cut(card.title))
    param = {
        "title": DINGTALK_SUMMARY.cut(card.summary),
        "text": shrink(lambda longest: f"### {title}\n\n{_paragraphs(said, longest)}", DINGTALK_TEXT, DINGTALK_TEXT.at_most),
        "singleTitle": DINGTALK_ACTION_TITLE.cut(phrase("open_boxes" if card.checks else "open_buttons")),
        "singleURL": url,
    }
    return {"robotCode": robot_code, "userIds": [user_id], "msgKey": "sampleActionCard", "msgParam": _json(param)}


def _sample_text(card: Card) -> dict[str, str]:
    content = shrink(lambda longest: plain(card, longest), DINGTALK_TEXT, DINGTALK_TEXT.at_most)
    return {"msgKey": "sampleText", "msgParam": _json({"content": content})}


def _body(card: Card) -> str:
    """The picture (markdown takes a media id, §7.3), the lines, and as links what opens a page: a button of the template
    can only call back."""
    picture = card.picture.on("dingtalk") if card.picture else None
    shown = f"![{_safe(clip(card.picture.alt, _ALT))}]({picture})" if card.picture and picture else ""
    links = [f"[{_safe(button.text)}]({button.url})" for button in card.buttons if button.url]
    links += [f"[{phrase('page')}]({card.page})"] * bool(card.page)

    def draw(longest: int) -> str:
        return "\n\n".join(filter(None, [shown, _paragraphs(card.lines, longest), *links]))

    return shrink(draw, DINGTALK_VALUE, DINGTALK_VALUE.at_most)


def _paragraphs(lines: Sequence[Line], longest: int) -> str:
    return "\n\n".join(f"{f'**{line.label}** ' if line.label else ''}{_safe(clip(line.text, longest))}" for line in lines)


def _safe(text: str) -> str:
    """Text that markdown leaves alone: no link, picture, mention or heading out of what people type. Full-width twins instead of
    backslashes, which the clients' own renderers do not all know."""
    return text[:1].translate(_AT_LINE_START).translate(_ANYWHERE) + text[1:].translate(_ANYWHERE)


def _form(card: Card) -> str:
    """One field with all boxes (§8.7); the ticked ones are its default value, so that a disabled form shows them."""

    def draw(longest: int) -> str:
        field = {
            "name": FIELD,
            "label": phrase("boxes"),
            "type": "MULTI_CHECKBOX_GROUP",
            "options": [{"value": check.id, "text": clip(check.text, longest)} for check in card.checks],
            "defaultValue": [check.id for check in card.checks if check.ticked],
        }
        return _json({"fields": [field] if card.checks else []})

    return shrink(draw, DINGTALK_FORM, DINGTALK.check.at_most)


def _button_list(card: Card) -> str:
    def draw(longest: int) -> str:
        texts = ((clip(button.text, longest), button) for button in _open_buttons(card))
        return _json([{"text": text, "action": button.action, "style": button.style} for text, button in texts])

    return shrink(draw, DINGTALK_VALUE, DINGTALK.button.at_most)


def _open_buttons(card: Card) -> tuple[Button, ...]:
    """A closed card shows no buttons: its status says what was pressed."""
    return () if card.closed else tuple(button for button in card.buttons if not button.url)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
