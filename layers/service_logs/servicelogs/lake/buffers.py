"""Rows kept apart by partition until they are enough for a file, in bounded memory."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow
import pyarrow.compute

from servicelogs.errors import Unaccounted
from servicelogs.lake.names import Partition
from servicelogs.lake.schema import PARTITION

# A file of more rows is not read faster, and to sort it would take more memory.
MOST_PARTITION_BYTES = 192 * 1024 * 1024
# Record batches of few rows take more memory than the rows: so many are joined, while they are
# small.
JOINED_BATCHES = 64
SMALL_BATCH_BYTES = 64 * 1024

_SHOWN = 60
# What is a folder's name in every store, and leads out of none.
_is_plain = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch


def folder(partition: Partition) -> str:
    """Name a partition's folder; its values are not paths."""
    for value in partition:
        if not _is_plain(value):
            raise Unaccounted(
                f"{value[:_SHOWN]!r} cannot be part of a partition: "
                "this is a fault of Service Logs, please report it"
            )
    return "/".join(partition)


def by_partition(
    table: str, schema: pyarrow.Schema, batch: pyarrow.RecordBatch
) -> Iterator[tuple[Partition, pyarrow.RecordBatch]]:
    """Part a batch by the partition's columns, which are behind those of the schema and left out.

    Each part has memory of its own: nothing keeps a part's rows alive when it is written.
    """
    values = [batch.column(name).dictionary_encode() for name in PARTITION]
    rows = pyarrow.RecordBatch.from_arrays(batch.columns[: len(schema)], schema=schema)
    places = _places(values)
    distinct = pyarrow.compute.unique(places)
    if len(distinct) == 1:
        yield _partition(table, values, 0), rows
        return
    order = pyarrow.compute.sort_indices(places)
    counts = pyarrow.compute.value_counts(places.take(order)).field("counts").to_pylist()
    at = 0
    for count in counts:
        of_one = order.slice(at, count)
        yield _partition(table, values, of_one[0].as_py()), rows.take(of_one)
        at += count


def _places(values: list[pyarrow.DictionaryArray]) -> pyarrow.Array:
    """Give each row a number that is its partition's."""
    multiply, add = pyarrow.compute.multiply, pyarrow.compute.add
    first, *others = values
    places = first.indices.cast(pyarrow.int64())
    for column in others:
        places = add(multiply(places, len(column.dictionary)), column.indices)
    return places


def _partition(table: str, values: list[pyarrow.DictionaryArray], row: int) -> Partition:
    account_id, region, event_day = (column[row].as_py() for column in values)
    return Partition(table, account_id, region, event_day)


@dataclass(slots=True)
class _Buffer:
    """The rows of one partition that are in memory."""

    batches: list[pyarrow.RecordBatch] = field(default_factory=list)
    size: int = 0

    def add(self, batch: pyarrow.RecordBatch) -> None:
        """Keep a batch, and join small ones when they are many."""
        self.batches.append(batch)
        self.size += batch.nbytes
        few_bytes = self.size < JOINED_BATCHES * SMALL_BATCH_BYTES
        if few_bytes and len(self.batches) >= JOINED_BATCHES:
            self.batches = [pyarrow.concat_batches(self.batches)]
            self.size = self.batches[0].nbytes


type Write = Callable[[Partition, list[pyarrow.RecordBatch]], None]
"""Writes the rows of a partition, and takes them out of the list as soon as it can."""


class Buffers:
    """The rows of all partitions that are in memory, and when they are written."""

    def __init__(self, write: Write, budget: int) -> None:
        """Keep so many bytes of rows; what is more is written, the largest partition first."""
        self._write = write
        self._budget = budget
        self._of: dict[Partition, _Buffer] = {}
        self._size = 0

    def add(self, partition: Partition, batch: pyarrow.RecordBatch) -> None:
        """Take rows of a partition; what then is too much is written."""
        buffer = self._of.setdefault(partition, _Buffer())
        before = buffer.size
        buffer.add(batch)
        self._size += buffer.size - before
        if buffer.size >= MOST_PARTITION_BYTES:
            self._write_one(partition)
        while self._size >= self._budget:
            self._write_one(max(self._of, key=lambda one: self._of[one].size))

    def write_all(self, which: Callable[[Partition], bool] = lambda _: True) -> None:
        """Write all of these partitions, those included that only come of the writing."""
        while found := [partition for partition in self._of if which(partition)]:
            for partition in found:
                if partition in self._of:
                    self._write_one(partition)

    def _write_one(self, partition: Partition) -> None:
        buffer = self._of.pop(partition)
        self._size -= buffer.size
        self._write(partition, buffer.batches)
