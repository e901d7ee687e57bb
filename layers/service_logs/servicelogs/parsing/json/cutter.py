"""What the three ways to cut records have in common."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


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


class Mark(NamedTuple):
    """A pattern, and what stands in each of its matches: without that no match is looked for."""

    pattern: re.Pattern[bytes]
    literal: bytes

    def search(self, text: bytes, start: int = 0) -> re.Match[bytes] | None:
        """Find the first match from there on."""
        # To find a literal takes a hundredth of the time.
        return self.pattern.search(text, start) if text.find(self.literal, start) >= 0 else None

    def finditer(self, text: bytes) -> Iterator[re.Match[bytes]]:
        """Find all matches."""
        return self.pattern.finditer(text)
