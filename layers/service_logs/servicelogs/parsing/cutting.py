"""Cuts decompressed chunks into blocks of whole lines, in bounded memory whatever the size."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from servicelogs.errors import UnreadableObject

BLOCK_BYTES = 256 * 1024
"""Raw bytes that are worked on at a time: small enough for a processor's cache."""
MAX_RECORD_BYTES = 10 * 1024 * 1024
"""A longer record is rejected: no AWS service writes one, and no bulk request could hold it."""
KEPT_BYTES = 64 * 1024
"""How much of such a record its reject shows."""


@dataclass(slots=True)
class Lines:
    """Whole lines, joined by newlines (none after the last)."""

    data: bytes
    first: int

    @property
    def end(self) -> int:
        """The number of the line after the last one."""
        return self.first + self.data.count(b"\n") + 1


@dataclass(slots=True)
class Overlong:
    """A record too long to be one; `data` is its beginning."""

    data: bytes
    first: int
    length: int


def cut_lines(chunks: Iterable[bytes]) -> Iterator[Lines | Overlong]:
    """Cut chunks into blocks of lines, counting from line 1.

    When the chunks end in an UnreadableObject, it is passed on after the last whole line, with the
    unfinished line as its `tail`.
    """
    first = 1
    pending: list[bytes] = []
    size = overlong = 0
    stream = iter(chunks)
    while True:
        try:
            chunk = next(stream, None)
        except UnreadableObject as error:
            error.tail = b"".join(pending)[:KEPT_BYTES]
            error.ordinal = first
            raise
        if chunk is None:
            break
        if overlong:
            rest = chunk.find(b"\n")
            if rest < 0:
                overlong += len(chunk)
                continue
            yield Overlong(b"".join(pending), first, overlong + rest)
            first, pending, size, overlong = first + 1, [], 0, 0
            chunk = chunk[rest + 1 :]
        end = chunk.rfind(b"\n")
        if end < 0:
            pending.append(chunk)
            size += len(chunk)
            if size > MAX_RECORD_BYTES:
                pending, overlong = [b"".join(pending)[:KEPT_BYTES]], size
            continue
        data = b"".join((*pending, chunk[:end]))
        pending = [chunk[end + 1 :]]
        size = len(pending[0])
        yield from _without_overlong(Lines(data, first))
        first += data.count(b"\n") + 1
    if overlong:
        yield Overlong(b"".join(pending), first, overlong)
    elif rest_of_file := b"".join(pending):
        yield Lines(rest_of_file, first)


def _without_overlong(block: Lines) -> Iterator[Lines | Overlong]:
    """Take a first line that grew too long over several chunks out of its block."""
    end = block.data.find(b"\n")
    length = len(block.data) if end < 0 else end
    if length <= MAX_RECORD_BYTES:
        yield block
        return
    yield Overlong(block.data[:KEPT_BYTES], block.first, length)
    if end >= 0:
        yield Lines(block.data[end + 1 :], block.first + 1)
