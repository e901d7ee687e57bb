"""Cuts a JSON array of records, or records one after the other, into blocks of raw records.

Nothing is decoded but to find where a record ends; memory is bounded whatever the document's size.

A `JsonCutter` stands at one of three places: before a document or among records that follow each
other, in the array of one (`_in_array`), behind an array whose document has not ended
(`_in_envelope`). From there it cuts in the fastest way that gives JSON: where records begin as the
first one did (`_quickly`), at line ends (`_lines`), else by following the braces (`_surely`). What
never ends is given up up to where the next record seems to begin (`_lost`: that has yet to come).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES
from servicelogs.records import Records, TooLong

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|(?P<unfinished>\\?\Z))|[][{},]', re.DOTALL)
_STEPS = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}
_BEHIND_ARRAY = re.compile(rb'\s*+(?:\}|\Z|,\s*+(?:"|\Z))')
_FIRST_KEY = re.compile(rb'[\s,]*+\{\s*+("(?:[^"\\]|\\.)*+")', re.DOTALL)
_TELLING_LINES = 10
_LINE_FEED = ord("\n")
_any_json = msgspec.json.Decoder(msgspec.Raw)


class JsonCutter:
    """Cuts one object: documents `{…, "KEY": [record, record, …], …}`, or records one by one.

    Several documents may follow each other; only scalar members may stand before the array. Each
    record is decoded, which is what proves that it was cut where it ends.
    """

    def __init__(self, key: str, decode: Callable[[bytes], Any]) -> None:
        self._decode = decode
        member = rb'\s*"[^"\\]*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-+.0-9a-zA-Z]+)\s*,'
        opening = rb'\{(?:%b)*+\s*"%b"\s*:\s*\[\s*' % (member, key.encode())
        self._opening = re.compile(rb"\s*" + opening)
        # Spaces before what is searched would be looked at from each of them on.
        self._opening_anywhere = re.compile(opening)
        self._boundary = re.compile(rb"(?!)")
        self._first_key = self._separator = b""
        self._least = 0
        self._first = 1
        self._buffer = b""
        self._in_array = False
        self._in_envelope = False
        self._by_line: bool | None = None
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
                yield from self._take(last=False)
                pending, size = [self._buffer], len(self._buffer)
                # A record that fills the buffer is looked at again when there is twice as much.
                enough = max(BLOCK_BYTES, 2 * size)
        except UnreadableObject as error:
            self._buffer = b"".join(pending)
            yield from self._take(last=False)
            error.tail, error.number = self._buffer[:KEPT_BYTES], self._first
            raise
        self._buffer = b"".join(pending)
        yield from self._take(last=True)

    def _take(self, *, last: bool) -> Iterator[Records | TooLong]:
        """Cut what the buffer holds of whole records; leave the rest in it."""
        if self._lost and not self._find_back():
            return
        while True:
            yield from self._whole_records(last)
            rest = self._buffer.strip(b" \t\r\n]},") if last else b""
            if not rest and len(self._buffer) <= MAX_RECORD_BYTES:
                return
            yield self._give_up(last)

    def _whole_records(self, last: bool) -> Iterator[Records]:
        before = -1
        while self._buffer and len(self._buffer) != before and self._enter():
            before = len(self._buffer)
            if self._in_array:
                block = self._quickly(last)
            else:
                block = self._lines(last) if self._is_by_line() else None
            quick = block is not None
            block = block or self._surely()
            if len(block):
                self._given_up = 1
                yield block
            if quick and not last:
                return  # what is left is the beginning of a record, as a rule

    def _enter(self) -> bool:
        """Go to where the next record starts; False if nothing is left."""
        if self._in_envelope and not self._leave_envelope():
            return False
        if opening := self._opening.match(self._buffer):
            self._buffer, self._in_array = self._buffer[opening.end() :], True
        else:
            self._buffer = self._buffer.lstrip(b" \t\r\n,")
        return bool(self._buffer)

    def _leave_envelope(self) -> bool:
        """Go behind the document whose array has ended; False if its end has yet to come."""
        behind = _BEHIND_ARRAY.match(self._buffer)
        if not behind:  # what ended the array was a stray bracket
            self._in_array, self._in_envelope = True, False
            return True
        for token, depth in _tokens(self._buffer):
            if depth < 0:
                self._buffer, self._in_envelope = self._buffer[token.end() :], False
                return True
        return False

    def _quickly(self, last: bool) -> Records | None:
        """Cut where records begin as the first one did; None if what comes of it is no JSON."""
        self._learn_boundary()
        buffer = self._buffer
        end = buffer.rfind(b"]") if last else buffer.rfind(self._separator) + 1
        if end <= 0 or not self._first_key:
            return None
        text = buffer[:end]
        records = self._separated(text)
        known = self._known(records, text)
        if known is None and self._least:
            self._least = 0  # perhaps two records were taken for one
            records = self._separated(text)
            known = self._known(records, text)
        if known is None:
            return None
        self._least = min(map(len, records), default=0) * 7 // 8
        if last:
            self._buffer, self._in_array, self._in_envelope = buffer[end + 1 :], False, True
        else:
            self._buffer = buffer[end + 1 :]
        return self._numbered(records, known)

    def _separated(self, text: bytes) -> list[bytes]:
        """Cut at each separator, looking for the next only where records are as long as they were.

        That saves half of the search or more, which is what cutting costs.
        """
        records = []
        start = 0
        separator, least = self._separator, self._least
        while (at := text.find(separator, start + least)) >= 0:
            records.append(text[start : at + 1])
            start = at + 2
        if rest := text[start:].strip():
            records.append(rest)
        return records

    def _known(self, records: list[bytes], text: bytes) -> list[Any] | None:
        """Decode the records of a text; None if one of them is no JSON."""
        if b"\n" in text or not _is_utf_8(text):
            return [None] * len(records) if all(map(_is_json, records)) else None
        try:
            return list(map(self._decode, records))
        except (msgspec.DecodeError, RecursionError):
            pass
        known = [self._known_of(record) for record in records]
        broken = (one is None and not _is_json(r) for one, r in zip(known, records, strict=True))
        return None if any(broken) else known

    def _known_of(self, record: bytes) -> Any:
        try:
            return self._decode(record)
        except (msgspec.DecodeError, RecursionError):
            return None

    def _is_by_line(self) -> bool:
        """Tell, by the first lines, whether each record has a line of its own."""
        if self._by_line is None and b"\n" in self._buffer.strip():
            lines = self._buffer.split(b"\n", _TELLING_LINES)[:_TELLING_LINES]
            self._by_line = any(line.startswith(b'{"') and _is_json(line) for line in lines)
        return self._by_line or False

    def _lines(self, last: bool) -> Records:
        """Cut at line ends; a line that is no JSON may be several records."""
        end = len(self._buffer) if last else self._buffer.rfind(b"\n") + 1
        text, self._buffer = self._buffer[:end], self._buffer[end:]
        records = [record for line in _lines_of(text) if (record := line.strip())]
        if not _is_utf_8(text) or (known := self._known(records, b"")) is None:
            whole = (record for line in records for record in _records_in(line))
            records = [*whole]
            known = [self._known_of(record) if _is_utf_8(record) else None for record in records]
        return self._numbered(records, known)

    def _learn_boundary(self) -> None:
        """Records begin with the same member as a rule: that tells what is between two of them."""
        if not self._first_key and (start := _FIRST_KEY.match(self._buffer)):
            self._first_key = start[1]
            self._separator = b"},{" + start[1]
            self._boundary = re.compile(rb"\}\s*,\s*(\{\s*%b)" % re.escape(start[1]))

    def _surely(self) -> Records:
        """Follow the braces; where that gives what is no JSON, go by what records begin with."""
        records, done, ended = self._scan()
        if all(map(_is_json, records)) or not self._boundary.search(self._buffer):
            if ended:
                self._in_envelope, self._in_array = self._in_array, False
        else:
            records, done = self._split()
        self._buffer = self._buffer[done:]
        return self._numbered(records, [None] * len(records))

    def _scan(self) -> tuple[list[bytes], int, bool]:
        """Find the records token by token, how far they reach, and whether they end there."""
        buffer = self._buffer
        records: list[bytes] = []
        depth = start = done = 0
        for token in _TOKEN.finditer(buffer):
            text = token[0]
            if token["unfinished"] is not None:
                break
            depth += _STEPS.get(text, 0)
            if depth > 0 or (depth == 0 and text not in (b",", b"}")):
                continue
            end = token.end() if depth == 0 and text == b"}" else token.start()
            if record := buffer[start:end].strip(b" \t\r\n,"):
                records.append(record)
            start = done = token.end()
            if depth < 0 and self._in_array and text == b"]":
                return records, done, True
            depth = 0  # a stray bracket ends nothing
            if not self._in_array and self._opening.match(buffer, done):
                return records, done, True
        return records, done, False

    def _split(self, most: int | None = None) -> tuple[list[bytes], int]:
        """Cut between records that can be told by their first member, but for the last."""
        records = []
        start = 0
        for boundary in islice(self._boundary.finditer(self._buffer), most):
            records.append(self._buffer[start : boundary.start() + 1])
            start = boundary.start(1)
        return records, start

    def _give_up(self, last: bool) -> Records | TooLong:
        """A record does not end: it goes up to where the next one seems to begin.

        Where the next one does not end either, and so on, twice as many go each time: to look at
        all that follows for each of them would take hours.
        """
        records, done = self._split(self._given_up)
        self._given_up *= 2
        self._in_envelope = False
        if records:
            self._buffer = self._buffer[done:]
            return self._numbered(records, [None] * len(records))
        broken, self._buffer = self._buffer, b""
        if last and len(broken) <= MAX_RECORD_BYTES:
            return self._numbered([broken.strip(b" \t\r\n,")], [None])
        self._lost = True
        self._first += 1
        return TooLong(self._first - 1, broken[:KEPT_BYTES], len(broken))

    def _find_back(self) -> bool:
        """Go on behind a record that was too long, where the next one seems to begin."""
        if self._by_line:
            _, end, self._buffer = self._buffer.partition(b"\n")
            self._lost = not end
            return not self._lost
        boundary = self._boundary.search(self._buffer)
        opening = self._opening_anywhere.search(self._buffer)
        if opening and not (boundary and boundary.start() < opening.start()):
            self._in_array = self._lost = False  # it was the last of its document
            self._buffer = self._buffer[opening.start() :]
            return True
        self._lost = boundary is None
        self._buffer = self._buffer[boundary.start(1) :] if boundary else self._buffer[-256:]
        return not self._lost

    def _numbered(self, records: list[bytes], known: list[Any]) -> Records:
        first = self._first
        self._first += len(records)
        return Records(first, records, decoded=known)


def _lines_of(text: bytes) -> Iterator[bytes]:
    """Split long lines: to find each end takes a quarter of the time that `split` takes."""
    start = 0
    while (end := text.find(_LINE_FEED, start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _tokens(text: bytes) -> Iterator[tuple[re.Match[bytes], int]]:
    """Give strings, commas, braces and brackets, each with how deep it is nested behind it."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += _STEPS.get(token[0], 0)
        yield token, depth


def _records_in(line: bytes) -> list[bytes]:
    """Cut records that follow each other on one line; the line itself where they do not end."""
    records = []
    start = 0
    for token, depth in _tokens(line):
        if depth == 0 and token[0] == b"}":
            records.append(line[start : token.end()].strip(b" \t\r,"))
            start = token.end()
    if line[start:].strip(b" \t\r,") or not all(map(_is_json, records)):
        return [line]
    return records


def _is_json(record: bytes) -> bool:
    try:
        _any_json.decode(record)
    except (msgspec.DecodeError, RecursionError):
        return _is_nearly_json(record)
    return True


def _is_nearly_json(record: bytes) -> bool:
    """Tell whether it can be read leniently: half surrogate pairs and control characters pass."""
    try:
        json.loads(record.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _is_utf_8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False
