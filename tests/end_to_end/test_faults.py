"""What must not lose, repeat or stop anything: through the deployed stack, with IAM enforced.

Each test asks the three witnesses of the demo: the search engine, the backup bucket, the function.
"""

import gzip
import json
import sys
import time
import uuid

import pytest
from opensearchpy import OpenSearch

from local import deploy, sample_logs
from local.reconcile import Expected, differences
from local.stack import Stack
from local.witnesses import Witnesses
from tests.end_to_end.conftest import Running
from tests.end_to_end.front import Front
from tests.end_to_end.processes import kill_function

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]

SECONDS = 90
# SQS hides a message for so long after the function that had it has died (the stack: 30 minutes).
VISIBILITY_SECONDS = 10


class Pipeline:
    """A running stack with a front before its search engine."""

    def __init__(self, stack: Stack, front: Front) -> None:
        self.stack = stack
        self.front = front
        self.bucket = stack.outputs["LogBucketName"]
        self.s3 = deploy.client("s3", stack.aws_endpoint)
        self.sqs = deploy.client("sqs", stack.aws_endpoint)
        self.search = OpenSearch(stack.opensearch_endpoint)
        self.witnesses = Witnesses(stack, time.time())

    def deliver(self, data: bytes, records: int, rejected: int = 0, key: str = "") -> Expected:
        """Write an object to the log bucket; say what must become of it."""
        key = key or alb_key()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return Expected(f"s3://{self.bucket}/{key}", "alb", records, rejected, 0)

    def allow_receives(self, count: int) -> None:
        """Give a message so many tries instead of 16, each of which is a cold start here."""
        queue = {"QueueUrl": self.stack.outputs["QueueUrl"]}
        attributes = self.sqs.get_queue_attributes(**queue, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes["Attributes"]["RedrivePolicy"]) | {"maxReceiveCount": count}
        self.sqs.set_queue_attributes(**queue, Attributes={"RedrivePolicy": json.dumps(policy)})

    def settle(self, *expected: Expected) -> None:
        """Wait until each object is accounted for and the queue is empty."""
        give_up = time.monotonic() + SECONDS
        while time.monotonic() < give_up:
            wrong = differences(expected, self.witnesses.found())
            if not wrong and not self.witnesses.waiting()["queue"]:
                return
            time.sleep(0.3)
        pytest.fail("\n".join([*wrong, str(self.witnesses.waiting()), *self.witnesses.failures()]))


@pytest.fixture
def pipeline(running: Running) -> Pipeline:
    return Pipeline(running.stack, running.front)


def alb_key() -> str:
    """Make a key that no other object has, laid out as AWS does."""
    return (
        "AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/11/20/"
        "111122223333_elasticloadbalancing_eu-west-1_app.web.0a1b2c3d4e5f6071_20261120T0815Z_"
        f"192.0.2.10_{uuid.uuid4().hex[:8]}.log.gz"
    )


def lines(records: int) -> bytes:
    return sample_logs.generate("alb", records)


def test_a_poison_object_among_good_ones_costs_only_itself(pipeline: Pipeline) -> None:
    good = [pipeline.deliver(gzip.compress(lines(30)), 30) for _ in range(2)]
    whole = lines(40)
    cut = gzip.compress(whole)[:-200]
    poison = pipeline.deliver(cut, 0)
    unknown = pipeline.deliver(b"neither this nor that", 1, rejected=1, key="notes/readme.txt")
    good.append(pipeline.deliver(gzip.compress(lines(30)), 30))
    pipeline.settle(*good, unknown)
    rejects = [r for r in pipeline.witnesses.rejects() if r["source"] == poison.uri]
    searchable = pipeline.witnesses.searchable()[poison.uri]
    assert 0 < searchable < 40
    assert [reject["record_number"] for reject in rejects] == [searchable + 1]


