"""Rows of lines: the groups that a pattern finds in many lines, of whatever objects, are turned.

Lines are gathered as the tuples of their groups, those of one pattern together, and some thousand
at a time become the arrays of a record batch: to make an array costs as much as some ten values.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import cast, override

import pyarrow

from servicelogs.dates import DatePolicy
from servicelogs.lake.arrow_values import Misfits, event_times, texts
from servicelogs.lake.clean_lines import CleanLines, CleanRows, Dating
from servicelogs.lake.row_frame import RowFrame, RowFrames, batch_of
from servicelogs.lake.row_parser import RowParser
from servicelogs.lake.schema import EVENT_TIME, EXTRA_FIELDS, arrow_schema, columns
from servicelogs.lake.text_columns import NULL, GroupColumns, Groups, PatternColumns, Values, join
from servicelogs.lake.text_lane import Lane, Places, lane_of
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.encoder import Encoder
from servicelogs.parsing.format import Format
from servicelogs.parsing.places import Place
from servicelogs.parsing.reader import Parser
from servicelogs.parsing.text.format import TextFormat
from servicelogs.parsing.text.layout import Layout
from servicelogs.parsing.text.layouts import Layouts
from servicelogs.parsing.text.parser import Row
from servicelogs.parsing.text.patterns import ABSENT, Pattern, Shape
from servicelogs.records import Records, Source

ROWS = 4000
"""So many are turned at a time: to make an array costs as much as some ten values."""
_MOST_BYTES = 8 * 1024 * 1024
_MOST_PATTERNS = 64
# Each holds what was compiled of a format, and what it has learned.
_MOST_FORMATS = 64
_MOST_LANES = 64
_MOST_MARKS = 16

type Quotes = int | None
"""How many quotes the lines of a shape have, for the pattern that may take them."""


def gatherer(log_format: Format, dates: DatePolicy, default_place: Place) -> "TextGatherer":
    """Give what gathers the rows of a text format."""
    return TextGatherer(cast("TextFormat", log_format), dates, default_place)


class GatheredLines:
    """Lines that one pattern took, and are no columns yet."""

    __slots__ = ("_pattern", "add", "columns", "match", "quotes", "rows", "time_of", "without_time")

    def __init__(self, pattern: Pattern[Quotes], of_pattern: PatternColumns) -> None:
        self.columns = of_pattern
        self.match = pattern.match
        self.quotes = pattern.same_quotes
        """How many quotes all of its lines have; None: it depends on their shape."""
        self.time_of = of_pattern.time_of
        self.rows: list[tuple[bytes, int, bytes, RowFrame]] = []
        """The joined groups of each, its number, its time, and what it shares with others."""
        self.add = self.rows.append
        self.without_time: list[int] = []
        """The places of those that say no time."""
        self._pattern = pattern

    def quotes_of(self, groups: Groups) -> Quotes:
        """Give how many quotes a line with these groups has."""
        pattern = self._pattern
        return pattern.plans[tuple([groups[at] is NULL for at in pattern.markers])]

    def clear(self) -> None:
        """Forget all lines."""
        self.rows.clear()
        self.without_time.clear()


class TextGatherer:
    """Gathers the rows of a text format."""

    def __init__(self, log_format: TextFormat, dates: DatePolicy, default_place: Place) -> None:
        self.misfits: Counter[str] = Counter()
        self._format = log_format
        self._dates = dates
        self._default_place = default_place
        self._schema = arrow_schema(log_format)
        self._columns = {path: one for one in columns(log_format) for path in one.paths}
        self._gathered: dict[Pattern[Quotes], GatheredLines] = {}
        self._bytes = 0
        self._made: list[pyarrow.RecordBatch] = []
        self.lanes: Cache[Layout[Quotes], Lane | None] = Cache(
            lambda layout: lane_of(layout, self._columns), _MOST_LANES
        )
        """The lane of each layout that has one."""

    def parser_of(self, source: Source) -> Parser:
        """Give what gathers the lines of a source."""
        frames = RowFrames(self._format, source, self._dates, self._default_place)
        return RowParser(layouts_of(self._format), TextRows(frames, self))

    def count(self, records: Records) -> None:
        """Note how much is gathered."""
        self._bytes += len(records.text)

    def lines_of(self, pattern: Pattern[Quotes]) -> GatheredLines:
        """Give the lines that a pattern took."""
        if pattern not in self._gathered:
            of_pattern = PatternColumns(pattern, self._columns)
            self._gathered[pattern] = GatheredLines(pattern, of_pattern)
        return self._gathered[pattern]

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn the lines of patterns that took enough, or all where these are too much."""
        yield from self._give_made()
        if self._bytes > _MOST_BYTES or len(self._gathered) > _MOST_PATTERNS:
            yield from self.finish()
            return
        for lines in self._gathered.values():
            if len(lines.rows) >= ROWS:
                yield self._batch(lines)

    def finish(self) -> Iterator[pyarrow.RecordBatch]:
        """Turn all lines."""
        yield from self._give_made()
        for lines in self._gathered.values():
            if lines.rows:
                yield self._batch(lines)
        self._gathered.clear()
        self._bytes = 0

    def add(self, rows: CleanRows, first: int) -> None:
        """Take rows of clean lines, of which the one at place 0 has the number `first`."""
        numbers = pyarrow.array(rows.places + first)
        self._made.append(
            self._joined(rows.lane, rows.values, (), rows.times, numbers, rows.frames)
        )

    def _give_made(self) -> Iterator[pyarrow.RecordBatch]:
        yield from self._made
        self._made.clear()

    def _batch(self, gathered: GatheredLines) -> pyarrow.RecordBatch:
        lines, numbers, times, frames = zip(*gathered.rows, strict=True)
        values = gathered.columns.read(lines)
        batch = self._joined(
            gathered.columns,
            values,
            gathered.without_time,
            event_times(texts(times)),
            pyarrow.array(numbers, pyarrow.int64()),
            frames,
        )
        gathered.clear()
        return batch

    def _joined(
        self,
        columns: GroupColumns,
        values: Values,
        without_time: Sequence[int],
        times: pyarrow.Array,
        numbers: pyarrow.Array,
        frames: Sequence[RowFrame],
    ) -> pyarrow.RecordBatch:
        misfits = Misfits()
        found = columns.arrays(values, without_time, misfits)
        found[EVENT_TIME], found["log_record"] = times, numbers
        found[EXTRA_FIELDS] = misfits.extra_fields(len(numbers))
        self.misfits.update(misfits.counts)
        return batch_of(self._schema, frames, found)


