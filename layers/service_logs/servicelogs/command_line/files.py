"""The files of the command line: how they are opened, and what is known of them."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from servicelogs import formats
from servicelogs.command_line.explanation import shown
from servicelogs.delivery.shard_rejects import ShardFiles
from servicelogs.detection.log_events import type_of_group
from servicelogs.detection.objects import Detected, ObjectTypes
from servicelogs.detection.options import format_options
from servicelogs.errors import ConfigurationError, ServiceLogsError, UnreadableObject
from servicelogs.parsing.format import Format
from servicelogs.parsing.text.format import BETWEEN_LISTS, TextFormat
from servicelogs.records import Source, short_id
from servicelogs.settings import LogSettings
from servicelogs.sources.log_events import Run

STANDARD_INPUT = "-"
_SHOWN = 60


class ConflictingFiles(ServiceLogsError):
    """Files that were given cannot be used together; the message says which."""


class UnreadableFile(ServiceLogsError):
    """A file cannot be opened or read; the message says why."""


class UnknownSource(ServiceLogsError):
    """What --source names is neither an object nor a log group; the message says what is."""


class LogStream(NamedTuple):
    """A log stream of CloudWatch Logs; empty: it is not known."""

    account_id: str = ""
    region: str = ""
    log_group: str = ""
    log_stream: str = ""


_log_stream = re.compile(
    r"(?:arn:[a-z-]+:logs:([a-z0-9-]{1,40}):([0-9]{12}):log-group:(?=[^:])|(?=/))"
    r"([^:*]{1,512})(?::log-stream:([^:*]{1,512}))?(?::\*)?"
).fullmatch


def log_stream_of(text: str) -> LogStream:
    """Read the name of a log group, which begins with a slash, or the ARN of one or of a stream."""
    if found := _log_stream(text):
        region, account_id, group, stream = (part or "" for part in found.groups())
        return LogStream(account_id, region, group, stream)
    return LogStream()


def type_given(log_type: str, source: str) -> str:
    """Give the log type that --type names, else that of the log group that --source names.

    Empty if neither does; an error if one of them is none.
    """
    if log_type:
        formats.get(log_type)
    of_source = _type_of_source(source)
    return log_type or of_source


def _type_of_source(text: str) -> str:
    """Give the log type that the log group says that --source names; empty if it says none."""
    log_group = log_stream_of(text).log_group
    if text.startswith("arn:") and not log_group:
        raise UnknownSource(
            f"--source {shown(text, _SHOWN)} is not the ARN of a log group or stream: give "
            "arn:aws:logs:REGION:ACCOUNT:log-group:NAME, or for an object s3://BUCKET/KEY"
        )
    return type_of_group(log_group)


class LogFile:
    """A file that is being read, or a line, and what is known of it beside its text."""

    def __init__(self, name: str, key: str, stream: BinaryIO) -> None:
        self.name = name
        self._log_stream = log_stream_of(key)
        if self._log_stream.log_group:
            self.uri, self.key = name, ""
        elif key.startswith("s3://"):
            self.uri, self.key = key, key.removeprefix("s3://").partition("/")[2]
        elif key:
            # The bucket is not known.
            self.uri, self.key = f"s3:///{key}", key
        else:
            # Where a bucket was copied with its keys, the path from the root ends in the key.
            self.uri = name
            # A Path takes a tenth of the time that a small file takes.
            self.key = "" if name == STANDARD_INPUT else os.path.abspath(name)  # noqa: PTH100
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes; an UnreadableFile if that fails."""
        try:
            return self._stream.read(size)
        except OSError as error:
            raise UnreadableFile(f"cannot be read: {error.strerror}") from error

    def source(self, start: bytes, detected: Detected) -> Source:
        """Describe where its records come from; `start` is what its text begins with."""
        # A name may hold bytes that are not UTF-8.
        uri = os.fsencode(self.uri).decode("utf-8", "replace")
        return Source(
            uri=uri,
            id=short_id(uri.encode() + b"\0" + start),
            delivered=self._modified(),
            account_id=detected.account_id or self._log_stream.account_id,
            region=detected.region or self._log_stream.region,
            log_group=self._log_stream.log_group,
            log_stream=self._log_stream.log_stream,
        )

    def _modified(self) -> datetime:
        if isinstance(self._stream, FileIO):
            status = os.fstat(self._stream.fileno())
            if stat.S_ISREG(status.st_mode):
                return datetime.fromtimestamp(status.st_mtime, UTC)
        return datetime.now(UTC)


