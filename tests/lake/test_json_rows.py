"""JSON records become the rows that the oracle says, whatever they hold and however they come."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import sample_logs
from servicelogs import formats
from servicelogs.dates import DatePolicy
from servicelogs.lake import json_rows
from servicelogs.lake.json_rows import JsonGatherer
from servicelogs.lake.json_structs import MOST_LEARNED
from servicelogs.lake.schema import PARTITION, arrow_schema
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.framing import MAX_RECORD_BYTES
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.json.values import decode
from servicelogs.parsing.reader import Parser, read
from servicelogs.records import Block, Records, Reject, Source
from tests.formats.parsing import SOURCE, fresh
from tests.lake.mutations import as_written, mutations
from tests.lake.oracle import (
    DEFAULT_PLACE,
    Row,
    columns_of,
    comparable,
    records_of,
    rows_of,
    settled,
)
from tests.lake.samples import Sample, samples
from tests.properties import examples

pytestmark = pytest.mark.slow

FEW = examples(0.5)
JSON_FORMATS = [name for name in formats.NAMES if formats.get(name).kind == "json"]
SILENT = replace(SOURCE, account_id="", region="")

type BlocksOf = Callable[[Parser], Iterable[Block]]
"""Gives records to a parser, and what it makes of them."""


@dataclass
class Gathered:
    """What became of records."""

    rows: list[Row] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    misfits: Counter[str] = field(default_factory=Counter)

    @property
    def rejects(self) -> list[Reject]:
        return [reject for block in self.blocks for reject in block.rejects]


def gathered(
    log_format: JsonFormat,
    *sources: tuple[Source, BlocksOf],
    dates: DatePolicy | None = None,
) -> Gathered:
    """Gather the rows of sources, one after the other."""
    gatherer = JsonGatherer(log_format, dates or DatePolicy(), DEFAULT_PLACE)
    found, batches = Gathered(), []
    for source, blocks_of in sources:
        for block in blocks_of(gatherer.parser_of(source)):
            found.blocks.append(block)
            batches += gatherer.batches()
    batches += gatherer.finish()
    schema = arrow_schema(log_format)
    for batch in batches:
        batch.validate(full=True)
        assert batch.schema.names == [*schema.names, *PARTITION]
        assert all(batch.schema.field(one.name).type == one.type for one in schema)
        found.rows += batch.to_pylist()
    found.misfits = gatherer.misfits
    assert sum(block.documents for block in found.blocks) == len(found.rows)
    return found


def reading(data: bytes, start: int = 1, size: int = 0) -> BlocksOf:
    chunks = [data[at : at + size] for at in range(0, len(data), size)] if size else [data]
    return lambda parser: read(parser.cut(chunks), parser, start)


def in_order(rows: Iterable[Row], log_format: JsonFormat) -> list[Row]:
    """Give rows so that they can be compared."""
    own = columns_of(log_format)
    found = [comparable(row, own) | {name: row[name] for name in PARTITION} for row in rows]
    return sorted(found, key=lambda row: (row["log_source"], row["log_record"]))


def check(log_format: JsonFormat, source: Source, blocks_of: BlocksOf) -> Gathered:
    """Check that rows are the oracle's, and that the same is rejected as in OpenSearch."""
    found = gathered(log_format, (source, blocks_of))
    expected = rows_of(log_format, source, blocks_of)
    assert in_order(found.rows, log_format) == in_order(expected, log_format)
    of_documents = blocks_of(parser_of(log_format, source, one_index("an-index")))
    assert found.rejects == [reject for block in of_documents for reject in block.rejects]
    return found


def records_at_once(*items: bytes) -> BlocksOf:
    return lambda parser: [parser.take(Records(1, [*items]), 0)]


def one(name: str, raw: bytes | str, source: Source = SOURCE) -> Gathered:
    """Check the row of one record."""
    return check(
        fresh(name), source, records_at_once(raw if isinstance(raw, bytes) else raw.encode())
    )


def event(**members: Any) -> str:
    return json.dumps({"eventTime": "2026-11-20T08:14:55Z", **members})


@cache
def samples_of(name: str) -> list[Sample]:
    return [sample for sample in samples() if sample.log_format.name == name]


@cache
def records(name: str) -> list[dict[str, Any]]:
    return [
        settled(decode(record.raw))
        for sample in samples_of(name)
        for record in records_of(sample.log_format, sample.source, sample.blocks_of)
    ]


