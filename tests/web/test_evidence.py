"""Every kind of person × every way to a picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rules.evidence import MediaKind
from rules.feedback import Kind, State
from rules.people import Entry, Person
from storage.blobs import FolderBlobs
from storage.evidence import Kept
from storage.unit import Store, Tx
from tests.builders import NOON, a_company, an_open_record
from web.evidence import PictureLinks, Shown, blueprint

SECRET = "s" * 32
SITE = "https://bot.example"


class Album:
    """A record of E010 about E011 with one picture and one video, a page that serves them, and a clock."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.now, self.blobs = store, NOON, FolderBlobs(folder)
        self.links = PictureLinks(SITE, SECRET, lambda: self.now)
        with store.begin() as tx:
            self.people = a_company(tx)
            tx.people.put([Entry("E099", "外人", "别的部门", ())], NOON)
            self.people |= {person.key: person for person in tx.people.all().values()}
            author = self.people["E010"].id
            self.record = an_open_record(tx, author, self.people["E011"].id)
            self.change(tx, State.OPEN)
            picture = Kept(MediaKind.IMAGE, "image/png", self.blobs.put(b"whole"), self.blobs.put(b"small"), 5, 400, 300)
            video = Kept(MediaKind.VIDEO, "video/mp4", self.blobs.put(b"film"), None, 4)
            for kept in (picture, video):
                tx.evidence.add_kept(self.record, author, kept, NOON)
        app = Flask("test")
        app.register_blueprint(blueprint(store, self.links, self.blobs))
        self.client: FlaskClient = app.test_client()

    def change(self, tx: Tx, state: State) -> None:
        record = tx.feedback.get(self.record)
        tx.feedback.apply(replace(record, state=state, kind=Kind.IMPROVE, given_at=NOON))

    def shown_to(self, who: Person) -> tuple[Shown, ...]:
        with self.store.read() as tx:
            return self.links.of(tx, who, tx.feedback.get(self.record))

    def status(self, url: str) -> int:
        return self.client.get(url.removeprefix(SITE)).status_code


@pytest.fixture
def album(store: Store, tmp_path: Path) -> Album:
    return Album(store, tmp_path / "evidence")


@pytest.mark.parametrize(
    ("key", "sees"),
    [("E001", True), ("E010", True), ("E011", True), ("E003", True), ("E012", False), ("E099", False)],
    ids=["above the author", "author", "subject", "HRBP", "colleague", "stranger"],
)
def test_links_are_made_for_those_who_may_see_the_record(album: Album, key: str, sees: bool) -> None:
    shown = album.shown_to(album.people[key])

    assert len(shown) == (2 if sees else 0)
    for each in shown:
        assert album.status(each.url) == 200


def test_a_picture_comes_whole_and_small_with_headers_that_keep_it_private(album: Album) -> None:
    picture = album.shown_to(album.people["E011"])[0]
    assert picture.thumbnail is not None

    whole = album.client.get(picture.url.removeprefix(SITE))
    small = album.client.get(picture.thumbnail.removeprefix(SITE))

    assert (whole.data, whole.content_type) == (b"whole", "image/png")
    assert (small.data, small.content_type) == (b"small", "image/jpeg")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Disposition"] == 'inline; filename="evidence-1.png"'
    assert whole.headers["Cache-Control"] == "private, max-age=600, immutable"
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert whole.headers["Referrer-Policy"] == "no-referrer"


def test_a_video_is_saved_not_shown(album: Album) -> None:
    video = album.shown_to(album.people["E011"])[1]

    answer = album.client.get(video.url.removeprefix(SITE))

    assert video.thumbnail is None
    assert (answer.data, answer.content_type) == (b"film", "video/mp4")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evidence-2.mp4"'


def test_a_link_lives_ten_minutes_and_not_a_second_more(album: Album) -> None:
    url = album.shown_to(album.people["E011"])[0].url

    album.now = NOON + timedelta(minutes=10)
    assert album.status(url) == 200
    album.now = NOON + timedelta(minutes=10, seconds=1)
    assert album.status(url) == 410


def test_a_link_that_was_tampered_with_or_made_elsewhere_opens_nothing(album: Album) -> None:
    url = album.shown_to(album.people["E011"])[0].url
    others = PictureLinks(SITE, "x" * 32, lambda: NOON)
    with album.store.read() as tx:
        foreign = others.of(tx, album.people["E011"], tx.feedback.get(album.record))[0].url

    token = url.rpartition("/")[2]
    for bad in (url[:-1] + ("A" if url[-1] != "A" else "B"), f"{SITE}/e/{token[1:]}", foreign, f"{SITE}/e/..%2f..%2fetc", f"{SITE}/e/"):
        assert album.status(bad) == 404


def test_a_good_link_stops_working_when_its_person_may_no_longer_see(album: Album) -> None:
    url = album.shown_to(album.people["E011"])[0].url

    with album.store.begin() as tx:
        album.change(tx, State.WITHDRAWN)

    assert album.status(url) == 404
    assert album.shown_to(album.people["E010"]), "its author still sees it"


def test_a_good_link_of_somebody_who_left_opens_nothing(album: Album) -> None:
    url = album.shown_to(album.people["E011"])[0].url

    with album.store.begin() as tx:
        tx.people.put([Entry("E011", "刘洋", "客服部", (), left=True)], NOON)

    assert album.status(url) == 404


def test_a_blob_that_is_gone_is_not_found(album: Album) -> None:
    url = album.shown_to(album.people["E011"])[0].url

    for path in (p for p in Path(album.blobs._folder).rglob("*") if p.is_file()):
        path.unlink()

    assert album.status(url) == 404
