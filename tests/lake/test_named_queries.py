"""The named queries: each is one that Athena runs, and the sample logs have an answer to it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from servicelogs import formats
from servicelogs.errors import AwsError
from servicelogs.lake.named_queries import PREFIX, QUERIES, NamedQuery, named_queries, put_queries
from servicelogs.lake.tables import tables_of
from tests.lake.athena_sql import NotForAthena, check
from tests.lake.sample_lake import DAY, connect, convert_samples, make_table

ALL = named_queries(formats.NAMES)
NEXT_DAY = "2026-11-21"
# What the lake is to be without.
EMPTY = ("twice", "reconcile")
GROUP = pytest.mark.xdist_group("named queries")
"""One worker answers them all: it converts the samples once."""
DAYS = "event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)"


class SampleLake(NamedTuple):
    connection: Any
    folder: Path
    files: list[Any]

    def answer(self, query: NamedQuery) -> list[Any]:
        """Answer a query as DuckDB understands it, on the day after the samples'."""
        tree = sqlglot.parse_one(query.sql, read="athena")
        for today in list(tree.find_all(exp.CurrentDate)):
            yesterday = today.parent
            today.replace(exp.cast(exp.Literal.string(NEXT_DAY), "date"))
            # A date, as in Trino: https://trino.io/docs/current/functions/datetime.html
            yesterday.replace(exp.cast(yesterday.copy(), "date"))
        # `lambda` is a word of DuckDB's.
        sql = tree.sql(dialect="duckdb", identify=True)
        rows: list[Any] = self.connection.execute(sql).fetchall()
        return rows

    def files_of(self, table: str) -> list[Any]:
        return [file for file in self.files if file.partition.table == table]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleLake]:
    folder = tmp_path_factory.mktemp("lake")
    converted = convert_samples(folder)
    assert not converted.failed
    with connect(folder / "lake", converted.written) as connection:
        yield SampleLake(connection, folder / "lake", converted.written)


def query(name: str) -> NamedQuery:
    (found,) = [one for one in ALL if one.name == name]
    return found


# What there is


@pytest.mark.parametrize("log_type", formats.NAMES)
def test_each_log_type_has_queries_of_its_own_and_those_of_each_table(log_type: str) -> None:
    found = {one.name.removeprefix(f"{log_type}.") for one in named_queries([log_type])}
    summary = {"reconcile"} if len(tables_of(formats.get(log_type))) > 1 else set()
    shared = {"where_from", "twice"} | summary
    assert shared <= found
    assert len(found - shared) >= 2


def test_every_file_is_offered() -> None:
    files = {f"{one.parent.name}.{one.stem}" for one in QUERIES.rglob("*") if one.is_file()}
    own = {one for one in files if not one.startswith("each_")}
    assert own <= {one.name for one in ALL}
    assert len({one.name for one in ALL}) == len(ALL)
    assert files - own == {"each_table.where_from", "each_table.twice", "each_summary.reconcile"}


def test_a_log_types_own_file_takes_the_place_of_the_one_for_each_table() -> None:
    assert "statement" in query("rds.twice").sql
    assert "statement" not in query("alb.twice").sql


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_query_says_what_it_is_and_fits_what_athena_takes(one: NamedQuery) -> None:
    assert re.fullmatch(r"[A-Z][^.]{2,60}", one.title)
    assert re.fullmatch(r".*\.", one.about)
    # https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateNamedQuery.html
    assert len(one.full_name) <= 128
    assert len(one.description) <= 1024
    assert "{" not in one.sql
    assert not re.search(r"\bLIMIT\b", one.sql) or one.sql.rstrip().splitlines()[-1].startswith(
        "LIMIT"
    )


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_query_looks_at_yesterday_and_today_in_words_that_are_the_same_everywhere(
    one: NamedQuery,
) -> None:
    assert one.sql.count("event_day >= ") == one.sql.count(DAYS) >= 1
    assert one.sql.count("current_date") == one.sql.count(DAYS)


# Whether Athena runs it


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_query_is_one_that_athena_runs_on_the_tables_columns(one: NamedQuery) -> None:
    check(one.sql)


def test_the_pages_examples_are_queries_that_athena_runs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "light-engine.md").read_text()
    examples = re.findall(r"```sql\n(SELECT .*?)```", page, re.DOTALL)
    assert len(examples) >= 3
    for example in examples:
        check(example)
    assert DAYS in page


