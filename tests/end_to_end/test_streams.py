"""What must not lose, repeat or stop anything on its way through the stream, with IAM enforced."""

import base64
import gzip
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import batched, islice
from typing import Any

import pytest
from opensearchpy import OpenSearch

from local import deploy, sample_logs
from local.witnesses import Witnesses
from tests.end_to_end.conftest import Running
from tests.end_to_end.processes import kill_function

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

SECONDS = 60
KEY = "the same shard"
EVENTS = 20
# Of CloudTrail: more than a bulk request holds.
MANY_EVENTS, EVENTS_OF_ONE = 3500, 500


class Stream:
    """The deployed stream, and what becomes of the events of one log stream that is sent to it."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.outputs = running.stack.outputs
        endpoint = running.stack.aws_endpoint
        self.kinesis = deploy.client("kinesis", endpoint)
        self.functions = deploy.client("lambda", endpoint)
        self.s3 = deploy.client("s3", endpoint)
        self.search = OpenSearch(running.stack.opensearch_endpoint, timeout=60)
        self.log_stream = f"eni-{uuid.uuid4().hex[:17]}-all"
        self.since = time.time()
        self.lines = iter(_flow_lines())

    def envelope(self, messages: Iterable[str] = ()) -> bytes:
        """Make a message of CloudWatch Logs of these events, or of some others each time."""
        logged = [
            {
                "id": f"39{uuid.uuid4().int:054d}"[:56],
                "timestamp": 1_795_162_260_000,
                "message": message,
            }
            for message in messages or islice(self.lines, EVENTS)
        ]
        text = {
            "messageType": "DATA_MESSAGE",
            "owner": "111122223333",
            "logGroup": "/vpc/shop/flow-logs",
            "logStream": self.log_stream,
            "subscriptionFilters": ["all"],
            "logEvents": logged,
        }
        return gzip.compress(json.dumps(text).encode())

    def send(self, *records: bytes) -> list[str]:
        """Send records to one shard, one after the other; return their sequence numbers."""
        entries = [{"Data": data, "PartitionKey": KEY} for data in records]
        answer = self.kinesis.put_records(StreamName=self.outputs["StreamName"], Records=entries)
        return [record["SequenceNumber"] for record in answer["Records"]]

    def documents(self) -> int:
        """Count the documents of the log stream that a search finds."""
        query = {"query": {"term": {"log.stream": self.log_stream}}}
        return int(self.search.count(index="aws-*", body=query)["count"])

    def said(self) -> Counter[str]:
        """Add up what the function said of what it delivered since this began."""
        total: Counter[str] = Counter()
        for line in self.witnesses().lines():
            if line["message"] == "source delivered" and line["source"].startswith("kinesis://"):
                total.update({name: line[name] for name in COUNTS})
        return total

    def rejects(self) -> list[dict[str, Any]]:
        """Read the rejects of records that came by the stream since this began."""
        return [
            reject
            for reject in self.witnesses().rejects()
            if reject["source"].startswith("kinesis://")
        ]

    def witnesses(self) -> Witnesses:
        return Witnesses(self.running.stack, self.since)

    def settle(self, documents: int) -> None:
        """Wait until so many documents are found, and no more of them."""
        give_up = time.monotonic() + SECONDS
        while (found := self.documents()) != documents:
            if time.monotonic() > give_up:
                why = self.witnesses().failures()
                pytest.fail("\n".join([f"{found} documents, should be {documents}", *why]))
            time.sleep(0.2)

    def settle_counts(self, **counts: int) -> None:
        """Wait until the function has said so of what it delivered."""
        give_up = time.monotonic() + SECONDS
        while {name: (said := self.said())[name] for name in counts} != counts:
            assert time.monotonic() < give_up, (dict(said), counts)
            time.sleep(0.2)

    def mapping(self) -> dict[str, Any]:
        """Describe the mapping from the stream to the function."""
        name = self.outputs["IndexStreamFunctionName"]
        found = self.functions.list_event_source_mappings(FunctionName=name)
        (mapping,) = found["EventSourceMappings"]
        return dict(mapping)


COUNTS = ("records", "indexed", "already_there", "rejected")


def _flow_lines() -> Iterator[str]:
    for seed in range(1, 1000):
        yield from sample_logs.generate("vpc_flow", 1000, seed).decode().splitlines()[1:]


@pytest.fixture
def stream(running: Running) -> Stream:
    return Stream(running)


def test_a_poison_record_in_the_middle_of_a_shard_costs_only_itself(stream: Stream) -> None:
    cut = stream.envelope()[:-30]
    before = len(stream.rejects())
    _, number, _ = stream.send(stream.envelope(), cut, stream.envelope())
    stream.settle(2 * EVENTS)
    stream.settle_counts(records=2 * EVENTS + 1, indexed=2 * EVENTS, rejected=1)
    (reject,) = stream.rejects()[before:]
    assert base64.b64decode(reject["raw_base64"]) == cut
    assert number in json.dumps(reject)


def test_a_throttled_engine_delays_and_loses_nothing(stream: Stream) -> None:
    stream.running.front.busy = 4
    stream.send(*(stream.envelope() for _ in range(4)))
    stream.settle(4 * EVENTS)
    assert stream.running.front.busy == 0
    stream.settle_counts(records=4 * EVENTS, indexed=4 * EVENTS, already_there=0)


def test_a_redelivered_batch_changes_nothing(stream: Stream) -> None:
    batch = [stream.envelope() for _ in range(3)]
    stream.send(*batch)
    stream.settle(3 * EVENTS)
    stream.send(*batch)
    stream.settle_counts(records=6 * EVENTS, indexed=3 * EVENTS, already_there=3 * EVENTS)
    assert stream.documents() == 3 * EVENTS


def test_a_consumer_that_begins_again_at_trim_horizon_changes_nothing(stream: Stream) -> None:
    stream.send(stream.envelope(), stream.envelope())
    stream.settle(2 * EVENTS)
    stream.settle_counts(indexed=2 * EVENTS)
    everything = stream.search.count(index="aws-*")["count"]
    mapping = stream.mapping()
    stream.since = time.time()
    stream.functions.delete_event_source_mapping(UUID=mapping["UUID"])
    kept = ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "DestinationConfig")
    stream.functions.create_event_source_mapping(
        FunctionName=stream.outputs["IndexStreamFunctionName"],
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=-1,
        BisectBatchOnFunctionError=True,
        MaximumRecordAgeInSeconds=82_800,
        **{name: mapping[name] for name in kept},
    )
    stream.send(stream.envelope())
    stream.settle(3 * EVENTS)
    assert stream.search.count(index="aws-*")["count"] == everything + EVENTS
    give_up = time.monotonic() + SECONDS
    while stream.said()["already_there"] < 2 * EVENTS:
        assert time.monotonic() < give_up, stream.said()
        time.sleep(0.2)


def test_what_became_too_old_is_in_the_backup_bucket_as_it_was(stream: Stream) -> None:
    mapping = stream.mapping()["UUID"]
    change = stream.functions.update_event_source_mapping
    change(UUID=mapping, Enabled=False, MaximumRecordAgeInSeconds=1)
    time.sleep(0.3)
    sent = stream.envelope()
    (number,) = stream.send(sent)
    time.sleep(1.2)
    change(UUID=mapping, Enabled=True)
    given_up = stream.s3.get_paginator("list_objects_v2")
    give_up = time.monotonic() + SECONDS
    while not (found := _objects(given_up, stream.outputs["BackupBucketName"])):
        assert time.monotonic() < give_up, "nothing is in the backup bucket"
        time.sleep(0.2)
    change(UUID=mapping, MaximumRecordAgeInSeconds=82_800)
    body = stream.s3.get_object(Bucket=stream.outputs["BackupBucketName"], Key=found[-1])["Body"]
    said = json.loads(body.read())
    assert said["KinesisBatchInfo"]["startSequenceNumber"] == number
    (record,) = json.loads(said["payload"])["Records"]
    assert base64.b64decode(record["kinesis"]["data"]) == sent
    assert stream.documents() == 0


def _objects(pages: Any, bucket: str) -> list[str]:
    found = pages.paginate(Bucket=bucket, Prefix="aws/lambda/")
    return [one["Key"] for page in found for one in page.get("Contents", [])]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the function's process in /proc")
def test_a_function_killed_in_the_middle_of_a_batch_repeats_work_and_nothing_else(
    stream: Stream,
) -> None:
    first = stream.running.front.bulk_requests + 1
    killed: list[int] = []

    def kill_at_the_second_bulk_request(number: int) -> bool:
        if number == first or killed:
            return True
        killed.extend(kill_function(stream.outputs["IndexStreamFunctionName"]))
        return False

    stream.running.front.before_bulk = kill_at_the_second_bulk_request
    trail = json.loads(sample_logs.generate("cloudtrail", MANY_EVENTS, seed=99))["Records"]
    parts = batched(map(json.dumps, trail), EVENTS_OF_ONE, strict=True)
    stream.send(*map(stream.envelope, parts))
    stream.settle(MANY_EVENTS)
    assert killed
    stream.settle_counts(records=MANY_EVENTS)
    said = stream.said()
    assert said["already_there"] > 0
    assert said["indexed"] + said["already_there"] == MANY_EVENTS
