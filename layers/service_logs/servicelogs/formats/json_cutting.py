"""Cuts a JSON array of records, or records one after the other, into blocks of raw records.

Nothing is decoded but to find where a record ends; memory is bounded whatever the document's size.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from servicelogs.errors import UnreadableObject
from servicelogs.formats.cutting import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES, Overlong

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|(?P<unfinished>\\?\Z))|[][{},]', re.DOTALL)
_BEHIND_ARRAY = re.compile(rb'\s*+(?:\}|\Z|,\s*+(?:"|\Z))')
_FIRST_KEY = re.compile(rb'[\s,]*+\{\s*+("(?:[^"\\]|\\.)*+")', re.DOTALL)
_any_json = msgspec.json.Decoder(msgspec.Raw)


@dataclass(slots=True)
class Records:
    """Raw records: JSON objects, or, where the text is broken, what stands between two of them."""

    records: list[bytes]
    known: list[Any]
    """What the decoder made of each; None: it made nothing of it, or the record is not plain (on
    one line, in UTF-8)."""
    first: int


class JsonCutter:
    """Cuts one object: documents `{…, "KEY": [record, record, …], …}`, or records one by one.

    Several documents may follow each other; only scalar members may stand before the array. Each
    record is decoded, which is what proves that it was cut where it ends.
    """

    def __init__(self, key: str, decode: Callable[[bytes], Any]) -> None:
        self._decode = decode
        member = rb'\s*"[^"\\]*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-+.0-9a-zA-Z]+)\s*,'
        self._opening = re.compile(rb'\s*\{(?:%b)*+\s*"%b"\s*:\s*\[\s*' % (member, key.encode()))
        self._boundary = re.compile(rb"(?!)")
        self._first_key = self._separator = b""
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
            block = self._quickly(last) if self._in_array else None
            block = block or self._surely()
            if block.records:
                yield block

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
        depth = 1
        for token in _TOKEN.finditer(self._buffer):
            depth += (token[0] in b"{[") - (token[0] in b"]}") if len(token[0]) == 1 else 0
            if not depth:
                self._buffer, self._in_envelope = self._buffer[token.end() :], False
                return True
        return False

    def _quickly(self, last: bool) -> Records | None:
        """Cut where records begin as the first one did; None if what comes of it is no JSON."""
        buffer = self._buffer
        self._learn_boundary()
        end = buffer.rfind(b"]") if last else buffer.rfind(self._separator) + 1
        if end <= 0 or not self._first_key:
            return None
        records = []
        start = 0
        while (at := buffer.find(self._separator, start, end)) >= 0:
            records.append(buffer[start : at + 1])
            start = at + 2
        if rest := buffer[start:end].strip():
            records.append(rest)
        known = self._known(records, buffer[:end])
        if known is None:
            return None
        if last:
            self._buffer, self._in_array, self._in_envelope = buffer[end + 1 :], False, True
        else:
            self._buffer = buffer[end + 1 :]
        return self._numbered(records, known)

    def _known(self, records: list[bytes], text: bytes) -> list[Any] | None:
        """Decode records; None if one of them is no JSON."""
        if b"\n" in text or not _is_utf_8(text):
            return [None] * len(records) if all(map(_is_json, records)) else None
        try:
            return list(map(self._decode, records))
        except (msgspec.DecodeError, RecursionError):
            pass
        known = []
        for record in records:
            try:
                known.append(self._decode(record))
            except (msgspec.DecodeError, RecursionError):
                if not _is_json(record):
                    return None
                known.append(None)
        return known

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
            if depth < 0 and self._in_array and text == b"]":
                return records, done, True
            depth = 0  # a stray bracket ends nothing
            if not self._in_array and self._opening.match(buffer, done):
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
        self._in_envelope = False
        if boundary or (last and end <= MAX_RECORD_BYTES):
            return self._numbered([broken.strip(b" \t\r\n,")], [None])
        self._lost = True
        self._first += 1
        return Overlong(broken[:KEPT_BYTES], self._first - 1, end)

    def _find_back(self) -> bool:
        """Go on behind a record that was too long, where the next one seems to begin."""
        boundary = self._boundary.search(self._buffer)
        self._lost = boundary is None
        self._buffer = self._buffer[boundary.start(1) :] if boundary else self._buffer[-256:]
        return not self._lost

    def _numbered(self, records: list[bytes], known: list[Any]) -> Records:
        first = self._first
        self._first += len(records)
        return Records(records, known, first)


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
