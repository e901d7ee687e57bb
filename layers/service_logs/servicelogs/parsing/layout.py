"""Compiles the columns of a line into what cuts it and what prints it.

The variants of all columns of a line are its shape. One regular expression with all variants takes
any line; another, with only the variants that lines commonly have, takes most lines faster. Either
tells a line's shape by which of its groups took no part, and has for each shape a template that
prints the document (`Layout.write`, the hot loop: about four C calls a line). Before lines are cut,
their block is made safe for JSON as a whole (`JsonSafe`), so that a value is printed between quotes
as it is.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from servicelogs.documents import Stamps
from servicelogs.parsing.columns import Column, Part
from servicelogs.parsing.notation import Notation, pattern_text
from servicelogs.records import Reject

EXTRA = "extra_fields."
"""Where columns go that AWS writes and we do not know yet."""


class JsonSafe:
    """Escape what may not stand in a JSON string, but for quotes; CRLF becomes LF.

    `keep` is the control character that separates columns, if one does; `quote` is how AWS writes a
    quote inside quotes, if it does not leave it as it is.
    """

    def __init__(self, keep: str = "", quote: bytes = rb"\x22") -> None:
        kept = {ord("\n"), *keep.encode()}
        controls = [byte for byte in range(0x20) if byte not in kept]
        self._care = bytes(
            0 if byte in controls or byte >= 0x80 or byte == ord("\\") else byte
            for byte in range(256)
        )
        self._controls = re.compile(b"[" + re.escape(bytes(controls)) + b"]")
        self._quote = quote.replace(b"\\", b"\\\\")

    def __call__(self, block: bytes) -> bytes:
        """Escape a block of lines."""
        if b"\0" not in block.translate(self._care):
            return block
        block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if not block.isascii():
            block = block.decode("utf-8", "replace").encode()
        block = block.replace(b"\\", b"\\\\")
        if self._quote:
            block = block.replace(self._quote, b"\\u0022")
        return self._controls.sub(lambda control: b"\\u%04x" % ord(control[0]), block)


Convert = Callable[[list[bytes], int], bytes]
"""Makes of all groups of a line the value that is printed in place of one."""

_ABSENT = b"(absent)"
"""Stands for groups that took no part; known by its identity."""
_COMMON = 32
"""A shape that so many lines have is common; compiling a pattern costs as much as 1,000 lines."""
_MOST_SHAPES = 4096


class Printer(NamedTuple):
    """Print the lines of one shape from the groups of a pattern."""

    template: bytes
    """Takes the frame and then all groups; `%.0b` swallows those not shown."""
    conversions: tuple[tuple[int, Convert], ...]
    time_at: int
    """The group that finds the frame; -1: there is none."""
    rest_at: int
    """The group with the rest of the time; -1: there is none."""
    quotes: int
    """So many quotes a line has that may be printed so; -1: none may."""


class Layout:
    """Some columns in order, compiled; `times` names those that tell the time, the best first."""

    def __init__(
        self,
        columns: tuple[Column, ...],
        notation: Notation,
        *,
        times: tuple[str, ...],
        open_end: bool = False,
    ) -> None:
        self.columns = columns
        self._notation = notation
        by_name = {column.name: column for column in reversed(columns)}
        self._times = tuple(by_name[name] for name in times if name in by_name)
        self.moment = next((column.moment for column in self._times), None)
        every = [{-1, *range(len(column.variants))} for column in columns]
        self._general = self._pattern(
            every, {False, True} if open_end else {False}, quotes_counted=False
        )
        self._starts: dict[int, Callable[[bytes], re.Match[bytes] | None]] = {}
        self._lines: dict[tuple[bool, ...], int] = {}
        self._usual_variants: list[set[int]] = [set() for _ in columns]
        self._usual_rests: set[bool] = set()
        self._usual = self._general

    def write(
        self, lines: Iterator[tuple[int, bytes]], stamps: Stamps, out: "Output"
    ) -> tuple[int, bytes] | None:
        """Append documents until a line does not fit; give that line, or None at the end."""
        body, documents, expired = out.body, 0, 0
        misfit = None
        absent, mark = _ABSENT, self._notation.mark.encode()
        usual = self._usual
        match_usual, tellers, printers = usual.match, usual.tellers, usual.printers
        for ordinal, line in lines:
            match = match_usual(line)
            if match is not None:
                values = match.groups(absent)
                printer = printers[tuple([values[at] is absent for at in tellers])]
            if match is None or line.count(mark) != printer.quotes:
                match = self._general.match(line)
                if match is None:
                    misfit = (ordinal, line)
                    break
                values = match.groups(absent)
                printer = self._learn(values)
                usual = self._usual
                match_usual, tellers, printers = usual.match, usual.tellers, usual.printers
            template, conversions, time_at, rest_at, _ = printer
            if conversions:
                values = _convert(values, conversions)
            try:
                stamp = stamps[values[time_at] if time_at >= 0 else b"-"]
            except (ValueError, OverflowError):
                misfit = (ordinal, line)
                break
            if stamp is None:
                expired += 1
                continue
            iso, action, head = stamp
            rest = values[rest_at] if rest_at >= 0 else b""
            body += template % (action, ordinal, head, ordinal, iso, rest, *values)
            documents += 1
        out.documents += documents
        out.expired += expired
        return misfit

    def why_not(self, line: bytes) -> str:
        """Say which column does not fit, for a person."""
        numbers = range(1, len(self.columns) + 1)
        fitting = bisect_left(numbers, True, key=lambda number: not self._start(number)(line))
        if fitting < len(self.columns):
            return f"column {fitting + 1} ({self.columns[fitting].name}) does not fit"
        if self._general.match(line):
            return "its time is none"
        return f"it goes on after its {len(self.columns)} columns"

    def _start(self, number: int) -> Callable[[bytes], re.Match[bytes] | None]:
        """Compile what lines begin with whose first so many columns fit."""
        if number not in self._starts:
            every = [{-1, *range(len(column.variants))} for column in self.columns[:number]]
            text = pattern_text(self.columns, every, self._notation)
            self._starts[number] = re.compile((text + self._notation.next).encode()).match
        return self._starts[number]

    def _pattern(
        self, variants: list[set[int]], rests: set[bool], *, quotes_counted: bool
    ) -> "_Pattern":
        return _Pattern(
            self.columns,
            variants,
            rests,
            self._notation,
            self._times,
            quotes_counted=quotes_counted,
        )

    def _learn(self, values: tuple[bytes, ...]) -> Printer:
        """Give what prints a line that the usual pattern does not take.

        If such lines are common, and their quotes can be counted, that pattern is widened.
        """
        general = self._general
        shape = tuple([values[at] is _ABSENT for at in general.tellers])
        if len(self._lines) >= _MOST_SHAPES:
            self._lines.clear()
        lines = self._lines[shape] = self._lines.get(shape, 0) + 1
        if lines == _COMMON and general.quotes_of(shape) is not None:
            variants, rest = general.variants_of(shape)
            for usual, variant in zip(self._usual_variants, variants, strict=True):
                usual.add(variant)
            self._usual_rests.add(rest)
            self._usual = self._pattern(
                self._usual_variants, self._usual_rests, quotes_counted=True
            )
        return general.printers[shape]


class _Pattern:
    """Some variants of each column, compiled: what takes a line, and what prints it."""

    def __init__(
        self,
        columns: tuple[Column, ...],
        variants: list[set[int]],
        rests: set[bool],
        notation: Notation,
        times: tuple[Column, ...],
        *,
        quotes_counted: bool,
    ) -> None:
        self._columns = columns
        self._notation = notation
        self._times = times
        self._rests = rests.copy()
        self._quotes_counted = quotes_counted
        self._variants = [sorted(numbers) for numbers in variants]
        text = pattern_text(columns, self._variants, notation, quotes_counted=quotes_counted)
        text += notation.after
        if True in rests:
            text += _rest(notation.separator) + ("?" if False in rests else "")
        self.match = re.compile(text.encode(), re.DOTALL).fullmatch
        self._groups = [
            (column, number, part)
            for column, numbers in zip(columns, self._variants, strict=True)
            for number in numbers
            if number >= 0
            for part in column.variants[number].parts
        ]
        self.tellers = [*self._tellers()]
        """The groups that tell a shape: first ones of variants that have others beside them, and
        those that may take no part; last, the one with unknown columns."""
        self.printers = _Printers(self)

    def _tellers(self) -> Iterator[int]:
        several = {id(c) for c, v in zip(self._columns, self._variants, strict=True) if len(v) > 1}
        before = None
        for at, (column, number, part) in enumerate(self._groups):
            if part.optional or (before != (column, number) and id(column) in several):
                yield at
            before = (column, number)
        if len(self._rests) > 1:
            yield len(self._groups)

    def variants_of(self, shape: tuple[bool, ...]) -> tuple[list[int], bool]:
        """Tell by which telling groups are absent each column's variant, and unknown columns."""
        absent = {at for at, missing in zip(self.tellers, shape, strict=True) if missing}
        found = {}
        before = None
        for at, (column, number, _) in enumerate(self._groups):
            if before != (column, number) and at not in absent:
                found[id(column)] = number
            before = (column, number)
        rest = True in self._rests and len(self._groups) not in absent
        return [found.get(id(column), -1) for column in self._columns], rest

    def quotes_of(self, shape: tuple[bool, ...]) -> int | None:
        """Tell how many quotes a line of a shape has; None: any number."""
        quotes = 0
        for column, number in zip(self._columns, self.variants_of(shape)[0], strict=True):
            null = column.null.count(self._notation.mark)
            inside = null if number < 0 else column.variants[number].quotes
            if inside is None:
                return None
            quotes += inside + 2 * column.quoted
        return quotes

    def printer(self, shape: tuple[bool, ...]) -> Printer:
        """Make what prints the lines of a shape."""
        variants, rest = self.variants_of(shape)
        variant_of = {id(column): v for column, v in zip(self._columns, variants, strict=True)}
        absent = {at for at, missing in zip(self.tellers, shape, strict=True) if missing}
        groups = [
            (column, part if number == variant_of[id(column)] and at not in absent else None)
            for at, (column, number, part) in enumerate(self._groups)
        ]
        pieces = [_print(part) if part else "%.0b" for _, part in groups]
        conversions: list[tuple[int, Convert]] = [
            (at, partial(_list_items, column.separator.encode()))
            for at, (column, part) in enumerate(groups)
            if part and part.rendering == "list"
        ]
        conversions += [
            (at, partial(_converted, part.convert))
            for at, (_, part) in enumerate(groups)
            if part and part.convert
        ]
        taken = _taken(groups)
        time = self._time_column(taken)
        time_at, rest_at = (*taken[time.name], -1)[:2] if time else (-1, -1)
        if time and time.date:
            conversions.append((time_at, partial(_joined, taken[time.date][0])))
        extra = {
            field.name.removeprefix(EXTRA): taken[column.name]
            for column, part in groups
            if part and (field := part.field)
            # What is only half a time is no time, and its name is the other half's too.
            if field.name.startswith(EXTRA) or (field.alias_of and time is None)
        }
        if extra:
            last = max(map(max, extra.values()))
            pieces[last] = "%b"
            conversions.append((last, partial(_extra_columns, extra)))
        if rest:
            pieces.append("%b")
            conversions.append((len(groups), self._rest_object))
        elif True in self._rests:
            pieces.append("%.0b")
        template = "".join(('%b%d"}}\n%b%d},"@timestamp":"%b%bZ"', *pieces, "}\n")).encode()
        quotes = self.quotes_of(shape) if self._quotes_counted else None
        return Printer(
            template, tuple(conversions), time_at, rest_at, -1 if quotes is None else quotes
        )

    def _time_column(self, taken: Collection[str]) -> Column | None:
        """Choose the column that tells the time among those with a value."""
        return next(
            (
                time
                for time in self._times
                if time.name in taken and (not time.date or time.date in taken)
            ),
            None,
        )

    def _rest_object(self, groups: list[bytes], at: int) -> bytes:
        """Name the values behind the last column we know by their column's number."""
        values = re.findall(rf'"([^"]*)"|([^{self._notation.separator}]+)'.encode(), groups[at])
        return _extra_member(
            (f"column_{number}", quoted or plain)
            for number, (quoted, plain) in enumerate(values, len(self._columns) + 1)
        )


