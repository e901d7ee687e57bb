"""Events that are not quite those that Lambda hands over: each error says what is wrong."""

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from servicelogs.errors import UnreadableEvent, UnreadableMessage
from servicelogs.records import Records, Reject
from servicelogs.sources.event_notifications import read_notification
from servicelogs.sources.function_events import records_of
from servicelogs.sources.kinesis import ShardRecords, StreamRecord
from servicelogs.sources.queue import Message
from tests.sources.stream_events import stream_event

EVENTS = Path(__file__).parents[2] / "events"
OTHERS = (None, 1, -1.5, 1e300, float("nan"), True, "", [], [1], {}, {"a": 1})


def read_stream(event: object) -> None:
    records = [StreamRecord.of(record) for record in records_of(event)]
    for _ in ShardRecords(records).runs():
        pass


def read_queue(event: object) -> None:
    for record in records_of(event):
        read_notification(Message.of(record).body)


def changed(value: Any) -> Iterator[Any]:
    """Give copies in which one member, wherever it is, is missing or another value."""
    places = range(len(value)) if isinstance(value, list) else [*value]
    for place in places:
        for other in OTHERS:
            copied = copy.copy(value)
            copied[place] = other
            yield copied
        without = copy.copy(value)
        del without[place]
        yield without
        if isinstance(value[place], dict | list):
            for inner in changed(value[place]):
                copied = copy.copy(value)
                copied[place] = inner
                yield copied


def bodies(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give copies of a queue's event in which the body of its first message is changed so."""
    first, *others = event["Records"]
    for body in changed(json.loads(first["body"])):
        yield {"Records": [first | {"body": json.dumps(body)}, *others]}


# What a state machine asks for has none (tests/functions/test_enqueue_objects.py).
OF_RECORDS = sorted(path for path in EVENTS.glob("*.json") if not path.stem.startswith("enqueue-"))


@pytest.mark.parametrize("path", OF_RECORDS, ids=lambda path: path.stem)
def test_a_member_that_is_missing_or_another_value_is_nothing_or_an_error_of_ours(
    path: Path,
) -> None:
    event = json.loads(path.read_text())
    of_stream = path.stem.startswith("kinesis")
    event["Records"] = event["Records"][:2]
    read: Callable[[object], None] = read_stream if of_stream else read_queue
    for one in (*OTHERS, *changed(event), *([] if of_stream else bodies(event))):
        with contextlib.suppress(UnreadableEvent, UnreadableMessage):
            read(one)


@pytest.mark.parametrize(
    "member", ["awsRegion", "eventID", "eventSourceARN", "kinesis", "data", "sequenceNumber"]
)
def test_a_record_of_a_stream_names_the_member_that_it_lacks(member: str) -> None:
    (record,) = stream_event(b"x")["Records"]
    record.pop(member, None)
    record.get("kinesis", {}).pop(member, None)
    with pytest.raises(UnreadableEvent, match=f"a record of a Kinesis stream: .*`{member}`"):
        StreamRecord.of(record)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e300, -1e17])
def test_a_time_that_no_calendar_has_is_named(time: float) -> None:
    (record,) = stream_event(b"x")["Records"]
    record["kinesis"]["approximateArrivalTimestamp"] = time
    with pytest.raises(UnreadableEvent, match="approximateArrivalTimestamp is not a time"):
        StreamRecord.of(record)


def test_data_that_is_not_even_text_is_rejected_and_the_rest_goes_on() -> None:
    records = stream_event(b"x", b"y")["Records"]
    records[0]["kinesis"]["data"] = "\ud800"
    (_, reject), (_, lines) = ShardRecords([*map(StreamRecord.of, records)]).runs()
    assert isinstance(reject, Reject)
    assert isinstance(lines, Records)
    assert lines.items == [b"y"]


def test_a_message_that_nests_too_deep_is_not_a_notification() -> None:
    with pytest.raises(UnreadableMessage):
        read_notification("[" * 100_000)
