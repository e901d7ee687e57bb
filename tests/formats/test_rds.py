"""RDS logs: what no statement, name or order of events may do to a record."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.errors import ConfigurationError
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.parsing.format import Format
from servicelogs.parsing.messages.format import MessageFormat
from servicelogs.records import Block, Records
from servicelogs.settings import LogSettings, read_settings
from tests.formats.parsing import SOURCE
from tests.timing import is_linear

POSTGRESQL = "2026-11-20 08:14:55 UTC:192.0.2.55(51514):app@shop:[3639]:"
LONG = (
    "2026-11-20 08:14:55.123 UTC:192.0.2.55(51514):app@shop:[3639]:7:00000:"
    "2026-11-20 08:14:50 UTC:3/12:0:6982f7c4.66ee:psql:"
)
SLOW = (
    "# Time: 2026-11-20T08:14:55.123456Z\n# User@Host: app[app] @  [192.0.2.55]  Id:   116\n"
    "# Query_time: 2.500001  Lock_time: 0.000100 Rows_sent: 3  Rows_examined: 90211\n"
    "SET timestamp=1795162492;\n"
)
GENERAL = "2026-11-20T08:14:55.123456Z\t   42 Query\t"
AUDIT = "20261120 08:14:55,ip-192-0-2-9,app,198.51.100.20,77,1204,QUERY,shop,'"
PLAN = (
    "duration: 5.2 ms  plan:\nQuery Text: select \"a\"\nQuery Parameters: $1 = '1'\n"
    'Index Scan on "T"  (cost=0.29..8.30 rows=1)\n  Index Cond: ("Id" = 1)'
)
FORGED = st.sampled_from(
    [
        f"{POSTGRESQL}LOG:  statement: drop table t",
        f"{LONG}ERROR:  forged",
        "LOG:  duration: 1.0 ms  statement: forged",
        SLOW,
        "\n",
        "\t",
        "'",
        '"',
        "\\",
        ",0,,",
        "AUDIT: SESSION,1,1,READ",
        f"{GENERAL}forged",
        f"{AUDIT}forged',0,,",
        "[1]:FATAL:  ",
        "@shop:",
        ";",
    ]
)
STATEMENTS = st.lists(FORGED | st.text(max_size=5), min_size=1, max_size=5).map("".join)


def take(kind: str, *items: str | bytes, log_format: Format | None = None) -> Block:
    """Parse events of one envelope."""
    source = replace(SOURCE, log_group=f"/aws/rds/instance/shop/{kind}", log_stream="shop.0")
    data = [one if isinstance(one, bytes) else one.encode("utf-8", "replace") for one in items]
    keys = [b"%d" % number for number in range(1, len(items) + 1)]
    times = [b"2026-11-20T08:14:55.999"] * len(items)
    records = Records(1, data, keys=keys, times=times, hour=498_656)
    return parser_of(log_format or formats.get("rds"), source, one_index("i")).take(records, 0)


def documents(block: Block) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bytes(block.body).split(b"\n")[1::2]]


def as_logged(statement: str) -> str:
    """Write a statement as PostgreSQL does: each line but the first begins with a TAB."""
    return statement.replace("\n", "\n\t")


def plain(statement: str) -> str:
    """Leave out what no message holds: half surrogates, and line ends at its end."""
    return statement.encode("utf-8", "replace").decode().rstrip("\r\n") + "."


@given(STATEMENTS.map(plain), st.booleans(), st.sampled_from([POSTGRESQL, LONG]))
def test_a_statement_of_postgresql_is_one_value_however_its_lines_come(
    statement: str, split: bool, prefix: str
) -> None:
    logged = f"{prefix}LOG:  duration: 2.5 ms  statement: {as_logged(statement)}"
    events = logged.split("\n") if split and "\r" not in logged else [logged]
    following = f"{prefix}ERROR:  another"

    found = documents(take("postgresql", *events, following))

    assert len(found) == 2
    assert found[0]["statement"] == as_logged(statement)
    assert found[0]["user"] == "app"
    assert found[0]["duration_ms"] == 2.5
    assert found[1]["message"] == "another"


@given(STATEMENTS.map(plain))
def test_a_statement_of_pgaudit_shifts_no_column(statement: str) -> None:
    quoted = as_logged(statement).replace('"', '""')
    line = f'{POSTGRESQL}LOG:  AUDIT: SESSION,7,1,WRITE,INSERT,TABLE,public.t,"{quoted}",<none>,12'

    (found,) = documents(take("postgresql", line))

    assert found["statement"] == as_logged(statement)
    assert (found["command"], found["object_name"], found["rows"]) == ("INSERT", "public.t", 12)


@given(STATEMENTS.map(plain))
def test_a_statement_of_an_audit_log_shifts_no_column(statement: str) -> None:
    escaped = statement.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    escaped = escaped.replace("\t", "\\t").replace("\r", "\\r").replace("\b", "\\b")
    rows = [f"{AUDIT}{escaped.replace('\f', '\\f')}',1064,,", f"{AUDIT}select 2',0,,"]

    found = documents(take("audit", *rows))
    assert [one["statement"] for one in found] == [statement, "select 2"]
    assert [one["return_code"] for one in found] == [1064, 0]

    several = documents(take("audit", "\n".join(rows)))
    assert [one["statement"] for one in several] == [statement, "select 2"]


NAMES = st.lists(
    st.sampled_from(
        [",", "'", "0", "a", ",1.2.3.4,9,9,", "QUERY", "CONNECT,d,", ",,0", ",QUERY,d,'x", "TCP/IP"]
    ),
    min_size=1,
    max_size=6,
).map("".join)


@given(NAMES)
def test_a_users_name_moves_no_column_of_an_audit_log(name: str) -> None:
    row = f"20261120 08:14:55,ip-192-0-2-9,{name},198.51.100.20,77,0,FAILED_CONNECT,,,1045,SSL/TLS"

    (found,) = documents(take("audit", row))

    assert found["user"] == name
    assert (found["client_ip"], found["connection_id"]) == ("198.51.100.20", 77)
    assert (found["operation"], found["return_code"]) == ("FAILED_CONNECT", 1045)


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ('statement: select "a"', ""),
        ("execute <unnamed>: select $1", "parameters: $1 = '\"5\"'"),
        ("duration: 5.200 ms  execute a:b: select 1", ""),
        (PLAN, ""),
        (
            'AUDIT: SESSION,7,1,WRITE,INSERT,TABLE,"public.""T""","insert into ""T""","1,""x""",12',
            "",
        ),
        ("AUDIT: SESSION,7,1,READ,SELECT,,,select 1,<not logged>", ""),
    ],
)
def test_a_line_of_csvlog_has_the_fields_of_the_same_line_as_text(
    message: str, detail: str
) -> None:
    quoted, quoted_detail = (text.replace('"', '""') for text in (message, detail))
    csv = (
        '2026-11-20 08:14:55 UTC,"app","shop",3639,"192.0.2.55:51514",691ecb80.e37,7,"SELECT",'
        f'2026-11-20 08:00:00 UTC,3/17,0,LOG,00000,"{quoted}","{quoted_detail}",,,,,,,,""'
    )
    lines = [f"{POSTGRESQL}LOG:  {message}", f"{POSTGRESQL}DETAIL:  {detail}"]

    (found,) = documents(take("postgresql", csv))

    for document in documents(take("postgresql", *lines[: 2 if detail else 1])):
        del document["log"], document["level"], document["event"], document["@timestamp"]
        assert found | document == found
    assert "message" not in found


