"""What people send is judged by decoding it. Pillow itself makes the good, odd and hostile files."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.ExifTags import GPS, Base
from PIL.PngImagePlugin import PngInfo

from bot.images import CannotKeep, Picture, draw_anew, redraw, sniff, video_type
from rules.evidence import MediaKind, Problem

PIXELS = 1_000_000


def encoded(image: Image.Image, kind: str, **details: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **details)
    return out.getvalue()


def a_screenshot(size: tuple[int, int] = (300, 200), mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, so that turning it shows."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    return image.convert(mode)


def reread(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found = image.convert("RGBA").getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def problem_of(content: bytes, most_pixels: int = PIXELS, judge: Callable[[bytes, int], Picture] = redraw) -> Problem:
    with pytest.raises(CannotKeep) as no:
        judge(content, most_pixels)
    return no.value.problem


PNG, JPEG = encoded(a_screenshot(), "PNG"), encoded(a_screenshot(), "JPEG")
GIF, WEBP = encoded(a_screenshot(), "GIF"), encoded(a_screenshot(), "WEBP")
GOOD = {"png": PNG, "jpeg": JPEG, "gif": GIF, "webp": WEBP}


@pytest.mark.parametrize(("name", "becomes"), [("png", "PNG"), ("jpeg", "JPEG"), ("gif", "PNG"), ("webp", "JPEG")])
def test_a_picture_is_drawn_anew_with_a_thumbnail(name: str, becomes: str) -> None:
    picture = redraw(GOOD[name], PIXELS)

    whole, small = reread(picture.content), reread(picture.thumbnail)
    assert (whole.format, whole.size) == (becomes, (300, 200)) == (becomes, (picture.width, picture.height))
    assert picture.media_type == f"image/{becomes.lower()}"
    assert (small.format, max(small.size) <= 320) == ("JPEG", True)
    assert pixel(whole, 10, 100)[0] > 200
    assert pixel(whole, 290, 100)[2] > 200


def test_a_large_picture_keeps_its_size_and_its_thumbnail_its_shape() -> None:
    picture = redraw(encoded(a_screenshot((1170, 2532)), "PNG"), 3_000_000)

    assert (picture.width, picture.height) == (1170, 2532)
    assert reread(picture.thumbnail).size == (148, 320)
    assert len(picture.thumbnail) < 20_000


def an_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Make] = "SecretPhone"
    exif.get_ifd(0x8825).update({GPS.GPSLatitude: (31.0, 13.0, 48.0), GPS.GPSLatitudeRef: "N"})
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_where_it_was_taken_is_gone_and_which_way_is_up_stays(kind: str, orientation: int) -> None:
    original = encoded(a_screenshot(), kind, exif=an_exif(orientation))
    assert b"SecretPhone" in original

    picture = draw_anew(original, PIXELS)

    whole = reread(picture.content)
    assert b"SecretPhone" not in picture.content + picture.thumbnail
    assert not whole.getexif()
    assert whole.size == ((200, 300) if orientation >= 5 else (300, 200))
    red_at = {1: (10, 100), 2: (290, 100), 3: (290, 100), 4: (10, 100), 5: (100, 10), 6: (100, 10), 7: (100, 290), 8: (100, 290)}
    assert pixel(whole, *red_at[orientation])[0] > 200


def test_whatever_else_was_in_the_file_is_gone() -> None:
    info = PngInfo()
    info.add_text("Comment", "a secret")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files = [
        encoded(a_screenshot(), "PNG", pnginfo=info, icc_profile=profile),
        encoded(a_screenshot(), "JPEG", comment=b"a secret", icc_profile=profile),
        PNG + b"a secret behind the picture",
        JPEG + b"PK\x03\x04 a secret archive",
    ]

    for file in files:
        picture = redraw(file, PIXELS)
        assert b"secret" not in picture.content
        assert not reread(picture.content).info.get("icc_profile")


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "YCbCr", "RGB"])
def test_jpeg_and_png_of_any_colours_become_plain(mode: str) -> None:
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"

    picture = redraw(encoded(a_screenshot(mode=mode), kind), PIXELS)

    whole = reread(picture.content)
    assert whole.mode in ("L", "RGB")
    left, right = pixel(whole, 10, 100), pixel(whole, 290, 100)
    assert left != right


def test_cmyk_keeps_its_colours() -> None:
    whole = reread(redraw(encoded(a_screenshot(mode="CMYK"), "JPEG"), PIXELS).content)

    assert pixel(whole, 10, 100)[0] > 200 > 100 > pixel(whole, 10, 100)[2]


def test_black_and_white_becomes_grey() -> None:
    whole = reread(redraw(encoded(Image.new("1", (64, 64), 1), "PNG"), PIXELS).content)

    assert (whole.mode, pixel(whole, 5, 5)[:3]) == ("L", (255, 255, 255))


def test_sixteen_bits_of_grey_are_scaled_not_cut() -> None:
    whole = reread(redraw(encoded(Image.new("I;16", (64, 64), 40_000), "PNG"), PIXELS).content)

    assert pixel(whole, 5, 5)[:3] == (156, 156, 156)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_stays_in_the_picture_and_is_white_in_the_thumbnail(mode: str) -> None:
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0)).convert(mode)
    details = {"transparency": 0} if mode == "P" else {}

    picture = redraw(encoded(clear, "PNG", **details), PIXELS)

    assert pixel(reread(picture.content), 50, 50)[3] == 0
    assert pixel(reread(picture.thumbnail), 50, 50)[:3] == (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    frames = [Image.new("RGB", (80, 60), colour) for colour in ("red", "green", "blue")]

    picture = redraw(encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100), PIXELS)

    whole = reread(picture.content)
    assert getattr(whole, "n_frames", 1) == 1
    assert pixel(whole, 40, 30)[0] > 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b'{"errcode":40007,"errmsg":"invalid media_id"}',
        b"<html><body>404</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7 screenshot.png",
        b"PK\x03\x04" + b"\0" * 50,
        encoded(a_screenshot(), "BMP"),
        encoded(a_screenshot(), "TIFF"),
        encoded(a_screenshot(), "ICO"),
        encoded(a_screenshot(), "AVIF"),
    ],
    ids=lambda content: repr(content[:8]),
)
def test_what_is_no_picture_of_the_four_kinds_is_not_even_decoded(content: bytes) -> None:
    assert problem_of(content) is Problem.NOT_A_PICTURE


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_picture_is_broken(name: str, share: float) -> None:
    assert problem_of(GOOD[name][: int(len(GOOD[name]) * share)], judge=draw_anew) is Problem.BROKEN


@pytest.mark.parametrize(("head", "rest"), [(b"\xff\xd8\xff", PNG), (b"GIF89a", JPEG), (b"\x89PNG\r\n\x1a\n", GIF)])
def test_one_kind_behind_the_head_of_another_is_refused(head: bytes, rest: bytes) -> None:
    assert problem_of(head + rest) in (Problem.BROKEN, Problem.TOO_LARGE)


def a_bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge and begins so: a few kB that unpack to megabytes, and say there are more."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"\0" * min((width // 8 + 1) * height, 20_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) + chunk(b"IDAT", rows)


@pytest.mark.parametrize("size", [(50_000, 50_000), (2**31 - 1, 2**31 - 1), (1_001, 1_000)])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    assert problem_of(a_bomb(*size)) is Problem.TOO_LARGE


def test_a_text_chunk_that_unpacks_to_gigabytes_breaks_the_picture_not_us() -> None:
    text = b"zTXt"
    body = b"Comment\0\0" + zlib.compress(b"\0" * 200_000_000, 9)
    chunk = struct.pack(">I", len(body)) + text + body + struct.pack(">I", zlib.crc32(text + body))
    bomb = PNG[:33] + chunk + PNG[33:]

    assert problem_of(bomb) is Problem.BROKEN


def test_exactly_the_most_pixels_are_taken() -> None:
    exact = encoded(Image.new("L", (1000, 1000)), "PNG")

    assert redraw(exact, PIXELS).width == 1000
    assert problem_of(exact, PIXELS - 1) is Problem.TOO_LARGE


HEADS = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\1\0\0WEBPVP8 "]


@given(st.sampled_from(HEADS), st.binary(max_size=3000))
@settings(max_examples=200, deadline=None)
def test_random_bytes_behind_a_good_head_are_broken_or_drawn(head: bytes, rest: bytes) -> None:
    judged(head + rest)


@given(st.sampled_from(sorted(GOOD)), st.integers(0, 2**32), st.integers(1, 40))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_pictures_are_broken_or_drawn(name: str, seed: int, times: int) -> None:
    chance, content = random.Random(seed), bytearray(GOOD[name])
    for _ in range(times):
        content[chance.randrange(len(content))] = chance.randrange(256)

    judged(bytes(content))


def judged(content: bytes) -> None:
    """Whatever it is, it is kept as a decodable picture within the limit, or refused with a reason."""
    try:
        picture = draw_anew(content, PIXELS)
    except CannotKeep:
        return
    whole, small = reread(picture.content), reread(picture.thumbnail)
    assert whole.width * whole.height <= PIXELS
    assert max(small.size) <= 320


def test_the_child_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts without our environment: with a Python that is told to fail, a picture is drawn all the same."""
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")

    assert redraw(PNG, PIXELS).width == 300


@pytest.mark.parametrize(
    ("head", "kind", "media_type"),
    [
        (b"\0\0\0\x18ftypmp42\0\0\0\0", MediaKind.VIDEO, "video/mp4"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", MediaKind.VIDEO, "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", MediaKind.VIDEO, "video/quicktime"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 12, MediaKind.VIDEO, "video/webm"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", None, None),
        (b"\0\0\0\x1cftypavif\0\0\0\0", None, None),
        (b"RIFF\0\0\0\0WAVEfmt ", None, None),
        (b"#!AMR\n" + b"\0" * 10, None, None),
    ],
)
def test_videos_are_known_by_their_first_bytes(head: bytes, kind: MediaKind | None, media_type: str | None) -> None:
    assert sniff(head) is kind
    if media_type:
        assert video_type(head) == media_type
