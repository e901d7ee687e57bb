"""Formats with one record a line: fixed columns, or columns that a header names."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from itertools import islice
from typing import override

from servicelogs.documents import Dates, Stamps
from servicelogs.errors import ConfigurationError, UnreadableObject
from servicelogs.parsing.columns import Column, keyword, snake
from servicelogs.parsing.cutting import Lines, Overlong, cut_lines
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.json_lines import as_columns
from servicelogs.parsing.layout import EXTRA, JsonSafe, Layout, Output
from servicelogs.parsing.notation import as_member, members, separated
from servicelogs.records import Block, Reject, Source

_MOST_COLUMNS_KEPT = 8192
"""A compiled column takes more than a kilobyte."""
_MOST_COLUMNS = 256
_MOST_HEADER_BYTES = 4096
_MOST_NAMES_BYTES = 16 * 1024
_VALUES = {"ip": "(?:[0-9A-Fa-f:.]+|-)"} | dict.fromkeys(("integer", "long"), r"(?:\d+|-)")
"""Regular expressions of the values of fields, by their types."""


@dataclass(frozen=True, kw_only=True)
class Delimited(Format):
    """One record a line, its columns in a fixed order that AWS lengthens at the end.

    A line may be a JSON object too (V2 deliveries; rows of Parquet files, written as JSON): it
    becomes what the same record as text becomes. Its members may be named as AWS names the columns,
    as documents have them (`cs_user_agent`), or as `json_names` says; `-`, null and an empty string
    are no value; members that we do not know go to `extra_fields`.
    """

    separator: str = " "
    columns: tuple[Column, ...]
    time: str
    """The column that tells when it happened."""
    json_names: Mapping[str, str | Column] = field(default_factory=dict)
    """Names of JSON members → the column's name; or a column of that name that takes the place of
    it, where JSON has the value in another form."""

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        of_json = (column for column in self.json_names.values() if isinstance(column, Column))
        columns = (*self.columns, *of_json)
        parts = (p for c in columns for variant in c.variants for p in variant.parts)
        fields: dict[str, Field] = {}
        for part in parts:
            if part.field:
                fields.setdefault(part.field.name, part.field)
        return tuple(fields.values())

    @cached_property
    def layouts(self) -> tuple[Layout, ...]:
        """What AWS has written over time, the newest (which takes unknown columns) first."""
        newest, *older = (
            at
            for at in range(len(self.columns), 0, -1)
            if at == len(self.columns) or self.columns[at].since > self.columns[at - 1].since
        )
        return (
            self._layout(newest, open_end=True),
            *(self._layout(length, open_end=False) for length in older),
        )

    def _layout(self, length: int, *, open_end: bool) -> Layout:
        columns = self.columns[:length]
        notation = separated(length, self.separator)
        return Layout(columns, notation, times=self.time_columns, open_end=open_end)

    @property
    def time_columns(self) -> tuple[str, ...]:
        """The columns that tell the time, the best first."""
        return (self.time,)

    @cached_property
    def _members(self) -> dict[str, Column]:
        """The columns by the names that JSON members have."""
        by_name = {column.name: column for column in self.columns}
        named = {
            name: by_name[column] if isinstance(column, str) else column
            for name, column in self.json_names.items()
        }
        snaked = {snake(column.name): column for column in self.columns}
        members = snaked | by_name | named
        as_members = {id(column): as_member(column) for column in members.values()}
        return {name: as_members[id(column)] for name, column in members.items()}

    @cached_property
    def _json_layouts(self) -> "_Layouts":
        return _Layouts()

    def json_layout(self, names: tuple[str, ...]) -> Layout:
        """Give the layout of JSON objects with these members; a ValueError if we know none."""
        if names not in self._json_layouts:
            if len(names) > _MOST_COLUMNS:
                raise ValueError(f"it has {len(names)} members, more than any record has")
            if sum(map(len, names)) > _MOST_NAMES_BYTES:
                raise ValueError("the names of its members are longer than those of any record")
            if self._members.keys().isdisjoint(names):
                raise ValueError(f"we know none of its members: {', '.join(names)[:200]!r}")
            self._json_layouts.make_room(len(names))
            columns = _named(names, self._members, as_member)
            self._json_layouts[names] = Layout(columns, members(names), times=self.time_columns)
        return self._json_layouts[names]

    def layout_for(self, line: bytes, current: Layout) -> Layout | None:  # noqa: ARG002
        """Give the layout that counts after a line that is no record; None if it is one."""
        return None

    @property
    def other_layouts(self) -> tuple[Layout, ...]:
        """What a line may have that does not fit the layout of the lines before it."""
        return self.layouts

    @property
    def json_safe(self) -> JsonSafe:
        """What makes lines safe for JSON before they are cut."""
        return _json_safe(self.separator)

    def as_meant(self, line: bytes) -> bytes:
        r"""Give another reading of a line (safe for JSON) that does not fit: `\"` for a quote."""
        return line.replace(b'\\\\"', b"\\u0022")

    def readings(self, line: bytes) -> tuple[bytes, ...]:
        """Give the readings of a line that does not fit the layout of the line before it.

        The likeliest comes first: as it is, in another layout.
        """
        meant = self.as_meant(line)
        # AWS writes a `-` at the end some time before it says which column that will be.
        to_come = f"{self.separator}-".encode()
        shorter = (meant.removesuffix(to_come),) if meant.endswith(to_come) else ()
        return (line, meant, *shorter)

    @override
    def blocks(
        self, chunks: Iterable[bytes], source: Source, dates: Dates, start: int = 1
    ) -> Iterator[Block]:
        return _Reader(self, source, dates, start).blocks(chunks)


@dataclass(frozen=True, kw_only=True)
class Headed(Delimited):
    """One record a line, its columns chosen and ordered by the user; a header line names them.

    `columns` is the catalogue, under AWS's names; in documents `_` stands for what is not a letter
    or digit. Without a header the columns are `default`.
    """

    default: tuple[str, ...]
    times: tuple[str, ...]
    """The columns that tell the time, the best first; without any it is the delivery's."""
    column_name: str = "[a-z][a-z0-9_-]*"
    """What the name of a column looks like: AWS adds some."""
    foreign: str = ""
    """A regular expression of the columns that only another format with the same option has."""
    comment: bytes = b""
    """What lines begin with that are no records; `#Fields:` among them is the header."""

    @cached_property
    @override
    def layouts(self) -> tuple[Layout, ...]:
        return (self._headed(self.default),)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @override
    def with_fields(self, names: tuple[str, ...]) -> "Headed":
        for position, name in enumerate(names):
            if not re.fullmatch(self.column_name, name):
                raise ConfigurationError(f"{name[:60]!r} is not the name of a column")
            if name in names[:position]:
                raise ConfigurationError(f"{name!r} is there twice")
            if re.fullmatch(self.foreign, name):
                raise ConfigurationError(f"{name!r} is not a column of {self.name}")
        if self._by_name.keys().isdisjoint(names):
            raise ConfigurationError(f"{names[0]!r} is not a column of {self.name}, nor are others")
        return replace(self, default=names, headless=self._line_with(names))

    def _line_with(self, names: tuple[str, ...]) -> str:
        """Give a regular expression of lines with these columns."""
        types = {field.name: field.type for field in self.fields}
        text = rf"[^{self.separator}\r\n]+"
        values = (_VALUES.get(types.get(snake(name), ""), text) for name in names)
        return self.separator.join(values) + r"\r?(?:\n|\Z)"

    @property
    @override
    def time_columns(self) -> tuple[str, ...]:
        return self.times

    @override
    def layout_for(self, line: bytes, current: Layout) -> Layout | None:
        if names := self.header(line):
            return self._headed(names)
        return current if self.comment and line.startswith(self.comment) else None

    def header(self, line: bytes) -> tuple[str, ...]:
        """Give the columns that a line names; none if it is no header."""
        if len(line) > _MOST_HEADER_BYTES:
            return ()
        named = line.startswith(b"#Fields:")
        names = tuple(line.removeprefix(b"#Fields:").decode(errors="replace").split())
        known = sum(name in self._by_name for name in names)
        if len(names) > _MOST_COLUMNS:
            return ()
        if self.comment:
            return names if named and known else ()
        if not known or not all(re.fullmatch(self.column_name, name) for name in names):
            return ()
        # In a record a value may look like a name; there may be names that are newer than this.
        return names if names[0] in self._by_name or 2 * known > len(names) else ()

    def _no_header(self, columns: tuple[Column, ...]) -> Column:
        """Give the first column so that a header fits no record where all columns take words."""
        first = columns[0]
        header = rf"{re.escape(self.comment.decode())}|\s*$"
        if not self.comment:
            parts = (part for c in columns for variant in c.variants for part in variant.parts)
            if any(part.rendering == "number" for part in parts):
                return first
            known, word, separator = "|".join(self._by_name), "[a-z][a-z0-9_-]*", self.separator
            header = rf"(?:{word}{separator})*(?:{known})(?:{separator}{word})*$"
        variants = (v._replace(pattern=f"(?!{header}){v.pattern}") for v in first.variants)
        return replace(first, variants=tuple(variants))

    @property
    @override
    def other_layouts(self) -> tuple[Layout, ...]:
        return ()  # the header alone decides

    @override
    def as_meant(self, line: bytes) -> bytes:
        # A sample line of AWS's has two spaces between two of its columns; a delivery may be set to
        # write spaces between them instead of tabs.
        separator = self.separator.encode()
        words = line.split(separator) if separator in line else line.split(b" ")
        return separator.join(filter(None, words))

    @override
    def readings(self, line: bytes) -> tuple[bytes, ...]:
        return (line, self.as_meant(line))

    @cached_property
    def _layouts(self) -> "_Layouts":
        return _Layouts()

    def _headed(self, names: tuple[str, ...]) -> Layout:
        if names not in self._layouts:
            self._layouts.make_room(len(names))
            first, *others = _named(names, self._by_name)
            columns = (self._no_header((first, *others)), *others)
            notation = separated(len(names), self.separator)
            self._layouts[names] = Layout(columns, notation, times=self.times)
        return self._layouts[names]


