"""The lane of clean lines: lines of one layout whose groups are found by kernels, without a match.

A line is clean if it matches, as a whole, what RE2 can be told of its columns (`lane_columns`), and
has no character that JSON would escape. The patterns take such lines too, for the same values. All
other lines are for these: headers, records with more columns, quotes or escapes, and what is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray
from pyarrow import csv

from servicelogs.lake.arrow_values import TEXT
from servicelogs.lake.lane_columns import NO_VALUE, LaneColumn, lane_column
from servicelogs.lake.schema import LakeColumn
from servicelogs.lake.text_columns import GroupColumns, Values, each
from servicelogs.parsing.text.layout import Layout
from servicelogs.parsing.text.patterns import Columns

_END = ord("\n")
_SEARCHED = 128 * 1024

LEAST_SHARE = 8
"""It is worth asking which lines are clean where at least one in so many is; where that is not so,
it is asked of every second block, every fourth and so on."""
MOST_REST = 15
"""So many blocks are not asked at most."""

type Places = NDArray[numpy.int64]
"""The places of lines, from 0."""


class Lines:
    """The lines of a text, found once; each is given with its place."""

    def __init__(self, text: bytes) -> None:
        self._text = text + b"\n"
        characters = numpy.frombuffer(self._text, numpy.uint8)
        # As much at a time as a processor's cache holds.
        parts = range(0, len(characters), _SEARCHED)
        ends = (numpy.flatnonzero(characters[at : at + _SEARCHED] == _END) + at + 1 for at in parts)
        self._starts = numpy.concatenate([[0], *ends]).astype(numpy.int32)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def behind(self, place: int) -> pyarrow.BinaryArray:
        """Give the lines from a place on, with their ends."""
        buffers = [None, pyarrow.py_buffer(self._starts), pyarrow.py_buffer(self._text)]
        return pyarrow.Array.from_buffers(pyarrow.binary(), len(self), buffers)[place:]

    def between(self, first: int, last: int) -> bytes:
        """Give the lines from one place to another, as a text without its last end."""
        return self._text[self._starts[first] : self._starts[last + 1] - 1]

    def at(self, places: Iterable[int]) -> list[bytes]:
        """Give some lines, without their ends."""
        text, starts = self._text, self._starts
        return [text[starts[place] : starts[place + 1] - 1] for place in places]


class Lane(GroupColumns):
    """Reads the clean lines of a layout."""

    def __init__(
        self, of: Columns, columns: Sequence[LaneColumn], of_lake: Mapping[str, LakeColumn]
    ) -> None:
        super().__init__(of, [group for column in columns for group in column.groups], of_lake)
        self._columns = columns
        separator, excluded = of.notation.separator, of.notation.excluded
        self._clean = f"^{separator.join(column.pattern for column in columns)}\n$"
        self._excluded = f"^(?:{excluded})" if excluded else ""
        self._parse = csv.ParseOptions(
            delimiter=separator,
            quote_char='"' if quoting(of) else False,
            double_quote=False,
            ignore_empty_lines=False,
        )
        self._names = [str(at) for at in range(len(columns))]
        self._rest = self._to_rest = 0
        """How many blocks are left to the patterns in a row, and how many more of them."""
        self._convert = csv.ConvertOptions(
            column_types=dict(zip(self._names, self._types_of_columns(), strict=True)),
            null_values=NO_VALUE,
            strings_can_be_null=True,
            check_utf8=False,
        )

    def _types_of_columns(self) -> list[pyarrow.DataType]:
        types, at = [], 0
        for column in self._columns:
            types.append(self.types[at] if column.type is None else column.type)
            at += len(column.groups)
        return types

    def clean(self, lines: pyarrow.BinaryArray) -> NDArray[numpy.bool_]:
        """Say which lines are clean; where few of those before were, it is often not asked."""
        if self._to_rest:
            self._to_rest -= 1
            return numpy.zeros(len(lines), numpy.bool_)
        found = pyarrow.compute.match_substring_regex(lines, self._clean)
        if self._excluded:
            excluded = pyarrow.compute.match_substring_regex(lines, self._excluded)
            found = pyarrow.compute.and_not(found, excluded)
        are_few = found.true_count * LEAST_SHARE < len(lines)
        self._rest = self._to_rest = min(2 * self._rest + 1, MOST_REST) if are_few else 0
        return numpy.asarray(found)

    def values(self, lines: pyarrow.BinaryArray) -> Values:
        """Give the values that each group has in clean lines."""
        offsets = numpy.frombuffer(lines.buffers()[1], numpy.int32)
        start, end = (int(offsets[at]) for at in (lines.offset, lines.offset + len(lines)))
        text = lines.buffers()[2].slice(start, end - start)
        table = csv.read_csv(
            pyarrow.BufferReader(text),
            csv.ReadOptions(column_names=self._names, use_threads=False, block_size=text.size + 1),
            self._parse,
            self._convert,
        )
        return [
            values
            for of, column in zip(self._columns, table.columns, strict=True)
            for values in of.read(column.chunk(0))
        ]

    def said(self, values: Values, lines: int) -> tuple[pyarrow.DictionaryArray, pyarrow.Array]:
        """Give what lines say of their hour, and the rest of their times; null: they say none."""
        time, none = self.times[0], pyarrow.nulls(lines, TEXT)
        said, rest = values[time.hour_at], values[time.rest_at] if time.rest else None
        if time.date_at >= 0 and said is not None:
            date = none if values[time.date_at] is None else values[time.date_at]
            said = pyarrow.compute.binary_join_element_wise(date, said, "T")
        said = none if said is None else said
        if not pyarrow.types.is_dictionary(said.type):
            said = said.dictionary_encode()
        if rest is not None and time.rest and time.rest.convert:
            rest = each(rest, time.rest.convert, TEXT)
        return said, none if rest is None else rest


def quoting(of: Columns) -> bool:
    """Say whether values in quotes may hold separators."""
    return any(column.quoted for column in of.columns)


def lane_of(layout: Layout[Any], of_lake: Mapping[str, LakeColumn]) -> Lane | None:
    """Give the lane of a layout; None: it has a column that only patterns can read, or no time."""
    of = layout.shapes.general.of
    if of.notation.mark != '"':  # members of JSON objects
        return None
    separator, in_quotes = of.notation.separator, quoting(of)
    columns = [lane_column(column, separator, quoting=in_quotes) for column in of.columns]
    found = [column for column in columns if column]
    if len(found) < len(columns):
        return None
    lane = Lane(of, found, of_lake)
    try:
        lane.clean(pyarrow.array([], pyarrow.binary()))
    except pyarrow.ArrowInvalid:  # so many columns that RE2 refuses their pattern
        return None
    return lane if lane.times else None
