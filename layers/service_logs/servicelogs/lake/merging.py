"""Merge the sorted files of a partition into few large ones, in bounded memory.

A file's first column is the time that it is sorted by.
Files are opened in the order of their first event, so that only those are open whose times overlap.
What all open files have up to the earliest end of what was read of each is a window: it is sorted
and written. What is too much to be open at once takes several passes: each merges some files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet
from pyarrow import RecordBatch, Schema, Table

from servicelogs.errors import UnmergeableFile
from servicelogs.lake.parquet_files import COMPRESSION, writer_options

PAGE_BYTES = 1 << 20
"""What a page of a column takes at most, about, decompressed: each column of an open file holds
one."""
BUFFER_BYTES = 64 * 1024
LEAST_ROWS, MOST_ROWS = 256, 65_536
"""How many rows of a file are read at a time."""
GROUP_ROWS = 1 << 20
"""A row group has so many rows at most."""


@dataclass(frozen=True, slots=True)
class MergedFile:
    """A file that was written, and the times of its first and last event."""

    path: Path
    rows: int
    bytes: int
    first: datetime
    last: datetime


def merge_files(
    paths: Sequence[Path], folder: Path, *, memory: int, most_bytes: int
) -> list[MergedFile]:
    """Merge files, each sorted by time, into files that follow each other in time.

    Columns, and members of structs, that only some of them have are null in the rows of the others.
    An UnmergeableFile if one is no Parquet file, has not a time in each row, or has a column of
    another type than the others.

    `memory` is about what may be held of them, in bytes. A file is ended with the row group that
    brings it to `most_bytes`. They lie in `folder`.
    """
    share = memory // 3  # for pages, for rows that were read, for rows that wait to be written
    passes = 0
    while len(groups := _groups(paths, share)) > 1:
        between = folder / f"pass-{passes}"
        between.mkdir()
        merged = [
            _merge(group, between / f"{number}-", share, most_bytes=None)
            for number, group in enumerate(groups)
        ]
        if passes:  # the first are the caller's
            for path in paths:
                path.unlink()
        paths = [file.path for files in merged for file in files]
        passes += 1
    return _merge(groups[0], folder / "merged-", share, most_bytes)


def _groups(paths: Sequence[Path], share: int) -> list[list[_Input]]:
    """Part files into those that may be merged at once; a group has two or more."""
    groups: list[list[_Input]] = []
    open_: list[_Input] = []
    for file in sorted(map(_Input.of, paths), key=lambda file: file.first):
        open_ = [one for one in open_ if one.end >= file.first]
        open_.append(file)
        too_many = sum(one.page_bytes for one in open_) > share
        if not groups or (too_many and len(groups[-1]) > 1):
            groups.append([])
            open_ = [file]
        groups[-1].append(file)
    return groups


def _merge(
    files: list[_Input], prefix: Path, share: int, most_bytes: int | None
) -> list[MergedFile]:
    schema = _common_schema(files)
    writer = _Writer(prefix, schema, share, most_bytes)
    for window in _windows(files, share // len(files)):
        writer.write(_with_schema(window, schema))
    return writer.close()


def _common_schema(files: list[_Input]) -> Schema:
    """Give the schema with all columns: newer files have more of them, at the end."""
    first, *others = sorted(files, key=lambda file: len(str(file.schema)), reverse=True)
    common = first.schema
    for schema, file in {file.schema: file for file in others}.items():
        try:
            common = pyarrow.unify_schemas([common, schema], promote_options="permissive")
        except pyarrow.ArrowException as error:
            why = f"its columns are not those of {first.path.name} and others ({error})"
            raise _unmergeable(file.path, why) from error
    return common


def _with_schema(table: Table, schema: Schema) -> Table:
    if table.schema.equals(schema):
        return table
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pyarrow.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return Table.from_arrays(columns, schema=schema)


@dataclass(slots=True)
class _Input:
    """A file, and what was read of it and is not written yet."""

    path: Path
    first: datetime
    end: datetime
    schema: Schema
    page_bytes: int
    """What the pages that it holds while it is open take."""
    batches: Iterator[RecordBatch] = field(default_factory=lambda: iter(()))
    batch: Any = None

    @classmethod
    def of(cls, path: Path) -> _Input:
        footer = _footer(path)
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        times = [group.column(0).statistics for group in groups]
        pages = [
            min(group.column(at).total_uncompressed_size, PAGE_BYTES)
            for group in groups[:1]
            for at in range(footer.num_columns)
        ]
        return cls(
            path,
            min(time.min for time in times),
            max(time.max for time in times),
            footer.schema.to_arrow_schema(),
            2 * sum(pages),  # as it is in the file, and decompressed
        )

    def open(self, share: int) -> None:
        """Begin to read rows, as many at a time as take so many bytes."""
        file = pyarrow.parquet.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False)
        # What rows take cannot be seen in the footer: values that repeat stand there once.
        some = next(file.iter_batches(LEAST_ROWS, use_threads=False))
        rows = share * some.num_rows // max(some.nbytes, 1)
        rows = min(max(rows, LEAST_ROWS), MOST_ROWS)
        self.batches = file.iter_batches(rows, use_threads=False)
        self.read()

    def read(self) -> None:
        self.batch = next((batch for batch in self.batches if batch.num_rows), None)

    @property
    def last(self) -> Any:
        return self.batch.column(0)[-1].value

    def take(self, end: int) -> RecordBatch:
        """Take the rows up to this time, and read on if none is left."""
        batch = self.batch
        times = batch.column(0).cast(pyarrow.int64()).to_numpy()
        number = int(times.searchsorted(end, side="right"))
        if number == batch.num_rows:
            self.read()
        else:
            self.batch = batch.slice(number)
        return batch.slice(0, number)


def _footer(path: Path) -> Any:
    """Read what a file says of itself; a file that the lake does not write is an error."""
    try:
        footer = pyarrow.parquet.read_metadata(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _unmergeable(path, f"it is no Parquet file ({error})") from error
    if not footer.num_rows:
        raise _unmergeable(path, "it has no rows")
    for number in range(footer.num_row_groups):
        times = footer.row_group(number).column(0).statistics
        if times is None or not times.has_min_max or times.null_count:
            raise _unmergeable(path, "its first column is not the time of each row")
    return footer


def _unmergeable(path: Path, why: str) -> UnmergeableFile:
    return UnmergeableFile(
        f"{path.name} cannot be merged: {why}; move it out of the partition, where only the "
        "lake's functions may write"
    )


def _windows(files: list[_Input], share: int) -> Iterator[Table]:
    """Give the rows of all files in order of time, reading so many bytes of each at a time."""
    waiting = files[::-1]  # they are in order of their first events
    reading: list[_Input] = []
    while waiting or reading:
        # Every file that begins before the first end of what was read.
        while waiting and (
            not reading or _micros(waiting[-1].first) <= min(file.last for file in reading)
        ):
            file = waiting.pop()
            file.open(share)
            if file.batch:
                reading.append(file)
        if not reading:
            return
        end = min(file.last for file in reading)
        parts = [part for file in reading if (part := file.take(end)).num_rows]
        reading = [file for file in reading if file.batch]
        if len(parts) == 1:
            yield Table.from_batches(parts)
        else:
            window = pyarrow.concat_tables(
                [Table.from_batches([part]) for part in parts], promote_options="permissive"
            )
            yield window.take(pyarrow.compute.sort_indices(window.column(0)))


class _Writer:
    """Write rows that come in order of time, and begin another file when one is large enough."""

    def __init__(self, prefix: Path, schema: Schema, most_held: int, most_bytes: int | None):
        self._prefix = prefix
        self._schema = schema
        self._most_held = most_held
        self._most_bytes = most_bytes
        self._held: list[Table] = []
        self._held_bytes = self._held_rows = 0
        self._file: _Output | None = None
        self._written: list[MergedFile] = []

    def write(self, window: Table) -> None:
        self._held.append(window)
        self._held_bytes += window.nbytes
        self._held_rows += window.num_rows
        if self._held_bytes >= self._most_held or self._held_rows >= GROUP_ROWS:
            self._write_group()

    def close(self) -> list[MergedFile]:
        if self._held:
            self._write_group()
        self._end_file()
        return self._written

    def _write_group(self) -> None:
        group = pyarrow.concat_tables(self._held)
        self._held, self._held_bytes, self._held_rows = [], 0, 0
        if self._file is None:
            path = self._prefix.with_name(f"{self._prefix.name}{len(self._written)}.parquet")
            self._file = _Output(path, self._schema)
        size = self._file.write(group)
        if self._most_bytes is not None and size >= self._most_bytes:
            self._end_file()

    def _end_file(self) -> None:
        if self._file is not None:
            self._written.append(self._file.close())
            self._file = None


class _Output:
    """A file that is being written."""

    def __init__(self, path: Path, schema: Schema) -> None:
        self._path = path
        self._sink = path.open("wb")
        self._writer = pyarrow.parquet.ParquetWriter(
            self._sink, schema, compression=COMPRESSION, **writer_options(schema)
        )
        self._rows = 0
        self._times: list[datetime] = []

    def write(self, group: Table) -> int:
        """Write a row group; return how many bytes the file has."""
        self._writer.write_table(group, row_group_size=group.num_rows)
        times = group.column(0)
        self._times += [times[0].as_py(), times[-1].as_py()]
        self._rows += group.num_rows
        return self._sink.tell()

    def close(self) -> MergedFile:
        self._writer.close()
        size = self._sink.tell()
        self._sink.close()
        return MergedFile(self._path, self._rows, size, self._times[0], self._times[-1])


def _micros(moment: datetime) -> int:
    micros: int = pyarrow.scalar(moment, pyarrow.timestamp("us", tz="UTC")).value
    return micros
