"""Formats with one record a line: fixed columns, or columns that a header names."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from itertools import islice
from typing import override

from servicelogs.documents import Dates, Stamps
from servicelogs.errors import UnreadableObject
from servicelogs.formats.columns import Column, keyword
from servicelogs.formats.cutting import Lines, Overlong, cut_lines
from servicelogs.formats.fields import Field
from servicelogs.formats.format import Format
from servicelogs.formats.layout import EXTRA, JsonSafe, Layout, Output
from servicelogs.records import Block, Reject, Source

_MOST_LAYOUTS = 256
_MOST_HEADER_BYTES = 4096
_column_name = re.compile(r"[a-z][a-z0-9_-]*").fullmatch


@dataclass(frozen=True, kw_only=True)
class Delimited(Format):
    """One record a line, its columns in a fixed order that AWS lengthens at the end."""

    separator: str = " "
    columns: tuple[Column, ...]
    time: str
    """The column that tells when it happened."""

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        parts = (p for c in self.columns for variant in c.variants for p in variant.parts)
        return tuple(dict.fromkeys(part.field for part in parts if part.field))

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
        return Layout(self.columns[:length], self.separator, time=self.time, open_end=open_end)

    def layout_for(self, line: bytes, current: Layout) -> Layout | None:  # noqa: ARG002
        """Give the layout that counts after a line that is no record; None if it is one."""
        return None

    @property
    def other_layouts(self) -> tuple[Layout, ...]:
        """What a line may have that does not fit the layout of the lines before it."""
        return self.layouts

    def as_meant(self, line: bytes) -> bytes:
        r"""Give another reading of a line (safe for JSON) that does not fit: `\"` for a quote."""
        return line.replace(b'\\\\"', b"\\u0022")

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

    @cached_property
    @override
    def layouts(self) -> tuple[Layout, ...]:
        return (self._headed(self.default),)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @override
    def layout_for(self, line: bytes, current: Layout) -> Layout | None:
        names = self.header(line)
        return self._headed(names) if names else None

    def header(self, line: bytes) -> tuple[str, ...]:
        """Give the columns that a line names; none if it is no header."""
        if len(line) > _MOST_HEADER_BYTES:
            return ()
        names = tuple(line.decode(errors="replace").split())
        known = sum(name in self._by_name for name in names)
        if not known or not all(map(_column_name, names)):
            return ()
        # In a record a value may look like a name; there may be names that are newer than this.
        return names if names[0] in self._by_name or 2 * known > len(names) else ()

    def _no_header(self, columns: tuple[Column, ...]) -> Column:
        """Give the first column so that a header does not fit where all columns take words."""
        first = columns[0]
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
        # A sample line of AWS's has two spaces between two of its columns.
        separator = self.separator.encode()
        return separator.join(filter(None, line.split(separator)))

    @cached_property
    def _layouts(self) -> dict[tuple[str, ...], Layout]:
        return {}

    def _headed(self, names: tuple[str, ...]) -> Layout:
        if names not in self._layouts:
            if len(self._layouts) >= _MOST_LAYOUTS:
                self._layouts.clear()
            columns = tuple(
                self._by_name[name]
                if name in self._by_name and name not in names[:at]
                else keyword(EXTRA + name, "")
                for at, name in enumerate(names)
            )
            columns = (self._no_header(columns), *columns[1:])
            time = next((name for name in self.times if name in names), "")
            self._layouts[names] = Layout(columns, self.separator, time=time, open_end=False)
        return self._layouts[names]


class _Reader:
    """Goes through the lines of one object."""

    def __init__(self, format_: Delimited, source: Source, dates: Dates, start: int) -> None:
        self._format = format_
        self._source = source
        self._dates = dates
        self._start = start
        self._layout = format_.layouts[0]
        self._safe = _json_safe(format_.separator)
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
        numbered = enumerate(self._safe(piece.data).split(b"\n"), piece.first)
        self._skip(numbered, self._start - piece.first)
        raw = RawLines(piece)
        out = Output()
        while misfit := self._layout.write(numbered, self._stamps_of(self._layout), out):
            self._take(*misfit, raw, out)
        filtered = {"expired": out.expired} if out.expired else {}
        first = max(piece.first, self._start)
        return Block(first, piece.end, out.body, out.documents, raw, filtered, out.rejects)

    def _skip(self, numbered: Iterator[tuple[int, bytes]], lines: int | None = None) -> None:
        """Pass over lines that an earlier attempt finished, but for their headers."""
        for _, line in islice(numbered, lines and max(lines, 0)):
            self._layout = self._format.layout_for(line, self._layout) or self._layout

    def _take(self, ordinal: int, line: bytes, raw: "RawLines", out: Output) -> None:
        """Deal with a line that does not fit the layout that others of its object have."""
        if not line or line.isspace():
            return
        if layout := self._format.layout_for(line, self._layout):
            self._layout = layout
            return
        meant = self._format.as_meant(line)
        for layout in (self._layout, *self._format.other_layouts):
            if not layout.write(iter([(ordinal, meant)]), self._stamps_of(layout), out):
                self._layout = layout
                return
        newest = (*self._format.other_layouts, self._layout)[0]
        reason = newest.why_not(line)
        out.rejects.append(self._reject(ordinal, "does_not_fit", reason, raw(ordinal)))

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
