"""Print records per CPU second from gzip to bulk body: ours, a plain loop, and inflating alone.

Beside them stands what polars takes to read the object into columns: see polars_columns.py.

All run in turn, several times, and the best time of each counts: what else the machine does
then hits all alike. `make bench TYPES="alb waf"` measures some formats.

A second table shows what a record costs in each case of delivery, beside a yardstick, and what part
of the handler's work that is: see costs.py.

Two tables are of the lake: from gzip to a sorted file, and files that are merged. See lake.py.

With --beside DIRECTORY, the checkout there is compared with this one instead, in more cases: see
comparison.py.
"""

import argparse
import gzip
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from isal import igzip_lib

from local.sample_logs import generate
from servicelogs.formats import NAMES
from tests.benchmarks import (
    cold_start,
    comparison,
    costs,
    handler,
    lake,
    log_events,
    polars_columns,
)
from tests.benchmarks.cases import START_UP_RECORDS
from tests.benchmarks.ours import bulk_bodies, source_of
from tests.benchmarks.plain_loops import LOOPS

RECORDS = 40_000
ROUNDS = 7
MOST_ROUNDS_OF_POLARS = 2
FLOORS = {
    "alb": 3.5,
    "alb_connection": 3.0,
    "alb_health_check": 3.0,
    "clb": 3.0,
    "cloudfront": 2.2,
    "cloudfront_realtime": 2.2,
    "cloudtrail": 8.0,
    "config": 3.0,
    "lambda": 4.0,
    "nlb": 3.0,
    "rds": 4.0,
    "s3_access": 3.0,
    "tgw_flow": 3.0,
    "vpc_flow": 4.0,
    "waf": 3.5,
}
"""The least that a format must be faster than its plain loop."""


def ours(name: str, data: bytes) -> None:
    """Turn a compressed object into bulk bodies, and keep none."""
    for _ in bulk_bodies(name, data):
        pass


def inflate(data: bytes) -> None:
    """Decompress, which nothing can do without."""
    for _ in _chunks(data):
        pass


def _chunks(data: bytes) -> Iterator[bytes]:
    stream = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    yield stream.decompress(data, 256 * 1024)
    while not stream.eof:
        yield stream.decompress(b"", 256 * 1024)