class _Layouts(dict[tuple[str, ...], Layout]):
    """Layouts by the names of their columns, as many as fit in some megabytes."""

    def make_room(self, columns: int) -> None:
        """Forget all if another with so many columns would be too many."""
        if sum(map(len, self)) + columns > _MOST_COLUMNS_KEPT:
            self.clear()
            re.purge()  # it would keep the patterns


class _Reader:
    """Goes through the lines of one object."""

    def __init__(self, format_: Delimited, source: Source, dates: Dates, start: int) -> None:
        self._format = format_
        self._source = source
        self._dates = dates
        self._start = start
        self._columns = format_.layouts[0]
        """The layout of text, as the last header says."""
        self._layout = self._columns
        """The layout of the last record."""
        self._safe = format_.json_safe
        self._stamps: dict[object, Stamps] = {}

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        """Turn its chunks into blocks."""
        try:
            for piece in cut_lines(chunks):
                if isinstance(piece, Overlong):
                    yield from self._overlong(piece)
                elif piece.end > self._start:
                    yield self._block(piece)
                else:
                    self._skip(enumerate(self._safe(piece.data).split(b"\n"), piece.first))
        except UnreadableObject as error:
            yield one_reject(self._reject(error.ordinal, "unreadable", str(error), error.tail))

    def _block(self, piece: Lines) -> Block:
        numbered = enumerate(self._lines(piece.data), piece.first)
        self._skip(numbered, self._start - piece.first)
        raw = RawLines(piece)
        out = Output()
        while misfit := self._layout.write(numbered, self._stamps_of(self._layout), out):
            self._take(*misfit, raw, out)
        filtered = {"expired": out.expired} if out.expired else {}
        first = max(piece.first, self._start)
        return Block(first, piece.end, out.body, out.documents, raw, filtered, out.rejects)

    def _lines(self, data: bytes) -> list[bytes]:
        """Split a block into lines that are safe for JSON, also those that are JSON themselves."""
        safe = self._safe(data)
        lines = safe.split(b"\n")
        # One character is found much faster than two.
        if b"{" not in safe or not _care(safe):
            return lines
        if not (safe.startswith(b"{") or b"\n{" in safe):
            return lines
        return [
            _as_columns(raw)[1] if line.startswith(b"{") and _care(line) else line
            for line, raw in zip(lines, data.split(b"\n"), strict=True)
        ]

    def _skip(self, numbered: Iterator[tuple[int, bytes]], lines: int | None = None) -> None:
        """Pass over lines that an earlier attempt finished, but for their headers."""
        for _, line in islice(numbered, lines and max(lines, 0)):
            self._headed(line)

    def _headed(self, line: bytes) -> bool:
        """Go over to the layout of a line that is no record; tell whether it is one."""
        layout = self._format.layout_for(line, self._columns)
        if layout:
            self._layout = self._columns = layout
        return layout is not None

    def _take(self, ordinal: int, line: bytes, raw: "RawLines", out: Output) -> None:
        """Deal with a line that does not fit the layout that others of its object have."""
        if not line or line.isspace() or self._headed(line):
            return
        if line.lstrip().startswith(b"{"):
            self._take_json(ordinal, raw(ordinal), out)
            return
        layouts = (self._columns, *self._format.other_layouts)
        for meant in dict.fromkeys(self._format.readings(line)):
            if any(self._fits(layout, ordinal, meant, out) for layout in layouts):
                return
        newest = (*self._format.other_layouts, self._columns)[0]
        self._does_not_fit(ordinal, newest.why_not(line), raw(ordinal), out)

    def _take_json(self, ordinal: int, raw: bytes, out: Output) -> None:
        try:
            names, line = as_columns(raw)
            layout = self._format.json_layout(names)
        except ValueError as error:
            self._does_not_fit(ordinal, str(error), raw, out)
            return
        if not self._fits(layout, ordinal, line, out):
            self._does_not_fit(ordinal, layout.why_not(line), raw, out)

    def _fits(self, layout: Layout, ordinal: int, line: bytes, out: Output) -> bool:
        """Append the document of a line if it has a layout, and keep to that."""
        if layout.write(iter([(ordinal, line)]), self._stamps_of(layout), out):
            return False
        self._layout = layout
        return True

    def _does_not_fit(self, ordinal: int, reason: str, raw: bytes, out: Output) -> None:
        out.rejects.append(self._reject(ordinal, "does_not_fit", reason, raw))

    def _overlong(self, piece: Overlong) -> Iterator[Block]:
        if piece.first >= self._start:
            reason = f"a line of {piece.length} bytes is too long; its beginning is kept"
            yield one_reject(self._reject(piece.first, "too_long", reason, piece.data))

    def _reject(self, ordinal: int, error_type: str, reason: str, raw: bytes) -> Reject:
        return Reject(ordinal, error_type, reason, raw, id=f"{self._source.id}-{ordinal}")

    def _stamps_of(self, layout: Layout) -> Stamps:
        """Give the frames for times as this layout writes them."""
        if layout.moment not in self._stamps:
            self._stamps[layout.moment] = Stamps(
                self._format.name,
                self._source,
                self._dates,
                layout.moment or _no_time,
                id_prefix=f"{self._source.id}-".encode(),
            )
        return self._stamps[layout.moment]


