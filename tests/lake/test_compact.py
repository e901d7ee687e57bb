"""Small files of a partition become few, of the same rows, as queries find them."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from servicelogs.errors import Unaccounted
from servicelogs.lake import compact, pick
from servicelogs.lake.compact import Compacted, Compactor
from servicelogs.lake.names import Partition
from servicelogs.lake.parquet_files import ParquetFilesInFolder
from servicelogs.lake.parquet_in_s3 import OneClientSession
from servicelogs.lake.pick import Asked, pick_partitions, worth_merging
from tests.lake.lake_world import DATABASE, LAKE, World, enough_time

pytestmark = pytest.mark.slow

MIB = 1 << 20
START = datetime(2026, 11, 20, tzinfo=UTC)
FILES = 5
PARTITION = Partition("alb", "111122223333", "eu-west-1", "2026-11-20")


@pytest.fixture
def lake(moto_world: World, tmp_path: Path) -> World:
    """A lake with a partition of five files, each of a hundred rows, five minutes apart."""
    for number in range(FILES):
        put(moto_world, PARTITION, f"20261120T{number:02}-{number}.parquet", number, tmp_path)
    return moto_world


def put(world: World, partition: Partition, name: str, number: int, folder: Path) -> None:
    """Publish a file as a batch does."""
    start = START + timedelta(minutes=5 * number)
    rows = pyarrow.table(
        {
            "event_time": pyarrow.array(
                [start + timedelta(seconds=9 * at) for at in range(100)],
                pyarrow.timestamp("us", tz="UTC"),
            ),
            "name": [f"{number}-{at}" for at in range(100)],
        }
    )
    ParquetFilesInFolder(folder).write(rows, name)
    execution = world.start()
    lake = world.lake
    with lake.leases.held(partition.main_table, execution) as lease:
        (generation,) = lake.partitions.record(lease, f"batch-{name}", [partition]).values()
        world.s3.upload_file(str(folder / name), LAKE, partition.folder(generation) + name)
        lake.catalog.point({partition: generation})
        lake.partitions.told(lease, {partition: generation})
    world.end(execution)


def files(world: World, partition: Partition = PARTITION) -> dict[str, pyarrow.Table]:
    """Read the partition's files as a query finds them."""
    (found,) = world.glue.get_partitions(
        DatabaseName=DATABASE, TableName=partition.table, Expression=""
    )["Partitions"]
    prefix = found["StorageDescriptor"]["Location"].removeprefix(f"s3://{LAKE}/")
    return {
        key.removeprefix(prefix): pyarrow.parquet.read_table(
            io.BytesIO(world.s3.get_object(Bucket=LAKE, Key=key)["Body"].read())
        )
        for key in world.keys(LAKE, prefix)
    }


def rows(world: World) -> Counter[str]:
    return Counter(name for table in files(world).values() for name in table["name"].to_pylist())


EVERY_ROW = Counter(f"{number}-{at}" for number in range(FILES) for at in range(100))


def compactor(
    world: World, tmp_path: Path, seconds_left: Callable[[], float] = enough_time, **given: Any
) -> Compactor:
    return Compactor(
        world.lake,
        OneClientSession(),
        disk=tmp_path,
        memory=64 * MIB,
        seconds_left=seconds_left,
        **given,
    )


def compacted(world: World, tmp_path: Path, attempt: str = "attempt-1") -> Compacted:
    execution = world.start()
    done = compactor(world, tmp_path).compact(PARTITION, attempt, execution)
    world.end(execution)
    return done


def test_many_small_files_become_one_in_order_of_time(lake: World, tmp_path: Path) -> None:
    done = compacted(lake, tmp_path)

    assert (done.state, done.files_before, done.files_after) == ("DONE", FILES, 1)
    assert done.bytes_after < done.bytes_before
    ((name, table),) = files(lake).items()
    assert name == "merged-attempt-1-0.parquet"
    times = table["event_time"].to_pylist()
    assert times == sorted(times)
    assert rows(lake) == EVERY_ROW


