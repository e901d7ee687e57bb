"""Text logs with a header written as AWS delivers the same records in Parquet."""

import io

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from servicelogs.parsing.text.columns import snake

# https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html; the rest are strings.
INT32 = {
    "version",
    "srcport",
    "dstport",
    "protocol",
    "tcp_flags",
    "traffic_path",
    "encryption_status",
}
INT64 = {
    "packets",
    "bytes",
    "start",
    "end",
    "packets_lost_no_route",
    "packets_lost_blackhole",
    "packets_lost_mtu_exceeded",
    "packets_lost_ttl_expired",
}


def parquet(text: str, row_group_size: int | None = None) -> bytes:
    """Write lines, the first of which (or `#Fields:`) names the columns; `-` becomes null."""
    header, *lines = (line for line in text.splitlines() if not line.startswith("#Version:"))
    names = [snake(name) for name in header.removeprefix("#Fields:").split()]
    separator = "\t" if header.startswith("#") else " "
    columns = zip(*(line.split(separator) for line in lines), strict=True)
    arrays = [_array(name, values) for name, values in zip(names, columns, strict=True)]
    return _file(pyarrow.table(arrays, names=names), row_group_size)


def with_text(data: bytes, text: str, other: str) -> bytes:
    """Write a file anew, with another text in place of one in all of its strings."""
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    for number, field in enumerate(table.schema):
        if pyarrow.types.is_string(field.type):
            replaced = pyarrow.compute.replace_substring(table.column(number), text, other)
            table = table.set_column(number, field, replaced)
    return _file(table)


def _file(table: pyarrow.Table, row_group_size: int | None = None) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, row_group_size=row_group_size, compression="gzip")
    return file.getvalue()


def _array(name: str, values: tuple[str, ...]) -> pyarrow.Array:
    kept = [None if value == "-" else value for value in values]
    if name not in INT32 | INT64:
        return pyarrow.array(kept, pyarrow.string())
    numbers = [None if value is None else int(value) for value in kept]
    return pyarrow.array(numbers, pyarrow.int32() if name in INT32 else pyarrow.int64())
