"""Log events as `aws logs filter-log-events` and `aws logs get-log-events` print them.

One document holds them all, and names their log streams, but not the log group.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

import msgspec

from servicelogs.errors import UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, KEPT_BYTES, MAX_RECORD_BYTES, cut, too_long
from servicelogs.records import Source, short_id
from servicelogs.sources.log_events import Envelopes, Event, Run

_LIST = rb'\{\s*+"events"\s*+:\s*+\['
_NAMES = rb'"(?:logStreamName|timestamp|message|ingestionTime|eventId)"\s*+:'
_begins = re.compile(rb"\s*+%b\s*+\{\s*+%b" % (_LIST, _NAMES)).match
_list = re.compile(_LIST).search
# What an event holds are numbers and strings, in which a quote has a backslash before it.
_event = re.compile(rb'[\s,]*+(\{(?:[^{}"]++|"(?:[^"\\]++|\\.)*+")*+\})', re.DOTALL).match
_end = re.compile(rb"\s*+\]").match
_next_event = re.compile(rb"[\s,](?=\{\s*+%b)" % _NAMES).search
_LONGEST_BEGINNING = 256


class _Listed(msgspec.Struct, gc=False, rename="camel"):
    timestamp: int
    message: str
    event_id: str = ""
    log_stream_name: str = ""


_decode = msgspec.json.Decoder(_Listed).decode


def is_list_of_events(start: bytes) -> bool:
    """Say whether a text that begins so is what these commands print."""
    return _begins(start) is not None


class ListedEvents:
    """Reads the events of one text; what is not one is rejected, the others are read."""

    reach = _LONGEST_BEGINNING

    def __init__(self, carrier: Source) -> None:
        """Read what this source carries; its log group is theirs."""
        self._envelopes = Envelopes(carrier)
        self._stream = carrier.log_stream
        self._inside = False

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Run]:
        """Read a text in chunks; an UnreadableObject that ends them becomes a reject."""
        try:
            yield from cut(chunks, self, BLOCK_BYTES)
        except UnreadableObject as fault:
            yield self._envelopes.reject("unreadable", str(fault), fault.tail)

    def take(self, text: bytes, *, last: bool) -> Generator[Run, None, int]:
        """Read the whole events that a text begins with."""
        events: list[bytes] = []
        at = 0
        while True:
            if not self._inside:
                if (found := _list(text, at)) is None:
                    at = len(text) if last else max(at, len(text) - self.reach)
                    break
                at, self._inside = found.end(), True
            if found := _event(text, at):
                events.append(found[1])
                at = found.end()
            elif found := _end(text, at):
                at, self._inside = found.end(), False
            else:
                break
        yield from self._runs(events)
        return at

    def _runs(self, texts: list[bytes]) -> Iterator[Run]:
        events: list[_Listed] = []
        for text in texts:
            try:
                events.append(_decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield from self._of_streams(events)
                events = []
                yield self._envelopes.reject("unreadable", f"it is not a log event: {error}", text)
        yield from self._of_streams(events)

    def _of_streams(self, events: list[_Listed]) -> Iterator[Run]:
        for stream, group in groupby(events, attrgetter("log_stream_name")):
            numbered = enumerate(group, self._envelopes.next)
            read = [
                Event(event.timestamp, event.message, event.event_id or _id(number, event))
                for number, event in numbered
            ]
            yield self._envelopes.of_stream(stream or self._stream, read)

    def give_up(self, text: bytes, *, last: bool) -> Generator[Run, None, int]:  # noqa: ARG002 - it ends before the next
        """Reject an event that is too long, or what stands in the place of one."""
        begins = len(text) - len(text.lstrip(b", \t\r\n"))
        found = _next_event(text, begins + 1)
        if found or len(text) <= MAX_RECORD_BYTES:
            error_type, reason = "unreadable", "the list of log events is truncated or corrupt here"
        else:
            error_type, reason = "too_long", too_long(f"{len(text)} bytes or more")
        end = found.end() if found else 0
        yield self._envelopes.reject(error_type, reason, text[: min(end or len(text), KEPT_BYTES)])
        return end

    def go_on(self, text: bytes, start: int) -> int:
        """Find the next event."""
        found = _next_event(text, start)
        return found.end() if found else -1

    def end(self, rest: bytes, fault: UnreadableObject) -> Iterator[Run]:
        """Leave what is not a whole event to the fault."""
        fault.tail = rest[:KEPT_BYTES]
        return iter(())


def _id(number: int, event: _Listed) -> str:
    """Identify an event of get-log-events, which prints no id: the same line may stand twice."""
    return short_id(f"{number}\0{event.timestamp}\0{event.message}".encode("utf-8", "replace"))
