"""A stream's records, as Lambda hands them over and as the Kinesis Producer Library aggregates."""

import base64
import gzip
import hashlib
import json
from typing import Any

STREAM_ARN = "arn:aws:kinesis:eu-west-1:111122223333:stream/shop-logs"
SHARD = "shardId-000000000003"
FIRST = 49590338271490256608559692538361571095921575989136588898
ARRIVED = 1795162500.25
"""2026-11-20T08:15:00.250Z."""


def stream_record(
    data: bytes | str, number: int = 0, *, arrived: float = ARRIVED, shard: str = SHARD
) -> dict[str, Any]:
    """Make a record of an event; its sequence number follows from its number, text is base64."""
    sequence_number = str(FIRST + number)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "key",
            "sequenceNumber": sequence_number,
            "data": data if isinstance(data, str) else base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": arrived,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::111122223333:role/index-stream-logs",
        "awsRegion": "eu-west-1",
        "eventSourceARN": STREAM_ARN,
    }


def stream_event(*data: bytes) -> dict[str, Any]:
    """Make an event of records with this data."""
    return {"Records": [stream_record(one, number) for number, one in enumerate(data)]}


def compressed(text: bytes) -> bytes:
    """Compress an envelope as CloudWatch Logs does."""
    return gzip.compress(text, mtime=0)


def _varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def field(number: int, value: bytes | int) -> bytes:
    """Write a field of a protocol buffer."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def aggregated(*data: bytes) -> bytes:
    """Put records together as the Kinesis Producer Library does."""
    text = field(1, b"key") + field(2, b"0")
    text += b"".join(field(3, field(1, 0) + field(2, 0) + field(3, one)) for one in data)
    return b"\xf3\x89\x9a\xc2" + text + hashlib.md5(text).digest()


def failed_batch(event: dict[str, Any], *, as_text: bool = True) -> bytes:
    """Write what Lambda writes to a bucket of an invocation that it gave up."""
    about = {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-4a1b-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:index-stream-logs",
            "condition": "RecordAgeExceeded",
            "approximateInvokeCount": 1,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2026-11-20T08:16:06.021Z",
        "KinesisBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": str(FIRST),
            "endSequenceNumber": str(FIRST + 2),
            "approximateArrivalOfFirstRecord": "2026-11-20T08:15:00.250Z",
            "approximateArrivalOfLastRecord": "2026-11-20T08:15:00.250Z",
            "batchSize": 3,
            "streamArn": STREAM_ARN,
        },
        "payload": json.dumps(event) if as_text else event,
    }
    return json.dumps(about).encode()
