"""How many values the longest row of a Parquet column has, where values repeat inside rows (lists).

The repetition level of a value is 0 where it begins a row. Levels are runs of one level, or packed.
https://parquet.apache.org/docs/file-format/data-pages/encodings/#run-length-encoding--bit-packing-hybrid-rle--3
"""

from servicelogs.sources.thrift import CompactReader

# So many groups of eight levels are unpacked at a time: in memory each bit takes a byte.
_GROUPS = 8 * 1024


class RowLengths:
    """Follows the repetition levels of a column, page by page."""

    def __init__(self, highest: int) -> None:
        """Follow levels up to the highest."""
        self._width = highest.bit_length()
        self._current = self._longest = 0

    @property
    def longest(self) -> int:
        """How many values the longest row has until now."""
        return max(self._longest, self._current)

    def take(self, levels: bytes, values: int) -> None:
        """Take the levels of a page with so many values.

        Raise EOFError if there are fewer, and ValueError for runs that no writer writes.
        """
        reader = CompactReader(levels, 0)
        while values > 0:
            head = reader.varint()
            if not head >> 1:
                raise ValueError("a run of no levels")
            if head & 1:
                at, groups = reader.at, min(head >> 1, -(-values // 8))
                reader.at += groups * self._width
                self._take_packed(levels[at : reader.at], values)
                values -= groups * 8
            else:
                at = reader.at
                reader.at += -(-self._width // 8)
                self._take_run(min(head >> 1, values), begin=not any(levels[at : reader.at]))
                values -= head >> 1
            if reader.at > len(levels):
                raise EOFError

    def _take_run(self, values: int, *, begin: bool) -> None:
        if not begin:
            self._current += values
        elif values:
            self._longest, self._current = self.longest, 1

    def _take_packed(self, packed: bytes, values: int) -> None:
        size = _GROUPS * self._width
        for start in range(0, len(packed), size):
            bits = _not_zero(packed[start : start + size], self._width)[:values]
            values -= len(bits)
            more, *rows = map(len, bits.split("0"))
            self._current += more
            if rows:
                self._longest, self._current = max(self.longest, 1 + max(rows)), 1 + rows[-1]


def _not_zero(packed: bytes, width: int) -> str:
    """Give for each number of so many bits a 0 if it is 0, else a 1."""
    bits = f"{int.from_bytes(packed, 'little'):0{8 * len(packed)}b}"[::-1]
    if width == 1:
        return bits
    count = len(bits) // width
    both = 0
    for bit in range(width):
        both |= int(bits[bit::width][:count] or "0", 2)
    return f"{both:0{count}b}"
