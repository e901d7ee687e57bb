"""The one place where the benchmarks call what converts a batch.

S3 takes what it is sent and keeps nothing, so that memory and time are the conversion's own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pyarrow
from botocore.client import BaseClient

from local.sample_logs import REGION
from servicelogs.dates import DatePolicy
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.objects import ObjectTypes
from servicelogs.lake.conversion import Conversion, WrittenFile
from servicelogs.lake.parquet_files import ParquetFiles
from servicelogs.lake.parquet_in_s3 import OneClientSession, ParquetFilesInS3
from servicelogs.parsing.places import Place
from servicelogs.records import Source
from servicelogs.settings import LogSettings
from servicelogs.sources.decompression import Readable, begin

BUDGET = 256 * 1024 * 1024
"""The bytes of rows that a function of two gigabytes keeps."""


def use_one_core() -> None:
    """Let Arrow work in this thread alone: CPU time is of all threads."""
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)


@contextmanager
def files_in_s3() -> Iterator[ParquetFilesInS3]:
    """Give what writes files through awswrangler, to an S3 that only remembers their sizes."""
    with patch.object(BaseClient, "_make_api_call", _S3().answer):
        session = OneClientSession(
            aws_access_key_id="none", aws_secret_access_key="none", region_name=REGION
        )
        yield ParquetFilesInS3(session, "lake", "")


def convert(
    name: str, objects: Iterable[tuple[Source, Readable]], files: ParquetFiles
) -> list[WrittenFile]:
    """Convert objects of a log type as a batch, whose accounts come one after the other."""
    types = ObjectTypes(LogSettings(log_type=name))
    conversion = Conversion(
        files,
        dates=lambda _: DatePolicy(),
        default_place=Place("999999999999", REGION),
        budget=BUDGET,
    )
    place = None
    for source, stream in objects:
        if place not in (None, (source.account_id, source.region)):
            conversion.end_place(place)
        place = Place(source.account_id, source.region)
        start, chunks, fault = begin(stream, START_BYTES)
        conversion.take(types.identify("", start, fault), chunks, source, _never, {})
    conversion.finish()
    return conversion.written


class _S3:
    """Takes all calls of a client; an object is the bytes it was sent."""

    def __init__(self) -> None:
        self._sizes = Counter[str]()

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        key = request["Key"]
        if operation in ("PutObject", "CreateMultipartUpload"):
            self._sizes[key] = 0
        if body := request.get("Body"):
            self._sizes[key] += len(body if isinstance(body, bytes | bytearray) else body.read())
        answers = {"UploadId": "x", "ETag": "x", "ContentLength": self._sizes[key]}
        return answers if operation != "CompleteMultipartUpload" else {}


def _never(*_: Any) -> None:
    raise AssertionError("no sample is rejected")
