"""Compiles the columns of a line into what cuts it and what prints it.

The variants of all columns of a line are its shape. One regular expression with all the variants
finds any line's shape; for a shape that many lines have there is an expression of its own, which
need not ask, and a template that prints the document (`Layout.write`, the hot loop: about four C
calls a line). Before lines are cut, their block is made safe for JSON as a whole (`JsonSafe`), so
that a value is printed between quotes as it is.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from servicelogs.documents import Stamps
from servicelogs.formats.columns import Column, Part
from servicelogs.records import Reject

EXTRA = "extra_fields."
"""Where columns go that AWS writes and we do not know yet."""


class JsonSafe:
    """Escape what may not stand in a JSON string, but for quotes; CRLF becomes LF.

    `keep` is the control character that separates columns, if one does.
    """

    def __init__(self, keep: str = "") -> None:
        kept = {ord("\n"), *keep.encode()}
        controls = [byte for byte in range(0x20) if byte not in kept]
        self._care = bytes(
            0 if byte in controls or byte >= 0x80 or byte == ord("\\") else byte
            for byte in range(256)
        )
        self._controls = re.compile(b"[" + re.escape(bytes(controls)) + b"]")

    def __call__(self, block: bytes) -> bytes:
        """Escape a block of lines."""
        if b"\0" not in block.translate(self._care):
            return block
        block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if not block.isascii():
            block = block.decode("utf-8", "replace").encode()
        # AWS writes a quote inside quotes as \x22.
        block = block.replace(b"\\", b"\\\\").replace(b"\\\\x22", b"\\u0022")
        return self._controls.sub(lambda control: b"\\u%04x" % ord(control[0]), block)


Conversions = tuple[tuple[int, Callable[[list[bytes], int], bytes]], ...]
"""Group numbers, and what makes of all groups the value printed there."""


class Printer(NamedTuple):
    """Print the lines of one shape from the groups of a pattern."""

    match: Callable[[bytes], re.Match[bytes] | None]
    template: bytes
    """Takes the frame and then all groups; `%.0b` swallows those not shown."""
    conversions: Conversions
    time_at: int
    """The group that finds the frame; -1: there is none."""
    rest_at: int
    """The group with the rest of the time; -1: there is none."""


_COMMON = 32
"""A shape with this many lines gets a pattern of its own; compiling it costs as much as 1,000."""
_RECENT = 4
"""So many patterns are tried before the one that has all variants."""
_MOST_SHAPES = 4096


class Layout:
    """Some columns in order, compiled; `time` names the one that tells the record's time."""

    def __init__(
        self, columns: tuple[Column, ...], separator: str, *, time: str, open_end: bool
    ) -> None:
        self.columns = columns
        self.moment = next((column.moment for column in columns if column.name == time), None)
        self._separator = separator
        self._time = time
        self._open_end = open_end
        every = [_every(column) for column in columns]
        self._general = self._compile(every, f"(?:{separator}(.*))?" if open_end else "")
        self._printers: dict[tuple[int, ...], Printer] = {}
        self._lines: dict[tuple[int, ...], int] = {}
        self._recent: list[Printer] = []

    def write(
        self, lines: Iterator[tuple[int, bytes]], stamps: Stamps, out: "Output"
    ) -> tuple[int, bytes] | None:
        """Append documents until a line does not fit; give that line, or None at the end."""
        body, documents, expired = out.body, 0, 0
        misfit = None
        current = self._recent[0] if self._recent else None
        match_line = current.match if current else _no_match
        for ordinal, line in lines:
            match = match_line(line)
            printer = current
            if match is None or printer is None:
                found = self._find(line)
                if found is None:
                    misfit = (ordinal, line)
                    break
                printer, match = found
                if printer.match is not self._general:
                    current, match_line = printer, printer.match
            _, template, conversions, time_at, rest_at = printer
            values = match.groups(b"-")
            try:
                stamp = stamps[values[time_at] if time_at >= 0 else b"-"]
            except (ValueError, OverflowError):
                misfit = (ordinal, line)
                break
            if stamp is None:
                expired += 1
                continue
            if conversions:
                values = _convert(values, conversions)
            iso, action, head = stamp
            rest = values[rest_at] if rest_at >= 0 else b""
            body += template % (action, ordinal, head, ordinal, iso, rest, *values)
            documents += 1
        out.documents += documents
        out.expired += expired
        return misfit

    def why_not(self, line: bytes) -> str:
        """Say which column does not fit, for a person."""
        for number, column in enumerate(self.columns, 1):
            every = [_every(column) for column in self.columns[:number]]
            pattern = self._pattern(every) + f"(?:{self._separator}|$)"
            if not re.match(pattern.encode(), line):
                return f"column {number} ({column.name}) does not fit"
        if self._general(line):
            return "its time is none"
        return f"it goes on after its {len(self.columns)} columns"

    def _find(self, line: bytes) -> tuple[Printer, re.Match[bytes]] | None:
        """Find what prints this line: a pattern of its shape's own, or the general one."""
        for printer in self._recent:
            if match := printer.match(line):
                self._recent.remove(printer)
                self._recent.insert(0, printer)
                return printer, match
        match = self._general(line)
        if match is None:
            return None
        shape, rest = self._shape(match)
        key = (*shape, rest)
        lines = self._lines[key] = self._lines.get(key, 0) + 1
        known = self._printers.get(key)
        if known and lines != _COMMON:
            printer = known
        else:
            if len(self._printers) >= _MOST_SHAPES:
                self._printers.clear()
                self._lines.clear()
            printer = self._printers[key] = self._new_printer(
                shape, rest=bool(rest), own=lines >= _COMMON
            )
        if printer.match is self._general:
            return printer, match
        own = printer.match(line)
        if own is None:  # the variants of a column do not exclude each other
            return self._new_printer(shape, rest=bool(rest), own=False), match
        self._recent = [printer, *self._recent[: _RECENT - 1]]
        return printer, own

    def _shape(self, match: re.Match[bytes]) -> tuple[list[int], int]:
        """Tell the variant of each column (-1: null) and whether unknown columns follow."""
        shape = []
        group = 1
        for column in self.columns:
            found = -1
            for number, variant in enumerate(column.variants):
                if match[group] is not None:
                    found = number
                group += len(variant.parts)
            shape.append(found)
        return shape, int(self._open_end and match[group] is not None)

    def _compile(
        self, variants: Iterable[Iterable[int]], rest: str
    ) -> Callable[[bytes], re.Match[bytes] | None]:
        return re.compile((self._pattern(variants) + rest).encode(), re.DOTALL).fullmatch

    def _pattern(self, variants: Iterable[Iterable[int]]) -> str:
        return self._separator.join(
            self._column_pattern(column, list(numbers))
            for column, numbers in zip(self.columns, variants, strict=False)
        )

    def _column_pattern(self, column: Column, numbers: list[int]) -> str:
        """Some of a column's variants; -1 is null."""
        end = '"' if column.quoted else self._separator
        patterns = [
            self._variant_pattern(column, number, end) if number >= 0 else column.null
            for number in numbers
        ]
        either = (
            f"(?:{'|'.join(patterns)})" if len(patterns) > 1 or "|" in patterns[0] else patterns[0]
        )
        return f'"{either}"' if column.quoted else either

    def _variant_pattern(self, column: Column, number: int, end: str) -> str:
        variant = column.variants[number]
        pattern = variant.pattern
        if variant.otherwise:
            before = "|".join([column.null, *(v.pattern for v in column.variants[:number])])
            no_groups = re.sub(r"(?<!\\)\((?!\?)", "(?:", before)
            pattern = f"(?!(?:{no_groups})(?:{end}|$)){pattern}"
        return pattern.replace(r"\S", f"[^{end}]").replace(r"\-", f"[^{end}-]")

    def _new_printer(self, shape: list[int], *, rest: bool, own: bool) -> Printer:
        """Make a shape's printer, with a pattern of its own or for the general one's groups."""
        groups: list[tuple[Column, Part | None]] = []
        for column, found in zip(self.columns, shape, strict=True):
            for number, variant in enumerate(column.variants):
                if number == found:
                    groups += [(column, part) for part in variant.parts]
                elif not own:
                    groups += [(column, None)] * len(variant.parts)
        times = [
            at for at, (column, part) in enumerate(groups) if part and column.name == self._time
        ]
        pieces = [_print(part) if part else "%.0b" for _, part in groups]
        conversions: list[tuple[int, Callable[[list[bytes], int], bytes]]] = [
            (at, partial(_list_items, column.separator.encode()))
            for at, (column, part) in enumerate(groups)
            if part and part.rendering == "list"
        ]
        extra = {
            at: part.field.name.removeprefix(EXTRA)
            for at, (_, part) in enumerate(groups)
            if part and part.field and part.field.name.startswith(EXTRA)
        }
        if extra:
            last = max(extra)
            pieces[last] = ',"extra_fields":%b'
            conversions.append((last, partial(_extra_object, extra)))
        if rest:
            pieces.append(',"extra_fields":%b')
            conversions.append((len(groups), self._rest_object))
        elif self._open_end and not own:
            pieces.append("%.0b")
        template = "".join(('%b%d"}}\n%b%d},"@timestamp":"%b%bZ"', *pieces, "}\n")).encode()
        match = self._general
        if own:
            behind = f"{self._separator}(.*)" if rest else ""
            match = self._compile([[found] for found in shape], behind)
        time_at, rest_at = (*times, -1, -1)[:2]
        return Printer(match, template, tuple(conversions), time_at, rest_at)

    def _rest_object(self, groups: list[bytes], at: int) -> bytes:
        """Name the values behind the last column we know by their column's number."""
        values = re.findall(rf'"([^"]*)"|([^{self._separator}]+)'.encode(), groups[at])
        return _json_object(
            (f"column_{number}", quoted or plain)
            for number, (quoted, plain) in enumerate(values, len(self.columns) + 1)
        )


