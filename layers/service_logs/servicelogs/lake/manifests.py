"""What the steps hand to each other as documents in the staging bucket."""

from __future__ import annotations

from collections import Counter

import msgspec

from servicelogs.errors import Unaccounted
from servicelogs.lake import names
from servicelogs.lake.names import Partition


class StagedObject(msgspec.Struct, frozen=True):
    """An object that waits for its conversion."""

    key: str
    id: str
    size: int


class Manifest(msgspec.Struct, frozen=True):
    """The objects of a batch, in the order of their delivery."""

    batch: str
    type: str
    """What they were staged as."""
    objects: list[StagedObject]


class OutputFile(msgspec.Struct, frozen=True):
    """A Parquet file that an attempt wrote."""

    key: str
    table: str
    account_id: str
    region: str
    event_day: str
    rows: int
    bytes: int
    first: str
    """The time of its first row."""
    last: str

    @property
    def partition(self) -> Partition:
        """Give the partition that it is to be in."""
        return Partition(self.table, self.account_id, self.region, self.event_day)

    @property
    def is_summary(self) -> bool:
        """Say whether its rows sum up those of other files."""
        return names.main_table(self.table) != self.table


class OutputReject(msgspec.Struct, frozen=True):
    """A file of rejects that an attempt wrote."""

    key: str
    to: str
    """Its key in the backup bucket."""


class OutputObject(msgspec.Struct, frozen=True):
    """What became of an object's records of one log type."""

    id: str
    source: str
    type: str
    records: int
    rows: int
    rejected: int
    expired: int
    skipped: int
    """1 if the object turned out to be no log that is to be kept, and none of it was read."""


class Outputs(msgspec.Struct, frozen=True):
    """Everything that one attempt made of a batch."""

    batch: str
    attempt: str
    files: list[OutputFile]
    rejects: list[OutputReject]
    objects: list[OutputObject]

    def tables(self) -> frozenset[str]:
        """Give the tables that publish it: a summary goes with its table."""
        return names.main_tables([file.table for file in self.files])

    def check(self) -> None:
        """Raise Unaccounted unless every record of every object, and every row, has an end."""
        for one in self.objects:
            settled = one.rows + one.rejected + one.expired
            if one.records != settled:
                raise Unaccounted(
                    f"{one.source}: of {one.records} records {settled} are accounted for; "
                    "this is a fault of Service Logs, please report it"
                )
        rows: Counter[str] = Counter()
        for one in self.objects:
            rows[one.type] += one.rows
        for file in self.files:
            if not file.is_summary:
                rows[file.table] -= file.rows
        if any(rows.values()):
            raise Unaccounted(
                f"the batch {self.batch}: its files do not hold the rows of its objects "
                f"({dict(rows)}); this is a fault of Service Logs, please report it"
            )
