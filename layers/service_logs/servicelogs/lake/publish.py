"""Publish what was prepared: copy a table's files to where queries look, under the table's lease.

Names and folders are fixed before the first copy, so that whoever repeats it, or comes late, writes
the same bytes to the same place. A batch that belongs to several tables is done when all have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from servicelogs import formats
from servicelogs.errors import LeaseBusy, ObjectGone, OutOfTime
from servicelogs.lake import names
from servicelogs.lake.clean import clean
from servicelogs.lake.deployment import Lake
from servicelogs.lake.files import at_once
from servicelogs.lake.items import ConditionFailed
from servicelogs.lake.lease import Lease
from servicelogs.lake.ledger import Batch, State
from servicelogs.lake.manifests import OutputFile, Outputs
from servicelogs.lake.names import Partition

logger = Logger(child=True)

type Answer = Literal["DONE", "MORE", "BUSY"]
type Counts = Mapping[str, Mapping[str, int]]

# What is counted beside objects, which may hold records of several log types.
OF_RECORDS = ("Records", "Rows", "Rejected", "Expired", "Skipped")
# What publishing one more batch may take.
SECONDS_FOR_A_BATCH = 60.0


@dataclass(frozen=True, slots=True)
class Published:
    """How far a table's publication came."""

    state: Answer
    """MORE: the time was over; BUSY: another execution has the table."""
    failed: bool = False
    """Whether batches could not be published, whatever the time."""


@dataclass(frozen=True, slots=True)
class TableWork:
    """What there is to publish."""

    tables: list[str]
    oldest: datetime | None
    """Since when the batch that is prepared longest waits."""
    left: list[str]
    """The batches that the execution was to convert, and did not."""


def tables_with_work(lake: Lake, execution: str) -> TableWork:
    """Find the tables that have something to publish, of types that are no longer taken as well."""
    tables = [*formats.NAMES, names.NO_ROWS]
    oldest = dict(zip(tables, at_once(lake.ledger.oldest_prepared, tables), strict=True))
    lagging = dict(zip(tables, at_once(lake.partitions.lagging, tables), strict=True))
    left = [
        work.batch
        for work in lake.ledger.work()
        if work.run == execution and work.state is State.OPEN
    ]
    return TableWork(
        [one for one in tables if oldest[one] or lagging[one]],
        min(filter(None, oldest.values()), default=None),
        left,
    )


def publish_table(
    lake: Lake,
    table: str,
    execution: str,
    seconds_left: Callable[[], float],
    on_done: Callable[[Counts], None] | None = None,
) -> Published:
    """Publish all batches that are prepared for a table; say of each that is done what it held."""
    try:
        with lake.leases.held(table, execution) as lease:
            publisher = Publisher(lake, lease, seconds_left, on_done or publish_metrics)
            publisher.publish_all()
            return Published("DONE", failed=bool(publisher.failed))
    except LeaseBusy as busy:
        logger.info("table busy", extra={"table": table, "reason": str(busy)})
        return Published("BUSY")
    except OutOfTime:
        return Published("MORE", failed=bool(publisher.failed))


def publish_metrics(counts: Counts) -> None:
    """Write one metrics document a log type, as the search engine's path does."""
    for log_type, sums in counts.items():
        metrics = EphemeralMetrics()
        metrics.add_dimension("log_type", log_type)
        for name, count in sums.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        metrics.flush_metrics()


def follow(lake: Lake, lease: Lease, partitions: Iterable[Partition]) -> None:
    """Have the catalog say what the ledger says of these partitions."""
    known = lake.partitions.known(partitions)
    lake.catalog.point({p: one.generation for p, one in known.items() if one.generation})
    expired = [p for p, one in known.items() if not one.generation]
    lake.catalog.remove(expired)
    for partition in expired:
        lake.files.delete_all(partition.everything)
    news = {p: one.generation for p, one in known.items() if one.generation != one.catalog}
    lake.partitions.told(lease, {**news, **dict.fromkeys(expired, "")})


