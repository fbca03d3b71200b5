from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.blobs import FolderBlobs

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


def nobody(names: Collection[str]) -> Collection[str]:
    return ()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@given(st.binary(max_size=2000))
def test_what_was_put_comes_back_under_its_hash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    blobs = FolderBlobs(tmp_path_factory.getbasetemp() / "blobs")

    name = blobs.put(content)

    assert name == hashlib.sha256(content).hexdigest()
    assert blobs.get(name) == content


def test_the_same_bytes_lie_there_once(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)

    assert blobs.put(b"picture") == blobs.put(b"picture")

    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64, "a" * 64 + "\n", "ab/" + "a" * 61])
def test_a_name_that_is_none_finds_nothing(tmp_path: Path, name: str) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put(b"picture")

    assert blobs.get(name) is None


def test_many_at_once_put_the_same_and_nothing_half_written_stays(tmp_path: Path) -> None:
    blobs, content = FolderBlobs(tmp_path), os.urandom(200_000)
    threads = [threading.Thread(target=blobs.put, args=(content,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert files(tmp_path) == [hashlib.sha256(content).hexdigest()]


def test_only_this_user_may_read_them(tmp_path: Path) -> None:
    name = FolderBlobs(tmp_path / "evidence").put(b"picture")

    path = tmp_path / "evidence" / name[:2] / name
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_sweep_takes_what_nobody_refers_to(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    used, unused = blobs.put(b"used"), blobs.put(b"unused")

    removed = blobs.sweep(FOREVER, lambda names: {used} & set(names))

    assert removed == 1
    assert blobs.get(used) == b"used"
    assert blobs.get(unused) is None


def test_a_sweep_spares_what_was_put_lately_because_its_row_may_be_on_its_way(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    name = blobs.put(b"picture")
    os.utime(tmp_path / name[:2] / name, (0, 0))
    blobs.put(b"picture")

    assert blobs.sweep(datetime.fromtimestamp(10**9, UTC), nobody) == 0
    assert blobs.get(name) is not None


def test_a_sweep_spares_what_is_put_again_while_it_asks(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    name = blobs.put(b"picture")
    os.utime(tmp_path / name[:2] / name, (0, 0))

    def put_meanwhile(names: Collection[str]) -> Collection[str]:
        blobs.put(b"picture")
        return ()

    assert blobs.sweep(datetime.fromtimestamp(10**9, UTC), put_meanwhile) == 0
    assert blobs.get(name) == b"picture"


def test_a_sweep_takes_what_a_crash_left_half_written(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    shelf = tmp_path / blobs.put(b"picture")[:2]
    (shelf / ".new-left").write_bytes(b"half")
    os.utime(shelf / ".new-left", (0, 0))

    assert blobs.sweep(LONG_AGO + timedelta(days=1), nobody) == 1
    assert len(files(tmp_path)) == 1


def test_a_folder_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "none")

    assert blobs.sweep(FOREVER, nobody) == 0
    assert blobs.get("a" * 64) is None
