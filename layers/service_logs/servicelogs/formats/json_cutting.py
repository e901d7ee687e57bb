"""Cuts a JSON array of records, or records one after the other, into blocks of raw records.

Nothing is decoded but to find where a record ends; memory is bounded whatever the document's size.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from servicelogs.errors import UnreadableObject
from servicelogs.formats.cutting import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES, Overlong

_TRIES = 6
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[][{},]', re.DOTALL)
_FIRST_KEY = re.compile(rb'[\s,]*+\{\s*+("(?:[^"\\]|\\.)*+")', re.DOTALL)
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(slots=True)
class Records:
    """Raw records: JSON values, or, where the text is broken, what stands between two of them."""

    records: list[msgspec.Raw]
    first: int
    one_line: bool
    """There is no line feed between their tokens."""


class JsonCutter:
    """Cuts one object: documents `{…, "KEY": [record, record, …], …}`, or records one by one.

    Several documents may follow each other; only scalar members may stand before the array.
    """

    def __init__(self, key: str) -> None:
        member = rb'\s*"[^"\\]*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-+.0-9a-zA-Z]+)\s*,'
        self._opening = re.compile(rb'\s*\{(?:%b)*+\s*"%b"\s*:\s*\[' % (member, key.encode()))
        self._boundary = re.compile(rb"(?!)")
        self._first_key = b""
        self._first = 1
        self._buffer = b""
        self._in_array = False
        self._in_envelope = False
        self._lost = False

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Records | Overlong]:
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
            error.tail, error.ordinal = self._buffer[:KEPT_BYTES], self._first
            raise
        self._buffer = b"".join(pending)
        yield from self._take(last=True)

    def _take(self, *, last: bool) -> Iterator[Records | Overlong]:
        """Cut what the buffer holds of whole records; leave the rest in it."""
        if self._lost:
            self._find_back()
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
            block = self._quickly(last) if self._in_array else None
            block = block or self._surely()
            if block.records:
                yield block

    def _enter(self) -> bool:
        """Go to where the next record starts; False if nothing is left."""
        if self._in_envelope:
            end = self._envelope_end()
            if end < 0:
                return False
            self._buffer, self._in_envelope = self._buffer[end:], False
        if opening := self._opening.match(self._buffer):
            self._buffer, self._in_array = self._buffer[opening.end() :], True
        else:
            self._buffer = self._buffer.lstrip(b" \t\r\n,")
        return bool(self._buffer)

    def _envelope_end(self) -> int:
        """Find the brace that closes the document whose array has ended."""
        depth = 1
        for token in _TOKEN.finditer(self._buffer):
            depth += (token[0] in b"{[") - (token[0] in b"]}") if len(token[0]) == 1 else 0
            if not depth:
                return token.end()
        return -1

    def _quickly(self, last: bool) -> Records | None:
        """Guess where the last whole record ends, and see whether all before it is JSON."""
        buffer = self._buffer
        if last:
            end = buffer.rfind(b"]")
            if block := self._decode(end):
                self._buffer, self._in_array, self._in_envelope = buffer[end + 1 :], False, True
                return block
        self._learn_boundary()
        end = len(buffer)
        for _ in range(_TRIES if self._first_key else 0):
            end = buffer.rfind(self._first_key, 0, end)
            if end < 0:
                break
            boundary = self._boundary.search(buffer, max(0, end - 256), end + len(self._first_key))
            if boundary and (block := self._decode(boundary.start() + 1)):
                self._buffer = buffer[boundary.start(1) :]
                return block
        return None

    def _decode(self, end: int) -> Records | None:
        if end < 0:
            return None
        text = self._buffer[:end]
        try:
            return self._numbered(_raw_list.decode(b"[" + text + b"]"), text)
        except msgspec.DecodeError:
            return None

    def _learn_boundary(self) -> None:
        """Records begin with the same member as a rule: that tells what is between two of them."""
        if not self._first_key and (start := _FIRST_KEY.match(self._buffer)):
            self._first_key = start[1]
            self._boundary = re.compile(rb"\}\s*,\s*(\{\s*%b)" % re.escape(start[1]))

    def _surely(self) -> Records:
        """Follow the braces; where that gives what is no JSON, go by what records begin with."""
        records, done, ended = self._scan()
        if self._all_json(records) or not self._boundary.search(self._buffer):
            if ended:
                self._in_envelope, self._in_array = self._in_array, False
        else:
            records, done = self._split()
        text, self._buffer = self._buffer[:done], self._buffer[done:]
        return self._numbered([msgspec.Raw(record) for record in records], text)

    def _all_json(self, records: list[bytes]) -> bool:
        try:
            _raw_list.decode(b"[" + b",".join(records) + b"]")
        except msgspec.DecodeError:
            return False
        return True

    def _scan(self) -> tuple[list[bytes], int, bool]:
        """Find the records token by token, how far they reach, and whether they end there."""
        buffer = self._buffer
        records: list[bytes] = []
        depth = start = done = 0
        for token in _TOKEN.finditer(buffer):
            text = token[0]
            if text in (b"{", b"["):
                depth += 1
            elif text in (b"}", b"]"):
                depth -= 1
            if depth > 0 or (depth == 0 and text not in (b",", b"}")):
                continue
            end = token.end() if depth == 0 and text == b"}" else token.start()
            if record := buffer[start:end].strip(b" \t\r\n,"):
                records.append(record)
            start = done = token.end()
            if depth < 0 or not self._in_array:
                return records, done, True
        return records, done, False

    def _split(self) -> tuple[list[bytes], int]:
        """Cut between all records that can be told by their first member, but for the last."""
        records = []
        start = 0
        for boundary in self._boundary.finditer(self._buffer):
            records.append(self._buffer[start : boundary.start() + 1])
            start = boundary.start(1)
        return records, start

    def _give_up(self, last: bool) -> Records | Overlong:
        """A record does not end: it goes up to where the next one seems to begin."""
        boundary = self._boundary.search(self._buffer)
        end = boundary.start() + 1 if boundary else len(self._buffer)
        broken, self._buffer = self._buffer[:end], self._buffer[end:]
        if boundary or (last and end <= MAX_RECORD_BYTES):
            return self._numbered([msgspec.Raw(broken.strip(b" \t\r\n,"))], broken)
        self._lost = True
        self._first += 1
        return Overlong(broken[:KEPT_BYTES], self._first - 1, end)

    def _find_back(self) -> None:
        """Go on behind a record that was too long, where the next one seems to begin."""
        boundary = self._boundary.search(self._buffer)
        self._lost = boundary is None
        self._buffer = self._buffer[boundary.start(1) :] if boundary else self._buffer[-256:]

    def _numbered(self, records: list[msgspec.Raw], text: bytes) -> Records:
        first = self._first
        self._first += len(records)
        return Records(records, first, b"\n" not in text)
