"""Reads the records of one source: one loop for all formats and engines.

It starts where an earlier attempt stopped, and turns what is too long or cannot be read into
rejects; the format's parser deals with the rest.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import too_long
from servicelogs.records import Block, Records, Reject, Source, TooLong

type Cut = Callable[[Iterable[bytes]], Iterator[Records | TooLong]]
"""Cuts the decompressed text of an object into records."""


class Parser(Protocol):
    """Turns the records of one source into what an engine takes."""

    @property
    def source(self) -> Source:
        """Where the records come from."""
        ...

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut the decompressed text of an object into records.

        An UnreadableObject that ends the chunks is passed on after the last whole record.
        """
        ...

    def take(self, records: Records, skipped: int) -> Block:
        """Parse records, but for so many at the beginning: they count only for what follows."""
        ...


def read(pieces: Iterable[Records | TooLong], parser: Parser, start: int = 1) -> Iterator[Block]:
    """Turn the records of a source into blocks, from the record with the number `start` on.

    An UnreadableObject that ends them becomes one reject after the good records; an earlier attempt
    may have come to it.
    """
    try:
        for piece in pieces:
            if isinstance(piece, TooLong):
                if piece.number >= start:
                    yield _too_long(piece, parser.source)
                continue
            skipped = min(max(start - piece.first, 0), len(piece))
            if skipped < len(piece):
                yield parser.take(piece, skipped)
            else:
                parser.take(piece, skipped)
    except UnreadableObject as error:
        if error.number >= start:
            yield _alone(error.number, "unreadable", str(error), error.tail, parser.source)


def alone(reject: Reject) -> Block:
    """Make a block of a reject that stands alone."""
    number = reject.number
    return Block(number, number + 1, b"", 0, lambda _: reject.raw, {}, [reject])


def _too_long(piece: TooLong, source: Source) -> Block:
    reason = too_long(f"{piece.length} bytes or more")
    return _alone(piece.number, "too_long", reason, piece.start, source)


def _alone(number: int, error_type: str, reason: str, raw: bytes, source: Source) -> Block:
    return alone(Reject(number, error_type, reason, raw, id=f"{source.id}-{number}"))
