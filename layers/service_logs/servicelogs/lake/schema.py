"""The columns of a log type's Parquet files and of its table, made from the format's declaration.

Columns have AWS's own names in lower case, as the tables in AWS's documentation have them: Athena
knows no capitals, and a file with the table's very names is read by every engine. What a lower-case
name cannot hold is `_`. Fields whose names differ only in capitals (CloudTrail's `eventID` and
`eventId`) share a column. Dots nest: a struct, or a list of structs where every field below is a
list (`resources.ARN`).

A free-form field is a string of JSON, which Athena's JSON functions read: as a struct its shape
would change from row to row.

Beside its own fields a row has the columns of FRAME. The partition's columns are in the path, not
in the file, and a table knows a name once: a field that has the name of one, or of a frame column,
is `logged_<name>` (VPC flow logs write an account and a Region that need not be those of the key).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from servicelogs.parsing.fields import Field, FieldType
from servicelogs.parsing.format import Format

if TYPE_CHECKING:
    import pyarrow

PARTITION = ("account_id", "region", "event_day")
"""What the files of a table are kept apart by: strings, in this order."""

FRAME: tuple[Field, ...] = (
    Field("event_time", "timestamp", "when it happened, UTC; the same column in every table"),
    Field("date_adjusted", "boolean", "the day is the delivery's: the record's own cannot be true"),
    Field("log_source", "keyword", "where the record comes from: s3://bucket/key"),
    Field("log_record", "long", "the record's number there, from 1"),
    Field("extra_fields", "flat_object", "what AWS writes and this version does not know"),
)
"""What every row has: the time first, the rest behind the record's own fields."""

FRAME_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "event_time": "@timestamp",
        "date_adjusted": "log.date_adjusted",
        "log_source": "log.source",
        "log_record": "log.record",
    }
)
"""Where a document has what a frame column holds; else under the column's own name."""

HIVE_TYPES: Mapping[FieldType, str] = MappingProxyType(
    {
        "keyword": "string",
        "ip": "string",
        "address": "string",
        "integer": "int",
        "long": "bigint",
        "float": "double",
        "timestamp": "timestamp",
        "boolean": "boolean",
        "flat_object": "string",
    }
)

# Glue refuses a longer comment.
LONGEST_COMMENT = 255


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or a member of a struct."""

    name: str
    type: FieldType | None
    """None: a struct of `members`."""
    many: bool
    paths: tuple[str, ...]
    """The dotted names in a document where its value is: the first that is there counts."""
    description: str = ""
    members: tuple[Column, ...] = ()

    def hive_type(self) -> str:
        """Write its type as Hive does."""
        if self.type:
            one = HIVE_TYPES[self.type]
        else:
            one = f"struct<{','.join(f'{m.name}:{m.hive_type()}' for m in self.members)}>"
        return f"array<{one}>" if self.many else one

    def arrow_type(self) -> pyarrow.DataType:
        """Give its type in a Parquet file."""
        import pyarrow  # only the functions that write Parquet have it

        if self.type:
            one = arrow_types()[self.type]
        else:
            one = pyarrow.struct([(m.name, m.arrow_type()) for m in self.members])
        return pyarrow.list_(one) if self.many else one


def arrow_types() -> dict[FieldType, pyarrow.DataType]:
    """Give the Arrow type of each type a field may have."""
    import pyarrow

    text = pyarrow.string()
    return {
        "keyword": text,
        "ip": text,
        "address": text,
        "integer": pyarrow.int32(),
        "long": pyarrow.int64(),
        "float": pyarrow.float64(),
        "timestamp": pyarrow.timestamp("us", tz="UTC"),
        "boolean": pyarrow.bool_(),
        "flat_object": text,
    }


def columns(log_format: Format) -> tuple[Column, ...]:
    """Give the columns of a log type's files, in order."""
    time, *rest = (_frame_column(field) for field in FRAME)
    own = _columns([(field.name.split("."), field) for field in log_format.fields], above="")
    taken = {*PARTITION, *(field.name for field in FRAME)}
    return (time, *(_out_of_the_way(column, taken) for column in own), *rest)


def arrow_schema(log_format: Format) -> pyarrow.Schema:
    """Give the schema of a log type's Parquet files."""
    import pyarrow

    return pyarrow.schema([(column.name, column.arrow_type()) for column in columns(log_format)])


def glue_columns(log_format: Format) -> list[dict[str, str]]:
    """Give the columns of a log type's table as Glue's API takes them (StorageDescriptor)."""
    return [
        {
            "Name": column.name,
            "Type": column.hive_type(),
            "Comment": column.description[:LONGEST_COMMENT],
        }
        for column in columns(log_format)
    ]


def partition_keys() -> list[dict[str, str]]:
    """Give the partition's columns as Glue's API takes them (PartitionKeys)."""
    return [{"Name": name, "Type": "string"} for name in PARTITION]


def column_name(name: str) -> str:
    """Write a field's name, or a part of it between dots, as a column's."""
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")


def _frame_column(field: Field) -> Column:
    path = FRAME_PATHS.get(field.name, field.name)
    return Column(field.name, field.type, many=False, paths=(path,), description=field.description)


def _out_of_the_way(column: Column, taken: Iterable[str]) -> Column:
    return replace(column, name=f"logged_{column.name}") if column.name in taken else column


def _columns(fields: Sequence[tuple[list[str], Field]], above: str) -> Iterator[Column]:
    """Make the columns of one level, from fields with what is left of their names' parts."""
    groups: dict[str, list[tuple[list[str], Field]]] = {}
    for parts, field in fields:
        groups.setdefault(column_name(parts[0]), []).append((parts, field))
    for name, group in groups.items():
        paths = tuple(dict.fromkeys(f.alias_of or f"{above}{parts[0]}" for parts, f in group))
        yield _struct(name, group, paths) if len(group[0][0]) > 1 else _leaf(name, group, paths)


def _leaf(name: str, group: list[tuple[list[str], Field]], paths: tuple[str, ...]) -> Column:
    kinds = {(len(parts), field.type, field.many) for parts, field in group}
    if len(kinds) > 1:
        raise ValueError(f"{' and '.join(paths)} cannot share the column {name!r}: types differ")
    field = group[0][1]
    return Column(name, field.type, field.many, paths, field.description)


def _struct(name: str, group: list[tuple[list[str], Field]], paths: tuple[str, ...]) -> Column:
    if len(paths) > 1 or any(len(parts) == 1 for parts, _ in group):
        raise ValueError(f"{' and '.join(paths)} cannot share the column {name!r}")
    many = all(field.many for _, field in group)
    if many:
        # The list is here: below it are single values, and paths begin anew at each element.
        inner = [(parts[1:], replace(field, many=False)) for parts, field in group]
        return Column(name, None, many, paths, members=tuple(_columns(inner, above="")))
    inner = [(parts[1:], field) for parts, field in group]
    return Column(name, None, many, paths, members=tuple(_columns(inner, above=f"{paths[0]}.")))
