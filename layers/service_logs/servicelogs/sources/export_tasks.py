"""Objects that an export task of CloudWatch Logs writes, as the records of their events.

Each event begins with its time and a blank; one of several lines has the time only on its first.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html
"""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

from servicelogs.dates import read_iso_hour
from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, cut
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
    return cut(chunks, _Events(), BLOCK_BYTES)


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


class _Events:
    """Finds and numbers events."""

    reach = _TIME_BYTES + 1
    """A time, and the end of the line before it."""

    def __init__(self) -> None:
        self._first = 1

    def take(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, int]:
        """Cut the whole events that a text begins with: up to the last time."""
        starts = [event.start() for event in _events.finditer(text)]
        end = len(text) if last else starts[-1] if starts else 0
        events = _read(text, [*starts, end] if last else starts)
        for hour, group in groupby(events, lambda event: event.hour):
            yield self._numbered([*group], hour)
        return end

    def give_up(self, text: bytes, *, last: bool) -> Generator[Records | TooLong, None, int]:  # noqa: ARG002 - it ends before the next time
        """Reject an event that, with its time, is too long."""
        message = text[_TIME_BYTES:]
        yield TooLong(self._first, message[:KEPT_BYTES], len(text))
        self._first += 1
        return 0

    def go_on(self, text: bytes, start: int) -> int:
        """Find the next time."""
        found = _events.search(text, start)
        return found.start() if found else -1

    def end(self, rest: bytes, fault: UnreadableObject) -> Iterator[Records | TooLong]:
        """Leave what may not be a whole event to the fault."""
        fault.tail, fault.number = rest[_TIME_BYTES:][:KEPT_BYTES], self._first
        return iter(())

    def _numbered(self, events: list[_Event], hour: int | None) -> Records:
        first = self._first
        self._first += len(events)
        times = None if hour is None else [event.time for event in events]
        return Records(first, [event.message for event in events], hour=hour, times=times)


def _read(text: bytes, starts: list[int]) -> Iterator[_Event]:
    """Give the events that begin there, each up to the next; one without a message is none."""
    for start, end in pairwise(starts):
        time, message = text[start : start + _TIME_BYTES - 2], text[start + _TIME_BYTES : end]
        if message := message.rstrip(b"\r\n"):
            yield _Event(time, message)
