"""What the steps of the Light Engine do, tried without their rights."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from local import sample_logs
from local.lake import Lake as Runs
from servicelogs.lake import copies, names
from servicelogs.lake.deployment import Lake
from servicelogs.lake.items import Items, update
from servicelogs.lake.lease import Executions
from servicelogs.lake.manifests import Manifest
from servicelogs.lake.named_queries import PREFIX
from servicelogs.lake.names import Partition
from servicelogs.lake.plan import plan
from servicelogs.settings import BackupSettings, LakeSettings, read_settings
from tests.end_to_end.processes import environment
from tests.end_to_end.trials import Account, NotDone, Step
from tests.end_to_end.trials_of_search import members_object, message

LAKE = "S3ToLightEngine"
LOG_TYPE = "clb"
"""No other test of this folder compacts or expires its table at the time of a trial."""
FAULT = {"Error": "Runtime.ExitError", "Cause": "a trial"}
ENOUGH = 900.0
ENTERED = "2026-11-20T08:15:00Z"


class Steps:
    """The deployed steps, and what leads to each of them, done by the account's root."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        variables = account.functions.get_function_configuration(
            FunctionName=account.id(LAKE, "PlanFunction")
        )["Environment"]["Variables"]
        self._settings = read_settings(LakeSettings, variables)
        self._backup = read_settings(BackupSettings, variables).bucket
        self.lake = self._lake(time.time)
        self.runs = Runs(account.running.stack, folder)
        self.bucket = account.outputs["LogBucketName"]
        self.samples = [one for one in sample_logs.objects() if one.format == LOG_TYPE]
        self.published_batch = ""
        """The batch that was published last."""

    def _lake(self, clock: Callable[[], float]) -> Lake:
        client = self.account.client
        return Lake(
            self._settings,
            self._backup,
            s3=client("s3"),
            dynamodb=client("dynamodb"),
            glue=client("glue"),
            executions=Executions(client("stepfunctions")),
            clock=clock,
        )

    def long_ago(self) -> Lake:
        """Give the lake as it was a year ago."""
        return self._lake(lambda: time.time() - 365 * 86_400)

    def invoke(self, function: str, **event: Any) -> Any:
        """Invoke a step's function."""
        return self.account.invoke(LAKE, function, event)

    def put(self) -> str:
        """Put a log object with records that are rejected into the bucket, under a new key."""
        sample = next(one for one in self.samples if one.rejected)
        key = f"{uuid.uuid4().hex[:8]}/{sample.key}"
        self.account.s3.put_object(Bucket=self.bucket, Key=key, Body=sample.data)
        return key

    def stage(self, bucket: str, key: str) -> None:
        """Have an object staged."""
        record = {"bucket": {"name": bucket}, "object": {"key": key}}
        told = [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": record}]
        self.invoke("StageFunction", Records=[message(json.dumps({"Records": told}))])

    def stage_members(self, wanted: str) -> None:
        """Have an object of another account staged, as a message of our own names it."""
        self.invoke("StageFunction", Records=[message(wanted)])

    def planned(self, objects: int = 1) -> str:
        """Make a batch of new objects; give its name."""
        # What is staged by now is in no batch with them.
        self._plan()
        keys = [self.put() for _ in range(objects)]
        for key in keys:
            self.stage(self.bucket, key)
        self._plan()
        first = copies.find(self.account.s3, self.bucket, keys[0]).source.id
        return self.lake.ledger.claims([first])[first].batch

    def _plan(self) -> None:
        plan(self.lake, self.execution(), ENTERED, uuid.uuid4().hex, lambda: ENOUGH)

    def converted(self) -> str:
        """Make a batch that is to be published."""
        batch = self.planned()
        self.invoke("ConvertFunction", batch=batch, execution=self.execution())
        return batch

    def published(self) -> Partition:
        """Publish a batch; give one of its partitions."""
        batch = self.converted()
        self.invoke("PublishFunction", table=LOG_TYPE, execution=self.execution())
        self.published_batch = batch
        return next(p for p in self.lake.partitions.recorded(batch) if p.table == LOG_TYPE)

    def quarantined(self) -> str:
        """Make a batch of one object that cannot be converted; give the object's key."""
        batch = self.planned()
        (found,) = self.lake.staging.read(names.manifest_key(batch), Manifest).objects
        self.invoke("SplitFunction", batch=batch, error=FAULT, execution=self.execution())
        return names.quarantined_key(found.key)

    def leave_for_the_catalog(self) -> Partition:
        """Leave partitions that have expired, are elsewhere or unknown, and a lease of others'."""
        partition = self.published()
        lake = self.lake
        expired = partition._replace(event_day="2001-01-01")
        with lake.leases.held(LOG_TYPE, self.execution()) as lease:
            lake.partitions.record(lease, "a trial's", [expired])
            lake.partitions.expire(lease, [expired])
        lake.files.write(f"{expired.everything}of-a-trial", {})
        lake.catalog.point({partition: "elsewhere"})
        self.forget(partition)
        self.hold_lease()
        return partition

    def forget(self, partition: Partition) -> None:
        """Have the catalog not know the summary of a partition."""
        self.lake.catalog.remove([partition._replace(table=names.summary_of(LOG_TYPE))])

    def has_files_to_merge(self, partition: Partition) -> bool:
        """Say whether a partition has several files."""
        generation = self.lake.partitions.known([partition])[partition].generation
        return len([*self.lake.files.list(partition.folder(generation))]) > 1

    def hold_lease(self) -> None:
        """Let an execution that has ended hold the table's lease."""
        values = {"owner": self.execution(), "work": ""}
        Items(self.account.client("dynamodb"), self._settings.ledger_table).write(
            update((f"table#{LOG_TYPE}", "lease"), values)
        )

    def execution(self) -> str:
        """Name an execution that has ended so long ago that it is forgotten."""
        machine = self.account.outputs["ConvertLogsArn"]
        return f"{machine.replace(':stateMachine:', ':execution:')}:{uuid.uuid4().hex}"


def of_stage(steps: Steps) -> list[Step]:
    """Say what stages objects."""
    aside, sample = steps.quarantined(), steps.samples[0]
    return [
        Step("stages an object", partial(steps.stage, steps.bucket, steps.put())),
        Step(
            "takes an object out of quarantine",
            partial(steps.stage, steps.lake.staging.bucket, aside),
        ),
        Step(
            "stages another account's object",
            partial(steps.stage_members, members_object(steps.account, sample.key, sample.data)),
        ),
    ]


def of_plan(steps: Steps) -> list[Step]:
    """Say what plans do: with new objects, with those that are done, with what others left."""
    lake, batch = steps.lake, steps.converted()
    (done,) = lake.staging.read(names.manifest_key(batch), Manifest).objects
    steps.invoke("PublishFunction", table=LOG_TYPE, execution=steps.execution())
    lake.ledger.splitting(steps.planned(objects=2))
    steps.account.s3.put_object(Bucket=lake.staging.bucket, Key=done.key)
    steps.stage(steps.bucket, steps.put())
    asked = {"execution": steps.execution(), "entered": ENTERED}
    return [Step("plans", partial(steps.invoke, "PlanFunction", **asked))]


def of_convert(steps: Steps) -> list[Step]:
    """Say what conversions do."""
    batch = steps.planned()
    convert = partial(steps.invoke, "ConvertFunction", batch=batch, execution=steps.execution())
    return [Step("converts a batch", convert)]


def of_split(steps: Steps) -> list[Step]:
    """Say what is done with batches that cannot be converted."""
    split = partial(steps.invoke, "SplitFunction", error=FAULT, execution=steps.execution())
    lost = steps.planned()
    steps.lake.staging.delete([names.manifest_key(lost)])
    return [
        Step("makes a list again", partial(split, batch=lost)),
        Step("splits a batch", partial(split, batch=steps.planned(objects=2))),
        Step("sets an object aside", partial(split, batch=steps.planned())),
    ]


def of_list_tables(steps: Steps) -> list[Step]:
    """Say what is done between conversions and publications."""
    return [
        Step(
            "lists tables", partial(steps.invoke, "ListTablesFunction", execution=steps.execution())
        )
    ]


def of_publish(steps: Steps) -> list[Step]:
    """Say what publications do."""
    steps.leave_for_the_catalog()
    steps.converted()
    publish = partial(steps.invoke, "PublishFunction", table=LOG_TYPE, execution=steps.execution())
    return [Step("publishes", publish)]


def of_compact(steps: Steps) -> list[Step]:
    """Say what compactions do, which publish what is prepared before they swap."""
    steps.published()
    partition = steps.leave_for_the_catalog()

    def merge() -> None:
        # A batch that cannot be published stops no compaction, after which there is one file.
        if not steps.has_files_to_merge(partition):
            steps.published()
        if not any(steps.lake.ledger.prepared(LOG_TYPE)):
            steps.converted()
        steps.forget(partition)
        steps.invoke("CompactFunction", **partition._asdict(), execution=steps.execution())

    return [Step("merges files", merge)]


def of_expire(steps: Steps) -> list[Step]:
    """Say what is done with days that are past their retention, and with what lies about."""
    moved = steps.leave_for_the_catalog()
    unknown, past = moved._replace(region="eu-west-9"), moved._replace(event_day="2001-01-02")
    with steps.lake.leases.held(LOG_TYPE, steps.execution()) as lease:
        steps.lake.partitions.record(lease, uuid.uuid4().hex, [unknown, past])
    for partition in (moved, unknown):
        steps.long_ago().partitions.intend(partition, "g0009-of-a-trial")
    steps.lake.staging.write(f"{names.attempts_of(steps.published_batch)}late", {})
    steps.hold_lease()
    expire = partial(steps.invoke, "ExpireFunction", execution=steps.execution())
    name = steps.account.id(LAKE, "ExpireFunction")

    def expire_what_is_past() -> None:
        kept = {"LAKE_DELETE_AFTER_DAYS": "0,clb=5000"}
        with environment(steps.account.endpoint, name, **kept):
            expire()

    return [
        Step("deletes what others left", expire),
        Step("expires days", expire_what_is_past),
    ]


def of_pick(steps: Steps) -> list[Step]:
    """Say how partitions are picked."""
    pick = partial(steps.invoke, "PickFunction", asked={"table": LOG_TYPE})
    return [Step("picks partitions", partial(pick, execution=steps.execution()))]


def of_set_up(steps: Steps) -> list[Step]:
    """Say what sets up tables and queries, where some are there, missing, changed or too many."""
    glue, athena = steps.account.client("glue"), steps.account.client("athena")
    work_group = {"WorkGroup": steps.account.outputs["WorkGroupName"]}
    database = steps.account.outputs["DatabaseName"]
    glue.delete_table(DatabaseName=database, Name=names.summary_of(LOG_TYPE))
    renamed, changed, *_ = athena.list_named_queries(**work_group)["NamedQueryIds"]
    for one, change in (
        (renamed, {"Name": f"{PREFIX}of-a-trial"}),
        (changed, {"QueryString": "SELECT 1"}),
    ):
        query = athena.get_named_query(NamedQueryId=one)["NamedQuery"]
        kept = {name: query[name] for name in ("NamedQueryId", "Name", "QueryString")}
        athena.update_named_query(**kept | change)
    return [Step("sets up the lake", partial(steps.account.ask, LAKE, "SetUpFunction", "Update"))]


def of_machine(steps: Steps, machine: str) -> list[Step]:
    """Say what a state machine does."""

    def run() -> None:
        ended = steps.runs.wait(steps.runs.start(machine))
        if ended.status != "SUCCEEDED":
            raise NotDone(ended.reason)

    steps.published()
    steps.stage(steps.bucket, steps.put())
    return [Step(f"runs {machine}", run)]
