"""Pictures and videos that people sent to the WeCom app, by their media id; and pictures of ours, put in for three days.

Source: WeCom developer centre, "获取临时素材" (wecom.md §12): the file, or a refusal as JSON with HTTP 200. The message's PicUrl is
never followed: it is an address that somebody else chose.
"""

from __future__ import annotations

from bot.channel import Failure, SendFailed
from bot.downloads import Gone, Limit, read
from bot.wecom.api import WeComApi

_NO_SUCH_MEDIA = frozenset({"40007", "40004"})


class WeComMedia:
    """Implements `bot.downloads.Media`."""

    def __init__(self, api: WeComApi) -> None:
        self._api = api

    def fetch(self, handle: str, limit: Limit) -> bytes:
        """See `Media`."""
        try:
            response = self._api.open("media/get", {"media_id": handle})
        except SendFailed as failure:
            if failure.code in _NO_SUCH_MEDIA:
                raise Gone(failure.code) from None
            raise
        return read(response, limit)

    def put(self, png: bytes) -> str:
        """Upload a picture; its media id. Raises SendFailed. Source: "上传临时素材" (wecom.md §12)."""
        answer = self._api.upload("media/upload", {"type": "image"}, {"media": ("week.png", png, "image/png")})
        media_id = answer.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise SendFailed(Failure.TEMPORARY, "no_media_id", "the platform took the picture and gave no id")
        return media_id