class Publisher:
    """Publishes one table's part of what is prepared, while its lease holds."""

    def __init__(
        self,
        lake: Lake,
        lease: Lease,
        seconds_left: Callable[[], float],
        on_done: Callable[[Counts], None],
    ) -> None:
        self._lake = lake
        self._lease = lease
        self._seconds_left = seconds_left
        self._on_done = on_done
        self.failed: list[str] = []
        """The batches that could not be published."""

    def publish_all(self) -> None:
        """Publish every batch that is prepared; OutOfTime if there is no time for another."""
        self.look_at_time()
        # What a swap or an expiry left: until then queries see what they saw before it.
        if lagging := self._lake.partitions.lagging(self._lease.table):
            follow(self._lake, self._lease, lagging)
        for batch in self._lake.ledger.prepared(self._lease.table):
            self.look_at_time()
            try:
                self._publish(batch)
            except LeaseBusy:
                raise
            except Exception:
                # The others' rows do not wait for it.
                logger.exception("batch not published", extra={"batch": batch})
                self.failed.append(batch)

    def look_at_time(self) -> None:
        """Raise OutOfTime if there is no time for one more batch."""
        if self._seconds_left() < SECONDS_FOR_A_BATCH:
            raise OutOfTime

    def _publish(self, batch_id: str) -> None:
        ledger = self._lake.ledger
        batch = ledger.batch(batch_id)
        if batch and batch.state is State.PREPARED:
            outputs = self._lake.staging.read(batch.outputs, Outputs)
            if self._lease.table not in batch.published:
                self._publish_files(batch, outputs)
            batch = ledger.batch(batch_id)
            if batch and batch.state is State.PREPARED and batch.tables <= batch.published:
                self._finish(batch, outputs)
                batch = ledger.batch(batch_id)
        # Of several tables the last one ends the batch, and cleans up after all.
        if batch and batch.state is State.DONE:
            clean(self._lake, batch)
        ledger.worked_off(self._lease, batch_id)

    def _publish_files(self, batch: Batch, outputs: Outputs) -> None:
        mine = [file for file in outputs.files if file.partition.main_table == self._lease.table]
        partitions = _by_partition(mine)
        generations = self._lake.partitions.record(self._lease, batch.id, list(partitions))
        copies = [
            (file.key, partition.file(generations[partition], batch.id, number))
            for partition, files in partitions.items()
            if generations[partition]
            for number, file in enumerate(files)
        ]
        staging = self._lake.staging.bucket
        try:
            at_once(lambda copy: self._lake.files.take(staging, *copy), copies)
        except ObjectGone:
            # Another holder of the lease may have ended the batch in the meantime.
            now = self._lake.ledger.batch(batch.id)
            if now and now.state is State.PREPARED:
                raise
            return
        follow(self._lake, self._lease, partitions)
        self._lake.ledger.published(self._lease, batch.id)

    def _finish(self, batch: Batch, outputs: Outputs) -> None:
        """End a batch whose files are where they are seen: its rejects, its counts, its state."""
        staging = self._lake.staging.bucket
        at_once(lambda one: self._lake.backup.take(staging, one.key, one.to), outputs.rejects)
        facts = _facts_by_object(outputs)
        at_once(lambda one: self._lake.ledger.note(one, batch.id, facts[one]), facts)
        counts = self._counts(batch, outputs)
        totals = {name: sum(sums[name] for sums in counts.values()) for name in OF_RECORDS}
        try:
            self._lake.ledger.done(
                self._lease, batch.id, {name.lower(): n for name, n in totals.items()}
            )
        except ConditionFailed:
            return  # the last publisher of another table was quicker, and counted it
        self._on_done(counts)
        logger.info("batch done", extra={"batch": batch.id, **totals})

    def _counts(self, batch: Batch, outputs: Outputs) -> dict[str, Counter[str]]:
        """Count what the batch held, by log type; rows of partitions that had expired are none."""
        counts: dict[str, Counter[str]] = {}
        for one in outputs.objects:
            sums = counts.setdefault(one.type, Counter())
            sums["Objects"] += 1
            sums["Records"] += one.records
            sums["Rows"] += one.rows
            sums["Rejected"] += one.rejected
            sums["Expired"] += one.expired
            sums["Skipped"] += one.skipped
        recorded = self._lake.partitions.recorded(batch.id)
        for file in outputs.files:
            if not file.is_summary and not recorded[file.partition]:
                counts[file.table]["Rows"] -= file.rows
                counts[file.table]["Expired"] += file.rows
        return counts


def _by_partition(files: Iterable[OutputFile]) -> dict[Partition, list[OutputFile]]:
    partitions: dict[Partition, list[OutputFile]] = {}
    for file in files:
        partitions.setdefault(file.partition, []).append(file)
    return partitions


def _facts_by_object(outputs: Outputs) -> dict[str, dict[str, str | int]]:
    """Say what became of each object, whatever types its records are of."""
    facts: dict[str, dict[str, str | int]] = {}
    for one in outputs.objects:
        before = facts.setdefault(one.id, {"source": one.source, "type": ""})
        before["type"] = ",".join(filter(None, (str(before["type"]), one.type)))
        for name in ("records", "rows", "rejected", "expired", "skipped"):
            before[name] = int(before.get(name, 0)) + getattr(one, name)
    return facts
