"""Whether the tables have the rows that the ledger says: for each object, as Athena counts them.

What is published while it is counted differs for a moment. So what differs is counted a second
time, and only what is the same then counts as a difference.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from servicelogs import formats
from servicelogs.errors import AwsError
from servicelogs.lake.items import Items
from servicelogs.lake.ledger import Ledger, Noted
from servicelogs.lake.names import Partition
from servicelogs.lake.partitions import Partitions

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient

_SECONDS_BETWEEN = 1.0
_ENDED_BADLY = ("FAILED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that has another number of rows than the ledger says."""

    source: str
    in_tables: int
    in_ledger: int | None
    """None: the ledger does not know the object."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared, and what differs."""

    objects: int
    rows: int
    """Of these objects, as the ledger says."""
    expired: int
    """Objects with fewer rows, of days that are past their retention: these are not compared."""
    differences: tuple[Difference, ...]


def verify(database: str, work_group: str, ledger_table: str) -> Verified:
    """Compare the tables of a database with a ledger; AwsError if AWS does not answer."""
    try:
        items = Items(boto3.client("dynamodb"), ledger_table)
        queries = Queries(boto3.client("athena"), database, work_group)
        glue = boto3.client("glue")
        return Verifier(
            Ledger(items),
            Partitions(items, timedelta()),
            lambda: count_rows(queries, tables(glue, database)),
        ).verify()
    except NoRegionError as error:
        raise AwsError(
            "the lake cannot be compared: no Region is given: set AWS_DEFAULT_REGION"
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise AwsError(f"the lake cannot be compared: {error}") from error


def tables(glue: GlueClient, database: str) -> list[str]:
    """Give the tables of log types that a database has."""
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
    found = {table["Name"] for page in pages for table in page["TableList"]}
    return [name for name in formats.NAMES if name in found]


def count_rows(queries: Queries, tables: list[str]) -> Counter[str]:
    """Count the rows of each object in all of these tables."""
    rows: Counter[str] = Counter()
    for table in tables:
        sql = f'SELECT log_source, count(*) FROM "{table}" GROUP BY log_source'  # noqa: S608 - ours
        for source, count in queries.rows(sql):
            rows[source] += int(count)
    return rows


class Queries:
    """Runs queries in a workgroup."""

    def __init__(
        self,
        athena: AthenaClient,
        database: str,
        work_group: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._athena = athena
        self._database = database
        self._work_group = work_group
        self._sleep = sleep

    def rows(self, sql: str) -> Iterator[list[str]]:
        """Run a query, and give its rows; AwsError if it fails."""
        execution = self._athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self._database},
            WorkGroup=self._work_group,
        )["QueryExecutionId"]
        self._wait(execution, sql)
        pages = self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution)
        lines = (line for page in pages for line in page["ResultSet"]["Rows"])
        next(lines, None)  # the names of the columns
        for line in lines:
            yield [value.get("VarCharValue", "") for value in line["Data"]]

    def _wait(self, execution: str, sql: str) -> None:
        while True:
            answer = self._athena.get_query_execution(QueryExecutionId=execution)
            status = answer["QueryExecution"]["Status"]
            if status["State"] == "SUCCEEDED":
                return
            if status["State"] in _ENDED_BADLY:
                reason = status.get("StateChangeReason", status["State"])
                raise AwsError(f"Athena did not answer {sql!r}: {reason}")
            self._sleep(_SECONDS_BETWEEN)


class Verifier:
    """Compares what tables have with what the ledger says."""

    def __init__(
        self, ledger: Ledger, partitions: Partitions, count: Callable[[], Mapping[str, int]]
    ) -> None:
        """Count the rows of each object by calling `count`."""
        self._ledger = ledger
        self._partitions = partitions
        self._count = count

    def verify(self) -> Verified:
        """Compare; a second time if something differs."""
        first = self._compare()
        if not first.differences:
            return first
        second = self._compare()
        lasting = tuple(one for one in second.differences if one in first.differences)
        return Verified(second.objects, second.rows, second.expired, lasting)

    def _compare(self) -> Verified:
        counted = self._count()
        noted: dict[str, list[Noted]] = {}
        for one in self._ledger.noted():
            noted.setdefault(one.source, []).append(one)
        differences = [
            Difference(source, rows, None)
            for source, rows in counted.items()
            if source not in noted
        ]
        expired = 0
        for source, objects in noted.items():
            said, found = sum(one.rows for one in objects), counted.get(source, 0)
            if found < said and any(map(self._has_expired, objects)):
                expired += len(objects)
            elif found != said:
                differences.append(Difference(source, found, said))
        every = [one for objects in noted.values() for one in objects]
        return Verified(
            len(every),
            sum(one.rows for one in every),
            expired,
            tuple(sorted(differences, key=lambda one: one.source)),
        )

    def _has_expired(self, noted: Noted) -> bool:
        """Say whether days that the object may have had rows of are past their retention."""
        recorded = self._partitions.recorded(noted.batch)
        if recorded:
            partitions: set[Partition] = {one for one in recorded if one.table in noted.types}
            known = self._partitions.known(partitions)
            return not all(recorded[p] and known[p].generation for p in partitions)
        # Nothing is kept for so long but which days there are.
        return any(
            not known.generation
            for table in noted.types
            for _, known in self._partitions.of_table(table)
        )
