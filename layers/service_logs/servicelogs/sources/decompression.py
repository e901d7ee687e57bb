"""From an object's bytes, however they are compressed, to text in bounded memory."""

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple, NoReturn, Protocol

from isal import igzip_lib
from zstandard import ZstdDecompressor, ZstdError

from servicelogs.errors import ParquetFile, UnreadableObject

READ_SIZE = 128 * 1024
# Larger pieces are not faster (measured), and a bad gzip member loses at most one of them.
PIECE_SIZE = 256 * 1024
LEAST_PIECE_SIZE = 64 * 1024
# How much of a gzip member is kept to read it again, slowly, when it turns out to be corrupt.
SALVAGE_SIZE = 8 * 1024 * 1024
# Four bytes of zstd can stand for 128 KiB of text, so that small bites bound the output of one.
ZSTD_BITE = 512
ZSTD_LARGEST_WINDOW = 128 * 1024 * 1024

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE_MAGIC = tuple(bytes([0x50 + i]) + b"\x2a\x4d\x18" for i in range(16))
# igzip loses its way in a header with several optional fields that comes in several pieces.
GZIP_HEADER_SIZE = 1024
PARQUET_MAGIC = b"PAR1"


class Readable(Protocol):
    """Whatever gives bytes: an S3 object's body, a file, standard input."""

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes; none at the end."""
        ...


class Begun(NamedTuple):
    """A text whose beginning was read, by which its type may be identified."""

    start: bytes
    """At least as many bytes as were asked for, unless the text has no more."""
    chunks: Generator[bytes]
    """The whole text, the beginning included; it ends in the fault, if there was one."""
    fault: UnreadableObject | None
    """What is wrong with the bytes, where that was met in the beginning."""


type TextOfParquet = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Makes text of a Parquet file's bytes."""


def not_read_here(_pieces: Iterator[bytes], _start: int = 1) -> NoReturn:
    """Refuse a Parquet file: reading one needs a library that is not everywhere."""
    raise ParquetFile("the object is a Parquet file, which only index_parquet_logs reads")


def begin(stream: Readable, size: int, text_of_parquet: TextOfParquet = not_read_here) -> Begun:
    """Read so many bytes of a stream's text, and keep them in line before the rest."""
    pieces: list[bytes] = []
    rest: Iterator[bytes] = iter(())
    fault = None
    try:
        rest = decompressed(stream, text_of_parquet)
        for piece in rest:
            pieces.append(piece)
            if sum(map(len, pieces)) >= size:
                break
    except UnreadableObject as error:
        fault = error
    start = b"".join(pieces)
    return Begun(start, _in_line(start, rest, fault), fault)


def _in_line(
    start: bytes, rest: Iterator[bytes], fault: UnreadableObject | None
) -> Generator[bytes]:
    yield start
    if fault is not None:
        raise fault
    yield from rest


def decompressed(
    stream: Readable, text_of_parquet: TextOfParquet = not_read_here
) -> Iterator[bytes]:
    """Yield the text of a gzip, zstd, Parquet or plain stream; its content decides, not its name.

    A stream that is truncated or corrupt yields what is good of it, then raises UnreadableObject.
    """
    feed = _Feed(stream)
    start = feed.peek(len(ZSTD_MAGIC))
    if start.startswith(GZIP_MAGIC):
        return _gathered(_gunzip(feed))
    if start.startswith((ZSTD_MAGIC, *ZSTD_SKIPPABLE_MAGIC)):
        return _gathered(_unzstd(feed))
    if start.startswith(PARQUET_MAGIC):
        return text_of_parquet(iter(feed.read, b""))
    return iter(feed.read, b"")


class _Feed:
    """A stream that can be looked ahead in, and be given back what was read too far."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ahead = b""

    def read(self) -> bytes:
        piece, self._ahead = self._ahead, b""
        return piece or self._stream.read(READ_SIZE)

    def give_back(self, piece: bytes) -> None:
        self._ahead = piece + self._ahead

    def peek(self, size: int) -> bytes:
        """Look at the next bytes: fewer than `size` only at the end."""
        # A pipe may give fewer bytes than were asked for.
        while len(self._ahead) < size and (piece := self._stream.read(READ_SIZE)):
            self._ahead += piece
        return self._ahead[:size]

    def skip_zeros(self) -> None:
        while piece := self.read():
            if rest := piece.lstrip(b"\0"):
                self.give_back(rest)
                return


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces (of small gzip members, of zstd bites), so that parsing is paid once."""
    small: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            small.append(piece)
            size += len(piece)
            if size >= LEAST_PIECE_SIZE:
                yield b"".join(small) if len(small) > 1 else piece
                small.clear()
                size = 0
    except UnreadableObject:
        if small:
            yield b"".join(small)
        raise
    if small:
        yield b"".join(small)


def _gunzip(feed: _Feed) -> Iterator[bytes]:
    members = 0
    while start := feed.peek(GZIP_HEADER_SIZE):
        if not start.startswith(GZIP_MAGIC):
            raise UnreadableObject(
                f"the object is corrupt: after {members} whole gzip members come bytes that are "
                f"not gzip: {start[:16]!r}"
            )
        yield from _gzip_member(feed)
        members += 1
        # Tape blocks and some copying tools pad a file with zeros (gzip itself skips them).
        feed.skip_zeros()


def _gzip_member(feed: _Feed) -> Iterator[bytes]:
    inflate = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    kept: list[bytes] = []
    taken = given = 0
    while not inflate.eof:
        piece = feed.read() if inflate.needs_input else b""
        if inflate.needs_input and not piece:
            raise UnreadableObject(f"the gzip stream is truncated after {taken} bytes of a member")
        taken += len(piece)
        if taken <= SALVAGE_SIZE:
            kept.append(piece)
        try:
            text = inflate.decompress(piece, PIECE_SIZE)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub says an instance
            if taken <= SALVAGE_SIZE:
                yield from _salvage(kept, given)
            raise UnreadableObject(
                f"the gzip stream is corrupt within {taken} bytes of a member ({error})"
            ) from error
        if text:
            given += len(text)
            yield text
    feed.give_back(inflate.unused_data)


def _salvage(pieces: list[bytes], given: int) -> Iterator[bytes]:
    """Yield what a corrupt gzip member holds before its fault, without what was given already.

    igzip drops the output of the call that meets the fault; zlib, fed byte by byte, drops none.
    """
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    skip = given
    for piece in pieces:
        for position in range(len(piece)):
            try:
                text = inflate.decompress(piece[position : position + 1])
            except zlib.error:
                return
            if len(text) > skip:
                yield text[skip:]
            skip = max(0, skip - len(text))


def _unzstd(feed: _Feed) -> Iterator[bytes]:
    while feed.peek(1):
        yield from _zstd_frame(feed)


def _zstd_frame(feed: _Feed) -> Iterator[bytes]:
    frame = ZstdDecompressor(max_window_size=ZSTD_LARGEST_WINDOW).decompressobj()
    taken = 0
    while piece := feed.read():
        for position in range(0, len(piece), ZSTD_BITE):
            bite = piece[position : position + ZSTD_BITE]
            taken += len(bite)
            try:
                text = frame.decompress(bite)
            except ZstdError as error:
                raise UnreadableObject(
                    f"the zstd stream is corrupt within {taken} bytes of a frame ({error})"
                ) from error
            if text:
                yield text
            if frame.eof:
                feed.give_back(frame.unused_data + piece[position + ZSTD_BITE :])
                return
    raise UnreadableObject(f"the zstd stream is truncated after {taken} bytes of a frame")
