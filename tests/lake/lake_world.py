"""A lake in one process: S3, DynamoDB and Glue in memory, a conversion that writes lines of text.

An object's lines are `table day`; each becomes a row, the name of its object and its number. A line
`reject` is rejected, `expired` filtered, `bad` ends the conversion. Rows are read as a query does:
the catalog says where, and a folder's files are the rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import UnreadableDocument
from servicelogs.lake import copies, names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.expire import expire_partitions
from servicelogs.lake.ledger import State
from servicelogs.lake.manifests import Manifest, OutputFile, OutputObject, OutputReject, Outputs
from servicelogs.lake.names import Partition
from servicelogs.lake.plan import Plan, plan
from servicelogs.lake.prepare import prepare
from servicelogs.lake.publish import publish_table, tables_with_work
from servicelogs.lake.split import split_batch
from servicelogs.lake.stage import Stager
from servicelogs.settings import LakeSettings, LogSettings
from servicelogs.sources.accounts import Accounts
from servicelogs.sources.queue import Message
from tests.lake.memory_aws import MemoryAws, MemoryDynamoDb, MemoryGlue, MemoryS3

LOGS, STAGING, LAKE, BACKUP = "log-archive", "log-staging", "log-lake", "log-backup"
LEDGER, DATABASE = "ledger", "logs"
ACCOUNT, REGION = "111122223333", "eu-west-1"
MEMBER = "222233334444"
TABLES = ("vpc_flow", "alb")
SETTINGS = LakeSettings(
    staging_bucket=STAGING, lake_bucket=LAKE, ledger_table=LEDGER, glue_database=DATABASE
)
STAGED_AT_A_TIME = 10


class BadObject(Exception):
    """The conversion of some object fails, however often it is tried."""


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Runs:
    """Which executions run."""

    running: set[str] = field(default_factory=set)

    def is_running(self, execution: str) -> bool:
        return execution in self.running


@dataclass
class Kill:
    """Ends the process before or after its n-th call; no later call is made."""

    at: int = -1
    after: bool = True
    calls: list[str] = field(default_factory=list)

    def __call__(self, operation: str, before: bool) -> None:
        number = len(self.calls) - (not before)
        if before:
            self.calls.append(operation)
        if 0 <= self.at < number or (number == self.at and before is not self.after):
            raise Killed

    def reset(self, at: int = -1) -> None:
        self.at = at
        self.calls.clear()


def make_ledger(dynamodb: Any, name: str) -> None:
    """Make the ledger's table."""
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    )


