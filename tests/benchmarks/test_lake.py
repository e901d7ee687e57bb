"""What `make bench` shows of the lake is of whole objects, beside the same rows, and has floors."""

import gzip

import pytest

from local.sample_logs import generate
from tests.benchmarks import lake, lake_scripts
from tests.benchmarks.lake import LARGE, ODD, TINY, Merging, Speed, merging, speeds, table

RECORDS = 60


def speed(**changes: object) -> Speed:
    values = {
        "format": "alb",
        "case": LARGE,
        "ours": 60.0,
        "beside": {"bulk": 50.0, "polars": 100.0},
        "by_large": 1.0,
        "bytes_by_pyarrow": 0.9,
        "floors": {"bulk": 1.0, "polars": 0.55},
    }
    return Speed(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["cloudtrail", "rds", "vpc_flow"])
def test_each_case_becomes_rows_and_is_measured_beside_what_there_is(name: str) -> None:
    found = {row.case: row for row in speeds(name, RECORDS, rounds=1)}
    assert [*found] == [LARGE, *([ODD] if name in lake.ODD_LINES else []), TINY]
    scripts = {"polars": lake_scripts.POLARS, "DuckDB": lake_scripts.DUCKDB}
    expected = {"bulk", *(way for way, of in scripts.items() if name in of)}
    assert set(found[LARGE].beside) == expected
    assert all(set(row.floors) <= set(row.beside) for row in found.values())
    assert len([*table(found.values())]) == 2 + len(found)


@pytest.mark.parametrize("scripts", [lake_scripts.POLARS, lake_scripts.DUCKDB])
def test_a_script_makes_a_row_of_each_record(scripts: dict[str, lake_scripts.Script]) -> None:
    for name, run in scripts.items():
        assert run(name, gzip.compress(generate(name, RECORDS))) == RECORDS


@pytest.mark.parametrize("name", ["vpc_flow", "waf"])
def test_all_rows_of_files_are_merged(name: str) -> None:
    found = merging(name, RECORDS, rounds=1)
    assert (found.rows, found.files) == (4 * RECORDS, 4)
    assert 0 < found.of_files < found.of_rows


def test_every_case_with_a_floor_is_measured() -> None:
    measured = {(name, case) for name in lake.NAMES for case in (LARGE, TINY)}
    measured |= {(name, ODD) for name in lake.ODD_LINES}
    assert set(lake.FLOORS) <= measured


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"ours": 52.0}, ["alb large, gzip to file: 0.52 times polars, not 0.55"]),
        (
            {"beside": {"bulk": 80.0, "polars": 1.0}},
            ["alb large, gzip to file: 0.75 times bulk, not 1.0"],
        ),
        ({"by_large": 9.0}, []),
        (
            {"case": TINY, "by_large": 4.1, "floors": {}},
            ["alb tiny, gzip to file: 4.10 times a large object's record"],
        ),
        (
            {"bytes_by_pyarrow": 1.03},
            ["alb large, gzip to file: 1.030 times the bytes of pyarrow's file"],
        ),
    ],
)
def test_what_is_worse_than_it_must_be_is_said(
    changes: dict[str, object], faults: list[str]
) -> None:
    assert list(speed(**changes).faults) == faults


def test_slow_merging_is_said_whatever_the_files_are_compressed_to() -> None:
    assert not list(Merging("alb", 1, 1, of_files=9.0, of_rows=101.0).faults)
    assert list(Merging("alb", 1, 1, of_files=101.0, of_rows=99.0).faults) == [
        "alb: 99 MB merged a second, not 100"
    ]
