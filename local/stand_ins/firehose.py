"""Firehose gathers records, decompresses what CloudWatch Logs sends, and writes objects to S3.

https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html (buffering, object names)
https://docs.aws.amazon.com/firehose/latest/dev/writing-with-cloudwatch-logs-decompression.html
"""

import base64
import contextvars
import gzip
import io
import json
import logging
import threading
import time
import zipfile
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, new_uuid
from ministack.services import firehose as emulated

from local.stand_ins import roles

logger = logging.getLogger("firehose")

SERVICE = "firehose.amazonaws.com"
MEGABYTE = 1024 * 1024
DEFAULT_MEGABYTES, DEFAULT_SECONDS = 5, 300

put_record, put_record_batch = emulated._put_record, emulated._put_record_batch

Stream = dict[str, Any]


def _zipped(data: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("records", data)
    return written.getvalue()


_COMPRESSIONS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "UNCOMPRESSED": ("", bytes),
    "GZIP": (".gz", gzip.compress),
    "ZIP": (".zip", _zipped),
}


class Buffer:
    """The records of one stream that are not in an object yet."""

    def __init__(self, stream: Stream, destination: dict[str, Any]) -> None:
        self._stream, self._configuration = stream, destination["config"]
        self._records: list[bytes] = []
        self._lock = threading.Lock()

    def add(self, record: bytes) -> None:
        """Gather a record; write an object when enough are there, or the time is over."""
        hints = self._configuration.get("BufferingHints") or {}
        most = int(hints.get("SizeInMBs", DEFAULT_MEGABYTES)) * MEGABYTE
        with self._lock:
            first = not self._records
            self._records.append(record)
            full = sum(map(len, self._records)) >= most
        if full:
            self.flush()
        elif first:
            seconds = float(hints.get("IntervalInSeconds", DEFAULT_SECONDS))
            timer = threading.Timer(seconds, contextvars.copy_context().run, (self.flush,))
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Write what was gathered as one object."""
        with self._lock:
            records, self._records = self._records, []
        if not records:
            return
        ending, compress = _COMPRESSIONS[
            self._configuration.get("CompressionFormat", "UNCOMPRESSED")
        ]
        ending = self._configuration.get("FileExtension") or ending
        prefix = self._configuration.get("Prefix", "")
        self.write(
            emulated._evaluate_prefix(prefix, time.gmtime()), ending, compress(b"".join(records))
        )

    def reject(self, record: bytes, kind: str, error: Exception) -> None:
        """Write a record that cannot be processed under the error prefix."""
        now = int(time.time() * 1000)
        line = {
            "attemptsMade": 1,
            "arrivalTimestamp": now,
            "errorCode": "Decompression.Failed",
            "errorMessage": str(error),
            "attemptEndingTimestamp": now,
            "rawData": base64.b64encode(record).decode(),
        }
        prefix = self._configuration.get("ErrorOutputPrefix") or f"{kind}/"
        evaluated = emulated._evaluate_prefix(prefix, time.gmtime(), error_type=kind)
        self.write(evaluated, "", json.dumps(line).encode() + b"\n")

    def write(self, prefix: str, ending: str, data: bytes) -> None:
        """Put an object into the bucket, if the stream's role may."""
        name, version = self._stream["name"], self._stream.get("version", 1)
        moment = time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())
        key = f"{prefix}{name}-{version}-{moment}-{new_uuid()}{ending}"
        bucket = self._configuration["BucketARN"]
        role = self._configuration["RoleARN"]
        try:
            roles.require(role, SERVICE, "s3:PutObject", f"{bucket}/{key}", self._stream["arn"])
        except roles.NotAllowed as error:
            logger.warning("Firehose %s could not deliver: %s", name, error)
            return
        emulated._put_s3_object(bucket.rpartition(":")[2], key, data)


_buffers: dict[tuple[str, str, str], Buffer] = {}


def put(stream_arn: str, record: bytes) -> bool:
    """Take a record that CloudWatch Logs sends; say whether there is such a stream."""
    stream = emulated._streams.get(stream_arn.rpartition("/")[2])
    if not stream or stream["arn"] != stream_arn:
        return False
    for destination in stream["destinations"]:
        _deliver(stream, destination, [("", record)])
    return True


def deliver(stream: Stream, destination: dict[str, Any], records: list[tuple[str, bytes]]) -> None:
    """Take records that somebody put by the API."""
    _deliver(stream, destination, records)


def refuse_other_sources(put: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let nobody but CloudWatch Logs put records where they are decompressed."""

    def put_if_allowed(data: Any) -> Any:
        stream = emulated._streams.get(data.get("DeliveryStreamName", ""))
        if stream and any(_decompresses(one["config"]) for one in stream["destinations"]):
            reason = (
                "Only requests from CloudWatch Logs are supported when CloudWatch Logs "
                "decompression is enabled."
            )
            return error_response_json("InvalidSourceException", reason, 400)
        return put(data)

    return put_if_allowed


def _deliver(stream: Stream, destination: dict[str, Any], records: list[tuple[str, bytes]]) -> None:
    key = (get_account_id(), stream["arn"], destination["id"])
    buffer = _buffers.setdefault(key, Buffer(stream, destination))
    for _, record in records:
        if not _decompresses(destination["config"]):
            buffer.add(record)
            continue
        try:
            buffer.add(gzip.decompress(record))
        except (OSError, EOFError) as error:
            buffer.reject(record, "decompression-failed", error)


def _decompresses(configuration: dict[str, Any]) -> bool:
    processing = configuration.get("ProcessingConfiguration") or {}
    kinds = {one.get("Type") for one in processing.get("Processors", [])}
    if kinds - {"Decompression"}:
        raise NotImplementedError(f"the local stack's Firehose decompresses alone, not {kinds}")
    return bool(processing.get("Enabled", True)) and bool(kinds)