OF_A_DAY = "event_day >= '2026-11-20'"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT elb FROM alb WHERE {day} QUALIFY 1", "Invalid expression"),
        ("SELECT elb FROM alb WHERE {day} LIMIT 5 OFFSET", "Required keyword"),
        ("SELECT elb FROM alb WHERE {day}; SELECT 1", "not one SELECT"),
        ("SELECT elb FROM alb WHERE {day} UNION SELECT elb FROM alb WHERE {day}", "not one SELECT"),
        ("DELETE FROM alb WHERE {day}", "not one SELECT"),
        ("SELECT no_such FROM alb WHERE {day}", "no_such"),
        ("SELECT elb FROM no_such WHERE {day}", "could not be resolved"),
        ("SELECT useridentity.no_such FROM cloudtrail WHERE {day}", "has no no_such"),
        ('SELECT elb FROM alb WHERE {day} AND elb = "x"', "could not be resolved"),
        ("SELECT elb AS first FROM alb WHERE {day}", "reserved"),
        ("SELECT toYear(event_time) FROM alb WHERE {day}", "toYear is no function"),
        ("SELECT ifnull(elb, 'x') FROM alb WHERE {day}", "ifnull is no function"),
        ("SELECT elb FROM alb WHERE {day} AND elb_status_code LIKE '5%'", "number and text"),
        ("SELECT elb FROM alb WHERE {day} AND elb_status_code IN ('500')", "number and text"),
        ("SELECT elb FROM alb WHERE {day} AND event_time > '2026-11-20'", "text and time"),
        ("SELECT eventid FROM cloudtrail WHERE {day} AND readonly = 'false'", "text and truth"),
        ("SELECT eventid FROM cloudtrail WHERE {day} AND useridentity.arn = 5", "number and text"),
        ("SELECT coalesce(elb, elb_status_code) FROM alb WHERE {day}", "number and text"),
        ("SELECT elb FROM alb WHERE event_day = 2026", "number and text"),
        ("SELECT elb FROM alb", "read whole"),
        ("SELECT elb FROM alb WHERE {day} OR elb = 'x'", "read whole"),
        ("SELECT elb FROM alb WHERE event_day >= elb", "read whole"),
        ("SELECT elb FROM alb WHERE coalesce(event_day, '') >= '2026-11-20'", "read whole"),
        ("SELECT a.elb FROM (SELECT elb, event_day FROM alb) AS a WHERE a.{day}", "read whole"),
        (
            "SELECT a.elb FROM alb AS a JOIN alb_summary AS s ON s.elb = a.elb WHERE a.{day}",
            "s is read whole",
        ),
    ],
)
def test_the_check_refuses_what_athena_would_refuse_or_read_whole(sql: str, reason: str) -> None:
    with pytest.raises((NotForAthena, SqlglotError), match=reason):
        check(sql.format(day=OF_A_DAY))


# What it answers


@GROUP
@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_the_sample_logs_have_an_answer(lake: SampleLake, one: NamedQuery) -> None:
    rows = lake.answer(one)
    if one.name.endswith(EMPTY):
        assert rows == []
    else:
        assert rows


@GROUP
def test_a_file_that_is_seen_twice_is_found(lake: SampleLake) -> None:
    files = lake.files_of("alb")
    make_table(lake.connection, lake.folder, "alb", [*files, files[0]])
    try:
        assert {copies for _, _, copies in lake.answer(query("alb.twice"))} == {2}
        ((_, _, day, records, summed),) = lake.answer(query("alb.reconcile"))
        assert (day, records) == (DAY, summed + files[0].rows)
    finally:
        make_table(lake.connection, lake.folder, "alb", files)


@GROUP
def test_records_of_one_log_event_are_no_copies_but_the_same_event_twice_is(
    lake: SampleLake,
) -> None:
    shared = "SELECT count(*) FROM rds GROUP BY log_source, log_record HAVING count(*) > 1"
    assert lake.connection.execute(shared).fetchall()
    assert lake.answer(query("rds.twice")) == []

    files = lake.files_of("rds")
    make_table(lake.connection, lake.folder, "rds", [*files, *files])
    try:
        assert lake.answer(query("rds.twice"))
    finally:
        make_table(lake.connection, lake.folder, "rds", files)


@GROUP
@pytest.mark.parametrize("table", ["waf", "waf_summary"])
def test_a_day_that_only_rows_or_only_their_summary_have_is_found(
    lake: SampleLake, table: str
) -> None:
    files = lake.files_of(table)
    elsewhere = files[0]._replace(partition=files[0].partition._replace(event_day="2026-11-22"))
    make_table(lake.connection, lake.folder, table, [*files, elsewhere])
    try:
        ((_, _, day, records, summed),) = lake.answer(query("waf.reconcile"))
        assert day == "2026-11-22"
        assert (records, summed).count(None) == 1
    finally:
        make_table(lake.connection, lake.folder, table, files)


@GROUP
def test_where_from_counts_the_rows_of_each_object(lake: SampleLake) -> None:
    found = lake.answer(query("clb.where_from"))
    assert sum(records for _, records, _, _ in found) == sum(f.rows for f in lake.files_of("clb"))


