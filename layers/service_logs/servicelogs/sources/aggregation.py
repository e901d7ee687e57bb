"""Records that the Kinesis Producer Library has put together in one of a stream, taken apart again.

Four bytes, a protocol buffer, and its MD5:
https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
"""

import hashlib
from collections.abc import Iterator

from servicelogs.errors import UnreadableObject

MAGIC = b"\xf3\x89\x9a\xc2"

_DIGEST_BYTES = 16
_RECORDS, _DATA = 3, 3
"""The numbers of the field with a record, and of the field in it with its data."""
_VARINT, _FIXED_64, _DELIMITED, _FIXED_32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10


def is_aggregated(data: bytes) -> bool:
    """Say whether the data of a record is that of several."""
    return data.startswith(MAGIC)


def taken_apart(data: bytes) -> list[bytes]:
    """Give the data of each record; an UnreadableObject if the checksum is not theirs."""
    text, digest = data[len(MAGIC) : -_DIGEST_BYTES], data[-_DIGEST_BYTES:]
    if hashlib.md5(text, usedforsecurity=False).digest() != digest:
        raise UnreadableObject("the aggregated record is corrupt: its checksum is another")
    return [
        b"".join(of_data for field, of_data in _fields(record) if field == _DATA)
        for number, record in _fields(text)
        if number == _RECORDS
    ]


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the fields of a protocol buffer that have a length, and their numbers."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        match tag & 7:
            case kind if kind == _DELIMITED:
                size, at = _varint(message, at)
                yield tag >> 3, message[at : at + size]
                at += size
            case kind if kind == _VARINT:
                _, at = _varint(message, at)
            case kind if kind == _FIXED_64:
                at += 8
            case kind if kind == _FIXED_32:
                at += 4
            case kind:
                raise UnreadableObject(f"the aggregated record has a field of an odd type: {kind}")
    if at > end:
        raise UnreadableObject("the aggregated record is truncated")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; give it and where it ends."""
    value = 0
    for place in range(_MOST_VARINT_BYTES):
        if at + place >= len(message):
            break
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise UnreadableObject("the aggregated record is truncated")
