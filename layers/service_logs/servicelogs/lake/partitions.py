"""What the ledger knows of partitions: which generation of files counts, and what Glue was told.

A generation is a folder. Compaction writes the next one and swaps; a batch's generation in a
partition is recorded once, before its first file is copied, so that whoever publishes it late, or
again, copies into the same folder. Partitions whose catalog entry lags behind, and folders that are
to be deleted later, are items of their own, written with the change that leaves them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched

from servicelogs.lake import names
from servicelogs.lake.items import (
    MOST_WRITES,
    Item,
    Items,
    Key,
    Write,
    check,
    delete,
    put,
    put_new,
    update,
)
from servicelogs.lake.lease import Lease
from servicelogs.lake.names import Partition

EXPIRED = "EXPIRED"
_PARTITION = "partition#"
_LAGGING = "catalog#"
_RETIRED = "retired#"
# Needed until a batch is done, and by who comes late: that is a matter of minutes.
_RECORD_SECONDS = timedelta(days=365).total_seconds()
# An expired partition's folder, whatever its generation.
_EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a partition."""

    generation: str
    """The one whose files count; empty: the partition has expired."""
    catalog: str
    """The one that Glue was told last; empty: none."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A folder that may be deleted after a time, unless it counts."""

    partition: Partition
    generation: str
    """Empty: the whole partition."""
    after: int
    """Seconds since 1970."""
    key: Key