def test_nothing_is_left_on_the_disk(lake: World, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    compacted(lake, disk)
    assert not [*disk.iterdir()]


def test_what_is_published_meanwhile_stays_and_is_merged_next(lake: World, tmp_path: Path) -> None:
    compacted(lake, tmp_path)
    put(lake, PARTITION, "20261121T00-late.parquet", 0, tmp_path)
    late = Counter(f"0-{at}" for at in range(100))
    assert rows(lake) == EVERY_ROW + late

    compacted(lake, tmp_path, "attempt-2")

    assert [*files(lake)] == ["merged-attempt-2-0.parquet"]
    assert rows(lake) == EVERY_ROW + late


def test_large_files_and_what_is_too_much_at_a_time_are_left_as_they_are(
    lake: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = lake.s3.head_object(
        Bucket=LAKE, Key=f"{PARTITION.folder('g0000')}20261120T00-0.parquet"
    )["ContentLength"]
    monkeypatch.setattr(compact, "MOST_READ", 2 * size + 100)
    monkeypatch.setattr(pick, "SMALL_BYTES", int(1.5 * size))

    states = []
    for number in range(4):
        states.append(compacted(lake, tmp_path, f"attempt-{number}").state)
        assert rows(lake) == EVERY_ROW

    assert states == ["MORE", "DONE", "DONE", "DONE"]
    assert len(files(lake)) == 3


def test_a_busy_table_is_waited_for_and_not_merged_again(lake: World, tmp_path: Path) -> None:
    publishing = lake.start()
    held = lake.lake.leases.held("alb", publishing)
    held.__enter__()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            held.__exit__(None, None, None)

    execution = lake.start()
    done = compactor(lake, tmp_path, sleep=sleep).compact(PARTITION, "attempt-1", execution)

    assert (done.state, len(slept)) == ("DONE", 3)
    assert rows(lake) == EVERY_ROW


def test_a_table_that_stays_busy_is_left_for_later(lake: World, tmp_path: Path) -> None:
    held = lake.lake.leases.held("alb", lake.start())
    held.__enter__()
    left = iter([900.0, 59.0])
    execution = lake.start()
    done = compactor(lake, tmp_path, lambda: next(left, 59.0), sleep=lambda _: None).compact(
        PARTITION, "attempt-1", execution
    )
    assert done.state == "BUSY"
    assert rows(lake) == EVERY_ROW


def test_a_row_too_few_changes_nothing(
    lake: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(paths: list[Path], *arguments: Any, **options: Any) -> Any:
        return merge(paths[1:], *arguments, **options)

    merge = compact.merge_files
    monkeypatch.setattr(compact, "merge_files", lossy)
    with pytest.raises(Unaccounted, match=r"500 rows of alb/\S+ became 400"):
        compacted(lake, tmp_path)
    assert rows(lake) == EVERY_ROW
    assert len(files(lake)) == FILES


def test_files_that_would_grow_are_left_as_they_are(
    lake: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def larger(*arguments: Any, **options: Any) -> Any:
        (file,) = merge(*arguments, **options)
        return [compact.MergedFile(file.path, file.rows, 1 << 30, file.first, file.last)]

    merge = compact.merge_files
    monkeypatch.setattr(compact, "merge_files", larger)
    assert compacted(lake, tmp_path) == Compacted("DONE")
    assert len(files(lake)) == FILES


def test_an_expired_partition_is_done(lake: World, tmp_path: Path) -> None:
    execution = lake.start()
    with lake.lake.leases.held("alb", execution) as lease:
        lake.lake.partitions.expire(lease, [PARTITION])
    lake.end(execution)
    assert compacted(lake, tmp_path) == Compacted("DONE")


def picked(world: World, **asked: str) -> list[str]:
    return [one.everything for one in pick_partitions(world.lake, Asked.read(asked))]


def test_partitions_with_small_files_are_picked_today_only_if_they_are_many(
    lake: World, tmp_path: Path
) -> None:
    other = PARTITION._replace(event_day="2026-11-21")
    for number in range(2):
        put(lake, other, f"{number}.parquet", number, tmp_path)
    lake.now = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
    lake.lake.clock = lambda: lake.now
    assert picked(lake) == [PARTITION.everything]
    lake.now += 86400
    assert picked(lake) == [PARTITION.everything, other.everything]

    compacted(lake, tmp_path)

    assert picked(lake) == [other.everything]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, True),
        ({"table": "alb"}, True),
        ({"table": "waf"}, False),
        ({"table": "alb_summary"}, False),
        ({"from": "2026-11-20", "to": "2026-11-20"}, True),
        ({"from": "2026-11-21"}, False),
        ({"to": "2026-11-19"}, False),
    ],
)
def test_a_run_may_be_asked_for_a_table_and_days(
    lake: World, asked: dict[str, str], found: bool
) -> None:
    lake.lake.clock = lambda: datetime(2026, 11, 25, tzinfo=UTC).timestamp()
    assert bool(picked(lake, **asked)) == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"table": "albs"}, r"table: 'albs' is none; it is one of alb,"),
        ({"from": "yesterday"}, r"from: 'yesterday' is no day; write it as 2026-11-20"),
        ({"to": "2026-13-01"}, r"to: '2026-13-01' is no day"),
    ],
)
def test_what_cannot_be_asked_for_is_an_error(asked: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Asked.read(asked)


def test_files_are_chosen_while_they_fit() -> None:
    sizes = {"c": 10, "a": 30, "b": 50, "d": 200 * MIB}
    assert worth_merging(sizes, 100) == ["a", "b", "c"]
    assert worth_merging(sizes, 45) == ["a", "c"]
    assert worth_merging(sizes, 35) == []
