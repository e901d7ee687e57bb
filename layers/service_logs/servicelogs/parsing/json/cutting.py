"""Cuts JSON objects of any size into blocks of raw records, in bounded memory.

Records stand in the array of a document, `{…, "KEY": [record, record, …], …}`, in a bare array, or
follow each other, with or without newlines; several documents may follow each other too. What is
not JSON before the first of them is a record of its own. The driver knows where
it is (before a document or record, in an array, behind one) and asks the cutters of that place:

1. By line: only outside arrays, when one of the first ten lines is a whole record. It stays so to
   the end of the object; a line that is not JSON is then looked through for several records.
2. By separator, else: what stands between the first two records is where all are cut. Each record
   is decoded, which proves the cut. If one is not JSON (records begin differently, the text is
   damaged, a document begins or ends), none of the block's is taken, and the separator is learned
   anew from the next block.
3. By decoding, else, in arrays: all records at once, where they begin differently.
4. By braces, for what the others did not cut. Where even that gives what is not JSON, the
   text is damaged, and is cut wherever a record seems to begin.

A record that does not end is given up: it becomes a reject that reaches to where the next one seems
to begin. After one that is too long to be held, that place may be many blocks away.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from itertools import islice
from typing import Any

import msgspec

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES
from servicelogs.parsing.json.by_braces import ByBraces, records_in, tokens
from servicelogs.parsing.json.by_decoding import ByDecoding
from servicelogs.parsing.json.by_line import ByLine
from servicelogs.parsing.json.by_separator import BySeparator
from servicelogs.parsing.json.cutter import Cutter, Found
from servicelogs.parsing.json.proof import is_json
from servicelogs.records import Records, TooLong

_BEHIND_ARRAY = re.compile(rb'\s*+(?:\}|\Z|,\s*+(?:"|\Z))')
_beginning = re.compile(rb'^(?=\{\s*+"|\[\s*+\{)', re.MULTILINE)
_FIRST_LINES = 10
_LONGEST_BEGINNING = 256
"""How much of a text may be the beginning of a boundary or an opening that is not whole yet."""


class _Place(Enum):
    OUTSIDE = auto()
    """Before a document, or among records that follow each other."""
    IN_ARRAY = auto()
    BEHIND_ARRAY = auto()
    """In a document whose array has ended."""


class JsonCutter:
    """Cuts one object; only scalar members may stand before a document's array."""

    def __init__(self, key: str, decoder: msgspec.json.Decoder[Any]) -> None:
        """Cut by the name of the array, which is empty where records just follow each other."""
        text = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
        member = rb'\s*"[^"\\]*"\s*:\s*(?:%b|[-+.0-9a-zA-Z]+)\s*,' % text
        opening = rb"(?!)"
        if key:
            opening = rb'\{(?:%b)*+\s*"%b"\s*:\s*\[\s*' % (member, re.escape(key).encode())
        bare = rb"(?P<bare>\[)\s*(?=\{)"
        self._opening = re.compile(rb"\s*(?:%b|%b)" % (opening, bare))
        # Spaces before what is searched would be looked at from each of them on.
        self._opening_anywhere = re.compile(opening)
        self._lines = ByLine(decoder, self._opening)
        self._separated = BySeparator(decoder, self._opening)
        self._separated_in_array = BySeparator(decoder)
        self._quick: dict[_Place, tuple[Cutter, ...]] = {
            _Place.OUTSIDE: (self._lines, self._separated),
            _Place.IN_ARRAY: (self._separated_in_array, ByDecoding(decoder)),
        }
        self._sure = {_Place.OUTSIDE: ByBraces(self._opening), _Place.IN_ARRAY: ByBraces()}
        self._place = _Place.OUTSIDE
        self._behind_array = _Place.BEHIND_ARRAY
        """Where the end of the array leads to."""
        self._buffer = b""
        self._begun = False
        self._first = 1
        self._lost = False
        self._given_up = 1

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut chunks into blocks of records, counting from 1.

        An UnreadableObject that ends the chunks is passed on after the last whole record, with the
        unfinished one as its `tail`.
        """
        pending: list[bytes] = []
        size, enough = 0, BLOCK_BYTES
        try:
            for chunk in chunks:
                pending.append(chunk)
                size += len(chunk)
                if size < enough:
                    continue
                self._buffer = b"".join(pending)
                yield from self._take(last=False, more=True)
                pending, size = [self._buffer], len(self._buffer)
                # A record that fills the buffer is looked at again when there is twice as much.
                enough = max(BLOCK_BYTES, 2 * size)
        except UnreadableObject as error:
            self._buffer = b"".join(pending)
            yield from self._take(last=False, more=False)
            error.tail, error.number = self._buffer[:KEPT_BYTES], self._first
            raise
        self._buffer = b"".join(pending)
        yield from self._take(last=True, more=False)

    def _take(self, *, last: bool, more: bool) -> Iterator[Records | TooLong]:
        """Cut what the buffer holds of whole records; leave the rest in it.

        `last` says that the object ends with the buffer, `more` that more of it will come; neither
        holds for an object that cannot be read to its end.
        """
        if self._lost and not self._find_back():
            return
        if not self._begun:
            self._begun = True
            yield from self._odd_beginning()
        while True:
            yield from self._whole_records(last=last, more=more)
            rest = self._buffer.strip(b" \t\r\n]},") if last else b""
            if not rest and len(self._buffer) <= MAX_RECORD_BYTES:
                return
            yield self._give_up(last=last)

    def _odd_beginning(self) -> Iterator[Records]:
        """Take what is not JSON before the first record or document for a record of its own.

        Where each record has a line of its own, so has that.
        """
        self._buffer = text = self._buffer.lstrip(b" \t\r\n,")
        if self._opening.match(text):
            return
        first, start = _beginning.search(text), 0
        if not (first and first.start() == 0):  # else there is nothing before it
            found = (first, self._opening_anywhere.search(text))
            start = min((match.start() for match in found if match), default=0)
        if not start:  # perhaps it is only like the beginning of one
            later = (line.start() for line in islice(_beginning.finditer(text), 1, _FIRST_LINES))
            start = next((at for at in later if self._opening.match(text, at)), 0)
        odd, line = text[:start].strip(), text[start:].partition(b"\n")[0]
        if not self._opening.match(text, start) and is_json(line):
            return
        if odd and not (odd.startswith(b"{") and all(map(is_json, records_in(odd)))):
            self._buffer = text[start:]
            yield self._numbered([odd], [None])

    def _whole_records(self, *, last: bool, more: bool) -> Iterator[Records]:
        before = -1
        while self._buffer and len(self._buffer) != before and self._enter():
            before = len(self._buffer)
            quick = self._cut_quickly(last=last)
            found = quick or self._cut_surely(last=last)
            self._buffer = self._buffer[found.end :]
            if found.closed:
                self._place = self._behind_array
            if found.records:
                self._given_up = 1
                yield self._numbered(found.records, found.known)
            if quick and more and len(self._buffer) <= MAX_RECORD_BYTES:
                return  # what is left is the beginning of a record, as a rule

    def _enter(self) -> bool:
        """Go to where the next record starts; False if nothing is left."""
        if self._place is _Place.BEHIND_ARRAY and not self._leave_document():
            return False
        self._buffer = self._buffer.lstrip(b" \t\r\n,")
        if opening := self._opening.match(self._buffer):
            self._buffer, self._place = self._buffer[opening.end() :], _Place.IN_ARRAY
            self._behind_array = _Place.OUTSIDE if opening["bare"] else _Place.BEHIND_ARRAY
        return bool(self._buffer)

    def _leave_document(self) -> bool:
        """Go behind the document whose array has ended; False if its end has yet to come."""
        if not _BEHIND_ARRAY.match(self._buffer):  # what ended the array was a stray bracket
            self._place = _Place.IN_ARRAY
            return True
        for token, depth in tokens(self._buffer):
            if depth < 0:
                self._buffer, self._place = self._buffer[token.end() :], _Place.OUTSIDE
                return True
        return False

    def _cut_quickly(self, *, last: bool) -> Found | None:
        """Cut in the first way that gives JSON."""
        for cutter in self._quick[self._place]:
            if found := cutter.cut(self._buffer, last=last):
                return found
        return None

    def _cut_surely(self, *, last: bool) -> Found:
        """Follow the braces; where that gives what is not JSON, go by what records begin with."""
        found = self._sure[self._place].cut(self._buffer, last=last)
        if all(map(is_json, found.records)):
            return found
        cut = self._cut_at_boundaries()
        return cut if cut.records else found

    def _cut_at_boundaries(self, most: int | None = None) -> Found:
        """Cut wherever a record seems to begin, at most so often; leave what is behind that."""
        found = Found([], [], 0)
        if boundary := self._boundary():
            for between in islice(boundary.finditer(self._buffer), most):
                found.records.append(self._buffer[found.end : between.start() + 1])
                found.end = between.start(1)
        found.known = [None] * len(found.records)
        return found

    def _boundary(self) -> re.Pattern[bytes] | None:
        """Return what is between records: as in an array, else as outside, unless one follows."""
        in_array = self._separated_in_array.boundary
        if in_array or not self._separated.proved or self._opening_anywhere.search(self._buffer):
            return in_array
        return self._separated.boundary

    def _give_up(self, *, last: bool) -> Records | TooLong:
        """Make a reject of a record that does not end: up to where the next one seems to begin.

        Where the next one does not end either, and so on, twice as many go each time: to look at
        all that follows for each of them would take hours.
        """
        found = self._cut_at_boundaries(self._given_up)
        self._given_up *= 2
        if self._place is _Place.BEHIND_ARRAY:
            self._place = _Place.OUTSIDE
        if found.records:
            self._buffer = self._buffer[found.end :]
            return self._numbered(found.records, found.known)
        damaged, self._buffer = self._buffer, b""
        if last and len(damaged) <= MAX_RECORD_BYTES:
            return self._numbered([damaged.strip(b" \t\r\n,")], [None])
        self._lost = True
        self._first += 1
        return TooLong(self._first - 1, damaged[:KEPT_BYTES], len(damaged))

    def _find_back(self) -> bool:
        """Go on behind a record that was too long, where the next one seems to begin."""
        if self._lines.applies:
            _, end, self._buffer = self._buffer.partition(b"\n")
            self._lost = not end
            return not self._lost
        pattern = self._boundary()
        boundary = pattern.search(self._buffer) if pattern else None
        opening = self._opening_anywhere.search(self._buffer)
        if opening and not (boundary and boundary.start() < opening.start()):
            self._place, self._lost = _Place.OUTSIDE, False  # it was the last of its document
            self._buffer = self._buffer[opening.start() :]
            return True
        self._lost = boundary is None
        rest = boundary.start(1) if boundary else -_LONGEST_BEGINNING
        self._buffer = self._buffer[rest:]
        return not self._lost

    def _numbered(self, records: list[bytes], known: list[Any]) -> Records:
        first = self._first
        self._first += len(records)
        return Records(first, records, decoded=known)
