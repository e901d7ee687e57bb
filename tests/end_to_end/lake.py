"""The Light Engine of a running stack, as tests use it: deliveries, runs, rows."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import deploy, sample_logs
from local.lake import Lake
from local.sample_logs import SampleObject
from local.stack import Stack
from local.witnesses import Witnesses

SECONDS = 120

type Rows = Counter[tuple[Any, ...]]


@dataclass(frozen=True)
class Delivery:
    """Sample objects that were put into the log bucket, under a folder of their own."""

    folder: str
    samples: tuple[SampleObject, ...]

    @property
    def records(self) -> Counter[str]:
        """Count the records by log type."""
        return _sums(self.samples, lambda one: one.records)

    @property
    def rejected(self) -> Counter[str]:
        """Count those of them that no row can be."""
        return _sums(self.samples, lambda one: one.rejected)

    @property
    def tables(self) -> list[str]:
        """Name the tables in which they are."""
        return sorted(self.records)


class LightEngine:
    """What is deployed, and what it has."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.lake = Lake(stack, folder)
        self.bucket = stack.outputs["LogBucketName"]
        self.s3 = self.lake.s3
        self.sqs = deploy.client("sqs", stack.aws_endpoint)
        self._witnesses = Witnesses(stack, 0)

    def deliver(self, *formats: str) -> Delivery:
        """Put the samples of some formats into the log bucket, where no others are."""
        return self._deliver([one for one in sample_logs.objects() if one.format in formats])

    def deliver_one(self) -> Delivery:
        """Put one object, of which some records are rejected, into the log bucket."""
        return self._deliver([next(one for one in sample_logs.objects() if one.rejected)])

    def _deliver(self, samples: list[SampleObject]) -> Delivery:
        delivery = Delivery(f"{uuid.uuid4().hex[:8]}/", tuple(samples))
        for sample in samples:
            self.put(delivery.folder + sample.key, sample.data)
        self.wait_for_staging()
        return delivery

    def put(self, key: str, data: bytes) -> None:
        """Put an object into the log bucket."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def announce(self, *keys: str) -> None:
        """Send the event of an object once more."""
        for key in keys:
            record = {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": self.bucket}, "object": {"key": key}},
            }
            self.sqs.send_message(
                QueueUrl=self.stack.outputs["StageQueueUrl"],
                MessageBody=json.dumps({"Records": [record]}),
            )

    def wait_for_staging(self) -> None:
        """Wait until every object that was announced is staged."""
        give_up = time.monotonic() + SECONDS
        while self._waiting():
            assert time.monotonic() < give_up, "objects are still to be staged"
            time.sleep(0.1)

    def convert(self) -> None:
        """Run the state machine once, to its good end."""
        self.end_well(self.lake.start())

    def functions(self, machine: str) -> dict[str, str]:
        """Give the names of the functions that a state machine calls, by state."""
        arn = self.stack.outputs[machine]
        answer = self.lake.machines.describe_state_machine(stateMachineArn=arn)
        return dict(_functions(json.loads(answer["definition"])["States"]))

    def end_well(self, run: str) -> None:
        """Wait for the good end of a run."""
        ended = self.lake.wait(run)
        assert ended.status == "SUCCEEDED", ended

    def rows(self, delivery: Delivery) -> Rows:
        """Give all that the lake says of a delivery, but for what its folder was called.

        Each row has its table, its columns' values, and how often it is there.
        """
        self.lake.open()
        where = f"s3://{self.bucket}/{delivery.folder}"
        found: Rows = Counter()
        for table in delivery.tables:
            for row in self.lake.content(table, where):
                found[table, *(str(value).replace(where, "") for value in row)] += 1
        return found

    def counts(self, delivery: Delivery) -> Counter[str]:
        """Count a delivery's rows by log type."""
        counts: Counter[str] = Counter()
        for (table, *_), count in self.rows(delivery).items():
            counts[table] += count
        return counts

    def rejected(self, delivery: Delivery) -> Counter[str]:
        """Count the rejects of a delivery in the backup bucket, by log type."""
        where = f"s3://{self.bucket}/{delivery.folder}"
        return Counter(
            reject["log_type"]
            for reject in self._witnesses.rejects(of_lake=True)
            if reject["source"].startswith(where)
        )

    def ledger(self, key: str) -> dict[str, Any]:
        """Give what the ledger says of an object."""
        uri = f"s3://{self.bucket}/{key}"
        return next(one for one in self.lake.objects() if one.get("source") == uri)

    def staged(self, folder: str = "") -> list[str]:
        """List what is in the staging bucket."""
        return self._keys("StagingBucketName", folder)

    def in_lake_bucket(self, folder: str) -> list[str]:
        """List what is in the lake bucket, whatever the catalog says."""
        return self._keys("LakeBucketName", folder)

    def _keys(self, output: str, folder: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.stack.outputs[output], Prefix=folder
        )
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def _waiting(self) -> bool:
        queue = self.stack.outputs["StageQueueUrl"]
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return any(int(answer["Attributes"][name]) for name in names)


def _functions(states: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, state in states.items():
        if function := state.get("Parameters", {}).get("FunctionName"):
            yield name, function.rpartition(":")[2]
        yield from _functions(state.get("ItemProcessor", {}).get("States", {}))


def _sums(samples: Iterable[SampleObject], count: Callable[[SampleObject], int]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for one in samples:
        sums[one.format] += count(one)
    return +sums
