"""Objects of export tasks: each event is a record, dated by its event's time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from servicelogs import formats
from servicelogs.dates import hour_of
from servicelogs.detection.objects import ObjectTypes
from servicelogs.errors import UnreadableObject
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.records import Records, TooLong
from servicelogs.settings import LogSettings
from servicelogs.sources.export_tasks import cut_events
from tests.formats.parsing import SOURCE, chunked

KEY = "exports/1b4e28ba-2fa1-11d2-883f-0016d3cca427/eni-0a1b-all/000000.gz"
TYPES = ObjectTypes(LogSettings())
FLOW = b"2 111122223333 eni-0a1b 192.0.2.1 192.0.2.2 1 2 6 12 5120 %b %b ACCEPT OK"
TIMED, TIMELESS = FLOW % (b"1795132700", b"1795132798"), FLOW % (b"-", b"-")
EVENT = b'{"eventVersion":"1.11","eventTime":"2026-11-19T23:59:58Z","eventName":"GetObject"}'
REQUEST = b'{"timestamp":1795132798123,"formatVersion":1,"webaclId":"arn:aws:wafv2:x"}'
BALANCED = (
    b"2026-11-19T23:59:58.000123Z 192.0.2.55 51514 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.004 "
    b'"-" - - - Success TID_0a1b'
)
ACROSS_MIDNIGHT = b"2026-11-20T00:00:01.500Z "


def exported(*messages: bytes, time: bytes = ACROSS_MIDNIGHT) -> bytes:
    return b"".join(time + message + b"\n" for message in messages)


def documents(text: bytes, types: ObjectTypes = TYPES) -> list[tuple[str, dict[str, Any]]]:
    """Read an object as the pipeline does; give each document with its index."""
    detected = types.identify(KEY, text[:4096], None)
    assert detected.format is not None
    source = replace(SOURCE, delivered=datetime(2026, 12, 1, tzinfo=UTC))
    choose = every_index().of(detected.format)
    found = []
    for block in blocks_of(detected.format, [text], source, choose, cut=detected.cut):
        assert block.rejects == []
        lines = [json.loads(line) for line in bytes(block.body).splitlines()]
        indexes = [line["create"]["_index"] for line in lines[::2]]
        found += zip(indexes, lines[1::2], strict=True)
    return found


@pytest.mark.parametrize(
    ("name", "message", "own"),
    [
        ("vpc_flow", TIMED, "2026-11-19T23:58:20Z"),
        ("cloudtrail", EVENT, "2026-11-19T23:59:58Z"),
        ("cloudtrail", EVENT.replace(b",", b",\n "), "2026-11-19T23:59:58Z"),
        ("waf", REQUEST, "2026-11-19T23:59:58.123Z"),
        ("alb_connection", BALANCED, "2026-11-19T23:59:58.000123Z"),
    ],
    ids=["text", "JSON", "JSON of several lines", "JSON in milliseconds", "text with a time ahead"],
)
def test_the_events_time_dates_the_record_which_keeps_its_own(
    name: str, message: bytes, own: str
) -> None:
    found = documents(exported(message, message))
    index = f"aws-{name.replace('_', '-')}-2026.11.20"
    assert [index for index, _ in found] == [index, index]
    assert [document["@timestamp"] for _, document in found] == [own, own]
    assert [document["log"]["record"] for _, document in found] == [1, 2]


@pytest.mark.parametrize(
    "message",
    [
        TIMELESS,
        EVENT.replace(b"eventTime", b"otherTime"),
        REQUEST.replace(b"1795132798123", b"null"),
    ],
    ids=["text", "JSON", "JSON in milliseconds"],
)
def test_a_record_without_a_time_has_its_events(message: bytes) -> None:
    text = exported(message) + exported(message, time=b"2026-11-20T00:00:02.000Z ")
    times = [document["@timestamp"] for _, document in documents(text)]
    assert times == ["2026-11-20T00:00:01.500Z", "2026-11-20T00:00:02.000Z"]


def test_a_bad_time_of_a_records_own_is_not_hidden_by_its_events() -> None:
    text = exported(EVENT, EVENT.replace(b"23:59", b"25:59"))
    detected = TYPES.identify(KEY, text, None)
    assert detected.format is not None
    choose = every_index().of(detected.format)
    blocks = [*blocks_of(detected.format, [text], SOURCE, choose, cut=detected.cut)]
    assert [reject.number for block in blocks for reject in block.rejects] == [2]


def test_a_line_that_begins_with_its_own_time_is_not_exported() -> None:
    text = b"2026-11-20T08:14:55.123Z shop 192.0.2.1:1 192.0.2.2:80 0.1 0.1 0.1 200 200 0 57 "
    detected = TYPES.identify("copies/today.log", text, None)
    assert (detected.format, detected.cut) == (formats.get("clb"), None)


def test_an_export_of_a_type_that_is_given_is_known_too() -> None:
    types = ObjectTypes(LogSettings(log_type="cloudtrail"))
    detected = types.identify(KEY, exported(b'{"odd":"words"}'), None)
    assert (detected.format, detected.cut) == (formats.get("cloudtrail"), cut_events)


def cut(chunks: Iterator[bytes] | list[bytes]) -> list[Records | TooLong]:
    return [*cut_events(chunks)]


@pytest.mark.parametrize("size", [1, 10, 100, 1 << 20])
def test_lines_that_do_not_begin_with_a_time_are_of_the_event_before(size: int) -> None:
    text = exported(b"one\ntwo\n 2026-11-20T08:14:55.000Z three", b"", b"four\r", b"five")
    found = cut(chunked(text, size))
    items = [item for records in found if isinstance(records, Records) for item in records.items]
    assert items == [b"one\ntwo\n 2026-11-20T08:14:55.000Z three", b"four", b"five"]
    assert isinstance(found[0], Records)


def test_records_of_one_hour_are_together_and_numbers_go_on() -> None:
    text = exported(b"a", b"b") + exported(b"c", time=b"2026-11-20T01:00:00.000Z ") + exported(b"d")
    found = [
        (records.first, records.hour, records.items)
        for records in cut([text])
        if isinstance(records, Records)
    ]
    hour = hour_of(datetime(2026, 11, 20, tzinfo=UTC))
    assert found == [(1, hour, [b"a", b"b"]), (3, hour + 1, [b"c"]), (4, hour, [b"d"])]


def test_a_time_that_no_calendar_has_dates_nothing() -> None:
    (records,) = cut([exported(b"a", time=b"2026-13-20T01:00:00.000Z ")])
    assert isinstance(records, Records)
    assert (records.items, records.hour, records.time(1)) == ([b"a"], None, None)


@pytest.mark.slow
@pytest.mark.parametrize("size", [100_000, 1 << 30])
@pytest.mark.parametrize("end", [exported(b"b"), b""], ids=["another behind", "at the end"])
def test_an_event_too_long_is_one_reject_and_costs_no_other(size: int, end: bytes) -> None:
    long = b"x\n" * (MAX_RECORD_BYTES // 2 + 500_000)
    text = exported(b"a", long) + end
    _, too_long, *rest = cut(chunked(text, min(size, len(text))))
    assert isinstance(too_long, TooLong)
    assert too_long.number == 2
    assert MAX_RECORD_BYTES < too_long.length <= len(long) + 1
    assert [getattr(records, "items", records) for records in rest] == ([[b"b"]] if end else [])


def test_after_a_fault_what_is_left_of_an_event_is_its_tail() -> None:
    def chunks() -> Iterator[bytes]:
        yield exported(b"a", b"b")[:-1]
        raise UnreadableObject("cut")

    pieces = cut_events(chunks())
    records = next(pieces)
    assert isinstance(records, Records)
    assert records.items == [b"a"]
    with pytest.raises(UnreadableObject) as fault:
        next(pieces)
    assert (fault.value.number, fault.value.tail) == (2, b"b")
