"""The oracle holds what it says of rows: nothing of a record is missing, and Parquet holds it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.lake.schema import (
    PARTITION,
    LakeColumn,
    arrow_schema,
    column_name,
    columns,
    frame_columns,
)
from servicelogs.parsing.fields import Field, FieldType
from servicelogs.parsing.frame import PROMOTED
from servicelogs.parsing.json.values import decode
from servicelogs.parsing.reader import Parser
from servicelogs.records import Block, Records
from tests.formats.parsing import SOURCE
from tests.lake.made_up_format import MadeUp
from tests.lake.mutations import as_written, mutations
from tests.lake.oracle import (
    FRAME_MEMBERS,
    Record,
    Row,
    columns_of,
    comparable,
    divide_members,
    json_text,
    json_value,
    members_of,
    records_of,
    row_of,
    rows_of,
    settled,
)
from tests.lake.samples import Sample, samples
from tests.properties import examples

pytestmark = pytest.mark.slow

FEW = examples(0.2)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
JSON_FORMATS = [name for name in formats.NAMES if formats.get(name).kind == "json"]
OTHER_FORMATS = [name for name in formats.NAMES if name not in JSON_FORMATS]


@cache
def all_samples() -> list[Sample]:
    return [*samples()]


def samples_of(log_type: str) -> list[Sample]:
    return [sample for sample in all_samples() if sample.log_format.name == log_type]


@cache
def records(log_type: str) -> list[Record]:
    found = (
        record
        for sample in samples_of(log_type)
        for record in records_of(sample.log_format, sample.source, sample.blocks_of)
    )
    return [*found]


def one_record(raw: bytes) -> Callable[[Parser], Iterable[Block]]:
    return lambda parser: [parser.take(Records(1, [raw]), 0)]


def through_parquet(log_type: str, rows: list[Row]) -> list[Row]:
    # Not a file of Python's: a thread of Arrow's that lets go of one while Python ends aborts it.
    file = pyarrow.BufferOutputStream()
    table = pyarrow.Table.from_pylist(rows, schema=arrow_schema(formats.get(log_type)))
    pyarrow.parquet.write_table(table, file)
    read = pyarrow.parquet.read_table(pyarrow.BufferReader(file.getvalue()))
    found: list[Row] = read.to_pylist()
    return found


type Leaves = Counter[tuple[str, Any]]
"""Values that are not null, each with its path as columns have it."""


def leaves_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give what a record says, by the names that columns would have."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves_of(one, f"{path}.{column_name(name)}")
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from leaves_of(one, f"{path}[{at}]")
    elif value is not None:
        yield path, plain(value)


def plain(value: Any) -> Any:
    """Give a value so that what columns do to it makes no difference, and all else does."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="microseconds")
    text = str(value)
    try:
        number = Decimal(text)
        if number.is_finite():
            return number if number == number.to_integral_value() else float(number)
    except ArithmeticError:
        pass
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="microseconds")
    except ValueError:
        return text


def leaves_of_row(row: Row, columns: tuple[LakeColumn, ...], path: str = "") -> Iterator[Any]:
    for column in columns:
        name = f"{path}.{column_name(column.paths[0])}"
        values = row[column.name]
        if not column.many:
            yield from _leaves_of_column(values, column, name)
        for at, value in enumerate((values or []) if column.many else []):
            yield from _leaves_of_column(value, column, f"{name}[{at}]")


