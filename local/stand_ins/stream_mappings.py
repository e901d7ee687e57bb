"""Lambda reads a Kinesis stream: batches, partial failures, bisecting, age, what is given up.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html

Each shard is read by as many lanes as ParallelizationFactor says; records with the same partition
key are in the same lane, and a lane goes on only when its batch is done with.
"""

import base64
import contextvars
import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import (
    _request_account_id,
    _request_region,
    get_account_id,
    get_region,
    new_uuid,
)
from ministack.services import firehose, kinesis, lambda_svc

from local.stand_ins import roles

logger = logging.getLogger("stream_mappings")

SERVICE = "lambda.amazonaws.com"
LARGEST_BATCH = 6 * 1024 * 1024
"""Bytes of an invocation's payload, base64 included."""
SECONDS_BETWEEN_LOOKS = 0.1
LONGEST_DELAY = 5.0
READING = ("kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords")

Mapping = dict[str, Any]
Record = dict[str, Any]


@dataclass
class Lane:
    """Where one reader of a shard has got to."""

    position: int = 0
    """Of the shard's records: all before it that are the lane's have been looked at."""
    waiting: list[Record] = field(default_factory=list)
    """Records that are not invoked yet, or come again."""
    halves: list[int] = field(default_factory=list)
    """How many records the next batches have, after a batch was split."""
    since: float = 0.0
    """When the oldest of the waiting records was seen."""
    attempts: int = 0
    not_before: float = 0.0
    busy: bool = False


_lanes: dict[tuple[str, str, int], Lane] = {}


def poll() -> bool:
    """Invoke the function of each lane that has a batch; say whether there was one."""
    began = False
    for account, region, mapping in lambda_svc._iter_all_esms():
        source = parse_arn(mapping.get("EventSourceArn", ""))
        if source.service != "kinesis" or not mapping.get("Enabled", True):
            continue
        tokens = _request_account_id.set(account), _request_region.set(region)
        try:
            began = _poll_mapping(mapping) or began
        finally:
            _request_account_id.reset(tokens[0])
            _request_region.reset(tokens[1])
    return began


def _poll_mapping(mapping: Mapping) -> bool:
    function, _ = lambda_svc._get_func_record_for_qualifier(
        mapping["FunctionName"], mapping.get("Qualifier")
    )
    stream = kinesis._resolve_stream_by_arn(mapping["EventSourceArn"])
    if function is None or not stream or stream["StreamStatus"] != "ACTIVE":
        return False
    try:
        for action in READING:
            roles.require(_role(function), SERVICE, action, mapping["EventSourceArn"])
    except roles.NotAllowed as error:
        mapping["LastProcessingResult"] = f"PROBLEM: {error}"
        return False
    began = False
    for shard_id, shard in stream["shards"].items():
        for number in range(int(mapping.get("ParallelizationFactor", 1))):
            lane = _lane(mapping, shard_id, number, shard)
            if lane.busy or lane.not_before > time.time():
                continue
            _read(lane, shard, mapping, number)
            batch = _next_batch(lane, mapping)
            if batch:
                began = lane.busy = True
                arguments = (lane, batch, mapping, function, shard_id)
                context = contextvars.copy_context()
                threading.Thread(target=context.run, args=(_run, *arguments), daemon=True).start()
    return began


def _lane(mapping: Mapping, shard_id: str, number: int, shard: Any) -> Lane:
    key = (mapping["UUID"], shard_id, number)
    if key not in _lanes:
        latest = mapping.get("StartingPosition") != "TRIM_HORIZON"
        _lanes[key] = Lane(len(shard["records"]) if latest else 0)
    return _lanes[key]


def _read(lane: Lane, shard: Any, mapping: Mapping, number: int) -> None:
    factor = int(mapping.get("ParallelizationFactor", 1))
    records = shard["records"][lane.position :]
    lane.position += len(records)
    mine = [
        one
        for one in records
        if int(hashlib.md5(one["PartitionKey"].encode()).hexdigest(), 16) % factor == number
    ]
    if mine and not lane.waiting:
        lane.since = time.time()
    lane.waiting.extend(mine)


def _next_batch(lane: Lane, mapping: Mapping) -> list[Record]:
    """Take the next batch off what waits, when it is full or the batching window is over."""
    most = lane.halves[0] if lane.halves else int(mapping["BatchSize"])
    size, batch = 0, []
    for one in lane.waiting[:most]:
        size += len(_data(one)) + 500
        if batch and size > LARGEST_BATCH:
            break
        batch.append(one)
    whole = lane.halves or len(batch) == most or len(batch) < len(lane.waiting)
    window = float(mapping.get("MaximumBatchingWindowInSeconds", 0))
    if not whole and time.time() < lane.since + window and not lane.attempts:
        return []
    return batch


def _run(lane: Lane, batch: list[Record], mapping: Mapping, function: Any, shard_id: str) -> None:
    """Invoke the function with one batch, and decide what becomes of its records."""
    try:
        given_up = _give_up_old(lane, batch, mapping, function, shard_id)
        batch = batch[given_up:]
        if not batch:
            return
        result = lambda_svc._execute_function(function, _event(batch, mapping, shard_id))
        done = len(batch) if not result.get("error") else 0
        if (
            not result.get("error")
            and "ReportBatchItemFailures" in mapping["FunctionResponseTypes"]
        ):
            done = _done(batch, result.get("body"))
        mapping["LastProcessingResult"] = (
            "OK" if done == len(batch) else "PROBLEM: Function call failed"
        )
        _after(lane, batch, done, mapping)
        most = int(mapping.get("MaximumRetryAttempts", -1))
        if lane.attempts > most >= 0 and len(batch) - done == 1:
            rest = batch[done:]
            _keep(rest, mapping, function, shard_id, "RetryAttemptsExhausted", lane.attempts)
            _forget(lane, len(rest))
    except Exception:
        logger.exception("the mapping %s failed", mapping["UUID"])
        lane.not_before = time.time() + LONGEST_DELAY
    finally:
        lane.busy = False
        lambda_svc._esm_wake.set()


