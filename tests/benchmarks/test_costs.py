"""The costs that `make bench` shows are of whole objects, and floors are held."""

import gzip

import pytest

from local.sample_logs import generate
from tests.benchmarks import handler, yardstick
from tests.benchmarks.cases import LARGE
from tests.benchmarks.costs import Cost, costs, table


def cost(**changes: object) -> Cost:
    values = {
        "format": "alb",
        "case": LARGE,
        "ours": 10.0,
        "yardstick": 40.0,
        "by_large": 1.0,
        "share": 0.9,
    }
    return Cost(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", yardstick.NAMES)
def test_the_yardstick_writes_each_record(name: str) -> None:
    assert yardstick.run(name, gzip.compress(generate(name, 50))) == 50


def test_each_case_is_measured_and_the_large_one_through_the_handler_too() -> None:
    with handler.loaded() as loaded:
        found = list(costs("cloudtrail", 100, 1, loaded))
    assert found[0].case == LARGE
    assert [row.case for row in found if row.share] == [LARGE]
    assert [row.case for row in found if row.yardstick is None] == ["concatenated"]
    assert {"sparse", "small", "tiny", "several lines", "differing"} < {row.case for row in found}
    assert len([*table(found)]) == 2 + len(found)


def test_the_handler_must_send_each_document() -> None:
    data = gzip.compress(generate("alb", 20))
    with handler.loaded() as loaded:
        assert loaded.seconds("alb", [data, data], 40) > 0
        with pytest.raises(ValueError, match="20 documents of 21"):
            loaded.seconds("alb", [data], 21)


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"yardstick": 37.0}, ["alb large: 3.70 times the yardstick, not 3.8"]),
        ({"yardstick": None, "case": "concatenated"}, []),
        ({"share": 0.4}, ["alb: parsing is 0.40 of the handler, not 0.85"]),
        (
            {"format": "vpc_flow", "case": "small", "by_large": 1.9},
            ["vpc_flow small: 1.90 times a large object's record"],
        ),
    ],
)
def test_what_is_worse_than_it_must_be_is_said(
    changes: dict[str, object], faults: list[str]
) -> None:
    assert list(cost(**changes).faults) == faults
