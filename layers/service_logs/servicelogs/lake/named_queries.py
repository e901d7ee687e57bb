"""The queries that the workgroup offers: `queries/<log type>/<name>.sql`, and some for each table.

A file begins with two comments: what the query is called, and what it says. In those for each table
(`each_table`, `each_summary`) `{table}` stands for it, and a log type's own file takes the place of
one of the same name. All look at yesterday and today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

from servicelogs import formats
from servicelogs.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import NamedQueryTypeDef

QUERIES = Path(__file__).parent / "queries"
PREFIX = "service_logs."
"""What the names of our queries begin with in Athena: all others are somebody else's."""

_EACH_TABLE, _EACH_SUMMARY = "each_table", "each_summary"
_MOST_READ = 50


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query, as the workgroup has it."""

    name: str
    """The log type's, a dot and the file's."""
    title: str
    about: str
    sql: str

    @property
    def full_name(self) -> str:
        """Give its name in Athena."""
        return PREFIX + self.name

    @property
    def description(self) -> str:
        """Give what Athena shows beside the name."""
        return f"{self.title}. {self.about}"


def named_queries(log_types: Iterable[str]) -> list[NamedQuery]:
    """Give the queries of these log types' tables."""
    return [query for log_type in log_types for query in _of_log_type(log_type)]


def _of_log_type(log_type: str) -> Iterator[NamedQuery]:
    folders = [_EACH_SUMMARY] if formats.get(log_type).summary else []
    folders += [_EACH_TABLE, log_type]
    files = {file.stem: file for one in folders for file in (QUERIES / one).glob("*.sql")}
    for _, file in sorted(files.items()):
        yield _read(file, log_type)


def _read(file: Path, log_type: str) -> NamedQuery:
    sql = file.read_text().replace("{table}", log_type)
    title, about, _ = sql.split("\n", 2)
    return NamedQuery(
        f"{log_type}.{file.stem}", title.removeprefix("-- "), about.removeprefix("-- "), sql
    )


def put_queries(
    athena: AthenaClient, work_group: str, database: str, queries: Sequence[NamedQuery]
) -> None:
    """Have a workgroup offer these queries, and no others whose names begin as ours do."""
    ours = [q for q in _offered(athena, work_group) if q["Name"].startswith(PREFIX)]
    # Which database a query is for cannot be changed, and several may have one name.
    there = {query["Name"]: query for query in ours if query["Database"] == database}
    kept = set()
    for query in queries:
        found = there.get(query.full_name)
        _put(athena, work_group, database, query, found)
        if found:
            kept.add(found["NamedQueryId"])
    for one in ours:
        if one["NamedQueryId"] not in kept:
            athena.delete_named_query(NamedQueryId=one["NamedQueryId"])


def _put(
    athena: AthenaClient,
    work_group: str,
    database: str,
    query: NamedQuery,
    there: NamedQueryTypeDef | None,
) -> None:
    if there is None:
        athena.create_named_query(
            Name=query.full_name,
            Description=query.description,
            Database=database,
            QueryString=query.sql,
            WorkGroup=work_group,
        )
    elif (there.get("Description"), there["QueryString"]) != (query.description, query.sql):
        athena.update_named_query(
            NamedQueryId=there["NamedQueryId"],
            Name=query.full_name,
            Description=query.description,
            QueryString=query.sql,
        )


def _offered(athena: AthenaClient, work_group: str) -> Iterator[NamedQueryTypeDef]:
    """Read the queries that a workgroup offers, whoever made them."""
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=work_group)
    ids = [one for page in pages for one in page["NamedQueryIds"]]
    for group in batched(ids, _MOST_READ, strict=False):
        answer = athena.batch_get_named_query(NamedQueryIds=group)
        for failed in answer.get("UnprocessedNamedQueryIds", []):
            raise AwsError(
                f"Athena does not give the named query {failed.get('NamedQueryId')}: "
                f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}"
            )
        yield from answer["NamedQueries"]
