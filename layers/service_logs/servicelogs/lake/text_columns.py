"""Makes columns of the groups of a pattern: the values that a group has in many lines are an array.

The groups of a line are joined by a character that is in none of them, since lines are safe for
JSON, and Arrow's reader of CSV makes arrays of many such lines, of their types: that takes half the
time of handing over each value.

The variants of a column of text exclude each other, and null: in each line only the groups of one
have a value, and the arrays of all groups that are the same field are put into one. Texts are as
they stand between the quotes of a JSON string, and their conversions give such too. They are read
as JSON only where there is something to read: a backslash, or several items.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import pyarrow
import pyarrow.compute
from pyarrow import csv

from servicelogs.lake.arrow_values import TEXT, TIMES, Misfits, read_times
from servicelogs.lake.schema import LakeColumn, arrow_types
from servicelogs.parsing.text.columns import Column, Group
from servicelogs.parsing.text.layout import EXTRA, unknown_columns
from servicelogs.parsing.text.patterns import Columns, Pattern

NULL = b"\x02"
"""Stands for groups that took no part; known by its identity, and in no line."""
_BETWEEN_GROUPS = "\x1f"
_BETWEEN_ITEMS = '","'
_NO_TIME = (NULL, b"")
_NO_VALUE = (b"-", b"")
WORDS = pyarrow.dictionary(pyarrow.int32(), TEXT)

_BY_GROUPS = csv.ParseOptions(
    delimiter=_BETWEEN_GROUPS, quote_char=False, double_quote=False, ignore_empty_lines=False
)

type Groups = Sequence[bytes]
"""The groups of one line."""
type GroupOf = tuple[Column, int, Group]
"""A group, with its column and the number of its variant."""
type Values = Sequence[pyarrow.Array | None]
"""The values of each group in many lines; None: no line has one."""
type TimeOf = Callable[[Groups], tuple[bytes, bytes]]
"""Gives what a line says of its hour, and the rest of its time; NULL: it says no time."""

join: Callable[[Iterable[bytes]], bytes] = _BETWEEN_GROUPS.encode().join
"""Joins the groups of a line."""

_has_backslash = re.compile(rb"\\").search
_decode: Callable[[bytes], str] = msgspec.json.Decoder(str).decode
_decode_items: Callable[[bytes], list[str]] = msgspec.json.Decoder(list[str]).decode


class _Part(NamedTuple):
    """Where a field has its value in the lines with one variant of its column."""

    at: int
    group: Group
    separator: str
    """What is between items."""


class Time(NamedTuple):
    """Where lines have their time, if these groups have values."""

    hour_at: int
    rest_at: int
    """-1: the first group is all of it."""
    date_at: int
    """The date of a time of day; -1: it is in the first group."""
    hour: Group
    rest: Group | None


class GroupColumns:
    """What becomes of groups, whatever finds them in lines."""

    def __init__(
        self, of: Columns, groups: Sequence[GroupOf], columns: Mapping[str, LakeColumn]
    ) -> None:
        """Make columns of a lake, which are given by the names of fields."""
        variants = [*_variants(groups)]
        self.times = [*_times(of, groups)]
        """Where lines may have their time, the best first."""
        self.places = [ats[0] for name in of.places for c, ats in variants if c.name == name]
        """The groups that name a record's account and Region, the best first."""
        self._fields: dict[LakeColumn, list[_Part]] = {}
        self._unknown: dict[str, list[int]] = {}
        self._half_times: dict[str, list[int]] = {}
        """The groups of columns that are the time only together with others."""
        self.types = [
            self._take(at, column, group, columns) for at, (column, _, group) in enumerate(groups)
        ]
        """What the values of each are read as."""
        for column, ats in variants:
            if column.name in self._half_times:
                self._half_times[column.name] += ats
        self._rest_at = -1
        self._first_unknown = len(of.columns) + 1
        self._separator = of.notation.separator

    def _take(
        self, at: int, column: Column, group: Group, columns: Mapping[str, LakeColumn]
    ) -> pyarrow.DataType:
        """Note what becomes of a group, and give what its texts are read as."""
        if group.field is None:
            return TEXT
        name = group.field.name
        if name.startswith(EXTRA):
            self._unknown.setdefault(name.removeprefix(EXTRA), []).append(at)
        elif group.field.alias_of:
            self._half_times[column.name] = []
        else:
            of_field = columns[name]
            self._fields.setdefault(of_field, []).append(_Part(at, group, column.separator))
            return _type_of(group, of_field)
        return TEXT

    def arrays(
        self, groups: Values, without_time: Sequence[int], misfits: Misfits
    ) -> dict[str, pyarrow.Array]:
        """Make the columns of lines; those at some places say no time."""
        unknown = [*self._unknown_in(groups), *self._half_times_in(groups, without_time)]
        for at, name, value in unknown:
            if value not in _NO_VALUE:
                misfits.extra[at][name] = _read_text(value.replace(b'"', b"\\u0022"))
        return {
            column.name: _array(column, parts, groups, misfits)
            for column, parts in self._fields.items()
            if any(groups[part.at] is not None for part in parts)
        }

    def _unknown_in(self, groups: Values) -> Iterator[tuple[int, str, bytes]]:
        """Give the values of columns that are not known: the place of the line, name and value."""
        for name, ats in self._unknown.items():
            for values in filter(None, map(groups.__getitem__, ats)):
                for at, value in _values(values):
                    yield at, name, value
        if self._rest_at >= 0:
            for at, rest in _values(groups[self._rest_at]):
                for name, value in unknown_columns(rest, self._separator, self._first_unknown):
                    yield at, name, value

    def _half_times_in(
        self, groups: Values, without_time: Sequence[int]
    ) -> Iterator[tuple[int, str, bytes]]:
        """Give what is only half a time, and therefore none."""
        for at in without_time:
            for name, ats in self._half_times.items():
                found = [values for group in ats if (values := groups[group]) is not None]
                values = [of_group[at].as_py() or "" for of_group in found]
                yield at, name, "".join(values).encode()


