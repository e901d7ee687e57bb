"""Turns log files on this machine into documents, as the pipeline turns S3 objects."""

import base64
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from servicelogs import formats
from servicelogs.delivery.rejects import line as reject_line
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.objects import Detected, ObjectTypes
from servicelogs.detection.options import format_options
from servicelogs.errors import ConfigurationError, ServiceLogsError, UnknownLogType
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.parsing.format import Format
from servicelogs.records import Block, Source
from servicelogs.settings import IndexSettings, LogSettings
from servicelogs.sources.decompression import begin

STANDARD_INPUT = "-"


class UnreadableFile(ServiceLogsError):
    """A file cannot be opened or read; the message says why."""


@dataclass(slots=True)
class Counts:
    """What became of the records of one log type."""

    files: int = 0
    records: int = 0
    documents: int = 0
    rejected: int = 0
    filtered: int = 0

    def add(self, block: Block) -> None:
        """Count a block's records."""
        self.records += block.records
        self.documents += block.documents
        self.rejected += len(block.rejects)
        self.filtered += sum(block.filtered.values())


@dataclass(slots=True)
class Outcome:
    """What became of all files."""

    by_type: dict[str, Counts] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Files that are not logs, and what they are."""
    failed: dict[str, str] = field(default_factory=dict)
    """Files that could not be read or identified, and why."""

    def total(self) -> Counts:
        """Add up all log types."""
        rows = (asdict(counts).values() for counts in self.by_type.values())
        return Counts(*map(sum, zip(*rows, strict=True)))

    @property
    def rejected(self) -> int:
        """How many records were rejected."""
        return self.total().rejected


def parse_files(
    names: list[str],
    *,
    log_type: str,
    fields: tuple[str, ...],
    key: str,
    bulk: bool,
    rejects: str,
) -> Outcome:
    """Write the documents of files to standard output, and a summary to standard error.

    Empty texts stand for what was not given.
    """
    if log_type:
        formats.get(log_type)  # an error if there is none
    outcome = Outcome()
    with ExitStack() as stack:
        rejects_file = stack.enter_context(Path(rejects).open("wb")) if rejects else None
        parser = _Parser(log_type, fields, bulk, sys.stdout.buffer, rejects_file)
        for name in names:
            try:
                with _opened(name) as stream:
                    parser.parse(_LogFile(name, key, stream), outcome)
            except (UnreadableFile, UnknownLogType) as error:
                outcome.failed[name] = str(error)
                sys.stderr.write(f"servicelogs: {name}: {error}\n")
    sys.stderr.write("".join(f"{line}\n" for line in _summary(outcome)))
    return outcome


class _LogFile:
    """A file that is being read, and what is known of it beside its text."""

    def __init__(self, name: str, key: str, stream: BinaryIO) -> None:
        self.name = name
        if key.startswith("s3://"):
            self.uri, self.key = key, key.removeprefix("s3://").partition("/")[2]
        elif key:
            # The bucket is not known.
            self.uri, self.key = f"s3:///{key}", key
        else:
            # Where a bucket was copied with its keys, the path from the root ends in the key.
            self.uri = name
            self.key = name if name == STANDARD_INPUT else str(Path(name).absolute())
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise UnreadableFile(f"cannot be read: {error.strerror}") from error

    def source(self, start: bytes, detected: Detected) -> Source:
        """Describe where its records come from; `start` is what its text begins with."""
        # A name may hold bytes that are no UTF-8.
        uri = os.fsencode(self.uri).decode("utf-8", "replace")
        identity = hashlib.sha256(uri.encode() + b"\0" + start).digest()
        return Source(
            uri=uri,
            id=base64.urlsafe_b64encode(identity)[:16].decode(),
            delivered=self._modified(),
            account_id=detected.account_id,
            region=detected.region,
        )

    def _modified(self) -> datetime:
        status = os.fstat(self._stream.fileno())
        if stat.S_ISREG(status.st_mode):
            return datetime.fromtimestamp(status.st_mtime, UTC)
        return datetime.now(UTC)


class _Parser:
    """Parses one file after the other."""

    def __init__(
        self,
        log_type: str,
        fields: tuple[str, ...],
        bulk: bool,
        out: BinaryIO,
        rejects: BinaryIO | None,
    ) -> None:
        self._fields = fields
        options = dict.fromkeys(format_options(), fields) if fields else {}
        settings = LogSettings(log_type=log_type, format_options=options)
        self._types = ObjectTypes(settings, advice="name its type with --type")
        self._bulk = bulk
        self._out = out
        self._rejects = rejects
        defaults = IndexSettings()
        self._indexes = every_index(defaults.prefix, defaults.period)

    def parse(self, file: _LogFile, outcome: Outcome) -> None:
        """Write the documents and rejects of a file, block by block, and count them."""
        start, chunks, fault = begin(file, START_BYTES, _rows_of_parquet)
        detected = self._types.identify(file.key, start, fault)
        log_format = detected.format
        if log_format is None:
            outcome.skipped[file.name] = detected.skip
            return
        self._check_fields(log_format)
        counts = outcome.by_type.setdefault(log_format.name, Counts())
        counts.files += 1
        source = file.source(start[:START_BYTES], detected)
        choose_index = self._indexes.of(log_format)
        for block in blocks_of(log_format, chunks, source, choose_index, cut=detected.cut):
            counts.add(block)
            self._write(block, source, log_format.name)

    def _check_fields(self, log_format: Format) -> None:
        """Refuse --fields for a format that cannot have them."""
        if self._fields:
            try:
                log_format.with_fields(self._fields)
            except ConfigurationError as error:
                raise UnreadableFile(f"is of type {log_format.name}: --fields: {error}") from error

    def _write(self, block: Block, source: Source, log_type: str) -> None:
        if self._bulk:
            self._out.write(block.body)
        elif block.documents:
            documents = bytes(block.body).split(b"\n")[1::2]
            self._out.write(b"\n".join((*documents, b"")))
        self._out.flush()
        if self._rejects:
            for reject in block.rejects:
                self._rejects.write(reject_line(reject, source, log_type))


def _opened(name: str) -> BinaryIO:
    """Open a file so that what a pipe holds is read as it comes."""
    try:
        if name == STANDARD_INPUT:
            return open(0, "rb", buffering=0, closefd=False)
        return Path(name).open("rb", buffering=0)
    except OSError as error:
        what = "give the files in it" if isinstance(error, IsADirectoryError) else "check its name"
        raise UnreadableFile(f"cannot be opened: {error.strerror}; {what}") from error


def _rows_of_parquet(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        from servicelogs.sources.parquet import rows_as_json  # needs pyarrow, and takes a while
    except ModuleNotFoundError as missing:
        raise UnreadableFile(
            "is a Parquet file, which is read with pyarrow: install it (pip install pyarrow)"
        ) from missing
    return rows_as_json(pieces)


def _summary(outcome: Outcome) -> Iterator[str]:
    """Write the summary: for a person on a terminal, else for a program."""
    if sys.stderr.isatty():
        yield from _table(outcome)
        return
    content = asdict(outcome.total()) | {
        "by_type": {name: asdict(counts) for name, counts in sorted(outcome.by_type.items())},
        "skipped": outcome.skipped,
        "failed": outcome.failed,
    }
    yield json.dumps(content)


def _table(outcome: Outcome) -> Iterator[str]:
    rows = [*sorted(outcome.by_type.items()), ("all", outcome.total())]
    yield f"{'':<14}" + "".join(f"{heading:>11}" for heading in asdict(Counts()))
    for name, counts in rows:
        yield f"{name:<14}" + "".join(f"{count:>11,}" for count in asdict(counts).values())
    for name, reason in outcome.skipped.items():
        yield f"skipped: {name}: {reason}"
