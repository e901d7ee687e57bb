"""Which layout a line has: by the place of its columns, by a header, or by the names of members.

What is compiled of a format here lasts as long as the process, and learns from what it reads.
"""

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Protocol

from servicelogs.parsing.cache import Cache
from servicelogs.parsing.text.columns import Column, keyword, snake
from servicelogs.parsing.text.escaping import JsonSafe
from servicelogs.parsing.text.format import Header, Selection, TextFormat
from servicelogs.parsing.text.layout import EXTRA, Layout
from servicelogs.parsing.text.notation import as_member, members, separated
from servicelogs.parsing.text.patterns import MakePlan

_MOST_COLUMNS_KEPT = 8192
"""A compiled column takes more than a kilobyte."""
_MOST_WORDS = 10_000
_MOST_COLUMNS = 256
_MOST_HEADER_BYTES = 4096
_MOST_HEADERS = 64
_MOST_NAMES_BYTES = 16 * 1024


class Choice[Plan](Protocol):
    """How a line of text gets its layout."""

    @property
    def first(self) -> Layout[Plan]:
        """What lines have before anything else is known."""
        ...

    @property
    def others(self) -> tuple[Layout[Plan], ...]:
        """What a line may have too that does not match the layout of the lines before it."""
        ...

    def after(self, line: bytes, current: Layout[Plan]) -> Layout[Plan] | None:
        """Give the layout that counts after a line that is not a record; None if it is one."""
        ...

    def readings(self, line: bytes) -> tuple[bytes, ...]:
        """Give the readings of a line (safe for JSON) that does not match, the likeliest first."""
        ...


class LayoutName(NamedTuple):
    """What identifies a layout: the names of its columns, and whether they are JSON members."""

    names: tuple[str, ...]
    json: bool


class Layouts[Plan]:
    """A text format, compiled for one engine."""

    def __init__(self, log_format: TextFormat, make_plan: MakePlan[Plan]) -> None:
        self.safe = JsonSafe(log_format.separator, rb"\x22" if log_format.escapes_quotes else b"")
        """What makes lines safe for JSON before they are cut."""
        self._format = log_format
        self._make_plan = make_plan
        self._kept: Cache[LayoutName, Layout[Plan]] = Cache(
            self._compile,
            _MOST_COLUMNS_KEPT,
            weight=lambda of: len(of.names),
            forgotten=re.purge,  # it would keep the patterns
        )
        self._members = _members(log_format)
        self._catalogue = {column.name: column for column in log_format.columns}
        self.of_text = self._choice()

    def _choice(self) -> Choice[Plan]:
        if self._format.header:
            return ByHeader(self._format, self._format.header, self._kept)
        if self._format.selection:
            return ByNumber(self._format, self._format.selection, self._make_plan)
        return ByPosition(self._format, self._make_plan)

    def nearest(self, line: bytes, columns: Layout[Plan]) -> Layout[Plan]:
        """Give the layout by which it is said why a line is not a record: the newest as a rule.

        It is an older one where that matches, but for a time that does not exist. `columns` is the
        layout of text, as the last header says.
        """
        layouts = self.of_text.others or (columns,)
        if self._format.selection:
            number = line.count(self._format.separator.encode()) + 1
            return min(layouts, key=lambda layout: abs(len(layout.columns) - number))
        return next((one for one in layouts if one.shapes.general.match(line)), layouts[0])

    def of_json(self, names: tuple[str, ...]) -> Layout[Plan]:
        """Give the layout of JSON objects with these members; a ValueError if none is known."""
        return self._kept[LayoutName(names, json=True)]

    def _compile(self, of: LayoutName) -> Layout[Plan]:
        if of.json:
            self._check_members(of.names)
            columns = tuple(map(as_member, _named(of.names, self._members)))
            notation = members(of.names)
        else:
            columns = _named(of.names, self._catalogue)
            notation = separated(len(of.names), self._format.separator)
            notation = notation._replace(excluded=_header(columns, self._format))
        of_format = self._format
        return Layout(
            columns,
            notation,
            self._make_plan,
            times=of_format.times,
            places=of_format.places,
            ids=of_format.ids,
        )

    def _check_members(self, names: tuple[str, ...]) -> None:
        if len(names) > _MOST_COLUMNS:
            raise ValueError(
                f"the record has {len(names)} members, at most {_MOST_COLUMNS} are read"
            )
        if (length := sum(map(len, names))) > _MOST_NAMES_BYTES:
            raise ValueError(
                f"the names of the record's members have {length} characters, "
                f"at most {_MOST_NAMES_BYTES} are read"
            )
        if self._members.keys().isdisjoint(names):
            raise ValueError(f"none of the record's members is known: {', '.join(names)[:200]!r}")