class PatternColumns(GroupColumns):
    """What becomes of the groups that a pattern finds."""

    def __init__(self, pattern: Pattern[Any], columns: Mapping[str, LakeColumn]) -> None:
        groups = [*pattern.groups]
        super().__init__(pattern.of, groups, columns)
        self.time_of = _time_of(self.times)
        self._rest_at = len(groups) if pattern.has_rest else -1
        self._names = [str(at) for at in range(len(groups) + pattern.has_rest)]
        types = dict.fromkeys(self._names, TEXT)
        types |= {str(at): type_ for at, type_ in enumerate(self.types)}
        self._convert = csv.ConvertOptions(
            column_types=types,
            null_values=[NULL.decode()],
            strings_can_be_null=True,
            check_utf8=False,
        )

    def read(self, lines: Iterable[bytes]) -> Values:
        """Give the values that each group has in joined lines."""
        # The first line is skipped: a mark of UTF-8 would be left out before it.
        text = b"\n".join((b"", *lines, b""))
        table = csv.read_csv(
            pyarrow.BufferReader(text),
            csv.ReadOptions(
                column_names=self._names, skip_rows=1, use_threads=False, block_size=len(text) + 1
            ),
            _BY_GROUPS,
            self._convert,
        )
        return [column.chunk(0) for column in table.columns]


def _variants(groups: Sequence[GroupOf]) -> Iterator[tuple[Column, list[int]]]:
    """Give for each variant of columns its column, and the places of its groups."""
    found: dict[tuple[str, int], tuple[Column, list[int]]] = {}
    for at, (column, number, _) in enumerate(groups):
        found.setdefault((column.name, number), (column, []))[1].append(at)
    return iter(found.values())


def _type_of(group: Group, column: LakeColumn) -> pyarrow.DataType:
    """Give what the texts of a group are read as."""
    if column.date_format:  # seconds, as all of text are
        return pyarrow.int64()
    if group.kind == "number" and column.kind:
        return arrow_types()[column.kind]
    return WORDS if group.convert else TEXT


def _times(of: Columns, groups: Sequence[GroupOf]) -> Iterator[Time]:
    """Give where lines may have their time, the best first."""
    variants = [*_variants(groups)]
    for time in of.times:
        dates = [ats[0] for column, ats in variants if column.name == time.date]
        for column, ats in variants:
            if column.name == time.name:
                hour_at, rest_at = (*ats, -1)[:2]
                _, _, hour = groups[hour_at]
                rest = groups[rest_at][2] if rest_at >= 0 else None
                for date_at in dates if time.date else [-1]:
                    yield Time(hour_at, rest_at, date_at, hour, rest)