def _care(line: bytes) -> bool:
    """Tell whether a line of JSON, made safe as text, may not be taken as it is."""
    return b"\\" in line or b"\t" in line


def _as_columns(line: bytes) -> tuple[tuple[str, ...], bytes]:
    """Write a line of JSON as patterns take it; what is none fits no pattern."""
    try:
        return as_columns(line)
    except ValueError:
        return (), b'{"'


def _named(
    names: tuple[str, ...],
    known: Mapping[str, Column],
    become: Callable[[Column], Column] = lambda column: column,
) -> tuple[Column, ...]:
    """Give the columns with these names; what we do not know, or know already, is extra."""
    columns: dict[str, Column] = {}
    for name in names:
        column = known.get(name)
        if column is None or column.name in columns:
            column = become(_unknown(name, columns))
        columns[column.name] = column
    return tuple(columns.values())


def _unknown(name: str, others: Collection[str]) -> Column:
    plain = EXTRA + (snake(name).replace(".", "_") or "unnamed")
    unique = (plain, *(f"{plain}_{number}" for number in range(2, len(others) + 3)))
    return keyword(next(one for one in unique if one not in others), "")


@cache
def _json_safe(separator: str) -> JsonSafe:
    return JsonSafe(separator)


def _no_time(key: bytes) -> tuple[datetime, str]:
    raise ValueError(f"no time in {key!r}")


class RawLines:
    """The lines of a block as AWS wrote them, split when the first of them is asked for."""

    def __init__(self, piece: Lines) -> None:
        self._piece = piece
        self._lines: list[bytes] | None = None

    def __call__(self, ordinal: int) -> bytes:
        """Give the line with this number, without its end."""
        if self._lines is None:
            self._lines = self._piece.data.split(b"\n")
        return self._lines[ordinal - self._piece.first].removesuffix(b"\r")


def one_reject(reject: Reject) -> Block:
    """Wrap a reject that stands alone."""
    ordinal = reject.ordinal
    return Block(ordinal, ordinal + 1, b"", 0, lambda _: reject.raw, {}, [reject])
