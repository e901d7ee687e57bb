"""Swap a partition's files for those that a compaction wrote: the same rows in fewer files.

The files of the next generation are written without the lease, beside those that count. Under it
all that is prepared is published first, so that no batch is half in the old folder; then what came
there since it was read is copied, and the ledger names the next generation. Until that write the
new folder is garbage; after it the old one is, once the queries that read it have ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aws_lambda_powertools import Logger

from servicelogs.errors import LeaseBusy, OutOfTime
from servicelogs.lake import names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.files import at_once
from servicelogs.lake.items import ConditionFailed
from servicelogs.lake.names import Partition
from servicelogs.lake.publish import Publisher, follow, publish_metrics

logger = Logger(child=True)

type Answer = Literal["DONE", "MORE", "BUSY", "OVERTAKEN"]


@dataclass(frozen=True, slots=True)
class Compaction:
    """A partition's files, and the folder for those that are to take their place."""

    partition: Partition
    generation: str
    following: str
    files: frozenset[str]
    """The names of the files that it reads: what comes beside them later is not among its rows."""

    @property
    def folder(self) -> str:
        """Give the folder where it writes, in the lake's bucket."""
        return self.partition.folder(self.following)


def begin(lake: Lake, partition: Partition, attempt: str) -> Compaction | None:
    """Begin to compact a partition: say what to read, and where to write; None if it has expired.

    The attempt is an invocation's: no other writes into the same folder.
    """
    known = lake.partitions.known([partition]).get(partition)
    if known is None or not known.generation:
        return None
    following = names.following(known.generation, attempt)
    lake.partitions.intend(partition, following)
    found = _names(lake, partition.folder(known.generation))
    return Compaction(partition, known.generation, following, frozenset(found))


def swap(
    lake: Lake, compaction: Compaction, execution: str, seconds_left: Callable[[], float]
) -> Answer:
    """Let the files that a compaction wrote count.

    MORE: publishing took all time; BUSY: another execution has the table; OVERTAKEN: the partition
    has changed in a way that makes the compaction worthless.
    """
    try:
        return _swap(lake, compaction, execution, seconds_left)
    except LeaseBusy as busy:
        logger.info("table busy", extra={"reason": str(busy)})
        return "BUSY"
    except OutOfTime:
        return "MORE"


def _swap(
    lake: Lake, compaction: Compaction, execution: str, seconds_left: Callable[[], float]
) -> Answer:
    partition = compaction.partition
    with lake.leases.held(partition.main_table, execution, partition.everything) as lease:
        publisher = Publisher(lake, lease, seconds_left, publish_metrics)
        publisher.publish_all()
        publisher.look_at_time()
        if any(partition in lake.partitions.recorded(batch) for batch in publisher.failed):
            logger.warning("a batch is not published yet", extra={"partition": partition.path})
            return "OVERTAKEN"
        known = lake.partitions.known([partition])[partition]
        if known.generation != compaction.generation:
            return "DONE" if known.generation == compaction.following else "OVERTAKEN"
        _carry_over(lake, compaction)
        try:
            lake.partitions.swap(lease, partition, compaction.generation, compaction.following)
        except ConditionFailed:
            return "OVERTAKEN"
        follow(lake, lease, [partition])
    return "DONE"


def _carry_over(lake: Lake, compaction: Compaction) -> None:
    """Copy what was published since the compaction read the partition."""
    old = compaction.partition.folder(compaction.generation)
    new = [name for name in _names(lake, old) if name not in compaction.files]
    bucket = lake.files.bucket
    at_once(lambda name: lake.files.take(bucket, old + name, compaction.folder + name), new)


def _names(lake: Lake, folder: str) -> list[str]:
    return [one["Key"].removeprefix(folder) for one in lake.files.list(folder)]
