"""From an object's bytes, however they are compressed, to text in bounded memory."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import NamedTuple, NoReturn, Protocol

from isal import igzip_lib

from servicelogs.errors import ParquetFile, UnreadableObject
from servicelogs.sources.encodings import in_utf_8, is_marked
from servicelogs.sources.feed import Feed
from servicelogs.sources.messages import unwrapped
from servicelogs.sources.unsupported import START_BYTES, what_is_not_read
from servicelogs.sources.zip_archives import ZIP_MAGIC, unzip

READ_SIZE = 128 * 1024
# Larger pieces are not faster (measured), and a bad gzip member loses at most one of them.
PIECE_SIZE = 256 * 1024
LEAST_PIECE_SIZE = 64 * 1024
# Of a small object not more is asked for at once than it may have: to get memory for a whole piece
# takes longer than to inflate it.
LIKELY_RATIO = 16
# How much freed memory malloc keeps follows from the largest piece that was ever freed: twice that
# (mallopt(3), M_MMAP_THRESHOLD). Else the memory of each block comes from the kernel anew, which
# takes a twentieth of all time. The piece itself is never touched: it costs some microseconds.
LARGEST_FREED = 16 * 1024 * 1024
bytes(LARGEST_FREED)
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
BZIP2_MAGIC = b"BZh"
XZ_MAGIC = b"\xfd7zXZ\0"
XZ_MOST_MEMORY = 128 * 1024 * 1024
_ZSTD_MAGICS = (ZSTD_MAGIC, *ZSTD_SKIPPABLE_MAGIC)
_FIRST_BYTES = {
    magic[:1] for magic in (GZIP_MAGIC, *_ZSTD_MAGICS, BZIP2_MAGIC, XZ_MAGIC, *ZIP_MAGIC)
}
# What is compressed more often than this is not a log, but meant to keep its reader busy.
MOST_LAYERS = 3


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


type LookAtTime = Callable[[], None]
"""Raises OutOfTime when it is time to stop."""


def whatever_time() -> None:
    """Read on, whatever time it takes."""


def not_read_here(_pieces: Iterator[bytes], _start: int = 1) -> NoReturn:
    """Refuse a Parquet file: reading one needs a library that is not everywhere."""
    raise ParquetFile("the object is a Parquet file, which only index_parquet_logs reads")


def begin(
    stream: Readable,
    size: int,
    text_of_parquet: TextOfParquet = not_read_here,
    look_at_time: LookAtTime = whatever_time,
) -> Begun:
    """Read so many bytes of a stream's text, and keep them in line before the rest."""
    pieces: list[bytes] = []
    rest: Iterator[bytes] = iter(())
    fault = None
    try:
        rest = decompressed(stream, text_of_parquet, look_at_time)
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
    stream: Readable,
    text_of_parquet: TextOfParquet = not_read_here,
    look_at_time: LookAtTime = whatever_time,
) -> Iterator[bytes]:
    """Yield the text of a compressed, Parquet or plain stream; its content decides, not its name.

    It comes in UTF-8 without a byte order mark, and lines come out of the messages that wrap them.
    A stream that is truncated or corrupt yields what is good of it, then raises UnreadableObject.
    `look_at_time` is called for each piece of each layer, and may raise.
    """
    feed = Feed(iter(partial(stream.read, READ_SIZE), b""), look_at_time)
    for _ in range(MOST_LAYERS):
        start = feed.peek(START_BYTES)
        if not (decompress := _compression(start)):
            break
        feed = Feed(_gathered(decompress(feed)), look_at_time)
    else:
        start = feed.peek(START_BYTES)
    if start.startswith(PARQUET_MAGIC):
        return text_of_parquet(feed)
    if _compression(start):
        raise UnreadableObject(f"it is compressed more than {MOST_LAYERS} times over")
    if is_marked(start):
        return unwrapped(in_utf_8(feed))
    if name := what_is_not_read(start):
        raise UnreadableObject(
            f"it is {name}, which is not read: deliver it plain, or compressed with gzip or zstd"
        )
    return unwrapped(feed)


def _compression(start: bytes) -> Callable[[Feed], Iterator[bytes]] | None:
    """Give what decompresses a stream that begins so, if it is compressed."""
    if start[:1] not in _FIRST_BYTES:
        return None
    if start.startswith(GZIP_MAGIC):
        return _gunzip
    if start.startswith(_ZSTD_MAGICS):
        return _unzstd
    if start.startswith(BZIP2_MAGIC) and start[3:4].isdigit():
        return _unbzip2
    if start.startswith(XZ_MAGIC):
        return _unxz
    return unzip if start.startswith(ZIP_MAGIC) else None


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


def _gunzip(feed: Feed) -> Iterator[bytes]:
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


def _gzip_member(feed: Feed) -> Iterator[bytes]:
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
            text = inflate.decompress(piece, min(PIECE_SIZE, LIKELY_RATIO * taken))
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


def _unzstd(feed: Feed) -> Iterator[bytes]:
    while feed.peek(1):
        yield from _zstd_frame(feed)


def _zstd_frame(feed: Feed) -> Iterator[bytes]:
    from zstandard import ZstdDecompressor, ZstdError  # late: large, and few objects need it

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
            for start in range(0, len(text), PIECE_SIZE):
                yield text[start : start + PIECE_SIZE]
            if frame.eof:
                feed.give_back(frame.unused_data + piece[position + ZSTD_BITE :])
                return
    raise UnreadableObject(f"the zstd stream is truncated after {taken} bytes of a frame")


class _Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _unbzip2(feed: Feed) -> Iterator[bytes]:
    return _members(feed, "bzip2", bz2.BZ2Decompressor)


def _unxz(feed: Feed) -> Iterator[bytes]:
    make = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, memlimit=XZ_MOST_MEMORY)
    return _members(feed, "xz", make)


def _members(feed: Feed, name: str, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
    while feed.peek(1):
        member = make()
        taken = 0
        while not member.eof:
            piece = feed.read() if member.needs_input else b""
            if member.needs_input and not piece:
                raise UnreadableObject(
                    f"the {name} stream is truncated after {taken} bytes of a member"
                )
            taken += len(piece)
            try:
                text = member.decompress(piece, PIECE_SIZE)
            except (OSError, lzma.LZMAError) as error:
                raise UnreadableObject(
                    f"the {name} stream is corrupt within {taken} bytes of a member: {error}"
                ) from error
            if text:
                yield text
        feed.give_back(member.unused_data)
        feed.skip_zeros()
