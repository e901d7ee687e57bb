"""Pick the partitions whose files are to be merged, by their number and size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from servicelogs import formats
from servicelogs.lake import names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.names import Partition

SMALL_BYTES = 128 * 1024 * 1024
"""A smaller file is merged with others."""
MANY = 8
"""So many small files are merged while the day goes on; when it is over, two are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which partitions are looked at: those of a table, or all; of days from one to another."""

    table: str = ""
    first_day: str = ""
    last_day: str = "9999-12-31"

    @classmethod
    def read(cls, asked: dict[str, Any]) -> Asked:
        """Read what an execution was started with; a ValueError says what is wrong with it."""
        table = asked.get("table") or ""
        if table and names.main_table(str(table)) not in formats.NAMES:
            raise ValueError(f"table: {table!r} is none; it is one of {', '.join(formats.NAMES)}")
        days = {"first_day": _day("from", asked), "last_day": _day("to", asked)}
        return cls(str(table), **{name: day for name, day in days.items() if day})

    def tables(self) -> tuple[str, ...]:
        """Name the tables."""
        if self.table:
            return (self.table,)
        return tuple(table for name in formats.NAMES for table in (name, names.summary_of(name)))


def pick_partitions(lake: Lake, asked: Asked) -> Iterator[Partition]:
    """Give the partitions with files worth merging, the latest days last."""
    today = f"{datetime.fromtimestamp(lake.clock(), UTC):%Y-%m-%d}"
    for table in asked.tables():
        for partition, known in lake.partitions.of_table(table):
            if not known.generation or not asked.first_day <= partition.event_day <= asked.last_day:
                continue
            files = lake.files.list(partition.folder(known.generation))
            small = sum(file["Size"] < SMALL_BYTES for file in files)
            if small >= (2 if partition.event_day < today else MANY):
                yield partition


def worth_merging(sizes: Mapping[str, int], most_bytes: int) -> list[str]:
    """Choose the files to merge at a time, by their bytes: small ones, in the order of their names.

    Names of batches begin with the time of their oldest object, so that files that are merged are
    near each other in time.
    """
    chosen: list[str] = []
    for name in sorted(sizes):
        if sizes[name] < SMALL_BYTES and sizes[name] <= most_bytes:
            chosen.append(name)
            most_bytes -= sizes[name]
    return chosen if len(chosen) > 1 else []


def _day(name: str, asked: dict[str, Any]) -> str:
    value = asked.get(name)
    try:
        return f"{date.fromisoformat(str(value))}" if value else ""
    except ValueError as error:
        raise ValueError(f"{name}: {value!r} is no day; write it as 2026-11-20") from error