@given(st.lists(STATEMENTS | st.binary(max_size=20) | st.sampled_from([SLOW, GENERAL, AUDIT])))
@pytest.mark.parametrize("kind", ["postgresql", "slowquery", "general", "audit", "error", "alert"])
def test_every_event_is_a_document_or_part_of_one(kind: str, items: list[str | bytes]) -> None:
    block = take(kind, *items)

    found = documents(block)
    numbers = [one["log"]["record"] for one in found]
    assert block.records == block.documents == len(found)
    assert block.rejects == []
    assert numbers == sorted(numbers)
    assert {one["kind"] for one in found} <= {kind}
    whole = b"\n".join(block.raw(number) for number in sorted({*numbers}))
    given_ = [one if isinstance(one, bytes) else one.encode("utf-8", "replace") for one in items]
    assert whole == b"\n".join(one.rstrip(b"\r\n") for one in given_)
    ids = [json.loads(line)["create"]["_id"] for line in bytes(block.body).split(b"\n")[:-1:2]]
    assert len(ids) == len({*ids})


@given(STATEMENTS.map(plain))
def test_a_slow_query_in_one_event_has_its_own_figures(statement: str) -> None:
    first, *_ = documents(take("slowquery", f"{SLOW}{statement}"))
    assert (first["user"], first["query_time"], first["thread_id"]) == ("app", 2.500001, 116)
    assert first["@timestamp"] == "2026-11-20T08:14:55.123456Z"


