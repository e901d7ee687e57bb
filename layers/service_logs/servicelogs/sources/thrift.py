"""Thrift's compact protocol, in which a Parquet file describes itself and its pages.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from itertools import repeat

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = range(
    1, 14
)
_FIXED_SIZES = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}
_DEEPEST = 16
# What stands where a list's length would, if that comes behind it.
_LONG = 15

type Struct = dict[int, int | Struct | None]
"""By their numbers, the fields that are whole numbers of 32 bits, booleans and structs; others
are there as None."""


class CompactReader:
    """Read structs, and no more of them than it was made for: a few bytes can stand for many."""

    def __init__(self, data: bytes, most_structs: int, kept: int | None = None) -> None:
        """Read from the beginning of some bytes; keep one list of structs, by its number."""
        self._data = data
        self._left = most_structs
        self._kept = kept
        self.structs: list[Struct] = []
        """Those of the list that is kept, a field of the outermost struct."""
        self.at = 0
        """Where the next value begins."""

    def struct(self, depth: int = 0) -> Struct:
        """Read a struct; raise EOFError where the bytes end in it."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise ValueError("it describes more columns and row groups than any log has")
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _signed(self.varint())
            if number in fields:
                # A reader that keeps the first and one that keeps the last would disagree.
                raise ValueError(f"its description has the field {number} twice in one place")
            kind = head & 15
            if depth == 0 and number == self._kept:
                self._keep(kind)
                fields[number] = None
            else:
                # Of a field, its kind is its value; in a list, a boolean takes a byte.
                fields[number] = kind == _TRUE if kind <= _FALSE else self._value(kind, depth)
        return fields

    def _keep(self, kind: int) -> None:
        """Read the list that is kept: a reader that expects structs takes its items for structs."""
        head = self._byte()
        if (kind, head & 15) != (_LIST, _STRUCT):
            raise ValueError(f"its description has no list of structs as its field {self._kept}")
        size = self.varint() if head >> 4 == _LONG else head >> 4
        self.structs = [self.struct(1) for _ in repeat(None, size)]

    def varint(self) -> int:
        """Read a whole number without a sign."""
        number = shift = 0
        while (byte := self._byte()) > 127:
            number |= (byte & 127) << shift
            shift += 7
        return number | byte << shift

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise EOFError
        self.at += 1
        return self._data[self.at - 1]

    def _value(self, kind: int, depth: int) -> "int | Struct | None":
        match kind:
            case 5:
                return _signed(self.varint())
            case 12:
                return self.struct(depth + 1)
            case 4 | 6:
                self.varint()
            case 8:
                size = self.varint()
                self.at += size
            case 9 | 10:
                head = self._byte()
                size = self.varint() if head >> 4 == _LONG else head >> 4
                self._skip(size, [head & 15], depth)
            case 11:
                if size := self.varint():
                    kinds = self._byte()
                    self._skip(size, [kinds >> 4, kinds & 15], depth)
            case _ if kind in _FIXED_SIZES:
                self.at += _FIXED_SIZES[kind]
            case _:
                raise ValueError(f"its description has a value of the unknown kind {kind}")
        return None

    def _skip(self, times: int, kinds: list[int], depth: int) -> None:
        if times > len(self._data) - self.at:
            raise ValueError("its description has a list that is longer than itself")
        for _ in repeat(None, times):
            for kind in kinds:
                self._value(_BYTE if kind <= _FALSE else kind, depth)


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)