def runs_of(
    detected: Detected, chunks: Iterable[bytes], source: Source
) -> tuple[Iterator[Run], ShardFiles | None]:
    """Read log events: in their envelopes, in a list, or in a batch of a stream's records.

    What says under which sequence number a reject of such a batch lies comes with them.
    """
    try:
        runs, shard = detected.log_events(chunks, source, keeps_extracted_fields=True)
    except UnreadableObject as error:
        raise UnreadableFile(str(error)) from error
    return runs, ShardFiles(shard) if shard else None


def types_of_files(log_type: str, fields: tuple[str, ...]) -> ObjectTypes:
    """Identify files, whose columns are these without a header; empty: it was not said."""
    options = dict.fromkeys(format_options(), fields) if fields else {}
    settings = LogSettings(log_type=log_type, format_options=options)
    aside = " (--fields does not identify it)" if fields else ""
    return ObjectTypes(settings, how_to_choose=f"with --type{aside}")


def check_fields(log_format: Format, fields: tuple[str, ...]) -> None:
    """Refuse --fields for a format that cannot have them."""
    if fields:
        try:
            log_format.with_fields(fields)
        except ConfigurationError as error:
            raise UnreadableFile(f"is of type {log_format.name}: --fields: {error}") from error


def note_on_fields(log_format: Format, fields: tuple[str, ...]) -> str:
    """Name those columns of --fields that are not known, which may be new or misspelled."""
    if not fields or not isinstance(log_format, TextFormat):
        return ""
    known = {column.name for column in log_format.columns} | {BETWEEN_LISTS}
    unknown = ", ".join(
        f"{shown(name, _SHOWN)!r}{log_format.hint_at(name)}" for name in fields if name not in known
    )
    if not unknown:
        return ""
    return f"--fields: not known as columns of {log_format.name}, so kept as they are: {unknown}"


def check_files(names: list[str], rejects: str) -> None:
    """Refuse to read a file twice, or to write the rejects (empty: nowhere) over what is read."""
    seen: dict[str, str] = {}
    for name in names:
        path = name if name == STANDARD_INPUT else os.path.realpath(name)
        if path in seen:
            raise ConflictingFiles(
                f"{name} is given twice{_also_named(seen[path], name)}: give each file once, or "
                "its records come twice"
            )
        seen[path] = name
        if rejects and _is_same_file(name, rejects):
            raise ConflictingFiles(
                f"--rejects {rejects} would overwrite the input {name}: give another file"
            )


def _also_named(other: str, name: str) -> str:
    return f" (as {other} too)" if other != name else ""


def _is_same_file(name: str, other: str) -> bool:
    """Say whether two names are of one regular file, as links to it are."""
    try:
        status = os.fstat(0) if name == STANDARD_INPUT else Path(name).stat()
        return stat.S_ISREG(status.st_mode) and os.path.samestat(status, Path(other).stat())
    except OSError:  # one does not exist: who opens it says why
        return False


def opened(name: str) -> BinaryIO:
    """Open a file so that what a pipe holds is read as it comes."""
    try:
        if name == STANDARD_INPUT:
            return open(0, "rb", buffering=0, closefd=False)
        return FileIO(name)
    except OSError as error:
        what = "give the files in it" if isinstance(error, IsADirectoryError) else "check its name"
        raise UnreadableFile(f"cannot be opened: {error.strerror}; {what}") from error


def rows_of_parquet(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Write the rows of a Parquet file as lines of JSON."""
    try:
        from servicelogs.sources.parquet import rows_as_json  # needs pyarrow, and takes a while
    except ModuleNotFoundError as missing:
        raise UnreadableFile(
            "is a Parquet file, which is read with pyarrow: install it (pip install pyarrow)"
        ) from missing
    return rows_as_json(pieces)
