"""Turns log files on this machine into documents, as the pipeline turns S3 objects."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from servicelogs.command_line.explanation import shown
from servicelogs.command_line.files import (
    LogFile,
    UnreadableFile,
    check_fields,
    check_files,
    note_on_fields,
    opened,
    rows_of_parquet,
    runs_of,
    type_given,
    types_of_files,
)
from servicelogs.command_line.first_rejects import FirstRejects
from servicelogs.delivery.rejects import line as reject_line
from servicelogs.delivery.shard_rejects import ShardFiles
from servicelogs.detection.content import START_BYTES
from servicelogs.detection.event_blocks import EventBlocks
from servicelogs.errors import UnknownLogType
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of, parsers_of
from servicelogs.records import Block, Source
from servicelogs.settings import IndexSettings
from servicelogs.sources.decompression import begin


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
    rejects: FirstRejects = field(default_factory=lambda: FirstRejects("parse"))

    def counts(self, log_type: str) -> Counts:
        """Give the counts of a log type."""
        return self.by_type.setdefault(log_type, Counts())

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
    given_type = type_given(log_type, key)
    check_files(names, rejects)
    outcome = Outcome()
    with ExitStack() as stack:
        rejects_file = stack.enter_context(Path(rejects).open("wb")) if rejects else None
        parser = _Parser(given_type, fields, bulk, sys.stdout.buffer, rejects_file)
        for name in names:
            try:
                with opened(name) as stream:
                    parser.parse(LogFile(name, key, stream), outcome)
            except (UnreadableFile, UnknownLogType) as error:
                outcome.failed[name] = str(error)
                sys.stderr.write(f"servicelogs: {shown(name)}: {error}\n")
    sys.stderr.write("".join(f"{line}\n" for line in _summary(outcome, rejects)))
    return outcome


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
        self._types = types_of_files(log_type, fields)
        self._bulk = bulk
        self._notes: set[str] = set()
        self._out = out
        self._rejects = rejects
        defaults = IndexSettings()
        self._indexes = every_index(defaults.prefix, defaults.period)

    def parse(self, file: LogFile, outcome: Outcome) -> None:
        """Write the documents and rejects of a file, block by block, and count them."""
        start, chunks, fault = begin(file, START_BYTES, rows_of_parquet)
        detected = self._types.identify(file.key, start, fault)
        source = file.source(start[:START_BYTES], detected)
        types: set[str] = set()
        shard: ShardFiles | None = None
        if detected.of_events:
            runs, shard = runs_of(detected, chunks, source)
            blocks = EventBlocks(detected.of_events, parsers_of(self._indexes)).blocks(runs)
        elif log_format := detected.format:
            check_fields(log_format, self._fields)
            self._note(note_on_fields(log_format, self._fields))
            choose_index = self._indexes.of(log_format)
            of_format = blocks_of(log_format, chunks, source, choose_index, cut=detected.cut)
            blocks = ((log_format.name, block) for block in of_format)
            types.add(log_format.name)
        else:
            outcome.skipped[file.name] = detected.skip
            return
        for log_type, block in blocks:
            types.add(log_type)
            outcome.counts(log_type).add(block)
            outcome.rejects.add(file.name, block.rejects)
            self._write(block, source, log_type, shard)
        for log_type in types:
            outcome.counts(log_type).files += 1
        if not types:
            outcome.skipped[file.name] = "control messages of a subscription alone"

    def _note(self, note: str) -> None:
        """Write a note, if there is one, to standard error, once."""
        if note and note not in self._notes:
            self._notes.add(note)
            sys.stderr.write(f"servicelogs: {note}\n")

    def _write(self, block: Block, source: Source, log_type: str, shard: ShardFiles | None) -> None:
        if self._bulk:
            self._out.write(block.body)
        elif block.documents:
            documents = bytes(block.body).split(b"\n")[1::2]
            self._out.write(b"\n".join((*documents, b"")))
        self._out.flush()
        if self._rejects:
            for reject in block.rejects:
                placed = shard.placed(reject) if shard else reject
                self._rejects.write(reject_line(placed, source, log_type))


def _summary(outcome: Outcome, rejects: str) -> Iterator[str]:
    """Write the summary: for a person on a terminal, else for a program."""
    if sys.stderr.isatty():
        yield from _table(outcome)
        yield from outcome.rejects.lines(rejects)
        return
    content = asdict(outcome.total()) | {
        "by_type": {name: asdict(counts) for name, counts in sorted(outcome.by_type.items())},
        "skipped": outcome.skipped,
        "failed": outcome.failed,
    }
    yield json.dumps(content)


def _table(outcome: Outcome) -> Iterator[str]:
    rows = [*sorted(outcome.by_type.items()), ("all", outcome.total())]
    width = max(len(name) for name, _ in rows)
    yield " " * width + "".join(f"{heading:>11}" for heading in asdict(Counts()))
    for name, counts in rows:
        yield f"{name:<{width}}" + "".join(f"{count:>11,}" for count in asdict(counts).values())
    for name, reason in outcome.skipped.items():
        yield f"skipped: {shown(name)}: {shown(reason)}"
