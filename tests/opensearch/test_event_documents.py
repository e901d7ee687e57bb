"""Events become the documents that the same records in an object become, but for their place."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from local.sample_logs import generate
from servicelogs import formats
from servicelogs.delivery.counts import SourceCounts
from servicelogs.detection.event_blocks import EventBlocks
from servicelogs.detection.log_events import EventTypes
from servicelogs.opensearch.client import connect
from servicelogs.opensearch.dated_indexes import every_index
from servicelogs.opensearch.documents import blocks_of, parsers_of
from servicelogs.opensearch.setup import set_up, template_check
from servicelogs.opensearch.writer import BulkWriter
from servicelogs.records import Block, Reject
from servicelogs.settings import IndexSettings, LogSettings, SearchSettings
from servicelogs.sources.kinesis import ShardRecords, StreamRecord
from servicelogs.sources.log_events import Envelopes
from tests.formats.parsing import SOURCE
from tests.sources.envelopes import CONTROL, GROUP, STREAM, envelope, event
from tests.sources.stream_events import stream_event

UNSAID = replace(SOURCE, account_id="", region="eu-west-1")
FLOW = "2 111122223333 eni-0a1b 192.0.2.1 192.0.2.2 1 2 6 12 5120 1795162490 1795162495 ACCEPT OK"
CUSTOM = ("action", "srcaddr", "end")
TRAIL = (
    '{"eventVersion":"1.11","eventTime":"2026-11-20T08:14:55Z","eventID":"own",'
    '"awsRegion":"eu-west-1","recipientAccountId":"444455556666"}'
)


def blocks(text: bytes, start: int = 1, **settings: Any) -> list[tuple[str, Block]]:
    identify = EventTypes(LogSettings(**settings)).identify
    runs = Envelopes(UNSAID, keeps_extracted_fields=True).cut([text])
    return [*EventBlocks(identify, parsers_of(every_index())).blocks(runs, start)]


def documents(found: Iterable[Block]) -> list[tuple[dict[str, str], dict[str, Any]]]:
    lines = [json.loads(line) for block in found for line in bytes(block.body).splitlines()]
    return list(zip((line["create"] for line in lines[::2]), lines[1::2], strict=True))


def own(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out what differs: the log stream, the record's number, when it was indexed."""
    log = {k: v for k, v in document["log"].items() if k not in ("group", "stream", "record")}
    return {k: v for k, v in document.items() if k != "event"} | {"log": log}


def messages_of(name: str, records: int) -> tuple[bytes, list[str]]:
    text = generate(name, records)
    if name == "cloudtrail":
        return text, [json.dumps(one) for one in json.loads(text)["Records"]]
    return text, text.decode().splitlines()[1:]


@pytest.mark.parametrize("name", ["vpc_flow", "cloudtrail"])
def test_events_become_the_documents_of_the_same_records_in_an_object(name: str) -> None:
    text, messages = messages_of(name, 50)
    in_object = documents(
        blocks_of(formats.get(name), [text], SOURCE, every_index().of(formats.get(name)))
    )

    found = blocks(b"".join(envelope(message) for message in messages))

    assert {log_type for log_type, _ in found} == {name}
    as_events = documents(block for _, block in found)
    assert [own(one) for _, one in as_events] == [own(one) for _, one in in_object]
    assert {(one["log"]["group"], one["log"]["stream"]) for _, one in as_events} == {
        (GROUP, STREAM)
    }


def test_a_custom_format_of_flow_logs_is_read_by_its_option() -> None:
    options = {"FlowLogFields": CUSTOM}
    ((name, block),) = blocks(envelope("ACCEPT 192.0.2.1 1795162495"), format_options=options)
    ((_, document),) = documents([block])
    assert (name, document["srcaddr"]) == ("vpc_flow", "192.0.2.1")


