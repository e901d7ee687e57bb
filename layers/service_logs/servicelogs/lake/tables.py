"""The tables in Glue's catalog: there from the deployment on, so that an empty lake can be queried.

They are made from the same declarations as the files. A table only grows: what it has and we do not
know (a newer version made it) stays. Where a partition's files are is not a table's to say: each
partition is registered with its own location.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from servicelogs import formats
from servicelogs.lake.catalog import PARQUET
from servicelogs.lake.names import summary_of
from servicelogs.lake.schema import LakeColumn, as_glue_columns, columns, partition_keys
from servicelogs.lake.summaries import summary_columns
from servicelogs.parsing.format import Format

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionIndexTypeDef

# Queries name the day, and some an account: Glue then looks at those partitions alone, if the table
# says so too: https://docs.aws.amazon.com/athena/latest/ug/glue-best-practices-partition-index.html
_INDEX: PartitionIndexTypeDef = {
    "IndexName": "by_day",
    "Keys": ["event_day", "account_id", "region"],
}
_PARAMETERS = {
    "EXTERNAL": "TRUE",
    "classification": "parquet",
    "partition_filtering.enabled": "true",
}


def make_tables(
    glue: GlueClient, database: str, bucket: str, log_types: Sequence[str]
) -> list[str]:
    """Make the tables of log types, or give them the columns that they lack; return their names."""
    made = []
    for log_type in log_types:
        for name, found in tables_of(formats.get(log_type)).items():
            location = f"s3://{bucket}/{name}/"
            _make(glue, database, name, location, as_glue_columns(found), _title(log_type, name))
            made.append(name)
    return made


def tables_of(log_format: Format) -> dict[str, tuple[LakeColumn, ...]]:
    """Give the columns of a log type's tables, by their names: the rows, and their summary."""
    name = log_format.name
    summary = summary_columns(log_format)
    return {name: columns(log_format)} | ({summary_of(name): summary} if summary else {})


def _title(log_type: str, name: str) -> str:
    return formats.get(log_type).title + ("" if name == log_type else ", a row a minute")


def _make(
    glue: GlueClient,
    database: str,
    name: str,
    location: str,
    declared: list[dict[str, str]],
    title: str,
) -> None:
    table: Any = {
        "Name": name,
        "Description": title,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": _PARAMETERS,
        "PartitionKeys": partition_keys(),
        "StorageDescriptor": {"Columns": declared, "Location": location, **PARQUET},
    }
    try:
        there = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        glue.create_table(DatabaseName=database, TableInput=table, PartitionIndexes=[_INDEX])
        return
    ours = {column["Name"] for column in declared}
    others = [c for c in there["StorageDescriptor"]["Columns"] if c["Name"] not in ours]
    table["StorageDescriptor"]["Columns"] = [*declared, *others]
    table["Parameters"] = {**there.get("Parameters", {}), **_PARAMETERS}
    # Without a version of the table for each deployment: there may be so many.
    glue.update_table(DatabaseName=database, TableInput=table, SkipArchive=True)