def _leaves_of_column(value: Any, column: LakeColumn, path: str) -> Iterator[Any]:
    if value is None:
        return
    if column.kind is None:
        yield from leaves_of_row(value, column.members, path)
    elif column.kind == "json":
        yield from leaves_of(json_value(value), path)
    elif column.date_format:
        unit = {"epoch_second": 1000, "epoch_millis": 1}[column.date_format]
        yield path, Decimal((value - EPOCH) // timedelta(milliseconds=unit))
    else:
        yield path, plain(value)


def missing_of(log_type: str, record: Record, row: Row) -> Leaves:
    """Find what a record says and its row does not, and what only the row says."""
    log_format = formats.get(log_type)
    said = Counter(leaves_of(members_of(log_format, settled(record.document), record.raw)))
    if log_format.kind != "json":
        said.update(leaves_of(settled(record.document.get("extra_fields"))))
    of_frame = {*frame_columns(log_format).values()}
    own = tuple(
        column
        for column in columns_of(log_format)
        if column.name not in of_frame
        and not (log_format.kind == "json" and column.paths == (PROMOTED,))
    )
    held = Counter(leaves_of_row(row, own))
    held.update(leaves_of(json_value(row["extra_fields"] or "null")))
    return Counter(
        {leaf: said[leaf] - held[leaf] for leaf in said | held if said[leaf] != held[leaf]}
    )


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_sample_record_survives_as_a_row_of_a_parquet_file(name: str) -> None:
    rows = [row_of(formats.get(name), record.document, record.raw) for record in records(name)]

    assert len(rows) > 200
    assert through_parquet(name, rows) == rows


@pytest.mark.parametrize("name", formats.NAMES)
def test_nothing_of_a_sample_record_is_missing_in_its_row(name: str) -> None:
    for record in records(name):
        row = row_of(formats.get(name), record.document, record.raw)

        assert not missing_of(name, record, row), record


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_row_belongs_to_a_partition(name: str) -> None:
    sample = next(one for one in samples_of(name) if one.name.startswith(f"{name}/documented"))
    silent = replace(sample.source, account_id="", region="")

    rows = rows_of(sample.log_format, silent, sample.blocks_of)

    assert rows
    assert all(row[part] for row in rows for part in PARTITION)


def test_a_record_whose_date_cannot_be_is_of_the_day_of_its_delivery() -> None:
    raw = as_written({"eventTime": "2031-01-01T08:14:55Z"})

    (row,) = rows_of(formats.get("cloudtrail"), SOURCE, one_record(raw))

    assert (row["event_day"], row["date_adjusted"]) == ("2026-11-20", True)
    assert row["event_time"] == datetime(2031, 1, 1, 8, 14, 55, tzinfo=UTC)


@pytest.mark.parametrize("name", JSON_FORMATS)
@FEW
@given(data=st.data())
def test_whatever_a_json_record_says_is_in_its_row(name: str, data: st.DataObject) -> None:
    base = settled(decode(data.draw(st.sampled_from(records(name))).raw))
    raw = as_written(data.draw(mutations(base)))

    for record in records_of(formats.get(name), SOURCE, one_record(raw)):
        row = row_of(formats.get(name), record.document, record.raw)

        assert not missing_of(name, record, row)
        assert through_parquet(name, [row]) == [row]


@pytest.mark.parametrize("name", OTHER_FORMATS)
@FEW
@given(data=st.data())
def test_whatever_a_document_says_is_in_its_row(name: str, data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(records(name)))
    frame = {member: one for member, one in record.document.items() if member in FRAME_MEMBERS}
    own = {member: one for member, one in record.document.items() if member not in FRAME_MEMBERS}
    changed = data.draw(mutations(settled(own)))
    record = record._replace(
        document=frame | {name: one for name, one in changed.items() if name not in FRAME_MEMBERS}
    )
    row = row_of(formats.get(name), record.document, record.raw)

    assert not missing_of(name, record, row)
    assert through_parquet(name, [row]) == [row]


LEFT = object()
"""Stands for a value that is null in its column, and whole in `extra_fields`."""

MOMENT = datetime(2026, 11, 20, 8, 14, 55, tzinfo=UTC)

VALUES: dict[FieldType, dict[str, Any]] = {
    "keyword": {
        '"é\\u0000"': "é\0",
        '""': "",
        "7": "7",
        "1.50": "1.5",
        "0.1234567890123456789": "0.1234567890123456789",
        "true": "true",
        '{"b":1}': LEFT,
        '["b"]': LEFT,
        "null": None,
    },
    "integer": {
        "7": 7,
        "-2147483648": -(2**31),
        "2147483648": LEFT,
        "7.0": 7,
        "7.5": LEFT,
        '"7"': 7,
        '"-7"': -7,
        '"0"': 0,
        '"-0"': LEFT,
        '"007"': LEFT,
        '"+7"': LEFT,
        '"7.0"': LEFT,
        '""': LEFT,
        '" 7"': LEFT,
        '"\\u0667"': LEFT,
        "true": LEFT,
        "[7]": LEFT,
    },
    "long": {
        "9223372036854775807": 2**63 - 1,
        "9223372036854775808": LEFT,
        '"-9223372036854775808"': -(2**63),
        "1e18": 10**18,
        "1e19": LEFT,
        "9007199254740993.0": LEFT,
        f'"{"9" * 5000}"': LEFT,
    },
    "float": {
        "7": 7.0,
        "0.1234567890123456789": 0.12345678901234568,
        "9007199254740993": LEFT,
        "1e400": LEFT,
        "9" * 400: LEFT,
        '"1.5e3"': 1500.0,
        '"1e400"': LEFT,
        '"NaN"': LEFT,
        '".5"': LEFT,
        '"1_0"': LEFT,
        "false": LEFT,
    },
    "boolean": {
        "true": True,
        '"false"': False,
        '"True"': LEFT,
        '""': LEFT,
        "1": LEFT,
        "[true]": LEFT,
    },
    "timestamp": {
        '"2026-11-20T08:14:55Z"': MOMENT,
        '"2026-11-20T08:14:55.123456789Z"': MOMENT.replace(microsecond=123456),
        '"2026-11-20T08:14:55.5Z"': MOMENT.replace(microsecond=500000),
        '"2026-02-30T08:14:55Z"': LEFT,
        '"2026-11-20T24:00:00Z"': LEFT,
        '"0000-11-20T08:14:55Z"': LEFT,
        '"2026-11-20T08:14:55+00:00"': LEFT,
        '"2026-11-20 08:14:55Z"': LEFT,
        "1763626495": LEFT,
    },
    "flat_object": {
        '{"b":[1,null]}': '{"b":[1,null]}',
        "7": "7",
        '"b"': '"b"',
        "1e400": "1e400",
        "null": None,
    },
}

EPOCHS: dict[str, dict[str, Any]] = {
    "epoch_second": {
        "1795162495": MOMENT,
        '"1795162495"': MOMENT,
        "0": EPOCH,
        "-62135596800": datetime(1, 1, 1, tzinfo=UTC),
        "-62135596801": LEFT,
        "253402300799": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        "253402300800": LEFT,
        "9223372036854775807": LEFT,
        "1.5": LEFT,
        '"2026-11-20T08:14:55Z"': LEFT,
    },
    "epoch_millis": {
        "1795162495001": MOMENT.replace(microsecond=1000),
        "253402300800000": LEFT,
    },
}


def divided(text: str, *fields: Field) -> tuple[Row, Any]:
    """Divide a record between the columns of fields and what is left over."""
    made_up = MadeUp(*fields)
    of_frame = frame_columns(made_up).values()
    own = [column for column in columns(made_up) if column.name not in of_frame]
    values, left = divide_members(settled(decode(text.encode())), own)
    return values, json_value(json_text(left))


def check(text: str, expected: Any, field: Field) -> None:
    values, left = divided(f'{{"a":{text}}}', field)

    is_left = expected is LEFT
    assert values == {"a": None if is_left else expected}
    assert type(values["a"]) is type(None if is_left else expected)
    assert left == (json_value(f'{{"a":{text}}}') if is_left else {})


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        pytest.param(type_, text, expected, id=f"{type_} {text[:30]}")
        for type_, cases in VALUES.items()
        for text, expected in cases.items()
    ],
)
def test_a_value_is_what_its_column_holds_of_it_or_left_over_whole(
    type_: FieldType, text: str, expected: Any
) -> None:
    check(text, expected, Field("a", type_))


