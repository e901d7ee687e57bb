"""A batch of a shard gives the log records of its records, and each knows where it lay."""

import gzip
from datetime import UTC, datetime
from typing import Any

import pytest

from servicelogs.parsing.framing import BLOCK_BYTES
from servicelogs.records import Records, Reject
from servicelogs.sources import kinesis
from servicelogs.sources.kinesis import ShardRecords, StreamRecord
from tests.sources.envelopes import CONTROL, GROUP, envelope
from tests.sources.stream_events import (
    ARRIVED,
    FIRST,
    SHARD,
    aggregated,
    compressed,
    stream_record,
)


def shard_of(*data: bytes | str) -> ShardRecords:
    records = (stream_record(one, number) for number, one in enumerate(data))
    return ShardRecords([StreamRecord.of(record) for record in records])


def read(shard: ShardRecords) -> list[tuple[int, str, bytes]]:
    """Give of each log record its place in the batch, its key (or the error), and its bytes."""
    found = []
    for _, run in shard.runs():
        if isinstance(run, Reject):
            found.append((shard.at(run.number), run.error_type, run.raw))
        else:
            found += [(shard.at(n), run.key(n), run.raw(n)) for n in run.numbers()]
    return found


def test_lines_of_consecutive_records_are_handed_out_together_under_their_sequence_numbers() -> (
    None
):
    shard = shard_of(b"1 a\n", b"2 b", b"3 c\r\n")
    ((source, run),) = shard.runs()
    assert isinstance(run, Records)
    assert [item.rstrip(b"\r") for item in run.items] == [b"1 a", b"2 b", b"3 c"]
    assert run.keys == [str(FIRST + n).encode() for n in range(3)]
    assert source.uri == f"kinesis://shop-logs/{SHARD}"
    assert source.region == "eu-west-1"
    assert source.delivered == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert run.hour is None
    assert run.time(2) == b"2026-11-20T08:15:00.250"


def test_what_arrived_in_another_hour_has_another_delivery_and_the_same_id() -> None:
    records = [stream_record(b"1", 0), stream_record(b"2", 1, arrived=ARRIVED + 3600)]
    (one, _), (other, _) = ShardRecords([StreamRecord.of(record) for record in records]).runs()
    assert one.id == other.id
    assert (other.delivered - one.delivered).total_seconds() == 3600


def test_another_shard_is_another_source() -> None:
    records = [stream_record(b"1", 0), stream_record(b"2", 1, shard="shardId-000000000004")]
    (one, _), (other, _) = ShardRecords([StreamRecord.of(record) for record in records]).runs()
    assert one.id != other.id


def test_envelopes_and_lines_keep_their_order_and_their_places() -> None:
    texts = [
        b"1 first",
        compressed(envelope("a", "b")),
        compressed(CONTROL),
        envelope("c"),
        b"2 x\n3 y\n",
        b"",
        compressed(b"4 z\n"),
        gzip.compress(compressed(envelope("d"))),
    ]
    found = read(shard_of(*texts))
    assert [(at, raw) for at, _, raw in found] == [
        (0, b"1 first"),
        (1, b"a"),
        (1, b"b"),
        (3, b"c"),
        (4, b"2 x"),
        (4, b"3 y"),
        (6, b"4 z"),
        (7, b"d"),
    ]
    assert found[5][1] == f"{FIRST + 4}.2"


def test_an_envelopes_source_is_its_log_stream_in_the_shard() -> None:
    ((source, _),) = shard_of(compressed(envelope("a"))).runs()
    assert (source.uri, source.log_group) == (f"kinesis://shop-logs/{SHARD}", GROUP)


def test_aggregated_records_are_taken_apart_and_each_has_its_own_key() -> None:
    data = aggregated(b"1 a", compressed(envelope("b")), b"2 c")
    found = read(shard_of(data, b"3 d"))
    assert [(at, raw) for at, _, raw in found] == [(0, b"1 a"), (0, b"b"), (0, b"2 c"), (1, b"3 d")]
    keys = [key for _, key, _ in found]
    assert len({*keys}) == 4
    assert (keys[0], keys[2]) == (str(FIRST), f"{FIRST}-3")


BROKEN = compressed(envelope("x", "y"))


@pytest.mark.parametrize(
    ("data", "raw"),
    [
        ("no base64!", b"no base64!"),
        (BROKEN[:-9], BROKEN[:-9]),
        (BROKEN[:30] + b"\0\0\0" + BROKEN[33:], None),
        (aggregated(b"a")[:-1] + b"\0", None),
        (b"\x1f\x8b", None),
        (compressed(b"PAR1" + b"\0" * 20), None),
        (compressed(envelope("x")[:-3]), envelope("x")[:-3]),
    ],
)
def test_a_record_that_cannot_be_read_is_one_reject_with_its_bytes(
    data: bytes | str, raw: bytes | None
) -> None:
    found = read(shard_of(compressed(envelope("a")), data, compressed(envelope("b"))))
    assert [(at, kind) for at, kind, _ in found if kind == "unreadable"] == [(1, "unreadable")]
    assert [one for _, _, one in found if one in (b"a", b"b")] == [b"a", b"b"]
    assert found[1][2] == (data if raw is None else raw)


def ids(*records: dict[str, Any]) -> list[str]:
    found = []
    for source, run in ShardRecords([StreamRecord.of(record) for record in records]).runs():
        if isinstance(run, Reject):
            found.append(run.id)
        else:
            found += [f"{source.id}-{run.key(number)}" for number in run.numbers()]
    return found


def test_the_id_of_what_cannot_be_read_does_not_follow_from_the_batch_and_is_nobody_elses() -> None:
    unread = compressed(b'{"messageType":"DATA_MESSAGE","logEvents":[null,1]}')
    data = aggregated(b"1 a\n2 b", unread[:-9], unread, b"3 c")

    alone = ids(stream_record(data, 5))

    assert len(alone) == len({*alone}) == 6
    assert ids(stream_record(b"0 z", 4), stream_record(data, 5))[1:] == alone


def test_a_record_that_becomes_too_much_is_a_reject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinesis, "MOST_TEXT_BYTES", 100_000)
    found = read(shard_of(compressed(b" " * 10_000_000), b"1 a"))
    assert [kind for _, kind, _ in found] == ["unreadable", str(FIRST + 1)]


def test_json_over_several_lines_is_one_record_and_one_object_a_line_are_several() -> None:
    found = read(shard_of(b'{"a":\n1}', b'{"a":1}\n{"b":2}\n'))
    assert [raw for _, _, raw in found] == [b'{"a":\n1}', b'{"a":1}', b'{"b":2}']


def test_many_lines_are_handed_out_in_blocks() -> None:
    shard = shard_of(*[b"1" * 1000] * 1000)
    sizes = [sum(map(len, run.items)) for _, run in shard.runs() if isinstance(run, Records)]
    assert max(sizes) <= BLOCK_BYTES + 1000
    assert len(sizes) == 4
