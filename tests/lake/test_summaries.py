"""A summary is what its details come to, however they are parted into files."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs import formats
from servicelogs.lake.schema import PARTITION, arrow_schema
from servicelogs.lake.summaries import dimensions, measures, summary_columns
from servicelogs.lake.summarizer import summarizer_of

START = datetime(2026, 11, 20, 8, 14, 30, tzinfo=UTC)
SUMMARIZED = [name for name in formats.NAMES if formats.get(name).summary]

ROW = st.fixed_dictionaries(
    {
        "event_time": st.integers(0, 179).map(lambda second: START + timedelta(seconds=second)),
        "elb": st.sampled_from(["app/a/1", "app/b/2", None]),
        "elb_status_code": st.sampled_from([200, 502, None]),
        "sent_bytes": st.none() | st.integers(0, 2**40),
        "target_processing_time": st.none() | st.sampled_from([0.0, 0.25, 1.5]),
    }
)


def summarized(rows: list[dict[str, Any]], name: str = "alb") -> pyarrow.Table:
    table = pyarrow.Table.from_pylist(rows, schema=arrow_schema(formats.get(name)))
    return summarizer_of(formats.get(name)).summarize(table)


@pytest.mark.parametrize("name", SUMMARIZED)
def test_a_summary_has_what_its_declaration_says_under_names_of_its_own(name: str) -> None:
    log_format = formats.get(name)
    columns = summary_columns(log_format)
    names = [column.name for column in columns]
    assert len({*names, *PARTITION}) == len(names) + len(PARTITION)
    assert names[0] == "minute"
    assert {"text", "integer", "boolean"} >= {one.column.kind for one in dimensions(log_format)}
    assert {"integer", "long", "float"} >= {one.column.kind for one in measures(log_format)}


@pytest.mark.parametrize("name", SUMMARIZED)
def test_a_summary_of_rows_without_values_counts_them(name: str) -> None:
    summary = summarized([{"event_time": START}] * 3, name)
    (row,) = summary.to_pylist()
    assert row["records"] == 3
    assert row["minute"] == START.replace(second=0)
    assert {value for key, value in row.items() if key.endswith("_count")} <= {0}
    assert {value for key, value in row.items() if key.endswith("_sum")} <= {None}
    assert summary.schema.names == [c.name for c in summary_columns(formats.get(name))]


def test_clients_and_paths_are_not_counted_apart() -> None:
    """There may be as many as records."""
    for name in SUMMARIZED:
        for one in dimensions(formats.get(name)):
            assert not {"ip", "port", "path", "uri", "url", "agent"} & {*one.name.split("_")} - {
                "port"
            }, (name, one.name)


@given(rows=st.lists(ROW, max_size=30))
def test_counts_and_sums_are_those_of_the_details_and_what_is_missing_is_in_neither(rows) -> None:
    expected: dict[Any, dict[str, Any]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        minute = row["event_time"].replace(second=0)
        group = expected[minute, row["elb"], row["elb_status_code"]]
        group["records"] += 1
        for name in ("sent_bytes", "target_processing_time"):
            group[f"{name}_count"] += row[name] is not None
            group[f"{name}_sum"] += row[name] or 0
    found = {
        (row["minute"], row["elb"], row["elb_status_code"]): row
        for row in summarized(rows).to_pylist()
    }
    assert found.keys() == expected.keys()
    for key, group in expected.items():
        for name, value in group.items():
            assert (found[key][name] or 0) == value


@given(rows=st.lists(ROW, min_size=1, max_size=30), cuts=st.lists(st.integers(0, 30), max_size=3))
def test_summaries_of_several_files_joined_are_the_summary_of_all(rows, cuts) -> None:
    ends = sorted({*(min(cut, len(rows)) for cut in cuts), len(rows)})
    starts = [0, *ends[:-1]]
    parts = [summarized(rows[a:b]) for a, b in zip(starts, ends, strict=True) if a < b]
    batches = [batch for part in parts for batch in part.to_batches()]
    joined = pyarrow.Table.from_batches(summarizer_of(formats.get("alb")).join(batches))
    keys = [("minute", "ascending"), ("elb", "ascending"), ("elb_status_code", "ascending")]
    assert joined.sort_by(keys).equals(summarized(rows).sort_by(keys))
    assert not batches


def test_a_member_of_a_struct_is_counted_under_its_whole_name() -> None:
    rows = [
        {"event_time": START, "eventname": "A", "useridentity": {"type": "Root"}},
        {"event_time": START, "eventname": "A", "useridentity": None},
        {"event_time": START, "eventname": "A", "useridentity": {"type": None}},
    ]
    found = summarized(rows, "cloudtrail").to_pylist()
    assert {(row["useridentity_type"], row["records"]) for row in found} == {("Root", 1), (None, 2)}


def test_the_minute_of_a_time_before_1970_is_the_one_that_begins_before_it() -> None:
    (row,) = summarized([{"event_time": datetime(1969, 12, 31, 23, 59, 59, 1, UTC)}]).to_pylist()
    assert row["minute"] == datetime(1969, 12, 31, 23, 59, tzinfo=UTC)
