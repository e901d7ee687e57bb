"""Parquet files that AWS delivers, as the JSON lines that the same records would be.

Needs pyarrow, which is in a layer of its own.
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow
import pyarrow.parquet

from servicelogs.errors import ObjectUnreachable, UnreadableObject

# So many rows are in memory at a time, as columns and as lines: few, because a file can hold long
# values that repeat in a few bytes. More are not faster (measured).
ROWS = 256
# So many bytes of a column are read at a time, instead of a whole row group.
COLUMN_BUFFER_SIZE = 256 * 1024
# A file's end, which describes its columns, takes 50 times its size in memory (measured), whatever
# it describes. That of a log takes some kilobytes.
LONGEST_DESCRIPTION = 8 * 1024 * 1024
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
            _check_description(copy)
            file = pyarrow.parquet.ParquetFile(
                copy, buffer_size=COLUMN_BUFFER_SIZE, pre_buffer=False
            )
            for group, first in _groups(file, start):
                for at in range(row, first, SKIPPED_LINES):
                    yield b"\n" * min(SKIPPED_LINES, first - at)
                row = first
                for batch in file.iter_batches(ROWS, row_groups=[group]):
                    yield _lines(batch)
                    row += batch.num_rows
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
            "raise ParquetStorageMegabytes"
        ) from error


def _check_description(copy: IO[bytes]) -> None:
    """Refuse a file whose description of itself would fill the memory, before it is read."""
    size = copy.seek(0, os.SEEK_END)
    copy.seek(max(0, size - 8))
    length = int.from_bytes(copy.read(4), "little")
    copy.seek(0)
    if LONGEST_DESCRIPTION < length < size:
        raise ValueError(
            f"the description of its columns has {length} bytes, "
            f"at most {LONGEST_DESCRIPTION} are read"
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


def _lines(batch: pyarrow.RecordBatch) -> bytes:
    names = _each_once(batch.schema.names)
    rows = zip(*map(_values, batch.columns), strict=True)
    lines = (_encode(dict(zip(names, row, strict=True))) for row in rows)
    return b"\n".join((*lines, b""))


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
    if types.is_string(of_type) or types.is_large_string(of_type) or types.is_binary(of_type):
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


def _as_text(times: pyarrow.Array) -> list[Any]:
    """Write times as Arrow does: Python's know neither nanoseconds nor every year."""
    texts: list[Any] = times.cast(pyarrow.string()).to_pylist()
    return texts
