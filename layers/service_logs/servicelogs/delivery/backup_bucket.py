"""The backup bucket: files of lines that several attempts may change at once.

Each change is a new version of the whole file, written on the condition that nobody has written
another since it was read:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from isal.igzip_lib import IsalError

from servicelogs.delivery.lines_file import LinesFile, read_lines
from servicelogs.errors import DeliveryError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What S3 answers when the condition does not hold, or another write is under way.
OVERTAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404", "409", "412"}
MISSING = {"NoSuchKey", "404"}
# Nobody else changes the file but other attempts at the same object: they are few.
TRIES = 12
LONGEST_WAIT_SECONDS = 2.0
# What reading raises that nobody here wrote.
FAULTS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    msgspec.MsgspecError,
    IsalError,  # type: ignore[assignment]  # its stub says an instance
)


class _Overtaken(Exception):
    """Somebody else changed the file since it was read."""


MOST_RECORDS = 10**12
"""No object, and no record of a stream, holds more log records."""


class Line(msgspec.Struct):
    """What of a line says which record it is about."""

    record_number: int
    sequence_number: str = ""
    """Of a stream's record, where it lay in one."""

    @property
    def position(self) -> int:
        """The record's place among all of its file."""
        return int(self.sequence_number or 0) * MOST_RECORDS + self.record_number


class Settled(Protocol):
    """The positions of the records that an attempt settled (of an object: a range)."""

    @property
    def start(self) -> int:
        """The first of them."""
        ...

    def __contains__(self, position: object, /) -> bool:
        """Say whether a position is one of them."""
        ...


_decode = msgspec.json.Decoder(Line).decode


@dataclass(slots=True)
class _Changed:
    """What a file is to hold after a change, and what it was before."""

    etag: str
    lines: LinesFile
    changed: bool = False


class BackupBucket:
    """Where rejected records go."""

    def __init__(
        self, s3: S3Client, name: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._s3 = s3
        self._name = name
        self._sleep = sleep

    def replace_lines(self, key: str, settled: Settled, lines: LinesFile | None) -> None:
        """Replace what a file says of the records that were settled by these lines.

        A file without any line is deleted.
        """
        for attempt in range(TRIES):
            try:
                return self._try_to_replace(key, settled, lines)
            except _Overtaken:
                longest = min(LONGEST_WAIT_SECONDS, 0.05 * 2**attempt)
                self._sleep(random.uniform(0, longest))  # noqa: S311 - spreads, guards nothing
        raise DeliveryError(
            f"s3://{self._name}/{key} was changed by others {TRIES} times while it was merged"
        )

    def _try_to_replace(self, key: str, settled: Settled, lines: LinesFile | None) -> None:
        before = self._read(key, settled, lines)
        if before is None:
            if lines is not None and lines.lines:
                self._put(key, lines, IfNoneMatch="*")
            return
        with closing(before.lines):
            if not before.lines.lines:
                self._delete(key, before.etag)
            elif before.changed:
                self._put(key, before.lines, IfMatch=before.etag)

    def _read(self, key: str, settled: Settled, lines: LinesFile | None) -> _Changed | None:
        """Read a file and merge the lines into it, in the order of their records; None: no file."""
        try:
            answer = self._s3.get_object(Bucket=self._name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return None
            raise self._failed(key, "read", error) from error
        except BotoCoreError as error:
            raise self._failed(key, "read", error) from error
        merged = _Changed(answer["ETag"], LinesFile())
        behind = LinesFile()
        try:
            with closing(answer["Body"]) as body, closing(behind):
                for line in read_lines(body):
                    position = _decode(line).position
                    if position in settled:
                        merged.changed = True
                    else:
                        (merged.lines if position < settled.start else behind).append(line)
                for line in lines or ():
                    merged.changed = True
                    merged.lines.append(line)
                for line in behind:
                    merged.lines.append(line)
        except BotoCoreError as error:
            raise self._failed(key, "read", error) from error
        except FAULTS as error:
            raise self._failed(key, "read: remove it if no attempt wrote it", error) from error
        return merged

    def _put(self, key: str, lines: LinesFile, **condition: str) -> None:
        try:
            self._s3.put_object(
                Bucket=self._name,
                Key=key,
                Body=lines.compressed(),
                ContentType="application/gzip",
                **condition,  # type: ignore[arg-type]
            )
        except ClientError as error:
            raise self._not_changed(key, "written", error) from error
        except BotoCoreError as error:
            raise self._failed(key, "written", error) from error

    def _delete(self, key: str, etag: str) -> None:
        try:
            self._s3.delete_object(Bucket=self._name, Key=key, IfMatch=etag)
        except ClientError as error:
            raise self._not_changed(key, "deleted", error) from error
        except BotoCoreError as error:
            raise self._failed(key, "deleted", error) from error

    def _not_changed(self, key: str, done: str, error: ClientError) -> Exception:
        if error.response["Error"]["Code"] in OVERTAKEN:
            return _Overtaken()
        return self._failed(key, done, error)

    def _failed(self, key: str, done: str, error: Exception) -> DeliveryError:
        return DeliveryError(f"s3://{self._name}/{key} could not be {done}: {error}")