@GROUP
def test_a_summary_gives_what_its_rows_would(lake: SampleLake) -> None:
    of_summary = lake.answer(query("alb.requests_by_status"))
    of_rows = lake.connection.execute(
        "SELECT date_trunc('minute', event_time), elb, elb_status_code, count(*) "
        "FROM alb GROUP BY ALL"
    ).fetchall()
    assert sorted(of_summary, key=str) == sorted(of_rows, key=str)


# How they come into the workgroup


class Athena:
    """As much of Athena as knows named queries: moto and the emulator cannot change one."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.made = 0
        self.unprocessed: list[dict[str, str]] = []

    def get_paginator(self, name: str) -> Any:
        assert name == "list_named_queries"
        return self

    def paginate(self, WorkGroup: str) -> Any:  # noqa: N803 - Athena's name
        ids = [i for i, query in self.there.items() if query["WorkGroup"] == WorkGroup]
        return [{"NamedQueryIds": ids[n : n + 7]} for n in range(0, len(ids), 7)] or [
            {"NamedQueryIds": []}
        ]

    def batch_get_named_query(self, NamedQueryIds: list[str]) -> Any:  # noqa: N803
        assert 0 < len(NamedQueryIds) <= 50
        found = [{**self.there[one], "NamedQueryId": one} for one in NamedQueryIds]
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": self.unprocessed}

    def create_named_query(self, **query: str) -> None:
        self.calls.append("create")
        self.made += 1
        self.there[f"id {self.made}"] = query

    def update_named_query(self, NamedQueryId: str, **query: str) -> None:  # noqa: N803
        self.calls.append("update")
        assert not {"Database", "WorkGroup"} & query.keys()
        self.there[NamedQueryId].update(query)

    def delete_named_query(self, NamedQueryId: str) -> None:  # noqa: N803
        self.calls.append("delete")
        del self.there[NamedQueryId]

    def names(self) -> list[str]:
        return sorted(query["Name"] for query in self.there.values())


def put(athena: Any, queries: list[NamedQuery], database: str = "logs") -> None:
    athena.calls.clear()
    put_queries(athena, "lake", database, queries)


def test_queries_are_put_once() -> None:
    athena = Athena()
    put(athena, ALL)
    assert athena.names() == sorted(PREFIX + one.name for one in ALL)
    assert {q["WorkGroup"] for q in athena.there.values()} == {"lake"}
    assert {q["Database"] for q in athena.there.values()} == {"logs"}
    put(athena, ALL)
    assert athena.calls == []


def test_a_query_that_changed_is_changed_and_one_that_is_no_more_goes() -> None:
    athena = Athena()
    first, second, third = ALL[:3]
    put(athena, [first, second])
    changed = NamedQuery(first.name, first.title, first.about, "SELECT 1")
    put(athena, [changed, third])
    assert sorted(athena.calls) == ["create", "delete", "update"]
    assert athena.names() == sorted([first.full_name, third.full_name])
    assert athena.there["id 1"]["QueryString"] == "SELECT 1"


def test_a_query_that_somebody_changed_by_hand_is_ours_again() -> None:
    athena = Athena()
    put(athena, ALL[:1])
    athena.there["id 1"].update(QueryString="SELECT 2", Description="mine")
    put(athena, ALL[:1])
    assert athena.there["id 1"]["QueryString"] == ALL[0].sql
    assert athena.there["id 1"]["Description"] == ALL[0].description


def test_queries_of_others_stay() -> None:
    athena = Athena()
    athena.create_named_query(Name="alb.mine", Database="x", QueryString="y", WorkGroup="lake")
    elsewhere = {"Name": ALL[0].full_name, "Database": "logs", "QueryString": "y"}
    athena.create_named_query(**elsewhere, WorkGroup="another stack's")
    put(athena, [])
    assert athena.names() == ["alb.mine", ALL[0].full_name]


def test_of_several_with_one_name_one_stays() -> None:
    athena = Athena()
    put(athena, ALL[:1])
    athena.create_named_query(**athena.there["id 1"])
    put(athena, ALL[:1])
    assert athena.names() == [ALL[0].full_name]


def test_with_another_database_a_query_is_made_anew() -> None:
    athena = Athena()
    put(athena, ALL[:1])
    put(athena, ALL[:1], database="newer")
    assert [query["Database"] for query in athena.there.values()] == ["newer"]


def test_what_athena_does_not_give_is_an_error_and_not_made_a_second_time() -> None:
    athena = Athena()
    put(athena, ALL[:1])
    athena.unprocessed = [{"NamedQueryId": "id 1", "ErrorCode": "INTERNAL_FAILURE"}]
    with pytest.raises(AwsError, match="id 1: INTERNAL_FAILURE"):
        put(athena, ALL[:1])
    assert athena.calls == []
