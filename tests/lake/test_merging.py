"""Files of a partition become few: the same rows, in order of time, in bounded memory."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import Table

from servicelogs.errors import UnmergeableFile
from servicelogs.lake import merging
from servicelogs.lake.merging import MergedFile, merge_files
from servicelogs.lake.parquet_files import ParquetFilesInFolder
from servicelogs.lake.schema import EVENT_TIME as SORTED_BY
from tests.properties import examples

SCHEMA = pyarrow.schema(
    [
        (SORTED_BY, pyarrow.timestamp("us", tz="UTC")),
        ("name", pyarrow.string()),
        ("rules", pyarrow.list_(pyarrow.struct([("id", pyarrow.string())]))),
    ]
)
START = datetime(2026, 11, 20, tzinfo=UTC)
MIB = 1 << 20


def table(seconds: Sequence[float], name: str = "a") -> Table:
    return Table.from_pylist(
        [
            {
                SORTED_BY: START + timedelta(seconds=second),
                "name": f"{name}-{number}",
                "rules": [{"id": None}] * (number % 3) if number % 5 else None,
            }
            for number, second in enumerate(sorted(seconds))
        ],
        schema=SCHEMA,
    )


def written(folder: Path, tables: Sequence[Table]) -> list[Path]:
    files = ParquetFilesInFolder(folder)
    for number, rows in enumerate(tables):
        files.write(rows, f"{number}.parquet")
    return [folder / f"{number}.parquet" for number in range(len(tables))]


def rows_of(path: Path) -> list[tuple[datetime, str, str]]:
    rows = pyarrow.parquet.read_table(path).to_pylist()
    return [(row[SORTED_BY], row["name"], str(row["rules"])) for row in rows]


def check(paths: Sequence[Path], merged: Sequence[MergedFile]) -> None:
    """Hold what was written against what was read."""
    before = Counter(row for path in paths for row in rows_of(path))
    after = [row for file in merged for row in rows_of(file.path)]
    assert Counter(after) == before
    times = [time for time, *_ in after]
    assert times == sorted(times)
    for file in merged:
        rows = rows_of(file.path)
        assert (file.rows, file.first, file.last) == (len(rows), rows[0][0], rows[-1][0])
        assert file.bytes == file.path.stat().st_size


SECONDS = st.lists(st.integers(0, 40), min_size=1, max_size=30)


@examples(0.5)
@given(
    files=st.lists(SECONDS, min_size=1, max_size=9),
    rows=st.sampled_from([1, 2, 7, 65_536]),
    memory=st.sampled_from([3_000, 64 * MIB]),
)
def test_the_same_rows_come_out_in_order_of_time(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]], rows: int, memory: int
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    tables = [table(seconds, str(number)) for number, seconds in enumerate(files)]
    paths = written(folder, tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "LEAST_ROWS", rows)
        patch.setattr(merging, "MOST_ROWS", rows)
        merged = merge_files(paths, folder, memory=memory, most_bytes=64 * MIB)
    assert len(merged) == 1
    check(paths, merged)


def test_a_large_partition_becomes_files_that_follow_each_other(tmp_path: Path) -> None:
    paths = written(
        tmp_path, [table(range(at, at + 3_000), str(at)) for at in range(0, 9_000, 900)]
    )
    merged = merge_files(paths, tmp_path, memory=MIB // 4, most_bytes=10_000)
    assert len(merged) > 3
    check(paths, merged)
    assert all(one.last <= other.first for one, other in pairwise(merged))


def test_columns_and_members_that_are_newer_are_null_in_older_rows(tmp_path: Path) -> None:
    newer = SCHEMA.set(
        2,
        pyarrow.field(
            "rules",
            pyarrow.list_(pyarrow.struct([("id", pyarrow.string()), ("n", pyarrow.int32())])),
        ),
    ).append(pyarrow.field("added", pyarrow.int64()))
    row = {SORTED_BY: START, "name": "new", "rules": [{"id": "r", "n": 1}], "added": 7}
    paths = written(tmp_path, [table([1, 2]), Table.from_pylist([row], schema=newer), table([3])])
    (file,) = merge_files(paths, tmp_path, memory=64 * MIB, most_bytes=MIB)
    merged = pyarrow.parquet.read_table(file.path)
    assert merged.schema.equals(newer)
    assert [(one["name"], one["rules"], one["added"]) for one in merged.to_pylist()] == [
        ("new", [{"id": "r", "n": 1}], 7),
        ("a-0", None, None),
        ("a-1", [{"id": None, "n": None}], None),
        ("a-0", None, None),
    ]


def test_only_files_whose_times_overlap_are_open_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = written(tmp_path, [table(range(at, at + 100), str(at)) for at in range(0, 2_000, 90)])
    reading: list[int] = []
    take = merging._Input.take

    def counted(file: merging._Input, end: int):
        reading.append(sum(one.batch is not None for one in opened))
        return take(file, end)

    opened: list[merging._Input] = []
    open_ = merging._Input.open

    def noted(file: merging._Input, share: int) -> None:
        opened.append(file)
        open_(file, share)

    monkeypatch.setattr(merging._Input, "take", counted)
    monkeypatch.setattr(merging._Input, "open", noted)
    check(paths, merge_files(paths, tmp_path, memory=64 * MIB, most_bytes=MIB))
    assert max(reading) <= 3


@pytest.mark.slow
def test_memory_does_not_grow_with_the_partition(tmp_path: Path) -> None:
    usual = pyarrow.default_memory_pool()
    pools = []  # what was allocated from one may outlive the measurement

    def peak(files: int) -> int:
        folder = tmp_path / str(files)
        folder.mkdir()
        paths = written(folder, [table(range(20_000), "x" * 200)] * files)
        pool = pyarrow.proxy_memory_pool(usual)
        pools.append(pool)
        pyarrow.set_memory_pool(pool)
        try:
            merge_files(paths, folder, memory=8 * MIB, most_bytes=1 << 40)
        finally:
            pyarrow.set_memory_pool(usual)
        return pool.max_memory()

    assert peak(48) < 1.5 * peak(12)


TIMES = pyarrow.array([1, None], pyarrow.timestamp("us", tz="UTC"))


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "no Parquet file"),
        (b"hello", "no Parquet file"),
        (pyarrow.table({SORTED_BY: TIMES[:0]}), "no rows"),
        (pyarrow.table({SORTED_BY: TIMES}), "not the time of each row"),
        (pyarrow.table({SORTED_BY: TIMES[1:]}), "not the time of each row"),
    ],
)
def test_a_file_that_the_lake_does_not_write_is_named(
    tmp_path: Path, file: bytes | Table, why: str
) -> None:
    good, other = tmp_path / "good.parquet", tmp_path / "other.parquet"
    pyarrow.parquet.write_table(pyarrow.table({SORTED_BY: TIMES[:1]}), good)
    if isinstance(file, bytes):
        other.write_bytes(file)
    else:
        pyarrow.parquet.write_table(file, other)

    with pytest.raises(UnmergeableFile, match=rf"^other\.parquet cannot be merged: .*{why}"):
        merge_files([good, other], tmp_path, memory=64 * MIB, most_bytes=MIB)


def test_a_file_with_a_column_of_another_type_is_named(tmp_path: Path) -> None:
    columns = {"a": [1], "b": [["x"]]}, {"a": [2]}, {"a": ["x"]}
    paths = [tmp_path / f"{number}.parquet" for number in range(len(columns))]
    for path, own in zip(paths, columns, strict=True):
        pyarrow.parquet.write_table(pyarrow.table({SORTED_BY: TIMES[:1], **own}), path)

    why = r"^2\.parquet cannot be merged: its columns are not those of 0\.parquet .*Field a"
    with pytest.raises(UnmergeableFile, match=why):
        merge_files(paths, tmp_path, memory=64 * MIB, most_bytes=MIB)
