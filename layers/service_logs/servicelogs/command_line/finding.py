"""Finds the record that is to be explained, and what `parse` makes of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from servicelogs.detection.event_blocks import EventBlocks
from servicelogs.detection.log_events import EventType, Identify
from servicelogs.errors import ServiceLogsError
from servicelogs.opensearch.dated_indexes import every_index, one_index
from servicelogs.opensearch.documents import parser_of, parsers_of
from servicelogs.parsing.format import Format
from servicelogs.parsing.reader import Parser, read
from servicelogs.parsing.text.layout import Layout
from servicelogs.parsing.text.parser import TextParser
from servicelogs.records import Block, Records, Reject, Source, TooLong
from servicelogs.sources.log_events import Run

_MOST_NUMBERS = 10
"""Of other rejected records."""


class NotExplained(ServiceLogsError):
    """There is no such record, or what was given is not a log; the message says which."""


@dataclass(slots=True)
class Found:
    """A record, and what `parse` makes of it."""

    raw: bytes
    number: int
    reject: Reject | None
    log_format: Format | None
    """None: it is a log event, or stands in the place of one, and its type is not known."""
    source: Source
    columns: Layout[Any] | None = None
    """For text: the layout that the last header said, before the lines in `before`."""
    before: Sequence[bytes] = ()
    time: bytes | None = None
    """When it happened, as its source says: ISO 8601 without its Z."""
    also_rejected: Sequence[int] = ()
    """The numbers of other records of its source that are rejected, the first of them."""


class Scan(Protocol):
    """Goes through a source once."""

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of the source."""
        ...

    def found(self, block: Block, number: int) -> Found:
        """Give a record of the block that came last."""
        ...


def find(scan: Scan, wanted: int) -> Found:
    """Find the record with a number; 0: the first that is rejected, else the first of all."""
    found: Found | None = None
    rejected: list[int] = []
    last = 0
    for block in scan.blocks():
        last = block.end - 1
        if block.rejects and len(rejected) <= _MOST_NUMBERS:
            rejected += [reject.number for reject in block.rejects[: _MOST_NUMBERS + 1]]
        number = _number_in(block, wanted, first=found is None)
        if number and (found is None or found.reject is None):
            found = scan.found(block, number)
    if found is None:
        raise NotExplained(
            f"there is no record {wanted}: the last one is {last}"
            if wanted
            else "there is no record in it"
        )
    others = [number for number in rejected if number != found.number]
    found.also_rejected = others[:_MOST_NUMBERS]
    return found


def _number_in(block: Block, wanted: int, *, first: bool) -> int:
    """Give the number of the record of a block that may be the one to explain; 0: there is none."""
    if not wanted:
        if block.rejects:
            return block.rejects[0].number
        return next(_documents(block), 0) if first else 0
    if not block.first <= wanted < block.end:
        return 0
    if wanted in _documents(block) or any(one.number == wanted for one in block.rejects):
        return wanted
    raise NotExplained(
        f"line or event {wanted} is not a record: it is a header, a comment or empty, or goes on "
        "with the record before it"
    )


def _documents(block: Block) -> Iterator[int]:
    """Give the numbers of the records of a block that are documents."""
    for document in bytes(block.body).split(b"\n")[1::2]:
        yield json.loads(document)["log"]["record"]


def _reject_in(block: Block, number: int) -> Reject | None:
    return next((one for one in block.rejects if one.number == number), None)


def columns_of(parser: Parser) -> Layout[Any] | None:
    """Give the layout of text that counts now; None if it is no text with columns."""
    return parser.columns if isinstance(parser, TextParser) else None


class RecordScan:
    """Goes through a source of one format, and knows of which piece of it each block is made."""

    def __init__(
        self, log_format: Format, parser: Parser, source: Iterable[Records | TooLong]
    ) -> None:
        self._format = log_format
        self._parser = parser
        self._source = source
        self._piece: Records | TooLong | None = None
        self._columns: Layout[Any] | None = None

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of the source."""
        return read(self._pieces(), self._parser)

    def _pieces(self) -> Iterator[Records | TooLong]:
        for piece in self._source:
            self._piece = piece
            self._columns = columns_of(self._parser)
            yield piece

    def found(self, block: Block, number: int) -> Found:
        """Give a record of the block that came last."""
        before: list[bytes] = []
        if isinstance(self._piece, Records) and self._piece.first <= number < self._piece.end:
            before = self._piece.items[: number - self._piece.first]
        return Found(
            block.raw(number),
            number,
            _reject_in(block, number),
            self._format,
            self._parser.source,
            self._columns,
            before,
        )


class EventScan:
    """Goes through log events, each of the type of its log group."""

    def __init__(self, identify: Identify, runs: Iterable[Run], carrier: Source) -> None:
        self._given = identify
        self._runs = runs
        self._carrier = carrier
        self._type: EventType | None = None

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of the events."""
        documents = EventBlocks(self._identify, parsers_of(every_index()))
        for log_type, block in documents.blocks(self._runs):
            if self._type and self._type.format.name != log_type:
                self._type = None
            yield block

    def _identify(self, source: Source, records: Records) -> EventType:
        self._type = None
        self._type = self._given(source, records)
        return self._type

    def found(self, block: Block, number: int) -> Found:
        """Give a record of the block that came last."""
        raw, reject = block.raw(number), _reject_in(block, number)
        if self._type is None or block.events is None:
            return Found(raw, number, reject, None, self._carrier)
        log_format = self._type.format
        source, events = block.events
        columns = columns_of(parser_of(log_format, source, one_index("explained")))
        return Found(raw, number, reject, log_format, source, columns, time=events.time(number))
