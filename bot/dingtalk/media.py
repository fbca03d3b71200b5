"""Pictures and videos that people sent to the DingTalk robot, by their download code; and pictures of ours, put in to be shown.

Source: DingTalk open platform, "download-the-file-content-of-the-robot-receiving-message" (dingtalk.md §6.1): the API answers with a
temporary address on another host, which is asked without a token.
"""

from __future__ import annotations

from bot.channel import Failure, SendFailed
from bot.dingtalk.api import DingTalkApi
from bot.downloads import Downloader, Gone, Limit

_NO_SUCH_CODE = frozenset({"invalidParameter.robotCode.downloadCode"})


class DingTalkMedia:
    """Implements `bot.downloads.Media`."""

    def __init__(self, api: DingTalkApi, robot_code: str, downloader: Downloader) -> None:
        self._api, self._robot_code, self._downloader = api, robot_code, downloader

    def fetch(self, handle: str, limit: Limit) -> bytes:
        """See `Media`."""
        try:
            answer = self._api.call(
                "post", "/v1.0/robot/messageFiles/download", body={"downloadCode": handle, "robotCode": self._robot_code}
            )
        except SendFailed as failure:
            if failure.code in _NO_SUCH_CODE:
                raise Gone(failure.code) from None
            raise
        url = answer.get("downloadUrl")
        if not isinstance(url, str):
            raise SendFailed(Failure.TEMPORARY, "no_url", "the platform answered without an address")
        try:
            return self._downloader.get(url, limit)
        except Gone as gone:
            # The code is good; its address may have run out, or its server is odd today. A new address is one call away.
            raise SendFailed(Failure.TEMPORARY, "no_file", str(gone)) from None

    def put(self, png: bytes) -> str:
        """Upload a picture; its media id, which markdown shows. Raises SendFailed. Source: "upload-media-files" (dingtalk.md §7.4)."""
        answer = self._api.upload("/media/upload", {"type": "image"}, {"media": ("week.png", png, "image/png")})
        media_id = answer.get("media_id")
        if not isinstance(media_id, str) or not media_id:
            raise SendFailed(Failure.TEMPORARY, "no_media_id", "the platform took the picture and gave no id")
        return media_id
