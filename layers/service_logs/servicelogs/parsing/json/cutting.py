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
from collections.abc import Generator, Iterable, Iterator
from enum import Enum, auto
from itertools import islice
from typing import Any

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES, cut
from servicelogs.parsing.json.by_braces import ByBraces, records_in, tokens
from servicelogs.parsing.json.by_decoding import ByDecoding
from servicelogs.parsing.json.by_line import ByLine
from servicelogs.parsing.json.by_separator import BySeparator
from servicelogs.parsing.json.cutter import Cutter, Found, Mark
from servicelogs.parsing.json.proof import Decoder, is_json
from servicelogs.records import Records, TooLong

_BEHIND_ARRAY = re.compile(rb'\s*+(?:\}|\Z|,\s*+(?:"|\Z))')
_beginning = re.compile(rb'^(?=\{\s*+"|\[\s*+\{)', re.MULTILINE)
_FIRST_LINES = 10
_SCALAR = rb'(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|[-+.0-9a-zA-Z]++)'
# Of so many that a search from each brace on stays quick.
_MEMBERS = rb'(?:\s*+"[^"\\]{0,256}+"\s*+:\s*+%b\s*+,){0,64}+' % _SCALAR
_LEAST_PATIENCE = 1024


class _Place(Enum):
    OUTSIDE = auto()
    """Before a document, or among records that follow each other."""
    IN_ARRAY = auto()
    BEHIND_ARRAY = auto()
    """In a document whose array has ended."""