def test_each_record_of_a_stream_without_envelope_has_the_type_that_its_own_first_line_says() -> (
    None
):
    realtime = generate("cloudfront_realtime", 2).splitlines()
    data = [
        realtime[0],
        FLOW.encode(),
        b"odd",
        TRAIL.encode(),
        realtime[1],
        b"version x\n" + realtime[0],
    ]
    shard = ShardRecords([StreamRecord.of(record) for record in stream_event(*data)["Records"]])

    identify = EventTypes(LogSettings()).identify
    found = [*EventBlocks(identify, parsers_of(every_index())).blocks(shard.runs())]

    assert [(name, block.documents, len(block.rejects)) for name, block in found] == [
        ("cloudfront_realtime", 1, 0),
        ("vpc_flow", 1, 1),
        ("cloudtrail", 1, 0),
        ("cloudfront_realtime", 2, 1),
    ]
    assert [block.first for _, block in found] == [1, 2, 4, 5]


def test_ids_are_the_events_own_and_cloudtrails_stay_cloudtrails() -> None:
    ((_, flow), (_, trail)) = blocks(envelope(FLOW) + envelope(TRAIL))
    ((of_flow, _),) = documents([flow])
    ((of_trail, _),) = documents([trail])
    assert of_flow["_id"].endswith(f"-{1:056d}")
    assert of_trail["_id"] == "own"


def test_a_record_of_another_account_keeps_that_and_what_it_does_not_say_is_the_log_groups() -> (
    None
):
    found = blocks(envelope(TRAIL) + envelope(TRAIL.replace("444455556666", "")))
    clouds = [one["cloud"] for _, one in documents(block for _, block in found)]
    assert clouds == [
        {"account_id": "444455556666", "region": "eu-west-1"},
        {"account_id": "111122223333", "region": "eu-west-1"},
    ]


def test_events_of_a_type_that_is_not_read_are_filtered_and_counted() -> None:
    ((name, block),) = blocks(envelope(FLOW, FLOW), log_types=("cloudtrail",))
    assert (name, block.filtered, block.records) == ("vpc_flow", {"not among LogTypes": 2}, 2)


def test_events_of_no_known_type_are_rejects_that_say_where_they_come_from() -> None:
    ((name, block),) = blocks(envelope("hello", "world"))
    assert (name, block.documents) == ("unknown", 0)
    first, second = block.rejects
    assert (first.raw, second.raw) == (b"hello", b"world")
    assert first.source
    assert (first.source.log_group, first.source.log_stream) == (GROUP, STREAM)
    assert first.time == b"2026-11-20T08:14:55.124"
    assert first.id == f"{first.source.id}-{1:056d}"
    assert first.reason.endswith(
        "choose their type with StreamLogType, or do not send them to the stream"
    )


def test_a_message_that_does_not_match_is_a_reject_with_the_events_id() -> None:
    ((_, block),) = blocks(envelope(FLOW, "what is this", FLOW))
    (reject,) = block.rejects
    assert (reject.number, reject.raw, reject.id[-3:]) == (2, b"what is this", "002")
    assert reject.time
    assert block.documents == 2


@pytest.mark.parametrize("start", range(1, 8))
def test_an_attempt_goes_on_from_any_event(start: int) -> None:
    hours = [event(n, FLOW, timestamp=1795162495123 + n * 1_800_000) for n in range(3)]
    text = envelope(*hours) + CONTROL + envelope("?") + envelope(FLOW, "?")
    found = blocks(text, start)
    numbers = {one["log"]["record"] for _, one in documents(block for _, block in found)}
    numbers |= {reject.number for _, block in found for reject in block.rejects}
    assert numbers == {*range(start, 7)}


def test_what_a_filter_extracted_lies_in_the_frame() -> None:
    fields = {"1": "ACCEPT", "$name": 'a"b'}
    ((_, block),) = blocks(envelope(event(1, FLOW, extractedFields=fields)))
    ((_, document),) = documents([block])
    assert document["log"]["extracted_fields"] == fields


def test_records_go_on_in_events_in_which_a_filter_found_something_else() -> None:
    line = "2026-11-20 08:14:55 UTC::@:[355]:LOG:  statement: "
    messages = ("\tcontinued", f"{line}select", "\t1", "\tfrom t", f"{line}select 2")
    text = envelope(
        *(event(n, one, extractedFields={"1": one}) for n, one in enumerate(messages, 1)),
        logGroup="/aws/rds/instance/shop/postgresql",
    )
    found = [document for _, document in documents(block for _, block in blocks(text))]
    statements = [one.get("statement") for one in found]
    assert statements == [None, "select\n\t1\n\tfrom t", "select 2"]
    extracted = [one["log"]["extracted_fields"]["1"] for one in found]
    assert extracted == [messages[0], messages[1], messages[4]]
    assert [one["log"].get("continuation") for one in found] == [True, None, None]


