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
    EVENT_TIME,
    FRAME_COLUMNS,
    KINDS,
    PARTITION,
    LakeColumn,
    arrow_schema,
    columns,
    frame_columns,
    glue_columns,
    partition_keys,
)
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import frame_field
from tests.lake.glue_types import parse_hive_type
from tests.lake.made_up_format import MadeUp

MOMENT = datetime(2026, 11, 20, 8, 14, 55, 123456, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "text": "a",
    "integer": 2**31 - 1,
    "long": 2**63 - 1,
    "float": 0.001,
    "time": MOMENT,
    "boolean": True,
    "json": '{"a":[1]}',
}


@pytest.fixture(params=formats.NAMES)
def log_format(request: pytest.FixtureRequest) -> Format:
    return formats.get(request.param)


def places(found: tuple[LakeColumn, ...], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Give the path of each value that columns hold, its kind, and how its dates are written."""
    for column in found:
        for path in column.paths:
            whole = f"{above}{path}{'[]' if column.many else ''}"
            if column.kind:
                yield whole, column.kind, column.date_format
            else:
                yield from places(column.members, f"{whole}.")


def value_of(column: LakeColumn) -> Any:
    one = (
        VALUES[column.kind]
        if column.kind
        else {member.name: value_of(member) for member in column.members}
    )
    return [one, one] if column.many else one


def own(*fields: Field) -> dict[str, str]:
    frame = {*FRAME_COLUMNS.values()}
    return {
        column.name: column.hive_type()
        for column in columns(MadeUp(*fields))
        if column.name not in frame
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


def test_every_field_has_its_place_in_a_column_of_its_kind(log_format: Format) -> None:
    frame = [frame_field(path) for path in frame_columns(log_format)]
    own = [field for field in log_format.fields if not field.alias_of]

    declared = [(f.path, KINDS[f.type], f.date_format) for f in (*frame, *own)]
    assert Counter(places(columns(log_format))) == Counter(declared)


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

    assert (time.name, time.kind, time.paths) == (EVENT_TIME, "time", ("@timestamp",))


def test_other_names_of_the_time_are_in_its_comment_and_no_columns() -> None:
    fields = (Field(name, "timestamp", alias_of="@timestamp") for name in ("date", "time"))

    time, *rest = glue_columns(MadeUp(*fields))

    assert time["Comment"].endswith("in AWS's date, time")
    assert [column["Name"] for column in rest] == [*FRAME_COLUMNS.values()][1:]


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


def test_dots_nest_and_lists_are_where_the_path_says_at_every_level() -> None:
    found = own(
        Field("user.name", "keyword"),
        Field("user.session.mfa", "boolean"),
        Field("user.groups[]", "keyword"),
        Field("resources[].ARN", "keyword"),
        Field("resources[].rules[].data[]", "keyword"),
        Field("resources[].owner.id", "keyword"),
    )

    assert found == {
        "user": "struct<name:string,session:struct<mfa:boolean>,groups:array<string>>",
        "resources": "array<struct<arn:string,rules:array<struct<data:array<string>>>,"
        "owner:struct<id:string>>>",
    }


@pytest.mark.parametrize(
    "second", ["rules.action", "rules", "rules[]", "Rules[].action"], ids=lambda name: name
)
def test_a_name_cannot_be_a_list_and_not_or_an_object_and_a_value(second: str) -> None:
    with pytest.raises(ValueError, match="'rules'"):
        columns(MadeUp(Field("rules[].id", "keyword"), Field(second, "keyword")))


def test_waf_records_nest_as_athena_is_told_in_the_documentation() -> None:
    details = (
        "array<struct<conditiontype:string,sensitivitylevel:string,location:string,"
        "matcheddata:array<string>"
    )
    table = {column.name: column.hive_type() for column in columns(formats.get("waf"))}

    assert table["terminatingrulematchdetails"].startswith(details)
    groups = table["rulegrouplist"]
    assert groups.startswith("array<struct<rulegroupid:string,terminatingrule:struct<ruleid:")
    assert (
        f"nonterminatingmatchingrules:array<struct<ruleid:string,action:string,overriddenaction:string,rulematchdetails:{details}"
        in groups
    )
    assert "excludedrules:array<struct<ruleid:string,exclusiontype:string>>" in groups
    assert (
        "customvalues:array<struct<key:string,name:string,value:string>>"
        in (table["ratebasedrulelist"])
    )
    assert table["oversizefields"] == "array<string>"


def test_free_form_fields_are_text() -> None:
    assert own(Field("requestParameters", "flat_object")) == {"requestparameters": "string"}
