"""The fetcher on real databases, with a platform that says what a test tells it to."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image

from bot.channel import Failure, SendFailed
from bot.downloads import Gone, Limit, TooLarge
from bot.evidence import Fetcher, Keeper, Limits
from rules.events import Platform
from rules.evidence import Evidence, MediaKind, Problem, Progress
from rules.feedback import Kind, State
from storage.blobs import FolderBlobs
from storage.evidence import Sent
from storage.tables import evidence
from storage.unit import Store
from tests.builders import NOON, a_company, a_policy, an_open_record

LIMITS = Limits(image_bytes=200_000, video_bytes=300_000, pixels=1_000_000)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"frames" * 100


def a_picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), colour).save(out, "PNG")
    return out.getvalue()


@dataclass
class Files:
    """Media of a platform: what each handle brings, an exception or bytes."""

    files: dict[str, bytes | Exception]
    asked: list[str] = field(default_factory=list)

    def fetch(self, handle: str, limit: Limit) -> bytes:
        self.asked.append(handle)
        file = self.files[handle]
        if isinstance(file, Exception):
            raise file
        if len(file) > limit(file[:64]):
            raise TooLarge
        return file


class Desk:
    """A fetcher, an open record of E010 about E011, and a clock."""

    def __init__(self, store: Store, folder: Path, **files: bytes | Exception) -> None:
        self.store, self.now, self.woken = store, NOON, 0
        self.files, self.blobs = Files(dict(files)), FolderBlobs(folder)
        self.fetcher = self.another()
        with store.begin() as tx:
            people = a_company(tx)
            self.author, self.subject = people["E010"].id, people["E011"].id
            self.record = an_open_record(tx, self.author, self.subject)
            draft = tx.feedback.get(self.record)
            tx.feedback.apply(
                replace(draft, state=State.OPEN, kind=Kind.IMPROVE, scene="早", action="漏了", impact="少一单", given_at=NOON)
            )

    def another(self) -> Fetcher:
        keeper = Keeper(self.blobs, LIMITS)
        return Fetcher(self.store, a_policy(), lambda: self.now, {Platform.WECOM: self.files}, keeper, self.blobs, self._wake)

    def sent(self, media: str, feedback: bool = True, platform: Platform = Platform.WECOM) -> int:
        with self.store.begin() as tx:
            record = self.record if feedback else None
            return tx.evidence.add(Sent(record, self.author, platform, media, self.now, self.now + timedelta(days=3)))

    def item(self, id: int) -> Evidence:
        with self.store.read() as tx:
            found = tx.evidence.get(id)
        assert found is not None
        return found

    def told(self) -> list[str]:
        with self.store.read() as tx:
            return [message.data["problem"] for message in tx.outbox.recent(None, 50) if message.card == "picture_failed"]

    def retry_now(self) -> None:
        with self.store.engine.begin() as connection:
            connection.execute(evidence.update().values(retry_at=None))

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Callable[..., Desk]:
    return lambda **files: Desk(store, tmp_path / "evidence", **files)


def test_a_picture_is_fetched_judged_kept_and_told_on(desk: Callable[..., Desk]) -> None:
    here = desk(a=a_picture())
    id = here.sent("a")

    assert here.fetcher.fetch_next()

    item = here.item(id)
    assert (item.state, item.kind, item.media_type, item.width, item.height) == (
        Progress.STORED,
        MediaKind.IMAGE,
        "image/png",
        400,
        300,
    )
    assert item.blob is not None
    assert item.thumbnail is not None
    whole, small = here.blobs.get(item.blob), here.blobs.get(item.thumbnail)
    assert whole is not None
    assert small is not None
    assert Image.open(io.BytesIO(whole)).size == (400, 300)
    assert Image.open(io.BytesIO(small)).size == (320, 240)
    assert here.woken == 1
    assert not here.fetcher.fetch_next(), "nothing is left"


def test_the_same_picture_twice_lies_there_once(desk: Callable[..., Desk]) -> None:
    here = desk(a=a_picture(), b=a_picture(), c=a_picture("blue"))
    ids = [here.sent(media) for media in "abc"]

    while here.fetcher.fetch_next():
        pass

    blobs = [here.item(id).blob for id in ids]
    assert blobs[0] == blobs[1] != blobs[2]


def test_a_video_is_kept_as_it_is(desk: Callable[..., Desk]) -> None:
    here = desk(v=MP4)
    id = here.sent("v")

    here.fetcher.fetch_next()

    item = here.item(id)
    assert (item.kind, item.media_type, item.thumbnail, item.width) == (MediaKind.VIDEO, "video/mp4", None, None)
    assert here.blobs.get(str(item.blob)) == MP4


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (b"hello", Problem.NOT_A_PICTURE),
        (b"", Problem.NOT_A_PICTURE),
        (a_picture()[:50], Problem.BROKEN),
        (a_picture() + b"x" * 200_000, Problem.TOO_LARGE),
        (MP4 + b"x" * 300_000, Problem.TOO_LARGE),
        (Gone("40007"), Problem.NOT_FETCHED),
    ],
)
def test_what_cannot_be_kept_is_told_once_and_not_tried_again(
    desk: Callable[..., Desk], file: bytes | Exception, problem: Problem
) -> None:
    here = desk(a=file)
    id = here.sent("a")

    here.fetcher.fetch_next()

    assert (here.item(id).state, here.item(id).problem) == (Progress.FAILED, problem)
    assert here.told() == [problem.value]
    assert not here.fetcher.fetch_next()


@pytest.mark.parametrize(
    "error", [SendFailed(Failure.TEMPORARY, "busy", ""), SendFailed(Failure.REFUSED, "60020", ""), OSError("disk full"), RuntimeError()]
)
def test_what_fails_is_tried_again_until_it_works(desk: Callable[..., Desk], error: Exception) -> None:
    here = desk(a=error)
    id = here.sent("a")

    here.fetcher.fetch_next()
    assert not here.fetcher.fetch_next(), "not at once"
    assert here.item(id).state is Progress.WAITING
    here.files.files["a"] = a_picture()
    here.retry_now()
    here.fetcher.fetch_next()

    assert (here.item(id).state, here.item(id).attempts) == (Progress.STORED, 2)
    assert here.told() == []


def test_it_is_tried_until_the_handle_is_over_and_then_its_sender_hears(desk: Callable[..., Desk]) -> None:
    here = desk(a=SendFailed(Failure.TEMPORARY, "busy", ""))
    id = here.sent("a")

    here.now = NOON + timedelta(days=3) - timedelta(seconds=1)
    here.fetcher.fetch_next()
    assert here.item(id).state is Progress.WAITING
    here.retry_now()
    here.now = NOON + timedelta(days=3)
    here.fetcher.fetch_next()

    assert here.files.asked == ["a"], "an expired handle is not asked for"
    assert here.told() == ["not_fetched"]


def test_a_platform_that_is_no_longer_in_use_gives_nothing(desk: Callable[..., Desk]) -> None:
    here = desk()
    id = here.sent("a", platform=Platform.DINGTALK)

    here.fetcher.fetch_next()

    assert here.item(id).problem is Problem.NOT_FETCHED


def test_four_fetchers_fetch_each_picture_once(desk: Callable[..., Desk]) -> None:
    here = desk(**{f"m{n}": f"no picture {n}".encode() for n in range(20)})
    for n in range(20):
        here.sent(f"m{n}")

    def work() -> None:
        fetcher = here.another()
        while fetcher.fetch_next():
            pass

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(here.files.asked) == sorted(f"m{n}" for n in range(20))
    assert here.told().count("not_a_picture") == 20


def test_a_fetcher_that_died_leaves_its_picture_to_the_next(desk: Callable[..., Desk]) -> None:
    here = desk(a=a_picture())
    id = here.sent("a")
    with here.store.begin() as tx:
        tx.evidence.claim_next("died", -1)

    here.fetcher.fetch_next()

    assert here.item(id).state is Progress.STORED


def test_a_sweep_removes_what_belongs_to_nothing_and_leaves_the_rest(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk(a=a_picture(), b=a_picture("blue"))
    kept, loose = here.sent("a"), here.sent("b", feedback=False)
    while here.fetcher.fetch_next():
        pass
    blobs = [str(here.item(id).blob) for id in (kept, loose)]
    monkeypatch.setattr("bot.evidence.utc_now", lambda: datetime.fromisoformat("2100-01-01T00:00:00+00:00"))

    here.now = NOON + timedelta(days=2)
    assert here.fetcher.sweep() == 0
    here.now = NOON + timedelta(days=4)
    assert here.fetcher.sweep() == 2

    assert here.blobs.get(blobs[0]) is not None
    assert here.blobs.get(blobs[1]) is None


def test_the_thread_fetches_by_itself_and_stops_when_asked(desk: Callable[..., Desk]) -> None:
    here = desk(a=b"no picture")
    id = here.sent("a")

    here.fetcher.start()
    while here.item(id).state is Progress.WAITING:
        pass
    here.fetcher.stop(timeout=5)

    assert here.item(id).state is Progress.FAILED
