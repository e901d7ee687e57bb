"""Objects of the lake's own buckets: lists of them, copies, deletions, and small JSON documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from servicelogs.errors import DeliveryError, ObjectGone, UnreadableDocument

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

AT_A_TIME = 16
"""How many requests that wait for each other in nothing are under way together."""
_MOST_DELETED = 1000
MISSING = {"NoSuchKey", "404"}


def at_once[T, R](work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Do work on each item, several at a time; raise the first error when those begun are done."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(work, items))


class Files:
    """The objects of one bucket."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self.s3 = s3
        self.bucket = bucket

    def list(self, prefix: str) -> Iterator[ObjectTypeDef]:
        """List the objects under a prefix, in the order of their keys."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for page in pages:
            yield from page.get("Contents", [])

    def folders(self, prefix: str) -> Iterator[str]:
        """List the names of the folders under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, Delimiter="/"
        )
        for page in pages:
            for folder in page.get("CommonPrefixes", []):
                yield folder["Prefix"].removeprefix(prefix).rstrip("/")

    def read[T](self, key: str, kind: type[T]) -> T:
        """Read a JSON document; UnreadableDocument if it is missing or damaged."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            return msgspec.json.decode(body, type=kind)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING:
                raise
            raise self._unreadable(key, error) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._unreadable(key, error) from error

    def _unreadable(self, key: str, error: Exception) -> UnreadableDocument:
        return UnreadableDocument(
            f"s3://{self.bucket}/{key} is missing or damaged: restore it, if the bucket has an "
            f"older version, and let nothing but the lake's functions write there ({error})"
        )

    def write(self, key: str, document: Any) -> None:
        """Write a JSON document."""
        self._put(key, document)

    def write_once(self, key: str, document: Any) -> None:
        """Write a JSON document, unless somebody did already."""
        try:
            self._put(key, document, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"PreconditionFailed", "412"}:
                raise

    def _put(self, key: str, document: Any, **condition: Any) -> None:
        self.s3.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=msgspec.json.encode(document),
            ContentType="application/json",
            **condition,
        )

    def take(self, bucket: str, key: str, to: str) -> None:
        """Copy an object of another bucket of the lake here; ObjectGone if it is not there."""
        try:
            self.s3.copy_object(
                Bucket=self.bucket, Key=to, CopySource={"Bucket": bucket, "Key": key}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                raise ObjectGone(f"s3://{bucket}/{key} is not there") from error
            raise

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are no error."""
        for group in batched(keys, _MOST_DELETED, strict=False):
            answer = self.s3.delete_objects(
                Bucket=self.bucket,
                Delete={"Objects": [{"Key": key} for key in group], "Quiet": True},
            )
            for failed in answer.get("Errors", []):
                raise DeliveryError(
                    f"s3://{self.bucket}/{failed.get('Key')} could not be deleted: "
                    f"{failed.get('Code')}: {failed.get('Message')}"
                )

    def delete_all(self, prefix: str) -> None:
        """Delete every object under a prefix."""
        self.delete(one["Key"] for one in self.list(prefix))
