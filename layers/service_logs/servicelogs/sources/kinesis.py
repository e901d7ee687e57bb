"""Records of a Kinesis stream's shard, as Lambda hands them over: log events, or lines as they are.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

import binascii
import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import msgspec
from isal import igzip_lib

from servicelogs.errors import UnreadableEvent, UnreadableObject
from servicelogs.parsing.framing import BLOCK_BYTES, MAX_RECORD_BYTES
from servicelogs.parsing.places import place_of
from servicelogs.records import ANOTHER_LINE, Records, Reject, Source, short_id
from servicelogs.sources.aggregation import is_aggregated, taken_apart
from servicelogs.sources.decompression import GZIP_MAGIC, decompressed
from servicelogs.sources.function_events import checked
from servicelogs.sources.log_events import Envelopes, EventTimes, Run, is_envelope

MOST_TEXT_BYTES = 8 * MAX_RECORD_BYTES
"""What the data of a record becomes at most when it is decompressed."""
_START_BYTES = 16 * 1024
_OBJECT = b"{"


class _Kinesis(msgspec.Struct, gc=False, rename="camel"):
    sequence_number: str
    data: str
    approximate_arrival_timestamp: float


class _Record(msgspec.Struct, gc=False):
    kinesis: _Kinesis
    event_id: str = msgspec.field(name="eventID")
    stream_arn: str = msgspec.field(name="eventSourceARN")
    region: str = msgspec.field(name="awsRegion")


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A record of a stream."""

    sequence_number: str
    shard_id: str
    stream_arn: str
    region: str
    arrived: datetime
    data: str
    """As base64."""

    @classmethod
    def of(cls, record: object) -> StreamRecord:
        """Read a record of a Lambda function's event; an UnreadableEvent if it is not one."""
        found = checked(record, _Record, "a record of a Kinesis stream")
        kinesis = found.kinesis
        try:
            arrived = datetime.fromtimestamp(kinesis.approximate_arrival_timestamp, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise UnreadableEvent(
                "it is not a record of a Kinesis stream: its approximateArrivalTimestamp is not "
                f"a time: {kinesis.approximate_arrival_timestamp}"
            ) from error
        shard_id, _, _ = found.event_id.partition(":")
        return cls(
            kinesis.sequence_number,
            shard_id,
            found.stream_arn,
            found.region,
            arrived,
            kinesis.data,
        )

    def source(self) -> Source:
        """Describe the shard, as the records of one hour share it."""
        stream = self.stream_arn.rpartition("/")[2]
        return Source(
            uri=f"kinesis://{stream}/{self.shard_id}",
            id=short_id(f"{self.stream_arn}/{self.shard_id}".encode()),
            # What each record arrived at would make a source of each. An hour is the same for all
            # of them, whatever batch they come in.
            delivered=self.arrived.replace(minute=0, second=0, microsecond=0),
            region=place_of([self.region]).region,
        )


class ShardRecords:
    """Reads the records of one batch, and knows which of them holds which log record.

    Log records are counted through the batch.
    """

    def __init__(
        self, records: Sequence[StreamRecord], *, keeps_extracted_fields: bool = False
    ) -> None:
        self.records = records
        self._keeps = keeps_extracted_fields
        self._firsts: list[int] = []
        """For each record that was read, the number of its first log record."""
        self._next = 1
        self._envelopes: dict[Source, Envelopes] = {}

    @cached_property
    def sources(self) -> list[Source]:
        """For each record the shard as its source."""
        made: dict[tuple[object, ...], Source] = {}
        found = []
        for record in self.records:
            hour = (record.stream_arn, record.shard_id, record.arrived.timestamp() // 3600)
            if hour not in made:
                made[hour] = record.source()
            found.append(made[hour])
        return found

    def at(self, number: int) -> int:
        """Give the place in the batch of the record that holds the log record with this number."""
        return bisect_right(self._firsts, number) - 1

    def first(self, at: int) -> int:
        """Give the number of the first log record that the record in this place holds."""
        return self._firsts[at]

    def runs(self) -> Iterator[Run]:
        """Read the records; lines of those that follow each other are handed out together."""
        lines = _Lines()
        for record, source in zip(self.records, self.sources, strict=True):
            self._firsts.append(self._next)
            for part, text in enumerate(_texts(record), 1):
                if isinstance(text, bytes) and not is_envelope(text[:_START_BYTES]):
                    if lines.source is not source or lines.size >= BLOCK_BYTES:
                        yield from lines.run()
                        lines = _Lines(source, self._next)
                    self._next += lines.add(text, record, part)
                    continue
                yield from lines.run()
                lines = _Lines()
                if isinstance(text, bytes):
                    yield from self._read_envelope(text, _key(record, part), source)
                else:
                    yield source, self._rejected(text, _key(record, part), source)
        yield from lines.run()

    def _read_envelope(self, text: bytes, key: str, source: Source) -> Iterator[Run]:
        if source not in self._envelopes:
            self._envelopes[source] = Envelopes(source, keeps_extracted_fields=self._keeps)
        envelopes = self._envelopes[source]
        first = envelopes.next = self._next
        for place, run in envelopes.read(text):
            self._next = envelopes.next
            if isinstance(run, Reject):
                # Its number in the batch is another one the next time.
                run.id = f"{source.id}-{_numbered(key, run.number - first + 1)}"
            yield place, run

    def _rejected(self, fault: _Unreadable, key: str, source: Source) -> Reject:
        number = self._next
        self._next += 1
        return Reject(number, "unreadable", str(fault), fault.tail, id=f"{source.id}-{key}")


def _key(record: StreamRecord, part: int) -> str:
    """Identify a record in its shard, or one of the parts in it."""
    return record.sequence_number if part == 1 else f"{record.sequence_number}-{part}"


def _numbered(key: str, number: int) -> str:
    return key if number == 1 else f"{key}{ANOTHER_LINE.decode()}{number}"


class _Unreadable(UnreadableObject):
    """Data that cannot be read, as it came."""

    def __init__(self, reason: object, data: bytes) -> None:
        super().__init__(str(reason))
        self.tail = data


class _Lines:
    """Lines of records that follow each other, and have one source."""

    def __init__(self, source: Source | None = None, first: int = 1) -> None:
        self.source = source
        self._first = first
        self._items: list[bytes] = []
        self._keys: list[bytes] = []
        self._arrived: list[int] = []
        self.size = 0

    def add(self, text: bytes, record: StreamRecord, part: int) -> int:
        """Add the lines of a record, or of one of the parts in it; say how many they are."""
        lines = _lines(text)
        self.size += len(text)
        arrived = int(record.arrived.timestamp() * 1000)
        key = _key(record, part)
        for number, line in enumerate(lines, 1):
            self._items.append(line)
            self._keys.append(_numbered(key, number).encode())
            self._arrived.append(arrived)
        return len(lines)

    def run(self) -> Iterator[Run]:
        """Give them, if there are any."""
        if self.source and self._items:
            times = EventTimes(self._arrived)
            yield self.source, Records(self._first, self._items, keys=self._keys, times=times)


def _lines(text: bytes) -> list[bytes]:
    r"""Cut lines; JSON that is not one object a line is one record, whatever lines it has."""
    text = text.rstrip(b"\r\n")
    if b"\n" not in text:
        return [text] if text else []
    lines = [line for line in text.split(b"\n") if line.strip()]
    if text.startswith(_OBJECT) and not all(line.startswith(_OBJECT) for line in lines):
        return [text]
    return lines


def _texts(record: StreamRecord) -> Iterable[bytes | _Unreadable]:
    """Give the text of a record, or of each that was put together in it."""
    try:
        data = binascii.a2b_base64(record.data, strict_mode=True)
    except ValueError as error:
        yield _Unreadable(
            f"the record's data is not base64: {error}", record.data.encode("utf-8", "replace")
        )
        return
    try:
        parts = taken_apart(data) if is_aggregated(data) else [data]
    except UnreadableObject as fault:
        yield _Unreadable(fault, data)
        return
    for part in parts:
        try:
            yield _text(part)
        except UnreadableObject as fault:
            yield _Unreadable(fault, part)


def _text(data: bytes) -> bytes:
    """Decompress the data of a record, if it is compressed; an UnreadableObject if it is corrupt.

    Nearly all are one gzip member, or a plain line, and need nothing else.
    """
    if data[:1].isdigit():
        return data
    if data.startswith(GZIP_MAGIC):
        member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        try:
            text = member.decompress(data, MOST_TEXT_BYTES)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub says an instance
            raise UnreadableObject(f"the gzip stream is corrupt ({error})") from error
        if member.eof and not member.unused_data and text.startswith(_OBJECT):
            return text
    pieces, size = [], 0
    for piece in decompressed(io.BytesIO(data)):
        pieces.append(piece)
        size += len(piece)
        if size > MOST_TEXT_BYTES:
            raise UnreadableObject(
                f"the record is too long: it becomes more than {MOST_TEXT_BYTES} bytes"
            )
    return b"".join(pieces)