@pytest.mark.parametrize("name", JSON_FORMATS)
def test_rows_of_all_samples_are_the_oracles(name: str) -> None:
    rows = 0
    for sample in samples_of(name):
        rows += len(check(fresh(name), sample.source, sample.blocks_of).rows)

    assert rows > 200


@pytest.mark.parametrize("name", JSON_FORMATS)
def test_rows_of_consecutive_sources_are_turned_together(name: str) -> None:
    found = samples_of(name)
    sources = [replace(one.source, uri=f"{one.source.uri}{n}") for n, one in enumerate(found)]

    together = gathered(
        fresh(name), *((s, one.blocks_of) for s, one in zip(sources, found, strict=True))
    )

    each = [
        row
        for source, one in zip(sources, found, strict=True)
        for row in rows_of(one.log_format, source, one.blocks_of)
    ]
    log_format = formats.get(name)
    assert in_order(together.rows, log_format) == in_order(each, log_format)


@pytest.mark.parametrize("name", JSON_FORMATS)
@pytest.mark.parametrize("size", [97, 4096])
def test_rows_are_the_same_however_a_text_comes(name: str, size: int) -> None:
    data = sample_logs.generate(name, 60)
    log_format = formats.get(name)

    bit_by_bit = gathered(log_format, (SOURCE, reading(data, size=size)))

    assert bit_by_bit.rows == gathered(log_format, (SOURCE, reading(data))).rows


@pytest.mark.parametrize("name", JSON_FORMATS)
@pytest.mark.parametrize("start", [2, 31, 60, 61])
def test_rows_go_on_where_an_earlier_attempt_stopped(name: str, start: int) -> None:
    data = sample_logs.generate(name, 60)
    log_format = formats.get(name)
    whole = gathered(log_format, (SOURCE, reading(data)))

    rest = gathered(log_format, (SOURCE, reading(data, start)))

    assert rest.rows == [row for row in whole.rows if row["log_record"] >= start]