def test_a_log_groups_name_decides_before_its_messages_and_what_is_assigned_before_both() -> None:
    types = EventTypes(LogSettings())
    ((source, run),) = Envelopes(SOURCE).cut([envelope(FLOW)])
    named = replace(source, log_group="aws-cloudtrail-logs-111122223333-0a1b2c3d")
    assert types.identify(source, run).format.name == "vpc_flow"  # type: ignore[arg-type]
    assert types.identify(named, run).format.name == "cloudtrail"  # type: ignore[arg-type]
    assert types.identify(named, run, "waf").format.name == "waf"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("group", "level", "filtered"),
    [
        ("/shop/flows", "ACCOUNT_LEVEL_POLICY", 0),
        ("/other/flows", "ACCOUNT_LEVEL_POLICY", 2),
        ("/other/flows", "", 0),
    ],
)
def test_an_accounts_subscription_is_read_of_log_groups_under_the_prefix_alone(
    group: str, level: str, filtered: int
) -> None:
    """A filter that was put on a group says itself that the group is to be read."""
    _, messages = messages_of("vpc_flow", 2)
    more = {"policyLevel": level} if level else {}
    text = envelope(*messages, logGroup=group, **more)
    ((_, block),) = blocks(text, log_group_prefix="/shop/")
    assert sum(block.filtered.values()) == filtered
    assert set(block.filtered) <= {"outside LogGroupPrefix"}
    assert len(documents([block])) == 2 - filtered


def test_without_a_prefix_an_accounts_subscription_is_read_whole() -> None:
    _, messages = messages_of("vpc_flow", 2)
    ((log_type, block),) = blocks(envelope(*messages, policyLevel="ACCOUNT_LEVEL_POLICY"))
    assert log_type == "vpc_flow"
    assert not block.filtered


ODD_NAMES = ["", ".", "..", "a.", ".a", "a..b", "$.user.name", "a b", "_id", 'q"', "\x00", "é", "1"]


def test_the_engine_takes_whatever_names_and_values_a_filter_extracted(opensearch: str) -> None:
    events = [
        event(number, FLOW, extractedFields={name: "x" * 40_000, "a": "b", "a.b": "c"})
        for number, name in enumerate(ODD_NAMES)
    ]
    settings = IndexSettings(prefix=f"test-{uuid.uuid4().hex[:12]}", period="year", replicas=0)
    client = connect(SearchSettings(endpoint=opensearch, auth="none"))
    set_up(client, settings, ("vpc_flow",))
    writer = BulkWriter(
        client, seconds_left=lambda: 60, ensure_template=template_check(client, settings)
    )
    rejects: list[Reject] = []
    counts = SourceCounts(SOURCE, "vpc_flow", rejects.append)
    identify = EventTypes(LogSettings()).identify
    runs = Envelopes(UNSAID, keeps_extracted_fields=True).cut([envelope(*events)])
    for _, block in EventBlocks(identify, parsers_of(every_index(settings.prefix))).blocks(runs):
        writer.add(block, counts)
    writer.flush()
    assert [reject.reason for reject in rejects] == []
    assert counts.indexed == len(ODD_NAMES)


def test_a_record_that_goes_on_in_another_hour_is_one_document_dated_by_the_first_event() -> None:
    hour = 3_600_000
    line = "2026-11-20 08:59:59 UTC:192.0.2.5(40112):app@shop:[123]:LOG:  statement: select"
    text = envelope(
        event(1, line, timestamp=1795165199999),
        event(2, "\t1;", timestamp=1795165199999 + hour),
        logGroup="/aws/rds/instance/shop/postgresql",
        logStream="shop.0",
    )
    ((name, block),) = blocks(text)
    ((action, document),) = documents([block])
    assert (name, action["_index"]) == ("rds", "aws-rds-2026.11.20")
    assert "1;" in json.dumps(document)
    assert action["_id"].endswith(f"-{1:056d}")
