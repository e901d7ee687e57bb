"""How a format of text is declared: one record a line, its columns separated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import override

from servicelogs.parsing.fields import Field
from servicelogs.parsing.format import Format
from servicelogs.parsing.text.columns import Column


@dataclass(frozen=True, kw_only=True)
class Header:
    """A line that names the columns of those that follow, chosen and ordered by the user."""

    default: tuple[str, ...]
    """The columns of lines without one."""
    comment: bytes = b""
    """What lines begin with that are no records; `#Fields:` among them is the header."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TextFormat(Format):
    """One record a line: columns in a fixed order that AWS lengthens at the end, or as headers say.

    A line may be a JSON object too (V2 deliveries; rows of Parquet files, written as JSON): it
    becomes what the same record as text becomes. Its members may be named as AWS names the columns,
    as documents have them (`cs_user_agent`), or as `json_names` says; `-`, null and an empty string
    are no value; members that we do not know go to `extra_fields`.
    """

    columns: tuple[Column, ...]
    """In their order; with a header, all there are. In documents `_` stands for what is not a
    letter or digit in their names."""
    times: tuple[str, ...]
    """The columns that tell when it happened, the best first; without any it is the delivery's."""
    separator: str = " "
    header: Header | None = None
    """None: the columns are always the same."""
    escapes_quotes: bool = True
    r"""Whether AWS escapes a quote inside a value in quotes (`\\x22`, `\\"`)."""
    json_names: Mapping[str, str | Column] = field(default_factory=dict)
    """Names of JSON members → the column's name; or a column of that name that takes the place of
    it, where JSON has the value in another form."""

    def with_columns(self, names: tuple[str, ...]) -> "TextFormat":
        """Give this format with other columns for lines without a header."""
        header = replace(self.header, default=names) if self.header else None
        return replace(self, header=header)

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