def _after(lane: Lane, batch: list[Record], done: int, mapping: Mapping) -> None:
    """Go on behind what is done; what is not comes again, by halves if that is asked for."""
    halves = lane.halves[1:]
    del lane.waiting[:done]
    lane.since = time.time()
    if done == len(batch):
        lane.halves, lane.attempts, lane.not_before = halves, 0, 0.0
        return
    left = len(batch) - done
    if done:
        # What the function named is where the batch is split.
        lane.halves, lane.attempts = [left, *halves], 0
    elif mapping.get("BisectBatchOnFunctionError") and left > 1:
        # A split is no retry.
        lane.halves = [left // 2, left - left // 2, *halves]
    else:
        lane.halves, lane.attempts = [left, *halves], lane.attempts + 1
    lane.not_before = time.time() + min(LONGEST_DELAY, 0.2 * 2**lane.attempts)


def _done(batch: list[Record], body: Any) -> int:
    """Count the records before the first that the function names; a name that is none is all."""
    answer = json.loads(body) if isinstance(body, str | bytes) else body or {}
    failures = answer.get("batchItemFailures") or []
    if not failures:
        return len(batch)
    numbers = [one["SequenceNumber"] for one in batch]
    named = [one.get("itemIdentifier") for one in failures]
    if not all(one in numbers for one in named):
        return 0
    return min(numbers.index(one) for one in named)


def _give_up_old(
    lane: Lane, batch: list[Record], mapping: Mapping, function: Any, shard_id: str
) -> int:
    """Put what is older than the mapping's age where failures go; say how many records that are."""
    age = float(mapping.get("MaximumRecordAgeInSeconds", -1))
    if age < 0:
        return 0
    now = time.time()
    old = [one for one in batch if now - one["ApproximateArrivalTimestamp"] > age]
    if old:
        _keep(old, mapping, function, shard_id, "RecordAgeExceeded", lane.attempts + 1)
        _forget(lane, len(old))
    return len(old)


def _forget(lane: Lane, records: int) -> None:
    del lane.waiting[:records]
    lane.attempts, lane.not_before = 0, 0.0
    while lane.halves and records:
        taken = min(records, lane.halves[0])
        records -= taken
        lane.halves[0] -= taken
        if not lane.halves[0]:
            lane.halves.pop(0)


def _keep(
    batch: list[Record],
    mapping: Mapping,
    function: Any,
    shard_id: str,
    condition: str,
    attempts: int,
) -> None:
    """Write what is given up to the bucket that is the failure destination, whole."""
    destination = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if ":s3:" not in destination:
        logger.error("%d records of %s are lost: no bucket for them", len(batch), shard_id)
        return
    now = time.gmtime()
    key = (
        f"aws/lambda/{mapping['UUID']}/{shard_id}/{time.strftime('%Y/%m/%d', now)}/"
        f"{time.strftime('%Y-%m-%dT%H.%M.%S', now)}-{new_uuid()}"
    )
    roles.require(_role(function), SERVICE, "s3:ListBucket", destination)
    roles.require(_role(function), SERVICE, "s3:PutObject", f"{destination}/{key}")
    said = {
        "requestContext": {
            "requestId": new_uuid(),
            "functionArn": mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": _iso(time.time()),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": batch[0]["SequenceNumber"],
            "endSequenceNumber": batch[-1]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _iso(batch[0]["ApproximateArrivalTimestamp"]),
            "approximateArrivalOfLastRecord": _iso(batch[-1]["ApproximateArrivalTimestamp"]),
            "batchSize": len(batch),
            "streamArn": mapping["EventSourceArn"],
        },
        "payload": json.dumps(_event(batch, mapping, shard_id)),
    }
    firehose._put_s3_object(destination.rpartition(":")[2], key, json.dumps(said).encode())


def _event(batch: list[Record], mapping: Mapping, shard_id: str) -> dict[str, Any]:
    return {"Records": list(_records(batch, mapping, shard_id))}


def _records(batch: list[Record], mapping: Mapping, shard_id: str) -> Iterator[Record]:
    for one in batch:
        yield {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": one["PartitionKey"],
                "sequenceNumber": one["SequenceNumber"],
                "data": _data(one),
                "approximateArrivalTimestamp": one["ApproximateArrivalTimestamp"],
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard_id}:{one['SequenceNumber']}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": f"arn:aws:iam::{get_account_id()}:role/lambda-role",
            "awsRegion": get_region(),
            "eventSourceARN": mapping["EventSourceArn"],
        }


def _data(record: Record) -> str:
    data = record["Data"]
    return data if isinstance(data, str) else base64.b64encode(data).decode()


def _role(function: Any) -> str:
    return str((function.get("config") or function)["Role"])


def _iso(seconds: float) -> str:
    milliseconds = round(seconds * 1000) % 1000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"


def poll_for_ever() -> None:
    """Look after all lanes, apart from the emulator's own loop, which a queue may hold up."""
    while True:
        try:
            poll()
        except Exception:
            logger.exception("reading streams failed")
        time.sleep(SECONDS_BETWEEN_LOOKS)