def best_times(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Run each in turn and give the best CPU seconds of each."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


def peak_bytes(name: str, records: int) -> int:
    """Give the most memory that going through an object takes, the object itself left out."""
    data = gzip.compress(generate(name, records), 6)
    tracemalloc.start()
    ours(name, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def measure(name: str, records: int, rounds: int) -> dict[str, Any]:
    """Measure one format."""
    text = generate(name, records)
    data = gzip.compress(text, 6)
    ours(name, data)
    times = best_times(
        {
            "ours": lambda: ours(name, data),
            "loop": lambda: LOOPS[name](data, source_of(name)),
            "inflate": lambda: inflate(data),
        },
        rounds,
    )
    if name in polars_columns.READERS:
        # Fewer rounds: of nested records it takes longer than all else together.
        polars = {"polars": lambda: polars_columns.read(name, data)}
        times |= best_times(polars, min(rounds, MOST_ROUNDS_OF_POLARS))
    return {
        "format": name,
        "bytes_per_record": round(len(text) / records),
        **{f"{way}_per_second": round(records / seconds) for way, seconds in times.items()},
        "ratio": round(times["loop"] / times["ours"], 2),
        "floor": FLOORS[name],
        "peak_mib": round(peak_bytes(name, records // 4) / 2**20, 1),
        "peak_mib_of_4_times_the_size": round(peak_bytes(name, records) / 2**20, 1),
    }


def print_comparison(names: Iterable[str], arguments: argparse.Namespace) -> None:
    """Print what formats cost in this checkout and in another."""
    rows = (
        row
        for name in names
        for row in comparison.compare(name, arguments.beside, arguments.records, arguments.rounds)
    )
    for line in comparison.json_lines(rows) if arguments.json else comparison.table(rows):
        print(line, flush=True)


type Row = costs.Cost | lake.Speed | lake.Merging


def print_rows[R: Row](
    rows: Iterable[R], table: Callable[[Iterable[R]], Iterable[str]], *, as_json: bool
) -> list[str]:
    """Print rows as they come; return what in them is worse than it must be."""
    found: list[str] = []

    def noted() -> Iterator[R]:
        for row in rows:
            found.extend(row.faults)
            yield row

    for line in (json.dumps(asdict(row)) for row in noted()) if as_json else table(noted()):
        print(line, flush=True)
    return found


def measure_costs(names: Iterable[str], arguments: argparse.Namespace) -> list[str]:
    """Print what a record of formats costs in each case; return what is worse than it must be."""
    with handler.loaded() as loaded:
        rows = (
            cost
            for name in names
            for cost in costs.costs(name, arguments.records, arguments.rounds, loaded)
        )
        return print_rows(rows, costs.table, as_json=arguments.json)


def measure_lake(names: Iterable[str], records: int, arguments: argparse.Namespace) -> list[str]:
    """Print how fast records become files, and these are merged; return what is too slow."""
    speeds = (speed for name in names for speed in lake.speeds(name, records, arguments.rounds))
    merged = (lake.merging(name, records, arguments.rounds) for name in names)
    slow = print_rows(speeds, lake.table, as_json=arguments.json)
    return slow + print_rows(merged, lake.merging_table, as_json=arguments.json)


def known_name(name: str) -> str:
    """Let through the name of a format."""
    if name not in NAMES:
        raise argparse.ArgumentTypeError(
            f"{name!r} is not a log type; there are {', '.join(NAMES)}"
        )
    return name


def measure_log_events(arguments: argparse.Namespace) -> list[str]:
    """Measure records that come as log events; give those that are below the floor."""
    slow: list[str] = []
    for name in () if arguments.json else log_events.NAMES:
        if name in (arguments.formats or NAMES):
            share = log_events.measure(name, arguments.records, arguments.rounds, best_times)
            print(share, flush=True)
            slow += [f"{name}: {share}"] if share.is_slow else []
    return slow


def main() -> int:
    """Measure the formats asked for; 1 if one is slower than its floor."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "formats", nargs="*", type=known_name, metavar="FORMAT", help=", ".join(NAMES)
    )
    parser.add_argument(
        "--records", type=int, help=f"default {RECORDS}, of the lake {lake.RECORDS}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument(
        "--beside", type=Path, metavar="DIRECTORY", help="compare with the checkout there"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"how often each is run; default {ROUNDS}"
    )
    arguments = parser.parse_args()
    of_the_lake = arguments.records or lake.RECORDS
    arguments.records = arguments.records or RECORDS
    if arguments.beside:
        if arguments.records < START_UP_RECORDS:
            parser.error(f"--records: at least {START_UP_RECORDS}, which are the start-up's")
        if not (arguments.beside / comparison.PACKAGES / "servicelogs").is_dir():
            parser.error(f"{arguments.beside} is not a checkout: it has no {comparison.PACKAGES}")
        print_comparison(arguments.formats or NAMES, arguments)
        return 0
    row = "{:<19} {:>7} {:>11} {:>11} {:>11} {:>11} {:>8} {:>7} {:>16}"
    if not arguments.json:
        print("records per CPU second, from gzip to bulk body, on one core")
        print(
            row.format(
                "format",
                "bytes",
                "inflate",
                "polars",
                "plain loop",
                "ours",
                "ratio",
                "floor",
                "MiB, at size x4",
            )
        )
    slow = []
    for name in arguments.formats or NAMES:
        result = measure(name, arguments.records, arguments.rounds)
        if result["ratio"] < result["floor"]:
            slow.append(name)
        if arguments.json:
            print(json.dumps(result), flush=True)
            continue
        memory = f"{result['peak_mib']} {result['peak_mib_of_4_times_the_size']}"
        print(
            row.format(
                name,
                result["bytes_per_record"],
                f"{result['inflate_per_second']:,}",
                f"{result['polars_per_second']:,}" if "polars_per_second" in result else "",
                f"{result['loop_per_second']:,}",
                f"{result['ours_per_second']:,}",
                result["ratio"],
                result["floor"],
                memory,
            ),
            flush=True,
        )
    faults = [f"{name}: below the floor of its plain loop" for name in slow]
    faults += measure_costs(arguments.formats or NAMES, arguments)
    faults += measure_lake(arguments.formats or lake.NAMES, of_the_lake, arguments)
    faults += measure_log_events(arguments)
    if not arguments.formats and not arguments.json:
        start = cold_start.measure()
        print(start)
        faults += ["cold start: slower than it may be"] if start.is_slow else []
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
