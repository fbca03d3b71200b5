"""WeCom: a card as the body of message/send, of update_template_card, or of appchat/send. Pure; the network is `bot/wecom`.

What goes where (platforms/wecom.md §6, pages 90236 and 94888):
- boxes become `vote_interaction`, which has only a title and one description: what matters most comes first in it;
- buttons become `button_interaction`: short facts in the list, long ones in the quote, sentences below the title;
- everything else is text. So is a closed card that is sent anew: only an update can show boxes and buttons disabled.
"""

from __future__ import annotations

import re
from typing import Any

from cards.filters import clip
from cards.layout import Button, Card, Check, Style
from cards.limits import (
    WECOM,
    WECOM_DESC,
    WECOM_FACT,
    WECOM_FACT_LABEL,
    WECOM_FACTS,
    WECOM_QUOTE,
    WECOM_SUB_TITLE,
    WECOM_TEXT,
    fit,
    shrink,
)
from cards.text import line, text

QUESTION = "ticks"  # question_key of the boxes; comes back with the selected ids
_CLOSED = "closed"  # a key is required on a button that nobody can press
_STYLES = {Style.PRIMARY: 1, Style.DANGER: 2, Style.PLAIN: 3}
_SAME_FOR_SECONDS = 14_400  # the longest the platform remembers a request, so that our late retries are recognised too (§5.3)
_LINK = re.compile(r"<(?=\s*/?\s*a\b)", re.IGNORECASE)


def message(card: Card, *, user_id: str, agent_id: int, card_id: str) -> dict[str, Any]:
    """The whole body of message/send. `card_id` becomes the task_id, which comes back with every press.

    Texts go without the duplicate check: it cannot tell a retry from the same answer to a question that was asked twice, and a person
    who asks twice and hears nothing is worse off than one who hears it twice after a time-out.
    """
    to = {"touser": user_id, "agentid": agent_id}
    checked = to | {"enable_duplicate_check": 1, "duplicate_check_interval": _SAME_FOR_SECONDS}
    picture = card.picture.on("wecom") if card.picture else None
    if picture and not (card.interactive or card.lines):
        return checked | {"msgtype": "image", "image": {"media_id": picture}}  # §5.2; the cards of an app hold no picture of ours
    if not card.interactive or card.closed:
        return to | {"msgtype": "text", "text": {"content": _text(card)}}
    return checked | {"msgtype": "template_card", "template_card": {"task_id": card_id, **_template_card(card)}}


def replacement(card: Card, *, user_id: str, agent_id: int, response_code: str) -> dict[str, Any]:
    """The whole body of update_template_card (§7, mode B): `card` in place of the one that `response_code` belongs to.

    A plain card is drawn with one disabled button, because no kind of card without button can do without a link.
    """
    return {
        "userids": [user_id],
        "agentid": agent_id,
        "response_code": response_code,
        "template_card": _replacing_card(card),
    }


def group_text(card: Card, chat_id: str) -> dict[str, Any]:
    """The whole body of appchat/send. A group takes no card of an app (§9), so this is text and nobody can press it."""
    return {"chatid": chat_id, "msgtype": "text", "text": {"content": _text(card)}, "safe": 0}


def _replacing_card(card: Card) -> dict[str, Any]:
    """Without task_id: the platform keeps that of the card it replaces."""
    if not card.interactive:
        return _buttons(card) | {"button_list": [_button(_last_word(card))], "replace_text": _last_word(card).text}
    drawn = _template_card(card)
    if card.closed:
        drawn["replace_text"] = (drawn.get("submit_button") or drawn["button_list"][0])["text"]
    if card.closed and card.checks:
        drawn["checkbox"]["disable"] = True
    return drawn


def _template_card(card: Card) -> dict[str, Any]:
    fitted = fit(card, WECOM)
    return _boxes(fitted) if fitted.checks else _buttons(fitted)


def _boxes(card: Card) -> dict[str, Any]:
    assert card.submit is not None  # layout.Card: boxes never come without
    return {
        "card_type": "vote_interaction",
        "main_title": _main_title(card, " · ".join(filter(None, [card.status, *map(line, card.lines)]))),
        "checkbox": {"question_key": QUESTION, "mode": 1, "option_list": [_option(check) for check in card.checks]},
        "submit_button": {"text": card.submit.text, "key": card.submit.action or _CLOSED},
    }


def _buttons(card: Card) -> dict[str, Any]:
    card = fit(card, WECOM)
    short = [part for part in card.lines if part.label and WECOM_FACT.holds(part.text) and WECOM_FACT_LABEL.holds(part.label)]
    facts = short[:WECOM_FACTS]
    long = [line(part) for part in card.lines if part.label and part not in facts]
    sentences = "\n".join(part.text for part in card.lines if not part.label)
    drawn: dict[str, Any] = {"card_type": "button_interaction", "main_title": _main_title(card, card.status)}
    if long:
        quote = shrink(lambda longest: "\n".join(clip(part, longest) for part in long), WECOM_QUOTE, WECOM_QUOTE.at_most)
        drawn["quote_area"] = {"type": 0, "quote_text": quote}
    if sentences:
        drawn["sub_title_text"] = WECOM_SUB_TITLE.cut(sentences)
    if facts:
        drawn["horizontal_content_list"] = [{"keyname": fact.label, "value": fact.text} for fact in facts]
    drawn["button_list"] = [_button(button) for button in card.buttons]
    if card.page:  # a tap beside the buttons; boxes have no such thing (§6)
        drawn["card_action"] = {"type": 1, "url": card.page}
    return drawn


def _main_title(card: Card, desc: str) -> dict[str, str]:
    return {"title": card.title, "desc": WECOM_DESC.cut(desc)} if desc else {"title": card.title}


def _option(check: Check) -> dict[str, Any]:
    return {"id": check.id, "text": check.text, "is_checked": check.ticked}


def _button(button: Button) -> dict[str, Any]:
    drawn = {"text": button.text, "style": _STYLES[button.style]}
    return drawn | ({"type": 1, "url": button.url} if button.url else {"type": 0, "key": button.action or _CLOSED})


def _last_word(card: Card) -> Button:
    """The disabled button of a plain card."""
    return Button(WECOM.button.cut(card.status or card.title))


def _text(card: Card) -> str:
    """Text messages show `<a href>` as a link (§5.2): what people type must not become one."""
    return shrink(lambda longest: _LINK.sub("＜", text(card, longest)), WECOM_TEXT, WECOM_TEXT.at_most)
