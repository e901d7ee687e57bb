"""Each scenario for itself: deployed as a stack of its own, from the child's template alone."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local import deploy, sample_logs
from local.lake import Lake
from local.processes import StartFailed
from servicelogs.lake.names import REJECTED
from tests.end_to_end.conftest import Running

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

SECONDS = 60
BUCKET = "logs-of-another-stack"
LAKE_SOURCE = "logs-for-a-lake"
# The scheduler's first run comes after a minute.
SECONDS_OF_SCHEDULE = 150
FIREHOSE_GROUP, STREAM_GROUP = "/aws/rds/instance/alone/error", "/vpc/alone"
FIELDS = "x-edge-request-id,timestamp,c-ip,sc-status,cs-uri-stem"
MESSAGE = "2026-11-20T08:14:55.123456Z 42 [Warning] [MY-010055] [Server] IP address not resolved"


class Account:
    """The emulated account, in which stacks are deployed beside the whole one."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.endpoint = running.stack.aws_endpoint
        self.logs = deploy.client("logs", self.endpoint)
        self.s3 = deploy.client("s3", self.endpoint)
        self.search = OpenSearch(running.stack.opensearch_endpoint, timeout=60)

    def deploy(self, scenario: str, stack_name: str, **parameters: str) -> dict[str, str]:
        """Deploy a scenario, known by its name in the root."""
        parameters = {"AwsEndpointUrl": self.endpoint, **parameters}
        deployment = self.running.local.deployment
        return deployment.deploy_alone(self.endpoint, scenario, stack_name, parameters)

    def log(self, group: str, *messages: str) -> None:
        """Put events into a log group."""
        place = {"logGroupName": group, "logStreamName": "stream"}
        with suppress(self.logs.exceptions.ResourceAlreadyExistsException):
            self.logs.create_log_stream(**place)
        events = [
            {"timestamp": 1_795_162_495_000 + number, "message": message}
            for number, message in enumerate(messages)
        ]
        self.logs.put_log_events(**place, logEvents=events)

    def documents(self, prefix: str, log_type: str) -> int:
        """Count the documents of a type in the indexes of a prefix."""
        query = {"query": {"term": {"log.type": log_type}}}
        return int(self.search.count(index=f"{prefix}-*", body=query)["count"])


def wait_for(what: Callable[[], Any], says: str, seconds: float = SECONDS) -> Any:
    """Wait until there is something, and return it."""
    give_up = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < give_up, says
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def account(whole: Running) -> Account:
    return Account(whole)


@pytest.fixture(scope="module")
def through_firehose(account: Account) -> dict[str, str]:
    account.s3.create_bucket(Bucket=BUCKET)
    return account.deploy(
        "RdsToS3",
        "alone-firehose",
        LogGroupNames=FIREHOSE_GROUP,
        LogBucketName=BUCKET,
        FilterPattern="-rdsadmin",
        BufferSeconds="1",
        ObjectFolder="firehose/rds",
    )


@pytest.fixture(scope="module")
def provisioned(account: Account) -> dict[str, str]:
    """Deploy a provisioned stream; that of the whole stack is on demand."""
    return account.deploy(
        "StreamToOpenSearch",
        "alone-stream",
        OpenSearchEndpoint=account.running.endpoint,
        OpenSearchAuth="none",
        IndexPrefix="alone",
        IndexReplicas="0",
        IndexRefreshInterval="1s",
        TlsOnly="false",
        StreamMode="PROVISIONED",
        StreamShards="2",
        StreamBatchingWindowSeconds="0",
        RealtimeSamplingPercent="5",
        CloudFrontRealtimeFields=FIELDS,
    )


def objects(account: Account) -> Iterator[bytes]:
    """Read the log objects."""
    for one in account.s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        assert one["Key"].startswith("firehose/rds/20")
        body = account.s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
        yield gzip.decompress(body)


def test_log_groups_reach_the_bucket_through_firehose_by_the_pattern(
    account: Account, through_firehose: dict[str, str]
) -> None:
    account.log(FIREHOSE_GROUP, MESSAGE, "rdsadmin looks after itself")

    def found() -> list[bytes]:
        return [text for text in objects(account) if b"DATA_MESSAGE" in text]

    (text,) = wait_for(found, "no object has come")
    (event,) = json.loads(text)["logEvents"]
    assert event["message"] == MESSAGE
    assert event["extractedFields"] == {"@aws.region": "us-east-1"}
    assert through_firehose["LogGroupNames"].count(",") == 1


