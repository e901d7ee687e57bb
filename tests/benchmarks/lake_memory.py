"""Memory and time of converting much: `python -m tests.benchmarks.lake_memory [TYPE …]`.

For each type a gibibyte of text in one object, then 200 objects of as many accounts: each in a
process of its own, with the budget of a function of two gigabytes.
"""

import argparse
import gzip
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from local.sample_logs import generate
from tests.benchmarks.lake_conversion import convert, files_in_s3, use_one_core
from tests.benchmarks.ours import source_of

GIBIBYTE = 1 << 30
MOST_MEBIBYTES = 1.1 * 1024
TYPES = ("cloudtrail", "waf", "alb", "cloudfront", "vpc_flow", "rds")
ACCOUNTS = 200
RECORDS, RECORDS_OF_ACCOUNT = 20_000, 2_000
"""So many are made; an object has them so many times over."""


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
        say(" ".join(map(str, convert_accounts(options.types[0], options.accounts))))
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


def convert_accounts(name: str, accounts: int) -> Measured:
    """Convert a gibibyte of text, parted among so many accounts."""
    use_one_core()
    text = generate(name, RECORDS if accounts == 1 else RECORDS_OF_ACCOUNT)
    member, times = gzip.compress(text, 6), max(1, GIBIBYTE // len(text) // accounts)
    sources = (
        replace(source_of(name), account_id=f"{100_000_000_000 + number}")
        for number in range(accounts)
    )
    with files_in_s3() as files:
        began = time.process_time()
        written = convert(name, ((source, _Members(member, times)) for source in sources), files)
        seconds = time.process_time() - began
    rows = sum(one.rows for one in written if one.partition.table == name)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(rows, len(written), round(seconds, 2), round(peak, 1))


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


if __name__ == "__main__":
    sys.exit(main())
