"""Is this a picture, and may it be kept? Decided by decoding it, never by its name or its label (A5).

A decoder is the part of this program that strangers can attack best, so it runs in a process of its own, which ends by itself: limited
in processor time and memory, without our environment, killed when it takes too long. What comes out was drawn anew from the pixels:
no EXIF (the orientation is applied first), no comments, nothing that was hidden behind the picture. Of an animation the first frame is
kept.

`python -m bot.images MOST_PIXELS` is that process: the file on standard input; on standard output one line of JSON, then the thumbnail,
then the picture.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rules.evidence import MediaKind, Problem

if TYPE_CHECKING:
    from PIL.Image import Image

_ROOT = Path(__file__).resolve().parent.parent
_SECONDS = 30
_MEMORY_BYTES = 2 * 1024**3
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_THUMBNAIL = (320, 320)
_JPEG_QUALITY = 90
_THUMBNAIL_QUALITY = 80
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}
_VIDEO_TYPES = {b"qt  ": "video/quicktime"}
# Longer than any of the heads below.
HEAD_BYTES = 16


@dataclass(frozen=True)
class Picture:
    """A picture drawn anew. `thumbnail` is a JPEG of at most 320 × 320 pixels."""

    content: bytes
    thumbnail: bytes
    media_type: str
    width: int
    height: int


class CannotKeep(Exception):
    """This is not kept; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def sniff(head: bytes) -> MediaKind | None:
    """What the first bytes (at least `HEAD_BYTES`, if the file has them) say it is; None for anything we do not keep."""
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")) or (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    ):
        return MediaKind.IMAGE
    # MP4 and QuickTime (phones), Matroska and WebM. AVIF and HEIC, which are pictures, begin alike and are neither.
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return MediaKind.VIDEO
    return MediaKind.VIDEO if head.startswith(b"\x1a\x45\xdf\xa3") else None


def video_type(head: bytes) -> str:
    """The media type of what `sniff` takes for a video."""
    return "video/webm" if head.startswith(b"\x1a\x45") else _VIDEO_TYPES.get(head[8:12], "video/mp4")


def redraw(content: bytes, most_pixels: int) -> Picture:
    """Decode a picture and draw it anew. Raises CannotKeep for what is no picture, is broken, or has more than `most_pixels`.

    Takes at most half a minute, whatever the bytes are.
    """
    if sniff(content[:HEAD_BYTES]) is not MediaKind.IMAGE:
        raise CannotKeep(Problem.NOT_A_PICTURE)
    command = [sys.executable, "-m", "bot.images", str(most_pixels)]
    environment = {"PYTHONPATH": str(_ROOT), **{name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}}
    try:
        done = subprocess.run(command, input=content, capture_output=True, cwd=_ROOT, env=environment, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CannotKeep(Problem.BROKEN) from None
    if done.returncode != 0:
        raise CannotKeep(Problem.BROKEN)  # it ran out of memory or time, or the decoder crashed
    line, _, rest = done.stdout.partition(b"\n")
    told: dict[str, Any] = json.loads(line)
    if "problem" in told:
        raise CannotKeep(Problem(told["problem"]))
    split = told["thumbnail_bytes"]
    return Picture(rest[split:], rest[:split], told["media_type"], told["width"], told["height"])


def _main() -> None:
    _limit_ourselves()
    try:
        picture = draw_anew(sys.stdin.buffer.read(), int(sys.argv[1]))
    except CannotKeep as no:
        sys.stdout.write(json.dumps({"problem": no.problem.value}) + "\n")
        return
    told = {
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
        "thumbnail_bytes": len(picture.thumbnail),
    }
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + picture.thumbnail + picture.content)


def _limit_ourselves() -> None:
    try:
        import resource
    except ImportError:
        return  # Windows: only the time-out holds
    limits = ((resource.RLIMIT_CPU, _SECONDS), (resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CORE, 0))
    for what, limit in limits:
        with contextlib.suppress(OSError, ValueError):  # macOS knows RLIMIT_AS and refuses it
            resource.setrlimit(what, (limit, limit))


def draw_anew(content: bytes, most_pixels: int) -> Picture:
    """As `redraw`, in this process: for the child, and for tests that try very many files."""
    from PIL import Image

    # Our own limit comes first and is exact; Pillow's second one would only warn.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF, odd chunks: what counts is whether it decodes
            with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > most_pixels:
                    raise CannotKeep(Problem.TOO_LARGE)
                return _drawn(image)
    except CannotKeep:
        raise
    except Exception:  # noqa: BLE001 - a decoder raises whatever it likes, and all of it means: broken
        raise CannotKeep(Problem.BROKEN) from None


def _drawn(image: Image) -> Picture:
    from PIL import ImageOps

    kind = "JPEG" if image.format in ("JPEG", "MPO") or (image.format == "WEBP" and not _see_through(image)) else "PNG"
    image.load()
    plain = _plain(ImageOps.exif_transpose(image))
    if kind == "JPEG":
        plain = plain.convert("RGB") if plain.mode not in ("RGB", "L") else plain
    small = _on_white(plain)
    small.thumbnail(_THUMBNAIL)
    return Picture(
        content=_bytes(plain, kind, quality=_JPEG_QUALITY),
        thumbnail=_bytes(small, "JPEG", quality=_THUMBNAIL_QUALITY),
        media_type=_MEDIA_TYPES[kind],
        width=plain.width,
        height=plain.height,
    )


def _plain(image: Image) -> Image:
    """Eight bits a channel, grey or RGB, with or without transparency; nothing else of the file."""
    if image.mode.startswith("I"):  # 16 bits of grey: Pillow would cut them off instead of scaling
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "F" or image.mode == "1":
        image = image.convert("L")
    if _see_through(image):
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    image.info = {}
    return image


def _see_through(image: Image) -> bool:
    return image.has_transparency_data


def _on_white(image: Image) -> Image:
    from PIL import Image

    if image.mode != "RGBA":
        return image.copy()
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _bytes(image: Image, kind: str, *, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": quality} if kind == "JPEG" else {}))
    return out.getvalue()


if __name__ == "__main__":
    _main()
