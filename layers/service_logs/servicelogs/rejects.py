"""The backup bucket: what could not be indexed, with the reason and the record as it came."""

from __future__ import annotations

import base64
import tempfile
from typing import TYPE_CHECKING, Any

import msgspec
from isal import isal_zlib

from servicelogs.records import Reject, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Larger parts move from memory to a temporary file.
MEMORY_SIZE = 256 * 1024


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


def part_key(source: Source, log_type: str, start: int) -> str:
    """Name the file for the rejects of an object from a record on: the same on every retry."""
    return f"rejected/{log_type}/{source.delivered:%Y/%m/%d}/{source.id}/{start}.ndjson.gz"


class RejectsPart:
    """The rejects of one object in one attempt, gathered until the attempt ends well."""

    def __init__(self, source: Source, log_type: str, start: int) -> None:
        """Gather for the part that begins with the record of this number."""
        self.key = part_key(source, log_type, start)
        self.empty = True
        self._source = source
        self._log_type = log_type
        self._file = tempfile.SpooledTemporaryFile(MEMORY_SIZE)  # noqa: SIM115 - see close
        self._gzip = isal_zlib.compressobj(level=1, wbits=isal_zlib.MAX_WBITS | 16)

    def add(self, reject: Reject) -> None:
        """Append a reject."""
        self.empty = False
        self._file.write(self._gzip.compress(line(reject, self._source, self._log_type)))

    def upload(self, s3: S3Client, bucket: str) -> None:
        """Put the part where an earlier attempt's is overwritten; without rejects there is none."""
        if self.empty:
            return
        self._file.write(self._gzip.flush())
        self._file.seek(0)
        s3.put_object(Bucket=bucket, Key=self.key, Body=self._file, ContentType="application/gzip")

    def close(self) -> None:
        """Forget the part."""
        self._file.close()
