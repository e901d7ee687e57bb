"""Two checkouts are compared by what their records cost, and by nothing else."""

import json
from functools import cache
from pathlib import Path

import pytest

from tests.benchmarks import comparison
from tests.benchmarks.cases import LARGE, START_UP, START_UP_RECORDS, write_cases
from tests.benchmarks.comparison import THIS, RunFailed, Runs, comparisons, cpu_seconds

LINE_CASES = {START_UP, LARGE, "sparse", "small", "tiny"}


def test_costs_are_of_the_best_rounds_without_start_up_and_its_records() -> None:
    runs = {
        START_UP: Runs(50, [0.3, 0.2], [0.1, 0.15]),
        LARGE: Runs(100_050, [1.2, 1.3], [0.9, 0.6]),
        "small": Runs(10_050, [0.3, 0.35], [0.2, 0.2]),
    }
    large, small = comparisons("alb", runs)
    assert (large.this_microseconds, large.beside_microseconds) == (10, 5)
    assert (large.ratio, small.ratio) == (2, 1)
    assert (large.this_to_large, large.beside_to_large) == (1, 1)
    assert (small.this_to_large, small.beside_to_large) == (1, 2)
    assert large.noise == pytest.approx(0.6)
    assert small.noise == pytest.approx(0.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vpc_flow", "waf", "config"])
def test_every_case_of_a_checkout_beside_itself_is_compared(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is the same checkout need not run twice.
    run = cache(cpu_seconds)
    monkeypatch.setattr(
        comparison,
        "cpu_seconds",
        lambda checkout, files, records: run(checkout, tuple(files), records),
    )
    found = comparison.compare(name, THIS, records=START_UP_RECORDS, rounds=1)
    json_cases = set() if name == "vpc_flow" else {"several lines", "concatenated"}
    json_cases |= {"differing"} if name == "config" else set()
    assert {row.case for row in found} == LINE_CASES - {START_UP} | json_cases
    assert [json.loads(line)["case"] for line in comparison.json_lines(found)] == [
        row.case for row in found
    ]
    assert all(row.records > START_UP_RECORDS for row in found)
    assert len({len(line) for line in [*comparison.table(found)][1:]}) == 1


def test_a_checkout_that_loses_a_record_is_not_compared(tmp_path: Path) -> None:
    case = write_cases("alb", 20, tmp_path)[LARGE]
    assert cpu_seconds(THIS, case.files, 20) > 0
    with pytest.raises(RunFailed, match='"documents": 20'):
        cpu_seconds(THIS, case.files, 21)


def test_what_is_no_checkout_says_so(tmp_path: Path) -> None:
    case = write_cases("alb", 20, tmp_path)[LARGE]
    with pytest.raises(RunFailed, match="No module named servicelogs"):
        cpu_seconds(tmp_path, case.files, 20)
