"""Parquet files as the lake has them: how rows are sorted, and how they are written."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow
import pyarrow.compute
import pyarrow.parquet

COMPRESSION, LEVEL = "zstd", 1
"""A higher level takes longer, and makes files of such columns no smaller."""
# Beside times what only rises within a source: dictionaries and plain numbers take more.
_DELTA_NAMES = {"log_record"}


class ParquetFiles(Protocol):
    """Where files are written."""

    def write(self, table: pyarrow.Table, name: str) -> int:
        """Write a table as the file of this very name; give its bytes."""
        ...


class ParquetFilesInFolder:
    """Files in a folder and its folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, table: pyarrow.Table, name: str) -> int:
        """Write a table as one row group to the path of this name."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(
            table,
            path,
            compression=COMPRESSION,
            row_group_size=table.num_rows,
            **writer_options(table.schema),
        )
        return path.stat().st_size


def sorted_table(batches: list[pyarrow.RecordBatch]) -> pyarrow.Table:
    """Sort rows by their first column, the time, and take them out of the list.

    Column by column, so that never more than one is there twice.
    """
    table = pyarrow.Table.from_batches(batches)
    batches.clear()
    schema = table.schema
    order = pyarrow.compute.sort_indices(table.column(0).combine_chunks())
    columns = table.columns[::-1]
    del table
    in_order = []
    while columns:
        column = columns.pop()
        if column.null_count == len(column):  # as most of a flow log's: half of the time
            in_order.append(pyarrow.nulls(len(column), column.type))
        else:
            in_order.append(column.combine_chunks().take(order))
    return pyarrow.Table.from_arrays(in_order, schema=schema)


def writer_options(schema: pyarrow.Schema) -> dict[str, Any]:
    """Say how pyarrow is to write a file: in a new dictionary, for awswrangler adds to it.

    The compression itself is not in it: awswrangler takes that apart.
    """
    delta, others = _leaves(schema)
    return {
        "version": "2.6",
        "coerce_timestamps": "us",
        "compression_level": LEVEL,
        "use_dictionary": [*others],
        "column_encoding": dict.fromkeys(delta, "DELTA_BINARY_PACKED"),
        "sorting_columns": [pyarrow.parquet.SortingColumn(0)],
        "write_page_index": True,
    }


@cache
def _leaves(schema: pyarrow.Schema) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the paths of a file's columns: those that are written as differences, and the others."""
    empty = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(schema.empty_table(), empty)
    leaves = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(empty.getvalue())).schema
    delta: list[str] = []
    others: list[str] = []
    for at in range(len(leaves)):
        leaf = leaves.column(at)
        is_time = leaf.logical_type.type == "TIMESTAMP"
        (delta if is_time or leaf.path in _DELTA_NAMES else others).append(leaf.path)
    return tuple(delta), tuple(others)
