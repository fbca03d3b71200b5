"""Evidence in a store that speaks S3, against a server on the loopback."""

from __future__ import annotations

import io
import os
import re
import socket
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from boto3.session import Session
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from PIL import Image

from bot.s3 import S3Blobs
from bot.settings import S3, Secret
from rules.evidence import MediaKind
from rules.people import Entry
from storage.blobs import Unreachable
from storage.evidence import Kept
from storage.unit import Store
from tests.web.site import Browser, Company

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
BUCKET, PREFIX = "evidence", "sanmiao/"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str) -> Any:
    """An empty bucket, as its owner sees it."""
    requests.post(f"{server}/moto-api/reset", timeout=5).raise_for_status()
    owner: Any = Session("key", "secret", region_name="us-east-1").resource("s3", endpoint_url=server)
    return owner.create_bucket(Bucket=BUCKET)


@pytest.fixture
def blobs(server: str, bucket: Any) -> S3Blobs:
    return S3Blobs(settings(server))


def settings(endpoint: str, bucket: str = BUCKET) -> S3:
    return S3(
        enabled=True,
        endpoint=endpoint,
        region="us-east-1",
        bucket=bucket,
        prefix=PREFIX,
        access_key=Secret("key"),
        secret_key=Secret("secret-of-the-store"),
        addressing="path",
    )


def nowhere() -> str:
    """An address at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def a_png() -> io.BytesIO:
    picture = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(picture, "PNG")
    picture.seek(0)
    return picture


def nobody(names: Collection[str]) -> Collection[str]:
    return ()


def keys(bucket: Any) -> set[str]:
    return {found.key for found in bucket.objects.all()}


@pytest.mark.parametrize("content", [b"", b"picture", os.urandom(300_000)])
def test_what_is_put_can_be_got_by_what_is_in_it(blobs: S3Blobs, bucket: Any, content: bytes) -> None:
    names = {blobs.put(content) for _ in range(2)}

    assert names == {sha256(content).hexdigest()}
    assert keys(bucket) == {PREFIX + name for name in names}
    assert blobs.get(names.pop()) == content


def test_what_is_not_there_is_nothing_and_a_path_is_no_name(blobs: S3Blobs, bucket: Any) -> None:
    bucket.put_object(Key="secret", Body=b"x")

    for name in ("a" * 64, "../secret", "", "a" * 64 + "\n"):
        assert blobs.get(name) is None


def test_a_sweep_removes_what_nobody_refers_to_and_nothing_of_others(blobs: S3Blobs, bucket: Any) -> None:
    used, unused = blobs.put(b"used"), blobs.put(b"unused")
    others = {f"{PREFIX}readme.txt", "a" * 64, f"other/{unused}"}
    for key in others:
        bucket.put_object(Key=key, Body=b"x")

    removed = blobs.sweep(FOREVER, lambda names: {used} & set(names))

    assert removed == 1
    assert keys(bucket) == {PREFIX + used, *others}


def test_a_sweep_sees_more_than_one_page(blobs: S3Blobs, bucket: Any) -> None:
    store = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]  # a thousand requests would take a quarter of a minute
    for n in range(1005):
        store.put_object(bucket.name, PREFIX + sha256(str(n).encode()).hexdigest(), b"")

    assert blobs.sweep(FOREVER, nobody) == 1005


def test_what_was_put_lately_is_spared_also_when_it_was_there_before(blobs: S3Blobs, bucket: Any) -> None:
    name = blobs.put(b"picture")
    first = bucket.Object(PREFIX + name).last_modified

    def put_meanwhile(names: Collection[str]) -> Collection[str]:
        while bucket.Object(PREFIX + name).last_modified <= first:  # the store counts in seconds
            time.sleep(0.1)
            blobs.put(b"picture")
        return ()

    assert blobs.sweep(first, nobody) == 0
    assert blobs.sweep(first + timedelta(seconds=1), put_meanwhile) == 0
    assert blobs.get(name) == b"picture"


def test_a_store_that_refuses_or_is_away_is_told_by_a_code_without_secrets(server: str, bucket: Any) -> None:
    S3Blobs(settings(server)).check()

    for wrong, code in ((settings(server, "no-such-bucket"), "NoSuchBucket|404"), (settings(nowhere()), "EndpointConnectionError")):
        there = S3Blobs(wrong)
        for call in (there.check, lambda there=there: there.put(b"x"), lambda there=there: there.sweep(FOREVER, nobody)):
            with pytest.raises(Unreachable) as told:
                call()
            assert re.fullmatch(code, str(told.value))


def test_a_picture_from_the_store_is_shown_to_those_who_may_see_its_record_only(
    store: Store, blobs: S3Blobs, bucket: Any, tmp_path: Path
) -> None:
    company = Company(store, tmp_path, blobs=blobs)
    record, browser = company.given("E010", "E011"), Browser(company)
    browser.enter("E010")

    browser.submit(f"/records/{record.id}", f"/records/{record.id}/pictures", picture=(a_png(), "a.png"))

    assert len(keys(bucket)) == 2, "the picture and its thumbnail"
    shown = re.search(r'<a href="([^"]+)"><img', browser.get(f"/records/{record.id}").text)
    assert shown is not None
    assert shown[1].startswith("https://bot.example/e/"), "our own link"
    assert browser.get(shown[1]).content_type.startswith("image/")
    with store.begin() as tx:
        tx.people.put((Entry("E010", "王芳", "客服部", (), left=True),), company.now)
    assert browser.get(shown[1]).status_code == 404, "asked again when it is opened"
    bucket.objects.all().delete()
    with store.read() as tx:
        theirs = company.pictures.of(tx, company.people["E011"], record)
    assert browser.get(theirs[0].url).status_code == 404


def test_while_the_store_is_away_the_form_says_so_and_what_lies_there_can_be_seen_later(sqlite_url: str, tmp_path: Path) -> None:
    store = Store(sqlite_url)
    company = Company(store, tmp_path, blobs=S3Blobs(settings(nowhere())))
    record, browser = company.given("E010", "E011"), Browser(company)
    browser.enter("E010")
    path = f"/records/{record.id}"

    refused = browser.submit(path, f"{path}/pictures", picture=(a_png(), "a.png"))

    assert refused.status_code == 422
    assert "图这会儿存不下" in refused.text
    with store.begin() as tx:
        kept = Kept(MediaKind.IMAGE, "image/png", "a" * 64, "b" * 64, 5, 4, 3)
        tx.evidence.add_kept(record.id, company.people["E010"].id, kept, company.now)
        shown = company.pictures.of(tx, company.people["E010"], record)
    assert browser.get(shown[0].url).status_code == 503
    store.close()
