from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.lake import text_rows
from servicelogs.opensearch.dated_indexes import one_index
from servicelogs.opensearch.documents import parser_of
from servicelogs.records import Records
from tests.formats.make_cases import FOLDER
from tests.formats.parsing import SOURCE
from tests.formats.test_delimited import LINES
from tests.lake.gathering import (
    as_rows,
    expected,
    gathered,
    mutated,
    new_gatherer,
    of_lines,
    of_object,
    refused,
)
from tests.lake.oracle import DEFAULT_PLACE
from tests.properties import examples

pytestmark = pytest.mark.slow

TEXT = [name for name in formats.NAMES if formats.get(name).kind == "text"]


@cache
def lines_of(log_type: str) -> list[bytes]:
    files = FOLDER.glob(f"{log_type}/*.log")
    return [line for file in files for line in file.read_bytes().split(b"\n") if line]


@cache
def have_learned(log_type: str) -> None:
    """Let the patterns learn which lines are usual, as with the first lines of large objects."""
    gathered(log_type, of_object(b"\n".join(lines_of(log_type) * 40)))


@pytest.mark.parametrize("name", TEXT)
@examples(0.3)
@given(data=st.data())
def test_lines_of_any_kind_become_the_rows_that_the_oracle_gives(
    name: str, data: st.DataObject
) -> None:
    have_learned(name)
    line = st.sampled_from(lines_of(name))
    lines = data.draw(st.lists(line.flatmap(mutated) | line, min_size=1, max_size=8))
    blocks_of = of_object(b"\n".join(lines))

    assert gathered(name, blocks_of) == expected(name, blocks_of)
    other = parser_of(formats.get(name), SOURCE, one_index("an-index"))
    assert refused(new_gatherer(name).parser_of(SOURCE), blocks_of) == refused(other, blocks_of)


def test_rows_of_consecutive_objects_are_turned_together() -> None:
    line = LINES["alb"].decode()
    gatherer = new_gatherer("alb")
    for number in range(100):
        source = replace(SOURCE, uri=f"s3://logs/{number}", region=f"eu-west-{number % 2}")
        for _ in of_lines(line)(gatherer.parser_of(source)):
            assert not [*gatherer.batches()]

    of_patterns = [*gatherer.finish()]

    assert len(of_patterns) <= len(("general", "usual"))
    places = {row["log_source"]: row["region"] for row in as_rows(of_patterns, "alb")}
    assert places == {f"s3://logs/{number}": f"eu-west-{number % 2}" for number in range(100)}
    assert [*gatherer.finish()] == []


def test_lines_are_turned_when_they_are_many() -> None:
    gatherer = new_gatherer("vpc_flow")
    data = (LINES["vpc_flow"] + b"\n") * (text_rows.ROWS + 50)
    found = [
        batch.num_rows
        for _ in of_object(data, 4096)(gatherer.parser_of(SOURCE))
        for batch in gatherer.batches()
    ]

    assert found
    assert all(rows >= text_rows.ROWS for rows in found)


def test_lines_are_turned_when_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_rows, "_MOST_BYTES", 10_000)
    gatherer = new_gatherer("alb")
    data = (LINES["alb"] + b"\n") * 60
    found = [
        batch.num_rows
        for _ in of_object(data, 1000)(gatherer.parser_of(SOURCE))
        for batch in gatherer.batches()
    ]

    assert sum(found) > 30


def test_lines_of_many_layouts_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_rows, "_MOST_PATTERNS", 4)
    gatherer = new_gatherer("vpc_flow")
    headers = [f"version start column-{number}" for number in range(10)]
    data = "".join(f"{header}\n2 1763626495 x\n" for header in headers).encode()
    found = [
        batch.num_rows
        for _ in of_object(data, 10)(gatherer.parser_of(SOURCE))
        for batch in gatherer.batches()
    ]

    assert sum(found) >= 5


def test_a_time_that_does_not_fit_is_whole_in_extra_fields_and_counted() -> None:
    gatherer = new_gatherer("alb")
    line = LINES["alb"].decode()
    before, _, rest = line.rpartition(" 2026-")
    behind = rest[rest.index(" ") :]
    lines = (line, *(f"{before} {time}{behind}" for time in ("a\\day", "2026-02-30T08:14:55Z")))

    rows = gathered("alb", of_lines(*lines), gatherer=gatherer)

    assert [row["request_creation_time"] is None for row in rows] == [False, True, True]
    assert [row["extra_fields"] for row in rows] == [
        None,
        {"request_creation_time": "a\\day"},
        {"request_creation_time": "2026-02-30T08:14:55Z"},
    ]
    assert gatherer.misfits == Counter({"request_creation_time": 2})


def test_a_mark_of_utf_8_that_a_line_begins_with_stays() -> None:
    blocks_of = of_object(b"\xef\xbb\xbf" + LINES["alb"])

    (row,) = gathered("alb", blocks_of)

    assert row["type"].startswith("\ufeff")
    assert [row] == expected("alb", blocks_of)


def test_a_line_names_its_place_where_the_source_does_not() -> None:
    silent = replace(SOURCE, account_id="", region="")
    header = "version account-id region start"
    lines = ("2 111122223333 us-east-1 1763626495", "2 - eu-west-3 1763626496", "2 - - 1763626497")

    rows = gathered("vpc_flow", of_lines(header, *lines), silent)

    assert [(row["account_id"], row["region"]) for row in rows] == [
        ("111122223333", "us-east-1"),
        (DEFAULT_PLACE.account_id, "eu-west-3"),
        DEFAULT_PLACE,
    ]


def test_lines_of_log_events_are_dated_by_their_hour_and_have_their_own_time() -> None:
    hour = (datetime(2026, 11, 19, 23, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        hours=1
    )
    source = replace(SOURCE, log_group="flows", log_stream="eni-1-all")
    records = Records(7, [LINES["vpc_flow"]], keys=[b"k"], hour=hour)

    (row,) = gathered("vpc_flow", lambda parser: [parser.take(records, 0)], source)

    assert (row["event_day"], row["log_record"]) == ("2026-11-19", 7)
    assert (row["log_group"], row["log_stream"]) == ("flows", "eni-1-all")
    assert row["event_time"] == row["start"]
