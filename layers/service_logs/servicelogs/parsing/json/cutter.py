"""What the three ways to cut records have in common."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True)
class Found:
    """The whole records that a text begins with."""

    records: list[bytes]
    known: list[Any]
    """What the decoder made of each; None: nothing, or the record is not plain (on one line, in
    UTF-8)."""
    end: int
    """How far they reach: what follows is left for later."""
    closed: bool = False
    """Whether their array ends there."""


class Cutter(Protocol):
    """One way to cut records."""

    def cut(self, text: bytes, *, last: bool) -> Found | None:
        """Find the whole records of a text that begins with one; None: it has to be another way.

        `last` says that nothing follows the text.
        """
