"""What Lambda wrote of a batch that it gave up is read as the batch was."""

import json
from typing import Any

import pytest

from servicelogs.errors import UnreadableObject
from servicelogs.records import Reject
from servicelogs.sources.failed_batches import is_failed_batch, read_failed_batch
from servicelogs.sources.kinesis import ShardRecords, StreamRecord
from tests.formats.parsing import chunked
from tests.sources.envelopes import envelope
from tests.sources.stream_events import compressed, failed_batch, stream_event

EVENT = stream_event(compressed(envelope("a", "b")), b"1 c\n", b"\x1f\x8bno")


def read(shard: ShardRecords) -> list[Any]:
    return [
        (source, run.raw if isinstance(run, Reject) else (run.items, run.keys))
        for source, run in shard.runs()
    ]


@pytest.mark.parametrize(
    "text",
    [
        failed_batch(EVENT),
        failed_batch(EVENT, as_text=False),
        json.dumps(dict(reversed(json.loads(failed_batch(EVENT)).items()))).encode(),
        json.dumps(EVENT).encode(),
        json.dumps(EVENT, indent=2).encode(),
    ],
    ids=["payload as text", "payload as an object", "in another order", "event", "indented event"],
)
def test_the_records_are_those_of_the_event(text: bytes) -> None:
    assert is_failed_batch(text[:4096])
    expected = ShardRecords([StreamRecord.of(record) for record in EVENT["Records"]])
    assert read(read_failed_batch(chunked(text, 100))) == read(expected)


@pytest.mark.parametrize("region", ["../..", "a/b", "x" * 10_240, "é", ""])
def test_a_region_that_is_none_is_not_taken_for_one(region: str) -> None:
    record = {**EVENT["Records"][0], "awsRegion": region}

    shard = read_failed_batch([failed_batch({"Records": [record]})])

    assert {source.region for source, _ in shard.runs()} == {""}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (failed_batch(EVENT)[:-100], "cannot be read"),
        (failed_batch({}), "no payload"),
        (failed_batch({"Records": [{"kinesis": {}}]}), "not one of a stream"),
        (failed_batch({"Records": [{"s3": {}}]}), "not one of a stream"),
        (b'{"KinesisBatchInfo":{},"payload":"{"}', "cannot be read"),
        (b'{"KinesisBatchInfo":{},"payload":5}', "cannot be read"),
        (b'{"KinesisBatchInfo":{}}', "only a bucket"),
    ],
)
def test_a_batch_without_readable_records_is_an_error_with_its_bytes(text: bytes, why: str) -> None:
    with pytest.raises(UnreadableObject, match=why) as raised:
        read_failed_batch([text])
    assert raised.value.tail == text


@pytest.mark.parametrize(
    "text",
    [
        b'{"Records":[{"eventVersion":"1.11"}]}',
        b'{"version":"1.0","message":"\\"KinesisBatchInfo\\":{"}',
        b'{"timestamp":1,"formatVersion":1}',
    ],
)
def test_other_json_is_not_one(text: bytes) -> None:
    assert not is_failed_batch(text)
