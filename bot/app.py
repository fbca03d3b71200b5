"""The one place where objects are made and joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot.channel import Channel
from bot.clock import UtcNow, clock_for
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.channel import DingTalkChannel
from bot.dingtalk.directory import fetch as fetch_dingtalk
from bot.directories import Directories
from bot.jobs import Jobs
from bot.sender import Rates, Sender
from bot.settings import Settings
from bot.stream import StreamKeeper
from bot.wecom.api import WeComApi
from bot.wecom.channel import WeComChannel
from bot.wecom.directory import fetch as fetch_wecom
from handlers.dispatch import Dispatcher
from rules.directory import Directory
from rules.events import Platform
from storage.limits import Rate
from storage.unit import Store
from web.access import Links

# DingTalk's answer to a press carries the new card; WeCom's would change it for nobody to confirm (wecom.md 3.4).
_IN_RESPONSE = frozenset({Platform.DINGTALK})


@dataclass(frozen=True)
class App:
    """Everything of one process. What runs in it is started by `run.py`; `close` lets go of the database."""

    settings: Settings
    store: Store
    now: UtcNow
    dispatcher: Dispatcher
    links: Links
    sender: Sender
    jobs: Jobs
    directories: Directories
    stream: StreamKeeper | None

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


def build(settings: Settings) -> App:
    """Make and join everything; nothing is started and no network is touched."""
    store = Store(settings.database.url, pool=settings.web.threads + settings.sending.threads + 4)
    now = clock_for(Path(settings.demo.clock_file) if settings.demo.clock_file else None)
    policy = settings.policy()
    channels, fetchers = _platforms(settings)
    links = Links(settings.web.public_url, settings.web.secret.reveal())
    lease = 3 * settings.sending.timeout_seconds
    sender = Sender(store, channels, _rates(settings), links.card, now, lease_seconds=lease)
    dispatcher = Dispatcher(store, policy, now, _IN_RESPONSE, sender.wake)
    return App(
        settings=settings,
        store=store,
        now=now,
        dispatcher=dispatcher,
        links=links,
        sender=sender,
        jobs=Jobs(store, policy, now, sender.wake),
        directories=Directories(store, policy, now, fetchers, settings.people.sync_at, sender.wake),
        stream=StreamKeeper(store, settings.dingtalk, dispatcher.handle) if _streams(settings) else None,
    )


def _streams(settings: Settings) -> bool:
    return settings.dingtalk.enabled and settings.dingtalk.mode == "stream"


def _platforms(settings: Settings) -> tuple[Mapping[Platform, Channel], Mapping[Platform, Callable[[], Directory]]]:
    channels: dict[Platform, Channel] = {}
    fetchers: dict[Platform, Callable[[], Directory]] = {}
    timeout = (3.0, settings.sending.timeout_seconds)  # to connect, to answer
    if settings.dingtalk.enabled:
        ours = settings.dingtalk
        dingtalk = DingTalkApi(ours.client_id, ours.client_secret.reveal(), ours.api_base, ours.oapi_base, timeout)
        robot = ours.robot_code or ours.client_id
        channels[Platform.DINGTALK] = DingTalkChannel(dingtalk, robot, ours.card_template_id or None)
        fetchers[Platform.DINGTALK] = partial(fetch_dingtalk, dingtalk)
    if settings.wecom.enabled:
        wecom = WeComApi(settings.wecom.corp_id, settings.wecom.secret.reveal(), settings.wecom.api_base, timeout)
        channels[Platform.WECOM] = WeComChannel(wecom, settings.wecom.agent_id)
        fetchers[Platform.WECOM] = partial(fetch_wecom, wecom)
    return channels, fetchers


def _rates(settings: Settings) -> Mapping[Platform, Rates]:
    sending = settings.sending
    member = Rate(sending.wecom_member_per_minute, 60.0, burst=sending.wecom_member_per_minute // 2)
    return {
        Platform.DINGTALK: Rates(_per_second(sending.dingtalk_per_second)),
        Platform.WECOM: Rates(_per_second(sending.wecom_per_second), member),
    }


def _per_second(count: int) -> Rate:
    return Rate(count, 1.0, burst=max(1, count // 10))
