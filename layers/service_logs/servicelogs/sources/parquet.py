"""Parquet files that AWS delivers, as the JSON lines that the same records would be.

Needs pyarrow, which is in a layer of its own.
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

import errno
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from servicelogs.errors import ObjectUnreachable, UnreadableObject
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.sources.parquet_pages import (
    LONGEST_LIST,
    check_description,
    check_rows,
    rows_at_a_time,
)

# So many bytes of a column are read at a time, instead of a whole row group, and of all columns.
COLUMN_BUFFER_SIZE = 256 * 1024
ALL_BUFFERS_SIZE = 16 * 1024 * 1024
LEAST_BUFFER_SIZE = 4 * 1024
# So many bytes of rows become values of Python's, and lines, at a time.
PIECE_SIZE = 1024 * 1024
# Where an earlier attempt was before: so many lines without a row at a time.
SKIPPED_LINES = 64 * 1024
# What pyarrow raises for a damaged file, and for values that no log has.
FAULTS = (pyarrow.ArrowException, ArithmeticError, OSError, TypeError, ValueError)

_SPACED = re.compile(r"^(\d+-\d\d-\d\d) (.+)$").sub
_encode = msgspec.json.Encoder().encode


def rows_as_json(pieces: Iterable[bytes], start: int = 1) -> Iterator[bytes]:
    """Yield a line for each row of a file, with all columns under their names.

    Rows before `start` may be empty lines: whoever goes on from there needs only their number. A
    file that is corrupt yields its good rows, then raises UnreadableObject.
    """
    with tempfile.TemporaryFile() as copy:
        _copy(pieces, copy)
        row = 1
        try:
            file = _open(copy)
            for group, first in _groups(file, start):
                for at in range(row, first, SKIPPED_LINES):
                    yield b"\n" * min(SKIPPED_LINES, first - at)
                row = first
                rows = rows_at_a_time(copy, file.metadata, group)
                for batch in file.iter_batches(rows, row_groups=[group], use_threads=False):
                    yield from _lines_of(batch)
                    row += batch.num_rows
                _check_end(file, group, first, row)
        except FAULTS as fault:
            # pyarrow quotes what it met.
            what = "".join(c if c.isprintable() else " " for c in str(fault)[:300]).strip()
            raise UnreadableObject(
                f"the Parquet file cannot be read from row {row} on: {what}"
            ) from fault


def _copy(pieces: Iterable[bytes], copy: IO[bytes]) -> None:
    """Keep a file at hand: only its end says where its columns are."""
    try:
        copy.writelines(pieces)
        copy.seek(0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise ObjectUnreachable(
            "the Parquet file does not fit into the function's temporary storage: "
            "raise ParquetStorageMegabytes, or ConvertStorageMegabytes for the Light Engine"
        ) from error


def _open(copy: IO[bytes]) -> pyarrow.parquet.ParquetFile:
    """Open a file, if what it says of itself can be so."""
    size = check_description(copy)
    file = _with_buffers(copy, COLUMN_BUFFER_SIZE)
    check_rows(file.metadata, size)
    buffer_size = ALL_BUFFERS_SIZE // max(1, file.metadata.num_columns)
    if buffer_size >= COLUMN_BUFFER_SIZE:
        return file
    return _with_buffers(copy, max(LEAST_BUFFER_SIZE, buffer_size))


def _with_buffers(copy: IO[bytes], size: int) -> pyarrow.parquet.ParquetFile:
    return pyarrow.parquet.ParquetFile(
        copy,
        buffer_size=size,
        pre_buffer=False,
        thrift_container_size_limit=LONGEST_LIST,
    )


def _groups(file: pyarrow.parquet.ParquetFile, start: int) -> Iterator[tuple[int, int]]:
    """Give the row groups to read, each with the number of its first row.

    The first is always among them: its rows may identify the type.
    """
    first = 1
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if group == 0 or first + rows > start:
            yield group, first
        first += rows


def _check_end(file: pyarrow.parquet.ParquetFile, group: int, first: int, end: int) -> None:
    """Refuse to go on after fewer rows than a row group, or at last the file, says that it has."""
    rows = file.metadata.row_group(group).num_rows
    if end - first != rows:
        raise ValueError(f"its row group {group + 1} says that it has {rows} rows, and ends there")
    if group == file.num_row_groups - 1 and end - 1 != file.metadata.num_rows:
        raise ValueError(f"it says that it has {file.metadata.num_rows} rows, and ends there")


def _lines_of(batch: pyarrow.RecordBatch) -> Iterator[bytes]:
    """Write rows as lines: few at a time, if their values are long."""
    if batch.num_rows > 1 and batch.nbytes > PIECE_SIZE:
        half = batch.num_rows // 2
        yield from _lines_of(batch.slice(0, half))
        yield from _lines_of(batch.slice(half))
    else:
        yield from _lines(batch)


def _lines(batch: pyarrow.RecordBatch) -> Iterator[bytes]:
    names = _each_once(batch.schema.names)
    columns = batch.columns if batch.nbytes <= MAX_RECORD_BYTES else _cut(batch)
    lines: list[bytes] = []
    size = 0
    for row in zip(*map(_values, columns), strict=True):
        line = _encode(dict(zip(names, row, strict=True)))
        lines += (line, b"\n")
        size += len(line)
        if size > PIECE_SIZE:
            yield from lines
            lines, size = [], 0
    yield b"".join(lines)


def _cut(row: pyarrow.RecordBatch) -> Iterator[pyarrow.Array]:
    """Cut the texts of a row that is too long for a record: what is left is too long as well."""
    left = MAX_RECORD_BYTES + 1
    for column in row.columns:
        cut = column
        if pyarrow.types.is_dictionary(cut.type):
            cut = cut.dictionary_decode()
        if _is_text(cut.type):
            binary = cut.cast(pyarrow.large_binary())
            cut = pyarrow.compute.binary_slice(binary, 0, max(0, left))
            cut = cut.view(pyarrow.large_string())
        left -= cut.nbytes
        yield cut


def _each_once(names: list[str]) -> list[str]:
    """Give a name that comes again its column's number, so that none hides another's values."""
    if len(set(names)) == len(names):
        return names
    first = dict(zip(reversed(names), reversed(range(len(names))), strict=True))
    return [name if first[name] == at else f"{name}_{at + 1}" for at, name in enumerate(names)]


def _values(column: pyarrow.Array) -> list[Any]:
    types, of_type = pyarrow.types, column.type
    if types.is_dictionary(of_type):
        return _values(column.dictionary_decode())
    if _is_text(of_type):
        # Nothing checks that what a writer calls a string is UTF-8: what is not becomes U+FFFD.
        texts = column.cast(pyarrow.large_binary()).to_pylist()
        return [text if text is None else text.decode("utf-8", "replace") for text in texts]
    if types.is_timestamp(of_type):
        # UTC, whatever zone the file would show it in.
        texts = _as_text(column.cast(pyarrow.timestamp(of_type.unit)))
        return [text and _SPACED(r"\1T\2Z", text) for text in texts]
    if types.is_date(of_type) or types.is_time(of_type):
        return _as_text(column)
    values: list[Any] = column.to_pylist()
    return values


def _is_text(of_type: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return bool(
        types.is_string(of_type)
        or types.is_large_string(of_type)
        or types.is_binary(of_type)
        or types.is_large_binary(of_type)
    )


def _as_text(times: pyarrow.Array) -> list[Any]:
    """Write times as Arrow does: Python's know neither nanoseconds nor every year."""
    texts: list[Any] = times.cast(pyarrow.string()).to_pylist()
    return texts