@pytest.mark.parametrize(
    ("date_format", "text", "expected"),
    [(date_format, *case) for date_format, cases in EPOCHS.items() for case in cases.items()],
)
def test_a_time_counted_from_1970_is_a_whole_number_that_a_calendar_has(
    date_format: str, text: str, expected: Any
) -> None:
    check(text, expected, Field("a", "timestamp", date_format=date_format))


RULES = (Field("rules[].id", "keyword"), Field("rules[].tags[]", "keyword"))


@pytest.mark.parametrize(
    ("text", "rules", "left"),
    [
        ("null", None, None),
        ("[]", [], None),
        ("[null,{}]", [None, {"id": None, "tags": None}], None),
        ('{"id":"r"}', None, {"id": "r"}),
        ('[{"id":"r"},7]', [{"id": "r", "tags": None}, None], [None, 7]),
        (
            '[{"id":[]},{"id":"r"}]',
            [{"id": None, "tags": None}, {"id": "r", "tags": None}],
            [{"id": []}, None],
        ),
        (
            '[{"tags":["a",null,{"b":1}]}]',
            [{"id": None, "tags": ["a", None, None]}],
            [{"tags": [None, None, {"b": 1}]}],
        ),
        ('[{"new":0,"newer":null}]', [{"id": None, "tags": None}], [{"new": 0}]),
        ('[{"tags":"a"}]', [{"id": None, "tags": None}], [{"tags": "a"}]),
    ],
)
def test_what_does_not_fit_in_a_list_is_left_over_at_its_place(
    text: str, rules: Any, left: Any
) -> None:
    expected = {} if left is None else json_value(json.dumps({"rules": left}))

    assert divided(f'{{"rules":{text}}}', *RULES) == ({"rules": rules}, expected)


