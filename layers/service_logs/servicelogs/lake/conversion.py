"""Turns the records of log objects into rows in their tables' files, wherever these are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import pyarrow

from servicelogs.errors import Unaccounted
from servicelogs.lake.buffers import Buffers, by_partition, folder
from servicelogs.lake.names import Partition
from servicelogs.lake.parquet_files import ParquetFiles, sorted_table
from servicelogs.lake.rows import RowGatherer, gatherer_of
from servicelogs.lake.schema import arrow_schema
from servicelogs.lake.summarizer import Summarizer, summarizer_of
from servicelogs.parsing.reader import Parser, read
from servicelogs.records import Block, Reject, Source
from servicelogs.sources.decompression import LookAtTime, whatever_time

if TYPE_CHECKING:
    from servicelogs.dates import DatePolicy
    from servicelogs.detection.objects import Detected
    from servicelogs.parsing.format import Format
    from servicelogs.parsing.places import Place
    from servicelogs.sources.log_events import Run

EXPIRED = "expired"

type OnReject = Callable[[Reject, str], None]
"""Takes a rejected record and its log type."""


@dataclass(slots=True)
class Counts:
    """What became of records of one type: each is a row, rejected or expired."""

    records: int = 0
    rows: int = 0
    rejected: int = 0
    expired: int = 0
    skipped: int = 0
    """Log events that are not to be read: no records of the lake's."""

    def add(self, block: Block) -> None:
        """Count the records of a block."""
        expired = block.filtered.get(EXPIRED, 0)
        skipped = sum(block.filtered.values()) - expired
        self.records += block.records - skipped
        self.rows += block.documents
        self.rejected += len(block.rejects)
        self.expired += expired
        self.skipped += skipped


class WrittenFile(NamedTuple):
    """A file of rows."""

    name: str
    partition: Partition
    rows: int
    bytes: int
    first: str
    last: str


@dataclass(slots=True, eq=False)
class _Table:
    """The rows of one log type: what gathers them, and how many there are."""

    gatherer: RowGatherer
    schema: pyarrow.Schema
    summarizer: Summarizer | None
    gathered: int = 0
    given: int = 0


class Conversion:
    """The rows of any number of objects, by partition, until the last file is written."""

    def __init__(
        self,
        files: ParquetFiles,
        *,
        dates: Callable[[Format], DatePolicy],
        default_place: Place,
        budget: int,
        look_at_time: LookAtTime = whatever_time,
        keeps_extracted_fields: bool = False,
    ) -> None:
        """Keep rows of so many bytes in memory."""
        self._files = files
        self._dates = dates
        self._default_place = default_place
        self._look_at_time = look_at_time
        self._keeps_extracted_fields = keeps_extracted_fields
        self._buffers = Buffers(self._write, budget)
        self._tables: dict[str, _Table] = {}
        self._summarizers: dict[str, Summarizer] = {}
        self._numbers: Counter[Partition] = Counter()
        self.written: list[WrittenFile] = []

    def take(
        self,
        detected: Detected,
        chunks: Iterable[bytes],
        source: Source,
        on_reject: OnReject,
        by_type: dict[str, Counts],
    ) -> None:
        """Take all records of an object, and count by log type what became of them."""
        for log_type, block in self._blocks(detected, chunks, source):
            by_type.setdefault(log_type, Counts()).add(block)
            for reject in block.rejects:
                on_reject(reject, log_type)
            if block.documents:
                table = self._tables[log_type]
                table.gathered += block.documents
                self._keep(log_type, table.gatherer.batches())
            self._look_at_time()

    def end_place(self, place: Place) -> None:
        """Write what there is of an account and Region, of which nothing more is to come."""
        self._finish_gathering()
        self._buffers.write_all(lambda one: (one.account_id, one.region) == place)

    def finish(self) -> None:
        """Write all that is left; Unaccounted if a row is missing."""
        self._finish_gathering()
        self._buffers.write_all()
        rows = Counter[str]()
        for file in self.written:
            rows[file.partition.table] += file.rows
        for name, table in self._tables.items():
            if rows[name] != table.gathered:
                raise Unaccounted(
                    f"of {table.gathered} rows of {name} {rows[name]} were written; "
                    "this is a fault of Service Logs, please report it"
                )

    def misfits(self) -> dict[str, dict[str, int]]:
        """Say of each log type how many values did not fit their columns, by column."""
        return {name: dict(table.gatherer.misfits) for name, table in self._tables.items()}

    def _blocks(
        self, detected: Detected, chunks: Iterable[bytes], source: Source
    ) -> Iterator[tuple[str, Block]]:
        if detected.of_events:
            from servicelogs.detection.event_blocks import EventBlocks  # late: few hold events

            runs = self._runs(detected, chunks, source)
            yield from EventBlocks(detected.of_events, self._parser_of).blocks(runs)
        elif log_format := detected.format:
            parser = self._parser_of(log_format, source)
            for block in read((detected.cut or parser.cut)(chunks), parser):
                yield log_format.name, block

    def _runs(self, detected: Detected, chunks: Iterable[bytes], source: Source) -> Iterator[Run]:
        """Read log events, in the object that holds them."""
        keeps = self._keeps_extracted_fields
        runs, shard = detected.log_events(chunks, source, keeps_extracted_fields=keeps)
        if shard is None:
            return runs
        # A stream's shard has many batches, each of which numbers its records from 1.
        return ((replace(of_run, uri=source.uri), run) for of_run, run in runs)

    def _parser_of(self, log_format: Format, source: Source) -> Parser:
        if log_format.name not in self._tables:
            self._tables[log_format.name] = self._table(log_format)
        return self._tables[log_format.name].gatherer.parser_of(source)

    def _table(self, log_format: Format) -> _Table:
        gatherer = gatherer_of(log_format, self._dates(log_format), self._default_place)
        summarizer = summarizer_of(log_format)
        if summarizer:
            self._summarizers[summarizer.table] = summarizer
        return _Table(gatherer, arrow_schema(log_format), summarizer)

    def _finish_gathering(self) -> None:
        for name, table in self._tables.items():
            self._keep(name, table.gatherer.finish())

    def _keep(self, name: str, batches: Iterator[pyarrow.RecordBatch]) -> None:
        for batch in batches:
            for partition, rows in by_partition(name, self._tables[name].schema, batch):
                self._buffers.add(partition, rows)

    def _write(self, partition: Partition, batches: list[pyarrow.RecordBatch]) -> None:
        """Write the rows of a partition; of details their summary follows, when it is written."""
        if joined := self._summarizers.get(partition.table):
            batches = joined.join(batches)
        table = sorted_table(batches)
        self._write_file(partition, table)
        details = self._tables.get(partition.table)
        if details and details.summarizer:
            summary = partition._replace(table=details.summarizer.table)
            for rows in details.summarizer.summarize(table).to_batches():
                self._buffers.add(summary, rows)

    def _write_file(self, partition: Partition, table: pyarrow.Table) -> None:
        name = f"{folder(partition)}/{self._numbers[partition]}.parquet"
        self._numbers[partition] += 1
        size = self._files.write(table, name)
        times = table.column(0)
        first, last = _iso(times[0]), _iso(times[-1])
        self.written.append(WrittenFile(name, partition, table.num_rows, size, first, last))


def _iso(time: pyarrow.Scalar) -> str:
    """Write a time as ISO 8601, also one that Python has not."""
    text: str = time.cast(pyarrow.string()).as_py()
    return text.replace(" ", "T", 1)