def test_a_message_that_is_not_a_notification_ends_in_the_dead_letter_queue(
    pipeline: Pipeline,
) -> None:
    outputs = pipeline.stack.outputs
    pipeline.allow_receives(3)
    pipeline.sqs.send_message(QueueUrl=outputs["QueueUrl"], MessageBody="not a notification")
    pipeline.settle(pipeline.deliver(gzip.compress(lines(30)), 30))
    give_up = time.monotonic() + SECONDS
    while not pipeline.witnesses.waiting()["dead-letter queue"]:
        assert time.monotonic() < give_up, "the message is not in the dead-letter queue"
        time.sleep(0.3)
    message = pipeline.sqs.receive_message(QueueUrl=outputs["DeadLetterQueueUrl"])["Messages"][0]
    assert message["Body"] == "not a notification"
    pipeline.sqs.purge_queue(QueueUrl=outputs["DeadLetterQueueUrl"])
    pipeline.allow_receives(16)


def test_a_storm_of_429_delays_and_loses_nothing(pipeline: Pipeline) -> None:
    pipeline.front.busy = 4
    pipeline.settle(*(pipeline.deliver(gzip.compress(lines(50)), 50) for _ in range(4)))
    assert pipeline.front.busy == 0


def test_a_redelivered_message_changes_nothing(pipeline: Pipeline) -> None:
    expected = pipeline.deliver(gzip.compress(lines(50)), 50)
    pipeline.settle(expected)
    key = expected.uri.removeprefix(f"s3://{pipeline.bucket}/")
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": pipeline.bucket}, "object": {"key": key}},
    }
    pipeline.witnesses = Witnesses(pipeline.stack, time.time())
    for _ in range(2):
        pipeline.sqs.send_message(
            QueueUrl=pipeline.stack.outputs["QueueUrl"],
            MessageBody=json.dumps({"Records": [record]}),
        )
    pipeline.settle(expected)
    said = pipeline.witnesses.found().published[expected.uri]
    assert (said.indexed, said.already_there) == (0, 50)


def test_documents_that_the_engine_refuses_are_in_the_backup_bucket_ready_for_replay(
    pipeline: Pipeline,
) -> None:
    refusing = {"properties": {"elb_status_code": {"type": "boolean"}}}
    pipeline.search.indices.create(index="aws-alb-2026.11.19", body={"mappings": refusing})
    text = lines(20).replace(b"2026-11-20T", b"2026-11-19T")
    expected = pipeline.deliver(gzip.compress(text), 20, rejected=20)
    pipeline.settle(expected)
    rejects = [r for r in pipeline.witnesses.rejects() if r["source"] == expected.uri]
    assert {reject["error_type"] for reject in rejects} == {"mapper_parsing_exception"}
    assert {reject["_index"] for reject in rejects} == {"aws-alb-2026.11.19"}
    assert len({reject["_id"] for reject in rejects}) == 20
    assert [reject["raw"] for reject in rejects] == text.decode().splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="finds the function's process in /proc")
def test_a_function_killed_in_the_middle_of_an_object_repeats_work_and_nothing_else(
    pipeline: Pipeline,
) -> None:
    pipeline.sqs.set_queue_attributes(
        QueueUrl=pipeline.stack.outputs["QueueUrl"],
        Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)},
    )
    first = pipeline.front.bulk_requests + 1
    killed: list[int] = []

    def kill_at_the_second_bulk_request(number: int) -> bool:
        if number == first or killed:
            return True
        killed.extend(kill_function(pipeline.stack.outputs["IndexFunctionName"]))
        return False

    pipeline.front.before_bulk = kill_at_the_second_bulk_request
    records = 8_000
    expected = pipeline.deliver(gzip.compress(lines(records), 1), records)
    pipeline.settle(expected)
    assert killed
    said = pipeline.witnesses.found().published[expected.uri]
    assert said.already_there > 0
    assert said.indexed > 0
    assert said.indexed + said.already_there == records
