"""Compare the CPU a record of this checkout with another's (`make bench BESIDE=DIRECTORY`).

What is run is the command line, `servicelogs parse --bulk FILE… >/dev/null`, in a process of its
own for each checkout. The function's own modules change from one checkout to the other, this
command does not, and it does what the function does with an object: inflate, find the type, parse,
make bulk bodies, count. In this mode it takes no body apart, and many files share one process as
objects share a function. What it does besides (open a file, hash its name) weighs the same in both.

What a process costs before its first record is measured by a run over a few records, and taken off.
Files are given several times, under other names, so that this difference is large beside what is
taken off. Both checkouts run in turn, several rounds, and the best of each counts.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.cases import LARGE, START_UP, Case, write_cases

THIS = Path(__file__).parents[2]
PACKAGES = Path("layers", "service_logs")
PASSES = 4

_HEADINGS = ("format", "case", "this", "beside", "ratio", "noise", "this/large", "beside/large")
_ROW = "{:<17} {:<14} {:>8} {:>8} {:>6} {:>6} {:>11} {:>13}"


class RunFailed(Exception):
    """A checkout's command line did not make a document of every record."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The CPU seconds of the rounds of one case, in both checkouts."""

    records: int
    this: list[float]
    beside: list[float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a record costs in one case."""

    format: str
    case: str
    records: int
    this_microseconds: float
    beside_microseconds: float
    ratio: float
    """This checkout's cost by the other's: above 1 it is slower."""
    noise: float
    """How far the second best round is from the best, in the checkout where it is farther."""
    this_to_large: float
    """The cost by that of a large object in the same checkout."""
    beside_to_large: float


def compare(name: str, beside: Path, records: int, rounds: int) -> list[Comparison]:
    """Measure a format in this checkout and in the one beside it, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        return comparisons(name, _measure(write_cases(name, records, Path(folder)), beside, rounds))


def comparisons(name: str, runs: Mapping[str, Runs]) -> list[Comparison]:
    """Compare the best rounds of each case, start-up taken off."""
    start_up = runs[START_UP]
    starts = (min(start_up.this), min(start_up.beside))

    def cost(case: Runs) -> tuple[float, float]:
        records = case.records - start_up.records
        this, beside = min(case.this) - starts[0], min(case.beside) - starts[1]
        return this / records * 1e6, beside / records * 1e6

    large = cost(runs[LARGE])
    found = []
    for label, case in runs.items():
        if label == START_UP:
            continue
        this, beside = cost(case)
        found.append(
            Comparison(
                format=name,
                case=label,
                records=case.records,
                this_microseconds=round(this, 2),
                beside_microseconds=round(beside, 2),
                ratio=round(this / beside, 3),
                noise=round(max(map(_noise, (case.this, case.beside), starts)), 3),
                this_to_large=round(this / large[0], 2),
                beside_to_large=round(beside / large[1], 2),
            )
        )
    return found


def _noise(rounds: Sequence[float], start: float) -> float:
    best, *others = sorted(rounds)
    return (others[0] - best) / (best - start) if others else 0.0


def _measure(cases: Mapping[str, Case], beside: Path, rounds: int) -> dict[str, Runs]:
    """Run each case in both checkouts, whichever is first in one round second in the next."""
    files = {
        label: case.several_times(1 if label == START_UP else PASSES)
        for label, case in cases.items()
    }
    runs = {
        label: Runs(case.records * len(files[label]) // len(case.files), [], [])
        for label, case in cases.items()
    }
    for number in range(rounds):
        for label, run in runs.items():
            turns = [(THIS, run.this), (beside, run.beside)]
            for checkout, seconds in turns if number % 2 else reversed(turns):
                seconds.append(cpu_seconds(checkout, files[label], run.records))
    return runs


def cpu_seconds(checkout: Path, files: Sequence[Path], records: int) -> float:
    """Parse files with a checkout's command line; RunFailed if some record is not a document."""
    environment = os.environ | {"PYTHONPATH": str(checkout.resolve() / PACKAGES)}
    command = [sys.executable, "-P", "-m", "servicelogs", "parse", "--bulk"]
    folder = Path(os.path.commonpath([file.parent for file in files]))
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*command, *(str(file.relative_to(folder)) for file in files)],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace").splitlines() or [""]
    if process.returncode or json.loads(said[-1])["documents"] != records:
        raise RunFailed(
            f"{checkout}: {records} records of {files[0]} and {len(files) - 1} more files ended"
            f" with status {process.returncode}: {said[-1][:500]}"
        )
    return usage.ru_utime + usage.ru_stime


def table(rows: Iterable[Comparison]) -> Iterator[str]:
    """Write comparisons for people, line by line as they come."""
    yield "CPU microseconds a record, of this checkout and of the one beside it"
    yield _ROW.format(*_HEADINGS)
    for row in rows:
        yield _ROW.format(
            row.format,
            row.case,
            f"{row.this_microseconds:.2f}",
            f"{row.beside_microseconds:.2f}",
            f"{row.ratio:.2f}",
            f"{row.noise:.0%}",
            f"{row.this_to_large:.2f}",
            f"{row.beside_to_large:.2f}",
        )


def json_lines(rows: Iterable[Comparison]) -> Iterator[str]:
    """Write comparisons for programs, one a line."""
    return (json.dumps(asdict(row)) for row in rows)
