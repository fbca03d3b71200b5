"""WeCom's login page for pages inside its client. Source: WeCom developer centre, "网页授权登录" (91335, 91023); wecom.md §14."""

from __future__ import annotations

from urllib.parse import urlencode

from bot.channel import SendFailed
from bot.wecom.api import WeComApi
from rules.events import Account, Platform
from web.login import LoginFailed


class WeComDoor:
    """`login_base` is the host of the login page, without a slash at the end."""

    def __init__(self, api: WeComApi, corp_id: str, agent_id: int, login_base: str) -> None:
        self._api, self._corp_id, self._agent_id, self._login_base = api, corp_id, agent_id, login_base

    def address(self, back_to: str, state: str) -> str:
        """The silent login (snsapi_base), in the platform's order of parameters; the fragment is mandatory."""
        query = {"appid": self._corp_id, "redirect_uri": back_to, "response_type": "code", "scope": "snsapi_base", "state": state}
        return f"{self._login_base}/connect/oauth2/authorize?{urlencode(query | {'agentid': self._agent_id})}#wechat_redirect"

    def account(self, code: str) -> Account | None:
        """Whose code this is: it serves once, for five minutes. An outsider has an openid and no userid."""
        try:
            told = self._api.call("get", "auth/getuserinfo", params={"code": code})
        except SendFailed as failure:
            raise LoginFailed(failure.code) from None
        user_id = told.get("userid")
        return Account(Platform.WECOM, user_id) if isinstance(user_id, str) and user_id else None
