"""How a format of text is declared: one record a line, its columns separated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import ClassVar, Literal, override

from servicelogs.errors import ConfigurationError
from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.text.columns import Column, snake

_VALUES = {"ip": "(?:[0-9A-Fa-f:.]+|-)"} | dict.fromkeys(("integer", "long"), r"(?:\d+|-)")
"""Regular expressions of the values of fields, by their types."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """A line that names the columns of those that follow, chosen and ordered by the user."""

    default: tuple[str, ...]
    """The columns of lines without one."""
    comment: bytes = b""
    """What lines that are not records begin with; `#Fields:` among them is the header."""
    column_name: str = "[a-z][a-z0-9_-]*"
    """What the name of a column looks like: AWS adds some."""
    foreign: str = ""
    """A regular expression of the columns that only another format with the same option has."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Columns that the user has selected, in AWS's own order; no line says which they are."""

    lists: tuple[tuple[str, ...], ...]
    """Those of one configuration, or of several while it changes: each of another length, because
    the number of its columns is all that identifies a line's list."""


BETWEEN_LISTS = "|"
"""Stands between the columns of one list and those of the next."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TextFormat(Format):
    """One record a line: columns in a fixed order that AWS lengthens at the end, or as headers say.

    A line may be a JSON object too (V2 deliveries; rows of Parquet files, written as JSON): it
    becomes what the same record as text becomes. Its members may be named as AWS names the columns,
    as documents have them (`cs_user_agent`), or as `json_names` says; `-`, null and an empty string
    are not values; members that we do not know go to `extra_fields`.
    """

    kind: ClassVar[Literal["text", "json", "messages"]] = "text"

    columns: tuple[Column, ...]
    """In their order; with a header, all there are. In documents `_` stands for what is not a
    letter or digit in their names."""
    times: tuple[str, ...]
    """The columns that say when it happened, the best first; without any it is the delivery's."""
    separator: str = " "
    header: Header | None = None
    """None: no line names columns."""
    selection: Selection | None = None
    """None: without a header the columns are always the same."""
    ids: tuple[str, ...] = ()
    """The columns that make up a record's id where all have a value; else the source's and the
    record's key."""
    escapes_quotes: bool = True
    r"""Whether AWS escapes a quote inside a value in quotes (`\\x22`, `\\"`)."""
    open_since: str = ""
    """Lines with the columns that were new then, or newer ones, may have unknown ones behind them;
    shorter lines may not."""
    json_names: Mapping[str, str | Column] = field(default_factory=dict)
    """Names of JSON members → the column's name; or a column of that name that takes the place of
    it, where JSON has the value in another form."""

    @override
    def with_fields(self, names: tuple[str, ...]) -> Format:
        if self.selection:
            return self._with_lists(names)
        if self.header is None:
            return super().with_fields(names)
        for position, name in enumerate(names):
            if not re.fullmatch(self.header.column_name, name):
                raise ConfigurationError(
                    f"{name[:60]!r} is not the name of a column{self.hint_at(name)}"
                )
            if name in names[:position]:
                raise ConfigurationError(f"{name[:60]!r} is given twice")
            if re.fullmatch(self.header.foreign, name):
                raise ConfigurationError(f"{name[:60]!r} is not a column of {self.name}")
        if {column.name for column in self.columns}.isdisjoint(names):
            raise ConfigurationError(
                f"none of the names is a column of {self.name}: {' '.join(names)[:60]!r}"
                f"{self.hint_at(names[0])}"
            )
        header = replace(self.header, default=names)
        return replace(self, header=header, headless=self._line_with(names))

    def hint_at(self, name: str) -> str:
        """Say which column is called nearly so, as its field is; empty if none is."""
        alike = (column.name for column in self.columns if snake(column.name) == snake(name))
        return f" (write {meant})" if (meant := next(alike, "")) else ""

    def _with_lists(self, names: tuple[str, ...]) -> Format:
        order = {column.name: at for at, column in enumerate(self.columns)}
        if unknown := next((n for n in names if n not in order and n != BETWEEN_LISTS), ""):
            raise ConfigurationError(
                f"{unknown[:60]!r} is not a column of {self.name}{self.hint_at(unknown)}"
            )
        groups = (
            [*group] for between, group in groupby(names, BETWEEN_LISTS.__eq__) if not between
        )
        lists = tuple(tuple(sorted(group, key=order.__getitem__)) for group in groups)
        for one in lists:
            if twice := next((a for a, b in pairwise(one) if a == b), ""):
                raise ConfigurationError(f"{twice!r} is given twice")
        if len({*map(len, lists)}) < max(len(lists), 1):
            raise ConfigurationError(
                f"lists of columns of {self.name} must differ in their length, which alone "
                "identifies the list of a line"
            )
        lines = "|".join(map(self._line_with, lists))
        return replace(self, selection=Selection(lists=lists), headless=f"(?:{lines})")

    def _line_with(self, names: tuple[str, ...]) -> str:
        """Give a regular expression of lines with these columns."""
        types = {field.name: field.type for field in self.fields}
        text = rf"[^{self.separator}\r\n]+"
        values = (_VALUES.get(types.get(snake(name), ""), text) for name in names)
        return self.separator.join(values) + r"\r?(?:\n|\Z)"

    @property
    @override
    def fields(self) -> tuple[Field, ...]:
        of_json = (column for column in self.json_names.values() if isinstance(column, Column))
        columns = (*self.columns, *of_json)
        groups = (g for c in columns for variant in c.variants for g in variant.groups)
        fields: dict[str, Field] = {}
        for group in groups:
            if group.field:
                fields.setdefault(group.field.name, group.field)
        return tuple(fields.values())