def _time_of(times: Sequence[Time]) -> TimeOf:
    """Give what finds the time of lines, at the first place where it is."""
    if not times:
        return lambda _: _NO_TIME
    first, *others = times
    hour_at, rest_at, date_at, hour, rest = first
    if date_at >= 0 or hour.convert or (rest and rest.optional):
        return partial(_time_in, times)
    if rest is None:
        return lambda groups: (
            (said, b"") if (said := groups[hour_at]) is not NULL else _time_in(others, groups)
        )
    if others:
        return partial(_time_in, times)
    return operator.itemgetter(hour_at, rest_at)


def _time_in(times: Sequence[Time], groups: Groups) -> tuple[bytes, bytes]:
    for hour_at, rest_at, date_at, hour, rest in times:
        said = groups[hour_at]
        if said is NULL or (date_at >= 0 and groups[date_at] is NULL):
            continue
        said = said if date_at < 0 else b"%bT%b" % (groups[date_at], said)
        said = hour.convert(said) if hour.convert else said
        behind = groups[rest_at] if rest else NULL
        if behind is NULL:
            return said, b""
        return said, rest.convert(behind) if rest and rest.convert else behind
    return _NO_TIME


def _array(
    column: LakeColumn, parts: Sequence[_Part], groups: Values, misfits: Misfits
) -> pyarrow.Array:
    """Make a column of all of a field's groups, of which some have values."""
    found = [values for part in parts if (values := _written(part, groups)) is not None]
    found = [values for values in found if values.null_count < len(values)] or found[:1]
    values = found[0] if len(found) == 1 else pyarrow.compute.coalesce(*found)
    if column.many:
        return _items(values)
    if column.date_format:
        return values.cast(pyarrow.timestamp("s", tz="UTC")).cast(TIMES)
    if column.kind not in ("text", "time"):
        return values
    if _holds_backslash(values):
        values = each(values.dictionary_encode(), _read_text, TEXT)
    return read_times(values, column, misfits) if column.kind == "time" else values


def _written(part: _Part, groups: Values) -> pyarrow.Array | None:
    """Give what stands between the quotes of JSON; several items with what is between them."""
    values, group = groups[part.at], part.group
    if values is None or group.kind == "last":
        return None
    if group.convert:
        return each(values, group.convert, TEXT)
    if group.kind == "first":
        last = groups[part.at + 1]
        return pyarrow.compute.binary_join_element_wise(values, last, _BETWEEN_ITEMS)
    if group.kind == "list":
        return pyarrow.compute.replace_substring(values, part.separator, _BETWEEN_ITEMS)
    return values


def _items(values: pyarrow.Array) -> pyarrow.Array:
    """Make lists of items."""
    if _holds_backslash(values):
        lists = pyarrow.list_(TEXT)
        return each(values.dictionary_encode(), lambda one: _decode_items(b'["%b"]' % one), lists)
    return pyarrow.compute.split_pattern(values, _BETWEEN_ITEMS)


def _holds_backslash(values: pyarrow.Array) -> bool:
    return has_one(_has_backslash, values)


def has_one(search: Callable[[pyarrow.Buffer], object], values: pyarrow.Array) -> bool:
    """Say whether what a pattern finds is in one of these texts."""
    data = values.buffers()[2]
    return data is not None and search(data) is not None


def each(
    words: pyarrow.DictionaryArray, read: Callable[[bytes], object], type_: pyarrow.DataType
) -> pyarrow.Array:
    """Read each value that there is once."""
    distinct = words.dictionary.cast(pyarrow.binary()).to_pylist()
    return pyarrow.array([*map(read, distinct)], type_).take(words.indices)


def _values(texts: pyarrow.Array) -> Iterator[tuple[int, bytes]]:
    """Give the values that there are, with their places."""
    if texts.null_count < len(texts):
        for at, value in enumerate(texts.cast(pyarrow.binary()).to_pylist()):
            if value is not None:
                yield at, value


def _read_text(value: bytes) -> str:
    return _decode(b'"%b"' % value)
