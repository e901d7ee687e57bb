"""Records of sources that have keys, an hour and a log group: what their documents have of them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from servicelogs import formats
from servicelogs.dates import hour_of
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.reader import read
from servicelogs.records import Block, Records, Source, TooLong
from tests.formats.parsing import SOURCE

HAPPENED = datetime(2026, 11, 19, 23, 59, 58, tzinfo=UTC)
FLOW = (
    b"2 111122223333 eni-0a1b 192.0.2.55 198.51.100.20 51514 443 6 12 5120 %d 1795132798 ACCEPT OK"
    % HAPPENED.timestamp()
)
EVENT = b'{"eventVersion":"1.11","eventTime":"2026-11-19T23:59:58Z","eventName":"GetObject"}'
WITH_ID = b'{"eventVersion":"1.11","eventTime":"2026-11-19T23:59:58Z","eventID":"own-id"}'
SEVERAL_LINES = EVENT.replace(b",", b",\n ")


def blocks(
    name: str, records: Iterable[Records | TooLong], source: Source = SOURCE, start: int = 1
) -> list[Block]:
    choose_index = every_index().of(formats.get(name))
    return [*read(records, parser_of(formats.get(name), source, choose_index), start)]


def documents(found: list[Block]) -> list[tuple[dict[str, str], dict[str, Any]]]:
    lines = [json.loads(line) for block in found for line in bytes(block.body).splitlines()]
    actions = [line["create"] for line in lines[::2]]
    return list(zip(actions, lines[1::2], strict=True))


@pytest.mark.parametrize(
    ("name", "record"),
    [("vpc_flow", FLOW), ("cloudtrail", EVENT), ("cloudtrail", SEVERAL_LINES)],
    ids=["text", "raw JSON", "JSON written anew"],
)
def test_a_records_key_follows_the_sources_id_and_its_number_stays(
    name: str, record: bytes
) -> None:
    records = Records(5, [record, record], keys=[b"e-1", b"e-2"])

    found = documents(blocks(name, [records]))

    assert [action["_id"] for action, _ in found] == [f"{SOURCE.id}-e-1", f"{SOURCE.id}-e-2"]
    assert [document["log"]["record"] for _, document in found] == [5, 6]


def test_a_records_own_id_counts_before_its_key() -> None:
    found = documents(blocks("cloudtrail", [Records(1, [WITH_ID], keys=[b"e-1"])]))

    assert [action["_id"] for action, _ in found] == ["own-id"]


@pytest.mark.parametrize(
    ("name", "record"), [("vpc_flow", b"what is this"), ("cloudtrail", b'{"eventTime":1}')]
)
def test_a_reject_has_the_key_in_its_id(name: str, record: bytes) -> None:
    (block,) = blocks(name, [Records(5, [record], keys=[b"e-1"])])

    (reject,) = block.rejects
    assert (reject.number, reject.id, reject.raw) == (5, f"{SOURCE.id}-e-1", record)


@pytest.mark.parametrize(
    ("name", "record"),
    [("vpc_flow", FLOW), ("cloudtrail", EVENT), ("cloudtrail", SEVERAL_LINES)],
    ids=["text", "raw JSON", "JSON written anew"],
)
def test_events_are_dated_by_their_hour_and_keep_the_records_own_time(
    name: str, record: bytes
) -> None:
    hours = [hour_of(datetime(2026, 11, day, 1, tzinfo=UTC)) for day in (20, 19)]
    events = [Records(number, [record], hour=hour) for number, hour in enumerate(hours, 1)]

    found = documents(blocks(name, [*events, Records(3, [record])]))

    stem = f"aws-{name.replace('_', '-')}"
    assert [action["_index"] for action, _ in found] == [
        f"{stem}-2026.11.20",
        f"{stem}-2026.11.19",
        f"{stem}-2026.11.19",
    ]
    times = {document["@timestamp"] for _, document in found}
    assert {datetime.fromisoformat(time) for time in times} == {HAPPENED}


def test_log_group_and_stream_are_in_the_frame_where_there_are_some() -> None:
    source = replace(SOURCE, log_group="/aws/rds/instance/db/error", log_stream="db.node1")

    ((_, with_group),) = documents(blocks("vpc_flow", [Records(1, [FLOW])], source))
    ((_, without),) = documents(blocks("vpc_flow", [Records(1, [FLOW])]))

    assert (with_group["log"]["group"], with_group["log"]["stream"]) == (
        "/aws/rds/instance/db/error",
        "db.node1",
    )
    assert without["log"].keys() == {"type", "source", "record"}


def test_an_event_with_a_line_feed_in_it_shifts_no_other() -> None:
    events = [FLOW, b"what\nis this", b'{"srcaddr":\n"192.0.2.1"}', FLOW + b"\n", FLOW]

    (block,) = blocks("vpc_flow", [Records(1, events, keys=[b"a", b"b", b"c", b"d", b"e"])])

    found = {document["log"]["record"] for _, document in documents([block])}
    rejected = {reject.number: reject.raw for reject in block.rejects}
    assert {1, 5} <= found
    assert rejected[2] == events[1]
    assert found | {*rejected} == {1, 2, 3, 4, 5}
    assert not found & {*rejected}


def test_json_events_that_nobody_has_decoded_yet_are_decoded_one_by_one() -> None:
    events = [EVENT, b"no JSON", SEVERAL_LINES, b'{"eventTime":"2026-11-19T23:59:58Z"} ', b"\xff{}"]

    (block,) = blocks("cloudtrail", [Records(1, events)])

    assert {d["log"]["record"] for _, d in documents([block])} == {1, 3, 4}
    assert {reject.number for reject in block.rejects} == {2, 5}


@pytest.mark.parametrize("space", [b" ", b"\t", b"\r", b" \n "])
def test_spaces_around_a_json_event_are_none_of_its_document(space: bytes) -> None:
    (block,) = blocks("cloudtrail", [Records(1, [space + EVENT + space, EVENT])])

    assert [d["eventName"] for _, d in documents([block])] == ["GetObject"] * 2


@pytest.mark.parametrize(
    ("name", "record"),
    [("vpc_flow", FLOW), ("cloudtrail", EVENT), ("cloudtrail", SEVERAL_LINES)],
)
@pytest.mark.parametrize("hour", [2**31, -(2**40), 10**12])
def test_an_hour_that_cannot_be_true_dates_a_record_by_its_delivery(
    name: str, record: bytes, hour: int
) -> None:
    ((action, document),) = documents(blocks(name, [Records(1, [record], hour=hour)]))

    assert action["_index"].endswith(f"{SOURCE.delivered:%Y.%m.%d}")
    assert document["log"]["date_adjusted"] is True


def test_an_attempt_goes_on_in_the_middle_of_records_with_keys() -> None:
    records = Records(1, [EVENT] * 4, keys=[b"a", b"b", b"c", b"d"])

    found = documents(blocks("cloudtrail", [records], start=3))

    assert [action["_id"].rpartition("-")[2] for action, _ in found] == ["c", "d"]
