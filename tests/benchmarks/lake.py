"""What a record costs from gzip to a sorted file of the lake, and a byte to be merged.

Beside it stand, in the same run, the bulk body of the same records, and what somebody's script with
polars or DuckDB takes to the same columns (lake_scripts.py).
"""

import gc
import gzip
import io
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pyarrow
import pyarrow.parquet

from local.sample_logs import generate
from servicelogs.formats import get
from servicelogs.lake.conversion import WrittenFile
from servicelogs.lake.merging import merge_files
from servicelogs.lake.parquet_files import COMPRESSION, LEVEL, ParquetFiles, ParquetFilesInFolder
from servicelogs.records import Source
from tests.benchmarks import lake_scripts
from tests.benchmarks.lake_conversion import convert, files_in_s3, use_one_core
from tests.benchmarks.ours import bulk_bodies, source_of

NAMES = ("alb", "vpc_flow", "cloudfront", "cloudtrail", "waf", "rds")
"""The types that are measured unless others are asked for."""

RECORDS = 100_000
"""A file has about so many or more: with fewer what a file costs by itself weighs too much."""

LARGE, ODD, TINY = "large", "odd lines", "tiny"
TINY_RECORDS = 20
MOST_OBJECTS = 2_000
MERGED_FILES = 4
MERGING_BYTES = 512 * 1024 * 1024
"""What a function of two gigabytes has for what it merges."""
MOST_ROUNDS_OF_SCRIPTS = 3
_MEGABYTE = 1_000_000

ODD_LINES = {
    "alb": (b'"Root=', b'"Root\\x22='),
    "cloudfront": (b"aB3x_-==", b"aB3x\\x22=="),
    "vpc_flow": (b" eni-", b" eni\\x22-"),
}
"""What stands in each line, and what takes its place: a character that AWS escapes."""

FLOORS: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("alb", LARGE): {"bulk": 1.0, "polars": 0.55},
    ("alb", ODD): {"bulk": 0.6},
    ("cloudfront", LARGE): {"bulk": 1.0, "polars": 0.55},
    ("cloudfront", ODD): {"bulk": 0.6},
    ("cloudtrail", LARGE): {"polars": 1.1, "DuckDB": 0.65},
    ("rds", LARGE): {"bulk": 0.6},
    ("vpc_flow", LARGE): {"bulk": 1.2, "polars": 0.3},
    ("vpc_flow", ODD): {"bulk": 0.6},
    ("waf", LARGE): {"polars": 6.0, "DuckDB": 0.6},
}
"""The least that ours must be by each, in records per CPU second. Those of large objects of text
are for lines that a lane takes (decision 29)."""
TEXT_FLOOR = {"bulk": 1.0}
"""That of other types of text."""
MOST_OF_TINY = 4.0
"""The most that a record of an object of 20 may cost, by one of a large object."""
MOST_BYTES = 1.02
"""The most that files may have, by those of pyarrow as it writes unless told otherwise."""
LEAST_MERGED = 100
"""So many megabytes of rows are merged in a CPU second, as Arrow has them in memory."""

BESIDE = ("bulk", "polars", "DuckDB")
_HEADINGS = ("format", "case", "ours", *BESIDE, *(f"by {one}" for one in BESIDE), "by large")
_ROW = "{:<19} {:<9}" + " {:>9}" * 4 + " {:>11}" * 3 + " {:>9} {:>9}"
_MERGED_ROW = "{:<19} {:>9} {:>6} {:>16} {:>16} {:>9}"


@dataclass(frozen=True, slots=True)
class Speed:
    """Records per CPU second in one case."""

    format: str
    case: str
    ours: float
    beside: Mapping[str, float]
    by_large: float
    """What a record costs by one of a large object."""
    bytes_by_pyarrow: float
    """The files' bytes by those that pyarrow makes of the same rows."""
    floors: Mapping[str, float] = field(default_factory=dict)

    def ratio(self, way: str) -> float:
        """Say how many times as fast as another way it is."""
        return self.ours / self.beside[way]

    @property
    def faults(self) -> Iterator[str]:
        """Say what of it is worse than it must be."""
        label = f"{self.format} {self.case}, gzip to file"
        for way, floor in self.floors.items():
            if self.ratio(way) < floor:
                yield f"{label}: {self.ratio(way):.2f} times {way}, not {floor}"
        if self.case == TINY and self.by_large > MOST_OF_TINY:
            yield f"{label}: {self.by_large:.2f} times a large object's record"
        if self.case == LARGE and self.bytes_by_pyarrow > MOST_BYTES:
            yield f"{label}: {self.bytes_by_pyarrow:.3f} times the bytes of pyarrow's file"


@dataclass(frozen=True, slots=True)
class Merging:
    """How fast files are merged, in megabytes per CPU second."""

    format: str
    rows: int
    files: int
    of_files: float
    """Megabytes of the files that are read, as they are on disk."""
    of_rows: float
    """Megabytes of their rows, as Arrow has them in memory."""

    @property
    def faults(self) -> Iterator[str]:
        """Say whether it is slower than it must be."""
        if self.of_rows < LEAST_MERGED:
            yield f"{self.format}: {self.of_rows:.0f} MB merged a second, not {LEAST_MERGED}"


