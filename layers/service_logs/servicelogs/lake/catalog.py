"""The catalog: where Glue says that a partition's files are, which is what queries read.

Partitions have no columns of their own: the table's count, also those that came later.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-partitions.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from servicelogs.errors import CatalogError
from servicelogs.lake.files import at_once
from servicelogs.lake.names import Partition

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

_MOST_READ = 1000
_MOST_WRITTEN = 100
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "Parameters": {"serialization.format": "1"},
    },
}
"""How Glue describes files in Parquet, of a table and of a partition."""


class Catalog:
    """The partitions of a database's tables."""

    def __init__(self, glue: GlueClient, database: str, bucket: str) -> None:
        """Keep the partitions of tables whose files lie in this bucket."""
        self._glue = glue
        self._database = database
        self._bucket = bucket

    def point(self, generations: Mapping[Partition, str]) -> None:
        """Have queries read each partition's files in this generation's folder, and nowhere else.

        One that is registered already may be somebody else's work: its location is compared.
        """
        for table, partitions in _by_table(generations):
            there = self.locations(partitions)
            wanted = {p: self._location(p, generations[p]) for p in partitions}
            new = [p for p in partitions if p not in there]
            elsewhere = [p for p in partitions if p in there and there[p] != wanted[p]]
            elsewhere += self._create(table, {p: wanted[p] for p in new})
            self._update(table, {p: wanted[p] for p in elsewhere})

    def locations(self, partitions: Collection[Partition]) -> dict[Partition, str]:
        """Read where queries look for these partitions' files, of those that are registered."""
        found = {}
        for table, some in _by_table(partitions):
            for group in batched(some, _MOST_READ, strict=False):
                wanted: Any = [{"Values": partition.values} for partition in group]
                while wanted:
                    with _refusals(table):
                        answer = self._glue.batch_get_partition(
                            DatabaseName=self._database, TableName=table, PartitionsToGet=wanted
                        )
                    for one in answer.get("Partitions", []):
                        partition = Partition(table, *one["Values"])
                        found[partition] = one["StorageDescriptor"]["Location"]
                    # What is not there may be among these: asked for in vain, it counts as missing.
                    wanted = answer.get("UnprocessedKeys") if answer.get("Partitions") else []
        return found

    def remove(self, partitions: Collection[Partition]) -> None:
        """Have queries read these partitions no more."""
        at_once(self._remove, partitions)

    def _remove(self, partition: Partition) -> None:
        try:
            self._glue.delete_partition(
                DatabaseName=self._database,
                TableName=partition.table,
                PartitionValues=partition.values,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise

    def _create(self, table: str, locations: Mapping[Partition, str]) -> list[Partition]:
        """Register partitions; give those that somebody registered in the meantime."""
        there = []
        for group in batched(locations, _MOST_WRITTEN, strict=False):
            with _refusals(table):
                answer = self._glue.batch_create_partition(
                    DatabaseName=self._database,
                    TableName=table,
                    PartitionInputList=[_input(one, locations[one]) for one in group],
                )
            for failed in answer.get("Errors", []):
                if failed["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException":
                    raise _refusal(table, failed)
                there.append(Partition(table, *failed["PartitionValues"]))
        return there

    def _update(self, table: str, locations: Mapping[Partition, str]) -> None:
        for group in batched(locations, _MOST_WRITTEN, strict=False):
            with _refusals(table):
                answer = self._glue.batch_update_partition(
                    DatabaseName=self._database,
                    TableName=table,
                    Entries=[
                        {
                            "PartitionValueList": one.values,
                            "PartitionInput": _input(one, locations[one]),
                        }
                        for one in group
                    ],
                )
            for failed in answer.get("Errors", []):
                raise _refusal(table, failed)

    def _location(self, partition: Partition, generation: str) -> str:
        return f"s3://{self._bucket}/{partition.folder(generation)}"


def _by_table(partitions: Iterable[Partition]) -> list[tuple[str, list[Partition]]]:
    tables: dict[str, list[Partition]] = {}
    for partition in partitions:
        tables.setdefault(partition.table, []).append(partition)
    return list(tables.items())


def _input(partition: Partition, location: str) -> Any:
    return {"Values": partition.values, "StorageDescriptor": {"Location": location, **PARQUET}}


class _refusals:  # noqa: N801 - read as a word
    """Says what to do where a table is missing."""

    def __init__(self, table: str) -> None:
        self._table = table

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if (
            isinstance(error, ClientError)
            and error.response["Error"]["Code"] == "EntityNotFoundException"
        ):
            raise CatalogError(
                f"Glue has no table {self._table}: deploy the stack again, which makes it ({error})"
            ) from error


def _refusal(table: str, failed: Any) -> CatalogError:
    detail = failed["ErrorDetail"]
    values = failed.get("PartitionValues") or failed.get("PartitionValueList") or []
    return CatalogError(
        f"Glue does not take the partition {'/'.join(values)[:200]} of {table}: "
        f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}"
    )
