"""The tables in Glue's catalog: there before the first record, and only growing."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from servicelogs import formats
from servicelogs.lake.schema import PARTITION, glue_columns
from servicelogs.lake.tables import make_tables

DATABASE = "service_logs"


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        client = boto3.client("glue")
        client.create_database(DatabaseInput={"Name": DATABASE})
        yield client


def make(glue: Any, *log_types: str) -> list[str]:
    return make_tables(glue, DATABASE, "lake", log_types)


def table(glue: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = glue.get_table(DatabaseName=DATABASE, Name=name)["Table"]
    return found


def change_columns(glue: Any, name: str, columns: list[dict[str, str]]) -> None:
    before = table(glue, name)
    glue.update_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": name,
            "Parameters": before["Parameters"] | {"comment": "by hand"},
            "PartitionKeys": before["PartitionKeys"],
            "StorageDescriptor": before["StorageDescriptor"] | {"Columns": columns},
        },
    )


def test_each_log_type_has_a_table_that_athena_reads(glue: Any) -> None:
    assert set(formats.NAMES) <= set(make(glue, *formats.NAMES))

    for name in formats.NAMES:
        found = table(glue, name)
        assert found["TableType"] == "EXTERNAL_TABLE"
        assert [key["Name"] for key in found["PartitionKeys"]] == [*PARTITION]
        assert found["StorageDescriptor"]["Columns"] == glue_columns(formats.get(name))
        assert found["StorageDescriptor"]["Location"] == f"s3://lake/{name}/"
        assert "parquet" in found["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]


def test_a_summary_has_a_table_with_the_same_partitions(glue: Any) -> None:
    make(glue, "alb")

    found = table(glue, "alb_summary")
    assert found["PartitionKeys"] == table(glue, "alb")["PartitionKeys"]
    assert found["StorageDescriptor"]["Location"] == "s3://lake/alb_summary/"
    assert {"minute", "records"} <= {c["Name"] for c in found["StorageDescriptor"]["Columns"]}


def test_types_that_the_lake_does_not_take_have_no_table(glue: Any) -> None:
    make(glue, "alb")

    found = glue.get_tables(DatabaseName=DATABASE)["TableList"]
    assert {one["Name"].removesuffix("_summary") for one in found} == {"alb"}


def test_a_table_is_made_with_an_index_by_day_which_queries_may_use(
    glue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    create = glue.create_table
    monkeypatch.setattr(glue, "create_table", lambda **call: (asked.append(call), create(**call)))

    make(glue, "alb")

    for call in asked:
        (index,) = call["PartitionIndexes"]
        assert index["Keys"][0] == "event_day"
        assert set(index["Keys"]) == set(PARTITION)
        assert call["TableInput"]["Parameters"]["partition_filtering.enabled"] == "true"
    assert asked


def test_a_new_version_gives_a_table_the_columns_that_it_lacks(glue: Any) -> None:
    make(glue, "alb")
    declared = glue_columns(formats.get("alb"))
    change_columns(glue, "alb", declared[:-3])

    make(glue, "alb")

    assert table(glue, "alb")["StorageDescriptor"]["Columns"] == declared


def test_an_older_version_takes_no_column_away_and_leaves_what_others_set(glue: Any) -> None:
    make(glue, "alb")
    declared = glue_columns(formats.get("alb"))
    newer = {"Name": "of_a_newer_version", "Type": "string"}
    change_columns(glue, "alb", [*declared, newer])

    make(glue, "alb")

    found = table(glue, "alb")
    assert found["StorageDescriptor"]["Columns"] == [*declared, newer]
    assert found["Parameters"]["comment"] == "by hand"


def test_a_table_keeps_its_partitions(glue: Any) -> None:
    make(glue, "alb")
    values = ["111122223333", "eu-west-1", "2026-11-20"]
    glue.create_partition(DatabaseName=DATABASE, TableName="alb", PartitionInput={"Values": values})

    make(glue, "alb")

    (partition,) = glue.get_partitions(DatabaseName=DATABASE, TableName="alb")["Partitions"]
    assert partition["Values"] == values
