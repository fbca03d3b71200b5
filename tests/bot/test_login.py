"""What the two platforms answer to a login, and whom we take that for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from werkzeug.wrappers import Response

from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.login import DingTalkDoor
from bot.wecom.api import WeComApi
from bot.wecom.login import WeComDoor
from rules.events import Account, Platform
from tests.bot.server import Asked, serving
from web.login import LoginFailed


def wecom(told: Mapping[str, Any], code: str = "c0de") -> Account | None:
    answers: dict[str, Callable[[Asked], Response]] = {
        "/cgi-bin/gettoken": lambda _: as_json({"errcode": 0, "access_token": "t", "expires_in": 7200}),
        "/cgi-bin/auth/getuserinfo": lambda asked: as_json(told if asked.query["code"] == "c0de" else {"errcode": 1}),
    }
    with serving(answers) as server:
        return WeComDoor(WeComApi("corp", "secret", server.url), "corp", 7, "https://login.example").account(code)


def dingtalk(told: Mapping[str, Any], profile: Mapping[str, Any] | None = None) -> Account | None:
    def me(asked: Asked) -> Response:
        return as_json(profile or {"unionId": "u1"}) if asked.headers["x-acs-dingtalk-access-token"] == "his" else Response(status=401)

    answers: dict[str, Callable[[Asked], Response]] = {
        "/v1.0/oauth2/accessToken": lambda _: as_json({"accessToken": "ours", "expireIn": 7200}),
        "/v1.0/oauth2/userAccessToken": lambda asked: as_json({"accessToken": "his"} if asked.json["code"] == "c0de" else {}),
        "/v1.0/contact/users/me": me,
        "/topapi/user/getbyunionid": lambda asked: as_json(told) if asked.json == {"unionid": "u1"} else Response(status=500),
    }
    with serving(answers) as server:
        return DingTalkDoor(DingTalkApi("id", "secret", server.url, server.url), "id", "https://login.example").account("c0de")


def as_json(body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body), content_type="application/json")


def test_a_member_of_wecom_is_known_by_his_userid() -> None:
    assert wecom({"errcode": 0, "errmsg": "ok", "userid": "li.si"}) == Account(Platform.WECOM, "li.si")


def test_an_outsider_of_wecom_is_nobody() -> None:
    assert wecom({"errcode": 0, "errmsg": "ok", "openid": "o1", "external_userid": "w1"}) is None


@pytest.mark.parametrize("errcode", [40029, 42003, 50001, -1])
def test_a_code_that_wecom_refuses_is_a_login_that_failed(errcode: int) -> None:
    with pytest.raises(LoginFailed, match=str(errcode)):
        wecom({"errcode": errcode, "errmsg": "invalid code"})


def test_an_employee_is_known_by_his_unionid_on_dingtalk() -> None:
    assert dingtalk({"errcode": 0, "result": {"contact_type": 0, "userid": "u0101"}}) == Account(Platform.DINGTALK, "u0101")


@pytest.mark.parametrize("told", [{"errcode": 60121, "errmsg": "x"}, {"errcode": 0, "result": {"contact_type": 1, "userid": "ext"}}])
def test_anybody_else_with_a_dingtalk_account_is_nobody(told: Mapping[str, Any]) -> None:
    assert dingtalk(told) is None


def test_what_dingtalk_refuses_is_a_login_that_failed() -> None:
    with pytest.raises(LoginFailed):
        dingtalk({"errcode": 60011, "errmsg": "no permission"})


def test_the_addresses_are_those_of_the_platforms_pages() -> None:
    door = WeComDoor(WeComApi("corp", "secret"), "corp", 7, "https://open.weixin.qq.com")
    assert door.address("https://b.example/login/wecom/back", "ab12") == (
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=corp&redirect_uri=https%3A%2F%2Fb.example%2Flogin%2Fwecom%2Fback"
        "&response_type=code&scope=snsapi_base&state=ab12&agentid=7#wechat_redirect"
    )
    other = DingTalkDoor(DingTalkApi("id", "secret"), "id", "https://login.dingtalk.com")
    assert other.address("https://b.example/login/dingtalk/back", "ab12") == (
        "https://login.dingtalk.com/oauth2/auth?redirect_uri=https%3A%2F%2Fb.example%2Flogin%2Fdingtalk%2Fback"
        "&response_type=code&client_id=id&scope=openid&state=ab12&prompt=consent"
    )