def test_an_object_is_left_over_where_a_value_is_declared_and_a_value_where_an_object_is() -> None:
    field = Field("user.name", "keyword")

    assert divided('{"user":"me"}', field) == ({"user": None}, {"user": "me"})
    assert divided('{"user":{"name":{}}}', field) == (
        {"user": {"name": None}},
        {"user": {"name": {}}},
    )
    assert divided('{"user":{}}', field) == ({"user": {"name": None}}, {})
    assert divided('{"user.name":"me"}', field) == ({"user": None}, {"user.name": "me"})


@pytest.mark.parametrize(
    ("text", "held", "left"),
    [
        ('{"eventId":"b","eventID":"a"}', "a", {"eventId": "b"}),
        ('{"eventId":"b","eventID":null}', "b", {}),
        ('{"eventId":"b","eventID":{}}', None, {"eventID": {}, "eventId": "b"}),
    ],
)
def test_of_names_that_share_a_column_the_first_that_has_a_value_counts(
    text: str, held: Any, left: Any
) -> None:
    fields = Field("eventID", "keyword"), Field("eventId", "keyword")

    assert divided(text, *fields) == ({"eventid": held}, left)


def test_of_a_member_that_is_repeated_the_last_counts() -> None:
    fields = Field("a", "keyword"), Field("b", "flat_object")

    assert divided('{"a":1,"a":"x","b":{"c":1,"c":2},"d":1,"d":2}', *fields) == (
        {"a": "x", "b": '{"c":2}'},
        {"d": 2},
    )


def test_a_leaf_that_opensearch_would_not_take_is_whole_in_its_row() -> None:
    long = "x" * 40_000
    raw = as_written({"eventTime": "2026-11-20T08:14:55Z", "requestParameters": {"a": long}})
    (record,) = records_of(formats.get("cloudtrail"), SOURCE, one_record(raw))

    row = row_of(formats.get("cloudtrail"), record.document, record.raw)

    assert json_value(row["requestparameters"]) == {"a": long}
    assert record.document["log"]["original"]


def test_a_messages_object_is_whole_in_its_row() -> None:
    long = "x" * 40_000
    raw = as_written({"level": "INFO", "message": "m", "payload": {"a": long}})
    source = replace(SOURCE, log_group="/aws/lambda/shop")
    (record,) = records_of(formats.get("lambda"), source, one_record(raw))

    row = row_of(formats.get("lambda"), record.document, record.raw)

    assert record.document["log"]["original"]
    assert json_value(row["json"]) == json.loads(raw)


def test_rows_that_write_the_same_json_in_two_ways_are_the_same() -> None:
    found = columns(MadeUp(Field("a[].b", "flat_object")))
    row: Row = dict.fromkeys(column.name for column in found)
    one = row | {"a": [{"b": '{"x": 1.0, "y": "\\u00e9"}'}, None], "extra_fields": "[1]"}
    other = row | {"a": [{"b": '{"y":"é","x":1}'}, None], "extra_fields": "[ 1 ]"}

    assert comparable(one, found) == comparable(other, found)
    assert comparable(one, found) != comparable(row, found)
