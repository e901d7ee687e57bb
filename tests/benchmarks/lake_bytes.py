"""Bytes a record, where it is on its way: `python -m tests.benchmarks.lake_bytes [TYPE …]`.

Of each type one object of sample records: as text and as gzip, as AWS delivers it; as the sorted
file of the lake, before it is merged with others; as the bulk body for OpenSearch. Beside them the
CPU time from gzip to the file, the best of some rounds. From these docs/light-engine.md says what a
million records cost.
"""

import argparse
import gc
import gzip
import io
import sys
import time
from typing import NamedTuple

from local.sample_logs import generate
from servicelogs.lake.parquet_files import ParquetFiles
from tests.benchmarks.lake import RECORDS
from tests.benchmarks.lake_conversion import convert, files_in_s3, use_one_core
from tests.benchmarks.ours import bulk_bodies, source_of

TYPES = (
    *("vpc_flow", "tgw_flow", "cloudfront", "s3_access", "alb", "nlb", "clb", "waf", "cloudtrail"),
    *("config", "rds", "lambda"),
)
ROUNDS = 4
_ROW = "{:<14}" + "{:>12}" * 5
"""A type, four sizes and a time."""


class Converted(NamedTuple):
    """What became of an object."""

    rows: int
    bytes: int
    seconds: float


def main() -> int:
    """Measure each type."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*", default=TYPES)
    use_one_core()
    _say(_ROW.format("bytes a record", "text", "gzip", "file", "bulk body", "µs of CPU"))
    with files_in_s3() as files:
        for name in parser.parse_args().types:
            text = generate(name, RECORDS)
            data = gzip.compress(text, 6)
            best = min(
                (_convert(name, data, files) for _ in range(ROUNDS)), key=lambda c: c.seconds
            )
            bulk = sum(map(len, bulk_bodies(name, data)))
            sizes = (len(text), len(data), best.bytes, bulk, best.seconds * 1e6)
            _say(_ROW.format(name, *(f"{size / best.rows:,.1f}" for size in sizes)))
    return 0


def _convert(name: str, data: bytes, files: ParquetFiles) -> Converted:
    gc.collect()
    start = time.process_time()
    written = convert(name, [(source_of(name), io.BytesIO(data))], files)
    seconds = time.process_time() - start
    own = [file for file in written if file.partition.table == name]
    return Converted(sum(file.rows for file in own), sum(file.bytes for file in own), seconds)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
