"""What a record costs in each case of delivery, beside the yardstick and the whole handler."""

import contextlib
import gzip
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks import yardstick
from tests.benchmarks.cases import LARGE, START_UP, texts_of_cases
from tests.benchmarks.handler import Handler
from tests.benchmarks.ours import bulk_bodies

FLOORS = {
    ("alb", LARGE): 3.8,
    ("cloudfront", LARGE): 1.7,
    ("cloudtrail", LARGE): 4.6,
    ("cloudtrail", "differing"): 2.5,
    ("cloudtrail", "several lines"): 2.5,
    ("s3_access", LARGE): 3.3,
    ("s3_access", "tiny"): 1.6,
    ("vpc_flow", LARGE): 2.8,
    ("vpc_flow", "sparse"): 2.3,
    ("waf", LARGE): 3.1,
}
"""The least that ours must be faster than the yardstick."""
MOST_OF_SMALL = 1.8
"""The most that a record of an object of 100 may cost, by one of a large object."""
LEAST_SHARE = 0.85
"""The least share of what the handler takes from object to request that is parsing. To compress
requests takes from an eighth (text) to a quarter of it (CloudTrail)."""

_HEADINGS = ("format", "case", "ours", "yardstick", "ratio", "floor", "by large", "of handler")
_ROW = "{:<17} {:<14} {:>8} {:>10} {:>6} {:>6} {:>9} {:>11}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a record costs in one case, in CPU microseconds."""

    format: str
    case: str
    ours: float
    yardstick: float | None
    """None: it cannot read what is in this case."""
    by_large: float
    """Ours by that of a large object."""
    share: float | None
    """The part of the handler's cost that this is; None: it was not measured in this case."""

    @property
    def ratio(self) -> float | None:
        """How many times faster than the yardstick it is."""
        return None if self.yardstick is None else self.yardstick / self.ours

    @property
    def faults(self) -> Iterator[str]:
        """Say what of it is worse than it must be."""
        floor = FLOORS.get((self.format, self.case), 0)
        if self.ratio is not None and self.ratio < floor:
            yield f"{self.format} {self.case}: {self.ratio:.2f} times the yardstick, not {floor}"
        if self.case == "small" and self.format == "vpc_flow" and self.by_large > MOST_OF_SMALL:
            yield f"{self.format} small: {self.by_large:.2f} times a large object's record"
        if self.share is not None and self.share < LEAST_SHARE:
            yield f"{self.format}: parsing is {self.share:.2f} of the handler, not {LEAST_SHARE}"


def costs(name: str, records: int, rounds: int, handler: Handler) -> Iterator[Cost]:
    """Measure each case of a format, the large object first."""
    large = 0.0
    for case, texts in texts_of_cases(name, records).items():
        if case == START_UP:
            continue
        found = [(gzip.compress(text, 6), number) for text, number in texts]
        objects, total = [data for data, _ in found], sum(number for _, number in found)
        runs: dict[str, Callable[[], float]] = {"ours": _timed(_ours, name, objects)}
        if name in yardstick.NAMES and _can_be_read(name, case):
            runs["yardstick"] = _timed(yardstick.run, name, objects)
        if case == LARGE:
            runs["handler"] = lambda: handler.seconds(name, objects, total)  # noqa: B023
        best = _best(runs, rounds)
        seconds = best["ours"]
        large = large or seconds / total
        yield Cost(
            format=name,
            case=case,
            ours=seconds / total * 1e6,
            yardstick=best["yardstick"] / total * 1e6 if "yardstick" in best else None,
            by_large=seconds / total / large,
            share=seconds / best["handler"] if "handler" in best else None,
        )


def _can_be_read(name: str, case: str) -> bool:
    """Say whether the yardstick reads a case: it takes one document, or one record a line."""
    return case != "concatenated" and (name, case) != ("waf", "several lines")


def _ours(name: str, data: bytes) -> None:
    for _ in bulk_bodies(name, data):
        pass


def _timed(
    run: Callable[[str, bytes], object], name: str, objects: Sequence[bytes]
) -> Callable[[], float]:
    def seconds() -> float:
        start = time.process_time()
        for data in objects:
            run(name, data)
        return time.process_time() - start

    return seconds


def _best(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run each in turn, and give the best of each; what the handler prints is not shown."""
    best = dict.fromkeys(runs, float("inf"))
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(rounds):
            for label, run in runs.items():
                best[label] = min(best[label], run())
    return best


def table(rows: Iterable[Cost]) -> Iterator[str]:
    """Write costs for people, line by line as they come."""
    yield "CPU microseconds a record, from gzip to bulk body, in each case of delivery"
    yield _ROW.format(*_HEADINGS)
    for row in rows:
        floor = FLOORS.get((row.format, row.case))
        yield _ROW.format(
            row.format,
            row.case,
            f"{row.ours:.2f}",
            _shown(row.yardstick),
            _shown(row.ratio),
            _shown(floor),
            f"{row.by_large:.2f}",
            _shown(row.share),
        )


def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"