class World:
    """A lake, and what may happen to it."""

    def __init__(self, s3: Any, dynamodb: Any, glue: Any) -> None:
        self.s3, self.dynamodb, self.glue = s3, dynamodb, glue
        self.runs = Runs()
        self.now = datetime.now(UTC).timestamp()
        self.aws: MemoryAws
        self.counts: dict[str, Counter[str]] = {}
        self._number = 0
        for bucket in (LOGS, STAGING, LAKE, BACKUP):
            self.s3.create_bucket(Bucket=bucket)
        make_ledger(self.dynamodb, LEDGER)
        self.glue.create_database(DatabaseInput={"Name": DATABASE})
        for table in TABLES:
            for name in (table, names.summary_of(table)):
                self.make_table(name)
        self.lake = self.connect(SETTINGS)
        self.types = ObjectTypes(LogSettings())
        self.accounts = Accounts(own=ACCOUNT, members=(MEMBER,))

    @classmethod
    def in_memory(cls) -> World:
        """Make one in memory, whose calls can be counted and stopped."""
        aws = MemoryAws()
        world = cls(MemoryS3(aws), MemoryDynamoDb(aws), MemoryGlue(aws))
        aws.now = lambda: world.now
        world.aws = aws
        return world

    @classmethod
    def in_moto(cls) -> World:
        """Make one in the emulated AWS."""
        return cls(boto3.client("s3"), boto3.client("dynamodb"), boto3.client("glue"))

    def make_table(self, name: str) -> None:
        keys = [{"Name": k, "Type": "string"} for k in ("account_id", "region", "event_day")]
        self.glue.create_table(
            DatabaseName=DATABASE, TableInput={"Name": name, "PartitionKeys": keys}
        )

    def connect(self, settings: LakeSettings) -> Lake:
        return Lake(
            settings,
            BACKUP,
            s3=self.s3,
            dynamodb=self.dynamodb,
            glue=self.glue,
            executions=self.runs,
            clock=lambda: self.now,
        )

    def change(self, **settings: Any) -> None:
        self.lake = self.connect(replace(self.lake.settings, **settings))

    def start(self) -> str:
        """Start an execution."""
        self._number += 1
        execution = f"arn:aws:states:eu-west-1:{ACCOUNT}:execution:convert_logs:run-{self._number}"
        self.runs.running.add(execution)
        return execution

    def end(self, execution: str) -> None:
        self.runs.running.discard(execution)

    # Objects

    def deliver(self, name: str, *lines: str) -> str:
        """Put an object; give its key."""
        key = f"firehose/{name}"
        self.s3.put_object(Bucket=LOGS, Key=key, Body="\n".join((name, *lines)).encode())
        return key

    def stage(self, *keys: str, bucket: str = LOGS) -> Stager:
        """Stage objects, each by a message of its own; raise what the first that failed raised."""
        stager = Stager(self.lake, self.types, self.accounts, enough_time)
        bodies = [json.dumps({"bucket": bucket, "key": key}) for key in keys]
        errors = stager.stage([Message("id", "handle", 1, body) for body in bodies])
        for error in filter(None, errors):
            raise error
        return stager

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [one["Key"] for one in found]

    # Steps

    def plan(self, execution: str, entered: str = "") -> list[str]:
        """Plan for an execution that entered the plan at this time, or just now."""
        entered = entered or self.attempt()
        return self.batches(plan(self.lake, execution, entered, self.attempt(), enough_time))

    def batches(self, planned: Plan) -> list[str]:
        listed = self.lake.staging.read(planned.key, list[dict[str, str]])
        assert len(listed) == planned.batches
        return [one["batch"] for one in listed]

    def attempt(self) -> str:
        self._number += 1
        return f"attempt-{self._number}"

    def convert(self, batch: str, *, cut: int = 100) -> State:
        """Convert a batch; files hold at most `cut` rows."""
        return self.write(batch, cut=cut)()

    def write(self, batch: str, *, cut: int = 100) -> Callable[[], State]:
        """Write what a conversion makes of a batch; give what chooses it."""
        found = self.lake.ledger.batch(batch)
        assert found
        if found.state is not State.OPEN:
            return lambda: found.state
        outputs = _convert(self.lake, found.manifest, self.attempt(), cut)
        return lambda: prepare(self.lake, outputs)

    def convert_or_split(self, batch: str) -> str:
        """Do what the state machine does with a batch."""
        try:
            return self.convert(batch)
        except (BadObject, ClientError, UnreadableDocument) as error:
            # boto3 names the class after the code where the service declares it.
            name = type(error).__name__
            if isinstance(error, ClientError) and error.response["Error"]["Code"] == "NoSuchKey":
                name = "NoSuchKey"
            cause = json.dumps({"errorMessage": str(error)})
            return split_batch(self.lake, batch, {"Error": name, "Cause": cause})

    def publish(self, execution: str, table: str) -> str:
        published = publish_table(self.lake, table, execution, enough_time, self.count)
        assert not published.failed
        return published.state

    def count(self, counts: Any) -> None:
        for log_type, sums in counts.items():
            self.counts.setdefault(log_type, Counter()).update(sums)

    def publish_all(self, execution: str) -> None:
        for table in tables_with_work(self.lake, execution).tables:
            assert self.publish(execution, table) == "DONE"

    def run(self) -> None:
        """Run the state machine once, from plan to publication."""
        execution = self.start()
        for batch in self.plan(execution):
            self.convert_or_split(batch)
        self.publish_all(execution)
        self.end(execution)

    def settle(self) -> None:
        """Let all that ran end, and new runs do what is left."""
        self.runs.running.clear()
        for _ in range(8):
            self.run()
            if not self.keys(STAGING, names.RAW) and not [*self.lake.ledger.work()]:
                return

    def expire(self) -> str:
        execution = self.start()
        state = expire_partitions(self.lake, execution, enough_time).state
        self.end(execution)
        return state

    def compact(self, partition: Partition, begun: Any) -> None:
        """Write the rows that a compaction read into one file."""
        old = partition.folder(begun.generation)
        rows = [row for name in sorted(begun.files) for row in self.lines(LAKE, old + name)]
        body = "\n".join(sorted(rows)).encode()
        self.s3.put_object(Bucket=LAKE, Key=f"{begun.folder}compacted.parquet", Body=body)

    # What is seen

    def lines(self, bucket: str, key: str) -> list[str]:
        body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        return body.splitlines()

    def rows(self, table: str) -> Counter[str]:
        """Read a table as a query does."""
        seen: Counter[str] = Counter()
        found = self.glue.get_partitions(DatabaseName=DATABASE, TableName=table)["Partitions"]
        for partition in found:
            location = partition["StorageDescriptor"]["Location"]
            day = partition["Values"][2]
            for key in self.keys(LAKE, location.removeprefix(f"s3://{LAKE}/")):
                seen.update(f"{day} {row}" for row in self.lines(LAKE, key))
        return seen

    def all_rows(self) -> dict[str, Counter[str]]:
        return {table: self.rows(table) for table in TABLES}

    def summed_up(self, table: str) -> int:
        """Read a summary as a query does."""
        return sum(
            int(row.split()[1]) * count for row, count in self.rows(names.summary_of(table)).items()
        )

    def claim(self, key: str) -> dict[str, Any]:
        """Read what the ledger says of an object that was delivered."""
        source = copies.find(self.s3, LOGS, key).source
        found = self.lake.ledger._items.get((f"object#{source.id}", "-"))
        assert found
        return found

    def state(self, key: str) -> str:
        found = self.lake.ledger.batch(self.claim(key)["batch"])
        assert found
        return found.state


