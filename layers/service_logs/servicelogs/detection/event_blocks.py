"""How log events of many log streams become blocks: each by the type of its group."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from servicelogs.detection.log_events import Identify, of_one_type
from servicelogs.errors import OutsidePrefix, UnknownLogType
from servicelogs.parsing.cache import Cache
from servicelogs.parsing.format import Format
from servicelogs.parsing.messages.parser import MessageParser
from servicelogs.parsing.reader import Parser, alone
from servicelogs.records import UNKNOWN, Block, Records, Reject, Source
from servicelogs.sources.log_events import Run, by_hour, of_one_hour

NOT_READ = "not among LogTypes"
OUTSIDE_PREFIX = "outside LogGroupPrefix"

# Each holds what its documents begin with, for each hour.
_MOST_PARSERS = 2048

type ParserOf = Callable[[Format, Source], Parser]
"""Gives what turns the records of a log type and source into what an engine takes."""


class EventBlocks:
    """Makes blocks of the events of one object or of one shard's records."""

    def __init__(self, identify: Identify, parser_of: ParserOf) -> None:
        self._identify = identify
        self._parsers: Cache[tuple[Format, Source], Parser] = Cache(
            lambda key: parser_of(*key), _MOST_PARSERS
        )

    def blocks(self, runs: Iterable[Run], start: int = 1) -> Iterator[tuple[str, Block]]:
        """Turn events into blocks with their types, from the event with the number `start` on."""
        for source, run in runs:
            if isinstance(run, Reject):
                if run.number >= start:
                    run.source = source
                    yield UNKNOWN, alone(run)
                continue
            is_lines = not source.log_group and run.extracted is None
            for part in of_one_type(run) if is_lines else (run,):
                if part.end > start:
                    yield from self._blocks(source, part, max(start - part.first, 0))

    def _blocks(self, source: Source, events: Records, skipped: int) -> Iterator[tuple[str, Block]]:
        start = events.first + skipped
        try:
            log_format, is_read = self._identify(source, events)
        except UnknownLogType as error:
            found = events.extracted or [""] * len(events)
            for of_part, part, left_out in _from(start, _by_what_was_found(source, events, found)):
                yield UNKNOWN, _unknown(of_part, part, left_out, str(error))
            return
        except OutsidePrefix:
            yield UNKNOWN, _filtered(events, skipped, OUTSIDE_PREFIX)
            return
        if not is_read:
            yield log_format.name, _filtered(events, skipped, NOT_READ)
            return
        for of_part, part, left_out in _from(start, self._parts(log_format, source, events)):
            block = self._parsers[log_format, of_part].take(part, left_out)
            yield log_format.name, _located(block, of_part, part)

    def _parts(
        self, log_format: Format, source: Source, events: Records
    ) -> Iterator[tuple[Source, Records]]:
        """Part events of several hours, and those in which a filter found something else."""
        # What goes on in several events is joined within them.
        together = log_format.kind == "messages"
        extracted = events.extracted
        for part in [of_one_hour(events)] if together else by_hour(events):
            if extracted is None:
                yield source, part
                continue
            at = part.first - events.first
            found = extracted[at : at + len(part)]
            parser = self._parsers[log_format, source]
            if isinstance(parser, MessageParser):
                found = parser.of_first_events(part, found)
            yield from _by_what_was_found(source, part, found)


def _from(
    start: int, parts: Iterable[tuple[Source, Records]]
) -> Iterator[tuple[Source, Records, int]]:
    """Give those parts that do not end before a number, and how many events in them do."""
    for source, part in parts:
        left_out = min(max(start - part.first, 0), len(part))
        if left_out < len(part):
            yield source, part, left_out


def _by_what_was_found(
    source: Source, events: Records, found: list[str]
) -> Iterator[tuple[Source, Records]]:
    at = 0
    for extracted, group in groupby(found):
        end = at + len([*group])
        yield replace(source, extracted_fields=extracted), events.part(at, end)
        at = end


def _located(block: Block, source: Source, events: Records) -> Block:
    block.events = source, events
    for reject in block.rejects:
        block.locate(reject)
    return block


def _unknown(source: Source, events: Records, skipped: int, reason: str) -> Block:
    rejects = [
        Reject(
            number,
            "unknown_log_type",
            reason,
            events.raw(number),
            id=f"{source.id}-{events.key(number)}",
        )
        for number in events.numbers()[skipped:]
    ]
    first = events.first + skipped
    block = Block(first, events.end, b"", 0, events.raw, {}, rejects)
    return _located(block, source, events)


def _filtered(events: Records, skipped: int, why: str) -> Block:
    filtered = {why: len(events) - skipped}
    return Block(events.first + skipped, events.end, b"", 0, events.raw, filtered)
