"""Evidence in a store that speaks S3 (A5): AWS, MinIO, Alibaba Cloud OSS, Tencent COS. boto3 comes with the extra `s3`.

Nobody but the bot talks to the store, and its bucket stays private: pictures leave by our own signed links, which ask first who may see
them (`web/evidence.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bot.settings import S3
from storage.blobs import Unreachable, is_name

_GONE = ("NoSuchKey", "404")


class S3Blobs:
    """Blobs as objects `<prefix><name>`. Every method but the first raises Unreachable when the store does not answer, or says no."""

    def __init__(self, settings: S3) -> None:
        # Only who keeps evidence there has the package.
        from boto3.session import Session
        from botocore.config import Config

        self._bucket, self._prefix = settings.bucket, settings.prefix
        self._client: Any = Session().client(
            "s3",
            endpoint_url=settings.endpoint or None,
            region_name=settings.region,
            aws_access_key_id=settings.access_key.reveal(),
            aws_secret_access_key=settings.secret_key.reveal(),
            config=Config(
                connect_timeout=3,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": settings.addressing},
                # Checksums that AWS introduced in 2025; other makers' stores refuse them.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, content: bytes) -> str:
        """See `Blobs`. What is there already is put again: a sweep spares it for a while."""
        name = hashlib.sha256(content).hexdigest()
        with _told_apart():
            self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=content)
        return name

    def get(self, name: str) -> bytes | None:
        """See `Blobs`."""
        if not is_name(name):
            return None
        with _told_apart():
            try:
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None
        return content

    def sweep(self, untouched_since: datetime, referenced: Callable[[Collection[str]], Collection[str]]) -> int:
        """See `Blobs`. What somebody else put under the prefix is left alone."""
        removed = 0
        with _told_apart():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
                keys = (found["Key"] for found in page.get("Contents", ()) if found["LastModified"] < untouched_since)
                old = {name for key in keys if is_name(name := key.removeprefix(self._prefix))}
                for name in old - set(referenced(old) if old else ()):
                    # Put again while we asked: leave it.
                    if self._untouched(name, untouched_since):
                        self._client.delete_object(Bucket=self._bucket, Key=self._key(name))
                        removed += 1
        return removed

    def check(self) -> None:
        """See `Blobs`."""
        with _told_apart():
            self._client.head_bucket(Bucket=self._bucket)

    def _untouched(self, name: str, since: datetime) -> bool:
        from botocore.exceptions import ClientError

        try:
            told = self._client.head_object(Bucket=self._bucket, Key=self._key(name))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:  # another process swept it
                return False
            raise
        return bool(told["LastModified"] < since)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"


@contextmanager
def _told_apart() -> Iterator[None]:
    """The store's "no" by its code, and no answer by the kind of failure; never its text, which may name hosts and keys."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise Unreachable(str(error.response["Error"]["Code"])) from None
    except BotoCoreError as error:
        raise Unreachable(type(error).__name__) from None