def test_the_node_of_a_sql_server_is_no_part_of_its_instances_name() -> None:
    log_format = formats.get("rds")
    assert isinstance(log_format, MessageFormat)
    source = replace(SOURCE, log_group="/aws/rds/instance/sql.node1/error")
    assert log_format.origin(source).fields["instance"] == "sql"


def test_an_error_and_what_belongs_to_it_are_found_by_session_and_process() -> None:
    lines = ("ERROR:  x", "DETAIL:  x", "HINT:  x", "CONTEXT:  x", "STATEMENT:  x")
    found = documents(take("postgresql", *(f"{LONG}{line}" for line in lines)))
    assert {(one["session_id"], one["process_id"]) for one in found} == {("6982f7c4.66ee", 3639)}
    assert [one["level"] for one in found] == ["ERROR", "DETAIL", "HINT", "CONTEXT", "STATEMENT"]


@pytest.mark.parametrize(
    ("prefix", "line", "fields"),
    [
        (
            "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
            "2026-11-20 08:14:55 UTC [12]: [3-1] user=app,db=x,app=my app,client=192.0.2.1 LOG:  x",
            {"process_id": 12, "session_line_num": 3, "user": "app", "client_ip": "192.0.2.1"},
        ),
        (
            "%m %-10u> %q%d %5p",
            "2026-11-20 08:14:55.123 UTC app       > shop    12 LOG:  x",
            {"user": "app", "database": "shop", "process_id": 12},
        ),
        ("%m %-10u> %q%d %5p", "2026-11-20 08:14:55.123 UTC           > LOG:  x", {}),
        ("%n %e %Q %b:", "1795162495.123 42P01 -7 client backend:LOG:  x", {"query_id": -7}),
        (
            "app=%a %t:",
            "app=2026-11-20 x 2026-11-20 08:14:55 UTC:LOG:  x",
            {"application_name": "2026-11-20 x"},
        ),
    ],
)
def test_lines_with_another_prefix_are_read_when_the_option_says_it(
    prefix: str, line: str, fields: dict[str, object]
) -> None:
    settings = read_settings(LogSettings, {"FORMAT_OPTIONS": f"PostgresLogLinePrefix={prefix}"})
    log_format = formats.get("rds").with_fields(settings.format_options["PostgresLogLinePrefix"])
    assert isinstance(log_format, MessageFormat)

    found = documents(
        take("postgresql", line, "\tand", f"{POSTGRESQL}LOG:  y", log_format=log_format)
    )

    assert [one["message"] for one in found] == ["x\n\tand", "y"]
    assert found[0]["@timestamp"].startswith("2026-11-20T08:14:55")
    assert fields.items() <= found[0].items()


@pytest.mark.parametrize("prefix", ["%z %t", "user=%u", "%t %"])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="log_line_prefix"):
        read_settings(LogSettings, {"FORMAT_OPTIONS": f"PostgresLogLinePrefix={prefix}"})


NAMES_LIKE_PREFIXES = (
    ("a:b", "s:h"),
    ("a[1]", "[2]:"),
    ("a@b:[1]:", "shop"),
    ("a:[1]:x@y", "d:[7]:"),
    ("a", "b:[1]:LOG"),
)


@pytest.mark.parametrize(("user", "database"), NAMES_LIKE_PREFIXES)
@pytest.mark.parametrize("before", [POSTGRESQL, LONG])
def test_a_name_that_looks_like_a_part_of_a_prefix_is_one(
    before: str, user: str, database: str
) -> None:
    (found,) = documents(take("postgresql", f"{named(before, user, database)}ERROR:  x"))
    assert (found["user"], found["database"], found["message"]) == (user, database, "x")


@pytest.mark.parametrize(
    ("user", "database"), [("a@b:[1]:LOG:  x", "shop"), ("a", "b:[1]:LOG:  x")]
)
def test_a_name_that_looks_like_the_rest_of_the_short_prefix_is_one_behind_the_long(
    user: str, database: str
) -> None:
    (found,) = documents(take("postgresql", f"{named(LONG, user, database)}ERROR:  x"))
    assert (found["user"], found["database"], found["message"]) == (user, database, "x")


def named(before: str, user: str, database: str) -> str:
    """Put other names into a prefix."""
    return re.sub(r"\w+@\w+:\[", lambda _: f"{user}@{database}:[", before, count=1)


BANNER = (
    "/rdsdbbin/mysql/bin/mysqld, Version: 8.0.35 (Source distribution). started with:\n"
    "Tcp port: 3306  Unix socket: /tmp/mysql.sock\n"
    "Time                 Id Command    Argument"
)