class ByPosition[Plan]:
    """Columns in a fixed order that AWS lengthens at the end."""

    def __init__(self, log_format: TextFormat, make_plan: MakePlan[Plan]) -> None:
        self._format = log_format
        self._make_plan = make_plan
        self._lengths = _lengths(log_format.columns)
        self.first = self._layout(self._lengths[0], ())

    @cached_property
    def others(self) -> tuple[Layout[Plan], ...]:
        """Give what AWS has written over time, the newest first.

        Columns that do not match those that AWS added to a layout are unknown columns behind it.
        """
        columns = self._format.columns
        older = ((length, columns[length:newer]) for newer, length in pairwise(self._lengths))
        return (self.first, *(self._layout(length, later) for length, later in older))

    def _layout(self, length: int, later: tuple[Column, ...]) -> Layout[Plan]:
        log_format = self._format
        columns = log_format.columns[:length]
        return Layout(
            columns,
            separated(length, log_format.separator),
            self._make_plan,
            times=log_format.times,
            places=log_format.places,
            ids=log_format.ids,
            open_end=columns[-1].since >= log_format.open_since,
            later=later,
        )

    def after(self, line: bytes, current: Layout[Plan]) -> Layout[Plan] | None:  # noqa: ARG002
        """Every line is a record."""
        return None

    def readings(self, line: bytes) -> tuple[bytes, ...]:
        r"""Read `\"` as a quote, and a last `-` as a column that AWS has yet to name."""
        escaped = self._format.escapes_quotes
        meant = line.replace(b'\\\\"', b"\\u0022") if escaped else line
        to_come = f"{self._format.separator}-".encode()
        shorter = (meant.removesuffix(to_come),) if meant.endswith(to_come) else ()
        return (line, meant, *shorter)


class ByNumber[Plan]:
    """Columns that the user has selected: how many a line has identifies its list."""

    def __init__(
        self, log_format: TextFormat, selection: Selection, make_plan: MakePlan[Plan]
    ) -> None:
        known = {column.name: column for column in log_format.columns}
        self.others: tuple[Layout[Plan], ...] = tuple(
            Layout(
                tuple(known[name] for name in names),
                separated(len(names), log_format.separator),
                make_plan,
                times=log_format.times,
                places=log_format.places,
                ids=log_format.ids,
            )
            for names in selection.lists
        )
        """All that a line may have."""
        self.first = self.others[0]

    def after(self, line: bytes, current: Layout[Plan]) -> Layout[Plan] | None:  # noqa: ARG002
        """Every line is a record."""
        return None

    def readings(self, line: bytes) -> tuple[bytes, ...]:
        """Read a line as it is: any other reading could shift its columns."""
        return (line,)


