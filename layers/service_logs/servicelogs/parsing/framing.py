"""Cuts texts that come bit by bit, whatever they consist of, in bounded memory and linear time.

What differs is a framer: it finds where the records end that a text begins with. What all have in
common is here: how much of a text is looked at at a time, that what is not whole yet is looked at
again only when there is twice as much, and that a record that is too long is given up: nothing of
it is kept or looked at again while its end is looked for.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Protocol

from servicelogs.errors import UnreadableObject

BLOCK_BYTES = 256 * 1024
"""Raw bytes that are worked on at a time: small enough for a processor's cache."""
MAX_RECORD_BYTES = 10 * 1024 * 1024
"""A longer record is rejected: no AWS service writes one, and no bulk request could hold it."""
KEPT_BYTES = 64 * 1024
"""How much of such a record its reject shows."""

_SHORT = 64 * 1024
"""What is left of a text and not longer may be looked at with each chunk."""
_LEAST_WINDOW = 512
_MOST_WINDOW = 4 * BLOCK_BYTES


class Framer[Piece](Protocol):
    """Finds the records of one text, whose bytes it is given in turn."""

    reach: int
    """Of a text in which what was given up does not end, so many last bytes may belong to the end.
    """

    def take(self, text: bytes, *, last: bool) -> Generator[Piece, None, int]:
        """Cut whole records that a text begins with; return how far they reach.

        It need not be all of them: what is behind comes again. It is 0 where not even the first
        is whole; then more of the text comes. `last` says that nothing follows it.
        """
        ...

    def give_up(self, text: bytes, *, last: bool) -> Generator[Piece, None, int]:
        """Give up a record that is too long, or that ends nowhere, and begins the text.

        Return how far that reaches. It is 0 where it is not known: then all of the text is given
        up, and what follows up to where `go_on` says.
        """
        ...

    def go_on(self, text: bytes, start: int) -> int:
        """Say where, from there on, the record behind the one that was given up begins.

        It is -1 where that is not in the text.
        """
        ...

    def end(self, rest: bytes, fault: UnreadableObject) -> Iterator[Piece]:
        """End with a fault behind the last whole record; the rest is what is left of the text."""
        ...


def cut[Piece](
    chunks: Iterable[bytes], framer: Framer[Piece], at_least: int, window_bytes: int = 0
) -> Iterator[Piece]:
    """Cut a text that comes in chunks, when there are at least so many bytes of it at a time.

    A framer sees `window_bytes` of it at most, or as many as usual.

    An UnreadableObject that ends the chunks is passed on after the last whole record.
    """
    window = _Window(framer, max(_MOST_WINDOW, window_bytes))
    pending: list[bytes] = []
    size, enough = 0, at_least
    try:
        for chunk in chunks:
            pending.append(chunk)
            size += len(chunk)
            if size < enough:
                continue
            rest = yield from window.take(b"".join(pending), more=True, last=False)
            pending, size = [rest], len(rest)
            # A long record that fills the buffer is looked at again when there is twice as much.
            enough = max(at_least, min(2 * size, MAX_RECORD_BYTES + 1) if size > _SHORT else 0)
    except UnreadableObject as fault:
        rest = yield from window.take(b"".join(pending), more=False, last=False)
        yield from framer.end(rest, fault)
        raise
    yield from window.take(b"".join(pending), more=False, last=True)


class _Window[Piece]:
    """What a framer sees of a text: about as much as it can use.

    Where it cuts little of what it sees, it is shown less, for it may look at all of that each
    time. So the work is at most a multiple of what is cut.
    """

    def __init__(self, framer: Framer[Piece], most: int) -> None:
        """Show so many bytes at most, unless a record is longer."""
        self._framer = framer
        self._size = self._most = most
        self._given_up = False

    def take(self, text: bytes, *, more: bool, last: bool) -> Generator[Piece, None, bytes]:
        """Cut what can be cut of a text, and return the rest.

        `more` says that more of it will come, `last` that nothing does; neither holds for a text
        that cannot be read to its end.
        """
        framer, at, size = self._framer, 0, len(text)
        while at < size:
            if self._given_up:
                found = framer.go_on(text, at)
                if found < 0:
                    return b"" if last else text[max(at, size - framer.reach) :]
                at, self._given_up = found, False
                continue
            seen = text[at : at + self._size]
            to_end = at + len(seen) == size
            end = yield from framer.take(seen, last=last and to_end)
            if end:
                at += end
                self._fit(end, len(seen))
                if more and to_end and size - at < max(end, _LEAST_WINDOW):
                    break  # what is left is the beginning of a record, as a rule
            elif (last and to_end) or len(seen) > MAX_RECORD_BYTES:
                at += yield from self._give_up(seen, last=last and to_end)
            elif to_end:
                break
            else:
                self._size = min(2 * self._size, MAX_RECORD_BYTES + 1)
        return text[at:]

    def _fit(self, end: int, seen: int) -> None:
        """Show more next time where most of what was seen was cut, else less."""
        wanted = max(self._size, 2 * seen) if 2 * end >= seen else max(4 * end, _LEAST_WINDOW)
        self._size = min(wanted, self._most)

    def _give_up(self, seen: bytes, *, last: bool) -> Generator[Piece, None, int]:
        end = yield from self._framer.give_up(seen, last=last)
        self._given_up = not end
        return end or len(seen)


def too_long(length: str) -> str:
    """Say why a record of this length is rejected."""
    return (
        f"the record is too long: {length}, at most {MAX_RECORD_BYTES} are read; "
        "only its beginning is kept"
    )
