"""Bytes that come in pieces, and can be looked ahead in."""

from collections.abc import Callable, Iterator
from typing import Self

from servicelogs.errors import UnreadableObject


class Feed:
    """Bytes that can be looked ahead in, and be given back what was read too far.

    A fault that is met when looking ahead counts when what is before it was read. Before each piece
    that comes `look_at_time` is called, which may raise: a few bytes can become very many.
    """

    def __init__(
        self, pieces: Iterator[bytes], look_at_time: Callable[[], None] = lambda: None
    ) -> None:
        self._pieces = pieces
        self._look_at_time = look_at_time
        self._ahead = b""
        self._fault: UnreadableObject | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if piece := self.read():
            return piece
        raise StopIteration

    def read(self) -> bytes:
        """Read some bytes; none at the end."""
        if piece := self._ahead:
            self._ahead = b""
            return piece
        if self._fault:
            raise self._fault
        self._look_at_time()
        return next(self._pieces, b"")

    def give_back(self, piece: bytes) -> None:
        """Put bytes before those that are still to be read."""
        self._ahead = piece + self._ahead

    def peek(self, size: int) -> bytes:
        """Look at the next bytes: fewer than `size` only at the end."""
        # A pipe may give fewer bytes than were asked for.
        try:
            while len(self._ahead) < size and not self._fault:
                self._look_at_time()
                if not (piece := next(self._pieces, b"")):
                    break
                self._ahead += piece
        except UnreadableObject as fault:
            self._fault = fault
        return self._ahead[:size]

    def take(self, size: int) -> bytes:
        """Read so many bytes: fewer only at the end."""
        taken = self.peek(size)
        self._ahead = self._ahead[size:]
        return taken

    def skip_zeros(self) -> None:
        """Skip zeros, as many as there are."""
        while piece := self.read():
            if rest := piece.lstrip(b"\0"):
                self.give_back(rest)
                return