class _Printers(dict[tuple[bool, ...], Printer]):
    """The printers of a pattern's shapes, each made when it is first met."""

    def __init__(self, pattern: _Pattern) -> None:
        self._pattern = pattern

    def __missing__(self, shape: tuple[bool, ...]) -> Printer:
        if len(self) >= _MOST_SHAPES:
            self.clear()
        self[shape] = self._pattern.printer(shape)
        return self[shape]


def _rest(separator: str) -> str:
    r"""Give the pattern of unknown columns.

    Where a quote in them is escaped or ends a word that none began, a quote that a client wrote as
    `\"` has ended its value too early: what follows is the client's, not AWS's.
    """
    inner = rf'(?<!\\)"(?=[^"{separator}])[^"{separator}]*+'
    word = rf'(?:"[^"]*+"|[^"{separator}]++(?:{inner})*+|)'
    return rf"(?:{separator}({word}(?:{separator}{word})*+))"


def _convert(
    groups: tuple[bytes, ...], conversions: tuple[tuple[int, Convert], ...]
) -> tuple[bytes, ...]:
    values = list(groups)
    for at, convert in conversions:
        values[at] = convert(values, at)
    return tuple(values)


def _taken(groups: list[tuple[Column, Part | None]]) -> dict[str, list[int]]:
    """List the groups of each column that has a value."""
    taken: dict[str, list[int]] = {}
    for at, (column, part) in enumerate(groups):
        if part:
            taken.setdefault(column.name, []).append(at)
    return taken