class Partitions:
    """The partitions of all tables."""

    def __init__(
        self,
        items: Items,
        grace: timedelta,
        days_kept: Callable[[str], int] = lambda _log_type: 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep what queries may still read for a time of grace."""
        self._items = items
        self._grace = grace
        self._days_kept = days_kept
        self._clock = clock

    def known(self, partitions: Iterable[Partition]) -> dict[Partition, Known]:
        """Read what is known of these partitions."""
        found = self._items.get_many(map(_key, partitions))
        return {_partition(item): _known(item) for item in found}

    def of_table(self, table: str) -> Iterator[tuple[Partition, Known]]:
        """Read all partitions of a table."""
        for item in self._items.query(f"table#{table}", _PARTITION):
            yield _partition(item), _known(item)

    def recorded(self, batch: str) -> dict[Partition, str]:
        """Read a batch's generation in each partition; empty where it had expired."""
        found = {}
        for item in self._items.query(f"batch#{batch}", _PARTITION):
            table, _, path = item["sk"].removeprefix(_PARTITION).partition("/")
            found[Partition.at(table, path)] = item.get("generation", "")
        return found

    def record(
        self, lease: Lease, batch: str, partitions: Collection[Partition]
    ) -> dict[Partition, str]:
        """Record a batch's generation in each of these partitions, once; give all of them."""
        recorded = self.recorded(batch)
        missing = [one for one in partitions if one not in recorded]
        known = self.known(missing)
        for group in _groups(missing, writes=2):
            lease.write(*(w for one in group for w in self._recording(batch, one, known.get(one))))
        new = {p: known[p].generation if p in known else names.FIRST_GENERATION for p in missing}
        return recorded | new

    def _recording(self, batch: str, partition: Partition, known: Known | None) -> list[Write]:
        key = f"batch#{batch}", f"{_PARTITION}{partition.table}/{partition.path}"
        end = int(self._clock() + _RECORD_SECONDS)
        if known is None:
            first = {"generation": names.FIRST_GENERATION}
            return [put_new(_key(partition), first), put_new(key, {**first, "ttl": end})]
        generation = known.generation or None
        # Nothing changes it while the lease is held: this is for those who lost it.
        unchanged = check(_key(partition), generation=generation, pk=_key(partition)[0])
        return [unchanged, put_new(key, {"generation": generation, "ttl": end})]

    # The catalog

    def lagging(self, table: str) -> list[Partition]:
        """Find the partitions, of a table and its summary, of which Glue is to be told."""
        found = self._items.query(f"table#{table}", _LAGGING)
        return [_named(item["sk"].removeprefix(_LAGGING)) for item in found]

    def told(self, lease: Lease, told: Mapping[Partition, str]) -> None:
        """Note what Glue was told; nothing of those that have expired."""
        for group in _groups(list(told), writes=2):
            lease.write(*(write for one in group for write in _telling(one, told[one])))

    # Generations

    def intend(self, partition: Partition, generation: str) -> None:
        """Note that a generation is going to be written: if nobody swaps to it, it is deleted."""
        self._items.write(self._retiring(partition, generation))

    def swap(self, lease: Lease, partition: Partition, old: str, new: str) -> None:
        """Let the files of a generation that was intended count, and no longer those of `old`."""
        lease.write(
            update(_key(partition), {"generation": new}, generation=old),
            # Should it have waited so long that it is being deleted, it is not swapped to.
            delete(_retired(partition, new), pk=_retired(partition, new)[0], deleting=None),
            self._retiring(partition, old),
            put(_lagging(partition), {}),
        )

    def expire(self, lease: Lease, partitions: Collection[Partition]) -> None:
        """Let no file of these partitions count any more."""
        for group in _groups(list(partitions), writes=3):
            lease.write(*(write for one in group for write in self._expiring(one)))

    def _expiring(self, partition: Partition) -> list[Write]:
        days = timedelta(days=self._days_kept(partition.main_table) + 7)
        end = int(self._clock() + days.total_seconds())
        return [
            update(_key(partition), {"generation": None, "state": EXPIRED, "ttl": end}),
            put(_lagging(partition), {}),
            self._retiring(partition, ""),
        ]

    def _retiring(self, partition: Partition, generation: str) -> Write:
        after = int(self._clock() + self._grace.total_seconds())
        return put(_retired(partition, generation), {"generation": generation, "after": after})

    def retired(self, table: str) -> list[Retired]:
        """Find the folders, of a table and its summary, that may be deleted by now."""
        found = []
        for item in self._items.query(f"table#{table}", _RETIRED):
            if item["after"] <= self._clock():
                path = item["sk"].removeprefix(_RETIRED).rpartition("/")[0]
                key = item["pk"], item["sk"]
                found.append(Retired(_named(path), item["generation"], item["after"], key))
        return found

    def deleting(self, retired: Retired) -> bool:
        """Begin to delete a retired folder: nobody swaps to it from now on."""
        return self._items.try_to_write(
            update(retired.key, {"deleting": True}, after=retired.after)
        )

    def deleted(self, retired: Retired) -> None:
        """Forget a retired folder, unless it was retired anew."""
        self._items.try_to_write(delete(retired.key, after=retired.after))


def _groups(partitions: list[Partition], writes: int) -> Iterator[tuple[Partition, ...]]:
    """Part partitions into groups that one transaction takes, beside the lease's check."""
    return batched(partitions, (MOST_WRITES - 1) // writes, strict=False)


def _telling(partition: Partition, told: str) -> list[Write]:
    generation = told or None
    return [
        update(_key(partition), {"catalog": generation}, generation=generation),
        delete(_lagging(partition)),
    ]


def _key(partition: Partition) -> Key:
    return f"table#{partition.table}", f"{_PARTITION}{partition.path}"


def _lagging(partition: Partition) -> Key:
    table = partition.main_table
    return f"table#{table}", f"{_LAGGING}{partition.table}/{partition.path}"


def _retired(partition: Partition, generation: str) -> Key:
    table = partition.main_table
    folder = f"{partition.table}/{partition.path}/{generation or _EVERYTHING}"
    return f"table#{table}", f"{_RETIRED}{folder}"


def _named(folder: str) -> Partition:
    table, _, path = folder.partition("/")
    return Partition.at(table, path)


def _partition(item: Item) -> Partition:
    return Partition.at(item["pk"].removeprefix("table#"), item["sk"].removeprefix(_PARTITION))


def _known(item: Item) -> Known:
    return Known(item.get("generation", ""), item.get("catalog", ""))
