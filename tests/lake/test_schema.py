"""Each log type's columns: names that Hive takes, types that survive a Parquet file."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from servicelogs import formats
from servicelogs.lake.schema import (
    FRAME_COLUMNS,
    PARTITION,
    LakeColumn,
    arrow_schema,
    columns,
    glue_columns,
    partition_keys,
)
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from tests.lake.glue_types import parse_hive_type

MOMENT = datetime(2026, 11, 20, 8, 14, 55, 123456, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "keyword": "a",
    "text": "a",
    "ip": "2001:db8::17",
    "address": "ec2.amazonaws.com",
    "integer": 2**31 - 1,
    "long": 2**63 - 1,
    "float": 0.001,
    "timestamp": MOMENT,
    "timestamp_nanos": MOMENT,
    "boolean": True,
    "flat_object": '{"a":[1]}',
}
FRAME_PLACES = [
    ("@timestamp", "timestamp_nanos", False),
    ("log.date_adjusted", "boolean", False),
    ("log.source", "keyword", False),
    ("log.record", "long", False),
    ("extra_fields", "flat_object", False),
]


class MadeUp(Format):
    """A format of the fields that a test gives it."""

    def __init__(self, *fields: Field) -> None:
        super().__init__(name="made_up", title="", page="", keys=(), service_principal="")
        object.__setattr__(self, "_fields", fields)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._fields  # type: ignore[attr-defined]


@pytest.fixture(params=formats.NAMES)
def log_format(request: pytest.FixtureRequest) -> Format:
    return formats.get(request.param)


def places(
    found: tuple[LakeColumn, ...], element: str = "", many: bool = False
) -> Iterator[tuple[str, str | None, bool]]:
    """Give the whole path in a document of each value that columns hold, its type, and if many.

    Members of a list have paths that begin at its elements: `element` is what stands before them.
    """
    for column in found:
        for path in column.paths:
            if column.members:
                below = f"{element}{path}." if column.many else element
                yield from places(column.members, below, many or column.many)
            else:
                yield f"{element}{path}", column.type, many or column.many


def value_of(column: LakeColumn) -> Any:
    one = (
        VALUES[column.type]
        if column.type
        else {member.name: value_of(member) for member in column.members}
    )
    return [one, one] if column.many else one


def own(*fields: Field) -> dict[str, str]:
    frame = {*FRAME_COLUMNS.values()}
    return {
        column["Name"]: column["Type"]
        for column in glue_columns(MadeUp(*fields))
        if column["Name"] not in frame
    }


def test_names_are_valid_in_hive_at_every_level_and_stand_once(log_format: Format) -> None:
    def check(found: tuple[LakeColumn, ...]) -> None:
        names = [column.name for column in found]
        assert len(set(names)) == len(names)
        for column in found:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
            check(column.members)

    check(columns(log_format))
    table = [column["Name"] for column in (*glue_columns(log_format), *partition_keys())]
    assert len(set(table)) == len(table)


def test_every_field_has_its_place_in_a_column_of_its_type(log_format: Format) -> None:
    declared = Counter((f.alias_of or f.name, f.type, f.many) for f in log_format.fields)

    assert Counter(places(columns(log_format))) == declared + Counter(FRAME_PLACES)


def test_glue_and_parquet_have_the_same_columns_and_types(log_format: Format) -> None:
    schema = arrow_schema(log_format)
    table = {column["Name"]: column["Type"] for column in glue_columns(log_format)}

    assert {name: parse_hive_type(type_) for name, type_ in table.items()} == {
        field.name: field.type for field in schema
    }


def test_comments_are_what_glue_takes(log_format: Format) -> None:
    assert all(len(column["Comment"]) <= 255 for column in glue_columns(log_format))


def test_rows_come_back_from_a_parquet_file_without_int96(
    log_format: Format, tmp_path: Path
) -> None:
    full = {column.name: value_of(column) for column in columns(log_format)}
    empty = dict.fromkeys(full)
    rows = pyarrow.Table.from_pylist([full, empty], schema=arrow_schema(log_format))

    pyarrow.parquet.write_table(rows, tmp_path / "rows.parquet", version="2.6")

    file = pyarrow.parquet.ParquetFile(tmp_path / "rows.parquet")
    assert file.read().to_pylist() == [full, empty]
    assert file.schema_arrow.equals(arrow_schema(log_format))
    physical = {file.schema.column(i).physical_type for i in range(len(file.schema))}
    assert "INT96" not in physical
    time = json.loads(file.schema.column(0).logical_type.to_json())
    assert (time["Type"], time["isAdjustedToUTC"]) == ("Timestamp", True)


def test_the_first_column_is_the_time_in_every_table(log_format: Format) -> None:
    time, *_ = columns(log_format)

    assert (time.name, time.type, time.paths) == ("event_time", "timestamp_nanos", ("@timestamp",))


def test_names_that_differ_in_capitals_share_a_column() -> None:
    found = columns(MadeUp(Field("eventID", "keyword"), Field("eventId", "keyword")))

    (column,) = [column for column in found if column.name == "eventid"]
    assert column.paths == ("eventID", "eventId")


def test_names_that_differ_in_capitals_and_type_are_refused() -> None:
    with pytest.raises(ValueError, match="'eventid'"):
        columns(MadeUp(Field("eventID", "keyword"), Field("eventId", "long")))


def test_a_field_named_as_the_partition_is_moved_out_of_the_way() -> None:
    found = own(Field("account_id", "keyword"), Field("srcaddr", "ip"))

    assert found == {"logged_account_id": "string", "srcaddr": "string"}
    assert "account_id" in PARTITION


def test_dots_nest_and_a_list_is_where_all_below_it_are_lists() -> None:
    found = own(
        Field("user.name", "keyword"),
        Field("user.session.mfa", "boolean"),
        Field("user.groups", "keyword", many=True),
        Field("resources.ARN", "keyword", many=True),
        Field("resources.accountId", "keyword", many=True),
    )

    assert found == {
        "user": "struct<name:string,session:struct<mfa:boolean>,groups:array<string>>",
        "resources": "array<struct<arn:string,accountid:string>>",
    }


def test_free_form_fields_are_text() -> None:
    assert own(Field("requestParameters", "flat_object")) == {"requestparameters": "string"}
