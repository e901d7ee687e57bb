"""Goes through the lines of one source: headers, records in one of their layouts, JSON objects."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from servicelogs.parsing.text.json_objects import as_columns
from servicelogs.parsing.text.layout import Layout
from servicelogs.parsing.text.layouts import Layouts
from servicelogs.parsing.text.lines import cut_lines
from servicelogs.records import Block, Records, Reject, Source, TooLong

DOES_NOT_MATCH = "does_not_match"
# After so many blank lines of a block the others are left out before they are matched.
_MANY_BLANK = 16

type Row = tuple[int, int | bytes, bytes]
"""A record's number, its key (the number, where the source has none), its line, safe for JSON."""


class TextEncoder[Plan](Protocol):
    """What an engine makes of lines."""

    source: Source

    def begin(self, records: Records, skipped: int) -> None:
        """Begin a block, without so many records at its beginning."""
        ...

    def write(self, layout: Layout[Plan], rows: Iterator[Row]) -> Row | None:
        """Take rows until one does not match; give that one, or None at the end."""
        ...

    def finish(self, rejects: list[Reject]) -> Block:
        """End the block."""
        ...


class TextParser[Plan]:
    """Parses the lines of one source."""

    def __init__(self, layouts: Layouts[Plan], encoder: TextEncoder[Plan]) -> None:
        self._layouts = layouts
        self._encoder = encoder
        self._columns = layouts.of_text.first
        self._layout = self._columns
        """The layout of the last record."""

    @property
    def source(self) -> Source:
        """Where the lines come from."""
        return self._encoder.source

    @property
    def columns(self) -> Layout[Plan]:
        """The layout of text, as the last header says."""
        return self._columns

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut an object's text into lines."""
        return cut_lines(chunks)

    def take(self, records: Records, skipped: int) -> Block:
        """Parse lines; of those that are skipped only headers count."""
        numbers = records.numbers()
        keys: Iterable[int | bytes] = numbers if records.keys is None else records.keys
        rows: Iterator[Row] = zip(numbers, keys, self._lines(records), strict=True)
        for _, _, line in islice(rows, skipped):
            if line:
                self._is_header(line)
        self._encoder.begin(records, skipped)
        return self._encoder.finish([*self._rejects(records, rows)])

    def _rejects(self, records: Records, rows: Iterator[Row]) -> Iterator[Reject]:
        """Give rows of these records to the encoder; those that are no record are rejected."""
        blank = 0
        while row := self._encoder.write(self._layout, rows):
            number, _, line = row
            if not line or line.isspace():
                blank += 1
                if blank == _MANY_BLANK:  # a block may consist of them
                    rows = filter(_is_filled, rows)
                continue
            raw = records.raw(number)
            if reason := self._why_rejected(row, raw):
                id_ = f"{self.source.id}-{records.key(number)}"
                yield Reject(number, DOES_NOT_MATCH, reason, raw, id=id_)

    def _lines(self, records: Records) -> list[bytes]:
        """Give lines that are safe for JSON, also those that are JSON themselves."""
        safe = self._layouts.safe(records.text)
        lines = safe.split(b"\n")
        if len(lines) != len(records):  # a record may hold a line feed where events are records
            lines = [self._layouts.safe(one).replace(b"\n", rb"\n") for one in records.items]
        # One character is found much faster than two.
        elif b"{" not in safe or not _care(safe) or not (safe[:1] == b"{" or b"\n{" in safe):
            return lines
        return [
            _as_columns(raw)[1] if line.startswith(b"{") and _care(line) else line
            for line, raw in zip(lines, records.items, strict=True)
        ]

    def _is_header(self, line: bytes) -> bool:
        """Go over to the layout of a line that is not a record; say whether it is one."""
        layout = self._layouts.of_text.after(line, self._columns)
        if layout:
            self._layout = self._columns = layout
        return layout is not None

    def _why_rejected(self, row: Row, raw: bytes) -> str:
        """Deal with a line that the layout of those before it does not match.

        Give the reason if it is neither a header nor a record in any way.
        """
        _, _, line = row
        if self._is_header(line):
            return ""
        if line.lstrip().startswith(b"{"):
            return self._why_no_json(row, raw)
        choice = self._layouts.of_text
        layouts = (self._columns, *choice.others)
        for meant in dict.fromkeys(choice.readings(line)):
            if any(self._matches(layout, row, meant) for layout in layouts):
                return ""
        return self._layouts.nearest(line, self._columns).why_not(line)

    def _why_no_json(self, row: Row, raw: bytes) -> str:
        try:
            names, line = as_columns(raw)
            layout = self._layouts.of_json(names)
        except ValueError as error:
            return str(error)
        return "" if self._matches(layout, row, line) else layout.why_not(line)

    def _matches(self, layout: Layout[Plan], row: Row, line: bytes) -> bool:
        """Take a line if it has a layout, and keep to that."""
        number, key, _ = row
        if self._encoder.write(layout, iter([(number, key, line)])):
            return False
        self._layout = layout
        return True


def _is_filled(row: Row) -> bool:
    return bool(row[2].strip())


def _care(line: bytes) -> bool:
    """Say whether a line of JSON, made safe as text, may not be taken as it is."""
    return b"\\" in line or b"\t" in line


def _as_columns(line: bytes) -> tuple[tuple[str, ...], bytes]:
    """Write a line of JSON as patterns take it; what is not JSON matches no pattern."""
    try:
        return as_columns(line)
    except ValueError:
        return (), b'{"'
