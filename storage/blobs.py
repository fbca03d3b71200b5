"""Where the bytes of pictures lie: named by what is in them (SHA-256), so that the same picture lies there once.

A folder outside everything the web server serves, or a store that speaks S3 (`bot/s3.py`, because that touches the network).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Protocol

_NAME = re.compile(r"[0-9a-f]{64}\Z")


class Unreachable(Exception):
    """The store does not answer, or refuses. The text is a code for the log."""


class Blobs(Protocol):
    """A store of bytes by content. Any call may raise Unreachable."""

    def put(self, content: bytes) -> str:
        """Keep the bytes for good; their name, 64 hex digits. Keeping the same again changes nothing."""

    def get(self, name: str) -> bytes | None:
        """The bytes, or None when there are none of that name."""

    def sweep(self, untouched_since: datetime, referenced: Callable[[Collection[str]], Collection[str]]) -> int:
        """Remove what nobody refers to and was last put before that moment of real time; how many. `referenced` says which of
        these names somebody refers to."""

    def check(self) -> None:
        """Raise Unreachable when nothing can be kept here."""


def is_name(text: str) -> bool:
    """Whether blobs are named like this."""
    return bool(_NAME.match(text))


class FolderBlobs:
    """Blobs as files `<folder>/ab/ab12…`, readable by this user only. Several machines need the folder shared."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: bytes) -> str:
        """See `Blobs`. After a power cut a name has all of its bytes or does not exist."""
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        try:
            os.utime(path)  # a sweep spares what was put lately: its row may not be committed yet
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_whole(path, content)
        return name

    def get(self, name: str) -> bytes | None:
        """See `Blobs`."""
        if not is_name(name):
            return None
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def sweep(self, untouched_since: datetime, referenced: Callable[[Collection[str]], Collection[str]]) -> int:
        """See `Blobs`."""
        limit, removed = untouched_since.timestamp(), 0
        for shelf in sorted(self._folder.glob("??")):
            old = {path.name: path for path in shelf.iterdir() if _untouched(path, limit)}
            for name in set(old) - set(referenced([n for n in old if is_name(n)])):
                # Put again while we asked: leave it.
                if _untouched(old[name], limit):
                    old[name].unlink(missing_ok=True)
                    removed += 1
        return removed

    def check(self) -> None:
        """See `Blobs`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unreachable(error.strerror) from None
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise Unreachable("not writable")

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _write_whole(path: Path, content: bytes) -> None:
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows cannot open a folder
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _untouched(path: Path, limit: float) -> bool:
    try:
        return path.stat().st_mtime < limit
    except FileNotFoundError:
        return False
