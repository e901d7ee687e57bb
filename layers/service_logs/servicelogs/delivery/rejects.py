"""The backup bucket: what could not be delivered, with the reason and the record as it came."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable
from itertools import batched
from typing import IO, TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from isal import isal_zlib

from servicelogs.errors import DeliveryError
from servicelogs.records import Reject, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Larger files move from memory to a temporary file.
MEMORY_SIZE = 256 * 1024
# The most keys that one DeleteObjects takes.
DELETIONS = 1000


def line(reject: Reject, source: Source, log_type: str) -> bytes:
    """Write a reject as one line of JSON; replay needs nothing else to index the record."""
    content: dict[str, Any] = {
        "log_type": log_type,
        "error_type": reject.error_type,
        "reason": reject.reason,
        "_index": reject.index,
        "_id": reject.id,
        "source": source.uri,
        "source_id": source.id,
        "delivered": source.delivered,
        "account_id": source.account_id,
        "region": source.region,
        "record_number": reject.number,
    }
    try:
        content["raw"] = reject.raw.decode()
    except UnicodeDecodeError:
        content["raw_base64"] = base64.b64encode(reject.raw).decode()
    return msgspec.json.encode(content) + b"\n"


def file_key(source: Source, log_type: str, first: int) -> str:
    """Name the file for the rejects of a source from a record on: the same on every retry."""
    return f"rejected/{log_type}/{source.delivered:%Y/%m/%d}/{source.id}/{first}.ndjson.gz"


class RejectsFile:
    """The rejects of one source in one attempt, gathered until the attempt ends well.

    Most sources have none, so that the file is opened by the first.
    """

    def __init__(self, source: Source, log_type: str, first: int) -> None:
        """Gather for what is read from the record with this number on."""
        self.key = file_key(source, log_type, first)
        self._source = source
        self._log_type = log_type
        self._file: _GzipFile | None = None

    @property
    def empty(self) -> bool:
        """Whether there was no reject."""
        return self._file is None

    def add(self, reject: Reject) -> None:
        """Append a reject."""
        if self._file is None:
            self._file = _GzipFile()
        self._file.write(line(reject, self._source, self._log_type))

    def upload(self, s3: S3Client, bucket: str) -> None:
        """Put the file where an earlier attempt's is overwritten; without rejects there is none."""
        if self._file is None:
            return
        try:
            s3.put_object(
                Bucket=bucket,
                Key=self.key,
                Body=self._file.finished(),
                ContentType="application/gzip",
            )
        except (ClientError, BotoCoreError) as error:
            raise DeliveryError(
                f"s3://{bucket}/{self.key} could not be written: {error}"
            ) from error

    def close(self) -> None:
        """Give up the memory or temporary file that the rejects take."""
        if self._file is not None:
            self._file.close()


class _GzipFile:
    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(MEMORY_SIZE)  # noqa: SIM115 - see close
        self._gzip = isal_zlib.compressobj(level=1, wbits=isal_zlib.MAX_WBITS | 16)

    def write(self, data: bytes) -> None:
        self._file.write(self._gzip.compress(data))

    def finished(self) -> IO[bytes]:
        self._file.write(self._gzip.flush())
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._file.close()


def delete_files(s3: S3Client, bucket: str, keys: Iterable[str]) -> dict[str, DeliveryError]:
    """Delete what earlier attempts rejected; return the errors of keys that are still there."""
    errors: dict[str, DeliveryError] = {}
    for group in batched(dict.fromkeys(keys), DELETIONS, strict=False):
        try:
            answer = s3.delete_objects(
                Bucket=bucket,
                Delete={"Objects": [{"Key": key} for key in group], "Quiet": True},
            )
        except (ClientError, BotoCoreError) as error:
            errors |= {key: _not_deleted(bucket, key, error) for key in group}
        else:
            errors |= {
                failed["Key"]: _not_deleted(bucket, failed["Key"], failed["Message"])
                for failed in answer.get("Errors", [])
            }
    return errors


def _not_deleted(bucket: str, key: str, reason: object) -> DeliveryError:
    return DeliveryError(f"s3://{bucket}/{key} could not be deleted: {reason}")
