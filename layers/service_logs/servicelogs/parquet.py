"""Parquet files that AWS delivers, as the JSON lines that the same records would be.

Needs pyarrow, which is in a layer of its own.
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

import errno
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow
import pyarrow.parquet

from servicelogs.errors import ObjectUnreachable, UnreadableObject

# So many rows are in memory at a time, as columns and as lines: few, because a file can hold long
# values that repeat in a few bytes. More are no faster (measured).
ROWS = 256
# So many bytes of a column are read at a time, instead of a whole row group.
COLUMN_BUFFER_SIZE = 256 * 1024
# What pyarrow raises for a damaged file, and for values that no log has.
FAULTS = (pyarrow.ArrowException, OSError, TypeError, ValueError)

_encode = msgspec.json.Encoder().encode


def json_lines(pieces: Iterable[bytes], start: int = 1) -> Iterator[bytes]:
    """Yield a line for each row of a file, with all columns under their names.

    Rows before `start` may be empty lines: whoever goes on from there needs only their number. A
    file that is corrupt yields its good rows, then raises UnreadableObject.
    """
    with tempfile.TemporaryFile() as copy:
        _copy(pieces, copy)
        row = 1
        try:
            file = pyarrow.parquet.ParquetFile(
                copy, buffer_size=COLUMN_BUFFER_SIZE, pre_buffer=False
            )
            for group, first in _groups(file, start):
                yield b"\n" * (first - row)
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


def _groups(file: pyarrow.parquet.ParquetFile, start: int) -> Iterator[tuple[int, int]]:
    """Give the row groups to read, each with the number of its first row.

    The first is always among them: by its rows the type may be told.
    """
    first = 1
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if group == 0 or first + rows > start:
            yield group, first
        first += rows


def _lines(batch: pyarrow.RecordBatch) -> bytes:
    names = batch.schema.names
    rows = zip(*map(_values, batch.columns), strict=True)
    lines = (_encode(dict(zip(names, row, strict=True))) for row in rows)
    return b"\n".join((*lines, b""))


def _values(column: pyarrow.Array) -> list[Any]:
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_binary(column.type):
        # Nothing checks that what a writer calls a string is UTF-8: as in text, it is mended.
        texts = column.cast(pyarrow.binary()).to_pylist()
        return [text if text is None else text.decode("utf-8", "replace") for text in texts]
    values: list[Any] = column.to_pylist()
    return values
