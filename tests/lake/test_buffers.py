"""Rows are in the file of their partition, once, and memory is bounded meanwhile."""

from collections import Counter

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelogs.errors import Unaccounted
from servicelogs.lake import buffers
from servicelogs.lake.buffers import Buffers, by_partition, folder
from servicelogs.lake.names import Partition

SCHEMA = pyarrow.schema([("number", pyarrow.int64()), ("text", pyarrow.string())])
PLACES = st.tuples(
    st.sampled_from(["111122223333", "444455556666"]),
    st.sampled_from(["eu-west-1", "us-east-1", "global"]),
    st.sampled_from(["2026-11-19", "2026-11-20", "2026-11-21"]),
)
ONE = Partition("alb", "111122223333", "eu-west-1", "2026-11-20")


def batch_of(places: list[tuple[str, str, str]], *, as_dictionaries: bool = True, text: str = "x"):
    columns = [pyarrow.array(values, pyarrow.string()) for values in zip(*places, strict=True)]
    if as_dictionaries:
        columns = [column.dictionary_encode() for column in columns]
    rows = [pyarrow.array(range(len(places))), pyarrow.array([text] * len(places))]
    names = [*SCHEMA.names, "account_id", "region", "event_day"]
    return pyarrow.RecordBatch.from_arrays([*rows, *columns], names)


def rows(count: int, text: str = "") -> pyarrow.RecordBatch:
    return pyarrow.RecordBatch.from_arrays(
        [pyarrow.array(range(count)), pyarrow.array([text] * count)], schema=SCHEMA
    )


class Written:
    """What was written, in order."""

    def __init__(self) -> None:
        self.files: list[tuple[Partition, int]] = []

    def __call__(self, partition: Partition, batches: list[pyarrow.RecordBatch]) -> None:
        self.files.append((partition, sum(batch.num_rows for batch in batches)))
        batches.clear()


@given(places=st.lists(PLACES, min_size=1, max_size=40), as_dictionaries=st.booleans())
def test_each_row_is_in_the_part_of_its_partition_in_its_order(places, as_dictionaries) -> None:
    batch = batch_of(places, as_dictionaries=as_dictionaries)
    parts = dict(by_partition("alb", SCHEMA, batch))
    assert sum(part.num_rows for part in parts.values()) == len(places)
    assert {part.schema for part in parts.values()} == {SCHEMA}
    for partition, part in parts.items():
        numbers = part.column("number").to_pylist()
        assert numbers == [n for n, place in enumerate(places) if ("alb", *place) == partition]


def test_a_batch_of_no_row_has_no_part() -> None:
    empty = batch_of([("111122223333", "eu-west-1", "2026-11-20")]).slice(0, 0)
    assert not [*by_partition("alb", SCHEMA, empty)]


def test_a_value_that_no_row_has_any_more_makes_no_part() -> None:
    """A dictionary keeps what rows that were left out had."""
    places = [("111122223333", "eu-west-1", day) for day in ("2026-11-19", "2026-11-20")]
    ((partition, part),) = by_partition("alb", SCHEMA, batch_of(places).slice(1))
    assert (partition.event_day, part.num_rows) == ("2026-11-20", 1)


def test_a_part_keeps_nothing_of_the_others_alive() -> None:
    before = pyarrow.total_allocated_bytes()
    places = [("111122223333", "eu-west-1", f"2026-11-{20 if n else 19}") for n in range(2000)]
    parts = dict(by_partition("alb", SCHEMA, batch_of(places, text="x" * 1000)))
    few = parts[ONE._replace(event_day="2026-11-19")]
    del parts
    assert few.num_rows == 1
    assert pyarrow.total_allocated_bytes() - before < 10_000


@pytest.mark.parametrize("value", ["", "..", "a/b", "a\\b", "é", "x" * 65, "a\n"])
def test_what_would_lead_elsewhere_is_not_the_name_of_a_folder(value: str) -> None:
    with pytest.raises(Unaccounted, match="cannot be part of a partition"):
        folder(ONE._replace(account_id=value))


def test_partitions_are_kept_until_they_are_too_much_then_the_largest_is_written() -> None:
    written = Written()
    kept = Buffers(written, budget=100_000)
    small, large = ONE, ONE._replace(event_day="2026-11-21")
    for _ in range(10):
        kept.add(small, rows(100))
        kept.add(large, rows(500))
    assert not written.files
    kept.add(small, rows(5000))
    assert written.files == [(small, 6000)]
    kept.write_all()
    assert written.files[1:] == [(large, 5000)]


def test_a_partition_that_is_enough_for_a_file_is_written(monkeypatch) -> None:
    monkeypatch.setattr(buffers, "MOST_PARTITION_BYTES", 50_000)
    written = Written()
    kept = Buffers(written, budget=10**9)
    for _ in range(9):
        kept.add(ONE, rows(1000))
    assert written.files == [(ONE, 5000)]


def test_what_is_written_of_a_place_leaves_the_other_places() -> None:
    written = Written()
    kept = Buffers(written, budget=10**9)
    elsewhere = ONE._replace(region="us-east-1")
    for partition in (ONE, elsewhere, ONE._replace(event_day="2026-11-21")):
        kept.add(partition, rows(1))
    kept.write_all(lambda partition: partition.region == "eu-west-1")
    assert {partition.region for partition, _ in written.files} == {"eu-west-1"}
    kept.write_all()
    assert written.files[-1] == (elsewhere, 1)


def test_what_comes_of_writing_is_written_too() -> None:
    """A summary is made when its details are written."""
    files: Counter[str] = Counter()

    def write(partition: Partition, batches: list[pyarrow.RecordBatch]) -> None:
        files[partition.table] += sum(batch.num_rows for batch in batches)
        if partition.table == "alb":
            kept.add(partition._replace(table="alb_summary"), rows(1))

    kept = Buffers(write, budget=10**9)
    kept.add(ONE, rows(10))
    kept.write_all()
    assert files == {"alb": 10, "alb_summary": 1}


@given(
    sizes=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3000)), max_size=60),
    budget=st.integers(1, 200_000),
)
def test_memory_is_bounded_and_no_row_is_lost_or_twice(sizes, budget) -> None:
    written = Written()
    kept = Buffers(written, budget=budget)
    given_rows: Counter[Partition] = Counter()
    largest = 0
    for day, count in sizes:
        partition = ONE._replace(event_day=f"2026-11-{10 + day}")
        kept.add(partition, rows(count))
        given_rows[partition] += count
        in_memory = given_rows.total() - sum(count for _, count in written.files)
        largest = max(largest, in_memory * 8)
    kept.write_all()
    found: Counter[Partition] = Counter()
    for partition, count in written.files:
        found[partition] += count
    assert found == given_rows
    assert largest <= budget


def test_many_small_batches_take_little_more_than_their_rows() -> None:
    before = pyarrow.total_allocated_bytes()
    kept = Buffers(Written(), budget=10**9)
    for _ in range(2000):
        kept.add(ONE, rows(1))
    assert pyarrow.total_allocated_bytes() - before < 2000 * 60