def test_a_log_group_without_room_for_a_filter_fails_the_deployment_and_is_named(
    account: Account, through_firehose: dict[str, str]
) -> None:
    full = "/aws/rds/instance/full/error"
    account.logs.create_log_group(logGroupName=full)
    for name in ("siem", "archive"):
        account.logs.put_subscription_filter(
            logGroupName=full,
            filterName=name,
            filterPattern="",
            destinationArn=through_firehose["DeliveryStreamArn"],
            roleArn=through_firehose["SubscriptionRoleArn"],
        )
    with pytest.raises(StartFailed):
        account.deploy(
            "RdsToS3",
            "alone-firehose",
            LogGroupNames=f"{FIREHOSE_GROUP},{full}",
            LogBucketName=BUCKET,
            ObjectFolder="firehose/rds",
        )
    events = deploy.client("cloudformation", account.endpoint).describe_stack_events(
        StackName="alone-firehose"
    )["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert f"log group '{full}' takes no other subscription filter" in reasons
    assert "'archive' (to arn:aws:firehose:" in reasons
    assert "'siem'" in reasons


def test_a_provisioned_stream_is_indexed_by_its_own_stack(
    account: Account, provisioned: dict[str, str]
) -> None:
    kinesis = deploy.client("kinesis", account.endpoint)
    described = kinesis.describe_stream_summary(StreamName=provisioned["StreamName"])
    assert described["StreamDescriptionSummary"]["OpenShardCount"] == 2
    fields = deploy.realtime_fields(account.endpoint, provisioned)
    assert fields == FIELDS.split(",")
    (sample,) = sample_logs.stream_records(fields)
    records = [{"Data": one, "PartitionKey": str(i)} for i, one in enumerate(sample.data)]
    kinesis.put_records(StreamName=provisioned["StreamName"], Records=records)
    expected = sample.records - sample.rejected

    def indexed() -> bool:
        return account.documents("alone", sample.format) == expected

    wait_for(indexed, "the records are not indexed")
    assert provisioned["BackupBucketName"] != account.running.stack.outputs["BackupBucketName"]


def test_log_groups_reach_a_stream_by_a_stack_of_their_own(
    account: Account, provisioned: dict[str, str]
) -> None:
    account.deploy(
        "LogGroupsToStream",
        "alone-groups",
        LogGroupNames=STREAM_GROUP,
        StreamArn=provisioned["StreamArn"],
        OwnLogGroups=provisioned["LogGroupNames"],
    )
    (found,) = account.logs.describe_subscription_filters(logGroupName=STREAM_GROUP)[
        "subscriptionFilters"
    ]
    assert found["distribution"] == "Random"
    lines = sample_logs.generate("vpc_flow", 30).decode().splitlines()[1:]
    account.log(STREAM_GROUP, *lines)
    wait_for(lambda: account.documents("alone", "vpc_flow") == 30, "the events are not indexed")


def test_the_light_engine_alone_converts_by_its_schedule_what_eventbridge_announces(
    account: Account, tmp_path: Path
) -> None:
    account.s3.create_bucket(Bucket=LAKE_SOURCE)
    account.s3.put_bucket_notification_configuration(
        Bucket=LAKE_SOURCE, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    key = deploy.client("kms", account.endpoint).create_key()["KeyMetadata"]["Arn"]
    outputs = account.deploy(
        "S3ToLightEngine",
        "alone-lake",
        LogBucketName=LAKE_SOURCE,
        ObjectEvents="EventBridge",
        LakeLogTypes="alb",
        KmsKeyArn=key,
        TlsOnly="false",
        BatchingWindowSeconds="1",
        ConvertSchedule="'rate(1 minute)'",
        CompactSchedule='""',
    )
    stack = replace(account.running.stack, outputs=outputs)
    lake = Lake(stack, tmp_path)
    assert lake.open() == []
    samples = [one for one in sample_logs.objects() if one.format == "alb"]
    for one in samples:
        account.s3.put_object(Bucket=LAKE_SOURCE, Key=one.key, Body=one.data)
    wait_for(lambda: "alb" in lake.open(), "no row is in the lake", SECONDS_OF_SCHEDULE)
    expected = sum(one.records - one.rejected for one in samples)
    wait_for(lambda: lake.rows("alb").total() == expected, f"there are no {expected} rows")
    kept = account.s3.get_paginator("list_objects_v2").paginate(
        Bucket=outputs["BackupBucketName"], Prefix=REJECTED
    )
    assert [one["Key"] for page in kept for one in page["Contents"]]
    # Else its schedule goes on beside all other tests.
    stacks = deploy.client("cloudformation", account.endpoint)
    stacks.delete_stack(StackName="alone-lake")
    stacks.get_waiter("stack_delete_complete").wait(
        StackName="alone-lake", WaiterConfig={"Delay": 1, "MaxAttempts": SECONDS}
    )
