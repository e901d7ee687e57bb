"""Delete the days that are past their retention, and folders that nothing reads any more.

A day expires in the ledger first: from then on nobody publishes into it. Then the catalog forgets
it, then its files go. What a function that outlived its execution may have put there meanwhile goes
when the time of grace is over, as do the files that compactions replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from aws_lambda_powertools import Logger

from servicelogs import formats
from servicelogs.errors import LeaseBusy
from servicelogs.lake.clean import sweep
from servicelogs.lake.deployment import Lake
from servicelogs.lake.lease import Lease
from servicelogs.lake.names import Partition, summary_of
from servicelogs.lake.partitions import Retired
from servicelogs.lake.publish import follow

logger = Logger(child=True)

SECONDS_FOR_A_TABLE = 60.0
_AT_ONCE = 200


@dataclass(slots=True)
class Expired:
    """How far it came."""

    state: Literal["DONE", "MORE", "BUSY"] = "DONE"
    partitions: int = 0
    folders: int = 0


def expire_partitions(lake: Lake, execution: str, seconds_left: Callable[[], float]) -> Expired:
    """Expire what is past its retention, in all tables, and delete what may be deleted by now."""
    expired = Expired()
    for table in formats.NAMES:
        if seconds_left() < SECONDS_FOR_A_TABLE:
            expired.state = "MORE"
            return expired
        try:
            with lake.leases.held(table, execution) as lease:
                _expire_table(lake, lease, expired, seconds_left)
        except LeaseBusy as busy:
            logger.info("table busy", extra={"table": table, "reason": str(busy)})
            expired.state = "BUSY"
    if not sweep(lake, seconds_left, SECONDS_FOR_A_TABLE):
        expired.state = "MORE"
    return expired


def _expire_table(
    lake: Lake, lease: Lease, expired: Expired, seconds_left: Callable[[], float]
) -> None:
    past = _past(lake, lease.table)
    for start in range(0, len(past), _AT_ONCE):
        group = past[start : start + _AT_ONCE]
        lake.partitions.expire(lease, group)
        expired.partitions += len(group)
        logger.info("days expired", extra={"table": lease.table, "partitions": len(group)})
        if seconds_left() < SECONDS_FOR_A_TABLE:
            expired.state = "MORE"
            return
    if lagging := lake.partitions.lagging(lease.table):
        follow(lake, lease, lagging)
    for retired in lake.partitions.retired(lease.table):
        if seconds_left() < SECONDS_FOR_A_TABLE:
            expired.state = "MORE"
            return
        expired.folders += _delete(lake, lease, retired)


def _past(lake: Lake, table: str) -> list[Partition]:
    """Find the partitions whose whole day is past the table's retention."""
    days = lake.settings.days_kept(table)
    if not days:
        return []
    first_kept = (datetime.fromtimestamp(lake.clock(), UTC) - timedelta(days=days)).date()
    return [
        partition
        for one in (table, summary_of(table))
        for partition, known in lake.partitions.of_table(one)
        if known.generation and date.fromisoformat(partition.event_day) < first_kept
    ]


def _delete(lake: Lake, lease: Lease, retired: Retired) -> bool:
    """Delete a folder that does not count, once the catalog surely points elsewhere."""
    if not lake.partitions.deleting(retired):
        return False
    known = lake.partitions.known([retired.partition]).get(retired.partition)
    counts = known is not None and known.generation and known.generation == retired.generation
    if not counts:
        # A publisher that slept since before the swap may have pointed it back.
        follow(lake, lease, [retired.partition])
        partition = retired.partition
        folder = partition.folder(retired.generation) if retired.generation else ""
        lake.files.delete_all(folder or partition.everything)
    lake.partitions.deleted(retired)
    return not counts
