"""Cuts decompressed chunks into blocks of whole lines, in bounded memory whatever the size."""

from collections.abc import Iterable, Iterator

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import KEPT_BYTES, MAX_RECORD_BYTES
from servicelogs.records import Records, TooLong


def cut_lines(chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
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
            error.number = first
            raise
        if chunk is None:
            break
        if overlong:
            rest = chunk.find(b"\n")
            if rest < 0:
                overlong += len(chunk)
                continue
            yield TooLong(first, b"".join(pending), overlong + rest)
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
        records = Records(first, text=data)
        first = records.end
        yield from _without_too_long(records)
    if overlong:
        yield TooLong(first, b"".join(pending), overlong)
    elif rest_of_file := b"".join(pending):
        yield Records(first, text=rest_of_file)


def _without_too_long(block: Records) -> Iterator[Records | TooLong]:
    """Take a first line that grew too long over several chunks out of its block."""
    text = block.text
    end = text.find(b"\n")
    length = len(text) if end < 0 else end
    if length <= MAX_RECORD_BYTES:
        yield block
        return
    yield TooLong(block.first, text[:KEPT_BYTES], length)
    if end >= 0:
        yield Records(block.first + 1, text=text[end + 1 :])