class JsonCutter:
    """Cuts one object; only scalar members may stand before a document's array."""

    def __init__(self, key: str, decoder: Decoder) -> None:
        """Cut by the name of the array, which is empty where records just follow each other."""
        name = b'"%b"' % key.encode()
        opening = rb"\{%b\s*+%b\s*+:\s*+\[\s*+" % (_MEMBERS, re.escape(name)) if key else rb"(?!)"
        self._opening = re.compile(rb"\s*+(?:%b|(?P<bare>\[)\s*+(?=\{))" % opening)
        # Spaces before what is searched would be looked at from each of them on.
        self._opening_anywhere = Mark(re.compile(opening), name)
        self._lines = ByLine(decoder, self._opening)
        self._separated = BySeparator(decoder, self._opening)
        self._separated_in_array = BySeparator(decoder)
        self._quick: dict[_Place, tuple[Cutter, ...]] = {
            _Place.OUTSIDE: (self._lines, self._separated),
            _Place.IN_ARRAY: (self._separated_in_array, ByDecoding(decoder)),
        }
        self._sure = {_Place.OUTSIDE: ByBraces(self._opening), _Place.IN_ARRAY: ByBraces()}
        self.reach = 256
        """How much of a text may be the beginning of a boundary or an opening."""
        self._place = _Place.OUTSIDE
        self._behind_array = _Place.BEHIND_ARRAY
        """Where the end of the array leads to."""
        self._text = b""
        self._begun = False
        self._first = 1
        self._patience = MAX_RECORD_BYTES
        """A record that does not end within so many bytes ends where another seems to begin."""

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
        """Cut chunks into blocks of records, counting from 1.

        An UnreadableObject that ends the chunks is passed on after the last whole record, with the
        unfinished one as its `tail`.
        """
        return cut(chunks, self, BLOCK_BYTES)

    def take(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, int]:
        """Cut whole records that a text begins with, in one way."""
        self._text = text
        if not self._begun:
            yield from self._odd_beginning()
        if self._text and self._enter():
            found = self._cut_quickly(last=last) or self._cut_surely(last=last)
            self._text = self._text[found.end :]
            if found.closed:
                self._place = self._behind_array
            if found.records:
                yield self._numbered(found.records, found.known)
        end = len(text) - len(self._text)
        if not end and not last and len(text) > self._patience:
            return (yield from self._cut_damaged())
        self._patience = min(self._patience + end, MAX_RECORD_BYTES)
        return end

    def give_up(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, int]:
        """Make a reject of a record that does not end: up to where the next one seems to begin."""
        if last and not text.strip(b" \t\r\n]},"):
            return len(text)
        if end := (yield from self._cut_damaged()):
            return end
        if self._place is _Place.BEHIND_ARRAY:
            self._place = _Place.OUTSIDE
        if last and len(text) <= MAX_RECORD_BYTES:
            yield self._numbered([text.strip(b" \t\r\n,")], [None])
            return len(text)
        yield TooLong(self._first, text[:KEPT_BYTES], len(text))
        self._first += 1
        return 0

    def end(self, rest: bytes, fault: UnreadableObject) -> Iterator[Records | TooLong]:
        """Leave what is not a whole record to the fault."""
        fault.tail, fault.number = rest[:KEPT_BYTES], self._first
        return iter(())

    def _cut_damaged(self) -> Generator[Records | TooLong, None, int]:
        """Cut a text whose first record does not end wherever one seems to begin, if one does.

        After each time it takes half as much text to give up, and twice as many records go: to
        look at all that follows for each of them would take hours. What is cut otherwise makes up
        for it.
        """
        found = self._cut_at_boundaries(MAX_RECORD_BYTES // self._patience)
        if found.records:
            if self._place is _Place.BEHIND_ARRAY:
                self._place = _Place.OUTSIDE
            self._patience = max(self._patience // 2, _LEAST_PATIENCE)
            yield self._numbered(found.records, found.known)
        return found.end

    def _odd_beginning(self) -> Iterator[Records]:
        """Take what is not JSON before the first record or document for a record of its own.

        Where each record has a line of its own, so has that.
        """
        self._text = text = self._text.lstrip(b" \t\r\n,")
        if not text:
            return
        self._begun = True
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
            self._text = text[start:]
            yield self._numbered([odd], [None])

    def _enter(self) -> bool:
        """Go to where the next record starts; False if nothing is left."""
        if self._place is _Place.BEHIND_ARRAY and not self._leave_document():
            return False
        self._text = self._text.lstrip(b" \t\r\n,")
        if opening := self._opening.match(self._text):
            self._text, self._place = self._text[opening.end() :], _Place.IN_ARRAY
            self._behind_array = _Place.OUTSIDE if opening["bare"] else _Place.BEHIND_ARRAY
        return bool(self._text)

    def _leave_document(self) -> bool:
        """Go behind the document whose array has ended; False if its end has yet to come."""
        if not _BEHIND_ARRAY.match(self._text):  # what ended the array was a stray bracket
            self._place = _Place.IN_ARRAY
            return True
        for token, depth in tokens(self._text):
            if depth < 0:
                self._text, self._place = self._text[token.end() :], _Place.OUTSIDE
                return True
        return False

    def _cut_quickly(self, *, last: bool) -> Found | None:
        """Cut in the first way that gives JSON."""
        for cutter in self._quick[self._place]:
            if found := cutter.cut(self._text, last=last):
                return found
        return None

    def _cut_surely(self, *, last: bool) -> Found:
        """Follow the braces; where that gives what is not JSON, go by what records begin with."""
        found = self._sure[self._place].cut(self._text, last=last)
        if all(map(is_json, found.records)):
            return found
        cut = self._cut_at_boundaries()
        return cut if cut.records else found

    def _cut_at_boundaries(self, most: int | None = None) -> Found:
        """Cut wherever a record seems to begin, at most so often; leave what is behind that."""
        found = Found([], [], 0)
        if boundary := self._boundary(self._text, 0):
            for between in islice(boundary.finditer(self._text), most):
                found.records.append(self._text[found.end : between.start() + 1])
                found.end = between.start(1)
        found.known = [None] * len(found.records)
        return found

    def _boundary(self, text: bytes, start: int) -> Mark | None:
        """Return what is between records: as in an array, else as outside, unless one follows."""
        in_array = self._separated_in_array.boundary
        if in_array or not self._separated.proved or self._opening_anywhere.search(text, start):
            return in_array
        return self._separated.boundary

    def go_on(self, text: bytes, start: int) -> int:
        """Say where the record behind one that was too long seems to begin."""
        if self._lines.applies:
            return text.find(b"\n", start) + 1 or -1
        opening = self._opening_anywhere.search(text, start)
        boundary = self._boundary(text, start)
        between = boundary.search(text, start) if boundary else None
        if opening and not (between and between.start() < opening.start()):
            self._place = _Place.OUTSIDE  # it was the last of its document
            return opening.start()
        return between.start(1) if between else -1

    def _numbered(self, records: list[bytes], known: list[Any]) -> Records:
        first = self._first
        self._first += len(records)
        return Records(first, records, decoded=known)
