"""Memory and time of converting much: `python -m tests.benchmarks.lake_memory [TYPE …]`.

For each type a gibibyte of text in one object, then 200 objects of as many accounts: each in a
process of its own, with the budget of a function of two gigabytes. S3 takes what it is sent and
keeps nothing, so that memory and time are the conversion's own.
"""

import argparse
import gzip
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from unittest.mock import patch

from local.sample_logs import REGION, generate

GIBIBYTE = 1 << 30
BUDGET = 256 * 1024 * 1024
MOST_MEBIBYTES = 1.1 * 1024
TYPES = ("cloudtrail", "waf", "alb", "cloudfront", "vpc_flow", "rds")
ACCOUNTS = 200
RECORDS = 20_000
DELIVERED = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Measured(NamedTuple):
    """What one conversion took."""

    rows: int
    files: int
    seconds: float
    mebibytes: float
    """The most that the process had at a time, Python and its libraries included."""


def main() -> int:
    """Measure each type, and say which takes too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("types", nargs="*", default=TYPES)
    parser.add_argument("--accounts", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.accounts:
        say(" ".join(map(str, convert(options.types[0], options.accounts))))
        return 0
    too_much = []
    say(f"{'':28}{'rows':>12}{'files':>8}{'CPU s':>8}{'rows/s':>10}{'peak MiB':>10}")
    for name in options.types:
        for accounts, what in ((1, "one object"), (ACCOUNTS, f"{ACCOUNTS} accounts")):
            found = in_a_process(name, accounts)
            rate = found.rows / found.seconds
            say(
                f"{name + ', ' + what:28}{found.rows:>12,}{found.files:>8,}{found.seconds:>8.1f}"
                f"{rate:>10,.0f}{found.mebibytes:>10,.0f}"
            )
            if found.mebibytes > MOST_MEBIBYTES:
                too_much.append(f"{name}, {what}")
    if too_much:
        say(f"above {MOST_MEBIBYTES:,.0f} MiB: {'; '.join(too_much)}")
    return bool(too_much)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def in_a_process(name: str, accounts: int) -> Measured:
    command = [sys.executable, "-m", "tests.benchmarks.lake_memory", name]
    done = subprocess.run(
        [*command, "--accounts", str(accounts)], check=True, capture_output=True, text=True
    )
    rows, files, seconds, mebibytes = done.stdout.split()
    return Measured(int(rows), int(files), float(seconds), float(mebibytes))


def convert(name: str, accounts: int) -> Measured:
    """Convert a gibibyte of text, parted among so many accounts."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    import pyarrow
    from botocore.client import BaseClient

    from servicelogs.dates import DatePolicy
    from servicelogs.detection.content import START_BYTES
    from servicelogs.detection.objects import ObjectTypes
    from servicelogs.lake.conversion import Conversion
    from servicelogs.lake.parquet_in_s3 import OneClientSession, ParquetFilesInS3
    from servicelogs.parsing.places import Place
    from servicelogs.records import Source
    from servicelogs.settings import LogSettings
    from servicelogs.sources.decompression import begin

    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    text = generate(name, RECORDS)
    member, times = gzip.compress(text, 6), max(1, GIBIBYTE // len(text) // accounts)
    types = ObjectTypes(LogSettings(log_type=name))
    with patch.object(BaseClient, "_make_api_call", _take):
        began = time.process_time()
        conversion = Conversion(
            ParquetFilesInS3(OneClientSession(), "lake", ""),
            dates=lambda _: DatePolicy(),
            default_place=Place("999999999999", REGION),
            budget=BUDGET,
        )
        for number in range(accounts):
            start, chunks, fault = begin(_Members(member, times), START_BYTES)
            detected = types.identify("", start, fault)
            account = f"{100_000_000_000 + number}"
            source = Source("s3://logs/key", "A" * 16, DELIVERED, account, REGION)
            conversion.take(detected, chunks, source, _never, {})
            conversion.end_place(Place(account, REGION))
        conversion.finish()
        seconds = time.process_time() - began
    rows = sum(one.rows for one in conversion.written if one.partition.table == name)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(rows, len(conversion.written), round(seconds, 2), round(peak, 1))


class _Members:
    """A gzip of the same member so many times over."""

    def __init__(self, member: bytes, times: int) -> None:
        self._members: Iterator[bytes] = iter([member] * times)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size and (member := next(self._members, None)):
            self._rest += member
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _take(_client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    if body := request.get("Body"):
        body if isinstance(body, bytes | bytearray) else body.read()
    answers = {"UploadId": "x", "ETag": "x", "ContentLength": 0}
    return answers if operation != "CompleteMultipartUpload" else {}


def _never(*_: Any) -> None:
    raise AssertionError("no sample is rejected")


if __name__ == "__main__":
    sys.exit(main())
