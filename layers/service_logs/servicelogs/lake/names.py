"""What the lake's objects, folders, batches and partitions are called: each name is made here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from servicelogs.records import Source

RAW = "raw/"
"""Where the staging bucket keeps objects that wait for their conversion."""
OUT = "out/"
"""Where it keeps what attempts at conversions wrote, a folder a batch."""
BATCHES = "batches/"
"""Where it keeps the manifests of batches."""
RUNS = "runs/"
"""Where it keeps the manifests of runs: which batches each is to convert."""
QUARANTINED = "quarantined/"
"""Where it keeps objects that cannot be converted."""
REJECTED = "rejected/light-engine/"
"""Where the backup bucket keeps the lake's rejects, apart from those of the search engine."""

UNIDENTIFIED = "unidentified"
"""Stands for the log type of objects whose key does not say it."""
NO_ROWS = "no-rows"
"""Stands for the table of batches none of whose records became a row."""
FIRST_GENERATION = "g0000"

_SUMMARY = "_summary"
_ID_CHARACTERS = 16
_TIME = "%Y%m%dT%H%M%SZ"
# Digits count the files of a batch in a partition: a child's name ends in a letter.
_CHILDREN = "abcdefghijklmnop"
MOST_CHILDREN = len(_CHILDREN)


class Partition(NamedTuple):
    """A partition of a table."""

    table: str
    account_id: str
    region: str
    event_day: str

    @property
    def main_table(self) -> str:
        """Give the table that its own goes with."""
        return main_table(self.table)

    @property
    def path(self) -> str:
        """Give what identifies it within its table."""
        return f"{self.account_id}/{self.region}/{self.event_day}"

    @property
    def values(self) -> list[str]:
        """Give the values of its columns, as Glue takes them."""
        return [self.account_id, self.region, self.event_day]

    @property
    def everything(self) -> str:
        """Give the folder of all its generations."""
        return f"{self.table}/{self.path}/"

    def folder(self, generation: str) -> str:
        """Give the folder that holds the files of one generation."""
        return f"{self.everything}{generation}/"

    def file(self, generation: str, batch: str, number: int) -> str:
        """Name a batch's file, the `number`-th that it has in the partition."""
        return f"{self.folder(generation)}{batch}-{number}.parquet"

    @classmethod
    def at(cls, table: str, path: str) -> Partition:
        """Read what `path` wrote."""
        return cls(table, *path.split("/"))


def raw_key(log_type: str, source: Source) -> str:
    """Name the staged copy of an object: the same however often it is delivered, oldest first."""
    return f"{RAW}{log_type}/{source.delivered:{_TIME}}-{source.id}"


def id_of(key: str) -> str:
    """Read the id of the object whose copy has this key."""
    return key[-_ID_CHARACTERS:]


def log_type_of(key: str) -> str:
    """Read which log type the copy with this key was staged as."""
    return key.split("/")[1]


def delivered_of(key: str) -> datetime:
    """Read when the object was delivered whose copy has this key."""
    time = key.rpartition("/")[2][: -_ID_CHARACTERS - 1]
    return datetime.strptime(time, _TIME).replace(tzinfo=UTC)


def is_copy(key: str) -> bool:
    """Say whether a key is that of an object's copy, and not of something put beside them."""
    try:
        delivered_of(key)
    except ValueError:
        return False
    return key.count("/") == 2


def quarantined_key(key: str) -> str:
    """Name where a staged copy lies once it is known that it cannot be converted."""
    return QUARANTINED + key.removeprefix(RAW)


def new_batch(oldest: datetime) -> str:
    """Name a batch: by its oldest object, so that batches sort by age."""
    return f"{oldest:{_TIME}}-{uuid.uuid4().hex[:12]}"


def children(batch: str, count: int) -> list[str]:
    """Name the batches that a batch is split into: the same whoever splits it."""
    return [f"{batch}-{letter}" for letter in _CHILDREN[:count]]


def folder_of(batch: str) -> str:
    """Give the folder of a batch's manifests."""
    return f"{BATCHES}{batch}/"


def planned_key(batch: str) -> str:
    """Name the list of the objects that a batch is to have, as far as no other has them."""
    return f"{folder_of(batch)}planned.json"


def manifest_key(batch: str) -> str:
    """Name the list of the objects that a batch has."""
    return f"{folder_of(batch)}manifest.json"


def attempts_of(batch: str) -> str:
    """Give the folder of everything that attempts to convert a batch wrote."""
    return f"{OUT}{batch}/"


def attempt_folder(batch: str, attempt: str) -> str:
    """Give the folder of one attempt to convert a batch: an invocation's, and no other's."""
    return f"{attempts_of(batch)}{attempt}/"


def outputs_key(batch: str, attempt: str) -> str:
    """Name the list of what an attempt wrote, which it writes last."""
    return f"{attempt_folder(batch, attempt)}outputs.json"


def run_key(execution: str, attempt: str) -> str:
    """Name the list of the batches that an execution is to convert."""
    return f"{RUNS}{execution.rpartition(':')[2]}/{attempt}.json"


def following(generation: str, attempt: str) -> str:
    """Name the generation after this one: by the attempt that writes it, so that none shares it."""
    number = int(generation[1:].partition("-")[0])
    return f"g{number + 1:04}-{attempt}"


def main_table(table: str) -> str:
    """Give the table that a table goes with: a summary with its details."""
    return table.removesuffix(_SUMMARY)


def summary_of(table: str) -> str:
    """Name the table that sums up another."""
    return f"{table}{_SUMMARY}"


def main_tables(tables: Sequence[str]) -> frozenset[str]:
    """Give the tables that files of these tables go with, or what stands for them if none do."""
    return frozenset(map(main_table, tables)) or frozenset({NO_ROWS})