def _convert(groups: tuple[bytes, ...], conversions: Conversions) -> tuple[bytes, ...]:
    values = list(groups)
    for at, convert in conversions:
        values[at] = convert(values, at)
    return tuple(values)


def _list_items(separator: bytes, groups: list[bytes], at: int) -> bytes:
    return groups[at].replace(separator, b'","')


def _extra_object(names: dict[int, str], groups: list[bytes], _: int) -> bytes:
    return _json_object((name, groups[at]) for at, name in names.items())


def _json_object(items: Iterable[tuple[str, bytes]]) -> bytes:
    pairs = (
        b'"%b":"%b"' % (name.encode(), value.replace(b'"', b"\\u0022"))
        for name, value in items
        if value != b"-"
    )
    return b"{" + b",".join(pairs) + b"}"


def _every(column: Column) -> range:
    """All variants of a column, null (-1) first."""
    return range(-1, len(column.variants))


def _no_match(_: bytes) -> None:
    return None


def _print(part: Part) -> str:
    """The template of a value: `%.0b` takes it and prints nothing."""
    if part.field is None or part.rendering == "hidden" or part.field.name.startswith(EXTRA):
        return "%.0b"
    value = "%b" if part.rendering == "number" else '"%b"'
    return f',"{part.field.name}":' + (f"[{value}]" if part.field.many else value)


@dataclass(slots=True)
class Output:
    """What the lines of a block became."""

    body: bytearray = field(default_factory=bytearray)
    documents: int = 0
    expired: int = 0
    rejects: list[Reject] = field(default_factory=list)
