"""Request bodies that are compressed piece by piece, as they are gathered.

A piece is compressed while it is in the processor's cache, and kept so: that takes a tenth of the
memory, and the text can be had back when one of its documents was refused.
"""

import zlib
from collections.abc import Iterable
from typing import NamedTuple

from isal import isal_zlib

LEVEL = 1
"""Higher levels of igzip make bodies hardly smaller."""

_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_LAST_BLOCK = b"\x03\0"


class Gzip(bytes):
    """A body that is compressed already."""

    __slots__ = ()


class Packed(NamedTuple):
    """A compressed piece of a body: blocks of deflate that refer to nothing before them."""

    data: bytes
    size: int
    """Of the text, in bytes."""
    before: int
    """The checksum (CRC-32) of all text before it, in the body for which it was packed."""
    after: int
    """The same with its own text."""

    def text(self) -> bytes:
        """Give the text back."""
        return isal_zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(self.data)


class Packer:
    """Compresses the pieces of one body."""

    def __init__(self) -> None:
        self._deflate = isal_zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS)
        self._checksum = 0

    def pack(self, text: bytes | bytearray) -> Packed:
        """Compress the next piece."""
        data = self._deflate.compress(text) + self._deflate.flush(isal_zlib.Z_FULL_FLUSH)
        before, self._checksum = self._checksum, isal_zlib.crc32(text, self._checksum)
        return Packed(data, len(text), before, self._checksum)


def gzipped(pieces: Iterable[Packed]) -> Gzip:
    """Give the body of these pieces, whatever bodies they were packed for."""
    found = [_HEADER]
    checksum = size = 0
    for piece in pieces:
        follows = piece.before == checksum
        checksum = piece.after if follows else isal_zlib.crc32(piece.text(), checksum)
        size += piece.size
        found.append(piece.data)
    found += [_LAST_BLOCK, checksum.to_bytes(4, "little"), size.to_bytes(4, "little")]
    return Gzip(b"".join(found))
