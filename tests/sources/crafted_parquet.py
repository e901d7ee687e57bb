"""Parquet files of one column that say what no writer says, a few hundred bytes each.

Their structs are written as https://github.com/apache/parquet-format numbers them.
"""

from dataclasses import dataclass, field

INT32, BYTE_ARRAY = 1, 6
PLAIN, DICTIONARY, DELTA_LENGTHS, DELTA_BYTES = 0, 8, 6, 7
I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12

type Field = tuple[int, int, bytes]


def varint(number: int) -> bytes:
    text = b""
    while number > 127:
        text += bytes([number & 127 | 128])
        number >>= 7
    return text + bytes([number])


def i32(number: int, value: int) -> Field:
    return number, I32, varint((value << 1 ^ value >> 63) & (2**64 - 1))


def i64(number: int, value: int) -> Field:
    return number, I64, i32(number, value)[2]


def binary(number: int, value: bytes) -> Field:
    return number, BINARY, varint(len(value)) + value


def struct(number: int, *fields: Field) -> Field:
    return number, STRUCT, written(*fields)


def list_of(number: int, items: list[bytes], kind: int = STRUCT, claimed: int = 0) -> Field:
    head = bytes([0xF0 | kind]) + varint(claimed or len(items))
    return number, LIST, head + b"".join(items)


def written(*fields: Field) -> bytes:
    """Write a struct, each field's number in full."""
    return (
        b"".join(bytes([kind]) + varint(number << 1) + value for number, kind, value in fields)
        + b"\0"
    )


def data_page(
    body: bytes, values: int, encoding: int = PLAIN, size: int | None = None, *more: Field
) -> bytes:
    own = struct(5, i32(1, values), i32(2, encoding), i32(3, 3), i32(4, 3))
    size = len(body) if size is None else size
    return written(i32(1, 0), i32(2, size), i32(3, len(body)), own, *more) + body


def dictionary_page(body: bytes, values: int) -> bytes:
    own = struct(7, i32(1, values), i32(2, PLAIN))
    return written(i32(1, 2), i32(2, len(body)), i32(3, len(body)), own) + body


def text(value: bytes) -> bytes:
    return len(value).to_bytes(4, "little") + value


def deltas(count: int) -> bytes:
    """Write numbers that are all 0; more than so many of them are not there."""
    return varint(128) + varint(4) + varint(count) + b"\0" + b"\0" * 5


@dataclass
class Group:
    """A row group of one column, and what is said of it."""

    pages: bytes
    rows: int
    values: int | None = None
    columns: list[bytes] = field(default_factory=list)
    """Written instead of the column's own description."""


def crafted(
    *groups: Group,
    kind: int = BYTE_ARRAY,
    rows: int | None = None,
    columns: int = 1,
    claimed_columns: int = 0,
    codec: int = 0,
) -> bytes:
    """Write a file; of several columns all are in the same place."""
    data, row_groups = b"PAR1", []
    names = [b"interface_id", *(b"more_%d" % at for at in range(2, columns + 1))][:columns]
    for group in groups:
        values = group.rows if group.values is None else group.values
        of_each = [
            i64(6, len(group.pages)),
            i64(7, len(group.pages)),
            i64(9, len(data)),
        ]
        chunks = group.columns or [
            written(
                i64(2, len(data)),
                struct(
                    3,
                    i32(1, kind),
                    list_of(2, [b"\0"], I32),
                    list_of(3, [varint(len(name)) + name], BINARY),
                    i32(4, codec),
                    i64(5, values),
                    *of_each,
                ),
            )
            for name in names
        ]
        row_groups.append(
            written(
                list_of(1, chunks, claimed=claimed_columns),
                i64(2, len(group.pages)),
                i64(3, group.rows),
            )
        )
        data += group.pages
    schema = [
        written(binary(4, b"root"), i32(5, len(names))),
        *(written(i32(1, kind), i32(3, 0), binary(4, name)) for name in names),
    ]
    total = sum(group.rows for group in groups) if rows is None else rows
    return _file(data, list_of(2, schema), i64(3, total), list_of(4, row_groups))


def _file(data: bytes, *fields: Field) -> bytes:
    footer = written(i32(1, 1), *fields)
    return data + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def nested(levels: int) -> bytes:
    """Write a file without rows whose one column is in so many others."""
    schema = [written(binary(4, b"a"), i32(5, 1))] * levels
    schema.append(written(i32(1, INT32), binary(4, b"leaf")))
    return _file(b"PAR1", list_of(2, schema), i64(3, 0), list_of(4, []))
