"""Objects that an export task of CloudWatch Logs writes, as the records of their events.

Each event begins with its time and a blank; one of several lines has the time only on its first.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html
"""

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from itertools import groupby, pairwise
from typing import NamedTuple

from servicelogs.dates import read_iso_hour
from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES
from servicelogs.records import Records, TooLong

TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
_events = re.compile(rb"^%b" % TIME, re.MULTILINE)
_begins = re.compile(TIME).match
_TIME_BYTES = len("2026-11-20T08:14:55.000Z ")
_HOUR_BYTES = len("2026-11-20T08")


def is_export(start: bytes) -> bool:
    """Say whether a text that begins so may be one of an export task."""
    return _begins(start) is not None


def without_times(start: bytes) -> bytes:
    """Take the times of events out of a text."""
    return _events.sub(b"", start)


def cut_events(chunks: Iterable[bytes]) -> Iterator[Records | TooLong]:
    """Cut an exported text into the messages of its events, counting from 1.

    An UnreadableObject that ends the chunks is passed on after the last whole event.
    """
    cutter = _Cutter()
    pending: list[bytes] = []
    size, enough = 0, BLOCK_BYTES
    try:
        for chunk in chunks:
            pending.append(chunk)
            size += len(chunk)
            if size < enough:
                continue
            text = b"".join(pending)
            rest = yield from cutter.take(text, last=False)
            pending, size = [rest], len(rest)
            # An event that fills the buffer is looked at again when there is twice as much.
            enough = max(BLOCK_BYTES, 2 * size)
    except UnreadableObject as error:
        rest = yield from cutter.take(b"".join(pending), last=False)
        error.tail, error.number = rest[_TIME_BYTES:][:KEPT_BYTES], cutter.first
        raise
    yield from cutter.take(b"".join(pending), last=True)


class _Event(NamedTuple):
    time: bytes
    """As ISO 8601, without its Z."""
    message: bytes

    @property
    def hour(self) -> int | None:
        """The hour (from 1970); None: no calendar has it."""
        try:
            hour, _ = read_iso_hour(self.time[:_HOUR_BYTES])
        except ValueError:
            return None
        return hour

    @property
    def too_long(self) -> bool:
        return len(self.message) > MAX_RECORD_BYTES


class _Cutter:
    """Numbers events, and gives up those that are too long to be held."""

    def __init__(self) -> None:
        self.first = 1
        """The number of the next event."""
        self._lost: TooLong | None = None
        """An event that is too long, while its end is looked for."""

    def take(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, bytes]:
        """Cut the whole events that a text begins with; return the rest."""
        if self._lost:
            text = self._skip(text, self._lost, last=last)
            if text and not _begins(text):
                return text
            yield self._lost
            self._lost = None
            self.first += 1
        starts = [event.start() for event in _events.finditer(text)]
        rest = b"" if last or not starts else text[starts[-1] :]
        events = _read(text, [*starts, len(text)] if last else starts)
        for _, group in groupby(events, lambda event: (event.hour, event.too_long)):
            yield from self._numbered([*group])
        if len(rest) <= MAX_RECORD_BYTES:
            return rest
        message = rest[_TIME_BYTES:]
        self._lost = TooLong(self.first, message[:KEPT_BYTES], len(message))
        return b""

    def _skip(self, text: bytes, lost: TooLong, *, last: bool) -> bytes:
        """Leave out what belongs to an event that is too long."""
        found = _events.search(text)
        # A time, and the end of the line before it, may have come in part.
        whole = len(text) if last else max(0, len(text) - _TIME_BYTES - 1)
        end = found.start() if found else whole
        self._lost = replace(lost, length=lost.length + end)
        return text[end:]

    def _numbered(self, events: list[_Event]) -> Iterator[Records | TooLong]:
        first, hour = self.first, events[0].hour
        self.first += len(events)
        if events[0].too_long:
            for number, (_, message) in enumerate(events, first):
                yield TooLong(number, message[:KEPT_BYTES], len(message))
            return
        times = None if hour is None else [event.time for event in events]
        yield Records(first, [event.message for event in events], hour=hour, times=times)


def _read(text: bytes, starts: list[int]) -> Iterator[_Event]:
    """Give the events that begin there, each up to the next; one without a message is none."""
    for start, end in pairwise(starts):
        time, message = text[start : start + _TIME_BYTES - 2], text[start + _TIME_BYTES : end]
        if message := message.rstrip(b"\r\n"):
            yield _Event(time, message)