def _joined(date_at: int, groups: list[bytes], at: int) -> bytes:
    return b"%bT%b" % (groups[date_at], groups[at])


def _converted(convert: Callable[[bytes], bytes], groups: list[bytes], at: int) -> bytes:
    return convert(groups[at])


def _list_items(separator: bytes, groups: list[bytes], at: int) -> bytes:
    return groups[at].replace(separator, b'","')


def _extra_columns(names: dict[str, list[int]], groups: list[bytes], _: int) -> bytes:
    return _extra_member(
        (name, b"".join([groups[at] for at in ats])) for name, ats in names.items()
    )


def _extra_member(items: Iterable[tuple[str, bytes]]) -> bytes:
    """Write columns that we do not know, those with a value, behind what was printed before."""
    pairs = (
        b'"%b":"%b"' % (name.encode(), value.replace(b'"', b"\\u0022"))
        for name, value in dict(items).items()
        if value != b"-"
    )
    members = b",".join(pairs)
    return b',"extra_fields":{%b}' % members if members else b""


def _print(part: Part) -> str:
    """Write the template of a value: `%.0b` takes it and prints nothing."""
    if part.field is None or part.rendering == "hidden" or part.field.name.startswith(EXTRA):
        return "%.0b"
    name = f',"{part.field.name}":'
    match part.rendering:
        case "number":
            return f"{name}%b"
        case "first":
            return f'{name}["%b"'
        case "last":
            return ',"%b"]'
        case _:
            return f'{name}["%b"]' if part.field.many else f'{name}"%b"'


@dataclass(slots=True)
class Output:
    """What the lines of a block became."""

    body: bytearray = field(default_factory=bytearray)
    documents: int = 0
    expired: int = 0
    rejects: list[Reject] = field(default_factory=list)