@pytest.mark.parametrize("rows", [1, 7])
def test_rows_are_the_same_however_many_are_turned_together(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = sample_logs.generate("waf", 40)
    expected = gathered(fresh("waf"), (SOURCE, reading(data))).rows
    monkeypatch.setattr(json_rows, "ROWS", rows)

    assert gathered(fresh("waf"), (SOURCE, reading(data, size=2048))).rows == expected


@pytest.mark.parametrize("name", JSON_FORMATS)
@pytest.mark.parametrize("cut", [True, False])
@FEW
@given(data=st.data())
def test_whatever_records_hold_their_rows_are_the_oracles(
    name: str, cut: bool, data: st.DataObject
) -> None:
    bases = data.draw(st.lists(st.sampled_from(records(name)), min_size=1, max_size=4))
    raws = [as_written(data.draw(mutations(base))) for base in bases]
    blocks_of = reading(b"\n".join(raws)) if cut else records_at_once(*raws)

    check(shared(name), data.draw(st.sampled_from([SOURCE, SILENT])), blocks_of)


@cache
def shared(name: str) -> JsonFormat:
    """Give a format that learns from one example to the next."""
    return fresh(name)


@pytest.mark.parametrize(
    "item",
    [
        "{",
        "[]",
        '{"eventTime":7}',
        '{"eventTime":"2026-11-20 08:14:55"}',
        '{"eventTime":"2026-02-30T08:14:55Z"}',
        '{"eventID":"x"}',
        event(requestParameters=float("nan")),
        event(a=float("inf")),
        '{"eventTime":"2026-11-20T08:14:55Z","a":' + "[" * 20_000 + "]" * 20_000 + "}",
        event(a="x" * MAX_RECORD_BYTES),
        '{"eventTime":1e400}',
    ],
    ids=lambda item: item[:50],
)
def test_what_opensearch_does_not_get_is_no_row_for_the_same_reason(item: str) -> None:
    found = one("cloudtrail", item)

    assert not found.rows
    assert len(found.rejects) == 1


@pytest.mark.parametrize(
    "item",
    [
        event(userAgent="half a pair: \ud800", requestParameters={"\udc00": "\ud800"}),
        event(userAgent="nul: \0").encode().replace(b"\\u0000", b"\0"),
        event(userAgent="nul: \0", requestParameters={"a": "\0"}),
        event(userAgent="not UTF-8: @").encode().replace(b"@", b"\xff"),
        '{"eventTime":"2026-11-20T08:14:55Z",\n\t"requestParameters": {\n"a" : [1,\n2]}}\r',
        '{"eventTime":"2026-11-20T08:14:55Z","userAgent":"a","userAgent":"b","c":1,"c":2}',
        '{"eventTime":"x","eventTime":"2026-11-20T08:14:55Z"}',
        event(requestParameters={"bucketName": 7, "key": "k", "roleArn": {"a": [1e300]}}),
        event(requestParameters=["bucketName"]),
        event(requestParameters="bucketName", responseElements=1.5, additionalEventData=None),
        '{"eventTime":"2026-11-20T08:14:55Z","requestParameters":{"key":"k","n":1e999}}',
        event(eventID="a", eventId="b"),
        event(eventID=[], eventId="b"),
        event(eventId="b"),
        event(resources=[None, {"ARN": "a", "new": 1}, 7, {"accountId": []}]),
        event(resources={"ARN": "a"}, userIdentity=[], readOnly="false", managementEvent=1),
        event(userIdentity={}, tlsDetails={"tlsVersion": 1.10}, sessionCredentialFromConsole=True),
        event(log={"type": "a"}, cloud="b", request="c", event={}, **{"@timestamp": 1, "a.b": 2}),
        event(**{"": 1, "a b": 2, 'a"b': 3, "a\\b": 4, "a`b": 5, "é": 6, "a\nb": 7}),
    ],
    ids=lambda item: str(item)[:60],
)
@pytest.mark.parametrize("source", [SOURCE, SILENT], ids=["placed", "silent"])
def test_an_odd_record_is_the_oracles_row(item: str | bytes, source: Source) -> None:
    assert len(one("cloudtrail", item, source).rows) == 1


def test_a_free_form_value_nests_as_deep_as_json_can_be_read() -> None:
    deep = '{"key":' * 3000 + "1" + "}" * 3000
    odd = ',"userAgent":[],"new":' + deep

    found = gathered(
        fresh("cloudtrail"),
        (SOURCE, records_at_once(*(_with_parameters(deep, rest) for rest in ("", odd)))),
    )

    assert [row["requestparameters"] for row in found.rows] == [deep] * 2
    assert found.rows[1]["extra_fields"] == f'{{"new":{deep},"userAgent":[]}}'


def test_lists_that_hold_each_other_are_left_over() -> None:
    deep = "[" * 3000 + "]" * 3000
    record = f'{{"eventTime":"2026-11-20T08:14:55Z","resources":{deep}}}'.encode()

    (row,) = gathered(fresh("cloudtrail"), (SOURCE, records_at_once(record))).rows

    assert row["resources"] == [None]
    assert row["extra_fields"] == f'{{"resources":{deep}}}'


def _with_parameters(value: str, rest: str) -> bytes:
    time = '"eventTime":"2026-11-20T08:14:55Z"'
    return f'{{{time},"requestParameters":{value}{rest}}}'.encode()


@pytest.mark.parametrize(
    "headers",
    [
        [{"name": "Host", "value": 7}, {"name": "HOST", "value": "b"}, {"name": "host"}],
        [None, {"name": "Referer", "value": "r"}, {"name": None}, {"value": "v"}],
        [{"name": 7, "value": "v"}, {"name": True, "value": "w"}, "host"],
        {"name": "host", "value": "v"},
        [{"name": "host", "value": "v", "new": 1}, {"name": "origin", "value": "\ud800"}],
        [],
        None,
    ],
    ids=str,
)
def test_promoted_headers_are_those_of_the_document(headers: Any) -> None:
    record = {"timestamp": 1795162495001, "httpRequest": {"headers": headers}}

    assert one("waf", json.dumps(record)).rows


@pytest.mark.parametrize(
    "time", [-1, 0, 1795162495001, 253402300799999, 253402300800000, 1.5, True, "1795162495001"]
)
def test_milliseconds_are_the_time_of_a_row_or_its_record_is_rejected(time: Any) -> None:
    one("waf", json.dumps({"timestamp": time}))


def test_a_value_that_does_not_fit_is_whole_in_extra_fields_and_counted() -> None:
    found = one("cloudtrail", event(userIdentity={"arn": ["a"], "type": "Root"}, readOnly="no"))

    (row,) = found.rows
    assert json.loads(row["extra_fields"]) == {"userIdentity": {"arn": ["a"]}, "readOnly": "no"}
    assert row["useridentity"]["type"] == "Root"
    assert found.misfits == {"useridentity.arn": 1, "readonly": 1}


def test_one_misfit_in_many_rows_changes_no_other() -> None:
    items = [event(eventID=str(n)).encode() for n in range(500)]
    items[250] = event(eventID="250", userIdentity={"arn": ["a"]}, readOnly="maybe").encode()

    found = check(fresh("cloudtrail"), SOURCE, records_at_once(*items))

    assert found.misfits == {"useridentity.arn": 1, "readonly": 1}
    assert [row["log_record"] for row in found.rows if row["extra_fields"]] == [251]


def test_a_member_of_next_year_is_learned_and_kept_from_the_first_record_on() -> None:
    log_format = fresh("waf")
    items = [
        {"timestamp": 1795162495001},
        {"timestamp": 1795162495002, "ruleGroupList": [{"new": None}]},
        {"timestamp": 1795162495003, "ruleGroupList": [{}, {"new": {"a": 1}}], "top": 1},
        {"timestamp": 1795162495004, "ruleGroupList": [{"new": 2}]},
    ]

    found = check(log_format, SOURCE, records_at_once(*(json.dumps(i).encode() for i in items)))

    assert [row["extra_fields"] and json.loads(row["extra_fields"]) for row in found.rows] == [
        None,
        None,
        {"ruleGroupList": [None, {"new": {"a": 1}}], "top": 1},
        {"ruleGroupList": [{"new": 2}]},
    ]
    assert not found.misfits
    structs = json_rows.compiled(log_format).structs
    assert structs.decode(json.dumps(items[3]).encode())  # no record is decoded twice for it


@pytest.mark.parametrize("number", ["7", "1e400", "9007199254740993.0"])
def test_a_number_has_no_column_among_promoted_texts(number: str) -> None:
    parameters = f'{{"roleArn":{number},"bucketName":"b"}}'
    items = [event(requestParameters=None).replace("null", parameters).encode()]

    (row,) = check(fresh("cloudtrail"), SOURCE, records_at_once(*items)).rows

    assert {name: value for name, value in row["request"].items() if value} == {"bucketname": "b"}


def test_names_without_number_are_kept_and_not_all_learned() -> None:
    log_format = fresh("cloudtrail")
    items = [event(**{f"new{n}": n, "known": n}).encode() for n in range(3 * MOST_LEARNED)]

    found = check(log_format, SOURCE, records_at_once(*items))

    assert json.loads(found.rows[-1]["extra_fields"]) == {
        "known": 3 * MOST_LEARNED - 1,
        f"new{3 * MOST_LEARNED - 1}": 3 * MOST_LEARNED - 1,
    }
    shape = json_rows.compiled(log_format).structs.shape
    assert len(shape.extra_slots) == MOST_LEARNED


def test_what_is_learned_of_one_object_does_not_disturb_rows_gathered_before() -> None:
    log_format = fresh("cloudtrail")
    first, second = event(eventID="a").encode(), event(eventID="b", new=1).encode()
    other = replace(SOURCE, uri="s3://logs/other")

    found = gathered(
        log_format, (SOURCE, records_at_once(first)), (other, records_at_once(second, first))
    )

    assert [row["extra_fields"] for row in found.rows] == [None, '{"new":1}', None]


def test_expired_records_are_counted_and_no_rows() -> None:
    old = event(eventTime="2025-01-01T00:00:00Z", readOnly="odd").encode()
    older = event(eventTime="2024-01-01T00:00:00Z", userAgent=[]).encode()
    dates = DatePolicy(30, now=lambda: datetime(2026, 11, 21, tzinfo=UTC))
    found = gathered(
        fresh("cloudtrail"), (SOURCE, records_at_once(old, event().encode(), older)), dates=dates
    )

    assert [row["log_record"] for row in found.rows] == [2]
    (block,) = found.blocks
    assert block.filtered == {"expired": 2}
    assert block.records == 3


def test_log_events_are_dated_by_the_hour_of_their_group() -> None:
    hour = (datetime(2026, 11, 19, 7, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        hours=1
    )
    items = [event().encode(), b'{"eventName":"x"}', event(userAgent=[]).encode()]
    times = [b"2026-11-19T07:00:01.5"] * 3
    log_format = fresh("cloudtrail")

    found = gathered(
        log_format,
        (SOURCE, lambda parser: [parser.take(Records(1, items, hour=hour, times=times), 0)]),
    )

    assert {row["event_day"] for row in found.rows} == {"2026-11-19"}
    assert [row["event_time"].isoformat() for row in found.rows] == [
        "2026-11-20T08:14:55+00:00",
        "2026-11-19T07:00:01.500000+00:00",
        "2026-11-20T08:14:55+00:00",
    ]
