"""The columns of a log type's Parquet files and of its table, made from the format's declaration.

Columns have AWS's own names in lower case, as the tables in AWS's documentation have them: Athena
knows no capitals, and a file with the table's very names is read by every engine. What a lower-case
name cannot hold is `_`. Fields whose names differ only in capitals (CloudTrail's `eventID` and
`eventId`) share a column. Dots nest, and a list is where the field's path has `[]`, at each level:
a column is a tree with AWS's own shape.

A free-form field is a string of JSON, which Athena's JSON functions read: as a struct its shape
would change from row to row. Another name for the record's time is not a column: `event_time` is.

Beside its own fields a row has those of the frame. The partition's columns are in the path, not in
the file, and a table knows a name once: a field that has the name of one, or of a frame column, is
`logged_<name>` (VPC flow logs write an account and a Region that need not be those of the key).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from servicelogs.lake.published import Order, published_order
from servicelogs.parsing.fields import Field, FieldType
from servicelogs.parsing.format import Format
from servicelogs.parsing.frame import frame_field

if TYPE_CHECKING:
    import pyarrow

PARTITION = ("account_id", "region", "event_day")
"""What the files of a table are kept apart by: strings, in this order."""

EVENT_TIME, EXTRA_FIELDS = "event_time", "extra_fields"

FRAME_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "@timestamp": EVENT_TIME,
        "log.date_adjusted": "date_adjusted",
        "log.source": "log_source",
        "log.record": "log_record",
        "log.group": "log_group",
        "log.stream": "log_stream",
        "log.extracted_fields": "log_extracted_fields",
        "extra_fields": EXTRA_FIELDS,
    }
)
"""What every row has of the frame, and its column. What is the same for a whole table, or says only
how it was indexed, is left out."""

MESSAGE_COLUMNS: Mapping[str, str] = MappingProxyType({"log.continuation": "log_continuation"})
"""What only records have that may go on from one log event to the next."""

Kind = Literal["text", "integer", "long", "float", "boolean", "time", "json"]
"""What a column's values are: `time` in microseconds UTC, `json` any value as JSON text."""

KINDS: Mapping[FieldType, Kind] = MappingProxyType(
    {
        "keyword": "text",
        "text": "text",
        "ip": "text",
        "address": "text",
        "integer": "integer",
        "long": "long",
        "float": "float",
        "timestamp": "time",
        "timestamp_nanos": "time",
        "boolean": "boolean",
        "flat_object": "json",
        "stored": "json",
    }
)

HIVE_TYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "text": "string",
        "integer": "int",
        "long": "bigint",
        "float": "double",
        "boolean": "boolean",
        "time": "timestamp",
        "json": "string",
    }
)

# Glue refuses a longer comment.
LONGEST_COMMENT = 255


@dataclass(frozen=True, slots=True)
class LakeColumn:
    """A column, or a member of a struct."""

    name: str
    kind: Kind | None
    """None: a struct of `members`."""
    many: bool
    """It is a list of these."""
    paths: tuple[str, ...]
    """What the value is called in what holds it: in a document, or in the object that the struct
    is. The first that has a value counts. Only those of the frame are dotted."""
    description: str = ""
    date_format: str = ""
    """Of a `time`: `epoch_second`, `epoch_millis`; empty: ISO 8601."""
    members: tuple[LakeColumn, ...] = ()

    def hive_type(self) -> str:
        """Write its type as Hive does."""
        if self.kind:
            one = HIVE_TYPES[self.kind]
        else:
            one = f"struct<{','.join(f'{m.name}:{m.hive_type()}' for m in self.members)}>"
        return f"array<{one}>" if self.many else one

    def arrow_type(self) -> pyarrow.DataType:
        """Give its type in a Parquet file."""
        import pyarrow  # only the functions that write Parquet have it

        if self.kind:
            one = arrow_types()[self.kind]
        else:
            one = pyarrow.struct([(m.name, m.arrow_type()) for m in self.members])
        return pyarrow.list_(one) if self.many else one


def arrow_types() -> dict[Kind, pyarrow.DataType]:
    """Give the Arrow type of each kind of value."""
    import pyarrow

    return {
        "text": pyarrow.string(),
        "integer": pyarrow.int32(),
        "long": pyarrow.int64(),
        "float": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "json": pyarrow.string(),
    }


