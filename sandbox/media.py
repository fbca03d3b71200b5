"""Pictures and files that people and the bot put into the platforms; bytes lie beside the database."""

from __future__ import annotations

import secrets

from sandbox.clock import stamp
from sandbox.store import Doc
from sandbox.world import World

MEDIA = "media"
MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif", b"#!AMR": "audio/amr"}


def keep_media(world: World, content: bytes, kind: str, file_name: str) -> str:
    """Store bytes; the media id."""
    media_id = secrets.token_urlsafe(32)
    (world.media_dir / media_id).write_bytes(content)
    mime = sniff(content)
    world.store.put(MEDIA, media_id, {"type": kind, "name": file_name, "mime": mime, "at": stamp(world.clock.now())})
    return media_id


def media_file(world: World, media_id: str) -> tuple[Doc, bytes] | None:
    """What is known of a media id, with its bytes; expired or not."""
    kept = world.store.get(MEDIA, media_id)
    path = world.media_dir / media_id
    return (kept, path.read_bytes()) if kept and path.exists() else None


def sniff(content: bytes) -> str:
    """The type by the first bytes; file names are not trusted."""
    return next((mime for magic, mime in MAGIC.items() if content.startswith(magic)), "application/octet-stream")
