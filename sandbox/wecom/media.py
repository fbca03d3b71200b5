"""media/upload and media/get, and the pictures people send. Source: [doc 96484]: three days, sizes, part name `media`."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from sandbox.clock import parse_iso
from sandbox.gate import Answer
from sandbox.media import keep_media, media_file, sniff
from sandbox.store import Doc
from sandbox.wecom.api import Call, Refused
from sandbox.world import World

LIFETIME = timedelta(days=3)
SMALLEST = 6
MEBIBYTE = 1024 * 1024
LARGEST = {"image": 10 * MEBIBYTE, "voice": 2 * MEBIBYTE, "video": 10 * MEBIBYTE, "file": 20 * MEBIBYTE}


def alive(world: World, kept: Doc) -> bool:
    """Whether the three days have not passed."""
    return world.clock.now() - parse_iso(kept["at"]) < LIFETIME


def upload(call: Call) -> Doc:
    """multipart with the part `media`; created_at is a string."""
    kind = call.args.get("type", "")
    if kind not in LARGEST:
        raise Refused(40004, f"invalid media type {kind!r}")
    part = call.files.get("media")
    if part is None:
        raise Refused(41005, "media data missing")
    content = part.stream.read()
    if len(content) < SMALLEST:
        raise Refused(44001, "empty media data")
    if len(content) > LARGEST[kind]:
        raise Refused(45001, "media size out of limit")
    if kind == "image" and sniff(content) not in ("image/jpeg", "image/png"):
        raise Refused(40005, "an image is JPG or PNG")
    if kind == "voice" and sniff(content) != "audio/amr":
        raise Refused(40005, "a voice is AMR")
    media_id = keep_media(call.world, content, kind, part.filename or "file")
    return {"type": kind, "media_id": media_id, "created_at": str(int(call.world.clock.now().timestamp()))}


def get(call: Call) -> Answer:
    """The bytes with their name; errors are JSON with HTTP 200 all the same."""
    found = media_file(call.world, call.args.get("media_id", ""))
    if found is None or not alive(call.world, found[0]):
        raise Refused(40007, "invalid media_id")
    kept, content = found
    disposition = f'attachment; filename="{quote(kept["name"])}"'
    return Answer(content, headers={"Content-Disposition": disposition}, content_type=kept["mime"])
