"""What somebody would write to have one object's records in Parquet, by polars or DuckDB.

They have the lake's columns, under AWS's names, and sort them by time into one file in memory or on
disk, compressed as the lake's. They check nothing, know one layout, reject nothing, and keep
neither what is unknown nor where a record is from: so they do less than ours.
"""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import msgspec
from isal import igzip

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read at the import: CPU time is of all threads
import polars
from polars import DataFrame, Expr, col

from servicelogs.formats import get
from servicelogs.lake.parquet_files import LEVEL
from servicelogs.lake.schema import KINDS, Kind, LakeColumn, columns
from servicelogs.parsing.frame import PROMOTED
from servicelogs.parsing.json.format import JsonFormat
from servicelogs.parsing.text.columns import snake
from servicelogs.parsing.text.format import TextFormat

type Script = Callable[[str, bytes], int]
"""Makes a file of a compressed object; returns how many rows it has."""

JSON_TIMES = {"cloudtrail": "eventTime", "waf": "timestamp"}
"""The JSON types that have a script, and which member is a record's time."""

_NUMBERS: dict[Kind, type[polars.DataType]] = {
    "integer": polars.Int32,
    "long": polars.Int64,
    "float": polars.Float64,
}
_DUCKDB_TYPES: dict[Kind, str] = {
    "integer": "integer",
    "long": "bigint",
    "float": "double",
    "boolean": "boolean",
}
_REQUEST = (
    r"^(?P<request_verb>[^ ]+) (?P<request_url>[a-zA-Z][a-zA-Z0-9+.-]*://"
    r"(?P<request_host>\[[0-9a-fA-F:.]*\]|[^\]/:?\[ ]+):(?P<request_port>\d+)"
    r"(?P<request_path>/[^? ]*)(?:\?(?P<request_query>[^ ]*))?) (?P<request_proto>[^ ]+)$"
)


def polars_text(name: str, data: bytes) -> int:
    """Make a file of a text type by polars."""
    frame = _SHAPED[name](_words(name, igzip.decompress(data)))
    return _write(frame.sort("event_time"))


def polars_json(name: str, data: bytes) -> int:
    """Make a file of a JSON type by polars."""
    schema = {one.paths[0]: _polars_type(one) for one in _own_columns(name)}
    time = JSON_TIMES[name]
    frame = polars.read_ndjson(_record_lines(name, data), schema=schema)
    if schema[time] == polars.String:
        event_time = col(time).str.to_datetime(time_unit="us", time_zone="UTC")
    else:
        event_time = polars.from_epoch(time, "ms")
    return _write(frame.with_columns(event_time=event_time).sort("event_time"))


def duckdb_json(name: str, data: bytes) -> int:
    """Make a file of a JSON type by DuckDB."""
    types = {one.paths[0]: _duckdb_type(one) for one in _own_columns(name)}
    shape = ", ".join(f"'{path}': '{type_}'" for path, type_ in types.items())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        lines, file = Path(folder, "lines"), Path(folder, "file")
        lines.write_bytes(_record_lines(name, data))
        connection.execute("set threads = 1")
        written = connection.execute(
            f"copy (select * from read_json('{lines}', format = 'newline_delimited',"
            f" columns = {{{shape}}}) order by {JSON_TIMES[name]})"
            f" to '{file}' (format parquet, compression zstd, compression_level {LEVEL})"
        ).fetchone()
    return int(written[0]) if written else 0


def _write(frame: DataFrame) -> int:
    frame.write_parquet(io.BytesIO(), compression="zstd", compression_level=LEVEL)
    return frame.height


def _words(name: str, text: bytes) -> DataFrame:
    log_format = get(name)
    assert isinstance(log_format, TextFormat)
    kinds = {field.name: KINDS[field.type] for field in log_format.fields}
    names = (
        log_format.header.default
        if log_format.header
        else [column.name for column in log_format.columns]
    )
    schema = {one: _NUMBERS.get(kinds.get(snake(one), "text"), polars.String) for one in names}
    return polars.read_csv(
        text,
        has_header=False,
        skip_lines=_HEADER_LINES.get(name, 0),
        separator=log_format.separator,
        schema=schema | {one: polars.Int64 for one in ("start", "end") if one in schema},
        quote_char=None if log_format.header else '"',
        null_values=["-"],
        truncate_ragged_lines=True,
    )


