"""An S3 object as a stream that outlives a dropped connection, and the identity of its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypedDict

from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from servicelogs.errors import ObjectGone, ObjectUnreachable
from servicelogs.records import Source, short_id
from servicelogs.sources.event_notifications import ObjectToRead

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

# A connection that waits while records are sent may be closed by S3.
REOPENINGS = 5
FORBIDDEN = {"AccessDenied", "403"}


def identify(bucket: str, key: str, etag: str) -> str:
    """Shorten an object's identity to 16 characters (96 bits) that may stand in an `_id`."""
    # A bucket's name holds no slash and an ETag no NUL, so that no two objects share a text.
    return short_id(f"{bucket}/{key}\0{etag}".encode())


@dataclass(slots=True)
class OpenObject:
    """An object that is being read."""

    key: str
    etag: str
    size: int
    source: Source
    metadata: Mapping[str, str]
    """What whoever wrote it said of it."""
    stream: ResumingStream


def open_object(s3: S3Client, wanted: ObjectToRead) -> OpenObject:
    """Open an object; ObjectGone when it was deleted, ObjectUnreachable when it may come back.

    Of a bucket in another Region S3 says which (`x-amz-bucket-region`): the client asks there
    again, and keeps it in mind. If it is said whose the bucket is, nobody else's is read.
    """
    key, response = _get(s3, wanted)
    etag = response["ETag"].strip('"')
    if wanted.start > 1 and wanted.etag and wanted.etag != etag:
        response["Body"].close()
        # The new bytes have an event notification of their own.
        raise ObjectGone("replaced before it was read")
    source = Source(
        uri=f"s3://{wanted.bucket}/{key}",
        id=identify(wanted.bucket, key, etag),
        delivered=response["LastModified"].astimezone(UTC),
    )
    stream = ResumingStream(s3, wanted.bucket, key, response, wanted.account_id)
    return OpenObject(key, etag, response["ContentLength"], source, response["Metadata"], stream)


def _get(s3: S3Client, wanted: ObjectToRead) -> tuple[str, GetObjectOutputTypeDef]:
    for key in filter(None, (wanted.key, wanted.key_if_encoded)):
        try:
            return key, s3.get_object(
                Bucket=wanted.bucket, Key=key, **expected_owner(wanted.account_id)
            )
        except ClientError as error:
            # With s3:ListBucket a missing key is a 404; without, a 403 like a forbidden one.
            if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
                raise _unreachable(wanted.bucket, key, error, wanted.account_id) from error
        except BotoCoreError as error:
            raise _unreachable(wanted.bucket, key, error) from error
    raise ObjectGone("deleted before it was read")


class ExpectedOwner(TypedDict, total=False):
    """What a request says of whose a bucket must be."""

    ExpectedBucketOwner: str


def expected_owner(account_id: str) -> ExpectedOwner:
    """Have S3 refuse a request to a bucket that is not this account's; "" leaves it unsaid.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    return {"ExpectedBucketOwner": account_id} if account_id else {}


def advice(error: Exception, owner: str) -> str:
    """Say what may be wrong where S3 refuses: it answers 403, and no more, whatever it is."""
    if not isinstance(error, ClientError) or not owner:
        return ""
    if error.response["Error"]["Code"] not in FORBIDDEN:
        return ""
    return (
        f"; its bucket must be account {owner}'s, and bucket, key and this function's role must "
        "let it be read"
    )


def _unreachable(bucket: str, key: str, error: Exception, owner: str = "") -> ObjectUnreachable:
    return ObjectUnreachable(
        f"s3://{bucket}/{key} cannot be read now: {error}{advice(error, owner)}"
    )


class ResumingStream:
    """An object's bytes; when the connection drops, the rest is asked for again."""

    def __init__(
        self,
        s3: S3Client,
        bucket: str,
        key: str,
        response: GetObjectOutputTypeDef,
        owner: str = "",
    ) -> None:
        """Begin with the response to the first GetObject."""
        self._s3 = s3
        self._object: dict[str, Any] = {"Bucket": bucket, "Key": key, "IfMatch": response["ETag"]}
        self._object |= expected_owner(owner)
        self._body = response["Body"]
        self._size = response["ContentLength"]
        self._position = 0
        self._reopenings = 0

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes; none at the end, and never fewer than S3 promised."""
        while self._position < self._size:
            try:
                piece = self._body.read(size)
            except FlexibleChecksumError as error:
                # Some byte that was given out is wrong: reading on would not fix it.
                raise self._lost(error) from error
            except BotoCoreError as error:
                self._reopen(error)
                continue
            self._position += len(piece)
            if piece:
                return piece
            self._reopen(EOFError(f"{self._position} of {self._size} bytes came"))
        return b""

    def close(self) -> None:
        """Give up the rest."""
        self._body.close()

    def _reopen(self, reason: Exception) -> None:
        self._reopenings += 1
        if self._reopenings > REOPENINGS:
            raise self._lost(reason) from reason
        self._body.close()
        try:
            response = self._s3.get_object(**self._object, Range=f"bytes={self._position}-")
        except (ClientError, BotoCoreError) as error:
            raise self._lost(error) from error
        self._body = response["Body"]

    def _lost(self, reason: Exception) -> ObjectUnreachable:
        return _unreachable(self._object["Bucket"], self._object["Key"], reason)
