"""ZIP archives of one file, read as a stream: what names their files stands at their end.

https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from servicelogs.errors import UnreadableObject
from servicelogs.sources.feed import Feed

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""A file, or the end of an archive without one."""
PIECE_SIZE = 256 * 1024

_FILE, _END = b"PK\x03\x04", (b"PK\x01\x02", b"PK\x05\x06")
_HEADER = struct.Struct("<4sHHHHHLLLHH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZE_FOLLOWS = 1, 8
_DESCRIPTOR = b"PK\x07\x08"
_OF_ZIP64 = 0xFFFFFFFF


class _File(NamedTuple):
    flags: int
    method: int
    checksum: int
    size: int
    name: bytes

    @property
    def is_folder(self) -> bool:
        return self.name.endswith(b"/")


def unzip(feed: Feed) -> Iterator[bytes]:
    """Yield the text of the one file in an archive."""
    found = False
    while feed.peek(len(_FILE)) == _FILE:
        file = _header(feed)
        if found and not file.is_folder:
            raise UnreadableObject(
                "the ZIP archive holds more than one file, and only the first is read: deliver "
                "one file an object"
            )
        found = found or not file.is_folder
        yield from _text(file, feed)
    if not feed.peek(len(_FILE)).startswith(_END):
        raise UnreadableObject("the ZIP archive is truncated or corrupt behind its file")


def _header(feed: Feed) -> _File:
    _, _, flags, method, _, _, checksum, size, _, name, extra = _HEADER.unpack(
        _take(feed, _HEADER.size)
    )
    file = _File(flags, method, checksum, size, _take(feed, name + extra)[:name])
    if flags & _ENCRYPTED:
        raise UnreadableObject("the file in the ZIP archive is encrypted")
    if method not in (_STORED, _DEFLATED):
        raise UnreadableObject(
            f"the file in the ZIP archive is compressed with method {method}, not with Deflate"
        )
    if method == _STORED and (flags & _SIZE_FOLLOWS or size == _OF_ZIP64):
        raise UnreadableObject(
            "the file in the ZIP archive is not compressed and its size stands behind it: it "
            "cannot be read as a stream"
        )
    return file


def _text(file: _File, feed: Feed) -> Iterator[bytes]:
    pieces = _stored(feed, file.size) if file.method == _STORED else _inflated(feed)
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if checksum != (_following_checksum(feed) if file.flags & _SIZE_FOLLOWS else file.checksum):
        raise UnreadableObject("the file in the ZIP archive is corrupt: its checksum is another")


def _stored(feed: Feed, size: int) -> Iterator[bytes]:
    while size:
        piece = feed.read()
        if not piece:
            raise UnreadableObject(
                f"the ZIP archive is truncated: {size} bytes of its file are missing"
            )
        feed.give_back(piece[size:])
        yield piece[:size]
        size -= len(piece[:size])


def _inflated(feed: Feed) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    while not inflate.eof:
        piece = inflate.unconsumed_tail or feed.read()
        try:
            text = inflate.decompress(piece, PIECE_SIZE)
        except zlib.error as error:
            raise UnreadableObject(f"the file in the ZIP archive is corrupt: {error}") from error
        if text:
            yield text
        elif not piece and not inflate.eof:
            raise UnreadableObject("the ZIP archive is truncated within its file")
    feed.give_back(inflate.unused_data)


def _following_checksum(feed: Feed) -> int:
    """Read what stands behind a file whose sizes were not known before: of four or eight bytes."""
    if feed.peek(len(_DESCRIPTOR)) == _DESCRIPTOR:
        _take(feed, len(_DESCRIPTOR))
    checksum = int.from_bytes(_take(feed, 4), "little")
    sizes = 8 if feed.peek(8 + 2)[8:] == b"PK" else 16
    _take(feed, sizes)
    return checksum


def _take(feed: Feed, size: int) -> bytes:
    taken = feed.take(size)
    if len(taken) < size:
        raise UnreadableObject("the ZIP archive is truncated within a header")
    return taken