class ByHeader[Plan]:
    """Columns that a header line names, chosen and ordered by the user."""

    def __init__(
        self,
        log_format: TextFormat,
        header: Header,
        layouts: Mapping[LayoutName, Layout[Plan]],
    ) -> None:
        self._separator = log_format.separator.encode()
        self._comment = header.comment
        self._is_column_name = re.compile(header.column_name).fullmatch
        self._known = {column.name for column in log_format.columns}
        self._layouts = layouts
        self._names_in: Cache[bytes, tuple[str, ...]] = Cache(self._read, _MOST_HEADERS)
        """The columns that lines name: the objects of a flow log begin alike."""
        self.first = layouts[LayoutName(header.default, json=False)]
        self.others: tuple[Layout[Plan], ...] = ()  # the header alone decides
        """What a line may have besides: nothing."""

    def after(self, line: bytes, current: Layout[Plan]) -> Layout[Plan] | None:
        """Read a header, or skip a comment."""
        if names := self.header(line):
            return self._layouts[LayoutName(names, json=False)]
        return current if self._comment and line.startswith(self._comment) else None

    def header(self, line: bytes) -> tuple[str, ...]:
        """Give the columns that a line names; none if it is not a header."""
        return self._names_in[line] if len(line) <= _MOST_HEADER_BYTES else ()

    def _read(self, line: bytes) -> tuple[str, ...]:
        named = line.startswith(b"#Fields:")
        names = tuple(line.removeprefix(b"#Fields:").decode(errors="replace").split())
        known = sum(name in self._known for name in names)
        if len(names) > _MOST_COLUMNS:
            return ()
        if self._comment:
            return names if named and known else ()
        if not known or not all(map(self._is_column_name, names)):
            return ()
        # In a record a value may look like a name; there may be names that are newer than this.
        return names if names[0] in self._known or 2 * known > len(names) else ()

    def readings(self, line: bytes) -> tuple[bytes, ...]:
        """Read several separators as one, and spaces as separators.

        A sample line of AWS's has two spaces between two of its columns; a delivery may be set to
        write spaces between them instead of tabs.
        """
        separator = self._separator
        between = separator if separator in line else b" "
        # A line of nothing else would become millions of words.
        words = line.split(between, _MOST_WORDS)
        return (line, separator.join(filter(None, words)))


def _lengths(columns: tuple[Column, ...]) -> list[int]:
    """Give how many columns lines have had over time, today's first."""
    return [
        at
        for at in range(len(columns), 0, -1)
        if at == len(columns) or columns[at].since > columns[at - 1].since
    ]


def _members(log_format: TextFormat) -> dict[str, Column]:
    """Give the columns by the names that JSON members have."""
    by_name = {column.name: column for column in log_format.columns}
    named = {
        name: by_name[column] if isinstance(column, str) else column
        for name, column in log_format.json_names.items()
    }
    snaked = {snake(column.name): column for column in log_format.columns}
    return snaked | by_name | named


def _header(columns: tuple[Column, ...], log_format: TextFormat) -> str:
    """Give the pattern of headers, where records with these columns could look like one."""
    comment = log_format.header.comment if log_format.header else b""
    if comment:
        return rf"{re.escape(comment.decode())}|\s*$"
    groups = (group for c in columns for variant in c.variants for group in variant.groups)
    if any(group.kind == "number" for group in groups):
        return ""
    known = "|".join(dict.fromkeys(column.name for column in log_format.columns))
    word, separator = "[a-z][a-z0-9_-]*", log_format.separator
    return rf"(?:{word}{separator})*(?:{known})(?:{separator}{word})*$"


def _named(names: tuple[str, ...], known: Mapping[str, Column]) -> tuple[Column, ...]:
    """Give the columns with these names; what we do not know, or know already, is extra."""
    columns: dict[str, Column] = {}
    for name in names:
        column = known.get(name)
        if column is None or column.name in columns:
            column = _unknown(name, columns)
        columns[column.name] = column
    return tuple(columns.values())


def _unknown(name: str, others: Collection[str]) -> Column:
    plain = EXTRA + (snake(name).replace(".", "_") or "unnamed")
    unique = (plain, *(f"{plain}_{number}" for number in range(2, len(others) + 3)))
    return keyword(next(one for one in unique if one not in others), "")
