"""The lake of a running stack: runs of its state machines, and its tables as Athena reads them.

Which files are a table's, the catalog says: those in the folders of its partitions, and no others.
DuckDB answers Athena's SQL here, for the emulator's Athena knows no partitions.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import expressions

from local import deploy
from local.stack import Stack
from servicelogs.lake.schema import PARTITION

SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Run:
    """How an execution of a state machine ended."""

    arn: str
    status: str
    reason: str


class Lake:
    """What is deployed of the Light Engine, and what it holds."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        """Keep copies of the tables' files, whose names say what is in them, in a folder."""
        self.outputs = stack.outputs
        self.s3 = deploy.client("s3", stack.aws_endpoint)
        self.machines = deploy.client("stepfunctions", stack.aws_endpoint)
        self.ledger = deploy.client("dynamodb", stack.aws_endpoint)
        self._glue = deploy.client("glue", stack.aws_endpoint)
        self._athena = deploy.client("athena", stack.aws_endpoint)
        self._folder = folder
        self.opened: list[str] = []
        """The tables that were open last."""
        self._tables = duckdb.connect()
        self._tables.execute("SET TimeZone = 'UTC'")

    def start(self, machine: str = "ConvertLogsArn", **asked: str) -> str:
        """Start a run, as the schedule does; give its ARN."""
        arn = self.outputs[machine]
        answer = self.machines.start_execution(stateMachineArn=arn, input=json.dumps(asked))
        return str(answer["executionArn"])

    def wait(self, run: str, look: Callable[[], None] = lambda: None) -> Run:
        """Wait for the end of a run, and look at something meanwhile."""
        while True:
            found = self.machines.describe_execution(executionArn=run)
            if found["status"] != "RUNNING":
                reason = f"{found.get('error', '')}: {found.get('cause', '')}"
                return Run(run, found["status"], reason)
            look()
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def state(self, run: str) -> str:
        """Say at which state a run is, and of batches how many are converted."""
        history = self.machines.get_execution_history(executionArn=run, reverseOrder=True)
        entered = (one.get("stateEnteredEventDetails") for one in history["events"])
        state = next((one["name"] for one in entered if one), "")
        for found in self.machines.list_map_runs(executionArn=run)["mapRuns"][-1:]:
            counts = self.machines.describe_map_run(mapRunArn=found["mapRunArn"])["itemCounts"]
            return f"{state}, {counts['succeeded']} of {counts['total']} batches converted"
        return state

    def objects(self) -> Iterator[dict[str, Any]]:
        """Read what the ledger says of each object."""
        pages = self.ledger.get_paginator("scan").paginate(
            TableName=self.outputs["LedgerTableName"],
            FilterExpression="begins_with(pk, :object)",
            ExpressionAttributeValues={":object": {"S": "object#"}},
        )
        for item in (item for page in pages for item in page["Items"]):
            yield {name: next(iter(value.values())) for name, value in item.items()}

    def open(self) -> list[str]:
        """Open the tables as the catalog has them now; name those that have partitions."""
        database = self.outputs["DatabaseName"]
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
        names = [table["Name"] for page in pages for table in page["TableList"]]
        self.opened = [name for name in names if self._open(database, name)]
        return self.opened

    def rows(self, table: str) -> Counter[str]:
        """Count a table's rows by where they come from."""
        found = self._tables.execute(f'SELECT log_source, count(*) FROM "{table}" GROUP BY ALL')
        return Counter(dict(found.fetchall()))

    def content(self, table: str, source: str) -> list[tuple[Any, ...]]:
        """Give a table's rows that come from what begins with this, all columns of them."""
        found = self._tables.execute(
            f'SELECT * FROM "{table}" WHERE starts_with(log_source, ?)', [source]
        )
        return list(found.fetchall())

    def files(self, table: str) -> list[str]:
        """Name the files that the catalog counts among a table's."""
        return sorted(
            key
            for partition in self._partitions(self.outputs["DatabaseName"], table)
            for _, key in self._listed(partition["StorageDescriptor"]["Location"])
        )

    def queries(self) -> dict[str, str]:
        """Give the queries that the workgroup offers, by their names."""
        pages = self._athena.get_paginator("list_named_queries").paginate(
            WorkGroup=self.outputs["WorkGroupName"]
        )
        found = [
            self._athena.get_named_query(NamedQueryId=one)["NamedQuery"]
            for page in pages
            for one in page["NamedQueryIds"]
        ]
        return {one["Name"]: one["QueryString"] for one in found}

    def answer(self, sql: str, today: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Answer a query of Athena's as on some day; give the names of columns, and the rows."""
        (parsed,) = sqlglot.parse(sql, read="athena")
        assert parsed is not None
        day = sqlglot.parse_one(f"DATE '{today}'", read="athena")
        dated = parsed.transform(
            lambda node: day.copy() if isinstance(node, expressions.CurrentDate) else node
        )
        found = self._tables.execute(dated.sql(dialect="duckdb", identify=True))
        return [column[0] for column in found.description or ()], found.fetchall()

    def first_day(self, table: str) -> str:
        """Give the first day of which a table has rows."""
        found = self._tables.execute(f'SELECT min(event_day) FROM "{table}"').fetchone()
        return str(found[0]) if found else ""

    def _open(self, database: str, table: str) -> bool:
        parts = [part for one in self._partitions(database, table) if (part := self._select(one))]
        if parts:
            union = " UNION ALL BY NAME ".join(parts)
            self._tables.execute(f'CREATE OR REPLACE VIEW "{table}" AS {union}')
        return bool(parts)

    def _partitions(self, database: str, table: str) -> Iterator[dict[str, Any]]:
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table
        )
        return (partition for page in pages for partition in page["Partitions"])

    def _select(self, partition: dict[str, Any]) -> str:
        """Select the rows of a partition, with its values as columns."""
        listed = self._listed(partition["StorageDescriptor"]["Location"])
        files = [self._fetched(bucket, key) for bucket, key in listed]
        values = zip(PARTITION, partition["Values"], strict=True)
        columns = ", ".join(f"'{value}' AS {name}" for name, value in values)
        read = f"SELECT *, {columns} FROM read_parquet({list(map(str, files))}, union_by_name=true)"
        return read if files else ""

    def _listed(self, location: str) -> Iterator[tuple[str, str]]:
        bucket, _, folder = location.removeprefix("s3://").partition("/")
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{folder.rstrip('/')}/"
        )
        return ((bucket, one["Key"]) for page in pages for one in page.get("Contents", []))

    def _fetched(self, bucket: str, key: str) -> Path:
        path = self._folder / key
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return path


def as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Write an answer in columns, cut to the width of a screen."""
    cells = [[_short(value) for value in row] for row in [columns, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def _short(value: Any, most: int = 40) -> str:
    if isinstance(value, float):
        value = round(value, 3)
    text = "" if value is None else str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
