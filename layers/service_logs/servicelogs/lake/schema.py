"""The columns of a log type's Parquet files and of its table, made from the format's declaration.

Columns have AWS's own names in lower case, as the tables in AWS's documentation have them: Athena
knows no capitals, and a file with the table's very names is read by every engine. What a lower-case
name cannot hold is `_`. Fields whose names differ only in capitals (CloudTrail's `eventID` and
`eventId`) share a column. Dots nest: a struct, or a list of structs where every field below is a
list (`resources.ARN`).

A free-form field is a string of JSON, which Athena's JSON functions read: as a struct its shape
would change from row to row.

Beside its own fields a row has those of FRAME_COLUMNS. The partition's columns are in the path, not
in the file, and a table knows a name once: a field that has the name of one, or of a frame column,
is `logged_<name>` (VPC flow logs write an account and a Region that need not be those of the key).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from types import MappingProxyType
from typing import TYPE_CHECKING

from servicelogs.parsing.fields import Field, FieldType
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import frame_field

if TYPE_CHECKING:
    import pyarrow

PARTITION = ("account_id", "region", "event_day")
"""What the files of a table are kept apart by: strings, in this order."""

FRAME_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "@timestamp": "event_time",
        "log.date_adjusted": "date_adjusted",
        "log.source": "log_source",
        "log.record": "log_record",
        "extra_fields": "extra_fields",
    }
)
"""What every row has of the frame, and its column: the time first, the rest behind the record's own
fields. What is the same for a whole table, or says only how it was indexed, is left out."""

HIVE_TYPES: Mapping[FieldType, str] = MappingProxyType(
    {
        "keyword": "string",
        "text": "string",
        "ip": "string",
        "address": "string",
        "integer": "int",
        "long": "bigint",
        "float": "double",
        "timestamp": "timestamp",
        "timestamp_nanos": "timestamp",
        "boolean": "boolean",
        "flat_object": "string",
        "stored": "string",
    }
)

# Glue refuses a longer comment.
LONGEST_COMMENT = 255


@dataclass(frozen=True, slots=True)
class LakeColumn:
    """A column, or a member of a struct."""

    name: str
    type: FieldType | None
    """None: a struct of `members`."""
    many: bool
    paths: tuple[str, ...]
    """The dotted names in a document where its value is: the first that is there counts."""
    description: str = ""
    members: tuple[LakeColumn, ...] = ()

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

    text, time = pyarrow.string(), pyarrow.timestamp("us", tz="UTC")
    return {
        "keyword": text,
        "text": text,
        "ip": text,
        "address": text,
        "integer": pyarrow.int32(),
        "long": pyarrow.int64(),
        "float": pyarrow.float64(),
        "timestamp": time,
        "timestamp_nanos": time,
        "boolean": pyarrow.bool_(),
        "flat_object": text,
        "stored": text,
    }


def columns(log_format: Format) -> tuple[LakeColumn, ...]:
    """Give the columns of a log type's files, in order."""
    time, *rest = starmap(_frame_column, FRAME_COLUMNS.items())
    own = _columns([(field.name.split("."), field) for field in log_format.fields], above="")
    taken = {*PARTITION, *FRAME_COLUMNS.values()}
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


def _frame_column(path: str, name: str) -> LakeColumn:
    field = frame_field(path)
    return LakeColumn(name, field.type, field.many, (path,), field.description)


def _out_of_the_way(column: LakeColumn, taken: Iterable[str]) -> LakeColumn:
    return replace(column, name=f"logged_{column.name}") if column.name in taken else column


def _columns(fields: Sequence[tuple[list[str], Field]], above: str) -> Iterator[LakeColumn]:
    """Make the columns of one level, from fields with what is left of their names' parts."""
    groups: dict[str, list[tuple[list[str], Field]]] = {}
    for parts, field in fields:
        groups.setdefault(column_name(parts[0]), []).append((parts, field))
    for name, group in groups.items():
        paths = tuple(dict.fromkeys(f.alias_of or f"{above}{parts[0]}" for parts, f in group))
        yield _struct(name, group, paths) if len(group[0][0]) > 1 else _leaf(name, group, paths)


def _leaf(name: str, group: list[tuple[list[str], Field]], paths: tuple[str, ...]) -> LakeColumn:
    kinds = {(len(parts), field.type, field.many) for parts, field in group}
    if len(kinds) > 1:
        raise ValueError(f"{' and '.join(paths)} cannot share the column {name!r}: types differ")
    field = group[0][1]
    return LakeColumn(name, field.type, field.many, paths, field.description)


def _struct(name: str, group: list[tuple[list[str], Field]], paths: tuple[str, ...]) -> LakeColumn:
    if len(paths) > 1 or any(len(parts) == 1 for parts, _ in group):
        raise ValueError(f"{' and '.join(paths)} cannot share the column {name!r}")
    many = all(field.many for _, field in group)
    if many:
        # The list is here: below it are single values, and paths begin anew at each element.
        inner = [(parts[1:], replace(field, many=False)) for parts, field in group]
        return LakeColumn(name, None, many, paths, members=tuple(_columns(inner, above="")))
    inner = [(parts[1:], field) for parts, field in group]
    return LakeColumn(name, None, many, paths, members=tuple(_columns(inner, above=f"{paths[0]}.")))