def speeds(name: str, records: int, rounds: int) -> Iterator[Speed]:
    """Measure each case of a type, the large object first."""
    use_one_core()
    large = 0.0
    for case, texts in _texts(name, records).items():
        objects = [gzip.compress(text, 6) for text in texts]
        total = min(records, TINY_RECORDS) * len(objects) if case == TINY else records
        beside: dict[str, Callable[[], object]] = {"bulk": partial(_bulk, name, objects)}
        if case == LARGE:
            beside |= {
                way: partial(scripts[name], name, objects[0])
                for way, scripts in (
                    ("polars", lake_scripts.POLARS),
                    ("DuckDB", lake_scripts.DUCKDB),
                )
                if name in scripts
            }
        with files_in_s3() as files:
            # The first run learns, as the first of a process does; it is not measured.
            written = _convert(name, objects, files)
            if (rows := sum(file.rows for file in written)) != total:
                raise ValueError(f"{rows} rows of {total} records of {name} were written")
            best = _best({"ours": partial(_convert, name, objects, files), **beside}, rounds)
        ratio = _bytes(written) / _bytes(_convert(name, objects, _AsPyarrow()))
        large = large or best["ours"]
        speed = {way: total / seconds for way, seconds in best.items()}
        yield Speed(
            format=name,
            case=case,
            ours=speed.pop("ours"),
            beside=speed,
            by_large=best["ours"] / total / (large / records),
            bytes_by_pyarrow=ratio,
            floors=_floors(name, case),
        )


def merging(name: str, records: int, rounds: int) -> Merging:
    """Measure how a type's files are merged, each of which has the same hour's rows."""
    use_one_core()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number in range(MERGED_FILES):
            data = gzip.compress(generate(name, records, number + 1), 6)
            convert(name, _sources(name, [data]), ParquetFilesInFolder(folder / str(number)))
        paths = sorted(folder.glob(f"*/{name}/**/*.parquet"))
        best = float("inf")
        for number in range(rounds):
            out = folder / f"merged-{number}"
            out.mkdir()
            gc.collect()
            start = time.process_time()
            merged = merge_files(paths, out, memory=MERGING_BYTES, most_bytes=MERGING_BYTES)
            best = min(best, time.process_time() - start)
        in_memory = sum(
            pyarrow.parquet.read_table(path, use_threads=False).nbytes for path in paths
        )
        return Merging(
            format=name,
            rows=sum(file.rows for file in merged),
            files=len(paths),
            of_files=sum(path.stat().st_size for path in paths) / best / _MEGABYTE,
            of_rows=in_memory / best / _MEGABYTE,
        )


def _texts(name: str, records: int) -> dict[str, list[bytes]]:
    text = generate(name, records)
    cases = {LARGE: [text]}
    if name in ODD_LINES:
        cases[ODD] = [text.replace(*ODD_LINES[name])]
    tiny = min(TINY_RECORDS, records)
    number = min(records // tiny, MOST_OBJECTS)
    cases[TINY] = [generate(name, tiny, seed) for seed in range(1, 1 + number)]
    return cases


def _floors(name: str, case: str) -> Mapping[str, float]:
    others = TEXT_FLOOR if case == LARGE and get(name).kind == "text" else {}
    return FLOORS.get((name, case), others)


def _sources(name: str, objects: Iterable[bytes]) -> Iterator[tuple[Source, io.BytesIO]]:
    source = source_of(name)
    for number, data in enumerate(objects):
        yield replace(source, uri=f"{source.uri}/{number}"), io.BytesIO(data)


def _convert(name: str, objects: Iterable[bytes], files: ParquetFiles) -> list[WrittenFile]:
    """Convert objects; give the files of the table itself, not those of its summary."""
    written = convert(name, _sources(name, objects), files)
    return [file for file in written if file.partition.table == name]


def _bytes(written: Iterable[WrittenFile]) -> int:
    return sum(file.bytes for file in written)


def _bulk(name: str, objects: Iterable[bytes]) -> None:
    for data in objects:
        for _ in bulk_bodies(name, data):
            pass


class _AsPyarrow:
    """Writes files as pyarrow does unless told otherwise, to nowhere."""

    def write(self, table: pyarrow.Table, _name: str) -> int:
        out = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(table, out, compression=COMPRESSION, compression_level=LEVEL)
        size: int = out.getvalue().size
        return size


def _best(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run each in turn and give the best CPU seconds of each; those of scripts in fewer rounds."""
    best = dict.fromkeys(runs, float("inf"))
    for number in range(rounds):
        for way, run in runs.items():
            if way in ("polars", "DuckDB") and number >= MOST_ROUNDS_OF_SCRIPTS:
                continue
            gc.collect()  # what another way has left is not this one's to clean up
            start = time.process_time()
            run()
            best[way] = min(best[way], time.process_time() - start)
    return best


def table(rows: Iterable[Speed]) -> Iterator[str]:
    """Write speeds for people, line by line as they come."""
    yield "records per CPU second, from gzip to a sorted file of the lake (in brackets: the floor)"
    yield _ROW.format(*_HEADINGS, "bytes")
    for row in rows:
        yield _ROW.format(
            row.format,
            row.case,
            f"{row.ours:,.0f}",
            *(f"{row.beside[way]:,.0f}" if way in row.beside else "" for way in BESIDE),
            *(_ratio(row, way) if way in row.beside else "" for way in BESIDE),
            f"{row.by_large:.2f}",
            f"{row.bytes_by_pyarrow:.3f}",
        )


def _ratio(row: Speed, way: str) -> str:
    floor = f" ({row.floors[way]})" if way in row.floors else ""
    return f"{row.ratio(way):.2f}{floor}"


def merging_table(rows: Iterable[Merging]) -> Iterator[str]:
    """Write how files are merged for people, line by line as they come."""
    yield "megabytes merged per CPU second: of the files, and of their rows in memory"
    yield _MERGED_ROW.format("format", "rows", "files", "MB/s of files", "MB/s of rows", "floor")
    for row in rows:
        yield _MERGED_ROW.format(
            row.format,
            f"{row.rows:,}",
            row.files,
            f"{row.of_files:.1f}",
            f"{row.of_rows:.0f}",
            LEAST_MERGED,
        )
