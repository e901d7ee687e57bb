"""The local stack's mapping of a stream does with batches what AWS documents."""

import base64
import json
import time

import pytest
from ministack.services import kinesis, lambda_svc

from local.stand_ins import stream_mappings
from tests.local.stand_ins import emulated

BUCKET = "arn:aws:s3:::backup"


class Function:
    """Notes the batches it is given; `fails` says what becomes of one."""

    def __init__(self):
        self.batches = []
        self.fails = lambda batch: []

    def __call__(self, _function, event):
        batch = [base64.b64decode(one["kinesis"]["data"]).decode() for one in event["Records"]]
        numbers = [one["kinesis"]["sequenceNumber"] for one in event["Records"]]
        self.batches.append(batch)
        self.events = event
        failed = self.fails(batch)
        if failed == "dies":
            return {"error": True, "body": {"errorType": "Runtime.ExitError"}}
        items = [{"itemIdentifier": numbers[batch.index(one)]} for one in failed]
        return {"body": {"batchItemFailures": items}}


@pytest.fixture
def function(monkeypatch):
    made = Function()
    monkeypatch.setattr(lambda_svc, "_execute_function", made)
    monkeypatch.setattr(stream_mappings, "LONGEST_DELAY", 0.0)
    stream_mappings._lanes.clear()
    yield made
    lambda_svc._esms.clear()
    lambda_svc._functions.clear()


def mapping(*, allowed="*", **more):
    """Map a stream with one shard to the function."""
    arn = emulated.stream()
    role = emulated.role("index", "lambda.amazonaws.com", allowed, "*")
    lambda_svc._functions["index"] = {"config": {"FunctionName": "index", "Role": role}}
    made = {
        "UUID": "mapping",
        "EventSourceArn": arn,
        "FunctionArn": "arn:f",
        "FunctionName": "index",
        "Qualifier": None,
        "Enabled": True,
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "StartingPosition": "TRIM_HORIZON",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {"OnFailure": {"Destination": BUCKET}},
        **more,
    }
    lambda_svc._esms["mapping"] = made
    return made


def put(*texts):
    for text in texts:
        arn = kinesis._streams["logs"]["StreamARN"]
        kinesis.put_record_internal(arn, text, text.encode())


def settle(until=lambda: False):
    """Look after the lanes until nothing happens any more."""
    idle, give_up = 0, time.monotonic() + 5
    while idle < 3 and not until() and time.monotonic() < give_up:
        began = stream_mappings.poll()
        while any(lane.busy for lane in stream_mappings._lanes.values()):
            time.sleep(0.001)
        idle = 0 if began else idle + 1


def test_records_that_were_there_before_the_mapping_are_read_from_the_beginning(function):
    made = mapping()
    put("a", "b")
    settle()
    assert function.batches == [["a", "b"]]
    (first, _) = function.events["Records"]
    assert first["eventID"].startswith("shardId-000000000000:")
    assert first["eventSourceARN"] == made["EventSourceArn"]
    put("c")
    settle()
    assert function.batches[1:] == [["c"]]


def test_a_batch_goes_on_from_the_first_record_that_the_function_names(function):
    mapping()
    put(*"abcd")
    function.fails = lambda batch: ["c", "d"] if len(function.batches) == 1 else []
    settle()
    assert function.batches == [["a", "b", "c", "d"], ["c", "d"]]


def test_without_partial_failures_the_answer_is_not_read(function):
    mapping(FunctionResponseTypes=[])
    put(*"ab")
    function.fails = lambda batch: ["a"]
    settle()
    assert function.batches == [["a", "b"]]


def test_a_record_that_ends_the_function_is_found_by_halves_and_the_others_are_done(function):
    mapping()
    put(*"abcdefgh")
    function.fails = lambda batch: "dies" if "f" in batch else []
    settle(lambda: function.batches.count(["f"]) > 2)
    done = [one for batch in function.batches if "f" not in batch for one in batch]
    assert done == [*"abcde"]
    assert function.batches[-1] == ["f"]
    function.fails = lambda batch: []
    settle()
    assert function.batches[-2:] == [["g"], ["h"]] or function.batches[-1] == ["g", "h"]


def test_without_bisecting_a_batch_comes_again_whole(function):
    mapping(BisectBatchOnFunctionError=False)
    put(*"abcd")
    function.fails = lambda batch: "dies" if len(function.batches) < 3 else []
    settle()
    assert function.batches == [[*"abcd"]] * 3


def test_a_record_past_its_age_goes_to_the_bucket_whole_and_is_not_invoked_again(function, s3):
    made = mapping(MaximumRecordAgeInSeconds=0.05)
    put("a")
    function.fails = lambda batch: batch
    settle(lambda: bool(s3))
    ((key, body),) = s3.items()
    assert key.startswith("aws/lambda/mapping/shardId-000000000000/")
    said = json.loads(body)
    assert said["requestContext"]["condition"] == "RecordAgeExceeded"
    assert said["KinesisBatchInfo"]["batchSize"] == 1
    assert said["KinesisBatchInfo"]["streamArn"] == made["EventSourceArn"]
    (record,) = json.loads(said["payload"])["Records"]
    assert base64.b64decode(record["kinesis"]["data"]) == b"a"
    tried = len(function.batches)
    settle()
    assert len(function.batches) == tried


def test_what_was_tried_often_enough_goes_to_the_bucket(function, s3):
    mapping(MaximumRetryAttempts=2)
    put("a")
    function.fails = lambda batch: batch
    settle()
    assert len(function.batches) == 3
    (body,) = s3.values()
    assert json.loads(body)["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_a_role_that_may_not_write_to_the_bucket_loses_the_record_from_nowhere(function, s3):
    """What cannot be kept is tried again: the stand-in loses nothing without a word."""
    mapping(allowed="kinesis:*", MaximumRecordAgeInSeconds=0.05)
    put("a")
    time.sleep(0.1)
    stream_mappings.poll()
    settle(lambda: True)
    assert not s3
    assert stream_mappings._lanes["mapping", "shardId-000000000000", 0].waiting


def test_a_role_that_may_not_read_the_stream_reads_nothing(function):
    made = mapping(allowed="s3:*")
    put("a")
    settle()
    assert not function.batches
    assert "kinesis:DescribeStream" in made["LastProcessingResult"]


def test_a_batch_waits_for_its_window_and_no_longer_than_until_it_is_full(function):
    mapping(MaximumBatchingWindowInSeconds=60, BatchSize=2)
    put("a")
    settle()
    assert not function.batches
    put("b", "c")
    settle()
    assert function.batches == [["a", "b"]]


def test_an_invocation_holds_6_mb(function, monkeypatch):
    monkeypatch.setattr(stream_mappings, "LARGEST_BATCH", 2300)
    mapping()
    put("a" * 900, "b" * 900, "c")
    settle()
    assert [len(batch) for batch in function.batches] == [1, 2]


def test_lanes_of_a_shard_part_records_by_their_keys(function):
    mapping(ParallelizationFactor=4)
    put(*"abcdefgh")
    settle()
    assert sorted(one for batch in function.batches for one in batch) == [*"abcdefgh"]
    assert len(function.batches) > 1