def columns(log_format: Format) -> tuple[LakeColumn, ...]:
    """Give the columns of a log type's files, in order."""
    named = frame_columns(log_format)
    time, *frame = (_frame_column(path, name) for path, name in named.items())
    fields = [field for field in log_format.fields if not field.alias_of]
    own = _columns([(field.path.split("."), field) for field in fields])
    taken = {*PARTITION, *named.values()}
    declared = (
        replace(time, description=_of_time(time, log_format)),
        *(_out_of_the_way(column, taken) for column in own),
        *frame,
    )
    return _in_order(declared, published_order(log_format.name))


def frame_columns(log_format: Format) -> Mapping[str, str]:
    """Give what the rows of a log type have of the frame, and its column."""
    of_messages = MESSAGE_COLUMNS if log_format.kind == "messages" else {}
    return {**FRAME_COLUMNS, **of_messages}


def arrow_schema(log_format: Format) -> pyarrow.Schema:
    """Give the schema of a log type's Parquet files."""
    import pyarrow

    return pyarrow.schema([(column.name, column.arrow_type()) for column in columns(log_format)])


def glue_columns(log_format: Format) -> list[dict[str, str]]:
    """Give the columns of a log type's table as Glue's API takes them (StorageDescriptor)."""
    return as_glue_columns(columns(log_format))


def as_glue_columns(columns: Iterable[LakeColumn]) -> list[dict[str, str]]:
    """Write columns as Glue's API takes them."""
    return [
        {
            "Name": column.name,
            "Type": column.hive_type(),
            "Comment": column.description[:LONGEST_COMMENT],
        }
        for column in columns
    ]


def partition_keys() -> list[dict[str, str]]:
    """Give the partition's columns as Glue's API takes them (PartitionKeys)."""
    return [{"Name": name, "Type": "string"} for name in PARTITION]


def column_name(name: str) -> str:
    """Write a field's name, or a part of it between dots, as a column's."""
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")


def _frame_column(path: str, name: str) -> LakeColumn:
    field = frame_field(path)
    return LakeColumn(name, KINDS[field.type], field.many, (path,), field.description)


def _of_time(time: LakeColumn, log_format: Format) -> str:
    """Describe the record's time, with the names that AWS has for it."""
    also = [field.name for field in log_format.fields if field.alias_of in time.paths]
    return f"{time.description}; in AWS's {', '.join(also)}" if also else time.description


def _out_of_the_way(column: LakeColumn, taken: Collection[str]) -> LakeColumn:
    return replace(column, name=f"logged_{column.name}") if column.name in taken else column


def _in_order(found: Collection[LakeColumn], order: Order) -> tuple[LakeColumn, ...]:
    """Put what was published where it was, at each level, and what is new behind it."""
    ranks = {name: rank for rank, name in enumerate(order)}
    return tuple(
        replace(column, members=_in_order(column.members, order.get(column.name, {})))
        for column in sorted(found, key=lambda column: ranks.get(column.name, len(ranks)))
    )


def _columns(fields: Sequence[tuple[list[str], Field]]) -> Iterator[LakeColumn]:
    """Make the columns of one level, from fields with what is left of their paths' parts."""
    groups: dict[str, list[tuple[list[str], Field]]] = {}
    for parts, field in fields:
        groups.setdefault(column_name(parts[0]), []).append((parts, field))
    for name, group in groups.items():
        heads = [*dict.fromkeys(parts[0] for parts, _ in group)]
        paths = tuple(head.removesuffix("[]") for head in heads)
        inner = [(rest, field) for (_, *rest), field in group]
        kinds = {(KINDS[f.type], f.date_format) for rest, f in inner if not rest} | {
            (None, head) for head in heads if any(rest for rest, _ in inner)
        }
        if len(kinds) > 1 or len({head.endswith("[]") for head in heads}) > 1:
            raise ValueError(
                f"{' and '.join(heads)} cannot share the column {name!r}: types differ"
            )
        ((kind, date_format),) = kinds
        many = heads[0].endswith("[]")
        if kind is None:
            yield LakeColumn(name, None, many, paths, members=tuple(_columns(inner)))
        else:
            yield LakeColumn(name, kind, many, paths, group[0][1].description, date_format)
