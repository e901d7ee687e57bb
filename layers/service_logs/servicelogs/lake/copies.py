"""Copies of log objects, made by S3 itself, of exactly those bytes that an id stands for.

A copy's metadata says what its source is: a listing does not.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/copy-object.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import quote, unquote

from botocore.exceptions import BotoCoreError, ClientError

from servicelogs.dates import iso
from servicelogs.errors import ObjectGone, ObjectReplaced, ObjectUnreachable
from servicelogs.lake.files import MISSING, at_once
from servicelogs.parsing.places import NOWHERE, Place
from servicelogs.records import Source
from servicelogs.sources.s3_objects import advice, expected_owner, identify

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

# What one CopyObject takes.
LARGEST_AT_ONCE = 5 * 1024**3
PART_BYTES = 512 * 1024**2
MOST_PARTS = 10_000
# S3 takes 2 KB of metadata, names included.
_LONGEST_URI = 1800
_ENCODED = "base64:"
_REPLACED = {"PreconditionFailed", "412"}
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object as it is now."""

    bucket: str
    key: str
    etag: str
    size: int
    delivered: datetime
    metadata: Mapping[str, str]
    """What it says of itself, if it is a copy: where it comes from."""
    owner: str = ""
    """The account that must own its bucket; empty: nobody said it."""
    default: Place = NOWHERE
    """The account and Region of records that name none, if these are not the deployment's."""

    @property
    def uri(self) -> str:
        """Give its address."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def source(self) -> Source:
        """Give what identifies it."""
        return Source(self.uri, identify(self.bucket, self.key, self.etag), self.delivered)

    def as_source(self) -> dict[str, str]:
        """Write what a copy of it says of it: ASCII, and never more than S3 takes."""
        uri = quote(self.uri, safe=_PRINTABLE)
        if len(uri) > _LONGEST_URI:
            uri = _ENCODED + base64.b64encode(self.uri.encode()).decode()
        place = {"account": self.default.account_id, "region": self.default.region}
        return {
            "uri": uri,
            "etag": self.etag,
            "delivered": iso(self.delivered),
            **{name: value for name, value in place.items() if value},
        }


def source_of(metadata: Mapping[str, str], object_id: str) -> Source:
    """Read what a copy says of its source."""
    uri = metadata["uri"]
    if uri.startswith(_ENCODED):
        uri = base64.b64decode(uri.removeprefix(_ENCODED)).decode()
    delivered = datetime.fromisoformat(metadata["delivered"]).astimezone(UTC)
    return Source(
        unquote(uri),
        object_id,
        delivered,
        default_account_id=metadata.get("account", ""),
        default_region=metadata.get("region", ""),
    )


def find(s3: S3Client, bucket: str, *keys: str, owner: str = "") -> FoundObject:
    """Look at the first of these keys that there is; ObjectGone if there is none.

    If an owner is given, nobody else's bucket is looked at.
    """
    for key in filter(None, keys):
        try:
            answer = s3.head_object(Bucket=bucket, Key=key, **expected_owner(owner))
        except ClientError as error:
            # With s3:ListBucket a missing key is a 404; without, a 403 like a forbidden one.
            if error.response["Error"]["Code"] not in MISSING:
                raise _unreachable(f"s3://{bucket}/{key}", error, owner) from error
            continue
        except BotoCoreError as error:
            raise _unreachable(f"s3://{bucket}/{key}", error) from error
        return FoundObject(
            bucket,
            key,
            answer["ETag"].strip('"'),
            answer["ContentLength"],
            answer["LastModified"].astimezone(UTC),
            answer["Metadata"],
            owner,
        )
    raise ObjectGone("deleted before it was read")


def copy(
    s3: S3Client, found: FoundObject, bucket: str, key: str, metadata: Mapping[str, str]
) -> None:
    """Copy an object that has the bytes that were found; ObjectReplaced if it has others now."""
    try:
        if found.size <= LARGEST_AT_ONCE:
            # Its tags are left behind, which would need rights of their own.
            s3.copy_object(
                Bucket=bucket,
                Key=key,
                CopySource=_source(found),
                CopySourceIfMatch=found.etag,
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
                Metadata=metadata,
                **_expected_source_owner(found),
            )
        else:
            _copy_parts(s3, found, bucket, key, metadata)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _REPLACED:
            raise ObjectReplaced(f"{found.uri} was replaced while it was copied") from error
        if code in MISSING:
            raise ObjectGone("deleted before it was read") from error
        raise _unreachable(found.uri, error, found.owner) from error
    except BotoCoreError as error:
        raise _unreachable(found.uri, error) from error


def _copy_parts(
    s3: S3Client, found: FoundObject, bucket: str, key: str, metadata: Mapping[str, str]
) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata=metadata)["UploadId"]
    length = max(PART_BYTES, -(-found.size // MOST_PARTS))

    def copy_part(start: int) -> Any:
        number = start // length + 1
        answer = s3.upload_part_copy(
            Bucket=bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            CopySource=_source(found),
            CopySourceIfMatch=found.etag,
            CopySourceRange=f"bytes={start}-{min(start + length, found.size) - 1}",
            **_expected_source_owner(found),
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    try:
        parts = at_once(copy_part, range(0, found.size, length))
        s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
    except (ClientError, BotoCoreError):
        # What a killed function leaves of it, the bucket's lifecycle aborts.
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise


def _source(found: FoundObject) -> CopySourceTypeDef:
    return {"Bucket": found.bucket, "Key": found.key}


class _ExpectedSourceOwner(TypedDict, total=False):
    ExpectedSourceBucketOwner: str


def _expected_source_owner(found: FoundObject) -> _ExpectedSourceOwner:
    return {"ExpectedSourceBucketOwner": found.owner} if found.owner else {}


def _unreachable(uri: str, error: Exception, owner: str = "") -> ObjectUnreachable:
    what = advice(error, owner)
    if "kms:" in str(error).lower() or "KMS." in str(error):
        what = "; let this function's role decrypt with the KMS key of the object's bucket"
    return ObjectUnreachable(f"{uri} cannot be copied now: {error}{what}")
