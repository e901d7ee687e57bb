"""Some columns in order, compiled: what takes their lines, and what says why one does not match."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.text.columns import Column
from servicelogs.parsing.text.notation import Notation, group_name, pattern_text
from servicelogs.parsing.text.patterns import ABSENT, Columns, MakePlan
from servicelogs.parsing.text.shapes import Shapes

EXTRA = "extra_fields."
"""Where columns go that AWS writes and we do not know yet."""

# Of a value that does not match, which its reason shows.
_SHOWN = 40
_MOST_TIMES = 10_000


def unknown_columns(rest: bytes, separator: str, first: int) -> Iterator[tuple[str, bytes]]:
    """Name the values behind the last known column by their column's number, from the first on."""
    quoted_or_plain = rf'"([^"]*)"(?={separator}|$)|([^{separator}]+)'
    values = re.findall(quoted_or_plain.encode(), rest)
    for number, (quoted, plain) in enumerate(values, first):
        yield f"column_{number}", quoted or plain


type ReadTime = Callable[[bytes], tuple[int, bytes]]


@cache
def times_read_by(read_time: ReadTime | None) -> Cache[bytes, tuple[int, bytes]]:
    """Give the times that a function reads: the records of many sources share them."""
    return Cache(read_time or _no_time, _MOST_TIMES)


def _no_time(text: bytes) -> tuple[int, bytes]:
    raise ValueError(f"no column holds the time: {text!r}")


class Layout[Plan]:
    """A layout of lines.

    `times` names the columns that hold the time, the best first, `places` those that hold account
    and Region, `ids` those that make up a record's id.
    """

    def __init__(
        self,
        columns: tuple[Column, ...],
        notation: Notation,
        make_plan: MakePlan[Plan],
        *,
        times: tuple[str, ...],
        places: tuple[str, ...] = (),
        open_end: bool = False,
        later: tuple[Column, ...] = (),
        ids: tuple[str, ...] = (),
    ) -> None:
        """With `open_end` unknown columns may follow, but for what newer lines have: `later`."""
        by_name = {column.name: column for column in reversed(columns)}
        of_times = tuple(by_name[name] for name in times if name in by_name)
        of = Columns(columns, notation, of_times, later, places, ids)
        self.columns = columns
        self.times = times_read_by(next((column.read_time for column in of.times), None))
        """From a time as these lines write it to its hour (from 1970), and to ISO 8601 as far as it
        goes; a ValueError if it does not exist."""
        self.mark = notation.mark.encode()
        """What is counted in a line to decide whether the usual pattern may take it."""
        self.shapes = Shapes(of, make_plan, open_end=open_end)
        self._notation = notation
        self._prefixes: dict[int, Callable[[bytes], re.Match[bytes] | None]] = {}

    def matching(self, line: bytes) -> int:
        """Count the columns, from the first on, that match what the line begins with."""
        numbers = range(1, len(self.columns) + 1)
        return bisect_left(numbers, True, key=lambda number: not self.prefix(number)(line))

    def why_not(self, line: bytes) -> str:
        """Say, for a person, why a line does not match."""
        matching, expected = self.matching(line), len(self.columns)
        rest = line[self._end(matching, line) :]
        if matching == expected:
            if match := self.shapes.general.match(line):
                return self._why_no_time(line, match.groups(ABSENT))
            return f"the line goes on after the {expected} expected columns: {self._value(rest)!a}"
        column = f"column {matching + 1} ({self.columns[matching].name})"
        if matching and not rest:
            columns = "1 column" if matching == 1 else f"{matching} columns"
            return f"the line has {columns}, {expected} are expected: {column} is missing"
        return f"{column} does not match: {self._value(rest)!a}"

    def _why_no_time(self, line: bytes, values: tuple[bytes, ...]) -> str:
        general = self.shapes.general
        time = general.shape(general.key(values)).time
        names = [name for name in (time.date, time.name) if name] if time else []
        place = {column.name: at for at, column in enumerate(self.columns)}
        shown = " ".join(self._value(line[self._end(place[name], line) :]) for name in names)
        return f"the time does not exist ({' and '.join(names)}): {shown!a}"

    def prefix(self, number: int) -> Callable[[bytes], re.Match[bytes] | None]:
        """Compile what lines begin with whose first so many columns match."""
        if number not in self._prefixes:
            self._prefixes[number] = re.compile(self._prefix_text(number)).match
        return self._prefixes[number]

    def _prefix_text(self, number: int, *, named: bool = False) -> bytes:
        every = [{-1, *range(len(column.variants))} for column in self.columns[:number]]
        text = pattern_text(self.columns, every, self._notation, named=named)
        return (text + self._notation.next).encode()

    def split(self, line: bytes) -> tuple[list[bytes], bytes]:
        """Give what stands in the columns, from the first on, that match; and the line's rest."""
        number = self.matching(line)
        match = self.shapes.general.split(line) or re.match(
            self._prefix_text(number, named=True), line
        )
        if number == 0 or match is None:
            return [], line
        texts = [match[group_name(at)] for at in range(number)]
        return texts, line[match.end(group_name(number - 1)) :]

    def beginning(
        self, number: int, make_plan: MakePlan[Plan], *, timeless: bool = False
    ) -> "Layout[Plan]":
        """Give the layout of lines that end after so many columns; `timeless`: without a time."""
        of = self.shapes.general.of
        notation = of.notation._replace(before=of.notation.before[:number])
        times = () if timeless else tuple(time.name for time in of.times)
        return Layout(self.columns[:number], notation, make_plan, times=times)

    def _value(self, rest: bytes) -> str:
        """Give the value that a rest of a line begins with, cut short."""
        value = rest[:_SHOWN].decode(errors="replace")
        return value if value.startswith('"') else value.partition(self._notation.separator)[0]

    def _end(self, number: int, line: bytes) -> int:
        """Say where the first so many columns end, their separator included."""
        match = self.prefix(number)(line) if number else None
        return match.end() if match else 0
