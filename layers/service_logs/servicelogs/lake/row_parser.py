"""Parses the lines of one source for rows: clean ones as a whole, by a lane, all others one by one.

A line that is not clean may be a header, which says how those behind it are read: they are taken
when it is known what it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol, override

import numpy
import pyarrow

from servicelogs.lake.clean_lines import CleanLines
from servicelogs.lake.text_lane import Lane, Lines, Places
from servicelogs.parsing.text.layout import Layout
from servicelogs.parsing.text.layouts import Layouts
from servicelogs.parsing.text.lines import cut_lines
from servicelogs.parsing.text.parser import Row, TextEncoder, TextParser
from servicelogs.records import Block, Records, Reject, TooLong

BLOCK_BYTES = 2 * 1024 * 1024
"""So many bytes are cut at a time, if there are as many: what a lane costs by itself is little
beside them."""
LEAST_LINES = 500
"""With fewer lines the patterns are faster."""
FEW = 16
"""Of the lines that are not clean so many are looked at first: a header may be among them."""
MOST_RUNS = 4
"""So often a lane begins in a block, where headers and other layouts follow each other."""


class RowEncoder[Plan](TextEncoder[Plan], Protocol):
    """What makes rows of lines."""

    def lane_of(self, layout: Layout[Plan]) -> Lane | None:
        """Give the lane of a layout; None: it has none."""
        ...

    def read(
        self, layout: Layout[Plan], lane: Lane, lines: pyarrow.BinaryArray, places: Places
    ) -> CleanLines:
        """Read clean lines of the block, without making rows of them yet."""
        ...

    def add(self, clean: CleanLines, end: int) -> None:
        """Make rows of clean lines in front of a place."""
        ...


class RowParser[Plan](TextParser[Plan]):
    """Parses the lines of one source for rows."""

    def __init__(self, layouts: Layouts[Plan], encoder: RowEncoder[Plan]) -> None:
        super().__init__(layouts, encoder)
        self._rows = encoder
        self._number = 0
        """That of the last line that was given to the patterns."""

    @override
    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        return cut_lines(chunks, BLOCK_BYTES)

    @override
    def take(self, records: Records, skipped: int) -> Block:
        if skipped or len(records) < LEAST_LINES or not self._rows.lane_of(self._layout):
            return super().take(records, skipped)
        lines = Lines(records.text)
        if len(lines) != len(records):  # a record may hold a line feed where events are records
            return super().take(records, skipped)
        self._encoder.begin(records, 0)
        rejects: list[Reject] = []
        start = 0
        for _ in range(MOST_RUNS):
            start = self._run(records, lines, start, rejects)
        rejects += self._rejects(records, self._by_line(records, lines, range(start, len(lines))))
        return self._encoder.finish(rejects)

    def _run(self, records: Records, lines: Lines, start: int, rejects: list[Reject]) -> int:
        """Take lines from a place on, up to where they may have another layout; give that place."""
        layout, columns = self._layout, self._columns
        lane = self._rows.lane_of(layout)
        if lane is None or start == len(lines):
            return start
        behind = lines.behind(start)
        is_clean = lane.clean(behind)
        odd, clean = numpy.flatnonzero(~is_clean) + start, None
        if len(odd) < len(behind):
            of_lane = behind.filter(pyarrow.array(is_clean)) if len(odd) else behind
            clean = self._rows.read(layout, lane, of_lane, numpy.flatnonzero(is_clean) + start)
            odd = numpy.union1d(odd, clean.not_taken)

        def is_other() -> bool:
            return self._columns is not columns or (clean is None and self._layout is not layout)

        parts = (odd[:FEW].tolist(), odd[FEW:].tolist())
        rows = chain.from_iterable(self._by_line(records, lines, part) for part in parts)
        rejects += self._rejects(records, self._until(is_other, rows))
        end = self._number + 1 - records.first if is_other() else len(lines)
        if clean:
            self._rows.add(clean, end)
        return end

    def _until(self, is_other: Callable[[], bool], rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if is_other():
                return
            self._number, _, _ = row
            yield row

    def _by_line(self, records: Records, lines: Lines, places: Sequence[int]) -> Iterator[Row]:
        """Give the lines at some places, as patterns take them."""
        if not places:
            return
        if places[-1] - places[0] + 1 == len(places):
            some = Records(1, text=lines.between(places[0], places[-1]))
        else:
            some = Records(1, lines.at(places))
        for place, line in zip(places, self._lines(some), strict=True):
            number = records.first + place
            yield number, records.keys[place] if records.keys else number, line
