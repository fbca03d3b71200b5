"""A bot as small as can be, for looking at the page: sends cards over the platforms' own APIs, hears taps as real HTTP callbacks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import xmltodict
from wechatpy.enterprise.crypto import WeChatCrypto
from werkzeug.wrappers import Response

from sandbox.company import Company
from tests.bot.server import Asked, serving

OPTIONS = {
    "cue": "促单话术到位,主动报价格",
    "missed": "漏了促单话术",
    "sizes": "没有按脚本介绍尺码,客户问三次才答,需要更早说明退换规则",
}
ROUTE = "page-tests"


@dataclass(frozen=True)
class Heard:
    """A tap as it reached the bot: `code` updates the WeCom card."""

    card: str
    userid: str
    action: str
    ticks: list[str]
    code: str = ""


@dataclass
class Bot:
    """`api` is the sandbox. `on_tap` decides what a tap is answered with; None: just received. `next_due`: ISO, for the agenda."""

    company: Company
    api: str = ""
    next_due: str | None = None
    taps: list[Heard] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    on_tap: Callable[[Heard], Response | None] = lambda _: None

    def __post_init__(self) -> None:
        app = self.company.wecom
        self.crypto = WeChatCrypto(app.token, app.encoding_aes_key, app.corp_id)
        self.http = requests.Session()
        self.http.trust_env = False

    # ---- to the platforms

    def wecom_text(self, userid: str, text: str) -> None:
        self._wecom("message/send", {"touser": userid, "msgtype": "text", "text": {"content": text}})

    def wecom_markdown(self, userid: str, text: str) -> None:
        self._wecom("message/send", {"touser": userid, "msgtype": "markdown", "markdown": {"content": text}})

    def wecom_checkin(self, userid: str, card: str) -> str:
        """Send a card with boxes; the code that updates it."""
        answer = self._wecom("message/send", {"touser": userid, "msgtype": "template_card", "template_card": wecom_checkin(card)})
        return str(answer["response_code"])

    def wecom_feedback(self, userid: str, card: str, **more: Any) -> str:
        """Send a card with three buttons; the code that updates it."""
        drawn = wecom_feedback(card) | more
        return str(self._wecom("message/send", {"touser": userid, "msgtype": "template_card", "template_card": drawn})["response_code"])

    def wecom_grey(self, userid: str, code: str, words: str) -> None:
        """Grey the buttons of a card and write `words` on them."""
        self._wecom("message/update_template_card", {"userids": [userid], "response_code": code, "button": {"replace_name": words}})

    def dingtalk_card(self, userid: str, card: str, **variables: str) -> None:
        """Create a card and deliver it into a private chat."""
        body = {
            "cardTemplateId": "page-tests.schema",
            "outTrackId": card,
            "callbackType": "HTTP",
            "callbackRouteKey": ROUTE,
            "cardData": {"cardParamMap": variables},
            "openSpaceId": f"dtv1.card//IM_ROBOT.{userid}",
            "imRobotOpenSpaceModel": {"supportForward": False, "lastMessageI18n": {"ZH_CN": variables["title"]}},
            "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": self.company.dingtalk.robot_code},
        }
        answer = self._dingtalk("POST", "/v1.0/card/instances/createAndDeliver", body)
        assert answer["result"]["deliverResults"][0]["success"], answer

    def dingtalk_turn(self, card: str, **variables: str) -> None:
        """Change some variables of a card."""
        body = {"outTrackId": card, "cardData": {"cardParamMap": variables}, "cardUpdateOptions": {"updateCardDataByKey": True}}
        self._dingtalk("PUT", "/v1.0/card/instances", body)

    def dingtalk_message(self, userid: str, kind: str, **param: str) -> None:
        """A robot message: sampleText, sampleMarkdown, sampleActionCard ..."""
        body = {"robotCode": self.company.dingtalk.robot_code, "userIds": [userid], "msgKey": kind, "msgParam": json.dumps(param)}
        self._dingtalk("POST", "/v1.0/robot/oToMessages/batchSend", body)

    def dingtalk_group_text(self, chat_id: str, text: str) -> None:
        body = {
            "robotCode": self.company.dingtalk.robot_code,
            "openConversationId": chat_id,
            "msgKey": "sampleText",
            "msgParam": json.dumps({"content": text}),
        }
        self._dingtalk("POST", "/v1.0/robot/groupMessages/send", body)

    def _wecom(self, api: str, body: dict[str, Any]) -> dict[str, Any]:
        app = self.company.wecom
        token = self.http.get(f"{self.api}/cgi-bin/gettoken", params={"corpid": app.corp_id, "corpsecret": app.secret}).json()
        content = json.dumps({"agentid": app.agent_id, **body}, ensure_ascii=False).encode()
        answer = self.http.post(f"{self.api}/cgi-bin/{api}", params={"access_token": token["access_token"]}, data=content)
        found: dict[str, Any] = answer.json()
        assert found["errcode"] == 0, found
        return found

    def _dingtalk(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        app = self.company.dingtalk
        keys = {"appKey": app.client_id, "appSecret": app.client_secret}
        token = self.http.post(f"{self.api}/v1.0/oauth2/accessToken", json=keys).json()["accessToken"]
        answer = self.http.request(method, f"{self.api}{path}", json=body, headers={"x-acs-dingtalk-access-token": token})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    # ---- from the platforms

    def hear_wecom(self, asked: Asked) -> Response:
        query = asked.query
        if asked.method == "GET":
            return Response(self.crypto.check_signature(query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]))
        plain = self.crypto.decrypt_message(asked.body, query["msg_signature"], query["timestamp"], query["nonce"])
        event = xmltodict.parse(plain, force_list=("SelectedItem", "OptionId"))["xml"]
        if event.get("Event") != "template_card_event":
            self.said.append(event)
            return Response()
        items = (event.get("SelectedItems") or {}).get("SelectedItem", [])
        ticks = [tick for item in items for tick in (item.get("OptionIds") or {}).get("OptionId", [])]
        return self._heard(Heard(event["TaskId"], event["FromUserName"], event["EventKey"], ticks, event["ResponseCode"]))

    def hear_dingtalk_card(self, asked: Asked) -> Response:
        params = json.loads(asked.json["content"])["cardPrivateData"]["params"]
        ticks = (params.get("form") or {}).get("ticks", [])
        return self._heard(Heard(asked.json["outTrackId"], asked.json["userId"], params["action"], ticks), Response("{}"))

    def hear_dingtalk_robot(self, asked: Asked) -> Response:
        self.said.append(asked.json)
        return Response('{"msgtype": "empty"}')

    def _heard(self, heard: Heard, received: Response | None = None) -> Response:
        self.taps.append(heard)
        return self.on_tap(heard) or received or Response()

    def agenda(self, _: Asked) -> Response:
        return Response(json.dumps({"next_due_at": self.next_due}), content_type="application/json")

    def register(self, own_url: str) -> None:
        """Tell both platforms where to call."""
        self._put("wecom/callback", {"url": f"{own_url}/wecom"})
        self._put("dingtalk/callback", {"mode": "http", "url": f"{own_url}/robot"})
        body = {"callbackRouteKey": ROUTE, "callbackUrl": f"{own_url}/card", "forceUpdate": True}
        self._dingtalk("POST", "/v1.0/card/callbacks/register", body)

    def _put(self, path: str, body: dict[str, Any]) -> None:
        self.http.put(f"{self.api}/sandbox/{path}", json=body).raise_for_status()


@contextmanager
def running_bot(company: Company) -> Iterator[tuple[Bot, str]]:
    """The bot and the address it listens on."""
    bot = Bot(company)
    answers: dict[str, Callable[[Asked], Response]] = {
        "/wecom": bot.hear_wecom,
        "/card": bot.hear_dingtalk_card,
        "/robot": bot.hear_dingtalk_robot,
        "/agenda": bot.agenda,
    }
    with serving(answers) as server:
        yield bot, server.url
    bot.http.close()


def wecom_checkin(card: str) -> dict[str, Any]:
    """A template card with boxes."""
    return {
        "card_type": "vote_interaction",
        "source": {"desc": "三秒 · 反馈", "desc_color": 0},
        "main_title": {"title": "李小萌 · 9月11日 14:00 直播", "desc": "秋装上新 2 小时场,观看 1.2 万,成交 37 单"},
        "task_id": card,
        "checkbox": {"question_key": "ticks", "mode": 1, "option_list": [{"id": key, "text": text} for key, text in OPTIONS.items()]},
        "submit_button": {"text": "提交反馈", "key": "submit"},
    }


def wecom_feedback(card: str) -> dict[str, Any]:
    """A template card with three buttons."""
    return {
        "card_type": "button_interaction",
        "source": {"desc": "三秒 · 反馈", "desc_color": 0},
        "main_title": {"title": "赵敏给你一条改进反馈"},
        "sub_title_text": "9月14日 14:23 前没有回应,HRBP 会收到提醒。",
        "horizontal_content_list": [
            {"keyname": "场景", "value": "9月11日 14:23 秋装上新直播"},
            {"keyname": "动作", "value": "讲完卖点没有促单就切到下一件"},
            {"keyname": "影响", "value": "当场少了 3 单"},
        ],
        "task_id": card,
        "button_list": [
            {"text": "收到", "style": 1, "key": "ack"},
            {"text": "已改进", "style": 3, "key": "improved"},
            {"text": "有异议", "style": 2, "key": "dispute"},
        ],
    }


def dingtalk_checkin() -> dict[str, str]:
    """The variables of a card with boxes."""
    options = [{"value": key, "text": text} for key, text in OPTIONS.items()]
    form = {"fields": [{"name": "ticks", "label": "看到了什么?", "type": "MULTI_CHECKBOX_GROUP", "required": True, "options": options}]}
    return dingtalk_variables("李小萌 · 9月11日 14:00 直播", "秋装上新 2 小时场  \n观看 **1.2 万**,成交 37 单") | {
        "has_form": "true",
        "form": json.dumps(form, ensure_ascii=False),
        "submit_action": "submit",
        "form_btn_text": "提交反馈",
    }


def dingtalk_feedback() -> dict[str, str]:
    """The variables of a card with three buttons."""
    buttons = [
        {"text": "收到", "action": "ack", "style": "primary"},
        {"text": "已改进", "action": "improved", "style": "plain"},
        {"text": "有异议", "action": "dispute", "style": "danger"},
    ]
    body = "**场景** 9月11日 14:23 秋装上新直播\n\n**动作** 讲完卖点没有促单就切到下一件\n\n**影响** 当场少了 3 单"
    return dingtalk_variables("赵敏给你一条改进反馈", body) | {
        "has_buttons": "true",
        "buttons": json.dumps(buttons, ensure_ascii=False),
    }


def dingtalk_variables(title: str, body: str) -> dict[str, str]:
    """Every variable of the template, with nothing to press."""
    empty = dict.fromkeys(("form_btn_text", "submit_action", "status"), "")
    closed = {"has_form": "false", "form": '{"fields": []}', "form_status": "normal", "has_buttons": "false", "buttons": "[]"}
    return empty | closed | {"title": title, "body": body}
