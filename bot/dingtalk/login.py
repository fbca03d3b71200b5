"""DingTalk's login page, inside and outside its client.

The page gives a code, the code a user's token, the token his unionId, and that the userid of an employee of ours: anybody with a
DingTalk account can pass the page. Source: DingTalk open platform, "实现登录第三方网站", "获取用户token", "根据unionid获取用户userid";
dingtalk.md §10.
"""

from __future__ import annotations

from urllib.parse import urlencode

from bot.channel import SendFailed
from bot.dingtalk.api import DingTalkApi
from rules.events import Account, Platform
from web.login import LoginFailed

_NOT_HERE = {"60121", "33012"}
_EMPLOYEE = 0  # contact_type; 1 is an external contact


class DingTalkDoor:
    """`login_base` is the host of the login page, without a slash at the end."""

    def __init__(self, api: DingTalkApi, client_id: str, login_base: str) -> None:
        self._api, self._client_id, self._login_base = api, client_id, login_base

    def address(self, back_to: str, state: str) -> str:
        """The login page."""
        query = {"redirect_uri": back_to, "response_type": "code", "client_id": self._client_id}
        return f"{self._login_base}/oauth2/auth?{urlencode(query | {'scope': 'openid', 'state': state, 'prompt': 'consent'})}"

    def account(self, code: str) -> Account | None:
        """Whose code this is: it serves once, for five minutes."""
        try:
            union_id = self._api.of_user(code).get("unionId")
            told = self._api.call_old("/topapi/user/getbyunionid", {"unionid": union_id})["result"] if union_id else {}
        except SendFailed as failure:
            if failure.code in _NOT_HERE:
                return None
            raise LoginFailed(failure.code) from None
        user_id = told.get("userid") if told.get("contact_type", _EMPLOYEE) == _EMPLOYEE else None
        return Account(Platform.DINGTALK, str(user_id)) if user_id else None
