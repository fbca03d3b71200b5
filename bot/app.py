"""The one place where objects are made and joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from bot.audit import Auditor
from bot.channel import Channel
from bot.clock import UtcNow, clock_for
from bot.dingtalk.api import DingTalkApi
from bot.dingtalk.channel import DingTalkChannel, register_presses
from bot.dingtalk.directory import fetch as fetch_dingtalk
from bot.dingtalk.login import DingTalkDoor
from bot.dingtalk.media import DingTalkMedia
from bot.directories import Directories
from bot.downloads import Downloader, Media
from bot.evidence import Fetcher, Keeper, Limits
from bot.hints import Hints
from bot.jobs import Jobs
from bot.llm import Endpoint
from bot.meter import Meter
from bot.pictures import Pictures, Upload
from bot.retention import Forgetter
from bot.s3 import S3Blobs
from bot.sender import Rates, Sender
from bot.settings import Settings
from bot.stream import LEASE, StreamKeeper
from bot.wecom.api import WeComApi
from bot.wecom.channel import WeComChannel
from bot.wecom.directory import fetch as fetch_wecom
from bot.wecom.login import WeComDoor
from bot.wecom.media import WeComMedia
from handlers.audit import Expected
from handlers.dispatch import Dispatcher
from rules.budgets import What
from rules.directory import Directory
from rules.events import Platform
from rules.policy import Policy
from storage.blobs import Blobs, FolderBlobs
from storage.limits import Rate
from storage.unit import Store
from web.access import Links
from web.evidence import PictureLinks
from web.login import Door

# DingTalk's answer to a press carries the new card; WeCom's would change it for nobody to confirm (wecom.md 3.4).
_ROUTE_KEY = "sanmiao"  # under which presses come by HTTP
_IN_RESPONSE = frozenset({Platform.DINGTALK})


@dataclass(frozen=True)
class App:
    """Everything of one process. What runs in it is started by `run.py`; `close` lets go of the database. `announcements` are what
    platforms must be told at every start; each may raise SendFailed."""

    settings: Settings
    policy: Policy
    store: Store
    now: UtcNow
    dispatcher: Dispatcher
    expected: Expected
    links: Links
    pictures: PictureLinks
    blobs: Blobs
    sender: Sender
    meter: Meter
    auditor: Auditor
    forgetter: Forgetter
    jobs: Jobs
    directories: Directories
    evidence: Fetcher
    keeper: Keeper
    doors: Mapping[Platform, Door]
    announcements: tuple[Callable[[], None], ...]
    stream: StreamKeeper | None
    hints: Hints | None
    drawing: Pictures

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()


def build(settings: Settings) -> App:
    """Make and join everything; nothing is started and no network is touched."""
    store = Store(settings.database.url, pool=settings.web.threads + settings.sending.threads + 5)
    now = clock_for(Path(settings.demo.clock_file) if settings.demo.clock_file else None)
    policy = settings.policy()
    meter = Meter(store, policy, now)
    ours = _platforms(settings, meter)
    links = Links(settings.web.public_url, settings.web.secret.reveal())
    blobs = S3Blobs(settings.s3) if settings.s3.enabled else FolderBlobs(Path(settings.evidence.folder))
    keeper = Keeper(blobs, _limits(settings))
    lease = 3 * settings.sending.timeout_seconds
    sender = Sender(store, ours.channels, _rates(settings), links.card, now, lease_seconds=lease, policy=policy, degree=meter.degree)
    heard = partial(meter.count, what=What.HEARD)
    dispatcher = Dispatcher(store, policy, now, _IN_RESPONSE, sender.wake, heard)
    stream = StreamKeeper(store, settings.dingtalk, dispatcher.handle) if _streams(settings) else None
    expected = Expected(timedelta(seconds=settings.jobs.tick_seconds), lease, LEASE if stream else None)
    auditor = Auditor(
        store,
        policy,
        now,
        settings.audit,
        expected,
        deaf=lambda: stream is not None and stream.deaf,
        committed=sender.wake,
    )
    return App(
        settings=settings,
        policy=policy,
        store=store,
        now=now,
        dispatcher=dispatcher,
        links=links,
        pictures=PictureLinks(settings.web.public_url, settings.web.secret.reveal(), now),
        blobs=blobs,
        sender=sender,
        meter=meter,
        expected=expected,
        auditor=auditor,
        forgetter=Forgetter(store, policy, now),
        jobs=Jobs(store, policy, now, sender.wake),
        directories=Directories(store, policy, now, ours.directories, settings.people.sync_at, sender.wake),
        evidence=Fetcher(store, policy, now, ours.media, keeper, blobs, sender.wake),
        keeper=keeper,
        doors=ours.doors,
        announcements=tuple(ours.announcements),
        stream=stream,
        drawing=Pictures(store, policy, now, ours.uploads, sender.wake),
        hints=Hints(store, policy, now, _endpoint(settings).ask, sender.wake) if settings.llm.enabled else None,
    )


def _streams(settings: Settings) -> bool:
    return settings.dingtalk.enabled and settings.dingtalk.mode == "stream"


def _endpoint(settings: Settings) -> Endpoint:
    return Endpoint(settings.llm.base_url, settings.llm.model, settings.llm.api_key.reveal())


@dataclass(frozen=True)
class _Platforms:
    """What we can do on the platforms in use: send, read the directory, fetch what people sent, ask who opens a page."""

    channels: dict[Platform, Channel] = field(default_factory=dict)
    directories: dict[Platform, Callable[[], Directory]] = field(default_factory=dict)
    media: dict[Platform, Media] = field(default_factory=dict)
    uploads: dict[Platform, Upload] = field(default_factory=dict)
    doors: dict[Platform, Door] = field(default_factory=dict)
    announcements: list[Callable[[], None]] = field(default_factory=list)


def _platforms(settings: Settings, meter: Meter) -> _Platforms:
    made = _Platforms()
    timeout = (3.0, settings.sending.timeout_seconds)  # to connect, to answer
    if settings.dingtalk.enabled:
        ours = settings.dingtalk
        dingtalk = DingTalkApi(
            ours.client_id,
            ours.client_secret.reveal(),
            ours.api_base,
            ours.oapi_base,
            timeout,
            partial(meter.count, Platform.DINGTALK, What.CALLS),
        )
        robot = ours.robot_code or ours.client_id
        route = None if _streams(settings) else _ROUTE_KEY
        made.channels[Platform.DINGTALK] = DingTalkChannel(dingtalk, robot, ours.card_template_id or None, route)
        if route:
            url, secret = f"{settings.web.public_url}/dingtalk/card", ours.card_api_secret.reveal()
            made.announcements.append(partial(register_presses, dingtalk, route, url, secret))
        made.directories[Platform.DINGTALK] = partial(fetch_dingtalk, dingtalk)
        files = DingTalkMedia(dingtalk, robot, Downloader((ours.api_base, ours.oapi_base), timeout))
        made.media[Platform.DINGTALK], made.uploads[Platform.DINGTALK] = files, files.put
        made.doors[Platform.DINGTALK] = DingTalkDoor(dingtalk, ours.client_id, ours.login_base)
    if settings.wecom.enabled:
        wecom = WeComApi(settings.wecom.corp_id, settings.wecom.secret.reveal(), settings.wecom.api_base, timeout)
        made.channels[Platform.WECOM] = WeComChannel(wecom, settings.wecom.agent_id, partial(meter.count, Platform.WECOM, What.SENDS))
        made.directories[Platform.WECOM] = partial(fetch_wecom, wecom)
        made.media[Platform.WECOM] = media = WeComMedia(wecom)
        made.uploads[Platform.WECOM] = media.put
        made.doors[Platform.WECOM] = WeComDoor(wecom, settings.wecom.corp_id, settings.wecom.agent_id, settings.wecom.login_base)
    return made


def _limits(settings: Settings) -> Limits:
    ours, mega = settings.evidence, 1_000_000
    return Limits(round(ours.image_mb * mega), round(ours.video_mb * mega), round(ours.image_megapixels * mega))


def _rates(settings: Settings) -> Mapping[Platform, Rates]:
    sending = settings.sending
    group = Rate(sending.group_per_minute, 60.0)
    member = (Rate(sending.wecom_member_per_minute, 60.0), Rate(sending.wecom_member_per_hour, 3600.0))
    return {
        Platform.DINGTALK: Rates(Rate(sending.dingtalk_per_second, 1.0), group=group),
        Platform.WECOM: Rates(Rate(sending.wecom_per_second, 1.0), member, group),
    }