class TextRows(Encoder):
    """The rows of one source's lines."""

    def __init__(self, frames: RowFrames, gatherer: TextGatherer) -> None:
        super().__init__(frames.source)
        self._frames = frames
        self._gatherer = gatherer
        self._lines_of = gatherer.lines_of
        self._marked: Cache[bytes, bool] = Cache(
            lambda mark: mark in self._records.text, _MOST_MARKS
        )
        """Whether the block has such a character."""

    @override
    def begin(self, records: Records, skipped: int) -> None:
        super().begin(records, skipped)
        self._marked.clear()
        self._gatherer.count(records)

    def write(self, layout: Layout[Quotes], rows: Iterator[Row]) -> Row | None:
        """Gather lines until one does not match; give that row, or None at the end.

        Written for the machine: about six calls into C for a line.
        """
        shapes, mark = layout.shapes, layout.mark
        lines_of, times, dated_by = self._lines_of, layout.times, self._records.hour
        frames, by_record = self._frames.of_hour, self._frames.by_record
        has_quotes, taken, expired = self._marked[mark], 0, 0
        odd = None
        usual = lines_of(shapes.usual)
        match_usual, quotes = usual.match, usual.quotes
        for row in rows:
            number, _, line = row
            lines, match = usual, match_usual(line)
            if match is not None:
                groups = match.groups(NULL)
                expected = usual.quotes_of(groups) if quotes is None else quotes
            if match is None or ((expected != 0 or has_quotes) and line.count(mark) != expected):
                match = shapes.general.match(line)
                if match is None:
                    odd = row
                    break
                groups = match.groups(NULL)
                shapes.learn(match.groups(ABSENT))
                lines, usual = lines_of(shapes.general), lines_of(shapes.usual)
                match_usual, quotes = usual.match, usual.quotes
            said, rest = lines.time_of(groups)
            try:
                hour, time = times[said] if said is not NULL else self._time_of_source(number)
                hour = hour if dated_by is None else dated_by
                frame = self._frame_of(hour, lines, groups) if by_record else frames[hour]
            except (ValueError, OverflowError):
                odd = row
                break
            if frame is None:
                expired += 1
                continue
            if said is NULL:
                lines.without_time.append(len(lines.rows))
                rest = b""
            lines.add((join(groups), number, time + rest, frame))
            taken += 1
        self._documents += taken
        self._expired += expired
        return odd

    def lane_of(self, layout: Layout[Quotes]) -> Lane | None:
        """Give the lane of a layout; None: it has none."""
        return self._gatherer.lanes[layout]

    def read(
        self, layout: Layout[Quotes], lane: Lane, lines: pyarrow.BinaryArray, places: Places
    ) -> CleanLines:
        """Read clean lines, whose places in the block these are; they are no rows yet."""
        return CleanLines(
            lane, lines, places, Dating(layout.times, self._records.hour, self._frames)
        )

    def add(self, clean: CleanLines, end: int) -> None:
        """Gather the rows of clean lines in front of the place `end`."""
        rows, expired = clean.rows(end)
        if rows:
            self._gatherer.add(rows, self._records.first)
            self._documents += len(rows.places)
        self._expired += expired

    def _frame_of(self, hour: int, lines: GatheredLines, groups: Groups) -> RowFrame | None:
        """Give the frame of a line that may name its account and Region."""
        values = [groups[at] for at in lines.columns.places if groups[at] is not NULL]
        return self._frames.of_place[hour, tuple([v.decode().strip('"') for v in values])]


@lru_cache(_MOST_FORMATS)
def layouts_of(log_format: TextFormat) -> Layouts[Quotes]:
    """Give a text format compiled for rows, once in a process."""
    return Layouts(log_format, _quotes_of_shape)


def _quotes_of_shape(_: Pattern[Quotes], shape: Shape) -> Quotes:
    return shape.quotes