def _alb(frame: DataFrame) -> DataFrame:
    def endpoint(name: str) -> Expr:
        parts = col(name).str.splitn(":", 2)
        return parts.struct.rename_fields([f"{name}_ip", f"{name}_port"])

    seconds = ("request_processing_time", "target_processing_time", "response_processing_time")
    return (
        frame.with_columns(
            _iso("time").alias("event_time"),
            _iso("request_creation_time"),
            endpoint("client"),
            endpoint("target"),
            col("request").str.extract_groups(_REQUEST),
            col("actions_executed").str.split(","),
            col("target_port_list").str.split(" "),
            col("target_status_code_list").str.split(" "),
            *(polars.when(col(one) >= 0).then(col(one)).alias(one) for one in seconds),
        )
        .unnest("client", "target", "request")
        .with_columns(col("client_port", "target_port", "request_port").cast(polars.Int32))
    )


def _cloudfront(frame: DataFrame) -> DataFrame:
    percent_encoded = (
        "cs(User-Agent)",
        "cs(Referer)",
        "cs-uri-query",
        "sc-content-type",
        "x-host-header",
    )
    when = col("date") + "T" + col("time")
    return frame.with_columns(
        when.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", time_zone="UTC").alias(
            "event_time"
        ),
        *map(_decoded, percent_encoded),
        col("x-forwarded-for").str.split("%2C"),
    )


def _vpc_flow(frame: DataFrame) -> DataFrame:
    return frame.with_columns(_from_seconds("start").alias("event_time"), _from_seconds("end"))


def _iso(name: str) -> Expr:
    return col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")


def _from_seconds(name: str) -> Expr:
    seconds = polars.from_epoch(col(name), "s")
    return seconds.dt.cast_time_unit("us").dt.replace_time_zone("UTC")


def _decoded(name: str) -> Expr:
    """Decode what is encoded most often: polars has nothing for the rest."""
    once = col(name).str.replace_all("%20", " ", literal=True)
    return once.str.replace_all("%2520", "%20", literal=True)


_SHAPED: dict[str, Callable[[DataFrame], DataFrame]] = {
    "alb": _alb,
    "cloudfront": _cloudfront,
    "vpc_flow": _vpc_flow,
}
_HEADER_LINES = {"cloudfront": 2, "vpc_flow": 1}

POLARS: dict[str, Script] = dict.fromkeys(_SHAPED, polars_text) | dict.fromkeys(
    JSON_TIMES, polars_json
)
DUCKDB: dict[str, Script] = dict.fromkeys(JSON_TIMES, duckdb_json)


def _own_columns(name: str) -> Iterator[LakeColumn]:
    """Give the columns that records have: none of the frame, none whose values are promoted."""
    log_format = get(name)
    declared = {field.path.split(".")[0].removesuffix("[]") for field in log_format.fields}
    for column in columns(log_format):
        if column.paths[0] in declared and column.paths[0] != PROMOTED:
            yield column


def _record_lines(name: str, data: bytes) -> bytes:
    """Cut an object to a line a record: neither has a way to read a list as rows alone."""
    log_format = get(name)
    assert isinstance(log_format, JsonFormat)
    text = igzip.decompress(data)
    if not log_format.array:
        # AWS writes it as a text, and one value of another type fails DuckDB's whole file.
        return text.replace(b'"evaluationWindowSec":"60"', b'"evaluationWindowSec":60')
    records = msgspec.json.decode(text, type=dict[str, msgspec.Raw])[log_format.array]
    return b"\n".join(map(bytes, msgspec.json.decode(records, type=list[msgspec.Raw])))


def _polars_type(column: LakeColumn) -> polars.DataType | type[polars.DataType]:
    one: polars.DataType | type[polars.DataType] = polars.String
    if column.members:
        one = polars.Struct({member.paths[0]: _polars_type(member) for member in column.members})
    elif column.kind == "boolean":
        one = polars.Boolean
    elif column.kind == "time" and column.date_format:
        one = polars.Int64
    elif column.kind in _NUMBERS:
        one = _NUMBERS[column.kind]
    return polars.List(one) if column.many else one


def _duckdb_type(column: LakeColumn) -> str:
    if column.members:
        members = ", ".join(f'"{one.paths[0]}" {_duckdb_type(one)}' for one in column.members)
        one = f"struct({members})"
    elif column.kind == "time":
        one = "bigint" if column.date_format else "timestamp"
    else:
        one = _DUCKDB_TYPES.get(column.kind or "text", "varchar")
    return f"{one}[]" if column.many else one