def enough_time() -> float:
    return 900.0


def _convert(lake: Lake, manifest: str, attempt: str, cut: int) -> Outputs:
    found = lake.staging.read(manifest, Manifest)
    rows: dict[tuple[str, str], list[str]] = {}
    outputs = Outputs(found.batch, attempt, [], [], [])
    for staged in found.objects:
        _read(lake, staged, rows, outputs)
    folder = names.attempt_folder(found.batch, attempt)
    for (table, day), some in rows.items():
        for start in range(0, len(some), cut):
            _write(lake, outputs, folder, (table, day), some[start : start + cut])
        summary = [str(len(some))]
        _write(lake, outputs, folder, (names.summary_of(table), day), summary)
    return outputs


def _read(lake: Lake, staged: Any, rows: dict[Any, list[str]], outputs: Outputs) -> None:
    answer = lake.staging.s3.get_object(Bucket=STAGING, Key=staged.key)
    source = copies.source_of(answer["Metadata"], staged.id)
    name, *lines = answer["Body"].read().decode().splitlines()
    by_type: dict[str, Counter[str]] = {}
    for number, line in enumerate(lines, 1):
        table, _, day = line.partition(" ")
        if table == "bad":
            raise BadObject(f"{source.uri}: line {number} cannot be converted")
        kind = table if table in {"rejected", "expired"} else "rows"
        log_type = table if kind == "rows" else TABLES[0]
        by_type.setdefault(log_type, Counter()).update(["records", kind])
        if kind == "rows":
            rows.setdefault((table, day), []).append(f"{name}:{number}")
        elif kind == "rejected":
            key = f"{names.attempt_folder(outputs.batch, outputs.attempt)}rejects/{staged.id}"
            lake.staging.write(key, line)
            to = f"{names.REJECTED}{log_type}/{staged.id}.ndjson.gz"
            outputs.rejects.append(OutputReject(key, to))
    for log_type, sums in by_type.items():
        counts = (sums[name] for name in ("records", "rows", "rejected", "expired"))
        outputs.objects.append(OutputObject(staged.id, source.uri, log_type, *counts, skipped=0))


def _write(
    lake: Lake, outputs: Outputs, folder: str, place: tuple[str, str], rows: list[str]
) -> None:
    table, day = place
    key = f"{folder}{table}/{day}/{len(outputs.files)}.parquet"
    body = "\n".join(rows).encode()
    lake.staging.s3.put_object(Bucket=STAGING, Key=key, Body=body)
    outputs.files.append(OutputFile(key, table, ACCOUNT, REGION, day, len(rows), len(body), "", ""))
