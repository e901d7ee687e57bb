"""Summaries: what the records of a minute come to, in a table of their own beside the details.

A format's declaration says by which fields they are counted, and which are added up. There are sums
and counts, of which a query makes averages over any time; a value that is missing is in neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from servicelogs.lake.schema import Kind, LakeColumn, as_glue_columns, columns
from servicelogs.parsing.format import Format

MINUTE, RECORDS = "minute", "records"


@dataclass(frozen=True, slots=True)
class Summarized:
    """A column of the details that the summary is made of."""

    names: tuple[str, ...]
    """Its name, and those of members of structs in it."""
    column: LakeColumn

    @property
    def name(self) -> str:
        """Its name in the summary."""
        return "_".join(self.names)


def dimensions(log_format: Format) -> list[Summarized]:
    """Give the columns by which records are counted apart."""
    return _summarized(log_format, log_format.summary.by) if log_format.summary else []


def measures(log_format: Format) -> list[Summarized]:
    """Give the columns that are added up."""
    return _summarized(log_format, log_format.summary.sums) if log_format.summary else []


def summary_columns(log_format: Format) -> tuple[LakeColumn, ...]:
    """Give the columns of a log type's summary, in order; none if it has none."""
    if not log_format.summary:
        return ()
    return (
        _column(MINUTE, "time", "the minute that begins then"),
        *(_dimension(found) for found in dimensions(log_format)),
        _column(RECORDS, "long", "how many records it has"),
        *(column for found in measures(log_format) for column in _sum_and_count(found)),
    )


def glue_columns_of_summary(log_format: Format) -> list[dict[str, str]]:
    """Give the columns of a log type's summary as Glue's API takes them; none if it has none."""
    return as_glue_columns(summary_columns(log_format))


def _column(name: str, kind: Kind | None, description: str) -> LakeColumn:
    return LakeColumn(name, kind, many=False, paths=(), description=description)


def _dimension(found: Summarized) -> LakeColumn:
    return _column(found.name, found.column.kind, found.column.description)


def _sum_and_count(found: Summarized) -> Iterator[LakeColumn]:
    of = found.column.description
    yield _column(f"{found.name}_sum", "float" if found.column.kind == "float" else "long", of)
    yield _column(f"{found.name}_count", "long", f"how many of the records have {found.name}")


def _summarized(log_format: Format, fields: Sequence[str]) -> list[Summarized]:
    every = columns(log_format)
    return [_find(every, name.split("."), name) for name in fields]


def _find(
    among: Sequence[LakeColumn], parts: Sequence[str], field: str, above: tuple[str, ...] = ()
) -> Summarized:
    first, *rest = parts
    for column in among:
        if first in column.paths and not column.many and bool(column.members) == bool(rest):
            names = (*above, column.name)
            return _find(column.members, rest, field, names) if rest else Summarized(names, column)
    raise ValueError(f"there is no column of {field} that a summary could have")