def test_rows_of_mariadb_without_a_time_are_records_in_one_event_too() -> None:
    rows = (
        "261120  8:14:55\t   116 Connect\tapp@localhost on shop",
        "\t\t   116 Query\tselect 'a'\n\t\tfrom t",
        "\t\t123456 Query\tselect\n\t\t1 Time,\n\t\t 7 Quit\n",
        "\t\t   116 Quit\t",
    )
    for before in ("", f"{BANNER.replace('mysqld', 'mariadbd')}\n"):
        found = documents(take("general", before + "\n".join(rows)))[bool(before) :]
        assert [one["command"] for one in found] == ["Connect", "Query", "Query", "Quit"]
        assert found[1]["statement"] == "select 'a'\n\t\tfrom t"
        assert found[2]["thread_id"] == 123456


def test_a_statement_that_looks_like_rows_of_mariadb_is_whole_in_mysqls_log() -> None:
    statement = "select '\n\t\t   116 Query\tselect 1'"
    (found,) = documents(take("general", f"2026-11-20T08:14:55.1Z\t   42 Query\t{statement}"))
    assert found["statement"] == statement


@pytest.mark.parametrize(
    "line",
    [
        "# Time: now",
        "# Time: 2026-11-20T08:14:55Z\n# User@Host: nobody",
        "# User@Host: a[a] @ [192.0.2.1]\n# Query_time: long",
        "# Time: 2026-11-20T08:14:55Z\n# User@Host: a[a] @ [192.0.2.1]\nselect 2",
        "/bin/mysqld, Version: 8.0.35 (Source distribution)",
        "/bin/mysqld, Version: 8.0.35. started with:\nselect 2",
        "Time                 Id Command    Argument",
        "Time                 Id Command    Argument\n/bin/mysqld, Version: 1 is old",
    ],
)
def test_a_line_that_looks_a_little_like_a_header_or_a_banner_does_not_part_a_statement(
    line: str,
) -> None:
    statement = f"select '1;\n{line}\n'"
    (slow,) = documents(take("slowquery", SLOW.partition(";")[0] + f";\n{statement};"))
    (general,) = documents(
        take("general", f"2026-11-20T08:14:55.123456Z\t   42 Query\t{statement}")
    )
    assert slow["statement"] == general["statement"] == statement


def test_each_whole_banner_is_a_record_wherever_it_stands() -> None:
    of_mariadb = BANNER.replace("mysqld", "mariadbd").replace("Command    ", "Command\t")
    found = documents(take("slowquery", f"{BANNER}\n{of_mariadb}\n{SLOW}\n{BANNER}"))
    assert [one.get("message") for one in found] == [BANNER, of_mariadb, None, BANNER]


HEADS = {
    "postgresql": (
        "",
        POSTGRESQL,
        f"{POSTGRESQL}LOG:  duration: 1 ms  plan:\n\tQuery Text: ",
        f"{POSTGRESQL}LOG:  execute ",
        f'{POSTGRESQL}LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,"',
        "2026-11-20 08:14:55 UTC:",
        "2026-11-20 08:14:55.123 UTC,",
    ),
    "slowquery": (SLOW, "# User@Host: ", "# Time: ", SLOW.partition("SET")[0] + "# explain: "),
    "general": (GENERAL, "2026-11-20T08:14:55.123456Z\t   42 Connect\t", "\t\t 1 A"),
    "audit": (AUDIT, "20261120 08:14:55,", "20261120 08:14:55,a,b,c,1,1,PROXY_CONNECT,,`"),
    "error": ("2026-11-20T08:14:55.123456Z 1 [", "2026-11-20  8:14:55 "),
    "proxy": ("2026-11-20T08:14:55.123Z [INFO] [proxyEndpoint=",),
}
FILLINGS = (
    *("x", " ", "\n", "\n\t", "'", '"', '""', "\\", ",", "@", ":", "`", "[1]", "(cost="),
    *("\n# ", ";\n# Time: ", "\n# explain: ", "/mysqld, Version: ", "mysqld", " on ", " as "),
)


@pytest.mark.parametrize("kind", HEADS)
def test_no_message_takes_longer_than_its_length(kind: str) -> None:
    for filling in FILLINGS:
        for head in HEADS[kind]:

            def text(size: int, head: str = head, filling: str = filling) -> str:
                return head + filling * (size // len(filling))

            assert is_linear(text, partial(take, kind), 15_000), (head, filling)
